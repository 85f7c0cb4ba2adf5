"""Draws the conversations that a candidate policy decides: the same ones in every process, and all of them at more."""

from __future__ import annotations

from typing import Any

from vsr_runtime.decision.conversation.key import spoken_key, written_key
from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.program.split import split_point
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.form_body import FormBody
from vsr_runtime.decision.request.parsed_request import ReadBody, read_request
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig
from vsr_runtime.decision.view import InvalidRequestError

_SALT = b"candidate\0"
"""Makes the draw independent of the splits of routes, which are drawn by the same keys."""


def is_drawn(key: bytes, percent: float) -> bool:
    """Return whether a conversation is within a share. Who is within a share is within every larger one."""
    return split_point(_SALT + key) < percent


def drawn_by(config: MachineConfig, state: AwaitsBody, body: bytes, expired: Expired) -> tuple[bytes, ReadBody | None]:
    """Return by what a request is drawn: the key of its conversation, as splits have it, or else the request's own.

    Args:
        config: the active policy.
        state: its state before the body.
        body: the body, which may be anything.
        expired: the deadline.

    Returns:
        That, and the body as it was read; None if it was not.
    """
    seed = body if state.request_id is None else state.request_id.encode("utf-8", "surrogatepass")
    if state.key is not None:
        return written_key(state.key, {}) or seed, None
    read = read_request(body, state.endpoint, config.max_body, expired, state.boundary)
    known = ReadBody(read)
    if isinstance(read, ImmediateResponse):
        return seed, known
    values = read.document.values if isinstance(read, FormBody) else read.values
    key = written_key(None, values)
    if key is not None or state.endpoint.view_of is None:
        return key or seed, known
    rules = config.program.ask_rules
    try:
        view = state.endpoint.view_of(values, rules)
        return spoken_key(view), ReadBody(read, view, rules)
    except InvalidRequestError:
        return seed, known


def conflict(active: MachineConfig, candidate: MachineConfig) -> str | None:
    """Return why a candidate cannot decide in the place of the active policy; None if it can.

    Before the body is known, the active policy has read the headers; and the gateway, its keys, its routes and its
    limits are those of the active policy.
    """
    one, other = active.program, candidate.program
    if unknown := sorted(other.models.keys() - one.models.keys()):
        return f"the active policy does not have the model {unknown[0]!r}"
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("identity", one.identity, other.identity),
        ("limits of use", one.rates, other.rates),
        ("attempts", one.chains, other.chains),
        ("pages that may call the gateway (CORS)", one.cors, other.cors),
        ("response headers", active.debug_headers, candidate.debug_headers),
    )
    for name, here, there in pairs:
        if here != there:
            return f"the active policy has other {name}"
    if other.reads_responses and not one.reads_responses:
        return "it reads responses, which the gateway does not send for the active policy"
    return None
