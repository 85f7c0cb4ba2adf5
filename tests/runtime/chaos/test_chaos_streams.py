"""How streams end, with the real Envoy: what a server must never do and what follows if one does, and 1,300 at once."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from support.common import ROOT
from support.gateway_client import ANY_TIME, REAL_ENVOY, Running, start
from support.slow import EVENT, Slow
from vsr_runtime.files import read_yaml

pytestmark = REAL_ENVOY
MANY = 1300
"""More than the 1,024 requests that Envoy lets a cluster have in flight by default."""
AT_ONCE = 32
"""Requests that wait for their decision at a time: it is about streams that are open, not about a burst."""


def rogue(fault: str) -> tuple[str, ...]:
    """The command of a server with this fault."""
    return (sys.executable, str(ROOT / "tests" / "support" / "rogue.py"), fault)


@pytest.mark.parametrize("fault", ["headers", "body"])
@pytest.mark.parametrize("model", ["auto", "phi4-mini"])
def test_stream_that_ends_in_ok_too_early_reaches_no_model(chat, fault, model):
    """Envoy takes that for a pass, whatever the failure mode: no route takes a request that nobody decided on, so 404.

    A client's own header does not help, since it is stripped before. Our runtime ends no undecided stream in OK.
    """
    sandbox, lines = start(serve=rogue(fault))
    with sandbox:
        status, headers, _ = Running(sandbox, lines).send(chat(model), x_selected_model="phi4-mini")
    assert (status, headers.get("x-backend")) == (404, None)


def test_wrong_content_length_is_an_error(chat):
    """Envoy rejects what it should send; no model sees a part of it. Ours says the length of what it wrote."""
    sandbox, lines = start(serve=rogue("length"))
    with sandbox:
        status, headers, _ = Running(sandbox, lines).send(chat("auto"))
    assert (status, headers.get("x-backend")) == (503, None)


async def streamed(url: str, body: bytes, turn: asyncio.Semaphore, begun: asyncio.Semaphore) -> bytes:
    """What comes of one request, after its first event was counted."""
    await turn.acquire()
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    begins = answer.startswith(b"HTTP/1.1 200")
    if begins:
        answer += await reader.readuntil(EVENT)
    turn.release()
    begun.release()
    if begins:  # whoever is refused is left to close, for a minute
        answer += await reader.read()
    writer.close()
    return answer


async def all_streamed(url: str, bodies: list[bytes]) -> list[bytes]:
    """What comes of all of them, of which none may end before each has begun."""
    turn, begun = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(0)
    tasks = [asyncio.ensure_future(streamed(url, body, turn, begun)) for body in bodies]
    async with asyncio.timeout(ANY_TIME):
        for _ in bodies:
            await begun.acquire()
        Slow.end.set()
        return await asyncio.gather(*tasks)


def roomy(policy):
    """The sample gateway with limits for many connections to its backends, and only there."""
    path = policy / "local" / "envoy.yaml"
    bootstrap = read_yaml(path)
    router = read_yaml(policy / "local" / "sandbox.yaml")["extProcCluster"]
    for cluster in bootstrap["static_resources"]["clusters"]:
        if cluster["name"] != router:
            limits = {"max_connections": 65_535, "max_pending_requests": 65_535, "max_requests": 65_535}
            cluster["circuit_breakers"] = {"thresholds": [limits]}
    path.write_text(json.dumps(bootstrap))
    return policy / "local"


def outcomes(policy, chat, monkeypatch, **more) -> set[tuple[bytes, bool]]:
    """The statuses of so many streams at once, and whether each came to its end."""
    monkeypatch.setattr("vsr_runtime.sandbox.sandbox.Backend", Slow)
    Slow.end.clear()
    sandbox, _ = start(roomy(policy), **more)
    with sandbox:
        answers = asyncio.run(all_streamed(sandbox.url, [chat("auto", "1+1", stream=True)] * MANY))
    return {(answer[9:12], b"data: [DONE]\n\n" in answer and b"x-model: phi4-mini" in answer) for answer in answers}


def test_1300_streams_of_events_at_once_overflow_nothing(policy, chat, monkeypatch, fake):
    """A request's stream ends with its decision, so those whose answers last take no place of others."""
    assert outcomes(policy, chat, monkeypatch, serve=fake) == {(b"200", True)}


def test_streams_that_were_kept_would_overflow(policy, chat, monkeypatch):
    """The other test would notice: with a server that keeps its streams Envoy's circuit breaker opens."""
    assert outcomes(policy, chat, monkeypatch, serve=rogue("keeps")) == {(b"200", True), (b"503", False)}
