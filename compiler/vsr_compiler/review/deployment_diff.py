"""What changes for requests and stands in no router folder: the way that they take, how long, and what answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.review.change_text import ChangeText
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.rendered_overlay import rendered_objects

ROUTES = frozenset({"HTTPRoute", "AIGatewayRoute"})
MODEL = "--model="
KUSTOMIZATION, DEPTH = "kustomization.yaml", 4
"""Where an overlay begins: ``<target>/overlays/<environment>/kustomization.yaml``."""


def deployment_changes(trees: Comparison) -> Iterator[ChangeText]:
    """A sentence a fact, however many routes, targets and environments say it."""
    told = {each.text: each for each in _environments(trees)}
    for pair in trees.pairs:
        kind, before, after = pair.body.get("kind"), pair.old, pair.new
        if before is None or after is None:
            continue
        if kind in ROUTES and (old := _times(before)) != (new := _times(after)) and old and new:
            text = f"a request may take {' or '.join(new)}, was {' or '.join(old)}"
            told.setdefault(text, ChangeText(("time", text), text))
        if kind == "Deployment" and (was := _checkpoint(before)) != (now := _checkpoint(after)) and was and now:
            text = f"server {_name(after)} loads {now}, was {was}"
            told.setdefault(text, ChangeText(("checkpoint", text), text))
    for text, environments in _servers(trees).items():
        if text not in told:
            told[text] = ChangeText(("checkpoint", text), f"{text}, in {', '.join(environments)}")
    yield from told.values()


def _environments(trees: Comparison) -> Iterator[ChangeText]:
    """Another target is another gateway or another way to the pods, whatever the router decides."""
    before, after = _targets(trees, old=True), _targets(trees, old=False)
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was != now:
            change = f"is new, on {now}" if was is None else "is gone" if now is None else f"is on {now}, was on {was}"
            yield ChangeText(("environment", name), f"environment {name} {change}")


def _targets(trees: Comparison, *, old: bool) -> dict[str, str]:
    """The target of each environment, by its name: the folder that its overlay is in."""
    parts = (path.split("/") for path in trees.paths(old=old))
    return {
        each[2]: each[0] for each in parts if len(each) == DEPTH and each[1] == "overlays" and each[3] == KUSTOMIZATION
    }


def _servers(trees: Comparison) -> dict[str, list[str]]:
    """What servers load in environments, where a simulator stands in for one, too."""
    before, after = (rendered_objects(trees, "deployment-", old=old) for old in (True, False))
    found: dict[str, list[str]] = {}
    for key, body in sorted(after.items(), key=lambda item: item[0]):
        was, now = _checkpoint(before.get(key)), _checkpoint(body)
        if was and now and was != now:
            found.setdefault(f"server {_name(body)} loads {now}, was {was}", []).append(key[1])
    return found


def _times(route: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    """The times of a route's rules, each once, in their order."""
    rules = [each for each in _list(_dict(_dict(route).get("spec")).get("rules")) if isinstance(each, dict)]
    return tuple(dict.fromkeys(str(each["timeouts"]["request"]) for each in rules if _has_time(each)))


def _has_time(rule: dict[str, Any]) -> bool:
    return "request" in _dict(rule.get("timeouts"))


def _checkpoint(deployment: Any) -> str:  # noqa: ANN401 - any JSON
    """What the first container that names a model loads."""
    pod = _dict(_dict(_dict(_dict(deployment).get("spec")).get("template")).get("spec"))
    arguments = [word for each in _list(pod.get("containers")) for word in _list(_dict(each).get("args"))]
    return next((str(word).removeprefix(MODEL) for word in arguments if str(word).startswith(MODEL)), "")


def _name(body: Any) -> str:  # noqa: ANN401 - any JSON
    return str(_dict(_dict(body).get("metadata")).get("name"))


def _dict(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else []
