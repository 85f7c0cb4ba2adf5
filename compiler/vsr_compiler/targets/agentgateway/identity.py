"""Authentication on agentgateway: tokens are judged before the router, which learns of their claims by attributes.

The gateway removes the token and sets no header, so the claims are attributes of the request to the router, which no
client can set. Keys of clients are checked by the router: the gateway would remove them, and knows no attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.agentgateway.kinds import API, BACKEND, GROUP
from vsr_schemas.identity import header_of

MAX_ISSUER = 256
"""Characters of an issuer, in the CRD."""
_CACHE = "5m"
_HTTPS, _HTTP = 443, 80
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "POST")


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the backend from which the control plane gets the keys of tokens."""
    jwt = _jwt(policy)
    if jwt is None or policy.identity is None:
        return
    url = urlsplit(jwt.jwks_uri)
    tls: Body = {"policies": {"tls": {"sni": url.hostname}}} if url.scheme == "https" else {}
    port = url.port or (_HTTPS if tls else _HTTP)
    yield make(
        API,
        BACKEND,
        _name(policy),
        policy.identity.span,
        namespace=policy.gateway.namespace,
        spec={"static": {"host": url.hostname, "port": port}} | tls,
    )


def authentication(policy: ir.Policy) -> Body:
    """Return the field `jwtAuthentication`; empty if the gateway judges no tokens."""
    jwt = _jwt(policy)
    if jwt is None:
        return {}
    url = urlsplit(jwt.jwks_uri)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    remote = {
        "backendRef": {"group": GROUP, "kind": BACKEND, "name": _name(policy)},
        "cacheDuration": _CACHE,
        "jwksPath": path,
    }
    provider: Body = {"issuer": jwt.issuer, "jwks": {"remote": remote}}
    if jwt.audiences:
        provider["audiences"] = list(jwt.audiences)
    # Without the place a token elsewhere would count, if the default changed.
    place = {"header": {"name": "authorization", "prefix": "Bearer "}}
    return {"jwtAuthentication": {"location": place, "mode": "Strict", "providers": [provider]}}


def attributes(policy: ir.Policy) -> dict[str, str]:
    """Return expressions for what the router learns of the client, by the headers in which other gateways pass it."""
    jwt = _jwt(policy)
    return {} if jwt is None else {header_of(attribute): _claim(claim) for attribute, claim in jwt.claims}


def cors(settings: ir.Cors | None) -> Body:
    """Return the field `cors`, by which the gateway answers preflights: they have no token."""
    if settings is None:
        return {}
    body: Body = {
        "allowHeaders": list(settings.headers),
        "allowMethods": list(_METHODS),
        "allowOrigins": list(settings.origins),
        "maxAge": settings.max_age,
    }
    if settings.exposed:
        body["exposeHeaders"] = list(settings.exposed)
    return {"cors": body | ({"allowCredentials": True} if settings.credentials else {})}


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR334 for tokens of an issuer that agentgateway's API has no place for."""
    jwt = _jwt(policy)
    if jwt is not None and policy.identity is not None and len(jwt.issuer) > MAX_ISSUER:
        message = f"agentgateway takes issuers of at most {MAX_ISSUER} characters"
        yield Diagnostic("VSR334", message, policy.identity.span, "Use an issuer with a shorter name.")


def _jwt(policy: ir.Policy) -> ir.Jwt | None:
    source = policy.identity.source if policy.identity is not None else None
    return source if isinstance(source, ir.Jwt) else None


def _name(policy: ir.Policy) -> str:
    return f"{policy.gateway.name}-identity"


def _claim(claim: str) -> str:
    """Return the expression for a claim; dots lead into objects, as they do in Envoy.

    >>> _claim("realm_access.roles")
    'jwt["realm_access"]["roles"]'
    """
    return "jwt" + "".join(f"[{json.dumps(part)}]" for part in claim.split("."))
