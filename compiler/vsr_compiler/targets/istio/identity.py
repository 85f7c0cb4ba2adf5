"""Authentication by tokens on Istio: one object judges tokens, another refuses requests without one.

Both filters (jwt_authn, rbac) run before the router's. The token ends at the gateway; its claims travel on in headers.
Keys of clients are checked by the router: Istio has no filter for them, and an EnvoyFilter would show them.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.istio.kinds import SECURITY_GROUP
from vsr_schemas.identity import header_of

_PREFLIGHT = ("origin", "access-control-request-method")
"""Headers by which a browser asks whether a page may send a request."""
_API = f"{SECURITY_GROUP}/v1"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the RequestAuthentication and the AuthorizationPolicy of the Gateway."""
    identity = policy.identity
    if identity is None or not isinstance(identity.source, ir.Jwt):
        return
    jwt, name = identity.source, f"{policy.gateway.name}-identity"
    target = [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": policy.gateway.name}]
    rule: Body = {
        "issuer": jwt.issuer,
        "audiences": list(jwt.audiences),
        "jwksUri": jwt.jwks_uri,
        "forwardOriginalToken": False,
        # Without this a token in the query would count, and end in logs.
        "fromHeaders": [{"name": "Authorization", "prefix": "Bearer "}],
        "outputClaimToHeaders": [{"header": header_of(attribute), "claim": claim} for attribute, claim in jwt.claims],
    }
    yield make(
        _API,
        "RequestAuthentication",
        name,
        identity.span,
        namespace=policy.gateway.namespace,
        spec={"targetRefs": target, "jwtRules": [rule]},
    )
    yield make(
        _API,
        "AuthorizationPolicy",
        name,
        identity.span,
        namespace=policy.gateway.namespace,
        spec={"targetRefs": target, "action": "ALLOW", "rules": [*_rules(policy, jwt)]},
    )


def _rules(policy: ir.Policy, jwt: ir.Jwt) -> Iterator[Body]:
    """Yield who is let in: those with a token, and browsers that ask first, which send none."""
    yield {"from": [{"source": {"requestPrincipals": [f"{jwt.issuer}/*"]}}]}
    if policy.gateway.cors is not None:
        when = [{"key": f"request.headers[{name}]", "values": ["*"]} for name in _PREFLIGHT]
        yield {"to": [{"operation": {"methods": ["OPTIONS"]}}], "when": when}
