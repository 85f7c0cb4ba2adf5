"""Whether the hosts in manifests are in regions that an environment may refer to: VSR567.

The compiler refuses a policy that refers to other regions (VSR565). Patches, values and objects that others add may
still do so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.deploy.addresses import Address
from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.ir.regional import is_service, regional

_LOCAL = frozenset({"localhost", "host.docker.internal"})


@dataclass(frozen=True, slots=True)
class Hosts:
    """What a policy knows of hosts.

    Attributes:
        regions: The regions of each host whose region it states.
        others: Hosts that its output refers to, and that the compiler has judged.
    """

    regions: Mapping[str, frozenset[str]]
    others: frozenset[str] = frozenset()

    def region_of(self, host: str) -> frozenset[str]:
        """Return the regions of a host; of a wildcard those of all hosts that it matches."""
        if not host.startswith("*."):
            return self.regions.get(host, frozenset())
        matching = [regions for name, regions in self.regions.items() if name.endswith(host[1:])]
        return frozenset().union(*matching)


@dataclass(frozen=True, slots=True)
class ForeignHost:
    """A host that environments must not refer to.

    Attributes:
        title: The object or file in messages.
        address: The host.
        regions: Its regions; empty if they are unknown.
        span: Where it is.
        environments: Those that must not refer to it.
    """

    title: str
    address: Address
    regions: frozenset[str]
    span: Span
    environments: tuple[ir.Environment, ...]


def hosts_of(policy: ir.Policy, emitted: Iterable[Address] = ()) -> Hosts:
    """Return the hosts of a policy by region.

    They are endpoints, servers and stores with a `region`, the hostnames of the Gateway in each environment, and the
    places of endpoints on machines.

    Args:
        policy: The linked policy, with its candidates.
        emitted: The addresses in its output.
    """
    regions: dict[str, set[str]] = {}
    others = {item.host for item in emitted}
    for one in (policy, *policy.candidates.values()):
        for item in regional(one):
            others.add(item.host)
            if item.region is not None:
                regions.setdefault(item.host.lower(), set()).add(item.region)
    for environment in policy.places:
        if environment.region is None:
            continue
        listeners = ir.with_hostnames(policy.gateway.listeners, environment.hostnames)
        names = [name for listener in listeners for name in listener.hostnames if not name.startswith("*")]
        if environment.host is not None:
            names += [host for host, _ in environment.host.places.values()]
        for name in names:
            regions.setdefault(name.lower(), set()).add(environment.region)
    local = {name for name in regions if _is_local(name)}
    return Hosts({name: frozenset(found) for name, found in regions.items() if name not in local}, frozenset(others))


def foreign_hosts(
    policy: ir.Policy,
    environments: Iterable[ir.Environment],
    hosts: Hosts,
    items: Iterable[Address],
    span: Callable[[Address], Span],
    title: str,
    *,
    strict: bool = True,
) -> Iterator[ForeignHost]:
    """Yield the hosts of other regions, and those outside the cluster of which the policy knows nothing.

    Args:
        policy: The linked policy.
        environments: Those that the object or file is for.
        hosts: What the policy knows of hosts.
        items: The addresses in the object.
        span: Returns the place of an address.
        title: The object in messages.
        strict: Whether each of the environments must allow a host; else one of them is enough.
    """
    places = [item for item in environments if item.region is not None]
    if policy.residency is None or not places:
        return
    for item in items:
        regions = hosts.region_of(item.host)
        if not regions and (item.host in hosts.others or _is_local(item.host, is_complete=item.is_complete)):
            continue
        wrong = tuple(place for place in places if not regions & _allowed(policy.residency, place))
        if wrong and (strict or len(wrong) == len(places)):
            yield ForeignHost(title, item, regions, span(item), wrong)


def report(residency: ir.Residency, found: Iterable[ForeignHost]) -> list[Diagnostic]:
    """Return VSR567 once for each host and place: an error, or a warning for a URL of which nothing is known."""
    merged: dict[tuple[str, str, Span], tuple[ForeignHost, dict[str, ir.Environment]]] = {}
    for one in found:
        _, environments = merged.setdefault((one.title, one.address.host, one.span), (one, {}))
        environments.update({place.name: place for place in one.environments})
    return [_finding(residency, one, list(environments.values())) for one, environments in merged.values()]


def _allowed(residency: ir.Residency, environment: ir.Environment) -> frozenset[str]:
    return residency.allowed.get(environment.region or "", frozenset())


def _finding(residency: ir.Residency, one: ForeignHost, wrong: list[ir.Environment]) -> Diagnostic:
    first = wrong[0]
    more = f" (also for {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    allowed = ", ".join(f"`{name}`" for name in sorted(_allowed(residency, first)))
    regions = ", ".join(f"`{name}`" for name in sorted(one.regions))
    where = f"in the region {regions}" if regions else "outside the cluster, in a region that nobody knows"
    message = (
        f"{one.title} refers to {one.address.host}, which is {where}, and the environment `{first.name}` in "
        f"`{first.region}` may refer only to {allowed}{more}"
    )
    hint = (
        f"Remove it, or add {regions} to the regions of `{first.region}` in `residency`."
        if regions
        else "Remove it, or define it in the policy as an endpoint or server with its `region`."
    )
    severity = Severity.ERROR if regions or one.address.leads else Severity.WARNING
    return Diagnostic("VSR567", message, one.span, hint, severity)


def _is_local(host: str, *, is_complete: bool = False) -> bool:
    """Return whether a host is in the cluster or on the same machine."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host in _LOCAL or (is_service(host) and not (is_complete and host.count(".") == 1))
    return address.is_loopback or address.is_unspecified
