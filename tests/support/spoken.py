"""Conversations whose asks say what a classifier would find in them, and the decisions of their requests."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from vsr_runtime.decision.request.events import (
    Continue,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
    TextSignals,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig

THRESHOLD = 0.3
"""Probability below which the classifier gives no answer."""
_SHARE = re.compile(r"(\w+)=(\d+)%")


def asked(*words: str, **shares: int) -> str:
    """Return an ask with the probability of each category, in per cent. It is one of its own, since it has code."""
    return " ".join((*words, "```", *(f"{name}={share}%" for name, share in shares.items()), "```"))


def messages(turns: Sequence[str], answer: str = "Done.") -> list[dict[str, Any]]:
    """Return the messages of a conversation in which each turn but the last has an answer."""
    pairs = [({"role": "user", "content": turn}, {"role": "assistant", "content": answer}) for turn in turns]
    return [message for pair in pairs for message in pair][:-1]


def decide(config: MachineConfig, turns: Sequence[str], answer: str = "Done.", **more: Any) -> tuple[str, int]:
    """Return the model of a conversation's last request, or the code of its answer; and how many texts models read."""
    read: list[str] = []
    body = {"model": "auto", "messages": messages(turns, answer), **more}
    names = {":method": "POST", ":path": "/v1/chat/completions", ":authority": "g", "content-type": "application/json"}
    state, action = advance(config, AwaitsHeaders(), RequestHeaders(tuple(names.items()), end_of_stream=False))
    assert isinstance(action, Continue)
    state, action = advance(config, state, RequestBody(json.dumps(body).encode()))
    if isinstance(action, NeedSignals):
        read = [*action.earlier, action.text]
        found = [_signals(text) for text in read]
        last = found[-1]
        ready = SignalsReady(last.category, last.probability, probabilities=last.probabilities, earlier=found[:-1])
        _, action = advance(config, state, ready)
    assert isinstance(action, SendToModel | ImmediateResponse)
    return action.model if isinstance(action, SendToModel) else action.code, len(read)


def _signals(text: str) -> TextSignals:
    shares = {name: int(share) / 100 for name, share in _SHARE.findall(text)}
    category = max(shares, key=shares.__getitem__, default="")
    category = category if shares.get(category, 0.0) >= THRESHOLD else None
    return TextSignals(category, shares.get(category) if category else None, shares)
