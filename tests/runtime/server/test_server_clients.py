"""Who a client is, and what one of them may use."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.struct_pb2 import Struct

from support.played_gateway import request_body, request_headers
from vsr_runtime.server import upload_timeout
from vsr_runtime.server.clients import UNKNOWN, FairShares, client_of
from vsr_runtime.server.fair_queue import FairQueue
from vsr_runtime.server.upload_timeout import UploadTimeouts


def from_address(address: str, message=None):
    """A first message with the attribute that Envoy adds."""
    message = message or request_headers()
    attributes = Struct()
    attributes.update({"source.address": address})
    message.attributes.add(key="envoy.filters.http.ext_proc", value=attributes.SerializeToString())
    return message


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1:1234", "10.0.0.1:65535", True),
        ("10.0.0.1:1234", "10.0.0.2:1234", False),
        ("10.0.0.1:1", "10.0.0.11:1", False),
        ("[2001:db8::1]:1", "[2001:db8::ffff:2]:22222", True),
        ("[2001:db8::1]:1", "[2001:db8:0:1::1]:1", False),
        ("[fe80::1%eth0]:1", "[fe80::2%eth0]:1", True),
        ("/run/socket", "/run/socket", True),
    ],
)
def test_client_is_an_address_without_port_or_an_ipv6_network(one, other, same):
    """A client chooses its port, and the lower half of its IPv6 address."""
    assert (client_of(from_address(one)) == client_of(from_address(other))) is same


@pytest.mark.parametrize("value", [b"", b"source.address", b"source.address\x12", b"\xff" * 90, b"source.address" * 9])
def test_attribute_that_is_none_is_an_unknown_client(value):
    """What is not understood counts as one client."""
    message = request_headers()
    message.attributes.add(key="k", value=value)
    assert client_of(message) == UNKNOWN
    assert client_of(request_headers()) == UNKNOWN


def test_shares_count_only_where_most_is_used():
    """A single client may have three quarters; with others only its share of what is left."""
    shares = FairShares()
    shares.add(b"a", 74)
    assert not shares.over(b"a", 100)
    shares.add(b"a", 1)
    assert shares.over(b"a", 100)
    assert not shares.over(b"b", 100)
    for number in range(9):
        shares.add(b"%d" % number, 1)
    assert not shares.over(b"1", 100)
    shares.add(b"a", -75)
    assert shares.total == 9
    assert len(shares._used) == 9


def test_oldest_upload_of_the_client_with_most_is_ended(monkeypatch):
    """Others keep theirs, however old they are."""
    monkeypatch.setattr(upload_timeout, "MAX_WAITING", 10)

    async def whole():
        waiting = UploadTimeouts()
        tasks = {}

        def begin(name: str, client: bytes) -> None:
            tasks[name] = asyncio.ensure_future(asyncio.sleep(60))
            waiting.begin(tasks[name])
            waiting.assign(tasks[name], client)

        for number in range(3):
            begin(f"old {number}", b"%d" % number)
        for number in range(7):
            begin(f"many {number}", b"many")
        begin("new", b"other")
        begin("many 7", b"many")
        begin("many 8", b"many")
        lost = {name for name, task in tasks.items() if waiting.lost(task)}
        for task in tasks.values():
            waiting.end(task)
            task.cancel()
        assert not waiting._waiting
        assert not waiting._clients
        assert not waiting._by_client
        assert not waiting._late
        return lost

    assert asyncio.run(whole()) == {"many 0", "many 1", "many 2"}


def test_silent_streams_end_the_oldest_of_them(monkeypatch):
    """Also those that never say for whom they are."""
    monkeypatch.setattr(upload_timeout, "MAX_WAITING", 3)

    async def whole():
        waiting = UploadTimeouts()
        tasks = [asyncio.ensure_future(asyncio.sleep(60)) for _ in range(5)]
        for task in tasks:
            waiting.begin(task)
        lost = [bool(waiting.lost(task)) for task in tasks]
        for task in tasks:
            task.cancel()
        return lost

    assert asyncio.run(whole()) == [True, True, False, False, False]


def test_upload_that_is_crowded_out_is_answered(gateway, settings, chat, monkeypatch):
    """With 503 and when to come again; those that came later go on."""
    monkeypatch.setattr(upload_timeout, "MAX_WAITING", 2)

    async def whole():
        async with gateway(settings) as envoy:
            calls = []
            for _ in range(3):
                calls.append(call := envoy.open())
                await call.write(from_address("10.0.0.1:1"))
                assert (await call.read()).WhichOneof("response") == "request_headers"
            first = await calls[0].read()
            await calls[2].write(request_body(chat()))
            return first, await calls[2].read()

    first, last = asyncio.run(whole())
    assert first.immediate_response.status.code == 503
    assert b"uploads_full" in first.immediate_response.body
    assert last.WhichOneof("response") == "request_body"


def test_bytes_of_one_client_leave_room_for_others(gateway, settings, chat):
    """A client that holds most of the memory is refused; the next client is served."""

    async def whole():
        async with gateway(settings, max_held=1000) as envoy:
            envoy.processor._conversations.count(UNKNOWN, 0)
            envoy.processor._conversations.count(b"10.0.0.1", 800)
            answers = []
            for address in ("10.0.0.1:5", "10.0.0.2:5"):
                call = envoy.open()
                await call.write(from_address(address))
                await call.read()
                await call.write(request_body(chat()))
                answers.append(await call.read())
            envoy.processor._conversations.count(b"10.0.0.1", -800)
            return answers

    one, other = asyncio.run(whole())
    assert one.immediate_response.status.code == 503
    assert other.WhichOneof("response") == "request_body"


def test_streams_of_one_client_leave_room_for_others(gateway, settings):
    """As many as there may be are open; a client with most of them gets no more."""

    async def whole():
        async with gateway(settings) as envoy:
            envoy.processor._conversations.streams.add(b"10.0.0.1", 3500)
            answers = []
            for address in ("10.0.0.1:5", "10.0.0.2:5"):
                call = envoy.open()
                await call.write(from_address(address))
                answers.append(await call.read())
            envoy.processor._conversations.streams.add(b"10.0.0.1", -3500)
            return answers

    one, other = asyncio.run(whole())
    assert one.immediate_response.status.code == 503
    assert other.WhichOneof("response") == "request_headers"


def test_threads_work_for_the_client_of_the_stream(gateway, settings, chat, monkeypatch):
    """A large body waits among those of its client."""
    seen = []
    push = FairQueue.push
    monkeypatch.setattr(FairQueue, "push", lambda self, work: (seen.append(work.client), push(self, work)))

    async def whole():
        async with gateway(settings) as envoy:
            for address in ("10.0.0.1:5", "10.0.0.2:5"):
                call = envoy.open()
                await call.write(from_address(address))
                await call.read()
                await call.write(request_body(chat("hello " * 50_000)))
                await call.read()

    asyncio.run(whole())
    hosts = [client for client in seen if client]
    assert hosts == sorted(hosts)
    assert {client[-8:] for client in hosts} == {b"10.0.0.1", b"10.0.0.2"}
