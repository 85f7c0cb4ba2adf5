"""Models of a router's configuration with the endpoints that routes give them, or models of the routes alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.manifests import backends
from vsr_compiler.importer.manifests.objects import Index, Resource, labels_of
from vsr_compiler.importer.manifests.routes import Rule, Target
from vsr_compiler.importer.manifests.servers import PORT, Server, pool_selector, selected, service_ports
from vsr_compiler.importer.providers import NeededSecrets
from vsr_compiler.importer.values import child, text

MAX_NAMED = 6


@dataclass(slots=True)
class Join:
    """The state of a join.

    Attributes:
        index: All objects.
        servers: The model servers among them.
        job: The import.
        needed: Secrets that the policy refers to.
        routed: Models that have endpoints of the files, with the place of the route.
    """

    index: Index
    servers: Sequence[Server]
    job: Job
    needed: NeededSecrets
    routed: dict[str, Span] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, Any]:
        """The models of the draft."""
        return self.job.draft.mapping("models")

    def owner(self, name: str) -> str:
        """Return the model that has a name: its own, that of an adapter, or that at its server; empty if none has."""
        if name in self.models:
            return name
        for own, body in self.models.items():
            if name in body.get("loras", {}) or body.get("providerModel") == name:
                return own
        return ""

    def set_endpoints(self, model: str, found: list[tuple[dict[str, Any], int, str]], span: Span) -> None:
        """Give a model these endpoints, with weights, in place of those that it has."""
        draft = self.job.draft
        old = _names(self.models[model].get("endpoints"))
        before = [draft.mapping("endpoints").get(name, {}) for name in old]
        if any(not _in_cluster(body) for body, _, _ in found) and len(found) > 1:
            found = [max(found, key=lambda item: item[1])]
            hint = "A model outside the cluster has one endpoint. Make two models and a `split`."
            self.job.losses.add("VSR543", f"`{model}` has backends outside the cluster: only one is used", span, hint)
        self.models[model]["endpoints"] = ""
        used = {name for body in self.models.values() for name in _names(body.get("endpoints"))}
        for name in old:
            if name not in used:
                self._remove(name)
        weights: dict[str, int] = {}
        for body, weight, wanted in found:
            name = self.job.names.new("endpoint", wanted, span)
            draft.mapping("endpoints")[name] = _with_credentials(body, before)
            weights[name] = weight
        self.models[model]["endpoints"] = _spelled(weights)
        self.routed[model] = span

    def _remove(self, name: str) -> None:
        """Remove an endpoint, with the findings about its address."""
        self.job.draft.mapping("endpoints").pop(name, None)
        self.job.draft.comments.pop(("endpoints", name), None)
        self.job.names.release("endpoint", name)
        place = self.job.names.places.get(("endpoint", name))
        for code in ("VSR531", "VSR552"):
            if place is not None:
                self.job.losses.forget(code, place)


def _names(value: object) -> list[str]:
    return (
        [value] if isinstance(value, str) else [str(name) for name in value] if isinstance(value, list | dict) else []
    )


def _in_cluster(body: dict[str, Any]) -> bool:
    return "external" not in body


def _spelled(weights: dict[str, int]) -> Any:  # noqa: ANN401 - three spellings
    if len(weights) == 1:
        return next(iter(weights))
    return list(weights) if len(set(weights.values())) == 1 else dict(weights)


def _with_credentials(body: dict[str, Any], before: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep the key of an endpoint that the router's configuration names."""
    for kind in ("service", "external"):
        if kind not in body or "apiKey" in body[kind] or "auth" in body[kind]:
            continue
        for old in before:
            kept = old.get("service") or old.get("external") or {}
            if isinstance(kept, dict) and "apiKey" in kept:
                key = {name: kept["apiKey"][name] for name in ("secret", "key") if name in kept["apiKey"]}
                return {kind: {**body[kind], "apiKey": key}}
            if kind == "external" and isinstance(kept, dict) and "schema" in kept and "schema" not in body[kind]:
                return {kind: {**body[kind], "schema": kept["schema"]}}
    return body


