"""What changes for requests, in words, from the two router folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review import guards
from vsr_compiler.review.statement import Statement, generic, shares, shown
from vsr_compiler.review.traffic import Traffic, traffic


def statements(old: Traffic, new: Traffic) -> Iterator[Statement]:
    """Every change, those that say where requests go first."""
    if old.default != new.default:
        yield Statement(("default",), f"default: {old.default or 'none'} → {new.default or 'none'}")
    yield from _routes(old, new)
    yield from _models(old, new)
    yield from _guards(old, new)
    yield from _categories(old, new)
    yield from generic(("signal",), "signals", dict(old.signals), dict(new.signals))
    yield from _classifiers(old.classifiers, new.classifiers)
    yield from _settings(old, new)


def introduced(new: Traffic) -> Iterator[Statement]:
    """What a policy does that was not there before: where requests go, and what guards them."""
    nothing = traffic(None, None)
    yield Statement(("default",), f"the policy is new: what no route takes goes to {new.default or 'nothing'}")
    yield from _routes(nothing, new)
    yield from _models(nothing, new)
    for name, model in sorted(new.models.items()):
        for host in sorted(model.outside):
            yield Statement(("outside", name, host), f"model {name} is answered outside the cluster, by {host}")
    yield from _guards(nothing, new)


def _routes(old: Traffic, new: Traffic) -> Iterator[Statement]:
    for name, route in old.routes.items():
        if name not in new.routes:
            where = f"; {route.when} goes to the next route that holds, or to {new.default}"
            yield Statement(("route", name, "gone"), f"route {name} is gone{where}")
    for name, route in new.routes.items():
        if name not in old.routes:
            answer = ", ".join(route.models) or "a fixed answer"
            yield Statement(("route", name, "new"), f"route {name} is new: {route.when} → {answer}")
            continue
        before = old.routes[name]
        yield from shares(("route", name), name, before.models, route.models, nothing="a fixed answer")
        if before.when != route.when:
            yield Statement(("route", name, "when"), f"{name}: asked for {before.when} → {route.when}")
        yield from generic(("route", name), name, dict(before.rest), dict(route.rest))
    both = [name for name in old.routes if name in new.routes]
    order = [name for name in new.routes if name in old.routes]
    if both != order:
        yield Statement(("order",), f"routes are tried in another order: {shown(', '.join(order))}")


def _models(old: Traffic, new: Traffic) -> Iterator[Statement]:
    for name in sorted(old.models.keys() - new.models.keys()):
        yield Statement(("model", name, "gone"), f"model {name} is gone: whoever names it is refused")
    for name in sorted(new.models.keys() - old.models.keys()):
        yield Statement(("model", name, "new"), f"model {name} is new")
    for name in sorted(old.models.keys() & new.models.keys()):
        before, after = old.models[name], new.models[name]
        yield from shares(("model", name), f"model {name}", before.endpoints, after.endpoints)
        for each in sorted(before.inside.keys() & after.inside.keys()):
            if before.inside[each] != after.inside[each]:
                text = f"model {name}: {each} is at {after.inside[each]}, was at {before.inside[each]}"
                yield Statement(("model", name, "place", each), text)
        for host in sorted(after.outside - before.outside):
            yield Statement(("outside", name, host), f"model {name} is answered outside the cluster, by {host}")
        for host in sorted(before.outside - after.outside):
            yield Statement(("outside", name, host), f"model {name} is no longer answered by {host}")
        yield from generic(("model", name), f"model {name}", dict(before.rest), dict(after.rest))
    for name in sorted(set(old.auto) ^ set(new.auto)):
        gone = name in old.auto
        text = f"the name {name} {'no longer lets' if gone else 'now lets'} the router choose"
        yield Statement(("auto", name, "gone" if gone else "new"), text)


def _guards(old: Traffic, new: Traffic) -> Iterator[Statement]:
    for name in sorted(old.guards.keys() - new.guards.keys()):
        yield Statement(("guard", name, "gone"), f"guard {name} is gone")
    for name, guard in sorted(new.guards.items()):
        if name not in old.guards:
            yield Statement(("guard", name, "new"), f"guard {name} is new: {guard.get('action', 'block')}")
        else:
            yield from guards.changed(name, old.guards[name], guard)


def _categories(old: Traffic, new: Traffic) -> Iterator[Statement]:
    for name in sorted(old.categories.keys() - new.categories.keys()):
        yield Statement(("category", name, "gone"), f"category {name} is gone")
    for name in sorted(new.categories.keys() - old.categories.keys()):
        yield Statement(("category", name, "new"), f"category {name} is new")
    for name in sorted(old.categories.keys() & new.categories.keys()):
        if old.categories[name] != new.categories[name]:
            yield Statement(("category", name, "described"), f"category {name} is described in other words")


def _classifiers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Statement]:
    before, after = ({name: _plain(each) for name, each in side.items()} for side in (old, new))
    yield from generic(("classifier",), "classifiers", before, after)
    for name in sorted(old.keys() & new.keys()):
        if _head(old[name]) != _head(new[name]) and not _of_sentences(new[name]):
            text = f"classifier {name} is trained from other examples or settings"
            yield Statement(("classifier", name, "head"), text)


def _settings(old: Traffic, new: Traffic) -> Iterator[Statement]:
    yield from generic(("setting",), "router", dict(old.settings), dict(new.settings))


def _of_sentences(classifier: Any) -> bool:  # noqa: ANN401 - whatever the file holds
    """Whether it only knows what signals are like, which they say themselves."""
    return isinstance(classifier, dict) and classifier.get("task") == "likeness"


def _head(classifier: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    return classifier.get("head") if isinstance(classifier, dict) else None


def _plain(classifier: Any) -> Any:  # noqa: ANN401 - as above
    """A classifier without its head's hash, which means nothing to a person."""
    if not isinstance(classifier, dict):
        return classifier
    return {key: value for key, value in classifier.items() if key not in {"head", "labels"}}
