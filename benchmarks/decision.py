"""What a decision takes of the CPU by itself, without gRPC, and where: the Python that stands between two messages.

Run: ``python benchmarks/decision.py [--tries 3000]``. Each number is the least CPU time of many tries.
Other programs on the machine do matter, by what they do to caches; parts by themselves are quicker than in their place.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from inline import BODY, POLICY, compiled

from vsr_runtime import settings
from vsr_runtime.decision.conversation.candidates import candidates_of
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.request.events import RequestBody, SendToModel
from vsr_runtime.decision.request.json_body import JsonBody
from vsr_runtime.decision.request.parsed_request import read_request
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, AwaitsHeaders
from vsr_runtime.log import flush, log_buffered
from vsr_runtime.server.exchange import describe
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.messages import BUFFERED, ProcessingRequest
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.wire import encoded, to_event

HEADERS = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": "127.0.0.1:10000",
    ":path": "/v1/chat/completions",
    "content-type": "application/json",
    "content-length": "505",
    "x-forwarded-proto": "http",
    "x-request-id": "5b0f3d7e-8f3c-4d2a-9f6f-3b1f5c0a7d11",
    "x-envoy-expected-rq-timeout-ms": "300000",
}


def messages() -> tuple[bytes, bytes]:
    """What Envoy sends for one request."""
    first, second = ProcessingRequest(), ProcessingRequest()
    for name, value in HEADERS.items():
        first.request_headers.headers.headers.add(key=name, raw_value=value.encode())
    first.protocol_config.request_body_mode = BUFFERED
    second.request_body.body = json.dumps(BODY).encode()
    second.request_body.end_of_stream = True
    return first.SerializeToString(), second.SerializeToString()


class Context:
    """A stream without a transport."""

    def __init__(self, *sent: bytes) -> None:
        self._sent = iter(sent)
        self._ended: list[Callable[[Any], None]] = []

    async def read(self) -> object:
        """The next message, parsed as gRPC would."""
        return ProcessingRequest.FromString(next(self._sent))

    async def write(self, _: bytes) -> None:
        """Drop it."""

    def add_done_callback(self, ended: Callable[[Any], None]) -> None:
        """Call it at the end."""
        self._ended.append(ended)

    def end(self) -> None:
        """The stream has ended."""
        for each in self._ended:
            each(self)


async def streams(processor: Processor, tries: int) -> float:
    """Microseconds of one stream, from its task's first line to its last."""
    sent, best = messages(), float("inf")
    for _ in range(tries):
        context = Context(*sent)
        begun = time.thread_time_ns()
        await processor.process(context)
        context.end()
        best = min(best, time.thread_time_ns() - begun)
    return best / 1e3


def least(work: Callable[[], object], tries: int) -> float:
    """Microseconds of a piece of work."""
    best = float("inf")
    for _ in range(tries):
        begun = time.thread_time_ns()
        work()
        best = min(best, time.thread_time_ns() - begun)
    return best / 1e3


def parts(generation: Generation, tries: int) -> dict[str, float]:
    """Microseconds of what a stream is made of."""
    rules, metrics = generation.rules, Metrics(generation.rules.program)
    first, second = messages()
    parse = ProcessingRequest.FromString
    headers, body = to_event(parse(first), announced=True), RequestBody(parse(second).request_body.body)
    state, _ = advance(rules, AwaitsHeaders(), headers)
    _, route = advance(rules, state, body)
    if not isinstance(route, SendToModel) or not isinstance(state, AwaitsBody) or not state.endpoint.view_of:
        raise SystemExit("the benchmark's request is not routed")
    rest, view_of, program = state, state.endpoint.view_of, rules.program
    endpoint = state.endpoint
    read = read_request(body.body, endpoint, rules.max_body)
    if not isinstance(read, JsonBody):
        raise SystemExit("the benchmark's request is not read")
    view = view_of(read.values, program.ask_rules)
    works: dict[str, Callable[[], object]] = {
        "parse both messages": lambda: (parse(first), parse(second)),
        "headers to an event": lambda: to_event(parse(first), announced=True),
        "judge the headers": lambda: advance(rules, AwaitsHeaders(), headers),
        "from body to decision": lambda: advance(rules, rest, body),
        "  read the JSON": lambda: read_request(body.body, endpoint, rules.max_body),
        "  look at the messages": lambda: view_of(read.values, program.ask_rules),
        "  read the conversation": lambda: candidates_of(view, program.stickiness, counts=program.counts),
        "  find signal and route": lambda: decide(program, view),
        "write the answer": lambda: encoded(route),
        "log it": lambda: (_log(route), flush()),
        "count it": lambda: metrics.decided(route, 0.001),
    }
    return {name: least(work, tries) for name, work in works.items()}


def _log(action: SendToModel) -> None:
    event, fields = describe("5b0f3d7e-8f3c-4d2a-9f6f-3b1f5c0a7d11", action)
    log_buffered(event, **fields)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=3000)
    tries = parser.parse_args().tries
    with tempfile.TemporaryDirectory() as name:
        generation = Generation(settings.load(compiled(POLICY, Path(name)) / "router/config.yaml"), None)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        whole = asyncio.run(streams(Processor(generation), tries))
        found = parts(generation, tries)
    sys.stdout.write(f"{'one stream without gRPC':26}{whole:8.1f} us\n")
    for part, took in found.items():
        sys.stdout.write(f"{part:26}{took:8.1f} us\n")


if __name__ == "__main__":
    main()
