"""Rules for breaking changes, one class per rule. The docstring of a rule is the reason shown to users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from vsr_compiler.review import guard_diff, identity_diff, listener_diff
from vsr_compiler.review.change_text import ChangeText, format_value
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.exposure import exposures, fail_open_fields
from vsr_compiler.review.listener_diff import listener_changes
from vsr_compiler.review.traffic import Traffic


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Both sides of a diff: the router's traffic, and all objects."""

    old: Traffic
    new: Traffic
    trees: Comparison


class Rule(Protocol):
    """A kind of breaking change."""

    name: str

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield breaking changes, with the tags that ``traffic_diff`` uses for the same changes."""


class RouteRemoved:
    """A route is removed: its requests are routed elsewhere."""

    name = "route removed"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield each route that no longer exists."""
        for route in change.old.routes:
            if route not in change.new.routes:
                yield ChangeText(("route", route, "gone"), f"route {route} is gone")


class ModelDropped:
    """A model name is removed: requests for it are rejected."""

    name = "model dropped"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield models and auto-model names that no longer exist."""
        for model in sorted(change.old.models.keys() - change.new.models.keys()):
            yield ChangeText(("model", model, "gone"), f"model {model} is gone")
        for name in sorted(set(change.old.auto) - set(change.new.auto)):
            yield ChangeText(("auto", name, "gone"), f"the name {name} no longer lets the router choose")


class GuardWeakened:
    """A guard is removed or weakened: requests that it blocked may pass."""

    name = "guard weakened"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield guards that are removed, exempt more models, detect less, or act less strictly."""
        for guard, before in sorted(change.old.guards.items()):
            if guard not in change.new.guards:
                yield ChangeText(("guard", guard, "gone"), f"guard {guard} is gone")
            else:
                yield from guard_diff.weakened(guard, before, change.new.guards[guard])


class FailOpenIntroduced:
    """A check now lets requests pass if it fails: an outage disables it."""

    name = "fail-open introduced"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Check the router's settings, guards, and fields of all objects."""
        key, safe = "onFailure", "deny"
        before, after = (str(side.settings.get(key, safe)) for side in (change.old, change.new))
        if before == safe != after:
            yield ChangeText(("setting", key), f"router: {key} {before} → {after}")
        for guard, new in sorted(change.new.guards.items()):
            yield from guard_diff.fail_open_changes(guard, change.old.guards.get(guard, {}), new)
        for label, place in _introduced(change.trees, fail_open_fields):
            yield ChangeText(("open", label, place), f"{label}: failing means passing, by {place}")


class ClientsRefused:
    """Clients that were served are refused: they need credentials, or may no longer use a model."""

    name = identity_diff.REFUSED

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield new authentication, removed keys and networks, and models for fewer clients."""
        yield from _of_clients(change, self.name)


class ListenerClosed:
    """A listener, a port or a host is gone, or only redirects: clients that use it are not served."""

    name = listener_diff.CLOSED

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Yield what clients cannot use any more, by the objects of each environment."""
        for item in listener_changes(change.trees):
            if item.breaking == self.name:
                yield ChangeText(item.tag, item.text)


class ExposureWidened:
    """Something is newly reachable from outside, or traffic newly leaves the cluster."""

    name = "exposure widened"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Check listeners, Services, routes without the router's header, external models, and clients."""
        yield from _of_clients(change, self.name)
        introduced = _introduced(change.trees, exposures)
        for label, opening in introduced:
            yield ChangeText(("exposed", label, opening), f"{label} {opening}")
        for item in listener_changes(change.trees):
            if item.breaking == self.name and item.tag[1:] not in introduced:
                yield ChangeText(item.tag, item.text)
        for name, model in sorted(change.new.models.items()):
            before = change.old.models[name].outside if name in change.old.models else frozenset()
            for host in sorted(model.outside - before):
                text = f"model {name} is answered outside the cluster, by {format_value(host)}"
                yield ChangeText(("outside", name, host), text)


RULES: tuple[Rule, ...] = (
    RouteRemoved(),
    ModelDropped(),
    GuardWeakened(),
    FailOpenIntroduced(),
    ClientsRefused(),
    ListenerClosed(),
    ExposureWidened(),
)
"""Every rule about requests, in the order of the documentation. `rollout.refused.RULE` follows them."""


def breaking(change: PolicyChange) -> Iterator[ChangeText]:
    """Yield breaking changes with the name of their rule."""
    for rule in RULES:
        for broken in rule.check(change):
            yield ChangeText(broken.tag, broken.text, rule.name)


def _of_clients(change: PolicyChange, rule: str) -> Iterator[ChangeText]:
    """Yield the changes of ``identity`` that are breaking by a rule."""
    changes = identity_diff.identity_changes(change.old.identity, change.new.identity)
    yield from (ChangeText(item.tag, item.text) for item in changes if item.breaking == rule)


def _introduced(trees: Comparison, find: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a function of a body
    """Return what ``find`` yields for new objects and not for old ones with the same file name, in any folder."""
    names = {PurePosixPath(pair.path).name for pair in trees.pairs if pair.new is not None}
    before, after = (
        {(_label(body), place) for body in trees.bodies(names, old=old) for place in find(body)}
        for old in (True, False)
    )
    return sorted(after - before)


def _label(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata", {})
    namespace = metadata.get("namespace", "")
    return f"{body.get('kind')} {namespace + '/' if namespace else ''}{metadata.get('name')}"
