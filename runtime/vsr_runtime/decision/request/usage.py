"""Reads the tokens that a response says it used, and estimates them where it does not say."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.limits.rules import Usage
from vsr_runtime.decision.program.context_length import NO_DEMAND, TokenDemand, token_demand
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.sse import SseSplitter, StreamError

DEFAULT_OUTPUT = 1024
"""Tokens of a completion that a request does not bound, until it is known."""
MAX_DOCUMENT = 256 << 10
"""Bytes of a response up to which its usage is read. A longer one counts as its length says."""
MAX_OUTPUT = 1 << 17
"""Tokens of the longest completion that a request counts as until it is known, whatever it asks for."""
_MAX_CHOICES, _MOST = 128, 10**9
_BYTES_OF_TOKEN = 3
FREE = frozenset({Api.COUNT_TOKENS, Api.INPUT_TOKENS, Api.TOKENIZE, Api.DETOKENIZE})
"""APIs in which no model computes tokens."""
_ERROR, _DIGITS = 400, 3


def estimated(api: Api, text: str, values: Mapping[str, object], demand: TokenDemand) -> Usage:
    """Return the tokens that a request may use.

    What it asks for is bounded. Otherwise one request would use up a whole limit, or be so large that the sum loses
    everything before it.
    """
    if api in FREE:
        return Usage()
    if demand is NO_DEMAND or not demand.prompt:
        demand = token_demand(text, values, 0)
    if not api.generates:
        return Usage(demand.prompt)
    choices = values.get("n")
    number = min(choices, _MAX_CHOICES) if type(choices) is int and choices > 1 else 1
    return Usage(demand.prompt, number * min(demand.output if demand.output > 1 else DEFAULT_OUTPUT, MAX_OUTPUT))


class UsageMeter:
    """Reads one response.

    Args:
        api: its API.
        estimate: the tokens that its request may use.
    """

    def __init__(self, api: Api, estimate: Usage) -> None:
        self._api, self._estimate = api, estimate
        self._failed = False
        self._pieces: list[bytes] | None = []
        self._size = 0
        self._splitter: SseSplitter | None = None
        self._found: Usage | None = None
        self._smallest: int | None = None
        self._events = self._text = 0

    def begin(self, headers: Mapping[str, str]) -> None:
        """Read the headers: an error uses no tokens, and an event stream is read as it comes."""
        status = headers.get(":status", "")
        self._failed = len(status) == _DIGITS and status.isdecimal() and int(status) >= _ERROR
        if headers.get("content-type", "").partition(";")[0].strip().lower() == "text/event-stream":
            self._splitter = SseSplitter()

    def feed(self, data: bytes) -> None:
        """Read a part of the body."""
        self._size += len(data)
        if self._splitter is not None:
            self._feed_events(data)
        elif self._pieces is not None:
            self._pieces.append(data)
            if self._size > MAX_DOCUMENT:
                self._pieces = None

    def result(self) -> Usage:
        """Return the tokens used: those that the response says, else an estimate that is rather too high."""
        if self._failed or self._api in FREE:
            return Usage()
        if self._splitter is not None:
            return self._streamed()
        if self._pieces is not None:
            found = _document_usage(b"".join(self._pieces))
            if found is not None:
                return found
        if not self._api.generates:
            return Usage(self._estimate.prompt)
        return Usage(self._estimate.prompt, max(self._estimate.completion, self._size // _BYTES_OF_TOKEN))

    def stated(self) -> Usage | None:
        """Return the tokens that the response says; None if it does not say."""
        if self._splitter is not None:
            self._feed_events(b"\n\n")
            return self._found
        return None if self._pieces is None else _document_usage(b"".join(self._pieces))

    def _streamed(self) -> Usage:
        """Return the tokens of an event stream. What is more than the shortest event counts as text."""
        self._feed_events(b"\n\n")
        streamed = self._events + max(0, self._text - self._events * (self._smallest or 0)) // _BYTES_OF_TOKEN
        estimate = streamed if self._events else self._estimate.completion
        if self._found is None:
            return Usage(self._estimate.prompt, estimate)
        if self._found.completion > 1:
            return self._found
        return Usage(self._found.prompt, max(estimate, self._found.completion), self._found.cached)  # cut off

    def _feed_events(self, data: bytes) -> None:
        if self._splitter is None:
            return
        try:
            for event in self._splitter.feed(data):
                if event.data is not None:
                    self._on_event(event.data)
        except StreamError:
            self._splitter = SseSplitter()

    def _on_event(self, data: str) -> None:
        size = len(data)
        if data.strip() == "[DONE]":
            return
        self._events += 1
        self._text += size
        self._smallest = size if self._smallest is None else min(self._smallest, size)
        if '"usage"' not in data or size > MAX_DOCUMENT:
            return
        try:
            values = json.loads(data)
        except (ValueError, RecursionError):
            return
        if not isinstance(values, dict):
            return
        for holder in (values, values.get("response"), values.get("message")):
            found = read_usage(holder.get("usage")) if isinstance(holder, dict) else None
            if found is not None:
                known = self._found or Usage()
                self._found = Usage(
                    max(known.prompt, found.prompt),
                    max(known.completion, found.completion),
                    max(known.cached, found.cached),
                )


def read_usage(usage: object) -> Usage | None:
    """Return the tokens in the form of any API; None if there are none that can be used."""
    if not isinstance(usage, dict):
        return None
    if "prompt_tokens" in usage or ("total_tokens" in usage and "input_tokens" not in usage):
        prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
        total = _number(usage, "total_tokens")
        prompt = max(prompt, total - completion)
        cached = _number(usage.get("prompt_tokens_details"), "cached_tokens")
        return Usage(prompt, completion, cached) if prompt or completion else None
    if "input_tokens" in usage or "output_tokens" in usage:
        prompt, completion = _number(usage, "input_tokens"), _number(usage, "output_tokens")
        read, written = _number(usage, "cache_read_input_tokens"), _number(usage, "cache_creation_input_tokens")
        cached = _number(usage.get("input_tokens_details"), "cached_tokens")
        prompt += read + written
        return Usage(prompt, completion, read + cached) if prompt or completion else None
    return None


def _number(values: object, name: str) -> int:
    value = values.get(name) if isinstance(values, dict) else None
    return min(value, _MOST) if type(value) is int and value > 0 else 0


def _document_usage(data: bytes) -> Usage | None:
    try:
        return read_usage(read_body(data).values.get("usage"))
    except BodyError:
        return None