def servers_of(target: Target, join: Join) -> list[Server]:
    """Return the servers behind a backend."""
    found = join.index.get(target.kind, target.namespace, target.name)
    if found is None:
        return []
    selector = pool_selector(found) if found.kind == "InferencePool" else labels_of(found.spec.take("selector"))
    return selected(join.servers, found.namespace, selector) if found.kind in {"InferencePool", "Service"} else []


def join_rules(join: Join, rules: Sequence[Rule]) -> None:
    """Give the models of the router their endpoints by the rules on a header; report names that only one side has."""
    named = [rule for rule in rules if rule.value]
    for rule in named:
        model = join.owner(rule.value)
        if not model:
            _unknown(join, rule)
            continue
        if model in join.routed:
            if model == rule.value:
                place = join.routed[model]
                what = f"a second rule for `{model}`; the first is in {place.file}:{place.line}"
                join.job.losses.add("VSR557", what, rule.span, "Write one rule, with weights.")
            continue
        found = _endpoints(join, rule)
        if found:
            join.set_endpoints(model, found, rule.span)
            _check_served(join, model, rule)
    if not named:
        return
    hint = "Add a rule for it, or remove the model. Without a rule, requests for it get 404."
    for model in list(join.models):
        if model not in join.routed and not _external(join, model):
            first = named[0].span
            message = f"no route matches the model `{model}`; routes are in {first.file}:{first.line}"
            span = join.job.names.places.get(("model", model), Span(first.file))
            join.job.losses.add("VSR554", message, span, hint, Severity.WARNING)


def _external(join: Join, model: str) -> bool:
    bodies = [join.job.draft.mapping("endpoints").get(name, {}) for name in _names(join.models[model].get("endpoints"))]
    return any("external" in body for body in bodies)


def _unknown(join: Join, rule: Rule) -> None:
    """Report a rule for a model that the router does not have, at the rule and at the router."""
    names = [*join.models, *(name for body in join.models.values() for name in body.get("loras", {}))]
    listed = ", ".join(f"`{name}`" for name in names[:MAX_NAMED]) + ("" if len(names) <= MAX_NAMED else ", …")
    first = next((place for name in names if (place := join.job.names.places.get(("model", name))) is not None), None)
    at = f", as in {first.file}:{first.line}" if first is not None else ""
    message = f"a route matches the model `{rule.value[:80]}`, which the router does not have; it has {listed}{at}"
    join.job.losses.add("VSR554", message, rule.span, "Use the same name at both places.", Severity.ERROR)
    if first is not None:
        message = f"the router has no model `{rule.value[:80]}`, which {rule.span.file}:{rule.span.line} routes"
        join.job.losses.add("VSR554", message, first, "Use the same name at both places.", Severity.WARNING)


def _endpoints(join: Join, rule: Rule) -> list[tuple[dict[str, Any], int, str]]:
    found = []
    for target in rule.targets:
        body = backends.endpoint(target, join.index, join.job, join.needed)
        if body is not None:
            found.append((body, target.weight, target.name))
    return found


def _check_served(join: Join, model: str, rule: Rule) -> None:
    """Compare the names of the servers behind a rule with the name that the router sends."""
    body = join.models[model]
    for target in rule.targets:
        for server in servers_of(target, join):
            _add_server(join, body, server)
            sent = target.rename or body.get("providerModel", model)
            if sent in server.models or sent in server.adapters:
                continue
            place = server.workload.span
            message = (
                f"the router sends the model `{sent}`, and {server.workload.title} ({place.file}:{place.line}) serves "
                f"{', '.join(f'`{name}`' for name in server.models[:MAX_NAMED])}: the policy sends `{server.models[0]}`"
            )
            where = join.job.names.places.get(("model", model), rule.span)
            join.job.losses.add("VSR554", message, where, "Use the name of `--served-model-name`.", Severity.WARNING)
            message = f"serves `{server.models[0]}`, and the router sends `{sent}` ({where.file}:{where.line})"
            hint = "Use the same name at both places."
            join.job.losses.add("VSR554", f"{server.workload.title} {message}", place, hint, Severity.WARNING)
            body["providerModel"] = server.models[0]
            return


