from __future__ import annotations

import pytest

from vsr_runtime.decision.request.events import Continue, ImmediateResponse, RequestBody, RequestHeaders, SendToModel
from vsr_runtime.server.messages import BODY_MODES, ProcessingRequest, ProcessingResponse
from vsr_runtime.server.wire import BodyMode, ModeError, check_mode, from_action, to_event


def test_headers_are_read_from_either_field():
    """Values come as bytes or as text, by the gateway's release; names are matched in lower case."""
    message = ProcessingRequest()
    given = {":path": {"raw_value": b"/x"}, "X-A": {"value": "b"}, "bad": {"raw_value": b"\xff"}}
    for key, fields in given.items():
        message.request_headers.headers.headers.add(key=key, **fields)
    message.request_headers.end_of_stream = True
    assert to_event(message, announced=True) == RequestHeaders(
        ((":path", "/x"), ("x-a", "b"), ("bad", "�")), end_of_stream=True
    )


def test_wire_form_is_envoys():
    """The bytes of a message are those that Envoy's published field numbers give."""
    message = ProcessingRequest.FromString(b"\x22\x06\x0a\x02{}\x10\x01")
    assert message.request_body.body == b"{}"
    assert message.request_body.end_of_stream
    response = from_action(SendToModel("m", None, (("k", "v"),)))
    option = b"\x0a\x06\x0a\x01k\x1a\x01v\x18\x02"
    common = b"\x12\x0c\x0a\x0a" + option + b"\x28\x01"
    assert response.SerializeToString() == b"\x1a\x12\x0a\x10" + common


def test_unknown_fields_are_skipped():
    """A newer gateway may send more than is known here."""
    assert ProcessingRequest.FromString(b"\x22\x02\x0a\x00\xfa\x3e\x01x").WhichOneof("request") == "request_body"


def test_route_carries_body_headers_and_cleared_cache():
    """The gateway chooses a route again after the decision, by a header that overwrites whatever was there."""
    common = from_action(
        SendToModel("m", b"{}", (("x-selected-model", "m"), ("content-length", "2")))
    ).request_body.response
    assert common.clear_route_cache
    assert common.body_mutation.body == b"{}"
    assert [(o.header.key, o.header.raw_value, o.append_action) for o in common.header_mutation.set_headers] == [
        ("x-selected-model", b"m", 2),
        ("content-length", b"2", 2),
    ]


def test_route_without_a_body_mutates_none():
    """A named model's body is left alone, which on the wire is the absence of a mutation."""
    assert not from_action(SendToModel("m", None, ())).request_body.response.HasField("body_mutation")


def test_continue_removes_the_clients_routing_header():
    """Headers go on without what a client could route by."""
    response = from_action(Continue())
    assert list(response.request_headers.response.header_mutation.remove_headers) == ["x-selected-model"]


def test_answer_is_an_immediate_response():
    """An answer has its status, headers and body, and names its code for the gateway's access log."""
    response = from_action(
        ImmediateResponse(415, b"{}", "unsupported_encoding", (("content-type", "application/json"),))
    )
    immediate = response.immediate_response
    assert (immediate.status.code, immediate.body, immediate.details) == (415, b"{}", "vsr_unsupported_encoding")
    assert response == ProcessingResponse.FromString(response.SerializeToString())


@pytest.mark.parametrize("mode", [0, 1, 3, 5, 9])
def test_other_body_modes_are_refused_by_name(mode):
    """Under other modes a decision could come too late or see a part only."""
    message = ProcessingRequest()
    message.protocol_config.request_body_mode = mode
    name = BODY_MODES[mode] if mode < len(BODY_MODES) else str(mode)
    with pytest.raises(ModeError, match=f"request_body_mode {name} "):
        check_mode(message)


def test_empty_protocol_config_announces_none():
    """A gateway that announces its modes and sends no bodies is refused, although zero is not on the wire."""
    message = ProcessingRequest()
    message.protocol_config.SetInParent()
    with pytest.raises(ModeError, match="NONE"):
        check_mode(message)


def test_observability_mode_is_refused():
    """A filter that ignores answers cannot be a guard."""
    with pytest.raises(ModeError, match="observability_mode"):
        check_mode(ProcessingRequest(observability_mode=True))


def test_two_modes_are_accepted():
    """Whole bodies, announced or not, and parts that are held until they are all there."""
    message = ProcessingRequest()
    assert check_mode(message) is BodyMode.UNSAID
    message.protocol_config.request_body_mode = 2
    assert check_mode(message) is BodyMode.WHOLE
    message.protocol_config.request_body_mode = 4
    assert check_mode(message) is BodyMode.STREAMED


@pytest.mark.parametrize("needs", ["responses", "debug_headers"])
def test_parts_exclude_reading_responses_and_debug_headers(needs):
    """Envoy changes no mode of the response then, which both need."""
    message = ProcessingRequest()
    message.protocol_config.request_body_mode = 4
    message.protocol_config.response_body_mode = 1
    with pytest.raises(ModeError, match="set request_body_mode BUFFERED"):
        check_mode(message, **{needs: True})


def test_part_of_a_body_is_not_taken_for_the_whole():
    """Without an announced mode, only a body marked as complete is decided on."""
    message = ProcessingRequest()
    message.request_body.body = b"{}"
    with pytest.raises(ModeError, match="in parts"):
        to_event(message, announced=False)
    assert to_event(message, announced=True) == RequestBody(b"{}")


@pytest.mark.parametrize("kind", ["response_headers", "request_trailers", "response_body", "response_trailers"])
def test_unexpected_kinds_are_refused(kind):
    """Messages that this setup never sends are errors, not passes."""
    message = ProcessingRequest()
    getattr(message, kind).SetInParent()
    with pytest.raises(ModeError, match=kind):
        to_event(message, announced=True)
