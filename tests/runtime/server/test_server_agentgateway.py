"""The dialect of agentgateway: what a decision changes, who asks, and responses in full duplex."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from ipaddress import ip_network

import grpc
import pytest

from support.played_agentgateway import NONE, Reply, connected
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.identity.rules import IdentityRules
from vsr_runtime.decision.program.effects import CorsPolicy
from vsr_runtime.server.duplex import PART
from vsr_runtime.server.transport.choose import choose_transport
from vsr_schemas.headers import ROUTING, STRIPPED

KEYS = Guard("keys", "block", (patterns(["sk-[a-z]{8}"]),), on_response=True)
NAMES = Guard("names", "mask", (patterns(["Agent [A-Z]+"]),), on_response=True)
BUFFERED = 2


@pytest.fixture
def gateway(transport):
    """Send one request through a fresh gateway."""

    def send(settings, body, *rest, responses=False, **more):
        async def whole():
            async with connected(choose_transport(transport), settings, responses=responses) as agentgateway:
                return await agentgateway.send(body, *rest, **more)

        return asyncio.run(whole())

    return send


@pytest.fixture
def guarded(settings):
    """The sample policy with guards of responses."""
    return replace(settings, program=replace(settings.program, guards=(KEYS, NAMES)))


@pytest.fixture
def with_tokens(settings):
    """The sample policy, of which the gateway judges tokens."""
    headers = {"user": "x-authz-user-id", "role": "x-authz-user-groups", "plan": "x-vsr-claim-plan"}
    return replace(settings, program=replace(settings.program, identity=IdentityRules(headers)))


def document(text):
    """A chat completion."""
    return json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}).encode()


def event(text):
    """An event of a streamed chat completion."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


STREAM = {"content-type": "text/event-stream"}


def test_a_decision_is_in_the_answer_to_the_headers_with_its_proof(gateway, settings, chat):
    """The route is chosen by what that answer sets; later changes would be ignored."""
    data = chat(content="2+2")
    outcome = gateway(settings, [data[:7], data[7:]])
    assert outcome.headers["x-selected-model"] == "phi4-mini"
    assert outcome.metadata == {"vsr_decided": "vsr"}
    assert json.loads(outcome.body)["model"] == "phi4-mini"
    assert outcome.code is grpc.StatusCode.OK


def test_what_is_refused_has_no_proof(gateway, settings, chat):
    """An immediate response is the only message."""
    outcome = gateway(settings, [chat("gpt")])
    assert (outcome.status, outcome.metadata, outcome.body) == (404, {}, b"")


def test_a_header_that_clients_may_not_send_ends_at_the_router(gateway, settings, chat):
    """Nothing before the router removes it, so the router does; its own routing header is its own value."""
    names = [*STRIPPED, "x-llm-d-of-a-later-release", "x-ai-eg-anything", "x-aigw-anything", "x-vsr-claim-plan"]
    outcome = gateway(settings, [chat("llama3-8b")], {**dict.fromkeys(names, "forged"), "x-request-id": "a"})
    assert [name for name, value in outcome.headers.items() if value == "forged"] == []
    assert outcome.headers["x-selected-model"] == "llama3-8b"
    assert outcome.headers["x-request-id"] == "a"


def test_routing_headers_are_among_the_removed_ones():
    """Otherwise the test above would not cover them."""
    assert set(ROUTING) <= set(STRIPPED)


@pytest.mark.parametrize("size", [0, 1, PART, 3 * PART + 5])
def test_a_body_comes_back_in_parts_and_whole(gateway, settings, chat, size):
    """Pickers behind the gateway get each part as one message."""
    data = chat("llama3-8b", content="x" * size)
    outcome = gateway(settings, [data[start : start + 9000] for start in range(0, len(data), 9000)])
    assert outcome.body == data
    assert max(map(len, outcome.frames)) <= PART


def test_trailers_of_a_request_are_passed(gateway, settings, chat):
    """The body is whole although no frame was the last."""
    data = chat("llama3-8b")
    outcome = gateway(settings, [data], trailers=True)
    assert (outcome.body, outcome.status) == (data, 200)


