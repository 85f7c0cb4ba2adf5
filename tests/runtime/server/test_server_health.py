from __future__ import annotations

import asyncio

import pytest

from vsr_runtime.server.health import Health
from vsr_runtime.server.http import HttpPort


def ask(*requests: bytes, ready: bool) -> list[bytes]:
    """The raw answers of a fresh port to raw requests, each on a connection of its own; some break off."""

    async def whole():
        health = Health(lambda *, exemplars=False: b"llm_x 1\n# EOF\n" if exemplars else b"llm_x 1\n")
        health.ready = ready
        port = HttpPort(health)
        await port.listen("127.0.0.1", 0)
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
            writer.write(request)
            if b"\r\n\r\n" not in request:
                writer.write_eof()
            answers.append(await reader.read())
            writer.close()
            await writer.wait_closed()
        await port.close()
        return answers

    return asyncio.run(whole())


def http(line: str) -> bytes:
    """A request without a body, after which the connection is closed."""
    return f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


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
        ("POST /classify", True, 404),
    ],
)
def test_probes(line, ready, status):
    """Alive from the start, ready only while requests are taken, anything else is refused."""
    (answer,) = ask(http(line), ready=ready)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert bool(body) is not line.startswith("HEAD")


@pytest.mark.parametrize(
    "request_", [b"", b"GET", b"GET /healthz HTTP/1.1\r\n", b"x" * 20_000, b"a\r\n" * 500, b"\x16\x03\x01\x02\x00\x01"]
)
def test_nonsense_is_refused_and_the_next_probe_served(capfd, request_):
    """A broken or endless request harms nobody else, and nothing of it is printed."""
    first, second = ask(request_, http("GET /healthz"), ready=True)
    assert not first or first.startswith(b"HTTP/1.0 400 ")
    assert b"Traceback" not in first
    assert second.startswith(b"HTTP/1.1 200 ")
    assert capfd.readouterr() == ("", "")


def test_metrics_are_a_page_of_their_own():
    """A scrape gets the page in Prometheus' text format, whole."""
    (answer,) = ask(http("GET /metrics"), ready=False)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: text/plain; version=0.0.4" in head
    assert b"Content-Length: 8\r\n" in head
    assert b"Server: vsr-runtime\r\n" in head
    assert body == b"llm_x 1\n"


def test_several_probes_share_a_connection():
    """Who asks often need not reconnect each time."""
    (answer,) = ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + http("GET /metrics"), ready=True)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.endswith(b"llm_x 1\n")


def test_body_that_nobody_reads_is_not_taken_for_a_request():
    """What follows a refused request on its connection is dropped with the connection."""
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    length = len(smuggled) + 1
    (answer,) = ask(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + smuggled, ready=True)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"llm_x" not in answer


@pytest.mark.parametrize(
    ("accept", "open_metrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3", True),
        ("text/plain , Application/OpenMetrics-Text ; version=0.0.1", True),
        ("application/openmetrics-text;q=0", False),
        (",;,", False),
    ],
)
def test_scraper_gets_openmetrics_if_it_accepts_it(accept, open_metrics):
    """As Prometheus asks for it; others get the text format."""
    request = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\nConnection: close\r\n\r\n".encode()
    (answer,) = ask(request, ready=True)
    assert (b"application/openmetrics-text; version=1.0.0" in answer) is open_metrics
    assert answer.endswith(b"# EOF\n") is open_metrics
