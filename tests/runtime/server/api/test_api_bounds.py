"""What the API refuses, and what it holds under load."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import jsonschema
import pytest

from support.played_api import ALL, Engine, ask, send, served
from support.played_gateway import samples
from vsr_runtime.decision.program.build_limits import with_limits
from vsr_runtime.server.api import api as api_module
from vsr_runtime.server.api.endpoints import ENDPOINTS
from vsr_runtime.server.api.openapi import document

SECURITY = "/api/v1/classify/security"
DEEP = b'{"text": "x", "y": ' + b"[" * 200 + b"]" * 200 + b"}"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_json"),
        (b'{"text": NaN}', 400, "invalid_json"),
        (b'{"text": "a", "text": "b"}', 400, "duplicate_key"),
        (b'{"text": "\xff"}', 400, "invalid_json"),
        (b'\xef\xbb\xbf{"text": "a"}', 400, "invalid_json"),
        (b'{"text": "\\ud800"}', 400, "invalid_json"),
        (DEEP, 400, "invalid_json"),
        (b"{}", 422, "invalid_request"),
        (b'{"text": 1}', 422, "invalid_request"),
        (b'{"text": ""}', 422, "invalid_request"),
        (b'{"text": "a", "bogus": 1}', 422, "invalid_request"),
        (b'{"text": "' + b"x" * 262_144 + b'"}', 413, "body_too_large"),
    ],
)
def test_body_that_is_refused(settings, body, status, code):
    """As strictly as on the data plane; the message quotes nothing of it."""
    found, answer, _ = ask(settings, SECURITY, body)
    assert (found, answer["error"]["code"]) == (status, code)
    assert set(answer["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported_content_type"),
        ({"content-type": "application/json; charset=utf-16"}, 415, "unsupported_content_type"),
        ({"content-encoding": "gzip"}, 415, "unsupported_encoding"),
    ],
)
def test_content_that_cannot_be_read_is_refused(settings, headers, status, code):
    """Nothing is decompressed."""
    found, answer, _ = ask(settings, SECURITY, {"text": "x"}, headers=headers)
    assert (found, answer["error"]["code"]) == (status, code)


@pytest.mark.parametrize("trace", ["yes", "1", ""])
def test_query_that_means_nothing_is_refused(settings, trace):
    """Rather than taken for no."""
    status, answer, _ = ask(settings, f"/api/v1/eval?trace={trace}", {"text": "x"})
    assert (status, answer["error"]["param"]) == (422, "trace")


@pytest.mark.parametrize("path", [*ENDPOINTS, "/v1/models", "/openapi.json"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_with_those_that_are_not(settings, path, method):
    """405 says what the path takes."""
    status, answer, headers = ask(settings, path, None, method=method)
    assert (status, answer["error"]["code"]) == (405, "method_not_allowed")
    assert headers["allow"] == ("POST" if path in ENDPOINTS else "GET, HEAD")


def test_other_paths_are_not_found(settings):
    """The stock router's other paths among them; no configuration is shown or changed here."""
    for path in ("/", "/config/router", "/api/v1/config", "/api/v1/embeddings", "/v1/chat/completions"):
        status, answer, _ = ask(settings, path, {"text": "x"})
        assert (status, answer["error"]["code"]) == (404, "not_found")


def test_models_are_those_of_the_data_plane(settings):
    """The names that a client may give, by GET."""
    status, answer, _ = ask(settings, "/v1/models", None, method="GET")
    assert status == 200
    assert [one["id"] for one in answer["data"]] == ["auto", "MoM", "llama3-8b", "phi4-mini"]


def test_document_is_valid_and_complete(settings):
    """OpenAPI 3.1 with every path; each schema is one, and each reference leads somewhere."""
    status, answer, _ = ask(settings, "/openapi.json", None, method="GET")
    assert status == 200
    assert answer == document()
    assert answer["openapi"] == "3.1.0"
    assert set(answer["paths"]) == {*ENDPOINTS, "/v1/models", "/openapi.json"}
    schemas = answer["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    named = {part.split('"')[0] for part in json.dumps(answer).split('"#/components/schemas/')[1:]}
    assert named <= set(schemas)


def test_nothing_is_answered_before_and_after_serving(settings):
    """Not ready is 503 with a time to try again; the document is there all the same."""

    async def whole():
        async with served(settings) as client:
            health, api, processor, _, _ = client.played
            api.processor = None
            first = await send(client, SECURITY, {"text": "x"})
            models = await send(client, "/v1/models", None, method="GET")
            api.processor, health.ready = processor, False
            second = await send(client, SECURITY, {"text": "x"})
            return first, models, second, await send(client, "/openapi.json", None, method="GET")

    *refused, shown = asyncio.run(whole())
    for status, answer, headers in refused:
        assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "not_ready", "1")
    assert shown[0] == 200


