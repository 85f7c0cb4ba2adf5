"""What breaks somebody who relies on what was: one rule a class, its docstring the reason that people read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from vsr_compiler.review import guard_diff
from vsr_compiler.review.change_text import ChangeText, format_value
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.exposure import exposures, fail_open_fields
from vsr_compiler.review.traffic import Traffic
from vsr_compiler.review.volume_claims import immutable_changes


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Both sides: what the router does, and all objects."""

    old: Traffic
    new: Traffic
    trees: Comparison


class Rule(Protocol):
    """A kind of breaking change."""

    name: str

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """What breaks, each under the tag that the words for it have."""


class RouteRemoved:
    """A route is gone: requests that it answered go elsewhere."""

    name = "route removed"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Every route of before that has no namesake now."""
        for route in change.old.routes:
            if route not in change.new.routes:
                yield ChangeText(("route", route, "gone"), f"route {route} is gone")


class ModelDropped:
    """A name that clients may ask for is gone: their requests are refused."""

    name = "model dropped"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Models, and the names by which the router chooses."""
        for model in sorted(change.old.models.keys() - change.new.models.keys()):
            yield ChangeText(("model", model, "gone"), f"model {model} is gone")
        for name in sorted(set(change.old.auto) - set(change.new.auto)):
            yield ChangeText(("auto", name, "gone"), f"the name {name} no longer lets the router choose")


class GuardWeakened:
    """A guard is gone or covers less: what it held back may pass."""

    name = "guard weakened"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Guards that are gone, exempt more, look for less, act less or later."""
        for guard, before in sorted(change.old.guards.items()):
            if guard not in change.new.guards:
                yield ChangeText(("guard", guard, "gone"), f"guard {guard} is gone")
            else:
                yield from guard_diff.weakened(guard, before, change.new.guards[guard])


class FailOpenIntroduced:
    """Something that judges requests now lets them pass where it cannot: an outage switches the guards off."""

    name = "fail-open introduced"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """In the router's settings, in guards, and in any field of any object that means so."""
        key, safe = "onFailure", "deny"
        before, after = (str(side.settings.get(key, safe)) for side in (change.old, change.new))
        if before == safe != after:
            yield ChangeText(("setting", key), f"router: {key} {before} → {after}")
        for guard, new in sorted(change.new.guards.items()):
            yield from guard_diff.fail_open_changes(guard, change.old.guards.get(guard, {}), new)
        for label, place in _introduced(change.trees, fail_open_fields):
            yield ChangeText(("open", label, place), f"{label}: failing means passing, by {place}")


class ExposureWidened:
    """Something can be reached from outside, or traffic leaves the cluster, that could not or did not before."""

    name = "exposure widened"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Listeners, Services, routes without the router's header, and models answered outside."""
        for label, opening in _introduced(change.trees, exposures):
            yield ChangeText(("exposed", label, opening), f"{label} {opening}")
        for name, model in sorted(change.new.models.items()):
            before = change.old.models[name].outside if name in change.old.models else frozenset()
            for host in sorted(model.outside - before):
                text = f"model {name} is answered outside the cluster, by {format_value(host)}"
                yield ChangeText(("outside", name, host), text)


class ChangeRefused:
    """Something that exists cannot be changed in place: an API server refuses it, and a sync goes no further."""

    name = "change refused"

    def check(self, change: PolicyChange) -> Iterator[ChangeText]:
        """Volume claims that would be shared by other pods, or be smaller."""
        yield from immutable_changes(change.trees)


RULES: tuple[Rule, ...] = (
    RouteRemoved(),
    ModelDropped(),
    GuardWeakened(),
    FailOpenIntroduced(),
    ExposureWidened(),
    ChangeRefused(),
)
"""Every rule, in the order of issue and docs."""


def breaking(change: PolicyChange) -> Iterator[ChangeText]:
    """What breaks, with the name of the rule that says so."""
    for rule in RULES:
        for found in rule.check(change):
            yield ChangeText(found.tag, found.text, rule.name)


def _introduced(trees: Comparison, find: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a function of a body
    """What ``find`` finds in objects of now and not in their namesakes of before, in whatever folder those were."""
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
