"""Adds to a program who sends requests, and what depends on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from ipaddress import ip_network

from vsr_runtime.decision.identity.client import Client, ClientTest, Tests
from vsr_runtime.decision.identity.rules import IdentityRules, Network
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.signals.client import ClientSignal
from vsr_runtime.errors import config_error
from vsr_schemas.identity import USER
from vsr_schemas.runtime_identity import ClientTestSettings, IdentitySettings

SIGNAL = "authz"
"""The type of these signals in conditions."""


def client_signals(settings: IdentitySettings | None) -> Mapping[SignalName, ClientSignal]:
    """Return the signals about clients, by type and name."""
    signals = (settings and settings.signals) or {}
    return {(SIGNAL, name): ClientSignal(_tests(tests)) for name, tests in signals.items()}


def with_identity(program: Program, settings: IdentitySettings | None, keys: Mapping[str, bytes]) -> Program:
    """Return the program with the settings. Without settings, everybody may send requests.

    Args:
        program: the program.
        settings: the settings.
        keys: the digest of each client's key, by its file.

    Raises:
        UserError: the settings name an unknown model, a network that is none, or two clients have one key.
    """
    if settings is None:
        return program
    for model in settings.allow or {}:
        if model not in program.models:
            raise config_error(f"identity.allow.{model}", "config.yaml has no model of this name", "runtime.yaml")
    if settings.headers is not None and USER not in settings.headers:
        raise config_error("identity.headers", "has no header of the user", "runtime.yaml")
    rules = IdentityRules(
        dict(settings.headers or {}),
        tuple(_network(text) for text in settings.networks or ()),
        bool(settings.networks or settings.certificates),
        _clients(settings, keys),
        {model: _tests(tests) for model, tests in (settings.allow or {}).items()},
    )
    return replace(program, identity=rules)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise config_error("identity.networks", f"{text!r:.60} is not a network", "runtime.yaml") from None


def _clients(settings: IdentitySettings, keys: Mapping[str, bytes]) -> dict[bytes, Client]:
    clients: dict[bytes, Client] = {}
    for key in settings.keys or ():
        digest = keys[key.file]
        if digest in clients:
            raise config_error(f"identity.keys: {key.file}", "is the key of another client, too", "runtime.yaml")
        clients[digest] = Client(dict(key.attributes), frozenset(key.roles or ()), key.file)
    return clients


def _tests(tests: Collection[ClientTestSettings]) -> Tests:
    return tuple(ClientTest(test.attribute, frozenset(test.values)) for test in tests)
