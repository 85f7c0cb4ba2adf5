"""Links the listeners of the Gateway, and checks that they fit together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

LISTENERS: Path = ("gateway", "listeners")
HTTPS_PORT = 443


def link_listeners(scope: Scope, policy: schema.PolicySpec) -> tuple[ir.Listener, ...]:
    """Return the listeners, and check them as they are and with the hostnames of each environment."""
    specs = policy.gateway.listeners
    if specs is None:
        _check_environments(scope, policy, (ir.HTTP,))
        return (ir.HTTP,)
    listeners = tuple(_listener(scope, spec, index) for index, spec in enumerate(specs))
    places = {id(listener): (*LISTENERS, index) for index, listener in enumerate(listeners)}
    _check_names(scope, listeners)
    _check_ports(scope, listeners)
    for listener in listeners:
        _check_redirect(scope, listeners, listener, places[id(listener)])
        _check_certificate(scope, listener, places[id(listener)])
    if all(listener.redirect is not None for listener in listeners):
        message = "every listener redirects, so no request reaches a model"
        scope.report("VSR265", message, LISTENERS, "Add a listener without `redirect`.", key=True)
    for one, other in _overlaps(listeners):
        index = next(at for at, listener in enumerate(listeners) if listener.name == other.listener.name)
        hint = _SAME_HINT if one.hostname == other.hostname else _OVERLAP_HINT
        scope.report("VSR264", _overlap(one, other), (*LISTENERS, index), hint)
    _check_environments(scope, policy, listeners)
    return listeners


def _listener(scope: Scope, spec: schema.ListenerSpec, index: int) -> ir.Listener:
    path = (*LISTENERS, index)
    for key, values in (("hostnames", spec.hostnames), ("allowedNamespaces", spec.allowed_namespaces)):
        _check_unique(scope, values or [], (*path, key))
    authority = spec.client_certificates
    return ir.Listener(
        spec.name,
        spec.port,
        scope.span(*path),
        hostnames=tuple(dict.fromkeys(spec.hostnames or ())),
        tls=None if spec.tls is None else _tls(spec.tls),
        client_certificates=None if authority is None else _authority(authority),
        redirect=spec.redirect,
        namespaces=tuple(sorted(set(spec.allowed_namespaces or ()))),
    )


def _tls(spec: schema.TlsSpec) -> ir.Tls:
    issuer = None
    if isinstance(spec.issuer, str):
        issuer = ir.Issuer(spec.issuer, "ClusterIssuer")
    elif spec.issuer is not None:
        issuer = ir.Issuer(spec.issuer.name, spec.issuer.kind)
    if isinstance(spec.secret, schema.SecretSpec):
        return ir.Tls(spec.secret.name, spec.secret.namespace, issuer)
    return ir.Tls(spec.secret or "", None, issuer)


def _authority(spec: schema.ClientCertificatesSpec) -> ir.ClientCertificates:
    if spec.secret is not None:
        return ir.ClientCertificates("Secret", spec.secret)
    return ir.ClientCertificates("ConfigMap", spec.config_map or "")


def _check_unique(scope: Scope, values: list[str], path: Path) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            scope.report("VSR205", f"duplicate entry `{value}`", (*path, index), "Remove one.")


def _check_names(scope: Scope, listeners: tuple[ir.Listener, ...]) -> None:
    """Report VSR264 for names that occur twice in the Gateway, numbered ones included."""
    seen: dict[str, ir.Listener] = {}
    for section in ir.sections(listeners):
        other = seen.setdefault(section.name, section.listener)
        if other is not section.listener:
            index = next(at for at, listener in enumerate(listeners) if listener is section.listener)
            message = f"the name `{section.name}` belongs to the listener in line {other.span.line} already"
            hint = "Rename one. Further hostnames of a listener NAME are called NAME-2, NAME-3 and so on."
            scope.report("VSR264", message, (*LISTENERS, index, "name"), hint)


def _check_ports(scope: Scope, listeners: tuple[ir.Listener, ...]) -> None:
    """Report VSR264 for a port that would have two protocols, or redirects beside models."""
    first: dict[int, ir.Listener] = {}
    for index, listener in enumerate(listeners):
        other = first.setdefault(listener.port, listener)
        path = (*LISTENERS, index, "port")
        if other.protocol != listener.protocol:
            message = f"port {listener.port} is {other.protocol} for `{other.name}` and {listener.protocol} here"
            scope.report("VSR264", message, path, "Use another port, or give both listeners `tls`.")
        elif (other.redirect is None) != (listener.redirect is None):
            message = f"`{other.name}` and `{listener.name}` share port {listener.port}, and only one of them redirects"
            hint = "Use another port for one of them: the router's filter runs on whole ports."
            scope.report("VSR264", message, path, hint)


def _check_redirect(scope: Scope, listeners: tuple[ir.Listener, ...], listener: ir.Listener, path: Path) -> None:
    """Report VSR265 for a redirect that leads nowhere, or from a listener that has something else to do."""
    if listener.redirect is None:
        return
    where = (*path, "redirect")
    secure = {other.name: other for other in listeners if other.tls is not None and other.redirect is None}
    if listener.redirect not in secure:
        known = any(other.name == listener.redirect for other in listeners)
        reason = "has no `tls`, or redirects itself" if known else "is not defined"
        hint = suggest(listener.redirect, sorted(secure)) or "Name a listener with `tls` that serves models."
        scope.report("VSR265", f"the listener `{listener.redirect}` {reason}", where, hint)
        return
    if listener.tls is not None:
        message = "a listener with `tls` redirects to another one with `tls`"
        scope.report("VSR265", message, where, "Remove `tls` here, or serve the hostnames on the other listener.")
    target = secure[listener.redirect]
    for hostname, message in _stray(listener, target):
        index = listener.hostnames.index(hostname)
        scope.report("VSR265", message, (*path, "hostnames", index), f"Add it to `{target.name}`, or remove it.")


def _stray(listener: ir.Listener, target: ir.Listener) -> Iterator[tuple[str, str]]:
    """Yield the hostnames of a redirect that its target does not have, each with a message."""
    for hostname in listener.hostnames:
        if target.hostnames and not any(_covers(wide, hostname) for wide in target.hostnames):
            yield hostname, f"`{hostname}` is no hostname of `{target.name}`, so the redirect leads nowhere"


def _check_certificate(scope: Scope, listener: ir.Listener, path: Path) -> None:
    """Report VSR266 for TLS without a certificate, and for what only makes sense with one."""
    tls = listener.tls
    if tls is None:
        if listener.client_certificates is not None:
            message = "`clientCertificates` needs `tls`: only a TLS handshake asks for certificates"
            scope.report("VSR266", message, (*path, "clientCertificates"), "Add `tls`, or remove it.", key=True)
        if listener.port == HTTPS_PORT:
            message = f"`{listener.name}` would be plain HTTP on port {HTTPS_PORT}"
            scope.report("VSR266", message, (*path, "port"), "Add `tls: {secret: NAME}`, or use another port.")
        return
    if not tls.secret and tls.issuer is None:
        message = "`tls` names no certificate"
        scope.report("VSR266", message, (*path, "tls"), "Write `{secret: NAME}` or `{issuer: NAME}`.", key=True)
    if tls.issuer is not None and not listener.hostnames:
        hint = "Add `hostnames` to the listener."
        scope.report("VSR266", "an issuer needs hostnames to certify", (*path, "tls", "issuer"), hint, key=True)
    if tls.issuer is not None and tls.namespace is not None:
        message = "cert-manager writes a Secret into the namespace of its Certificate, which is the Gateway's"
        scope.report("VSR266", message, (*path, "tls", "secret"), "Write the name of the Secret alone.")
    if tls.issuer is not None:
        for index, hostname in enumerate(listener.hostnames):
            if any(wide != hostname and _covers(wide, hostname) for wide in listener.hostnames):
                message = f"`{hostname}` is covered by a wildcard of the same listener"
                scope.report("VSR266", message, (*path, "hostnames", index), "Remove it: the certificate has both.")


_SAME_HINT = "Remove the hostname from one of them, or use another port."
_OVERLAP_HINT = (
    "Give both the same `clientCertificates`, or separate their hostnames or ports: a client could connect by the name "
    "that needs no certificate and ask for the other."
)


def _overlap(one: ir.Section, other: ir.Section) -> str:
    return (
        f"`{other.hostname or 'every host'}` of `{other.listener.name}` meets `{one.hostname or 'every host'}` of "
        f"`{one.listener.name}` on port {other.listener.port}"
        + (", with other client certificates" if one.hostname != other.hostname else "")
    )


def _overlaps(listeners: tuple[ir.Listener, ...]) -> Iterator[tuple[ir.Section, ir.Section]]:
    """Yield sections of a port for the same hostname, or for overlapping ones with other client certificates."""
    by_port: dict[int, list[ir.Section]] = {}
    for section in ir.sections(listeners):
        by_port.setdefault(section.listener.port, []).append(section)
    for on_port in by_port.values():
        for one, other in combinations(on_port, 2):
            meet = _covers(one.hostname, other.hostname) or _covers(other.hostname, one.hostname)
            differ = one.listener.client_certificates != other.listener.client_certificates
            if one.listener is not other.listener and (one.hostname == other.hostname or (meet and differ)):
                yield one, other


def _covers(wide: str, narrow: str) -> bool:
    """Return whether a hostname takes all hosts of another. A wildcard stands for one label or more."""
    return not wide or wide == narrow or (wide.startswith("*.") and narrow.removeprefix("*").endswith(wide[1:]))


def _check_environments(scope: Scope, policy: schema.PolicySpec, listeners: tuple[ir.Listener, ...]) -> None:
    """Check the hostnames of environments: known listeners, and no overlaps that the base does not have."""
    names = {listener.name: None for listener in listeners}
    known = set(_messages(listeners))
    for name, environment in sorted(policy.environments.items()):
        path: Path = ("environments", name, "gateway", "hostnames")
        for listener, hostnames in environment.gateway.hostnames.items():
            scope.resolve(names, listener, "listener", (*path, listener), key=True)
            _check_unique(scope, hostnames, (*path, listener))
        own = ir.with_hostnames(listeners, hostnames_of(environment))
        if own == listeners:
            continue
        for message in _messages(own):
            if message not in known:
                scope.report("VSR264", message, path, _OVERLAP_HINT, key=True)
        by_name = {item.name: item for item in own}
        for item in own:
            for _, message in _stray(item, by_name.get(item.redirect or "", item)):
                hint = f"Give `{item.name}` hostnames of its target here as well."
                scope.report("VSR265", message, path, hint, key=True)


def _messages(listeners: tuple[ir.Listener, ...]) -> Iterator[str]:
    yield from (_overlap(one, other) for one, other in _overlaps(listeners))
    seen: dict[str, ir.Listener] = {}
    for section in ir.sections(listeners):
        if seen.setdefault(section.name, section.listener) is not section.listener:
            yield f"two listeners get the name `{section.name}`"


def hostnames_of(environment: schema.EnvironmentSpec) -> dict[str, tuple[str, ...]]:
    """Return the hostnames that an environment replaces, by listener."""
    return {name: tuple(dict.fromkeys(own)) for name, own in sorted(environment.gateway.hostnames.items())}
