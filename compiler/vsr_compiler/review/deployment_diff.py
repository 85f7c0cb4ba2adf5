"""Changes for requests that are not in the router folder: environments, timeouts, and loaded models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.ir.hosts import COMPOSE
from vsr_compiler.review.change_text import ChangeText
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.rendered_overlay import rendered_objects

ROUTES = frozenset({"HTTPRoute", "AIGatewayRoute"})
MODEL, SERVED = "--model=", "--served-model-name"
HOST_FILE = "compose.yaml"
KUSTOMIZATION, DEPTH = "kustomization.yaml", 4
"""Path of an overlay's kustomization: ``<target>/overlays/<environment>/kustomization.yaml``."""


def deployment_changes(trees: Comparison) -> Iterator[ChangeText]:
    """Yield one sentence per fact, however many routes, targets and environments have it."""
    sentences = {change.text: change for change in _environments(trees)}
    for pair in trees.pairs:
        kind, before, after = pair.body.get("kind"), pair.old, pair.new
        if before is None or after is None:
            continue
        if kind in ROUTES and (old := _times(before)) != (new := _times(after)) and old and new:
            text = f"a request may take {' or '.join(new)}, was {' or '.join(old)}"
            sentences.setdefault(text, ChangeText(("time", text), text))
        if kind == "Deployment" and (was := _checkpoint(before)) != (now := _checkpoint(after)) and was and now:
            text = f"server {_name(after)} loads {now}, was {was}"
            sentences.setdefault(text, ChangeText(("checkpoint", text), text))
    for text, environments in _servers(trees).items():
        if text not in sentences:
            sentences[text] = ChangeText(("checkpoint", text), f"{text}, in {', '.join(environments)}")
    yield from sentences.values()


def _environments(trees: Comparison) -> Iterator[ChangeText]:
    """Yield environments that are new, removed, or on another target."""
    before, after = _targets(trees, old=True), _targets(trees, old=False)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was != now:
            change = f"is new, on {now}" if was is None else "is gone" if now is None else f"is on {now}, was on {was}"
            yield ChangeText(("environment", name), f"environment {name} {change}")


def _targets(trees: Comparison, *, old: bool) -> dict[str, str]:
    """Return the target of each environment, by the folder of its overlay or host."""
    paths = [path.split("/") for path in trees.paths(old=old)]
    hosts = {path[1]: COMPOSE for path in paths if path[0] == COMPOSE and path[2:] == [HOST_FILE]}
    return hosts | {
        path[2]: path[0] for path in paths if len(path) == DEPTH and path[1] == "overlays" and path[3] == KUSTOMIZATION
    }


def _servers(trees: Comparison) -> dict[str, list[str]]:
    """Return changes of loaded models in rendered environments, simulators included."""
    before, after = (rendered_objects(trees, "deployment-", old=old) for old in (True, False))
    changes: dict[str, list[str]] = {}
    for key, body in sorted(after.items(), key=lambda item: item[0]):
        was, now = _checkpoint(before.get(key)), _checkpoint(body)
        if was and now and was != now:
            changes.setdefault(f"server {_name(body)} loads {now}, was {was}", []).append(key[1])
    return changes


def _times(route: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    """Return the timeouts of a route's rules, each once, in order."""
    rules = [rule for rule in _list(_dict(_dict(route).get("spec")).get("rules")) if isinstance(rule, dict)]
    return tuple(dict.fromkeys(str(rule["timeouts"]["request"]) for rule in rules if _has_timeout(rule)))


def _has_timeout(rule: dict[str, Any]) -> bool:
    return "request" in _dict(rule.get("timeouts"))


def _checkpoint(deployment: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the model that the first container with a model argument loads."""
    pod = _dict(_dict(_dict(_dict(deployment).get("spec")).get("template")).get("spec"))
    containers = [[str(word) for word in _list(_dict(item).get("args"))] for item in _list(pod.get("containers"))]
    return next((model for args in containers if (model := _model(args))), "")


def _model(args: list[str]) -> str:
    """Return the model among a container's arguments: that of `--model`, or the first one of `vllm serve`."""
    named = next((word.removeprefix(MODEL) for word in args if word.startswith(MODEL)), "")
    return named or (args[0] if SERVED in args and not args[0].startswith("-") else "")


def _name(body: Any) -> str:  # noqa: ANN401 - any JSON
    return str(_dict(_dict(body).get("metadata")).get("name"))


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else []
