"""``identity`` of the runtime's settings."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.ir.signals import ClientSignal
from vsr_schemas.identity import header_of
from vsr_schemas.runtime_identity import ClientKeySettings, ClientTestSettings, IdentitySettings


def identity_settings(policy: ir.Policy) -> IdentitySettings | None:
    """Return how the router learns who sends a request; None if the policy authenticates nobody."""
    if policy.identity is None:
        return None
    signals = {signal.name: signal.kind.tests for signal in policy.signals if isinstance(signal.kind, ClientSignal)}
    allow = {model.name: model.allow for model in policy.models if model.allow}
    dependent: dict[str, object] = {
        "signals": {name: _tests(tests) for name, tests in signals.items()} or None,
        "allow": {name: _tests(tests) for name, tests in allow.items()} or None,
    }
    match policy.identity.source:
        case ir.Jwt(claims=claims):
            own: dict[str, object] = {"headers": {attribute: header_of(attribute) for attribute, _ in claims}}
        case ir.GatewayHeader(headers, networks):
            sent_by = {"networks": list(networks)} if networks else {"certificates": True}
            own = {"headers": dict(headers), **sent_by}
        case ir.ApiKeys(keys):
            own = {"keys": [_key(key) for key in keys]}
    return IdentitySettings.model_validate(own | dependent)


def _key(key: ir.ApiKey) -> ClientKeySettings:
    return ClientKeySettings(file=key.file, attributes=dict(key.attributes), roles=list(key.roles) or None)


def _tests(tests: Iterable[ir.ClientTest]) -> list[ClientTestSettings]:
    return [ClientTestSettings(attribute=test.attribute, values=list(test.values)) for test in tests]
