"""Adds to a program who sends requests, and what depends on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network

from vsr_runtime.decision.identity.client import Client, ClientTest, Tests
from vsr_runtime.decision.identity.rules import IdentityRules, Network
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.signals.client import ClientSignal
from vsr_runtime.errors import check_unique, config_error
from vsr_schemas.identity import ROLE, USER
from vsr_schemas.routerconfig import v0_4_0 as contract
from vsr_schemas.runtime_identity import ClientTestSettings, IdentitySettings

SIGNAL = "authz"
"""The type of these signals in conditions."""


def client_signals(settings: IdentitySettings | None) -> Mapping[SignalName, ClientSignal]:
    """Return the signals about clients, by type and name."""
    signals = (settings and settings.signals) or {}
    return {(SIGNAL, name): ClientSignal(_tests(tests)) for name, tests in signals.items()}


def role_signals(config: contract.RouterConfig, settings: IdentitySettings | None) -> Mapping[SignalName, ClientSignal]:
    """Return the signals of a config's roles, by type and name. A role may have several bindings.

    Raises:
        UserError: nothing says who sends requests, or a binding cannot be used.
    """
    bindings = config.routing.signals.role_bindings or []
    if not bindings:
        return {}
    place = "routing.signals.role_bindings"
    if settings is None:
        raise config_error(
            place,
            "anybody could send the headers of a user or group; state under identity of runtime.yaml who authenticates "
            "clients",
        )
    _check_headers(config, settings)
    check_unique(place, [binding.name for binding in bindings])
    tests: dict[str, list[ClientTest]] = {}
    for i, binding in enumerate(bindings):
        tests.setdefault(binding.role, []).extend(_subjects(f"{place}[{i}]", binding))
    if taken := sorted(tests.keys() & (settings.signals or {}).keys()):
        raise config_error(place, f"runtime.yaml has a signal {taken[0]!r}, too; remove one of them")
    return {(SIGNAL, role): ClientSignal(tuple(parts)) for role, parts in tests.items()}


def _subjects(place: str, binding: contract.RoleBinding) -> Iterator[ClientTest]:
    for attribute, kind in ((USER, "user"), (ROLE, "group")):
        subjects = [one for one in binding.subjects if one.kind.strip().lower() == kind]
        if subjects:
            yield ClientTest(attribute, frozenset(one.name.strip() for one in subjects))
    for i, subject in enumerate(binding.subjects):
        if subject.kind.strip().lower() not in ("user", "group"):
            raise config_error(f"{place}.subjects[{i}].kind", f"{subject.kind!r:.60} is neither User nor Group")
        if not subject.name.strip():
            raise config_error(f"{place}.subjects[{i}].name", "is empty; name a user or a group")


def _check_headers(config: contract.RouterConfig, settings: IdentitySettings) -> None:
    """Check that the headers that the config states are those of the settings, which say who is believed."""
    services = config.global_.services
    if services is None or services.authz is None or settings.headers is None:
        return
    stated = services.authz.identity
    for field, attribute in (("user_id_header", USER), ("user_groups_header", ROLE)):
        name, own = getattr(stated, field), settings.headers.get(attribute)
        if name and name.lower() != own:
            known = "none" if own is None else repr(own)
            raise config_error(
                f"global.services.authz.identity.{field}",
                f"{name!r:.80} is not the header of runtime.yaml (identity.headers.{attribute}), which is {known}",
            )


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
