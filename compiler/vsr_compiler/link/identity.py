"""Links ``identity``, and the clients that other sections name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.headers import CREDENTIALS, is_protected
from vsr_schemas.identity import ATTRIBUTES, ROLE, USER
from vsr_schemas.policy import v1alpha1 as schema

CLIENT_KINDS = frozenset({*ATTRIBUTES, "claims"})
"""The kinds of signals about the client."""
SUBJECT = "sub"
"""The claim of the user, if the policy names no other."""
Attributes = schema.ClientSpec | schema.LimitForSpec | schema.StatementSpec | schema.ApiKeySpec | schema.AsSpec
_NEEDED = "Add `identity` to the policy: without it nobody is authenticated, and the gateway removes identity headers."


@dataclass(frozen=True, slots=True)
class Client:
    """A client of a test: its attributes, sorted, and its roles."""

    attributes: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]


def link_identity(scope: Scope, spec: schema.IdentitySpec | None) -> ir.Identity | None:
    """Return how clients are authenticated; None if the policy leaves that open."""
    if spec is None:
        return None
    source: ir.IdentitySource
    if spec.jwt is not None:
        source = _jwt(scope, spec.jwt)
    elif spec.gateway_header is not None:
        source = _gateway_header(scope, spec.gateway_header)
    else:
        source = _api_keys(scope, spec.api_keys or [])
    return ir.Identity(source, scope.span("identity", key=True))


def client_tests(scope: Scope, identity: ir.Identity | None, spec: Attributes, path: Path) -> tuple[ir.ClientTest, ...]:
    """Return a test for each attribute that is written. Report one that no client can have (VSR292)."""
    tests = []
    for attribute, value, step in written(spec):
        where = (*path, *step)
        tests.append(ir.ClientTest(attribute, tuple(dict.fromkeys([value] if isinstance(value, str) else value))))
        check_attribute(scope, identity, attribute, where)
        _check_values(scope, identity, tests[-1], where)
    return tuple(tests)


def written(spec: Attributes) -> list[tuple[str, str | list[str], Path]]:
    """Return each attribute that is written, with its value and its path."""
    found: list[tuple[str, str | list[str], Path]] = []
    for attribute in ATTRIBUTES:
        value = getattr(spec, attribute)
        if value is not None:
            found.append((attribute, value, (attribute,)))
    return found + [(name, value, ("claims", name)) for name, value in sorted(spec.claims.items())]


def check_attribute(scope: Scope, identity: ir.Identity | None, attribute: str, path: Path) -> None:
    """Report VSR292 for an attribute that the policy's ``identity`` does not tell."""
    if identity is None:
        scope.report("VSR292", f"nothing tells the router the {attribute} of a client", path, _NEEDED, key=True)
    elif attribute not in identity.attributes:
        known = ", ".join(f"`{name}`" for name in identity.attributes)
        hint = suggest(attribute, list(identity.attributes)) or f"Add it to `identity`. It tells {known}."
        scope.report("VSR292", f"`identity` does not tell the {attribute} of a client", path, hint, key=True)


def _check_values(scope: Scope, identity: ir.Identity | None, test: ir.ClientTest, path: Path) -> None:
    """Report VSR295 for a value that no key of the policy has. What tokens and front ends say is not known."""
    if identity is None or not isinstance(identity.source, ir.ApiKeys):
        return
    known = {value for key in identity.source.keys for name, value in key.attributes if name == test.attribute}
    if test.attribute == ROLE:
        known = {role for key in identity.source.keys for role in key.roles}
    for value in test.values:
        if known and value not in known:
            hint = suggest(value, sorted(known)) or f"Use one of: {', '.join(f'`{name}`' for name in sorted(known))}."
            scope.report("VSR295", f"no client of `identity.apiKeys` has the {test.attribute} `{value}`", path, hint)


