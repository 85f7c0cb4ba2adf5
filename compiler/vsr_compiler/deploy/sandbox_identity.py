"""Authentication in the local sandbox: Envoy's filter for tokens, with keys that the sandbox generates."""

from __future__ import annotations

import ipaddress

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.extproc import TYPES
from vsr_schemas.identity import header_of
from vsr_schemas.sandbox import PLACEHOLDER_KEY_SET

LOOPBACK = "127.0.0.1"
_PROVIDER = "identity"


def filters(policy: ir.Policy) -> list[Body]:
    """Return the HTTP filters that come before the router's. Keys and front ends are the router's affair."""
    if policy.identity is None or not isinstance(policy.identity.source, ir.Jwt):
        return []
    jwt = policy.identity.source
    provider = {
        "issuer": jwt.issuer,
        "audiences": list(jwt.audiences),
        "local_jwks": {"inline_string": PLACEHOLDER_KEY_SET},
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "claim_to_headers": [
            {"header_name": header_of(attribute), "claim_name": claim} for attribute, claim in jwt.claims
        ],
    }
    config = {
        "@type": f"{TYPES}.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {_PROVIDER: provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": _PROVIDER}}],
        "bypass_cors_preflight": policy.gateway.cors is not None,
    }
    return [{"name": "envoy.filters.http.jwt_authn", "typed_config": config}]


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