def test_bodies_in_work_are_bounded_together_with_those_of_gateways(settings):
    """One count for both: what is too much is refused, and what is done is counted out."""

    async def whole():
        async with served(settings, max_held=0) as client:
            answer = await send(client, SECURITY, {"text": "x"})
            return answer, client.played[3]

    (status, answer, headers), metrics = asyncio.run(whole())
    assert (status, answer["error"]["code"], headers["retry-after"]) == (429, "overloaded", "1")
    assert samples(metrics, "vsr_request_bytes_in_work") == ["vsr_request_bytes_in_work 0.0"]


def test_requests_at_a_time_are_bounded(settings, monkeypatch):
    """A request over the limit gets a `retry-after`, and those before it are answered."""
    monkeypatch.setattr(api_module, "MOST", 2)

    class Blocker(Engine):
        async def _wait(self, _):
            await self.go.wait()

    async def whole():
        engine = Blocker()
        engine.go = asyncio.Event()
        async with served(settings, engine) as client:
            first = [asyncio.ensure_future(send(client, SECURITY, {"text": "x"})) for _ in range(2)]
            async with asyncio.timeout(20):
                while client.played[1]._open < 2:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
            third = await send(client, SECURITY, {"text": "x"})
            engine.go.set()
            return [status for status, _, _ in await asyncio.gather(*first)], third

    statuses, (status, answer, _) = asyncio.run(whole())
    assert statuses == [200, 200]
    assert (status, answer["error"]["code"]) == (429, "overloaded")


async def raw(port: int, *parts: bytes) -> bytes:
    """What a server answers to bytes on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    finally:
        writer.transport.abort()


HEAD = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_body_in_chunks_is_bounded_while_it_comes(settings):
    """No length is needed to refuse what is too long."""

    async def whole():
        async with served(settings) as client:
            chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            port = client.played[4].port
            long = await raw(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 5)
            body = b'{"inputs": "Ada", "parameters": {"classifier": "names"}}'
            parts = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
            good = await raw(port, HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", parts)
            return long, good

    long, good = asyncio.run(whole())
    assert long.startswith(b"HTTP/1.1 413 ")
    assert good.startswith(b"HTTP/1.1 200 ")


def test_body_that_does_not_come_is_given_up(settings, monkeypatch):
    """408, and the connection is closed."""
    monkeypatch.setattr(api_module, "BODY_TIMEOUT", 0.2)

    async def whole():
        async with served(settings) as client:
            return await raw(client.played[4].port, HEAD + b"Content-Length: 10\r\n\r\n{")

    answer = asyncio.run(whole())
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code": "body_too_slow"' in answer


def test_bodies_that_come_slowly_are_bounded_together(settings, monkeypatch):
    """Many unfinished bodies take no more memory than a bound, and give it back."""
    monkeypatch.setattr(api_module, "MOST_BYTES", 0)

    async def whole():
        async with served(settings) as client:
            port, api = client.played[4].port, client.played[1]
            head = HEAD + b"Content-Length: 262144\r\n\r\n"
            slow = [asyncio.ensure_future(raw(port, head, b"x" * 262_143)) for _ in range(5)]
            done, waiting = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED, timeout=20)
            refused = [task.result() for task in done]
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
            return refused, api

    refused, api = asyncio.run(whole())
    assert refused
    assert all(answer.startswith(b"HTTP/1.1 429 ") for answer in refused)
    assert api._coming == api._open == 0


def test_client_that_goes_away_frees_its_place(settings):
    """What nobody waits for any more is dropped from the engine's queue."""

    async def whole():
        async with served(settings, Engine("hang")) as client:
            api = client.played[1]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await send(client, SECURITY, {"text": "x"})
            for _ in range(100):
                if not api._open:
                    break
                await asyncio.sleep(0.02)
            return api._open

    assert asyncio.run(whole()) == 0


def test_fault_of_ours_is_logged_without_its_message(settings, monkeypatch, capfd):
    """500 and a line with the kind of the error, which may itself hold text of a request."""

    def broken(*_, **__):
        raise ValueError("SECRET")

    monkeypatch.setattr(api_module, "_serialised", broken)
    status, answer, _ = ask(settings, SECURITY, {"text": "SECRET"}, classifiers=ALL)
    assert (status, answer["error"]["code"]) == (500, "internal_error")
    (line,) = capfd.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["path"], record["error"]) == ("api_failed", SECURITY, "ValueError")
    assert "SECRET" not in line + json.dumps(answer)


def test_large_body_is_read_aside(settings):
    """As on the data plane, it does not hold up others, and has its answer."""
    limits = settings.limits.model_copy(update={"maxBody": 4 << 20})
    wide = replace(settings, limits=limits, program=with_limits(settings.program, limits))
    status, answer, _ = ask(wide, "/api/v1/eval", {"text": "a " * 400_000 + "2"})
    assert (status, answer["selected_model"]) == (200, "phi4-mini")
