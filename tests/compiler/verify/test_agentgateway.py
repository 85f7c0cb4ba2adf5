"""Findings about policies and models of agentgateway."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from support import verify_support
from support.consumers.compiled import objects

Body = dict[str, Any]


def found(bodies: list[Body]) -> dict[str, list[str]]:
    """The messages by code, without notes."""
    by_code: dict[str, list[str]] = {}
    for item in verify_support.found("---\n".join(json.dumps(body) + "\n" for body in bodies)):
        if item.level.name != "NOTE":
            by_code.setdefault(item.code, []).append(item.message)
    return by_code


def compiled() -> list[Body]:
    """What the compiler emits."""
    return copy.deepcopy(objects("external", "agentgateway", "current"))


def router_policy(bodies: list[Body]) -> Body:
    """The policy that asks the router."""
    return next(body for body in bodies if "extProc" in body.get("spec", {}).get("traffic", {}))


def policy(
    name: str, section: str | None = None, kind: str = "Gateway", target: str = "inference-gateway", **traffic: object
) -> Body:
    """A policy of a user's."""
    group = "gateway.networking.k8s.io"
    ref = {"group": group, "kind": kind, "name": target} | ({"sectionName": section} if section else {})
    metadata = {"name": name, "namespace": "default"}
    spec = {"targetRefs": [ref], "traffic": traffic}
    return {"apiVersion": "agentgateway.dev/v1alpha1", "kind": "AgentgatewayPolicy", "metadata": metadata, "spec": spec}


def gateway_name(bodies: list[Body]) -> str:
    """The Gateway's name."""
    return next(str(body["metadata"]["name"]) for body in bodies if body["kind"] == "Gateway")


def test_compiled_policies_have_no_findings() -> None:
    """Neither about filters nor about headers."""
    assert not found(compiled()).keys() & {"VSR403", "VSR409", "VSR410", "VSR624"}


def late(bodies: list[Body]) -> None:
    """The phase is left out, which is the default of published examples."""
    del router_policy(bodies)["spec"]["traffic"]["phase"]


def second(bodies: list[Body]) -> None:
    """Somebody asks a processor of his own on the same listener."""
    theirs = copy.deepcopy(router_policy(bodies))
    theirs["metadata"]["name"] = "theirs"
    bodies.append(theirs)


def on_a_listener(bodies: list[Body]) -> None:
    """Ours is for the Gateway, somebody's for a listener."""
    ours = router_policy(bodies)
    theirs = copy.deepcopy(ours)
    theirs["metadata"]["name"] = "theirs"
    ours["spec"]["targetRefs"][0].pop("sectionName")
    bodies.append(theirs)


def tokens_too_late(bodies: list[Body]) -> None:
    """Tokens are judged without the phase."""
    router_policy(bodies)["spec"]["targetRefs"][0].pop("sectionName")
    providers = [{"issuer": "me", "jwks": {"inline": "{}"}}]
    bodies.append(policy("tokens", target=gateway_name(bodies), jwtAuthentication={"providers": providers}))


def model(bodies: list[Body]) -> None:
    """A model of agentgateway's own kind is attached to the Gateway of the router."""
    gateway = next(body for body in bodies if body["kind"] == "Gateway")["metadata"]
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway["name"]}
    bodies.append(
        {
            "apiVersion": "agentgateway.dev/v1alpha1",
            "kind": "AgentgatewayModel",
            "metadata": {"name": "gpt", "namespace": gateway["namespace"]},
            "spec": {"parentRefs": [parent], "provider": "OpenAI"},
        }
    )


def open_on_failure(bodies: list[Body]) -> None:
    """The processor may fail."""
    router_policy(bodies)["spec"]["traffic"]["extProc"]["failureMode"] = "FailOpen"


FAULTS: list[tuple[Callable[[list[Body]], None], str, str]] = [
    (late, "VSR409", "the route is already chosen"),
    (second, "VSR409", "which of them counts is arbitrary"),
    (on_a_listener, "VSR409", "takes the place of the one in"),
    (tokens_too_late, "VSR409", "runs after the router"),
    (model, "VSR409", "the name in the body chooses the model"),
    (open_on_failure, "VSR410", "bypass"),
]


@pytest.mark.parametrize(("fault", "code", "words"), FAULTS, ids=lambda item: getattr(item, "__name__", ""))
def test_a_fault_of_a_policy_is_found(fault: Callable[[list[Body]], None], code: str, words: str) -> None:
    """Each is one that a status does not show."""
    bodies = compiled()
    fault(bodies)
    assert any(words in message for message in found(bodies).get(code, [])), found(bodies)


def test_policies_with_other_fields_or_targets_are_in_order() -> None:
    """Rules of authorization add up, and fields of different policies are merged."""
    bodies = compiled()
    name = gateway_name(bodies)
    rules = {"action": "Deny", "policy": {"matchExpressions": ["false"]}}
    bodies += [
        policy("one", target=name, phase="PreRouting", authorization=rules),
        policy("two", target=name, phase="PreRouting", authorization=rules, cors={"allowOrigins": ["*"]}),
        policy("three", "other", target=name, phase="PreRouting", cors={"allowOrigins": ["*"]}),
    ]
    assert "VSR409" not in found(bodies)