def _add_server(join: Join, body: dict[str, Any], server: Server) -> None:
    """Add the context length of a server, and report one that contradicts the router's."""
    known = body.get("context")
    if server.context and known is None:
        body["context"] = server.context
    elif server.context and known is not None and known > server.context:
        place = server.workload.span
        message = (
            f"{server.workload.title} has `--max-model-len {server.context}`, the router has {known}: the lower counts"
        )
        join.job.losses.add("VSR554", message, place, "Use the same length at both places.", Severity.WARNING)
        body["context"] = server.context


def models_alone(join: Join, rules: Sequence[Rule]) -> None:  # noqa: C901 - one branch for each kind of object
    """Write a model for each name that routes match, or else for each backend, pool, Service or server."""
    for rule in rules:
        if rule.value and rule.value not in join.models:
            found = _endpoints(join, rule)
            if found:
                _new_model(join, rule.value, found, rule.span, [s for t in rule.targets for s in servers_of(t, join)])
                rename = next((target.rename for target in rule.targets if target.rename), "")
                if rename and rename != rule.value:
                    join.models[join.job.names.new("model", rule.value, rule.span, key="routed")]["providerModel"] = (
                        rename
                    )
    if join.models:
        return
    for rule in rules:
        for target in rule.targets:
            behind = servers_of(target, join)
            body = backends.endpoint(target, join.index, join.job, join.needed)
            if body is not None:
                name = behind[0].models[0] if behind else target.name
                _new_model(join, name, [(body, 1, target.name)], target.span, behind)
    for pool in join.index.of("InferencePool"):
        behind = selected(join.servers, pool.namespace, pool_selector(pool))
        target = Target("InferencePool", pool.namespace, pool.name, 0, 1, pool.span)
        body = backends.endpoint(target, join.index, join.job, join.needed)
        name = behind[0].models[0] if behind else pool.name
        if body is not None:
            _new_model(join, name, [(body, 1, pool.name)], pool.span, behind)
    _servers_alone(join)


def _servers_alone(join: Join) -> None:
    """Write the servers that no pool selects: by their Service, or by the labels of their pods."""
    for server in join.servers:
        if server.models[0] in join.models:
            continue
        namespace = server.workload.namespace
        service = next((item for item in join.index.of("Service") if server in _behind(join, item)), None)
        body: dict[str, Any] = {"pods": {"selector": server.labels, "namespace": namespace, "port": server.port}}
        if service is not None:
            port = next(iter(service_ports(service)), PORT)
            body = {"service": {"name": service.name, "namespace": namespace, "port": port}}
        elif not server.labels:
            continue
        _new_model(join, server.models[0], [(body, 1, server.workload.name)], server.workload.span, [server])


def _behind(join: Join, service: Resource) -> list[Server]:
    return selected(join.servers, service.namespace, labels_of(service.spec.take("selector")))


def _new_model(
    join: Join, wanted: str, found: list[tuple[dict[str, Any], int, str]], span: Span, behind: Sequence[Server]
) -> None:
    if wanted in join.models:
        return
    name = join.job.names.new("model", wanted, span, key="routed")
    join.models[name] = {}
    join.set_endpoints(name, found, span)
    for server in behind:
        if name not in server.models and wanted not in server.adapters:
            join.models[name].setdefault("providerModel", server.models[0])
        _add_server(join, join.models[name], server)


def kserve_models(join: Join) -> None:
    """Write the models of LLMInferenceServices: KServe writes their routes, and the router names the value."""
    for item in join.index.of("LLMInferenceService"):
        spec = item.spec.fields("model")
        names = [spec.text("name") or item.name]
        adapters = [text(child(node, "name")) for node in spec.fields("lora").items("adapters")]
        for name in (*names, *(adapter for adapter in adapters if adapter)):
            value = f"publishers/{item.namespace}/models/{name}"
            own = join.owner(name) or (join.owner(item.name) if name == names[0] else "")
            if not own:
                if join.models and not join.job.draft.comments.get(("models", "kserve")):
                    join.job.losses.group("VSR554", "models of KServe that the router does not have", name, item.span)
                own = join.job.names.new("model", name, item.span, key="routed")
                join.models[own] = {}
            join.set_endpoints(own, [({"route": value}, 1, label(name) or item.name)], item.span)
