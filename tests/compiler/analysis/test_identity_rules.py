"""A policy that serves everybody while the router fails, although the router authenticates or authorizes clients."""

from __future__ import annotations

import pytest

from support.common import linked
from support.identity_policies import API_KEYS, HEAD, JWT
from vsr_compiler.analysis import analyse

MODELS = """\
endpoints: {small: {service: {name: small, port: 8000}}, large: {service: {name: large, port: 8000}}}
models: {small: {endpoints: small}, large: {endpoints: large, allow: {team: research}}}
"""
OPEN = HEAD.replace("router: {", "router: {onFailure: default-model, ")


def findings(text: str) -> list[str]:
    """The messages of the rule."""
    return [item.message for item in analyse(linked(text), {"istio"}) if item.code == "VSR294"]


@pytest.mark.parametrize(
    ("head", "source", "default", "reason"),
    [
        (OPEN, API_KEYS, "small", "the router authenticates clients"),
        (OPEN, JWT, "large", "the router decides who may use it"),
        (OPEN, JWT, "small", ""),
        (HEAD, API_KEYS, "small", ""),
        (HEAD, JWT, "large", ""),
    ],
)
def test_a_failed_router_opens_no_model_that_it_protects(head, source, default, reason):
    """Tokens are checked by the gateway, which still runs; keys and `allow` by the router, which does not."""
    assert OPEN != HEAD
    found = findings(f"{head}{source}{MODELS}default: {default}\n")
    assert len(found) == bool(reason)
    assert all(reason in message for message in found)
