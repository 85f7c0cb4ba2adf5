"""The policy as one host has it: endpoints that run elsewhere are services, and nothing is scaled."""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.deploy import overlays


def on_host(policy: ir.Policy, environment: ir.Environment) -> ir.Policy:
    """Return the policy of a host. Endpoints that it finds elsewhere need no container."""
    own = overlays.resolve(policy, environment)
    places = environment.host.places if environment.host is not None else {}
    moved = {
        id(endpoint): replace(endpoint, kind=ir.ExistingService(), pool=None)
        for endpoint in own.endpoints
        if endpoint.name in places
    }
    view: ir.Policy = ir.substitute(own, moved) if moved else own
    return view


def place_of(endpoint: ir.Endpoint, host: ir.Host) -> tuple[str, int]:
    """Return name and port by which containers reach an endpoint that runs elsewhere."""
    return host.places.get(endpoint.name, (endpoint.service.name, endpoint.service.port))
