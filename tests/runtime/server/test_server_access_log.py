"""Decisions as dynamic metadata, for access logs of gateways: see also `test_sandbox_access_log.py`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from google.protobuf import json_format, struct_pb2

from support.played_agentgateway import connected as to_agentgateway
from support.played_gateway import request_body, request_headers
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.transport.choose import choose_transport

DIGEST = "c0ffee"


@pytest.fixture
def logged(settings):
    """The sample policy, whose decisions access logs contain."""
    return replace(settings, access_log_metadata=True)


def metadata_of(gateway, settings, *messages):
    """The metadata of each answer to these messages."""

    async def whole():
        async with gateway(settings, generation=Generation(settings, None, DIGEST)) as envoy:
            return await envoy.send(*messages)

    answers, _ = asyncio.run(whole())
    return [json_format.MessageToDict(struct_pb2.Struct.FromString(answer.dynamic_metadata)) for answer in answers]


def test_decision_is_sent_once_as_metadata_of_the_namespace(gateway, logged, chat):
    """A decision is metadata of the answer to the body, with what the log has of it and the policy's digest."""
    first, second = metadata_of(gateway, logged, request_headers(x_request_id="a"), request_body(chat("llama3-8b")))
    assert first == {}
    assert second == {"vsr": {"request": "a", "model": "llama3-8b", "named": True, "policy": DIGEST}}


def test_refusal_is_metadata_of_the_immediate_response(gateway, logged, chat):
    """A refusal is in the metadata, with status and code."""
    *_, last = metadata_of(gateway, logged, request_headers(x_request_id="a"), request_body(chat("gpt")))
    assert last == {"vsr": {"request": "a", "status": 404, "code": "model_not_found", "policy": DIGEST}}


def test_without_the_setting_no_answer_has_metadata(gateway, settings, chat):
    """Without `accessLogMetadata` answers have the bytes that they had."""
    assert metadata_of(gateway, settings, request_headers(), request_body(chat("llama3-8b"))) == [{}, {}]


@pytest.mark.parametrize("responses", [False, True])
def test_agentgateway_gets_the_decision_beside_its_proof(logged, chat, transport, responses):
    """Agentgateway gets the decision as `extproc.vsr`, and the proof on which its routes insist."""

    async def whole():
        async with to_agentgateway(choose_transport(transport), logged, responses=responses) as played:
            return await played.send([chat("llama3-8b")], {"x-request-id": "a"})

    metadata = asyncio.run(whole()).metadata
    assert metadata == {"vsr_decided": "vsr", "vsr": {"request": "a", "model": "llama3-8b", "named": True}}
