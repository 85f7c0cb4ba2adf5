"""What all targets share about the identity of clients: headers, keys in Secrets, and what a cluster needs."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.identity import HEADERS, header_of

_ADDRESSES = (
    "Let only the front end have these addresses, and let the gateway see them: `externalTrafficPolicy: Local` for a "
    "load balancer, and no proxy in between."
)


def own_headers(policy: ir.Policy) -> list[str]:
    """Return the headers of claims that only this policy has. The gateway removes them from requests of clients."""
    if policy.identity is None or not isinstance(policy.identity.source, ir.Jwt):
        return []
    return [header_of(attribute) for attribute in policy.identity.attributes if attribute not in HEADERS]


def changed_headers(policy: ir.Policy) -> list[str]:
    """Return the headers about the client that the router sets or removes."""
    if policy.identity is None:
        return []
    headers = [*CREDENTIALS, *own_headers(policy)]
    if isinstance(policy.identity.source, ir.GatewayHeader):
        headers += [header for _, header in policy.identity.source.headers]
    if not isinstance(policy.identity.source, ir.Jwt):
        headers += policy.identity.headers.values()
    return headers


def key_sources(policy: ir.Policy) -> list[Body]:
    """Return the sources of a volume that projects the keys of clients from their Secrets."""
    return [
        {"secret": {"name": key.secret, "items": [{"key": key.key, "path": key.file}], "optional": False}}
        for key in client_keys(policy)
    ]


def client_keys(policy: ir.Policy) -> tuple[ir.ApiKey, ...]:
    """Return the keys of clients; none if they are not authenticated by keys."""
    source = policy.identity.source if policy.identity is not None else None
    return source.keys if isinstance(source, ir.ApiKeys) else ()


def _open_listeners(policy: ir.Policy, networks: tuple[str, ...]) -> Iterator[Diagnostic]:
    """VSR334 for a listener without client certificates, if they say which requests are the front end's."""
    for listener in policy.gateway.listeners if not networks else ():
        if listener.redirect is None and listener.client_certificates is None:
            message = (
                f"listener `{listener.name}` takes requests without a client certificate: anybody could be any user"
            )
            hint = "Set `clientCertificates` of the listener, or list the networks of the front end in `from`."
            yield Diagnostic("VSR334", message, listener.span, hint)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR335 for what authentication needs of the cluster."""
    identity = policy.identity
    if identity is None:
        return
    match identity.source:
        case ir.Jwt(jwks_uri=uri):
            message = f"clients are authenticated with the keys at {uri}: while they cannot be had, nobody is served"
            hint = "Let the gateway's control plane and its proxies reach the URL."
        case ir.ApiKeys(keys):
            names = ", ".join(f"`{name}`" for name in sorted({key.secret for key in keys}))
            message = f"the Secrets {names} in {policy.router.grpc.namespace} must hold the keys of the clients"
            hint = "Create them before the first apply. Each key needs 16 characters; without it no router starts."
        case ir.GatewayHeader(_, networks):
            yield from _open_listeners(policy, networks)
            sender = f"can send requests from {', '.join(networks)}" if networks else "has a client certificate"
            message = f"whoever {sender} can be any user"
            hint = _ADDRESSES if networks else "Issue certificates to the front end only."
    yield Diagnostic("VSR335", message, identity.span, hint)
