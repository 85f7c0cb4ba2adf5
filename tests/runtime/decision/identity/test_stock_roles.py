"""Roles of stock configs: who has one, and that nobody gets one by a header that a client can send."""

from __future__ import annotations

import json

import pytest

from support.request_machine import headers
from vsr_runtime.credentials import CLIENTS
from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load, machine_config

CONFIG = """version: v0.3
providers:
  defaults: {model: small}
  models: [{name: small, backend_refs: [{endpoint: "s:80"}]}, {name: big, backend_refs: [{endpoint: "b:80"}]}]
routing:
  signals:
    role_bindings: %s
  decisions:
    - name: %s
      rules: {operator: AND, conditions: [{type: %s}]}
      modelRefs: [{model: big}]
"""
BINDINGS = """
      - name: operators
        role: admin
        description: who operates it
        subjects: [{kind: Group, name: ops}, {kind: USER, name: " ann "}]
      - {name: owners, role: admin, subjects: [{kind: group, name: owners}]}
      - {name: guests, role: guest, subjects: [{kind: User, name: guest}]}
"""
RUNTIME = """apiVersion: vsr.dev/v1alpha1
kind: RuntimeSettings
policy: p
deadline: 1000
limits: {maxBody: 1000000, maxMessage: 1100000}
"""
FRONT_END = "identity: {headers: {user: x-authz-user-id, role: x-authz-user-groups}, networks: [10.0.0.0/8]}\n"


def _load(folder, runtime=FRONT_END, bindings=BINDINGS, more="", condition="authz, name: admin"):
    (folder / "config.yaml").write_text(CONFIG % (bindings, "ops", condition) + more)
    (folder / "runtime.yaml").write_text(RUNTIME + runtime)
    return load(folder / "config.yaml")


def _sent(settings, address="10.1.2.3", **sent):
    config = machine_config(settings)
    event = headers(**{name.replace("_", "-"): value for name, value in sent.items()})
    event = type(event)(event.headers, event.end_of_stream, address)
    state, action = advance(config, AwaitsHeaders(), event)
    if not isinstance(action, ImmediateResponse):
        body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
        _, action = advance(config, state, RequestBody(json.dumps(body).encode()))
    return action.code if isinstance(action, ImmediateResponse) else action.model


@pytest.mark.parametrize(
    ("user", "groups", "model"),
    [
        ("ann", "", "big"),
        ("bob", "dev, ops", "big"),
        ("bob", "owners", "big"),
        ("ops", "", "small"),
        ("bob", "ann", "small"),
        ("Ann", "OPS", "small"),
        ("guest", "", "small"),
        ("bob", "opsers", "small"),
    ],
)
def test_a_role_is_of_its_users_and_of_members_of_its_groups(tmp_path, user, groups, model):
    """Names are compared as they are; kinds in any case; bindings of one role add up."""
    assert _sent(_load(tmp_path), x_authz_user_id=user, x_authz_user_groups=groups) == model


def test_a_request_of_nobody_known_is_refused(tmp_path):
    """Also with groups, as the stock router demands a user."""
    settings = _load(tmp_path)
    assert _sent(settings) == "identity_required"
    assert _sent(settings, x_authz_user_groups="ops") == "identity_required"


def test_a_client_cannot_give_itself_a_role(tmp_path):
    """Its address is not the front end's."""
    assert _sent(_load(tmp_path), "203.0.113.9", x_authz_user_id="ann") == "untrusted_sender"


def test_a_client_cannot_add_a_second_header(tmp_path):
    """Which of them would count is not for it to choose."""
    settings = _load(tmp_path)
    config = machine_config(settings)
    event = headers(**{"x-authz-user-id": "bob"})
    event = type(event)((*event.headers, ("x-authz-user-id", "ann")), event.end_of_stream, "10.1.2.3")
    _, action = advance(config, AwaitsHeaders(), event)
    assert action.code == "ambiguous_identity"


def test_roles_of_clients_with_keys_come_from_the_settings(tmp_path):
    """Headers count nothing then."""
    file = tmp_path / CLIENTS / "ann"
    file.parent.mkdir()
    file.write_text("sk-of-ann-0123456789")
    settings = _load(tmp_path, "identity: {keys: [{file: ann, attributes: {user: ann}}]}\n")
    assert _sent(settings, authorization="Bearer sk-of-ann-0123456789") == "big"
    assert _sent(settings, x_authz_user_id="ann") == "identity_required"


@pytest.mark.parametrize(
    ("bindings", "runtime", "more", "reason"),
    [
        (BINDINGS, "", "", "role_bindings: anybody could send the headers"),
        ("[{name: a, role: admin, subjects: [{kind: Robot, name: x}]}]", FRONT_END, "", "neither User nor Group"),
        ("[{name: a, role: admin, subjects: [{kind: User, name: ' '}]}]", FRONT_END, "", "is empty"),
        ("[{name: a, role: admin, subjects: []}]", FRONT_END, "", "subjects"),
        ("[{name: a, role: '', subjects: [{kind: User, name: x}]}]", FRONT_END, "", "role"),
        (BINDINGS + "      - {name: guests, role: x, subjects: [{kind: User, name: x}]}", FRONT_END, "", "guests"),
        (
            BINDINGS,
            FRONT_END.replace("}\n", ", signals: {admin: [{attribute: user, values: [x]}]}}\n"),
            "",
            "has a signal 'admin', too",
        ),
        (
            BINDINGS,
            FRONT_END,
            "global: {services: {authz: {identity: {user_id_header: x-remote-user}}}}\n",
            "user_id_header: 'x-remote-user' is not the header",
        ),
        (BINDINGS, FRONT_END, "global: {services: {authz: {fail_open: true}}}\n", "fail_open: not supported"),
        (
            BINDINGS,
            FRONT_END,
            "global: {services: {authz: {providers: [{type: header-injection}]}}}\n",
            "providers: not supported",
        ),
    ],
)
def test_roles_that_cannot_be_trusted_or_read_are_refused(tmp_path, bindings, runtime, more, reason):
    """By their place."""
    with pytest.raises(UserError, match=reason):
        _load(tmp_path, runtime, bindings, more)


def test_headers_that_are_those_of_the_settings_are_accepted(tmp_path):
    """In any case."""
    more = "global: {services: {authz: {fail_open: false, identity: {user_id_header: X-Authz-User-Id}}}}\n"
    assert _load(tmp_path, more=more).program.identity is not None


def test_roles_that_no_decision_uses_need_no_identity(tmp_path):
    """They change nothing."""
    settings = _load(tmp_path, "", condition="language, name: en", bindings=BINDINGS + "    language: [{name: en}]\n")
    assert settings.program.identity is None


def test_each_recipe_has_its_own_roles(tmp_path):
    """As it has its own signals."""
    more = """recipes:
  - name: inner
    routing:
      signals: {role_bindings: [{name: g, role: admin, subjects: [{kind: User, name: guest}]}]}
      decisions:
        - {name: all, rules: {type: authz, name: admin}, modelRefs: [{model: big}]}
entrypoints: [{model_names: [inner], recipe: inner}]
"""
    program = _load(tmp_path, more=more).program
    own, other = program.signals["authz", "admin"], program.recipes["inner"].signals["authz", "admin"]
    assert own != other
