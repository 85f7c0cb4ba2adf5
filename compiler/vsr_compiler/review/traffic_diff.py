"""Compares two router folders: changes for requests as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review import guard_diff
from vsr_compiler.review.change_text import ChangeText, field_changes, format_value, share_changes
from vsr_compiler.review.identity_diff import identity_changes
from vsr_compiler.review.traffic import Traffic, read_traffic


def traffic_changes(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    """Yield every change, those of routing first."""
    if old.default != new.default:
        yield ChangeText(("default",), f"default: {old.default or 'none'} → {new.default or 'none'}")
    yield from _routes(old, new)
    yield from _models(old, new)
    yield from _guards(old, new)
    yield from _categories(old, new)
    yield from field_changes(("signal",), "signals", dict(old.signals), dict(new.signals))
    yield from _classifiers(old.classifiers, new.classifiers)
    yield from _identity(old, new)
    yield from _settings(old, new)


def new_policy_changes(new: Traffic) -> Iterator[ChangeText]:
    """Yield the routing and the guards of a new policy."""
    nothing = read_traffic(None, None)
    yield ChangeText(("default",), f"the policy is new: what no route takes goes to {new.default or 'nothing'}")
    yield from _routes(nothing, new)
    yield from _models(nothing, new)
    for name, model in sorted(new.models.items()):
        for host in sorted(model.outside):
            yield ChangeText(("outside", name, host), f"model {name} is answered outside the cluster, by {host}")
    yield from _guards(nothing, new)
    yield from _identity(nothing, new)


def _routes(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    for name, route in old.routes.items():
        if name not in new.routes:
            where = f"; {route.when} goes to the next route that holds, or to {new.default}"
            yield ChangeText(("route", name, "gone"), f"route {name} is gone{where}")
    for name, route in new.routes.items():
        if name not in old.routes:
            answer = ", ".join(route.models) or "a fixed answer"
            falls = f", and falls back to {route.rest['fallback']}" if route.rest.get("fallback") else ""
            yield ChangeText(("route", name, "new"), f"route {name} is new: {route.when} → {answer}{falls}")
            continue
        before = old.routes[name]
        yield from share_changes(("route", name), name, before.models, route.models, nothing="a fixed answer")
        if before.when != route.when:
            yield ChangeText(("route", name, "when"), f"{name}: asked for {before.when} → {route.when}")
        yield from field_changes(("route", name), name, dict(before.rest), dict(route.rest))
    both = [name for name in old.routes if name in new.routes]
    order = [name for name in new.routes if name in old.routes]
    if both != order:
        yield ChangeText(("order",), f"routes are tried in another order: {format_value(', '.join(order))}")


def _models(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    for name in sorted(old.models.keys() - new.models.keys()):
        yield ChangeText(("model", name, "gone"), f"model {name} is gone: whoever names it is refused")
    for name in sorted(new.models.keys() - old.models.keys()):
        yield ChangeText(("model", name, "new"), f"model {name} is new")
    for name in sorted(old.models.keys() & new.models.keys()):
        before, after = old.models[name], new.models[name]
        yield from share_changes(("model", name), f"model {name}", before.endpoints, after.endpoints)
        for endpoint in sorted(before.inside.keys() & after.inside.keys()):
            if before.inside[endpoint] != after.inside[endpoint]:
                text = f"model {name}: {endpoint} is at {after.inside[endpoint]}, was at {before.inside[endpoint]}"
                yield ChangeText(("model", name, "place", endpoint), text)
        for host in sorted(after.outside - before.outside):
            yield ChangeText(("outside", name, host), f"model {name} is answered outside the cluster, by {host}")
        for host in sorted(before.outside - after.outside):
            yield ChangeText(("outside", name, host), f"model {name} is no longer answered by {host}")
        yield from field_changes(("model", name), f"model {name}", dict(before.rest), dict(after.rest))
    for name in sorted(set(old.auto) ^ set(new.auto)):
        gone = name in old.auto
        text = f"the name {name} {'no longer lets' if gone else 'now lets'} the router choose"
        yield ChangeText(("auto", name, "gone" if gone else "new"), text)


def _guards(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    for name in sorted(old.guards.keys() - new.guards.keys()):
        yield ChangeText(("guard", name, "gone"), f"guard {name} is gone")
    for name, guard in sorted(new.guards.items()):
        if name not in old.guards:
            yield ChangeText(("guard", name, "new"), f"guard {name} is new: {guard.get('action', 'block')}")
        else:
            yield from guard_diff.guard_changes(name, old.guards[name], guard)


def _categories(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    for name in sorted(old.categories.keys() - new.categories.keys()):
        yield ChangeText(("category", name, "gone"), f"category {name} is gone")
    for name in sorted(new.categories.keys() - old.categories.keys()):
        yield ChangeText(("category", name, "new"), f"category {name} is new")
    for name in sorted(old.categories.keys() & new.categories.keys()):
        if old.categories[name] != new.categories[name]:
            yield ChangeText(("category", name, "described"), f"category {name} is described in other words")


def _classifiers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ChangeText]:
    before, after = ({name: _plain(signal) for name, signal in side.items()} for side in (old, new))
    yield from field_changes(("classifier",), "classifiers", before, after)
    for name in sorted(old.keys() & new.keys()):
        if _head(old[name]) != _head(new[name]) and not _of_sentences(new[name]):
            text = f"classifier {name} is trained from other examples or settings"
            yield ChangeText(("classifier", name, "head"), text)


def _settings(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    yield from field_changes(("setting",), "router", dict(old.settings), dict(new.settings))


def _identity(old: Traffic, new: Traffic) -> Iterator[ChangeText]:
    """Yield who is served now and who is not; the rules for breaking changes classify them."""
    yield from (ChangeText(change.tag, change.text) for change in identity_changes(old.identity, new.identity))


def _of_sentences(classifier: Any) -> bool:  # noqa: ANN401 - whatever the file holds
    """Whether it only holds sentences of signals, whose changes are reported with the signals."""
    return isinstance(classifier, dict) and classifier.get("task") == "likeness"


def _head(classifier: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    return classifier.get("head") if isinstance(classifier, dict) else None


def _plain(classifier: Any) -> Any:  # noqa: ANN401 - as above
    """Return a classifier without the hash of its head."""
    if not isinstance(classifier, dict):
        return classifier
    return {key: value for key, value in classifier.items() if key not in {"head", "labels"}}
