"""Removals that need a commit of their own with Flux, which deletes what is gone before the router stops to use it.

Argo CD prunes after the last wave. A Kustomization of Flux prunes before the next one begins: backends go while the old
routes are in place, and routes while the old router runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.review import output_yaml
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Body, Environments, ObjectChange
from vsr_compiler.review.rollout.overlaps import routers
from vsr_compiler.review.rollout.words import items, label, listed, mapping
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.reports_diff import RolloutChange

_ROUTES = frozenset({"HTTPRoute", "AIGatewayRoute"})
_BACKENDS = frozenset(
    {
        "AIServiceBackend",
        "Backend",
        "BackendSecurityPolicy",
        "Deployment",
        "DestinationRule",
        "HTTPRouteFilter",
        "InferencePool",
        "ReferenceGrant",
        "Service",
        "ServiceEntry",
    }
)
"""Kinds that a request needs behind its route."""
_FIRST = (
    "For no request to fail, make two commits. In the first keep what goes, and lead requests to others: give an "
    "endpoint that goes the weight 0."
)
_SHOWN = 5
_CONFIG, _SETTINGS = "config.yaml", "runtime.yaml"
_ALL_MODELS = "modelCards"
"""The list of every model, whether something leads to it or not."""


def flux_changes(policy: str, trees: Comparison, environments: Environments) -> Iterator[RolloutChange]:
    """Yield the removals of each environment that Flux applies, and Flux's own objects that change."""
    folders = {
        path.split("/")[1] for path in trees.paths(old=False) if path.startswith("flux/") and path.count("/") > 1
    }
    workloads = routers(trees, environments)
    removed: dict[str, dict[str, list[str]]] = {}
    for name in sorted(folders & environments.new.keys()):
        overlap = workloads[name].overlap if name in workloads else ""
        for body in needed(change for change in environments.changes if change.environment == name):
            removed.setdefault(overlap, {}).setdefault(label(body), []).append(name)
    for overlap, objects in removed.items():
        names = [*list(objects)[:_SHOWN], *(["…"] if len(objects) > _SHOWN else [])]
        where = listed(name for places in objects.values() for name in places)
        text = f"with Flux, requests fail in {where}: it deletes {listed(names)} while the router still leads there"
        last = (
            "When all pods have the new version, remove them." if overlap else "When Flux has applied it, remove them."
        )
        yield RolloutChange(text=f"{text}, and that lasts {overlap}" if overlap else text, steps=[_FIRST, last])
    changed = {
        pair.path.split("/")[1] for pair in trees.pairs if pair.path.startswith("flux/") and pair.new is not None
    }
    if changed and any(path.startswith("flux/") for path in trees.paths(old=True)):
        yield RolloutChange(
            text="Flux's own objects change, which none of them applies",
            steps=[f"What you applied before: `kubectl apply -k out/{policy}/flux/<environment>`"],
        )


def needed(changes: Iterable[ObjectChange]) -> Iterator[Body]:
    """Yield the removed objects of an environment that requests still need when Flux deletes them.

    A route is needed if the old router selects its model; a backend, if the old version of a route leads there that
    changes, or that is needed itself.
    """
    everything = list(changes)
    gone = [change.old for change in everything if change.old is not None and change.new is None]
    selected = _selected(everything)
    routes = [body for body in gone if body.get("kind") in _ROUTES and _models(body) & selected]
    yield from routes
    changed = [
        change.old
        for change in everything
        if change.old is not None and change.new is not None and change.new.get("kind") in _ROUTES
    ]
    names = {name for route in (*routes, *changed) for name in _backends(route)}
    for body in gone:
        if body.get("kind") in _BACKENDS and any(_is_part(body, name) for name in names):
            yield body


def _backends(route: Body) -> Iterator[str]:
    """Yield the names to which a route leads some requests, and those of its filters."""
    for rule in items(mapping(route.get("spec")).get("rules")):
        for ref in items(rule.get("backendRefs")):
            if ref.get("weight") != 0:
                yield str(ref.get("name"))
                yield from (str(mapping(item.get("extensionRef")).get("name")) for item in items(ref.get("filters")))
        yield from (str(mapping(item.get("extensionRef")).get("name")) for item in items(rule.get("filters")))


def _is_part(body: Body, name: str) -> bool:
    """Return whether an object has the name of a backend, or the name somewhere in its specification.

    The objects of an endpoint have names that begin with the endpoint's; others, such as grants, name it.
    """
    own = str(mapping(body.get("metadata")).get("name"))
    return own == name or own.startswith(f"{name}-") or any(name in text for text in _values(body.get("spec")))


def _models(route: Body) -> set[str]:
    """Return the models that a route is for."""
    group = str(route.get("apiVersion")).partition("/")[0]
    rules = items(mapping(route.get("spec")).get("rules"))
    headers = [
        header for rule in rules for match in items(rule.get("matches")) for header in items(match.get("headers"))
    ]
    named = {str(item.get("value")) for item in headers if str(item.get("name")).lower() == SELECTED_MODEL}
    return named or ({""} if group == GATEWAY_GROUP else set())


def _selected(changes: list[ObjectChange]) -> set[str]:
    """Return every text in the old router's configuration that may be a model which it selects."""
    texts: set[str] = set()
    for change in changes:
        data = mapping(change.old.get("data")) if change.old is not None else {}
        if change.old is None or change.old.get("kind") != "ConfigMap" or _CONFIG not in data:
            continue
        config = mapping(_read(data[_CONFIG]))
        routing = {key: value for key, value in mapping(config.get("routing")).items() if key != _ALL_MODELS}
        parts = [routing, config.get("global"), mapping(config.get("providers")).get("defaults")]
        for part in (*parts, _read(data.get(_SETTINGS))):
            texts |= set(_values(part))
    return texts


def _read(text: object) -> object:
    if not isinstance(text, str):
        return None
    try:
        return output_yaml.read(text.encode(), _CONFIG)
    except CompileError:
        return None


def _values(value: object) -> Iterator[str]:
    """Yield the texts in a document that are values, not keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
