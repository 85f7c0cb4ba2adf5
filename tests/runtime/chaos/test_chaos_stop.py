"""A pod that is to end, with the real Envoy: what it reads it reads to the end, and what is undecided it refuses."""

from __future__ import annotations

import asyncio
import os
import signal

from support.chaos import RUNTIME
from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import ANY_TIME, REAL_ENVOY, heard
from support.slow import Slow

pytestmark = REAL_ENVOY
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: stopping}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 20s}
endpoints: {one: {service: {name: one, port: 8000}}}
models: {big: {endpoints: [one]}}
guards: {secrets: {patterns: ["sk-[A-Za-z0-9]{20}"], action: block, on: response}}
default: big
"""
BODY = b'{"model": "auto", "stream": true, "messages": [{"role": "user", "content": "hello"}]}'
HEAD = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"


async def opened(url: str, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a request, or a part of it, was sent."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{HEAD}content-length: {len(BODY)}\r\n\r\n".encode() + sent)
    return reader, writer


def test_a_response_that_is_read_comes_to_its_end_although_the_router_stops(tmp_path, transport):
    """It goes on when undecided streams have long been refused, and the process ends after it."""
    Slow.end.clear()

    async def whole(running) -> tuple[bytes, bytes]:
        url = running.sandbox.url
        reading, first = await opened(url, BODY)
        answer = await reading.readuntil(b"\r\n\r\n")
        stalled, second = await opened(url, BODY[:10])
        assert heard(running.lines, '"decision"')
        await asyncio.sleep(0.2)
        os.kill(running.sandbox.pids[RUNTIME], signal.SIGTERM)
        refused = await stalled.read()
        Slow.end.set()
        answer += await reading.read()
        for each in (first, second):
            each.close()
        return answer, refused

    with compiled_sandbox(tmp_path, POLICY, transport=transport, backend=Slow) as running:
        answer, refused = asyncio.run(asyncio.wait_for(whole(running), ANY_TIME))
        assert heard(running.lines, '"stopped"')
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"data: [DONE]\n\n" in answer
    assert refused.startswith(b"HTTP/1.1 503 ")
