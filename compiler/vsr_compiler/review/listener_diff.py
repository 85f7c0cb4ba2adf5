"""What a change of listeners means for clients: hosts that are gone, models without TLS, certificates not required.

Environments have hostnames of their own, so their objects are compared as kustomize builds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Body, ObjectChange, environment_changes, environment_objects
from vsr_compiler.review.exposure import exposures

CLOSED, OPENED = "listener closed", "exposure widened"
_ROUTES = ("HTTPRoute", "AIGatewayRoute")
_FOR, _ANY = " for ", "any host"
_MUTUAL = "gateway.istio.io/tls-terminate-mode"


@dataclass(frozen=True, slots=True)
class ListenerChange:
    """A change for clients, in the words of a report. ``breaking`` is the name of the rule."""

    tag: tuple[str, ...]
    text: str
    breaking: str


def listener_changes(trees: Comparison) -> Iterator[ListenerChange]:
    """Yield what changes for clients of the Gateways, once for all environments that it concerns."""
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    by_environment: dict[str, list[ObjectChange]] = defaultdict(list)
    for change in environment_changes(trees).changes:
        by_environment[change.environment].append(change)
    for environment, changes in by_environment.items():
        for key in dict.fromkeys(_of_environment(trees, environment, changes)):
            found[key].append(environment)
    for (rule, label, words), environments in found.items():
        yield ListenerChange(("listener", label, words), f"{label} in {', '.join(environments)} {words}", rule)


def _of_environment(trees: Comparison, environment: str, changes: list[ObjectChange]) -> Iterator[tuple[str, str, str]]:
    for change in changes:
        match (change.old or change.new or {}).get("kind"):
            case "Gateway":
                yield from _gateway(change)
            case "ClientTrafficPolicy" if _validates(change.old) and not _validates(change.new):
                yield OPENED, _label(change.old), "requires no certificates of clients any more"
    attached, detached = _sections(changes)
    if attached or detached:
        for gateway in environment_objects(trees, environment):
            if gateway.get("kind") == "Gateway":
                yield from _served(gateway, attached - _fresh(changes), detached)


def _gateway(change: ObjectChange) -> Iterator[tuple[str, str, str]]:
    """Yield hosts that are gone or new, and listeners that no longer require certificates."""
    label = _label(change.old or change.new)
    old, new = _places(change.old), _places(change.new)
    for place in sorted(old.keys() - new.keys()):
        if not any(_covers(other, place) for other in new):
            yield CLOSED, label, f"no longer listens on {place}"
    if change.old is not None and change.new is not None:
        before = set(exposures(change.old))
        yield from ((OPENED, label, words) for words in exposures(change.new) if words not in before)
    for place in sorted(old.keys() & new.keys()):
        if old[place] and not new[place]:
            yield OPENED, label, f"requires no certificates of clients any more on {place}"


def _covers(wide: str, place: str) -> bool:
    """Return whether a place includes the hosts of another one."""
    (port, _, hosts), (other, _, host) = wide.partition(_FOR), place.partition(_FOR)
    return port == other and (hosts == _ANY or (hosts.startswith("*.") and host.endswith(hosts[1:])))


def _served(gateway: Body, attached: set[str], detached: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield listeners without TLS that now serve models, and listeners that no longer do, as with a redirect."""
    for listener in _listeners(gateway):
        name, place = str(listener.get("name")), f"{listener.get('protocol')} port {listener.get('port')}"
        if name in attached and listener.get("protocol") == "HTTP":
            yield OPENED, _label(gateway), f"serves models without TLS on {place}"
        if name in detached:
            yield CLOSED, _label(gateway), f"serves no models on {place} any more"


def _fresh(changes: list[ObjectChange]) -> set[str]:
    """Return the names of new listeners, of which `exposures` tells."""
    gateways = [change for change in changes if (change.new or {}).get("kind") == "Gateway"]
    return {str(each.get("name")) for change in gateways for each in _listeners(change.new)} - {
        str(each.get("name")) for change in gateways for each in _listeners(change.old)
    }


def _sections(changes: list[ObjectChange]) -> tuple[set[str], set[str]]:
    """Return the listeners to which the routes of both sides newly attach, and to which they no longer do."""
    old, new = set[str](), set[str]()
    for change in changes:
        if change.old is not None and change.new is not None and change.new.get("kind") in _ROUTES:
            old |= _attached(change.old)
            new |= _attached(change.new)
    return new - old, old - new


def _attached(route: Body) -> set[str]:
    spec = _mapping(route.get("spec"))
    if not any(rule.get("backendRefs") for rule in _mappings(spec.get("rules"))):
        return set()
    return {str(parent["sectionName"]) for parent in _mappings(spec.get("parentRefs")) if "sectionName" in parent}


def _places(gateway: Body | None) -> dict[str, bool]:
    """Return the places at which a Gateway listens, and whether they require certificates of clients."""
    return {
        f"{listener.get('protocol')} port {listener.get('port')}{_FOR}{listener.get('hostname') or _ANY}": (
            _mapping(_mapping(listener.get("tls")).get("options")).get(_MUTUAL) == "MUTUAL"
        )
        for listener in _listeners(gateway)
    }


def _validates(policy: Body | None) -> bool:
    """Return whether a ClientTrafficPolicy requires certificates of clients."""
    return bool(_mapping(_mapping(_mapping(policy).get("spec")).get("tls")).get("clientValidation"))


def _listeners(gateway: Body | None) -> list[Mapping[str, Any]]:
    return _mappings(_mapping(_mapping(gateway).get("spec")).get("listeners"))


def _label(body: Body | None) -> str:
    metadata = _mapping(_mapping(body).get("metadata"))
    return f"{_mapping(body).get('kind')} {metadata.get('namespace', 'default')}/{metadata.get('name')}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
