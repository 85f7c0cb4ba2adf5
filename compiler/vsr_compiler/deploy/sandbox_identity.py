"""Authentication in the local sandbox, with keys that the sandbox generates."""

from __future__ import annotations

import ipaddress

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

LOOPBACK = "127.0.0.1"


def connection(policy: ir.Policy) -> Body:
    """Return fields of the connection manager: clients of a sandbox say that they are the front end."""
    if policy.identity is None or not isinstance(policy.identity.source, ir.GatewayHeader):
        return {}
    return {"use_remote_address": True, "xff_num_trusted_hops": 1}


def settings(policy: ir.Policy) -> Body:
    """Return how clients of the sandbox are authenticated, and those that the policy's tests name."""
    identity = policy.identity
    if identity is None:
        return {}
    tests = [test for test in policy.tests if (test.attributes or test.roles) and can_send(policy, test)]
    named = dict.fromkeys((test.attributes, test.roles) for test in tests)
    body: Body
    match identity.source:
        case ir.Jwt(issuer, audiences, _, claims):
            body = {"jwt": {"issuer": issuer, "audience": audiences[0], "claims": dict(claims)}}
        case ir.ApiKeys(keys):
            body = {"keys": [{"file": key.file} | client(key.attributes, key.roles) for key in keys]}
        case ir.GatewayHeader(headers, networks):
            address = str(ipaddress.ip_network(networks[0]).network_address) if networks else LOOPBACK
            body = {"frontEnd": {"address": address, "headers": dict(headers)}}
    return {"identity": body | {"clients": [client(*one) for one in named]}}


def can_send(policy: ir.Policy, test: ir.Test) -> bool:
    """Return whether the sandbox has a client like that of a test. With keys there are only those of the policy."""
    if policy.identity is None or not isinstance(policy.identity.source, ir.ApiKeys):
        return True
    return any(
        set(test.attributes) <= set(key.attributes) and set(test.roles) <= set(key.roles)
        for key in policy.identity.source.keys
    )


def client(attributes: tuple[tuple[str, str], ...], roles: tuple[str, ...]) -> Body:
    """Return a client as settings write it."""
    return {"attributes": dict(attributes), "roles": list(roles)}
