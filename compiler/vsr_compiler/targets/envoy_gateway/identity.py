"""Authentication on Envoy Gateway: a SecurityPolicy on the Gateway, so that it holds for the route on arrival.

With keys the router knows whose a key is, and checks it again. A policy with `cors` answers the preflights of browsers,
which have no credentials and come to Envoy's authentication otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.identity import client_keys
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API, target
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP
from vsr_schemas.identity import header_of

PROVIDER = "identity"
KEY_HEADERS = ("authorization", "x-api-key", "api-key")
_SENT = (
    *KEY_HEADERS,
    "accept",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "content-type",
    "openai-beta",
    "openai-organization",
    "openai-project",
)
"""What the programs of OpenAI and Anthropic send from a page, apart from their statistics."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the SecurityPolicy of the Gateway, and a grant for each Secret with keys in another namespace."""
    identity, gateway = policy.identity, policy.gateway
    if identity is None or isinstance(identity.source, ir.GatewayHeader):
        return  # the router checks the address of the sender
    spec: Body = {"targetRefs": [target(policy)]} | _cors(gateway.cors)
    match identity.source:
        case ir.Jwt() as jwt:
            spec["jwt"] = {"providers": [_provider(jwt)]}
        case ir.ApiKeys():
            spec["apiKeyAuth"] = {
                "credentialRefs": [_secret(policy, name) for name in _secrets(policy)],
                "extractFrom": [{"headers": list(KEY_HEADERS)}],
            }
    name = f"{gateway.name}-identity"
    yield make(ENVOY_API, "SecurityPolicy", name, identity.span, namespace=gateway.namespace, spec=spec)
    if policy.router.grpc.namespace != gateway.namespace:
        yield from (_grant(policy, secret) for secret in _secrets(policy))


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR334 for clients that Envoy Gateway would take for one: it names them by the keys of their Secrets."""
    uses = Counter(key.key for key in client_keys(policy))
    for key in client_keys(policy):
        if uses[key.key] > 1:
            message = f"Envoy Gateway knows a client by the key in its Secret, and `{key.key}` is that of several"
            yield Diagnostic("VSR334", message, key.span, "Store each client's key under a name of its own.")
    if policy.identity is not None and isinstance(policy.identity.source, ir.Jwt):
        issuer = policy.identity.source.issuer
        if ":" in issuer and "://" not in issuer:
            message = f"Envoy Gateway takes the issuer `{issuer}` for a URL that is not valid"
            yield Diagnostic("VSR334", message, policy.identity.span, "Use an issuer without `:`, or a URL.")


def _secrets(policy: ir.Policy) -> list[str]:
    return sorted({key.secret for key in client_keys(policy)})


def _secret(policy: ir.Policy, name: str) -> Body:
    return {"group": "", "kind": "Secret", "name": name, "namespace": policy.router.grpc.namespace}


def _provider(jwt: ir.Jwt) -> Body:
    return {
        "name": PROVIDER,
        "issuer": jwt.issuer,
        "audiences": list(jwt.audiences),
        "remoteJWKS": {"uri": jwt.jwks_uri, "cacheDuration": "300s"},
        # Without this a token in the query would count, and end in logs.
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
        "claimToHeaders": [{"claim": claim, "header": header_of(attribute)} for attribute, claim in jwt.claims],
    }


def _cors(cors: ir.Cors | None) -> Body:
    if cors is None:
        return {}
    settings: Body = {
        "allowOrigins": list(cors.origins),
        "allowMethods": ["*"] if not cors.credentials else ["DELETE", "GET", "HEAD", "OPTIONS", "POST"],
        "allowHeaders": _allowed_headers(cors),
        "maxAge": f"{cors.max_age}s",
    }
    if cors.exposed:
        settings["exposeHeaders"] = list(cors.exposed)
    return {"cors": settings | ({"allowCredentials": True} if cors.credentials else {})}


def _allowed_headers(cors: ir.Cors) -> list[str]:
    """Return what pages may send. Browsers never take `*` for `authorization`, nor for anything with credentials."""
    if "*" not in cors.headers:
        return list(cors.headers)
    return [*cors.headers, *(_SENT if cors.credentials else KEY_HEADERS)]


def _grant(policy: ir.Policy, secret: str) -> Object:
    return make(
        f"{GATEWAY_GROUP}/v1beta1",
        "ReferenceGrant",
        f"{policy.gateway.name}-to-{secret}",
        policy.identity.span if policy.identity else policy.span,
        namespace=policy.router.grpc.namespace,
        spec={
            "from": [{"group": ENVOY_GROUP, "kind": "SecurityPolicy", "namespace": policy.gateway.namespace}],
            "to": [{"group": "", "kind": "Secret", "name": secret}],
        },
    )