def test_a_list_of_models_needs_no_body(gateway, settings):
    """The answer comes from the router."""
    outcome = gateway(settings, [], {":method": "GET", ":path": "/v1/models"})
    assert outcome.status in {200, 400}  # the played gateway posts


@pytest.mark.parametrize("mode", [NONE, 1, BUFFERED, 3])
def test_another_mode_is_refused(gateway, settings, chat, mode):
    """A body that the gateway buffers would be limited by its own setting, and changes would come too late."""
    outcome = gateway(settings, [chat("llama3-8b")], mode=mode)
    assert outcome.status == 500
    assert outcome.code is not grpc.StatusCode.OK


def test_a_client_is_whom_the_gateway_says(gateway, with_tokens, chat):
    """Claims are attributes. What the client sends in their place does not count, and models get the true ones."""
    claims = {"x-authz-user-id": "ada", "x-authz-user-groups": ["dev", "ops"], "x-vsr-claim-plan": "free"}
    forged = {"x-authz-user-id": "root", "x-authz-team-id": "admins", "x-vsr-claim-plan": "paid"}
    outcome = gateway(with_tokens, [chat("llama3-8b")], forged, claims)
    assert outcome.status == 200
    assert outcome.headers["x-authz-user-id"] == "ada"
    assert "x-authz-team-id" not in outcome.headers
    assert "x-vsr-claim-plan" not in outcome.headers


@pytest.mark.parametrize(
    "claims", [{}, {"x-authz-user-id": None}, {"x-authz-user-groups": "dev"}, {"x-authz-user-id": ""}]
)
def test_without_a_user_by_the_gateways_word_nobody_is_served(gateway, with_tokens, chat, claims):
    """A header of the client says nothing."""
    outcome = gateway(with_tokens, [chat("llama3-8b")], {"x-authz-user-id": "root"}, claims)
    assert outcome.status == 401


@pytest.mark.parametrize(
    "text", ["xds.filter_chain_name vsr.attempts", "source.address 10.0.0.1:1", "a\nb", "x" * 2000]
)
def test_a_claim_is_never_taken_for_something_else(gateway, with_tokens, chat, text):
    """Of a proxy's own listener of attempts, or for an address; a claim that cannot be used is refused."""
    outcome = gateway(with_tokens, [chat("nobody-knows-this")], {}, {"x-authz-user-id": text})
    assert outcome.status in {401, 404}


def test_the_address_of_the_sender_is_an_attribute(gateway, settings, chat):
    """A front end is known by it, in either version of the protocol; without it nobody is."""
    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    rules = IdentityRules({"user": "x-front-user"}, networks, front_end=True)
    named = replace(settings, program=replace(settings.program, identity=rules))
    statuses = [
        gateway(named, [chat("llama3-8b")], {"x-front-user": "ada"}, attributes).status
        for attributes in (
            {"source.address": "192.0.2.7"},
            {"source.address": "2001:db8::1"},
            {"source.address": "198.51.100.1"},
            {"other": "192.0.2.7"},
            {},
        )
    ]
    assert statuses == [200, 200, 403, 403, 403]


def test_a_document_is_read_as_a_whole_and_its_headers_wait(gateway, guarded, chat):
    """Masked in parts that the gateway hands on; no length, since the body is sent in chunks."""
    text = document("Agent SMITH")
    reply = Reply([text[:5], text[5:]], {"content-type": "application/json", "content-length": str(len(text))})
    outcome = gateway(guarded, [chat("llama3-8b")], reply=reply, responses=True)
    assert b"[PATTERN_1]" in outcome.reply
    assert "content-length" not in outcome.reply_headers
    assert (outcome.status, outcome.code) == (200, grpc.StatusCode.OK)


@pytest.mark.parametrize("trailers", [False, True])
def test_a_document_that_a_guard_blocks_has_another_status(gateway, guarded, chat, trailers):
    """Nothing of it is sent before."""
    reply = Reply([document("sk-abcdefgh")], trailers=trailers)
    outcome = gateway(guarded, [chat("llama3-8b")], reply=reply, responses=True)
    assert outcome.status == 403
    assert b"sk-abcdefgh" not in outcome.reply