def signal_tests(
    scope: Scope, identity: ir.Identity | None, spec: schema.SignalSpec, path: Path
) -> tuple[ir.ClientTest, ...]:
    """Return the tests of a signal about the client. What the policy's ``identity`` does not tell is an error later."""
    found: list[tuple[str, str | list[str], Path]] = []
    if isinstance(spec.role, schema.RoleSpec):
        found += [(USER, spec.role.users, ("role", "users")), (ROLE, spec.role.groups, ("role", "groups"))]
    elif spec.kind != "claims":
        found.append((spec.kind, getattr(spec, spec.kind), (spec.kind,)))
    found += [(name, value, ("claims", name)) for name, value in (spec.claims or {}).items()]
    tests = []
    for attribute, value, step in found:
        values = [value] if isinstance(value, str) else value
        if values:
            tests.append(ir.ClientTest(attribute, tuple(dict.fromkeys(values))))
            _check_values(scope, identity, tests[-1], (*path, *step))
    return tuple(tests)


def _jwt(scope: Scope, spec: schema.JwtSpec) -> ir.Jwt:
    claims = {USER: SUBJECT, **spec.claims}
    for index, audience in enumerate(spec.audiences):
        if audience in spec.audiences[:index]:
            path = ("identity", "jwt", "audiences", index)
            scope.report("VSR205", f"duplicate entry `{audience}`", path, "Remove one.")
    return ir.Jwt(spec.issuer, tuple(spec.audiences), spec.jwks_uri, tuple(sorted(claims.items())))


def _own_names(scope: Scope, names: Mapping[str, object], path: Path) -> None:
    """Report VSR293 for an attribute under ``claims`` that has a field of its own."""
    for name in names:
        if name in ATTRIBUTES:
            hint = f"Write `{name}` beside `claims`."
            scope.report("VSR293", f"the attribute `{name}` has a field of its own", (*path, name), hint, key=True)


def _api_keys(scope: Scope, specs: Sequence[schema.ApiKeySpec]) -> ir.ApiKeys:
    keys: dict[tuple[str, str], ir.ApiKey] = {}
    for index, spec in enumerate(specs):
        path = ("identity", "apiKeys", index)
        _own_names(scope, spec.claims, (*path, "claims"))
        client = linked_client(spec)
        place = (spec.secret, spec.key)
        if place in keys:
            message = f"the key `{spec.key}` of the Secret `{spec.secret}` already identifies another client"
            scope.report("VSR205", message, (*path, "key"), "Give each client a key of its own.")
        keys[place] = ir.ApiKey(spec.secret, spec.key, client.attributes, client.roles, scope.span(*path))
    return ir.ApiKeys(tuple(key for _, key in sorted(keys.items())))


def linked_client(spec: schema.ApiKeySpec | schema.AsSpec) -> Client:
    """Return the attributes of a single client."""
    attributes = {name: value for name, value, _ in written(spec) if isinstance(value, str) and name != ROLE}
    roles = spec.role or []
    return Client(tuple(sorted(attributes.items())), tuple(dict.fromkeys([roles] if isinstance(roles, str) else roles)))


def _gateway_header(scope: Scope, spec: schema.GatewayHeaderSpec) -> ir.GatewayHeader:
    path: Path = ("identity", "gatewayHeader")
    _own_names(scope, spec.claims, (*path, "claims"))
    headers = {name: getattr(spec, name) for name in ATTRIBUTES if getattr(spec, name) is not None} | spec.claims
    seen: dict[str, str] = {}
    for attribute, header in headers.items():
        where = (*path, attribute) if attribute in ATTRIBUTES else (*path, "claims", attribute)
        if is_protected(header) or header in CREDENTIALS:
            message = f"the gateway removes the header `{header}` from requests, or it has another meaning"
            scope.report("VSR224", message, where, "Use another header, which only your front end sets.")
        if header in seen:
            scope.report("VSR205", f"header `{header}` is also that of `{seen[header]}`", where, "Use another header.")
        seen[header] = attribute
    networks = [] if isinstance(spec.from_, str) else spec.from_
    return ir.GatewayHeader(tuple(sorted(headers.items())), tuple(dict.fromkeys(networks)))
