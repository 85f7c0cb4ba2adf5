"""A gateway avoids a dead router if there is another one."""

from __future__ import annotations

import json

import pytest

from support import rendering
from support.common import linked
from vsr_compiler.deploy.sandbox import bootstrap

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {{name: several}}
router: {{image: "r:1", replicas: {replicas}}}
endpoints: {{one: {{service: "one.models:8000"}}}}
models: {{small: {{endpoints: one}}}}
default: small
"""
POOL = TEXT.replace('{{service: "one.models:8000"}}', "{{vllm: {{namespace: models}}, pool: {{}}}}").replace(
    "small: {{endpoints: one}}", "small: {{checkpoint: example/small, endpoints: one}}"
)
MARKS = ('"initial_metadata": [{"key": "x-envoy-retry-on"', '"key": "x-envoy-max-retries"')
ISTIO = ("istio", "gie", "llm-d")
ENVOY = ("envoy-gateway", "ai-gateway")


def rendered(target: str, replicas: int) -> str:
    """Return the objects of a target as text."""
    text = POOL if target in {"gie", "llm-d"} else TEXT
    found = rendering.objects(linked(text.format(replicas=replicas)), target)
    return json.dumps(
        [item.body for item in found if item.kind in {"EnvoyFilter", "EnvoyPatchPolicy", "DestinationRule"}]
    )


@pytest.mark.parametrize("target", [*ISTIO, *ENVOY])
def test_dead_router_is_retried_and_ejected_if_there_are_several(target):
    """By the means of each stack; a router that hangs is found by a health check within a second."""
    text = rendered(target, 2)
    assert all(mark in text for mark in MARKS)
    assert ("outlierDetection" if target in ISTIO else "outlier_detection") in text
    assert '"grpc_health_check": {}' in text
    assert text.count('"timeout": "0.500s"') == 1


@pytest.mark.parametrize("target", [*ISTIO, *ENVOY])
def test_only_router_is_neither_retried_nor_ejected(target):
    """There is no other one, and an ejected one would only be called again at once."""
    text = rendered(target, 1)
    assert not any(mark in text for mark in ("initial_metadata", "outlierDetection", "outlier_detection"))


def test_local_sandbox_has_one_router():
    """Whatever the replicas of the policy."""
    text = json.dumps(bootstrap(linked(TEXT.format(replicas=3))))
    assert not any(mark in text for mark in ("initial_metadata", "outlier_detection"))
