"""Pickers accept the longest body that the gateway buffers and the router passes on."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Diagnostic

FLAG = "--grpc-max-recv-msg-size=8454144"
LLM_D = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"
GIE = "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0"
RUNTIME = "  runtime.yaml: |\n    limits: {maxBody: 8388608%s}\n  config.yaml: |"


def pooled(image: str, flag: str = "", buffer: str = "8388608", limits: str = "") -> str:
    """A pool behind Istio with a picker, a buffer and the router's limits."""
    text = m.joined(*m.POOLED).replace(LLM_D, image).replace(f", {FLAG}", f", {flag}" if flag else "")
    text = text.replace("per_connection_buffer_limit_bytes: 8388608", f"per_connection_buffer_limit_bytes: {buffer}")
    return text.replace("  config.yaml: |", limits) if limits else text


def found(text: str) -> list[Diagnostic]:
    """The findings of the rule."""
    return [item for item in m.found(text) if item.code == "VSR626"]


@pytest.mark.parametrize(
    ("image", "level"),
    [
        (LLM_D, "error"),
        (GIE, "error"),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.3.2", "error"),
        ("registry.example/team/epp:v7.0.0", "warning"),
    ],
)
def test_picker_with_the_default_limit_behind_a_larger_buffer_is_reported(image: str, level: str) -> None:
    """4 MiB for every picker; a custom build may have another default."""
    (item,) = found(pooled(image))
    assert item.level.word == level
    assert "accepts messages of 4,194,304 bytes" in item.message
    assert "bodies of 8,388,608" in item.message
    raises = "Set --grpc-max-recv-msg-size=8454144."
    assert (item.hint == raises) == (image == LLM_D)
    assert (LLM_D in image) or "4128768" in item.hint


def test_flag_of_the_picker_raises_its_limit() -> None:
    """As bytes or as a quantity; a part of it is for the message around the body."""
    assert found(pooled(LLM_D, FLAG)) == []
    assert found(pooled(LLM_D, "--grpc-max-recv-msg-size=9Mi")) == []
    assert len(found(pooled(LLM_D, "--grpc-max-recv-msg-size=8Mi"))) == 1


def test_smaller_buffer_or_limit_of_the_router_needs_no_flag() -> None:
    """The client gets 413 there."""
    assert found(pooled(GIE, buffer="4128768")) == []
    assert len(found(pooled(GIE, buffer="4128769"))) == 1
    assert len(found(pooled(GIE, limits=RUNTIME % ""))) == 1
    assert found(pooled(GIE, limits=RUNTIME.replace("8388608", "4000000") % "")) == []


def test_limit_of_the_router_for_the_pools_models_counts() -> None:
    """That of another model does not."""
    assert found(pooled(GIE, limits=RUNTIME % ", models: {big: {maxBody: 4128768}}")) == []
    assert len(found(pooled(GIE, limits=RUNTIME % ", models: {small: {maxBody: 4128768}}"))) == 1


def test_bodies_that_no_filter_buffers_are_sent_in_pieces() -> None:
    """Without a router's filter the picker gets many messages."""
    assert found(m.joined(*(part for part in m.POOLED if part != m.FILTER)).replace(f", {FLAG}", "")) == []
    streamed = pooled(GIE).replace("request_body_mode: BUFFERED", "request_body_mode: STREAMED")
    assert found(streamed) == []


def test_buffer_of_envoy_gateway_is_that_of_the_policy_which_applies() -> None:
    """A policy for the listener replaces the Gateway's."""
    parts = [m.EG_GATEWAY, m.POOL_ROUTE, m.SERVER, m.POOL, m.EPP_SERVICE, m.EPP, m.CLIENT, m.PATCH]
    text = m.joined(*parts).replace(f", {FLAG}", "")
    assert len(found(text)) == 1
    assert found(text.replace("bufferLimit: 8Mi", "bufferLimit: 3Mi")) == []
    own = m.CLIENT.replace("name: edge, namespace", "name: own, namespace").replace("Limit: 8Mi", "Limit: 3Mi")
    section = own.replace("kind: Gateway, name: edge", "kind: Gateway, name: edge, sectionName: http")
    assert found(m.joined(text, section)) == []


def test_gateway_of_another_namespace_is_not_compared() -> None:
    """The buffer of a Gateway that does not lead to the pool has no effect on it."""
    other = m.joined(m.GATEWAY, m.FILTER).replace("prod", "test")
    assert found(m.joined(pooled(GIE, buffer="4128768"), other)) == []