@pytest.mark.parametrize("trailers", [False, True])
def test_a_document_without_findings_is_as_it_was(gateway, guarded, chat, trailers):
    """Whatever its frames, also if trailers end it."""
    text = document("Hello.") + b" " * (2 * PART)
    frames = [text[start : start + 30_000] for start in range(0, len(text), 30_000)]
    outcome = gateway(guarded, [chat("llama3-8b")], reply=Reply(frames, trailers=trailers), responses=True)
    assert outcome.reply == text


def test_a_stream_passes_part_by_part_and_is_masked(gateway, guarded, chat):
    """Up to its last event."""
    frames = [event("Hello "), event("Agent "), event("SMITH. "), event("Bye."), b"data: [DONE]\n\n"]
    outcome = gateway(guarded, [chat("llama3-8b")], reply=Reply(frames, STREAM), responses=True)
    assert outcome.reply.endswith(b"data: [DONE]\n\n")
    assert b"Bye." in outcome.reply
    assert b"SMITH" not in outcome.reply


def test_a_stream_that_a_guard_blocks_ends_with_an_error(gateway, guarded, chat):
    """The rest is not sent."""
    frames = [event("Hello. "), event("sk-abcdefgh. "), event("the rest"), b"data: [DONE]\n\n"]
    outcome = gateway(guarded, [chat("llama3-8b")], reply=Reply(frames, STREAM), responses=True)
    assert b"sk-abcdefgh" not in outcome.reply
    assert b"the rest" not in outcome.reply
    assert b"error" in outcome.reply


def test_what_no_guard_reads_is_passed_on(gateway, settings, chat):
    """The gateway sends every response if its policy says so, and hands on only what comes back."""
    frames = [b"\x00\x01", b"", b"rest"]
    reply = Reply(frames, {"content-type": "application/octet-stream"})
    outcome = gateway(settings, [chat("llama3-8b")], reply=reply, responses=True)
    assert (outcome.reply, outcome.status) == (b"\x00\x01rest", 200)
    assert outcome.reply_headers == reply.headers


def test_a_response_without_a_body_is_passed(gateway, guarded, chat):
    """Only its headers are answered."""
    outcome = gateway(guarded, [chat("llama3-8b")], reply=Reply([]), responses=True)
    assert (outcome.reply, outcome.status) == (b"", 200)


def test_a_document_longer_than_a_body_may_be_is_an_error(gateway, guarded, chat):
    """The router gathers no more than `maxBody`; the client gets 500, and nothing of the document."""
    frames = [b" " * (1 << 20)] * (guarded.limits.maxBody // (1 << 20) + 2)
    outcome = gateway(guarded, [chat("llama3-8b")], reply=Reply(frames), responses=True)
    assert (outcome.status, outcome.reply) == (500, b"")


def test_guards_that_get_no_responses_refuse_requests(gateway, guarded, chat):
    """A policy that does not send responses must not seem to guard them."""
    outcome = gateway(guarded, [chat("llama3-8b")], responses=False)
    assert outcome.status == 500
    assert outcome.code is not grpc.StatusCode.OK


def test_pages_may_read_responses(gateway, settings, chat):
    """The headers for them come with the answer to the response's headers, and with refusals."""
    cors = CorsPolicy(frozenset({"https://app.example"}), ("*",), (), credentials=False, max_age=60)
    open_to = replace(settings, program=replace(settings.program, cors=cors))
    page = {"origin": "https://app.example"}
    outcome = gateway(open_to, [chat("llama3-8b")], page, reply=Reply([document("hi")]), responses=True)
    assert outcome.reply_headers["access-control-allow-origin"] == "https://app.example"
    assert outcome.reply == document("hi")
    refused = gateway(open_to, [chat("gpt")], page, responses=True)
    assert refused.reply_headers["access-control-allow-origin"] == "https://app.example"
