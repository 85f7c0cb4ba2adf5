"""A policy as an environment has it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gitops_support import DEV, ELSEWHERE, PROD, with_environments

from compiler.diagnostics import CompileError
from compiler.environments import resolve


def test_an_environment_that_says_nothing_changes_nothing() -> None:
    """The very same object, so that nothing is rendered twice."""
    policy = with_environments(DEV)
    assert resolve(policy, DEV) is policy
    assert resolve(policy, replace(DEV, replicas={"router": policy.router.replicas})) is policy


def test_an_endpoint_stays_one_symbol() -> None:
    """Models that held it hold its replacement: what compares by identity still finds it."""
    policy = with_environments(PROD)
    own = resolve(policy, PROD)
    one = next(endpoint for endpoint in own.endpoints if endpoint.name == "one")
    assert one.server is not None
    assert one.server.replicas == 3
    big = next(model for model in own.models if model.name == "big")
    assert big.endpoints[0][0] is one
    assert own.default is big


def test_what_is_not_changed_is_shared() -> None:
    """Only what holds a changed endpoint is made anew."""
    policy = with_environments(PROD)
    own = resolve(policy, PROD)
    assert own.models[1] is policy.models[1]
    assert own.tests is policy.tests


def test_routing_is_not_an_environments_affair() -> None:
    """Routes, categories, guards: the same symbols, whatever the environment sets."""
    policy = with_environments(ELSEWHERE)
    own = resolve(policy, ELSEWHERE)
    assert (own.gateway.name, own.gateway.namespace) == ("edge", "ingress")
    assert replace(own, gateway=policy.gateway) == policy


def test_replicas_of_an_endpoint_without_pods_of_ours_are_not_applied() -> None:
    """A Service that exists already scales elsewhere."""
    policy = with_environments(DEV)
    assert resolve(policy, replace(DEV, replicas={"two": 5})) is policy


def test_simulating_puts_the_simulator_in_the_place_of_every_server_of_ours() -> None:
    """The whole can be tried without a GPU; what is not ours stays what it is."""
    policy = with_environments(DEV)
    own = resolve(policy, replace(DEV, simulate=True))
    assert [endpoint.server and endpoint.server.simulate for endpoint in own.endpoints] == [True, None]


def test_what_nothing_executes_yet_is_refused_at_its_line() -> None:
    """Accepted in silence it would be a promise that nobody keeps."""
    policy = with_environments(DEV)
    with pytest.raises(CompileError) as caught:
        resolve(policy, replace(DEV, device="cuda"))
    found = caught.value.diagnostics[0]
    assert (found.code, found.span) == ("VSR304", DEV.span)
    assert "`device`" in found.message
