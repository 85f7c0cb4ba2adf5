from __future__ import annotations

import asyncio

import pytest

from runtime.serve.health import Health


def ask(*requests: bytes, ready: bool) -> list[bytes]:
    """The raw answers of a fresh endpoint to raw requests."""

    async def whole():
        health = Health(lambda: b"llm_x 1\n")
        health.ready = ready
        server = await health.serve_http("127.0.0.1", 0)
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(request)
            writer.write_eof()
            answers.append(await reader.read())
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return answers

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("line", "ready", "status"),
    [
        ("GET /healthz", False, 200),
        ("GET /healthz", True, 200),
        ("GET /readyz", False, 503),
        ("GET /readyz?verbose", True, 200),
        ("HEAD /readyz", True, 200),
        ("POST /readyz", True, 405),
        ("GET /metrics", False, 200),
        ("HEAD /metrics", True, 200),
        ("DELETE /metrics", True, 405),
        ("GET /", True, 404),
    ],
)
def test_probes(line, ready, status):
    """Alive from the start, ready only while requests are taken, anything else is refused."""
    (answer,) = ask(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), ready=ready)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert bool(body) is not line.startswith("HEAD")


@pytest.mark.parametrize("request_", [b"", b"GET", b"GET /healthz HTTP/1.1\r\n", b"x" * 20_000, b"a\r\n" * 500])
def test_nonsense_is_dropped_and_the_next_probe_served(request_):
    """A broken or endless request is closed without an answer and harms nobody else."""
    first, second = ask(request_, b"GET /healthz HTTP/1.0\r\n\r\n", ready=True)
    assert first == b""
    assert second.startswith(b"HTTP/1.1 200 ")


def test_metrics_are_a_page_of_their_own():
    """A scrape gets the page in Prometheus' text format, whole."""
    (answer,) = ask(b"GET /metrics HTTP/1.1\r\n\r\n", ready=False)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: text/plain; version=0.0.4" in head
    assert b"Content-Length: 8\r\n" in head
    assert body == b"llm_x 1\n"
