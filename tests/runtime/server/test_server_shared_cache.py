"""Answers in a store that replicas share: who gets which, and what a store that fails does to a request."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from support.cache_store import Searching, free_port, store
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_runtime.decision.request.cache_key import Caller, cache_key
from vsr_runtime.decision.request.cache_recording import MAX_RESPONSE, CachedResponse
from vsr_runtime.decision.request.events import CacheKey, ImmediateResponse, SendToModel
from vsr_runtime.errors import UserError
from vsr_runtime.sandbox.certificates import Authority
from vsr_runtime.server import shared_cache as module
from vsr_runtime.server.cache_store import connect
from vsr_runtime.server.circuit import Circuit
from vsr_runtime.server.memory_cache import CacheHit
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.server.shared_cache import SharedCache, store_failures
from vsr_runtime.server.stored_answer import MAX_STORED, StoredAnswer, decode, encode, store_key
from vsr_schemas.runtime import CacheStoreSettings

pytestmark = pytest.mark.subprocess

KEPT = CachedResponse("application/json", b'{"answer": 1}')
LOOKUP = CacheKey(Api.CHAT, b"1" * 32, CachePolicy(60.0, 0.9), b"g" * 32, "What does plan 3 cost?")
VECTOR = np.array([1.0, 0.0], dtype=np.float32)
CLIENTS: list[Redis] = []
NEAR = np.array([0.99, 0.14], dtype=np.float32)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """A server."""
    with store(tmp_path_factory.mktemp("store")) as (port, _):
        yield port


@pytest.fixture(autouse=True)
def _counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of this test alone: they are those of the process."""
    monkeypatch.setattr(module, "_FAILURES", dict.fromkeys(module.REASONS, 0))


def client(port: int, folder: Path = Path(), **settings) -> Redis:
    """Call the server as the runtime does, until `finished`."""
    found = connect(CacheStoreSettings(address=f"localhost:{port}", tls=False).model_copy(update=settings), folder)
    CLIENTS.append(found)
    return found


def finished(work: Coroutine):
    """Run something, and close all connections."""

    async def whole():
        try:
            return await work
        finally:
            for each in CLIENTS:
                await each.aclose()
            CLIENTS.clear()
            await asyncio.sleep(0.05)  # connections that the server refused are closed in later turns of the loop

    return asyncio.run(whole())


def soon() -> float:
    """A time that leaves enough for a call."""
    return asyncio.get_running_loop().time() + 5


async def written(cache: SharedCache) -> None:
    """Wait until everything is stored."""
    await asyncio.gather(*cache._writes)


async def kept_in(cache: SharedCache, lookup: CacheKey = LOOKUP, vector=None, kept: CachedResponse = KEPT) -> None:
    """Store an answer."""
    cache.keep(lookup, vector, kept)
    await written(cache)


def test_three_replicas_share_answers(port):
    """Each finds what any of them stored, for as long as the policy says."""

    async def run():
        caches = [ResponseCache(SharedCache(client(port), "policy")) for _ in range(3)]
        route = SendToModel("big", None, (), route="own", cache_key=replace(LOOKUP, group=None, key=b"shared"))
        missed = await caches[0].recall(route, soon())
        assert isinstance(missed, SendToModel)
        caches[0].keep(missed.response.record, KEPT)
        await written(caches[0]._cache)
        found = [await each.recall(route, soon()) for each in caches]
        lives = await client(port).pttl(module._PREFIX + store_key("policy", b"shared"))
        return found, lives

    found, lives = finished(run())
    assert all(isinstance(each, ImmediateResponse) and each.body == KEPT.body for each in found)
    assert 50_000 < lives <= 60_000


def test_another_policy_gets_no_answer_of_this_one(port):
    """Not even a version of it that differs in a guard."""

    async def run():
        await kept_in(SharedCache(client(port), "sha-1"))
        return [await SharedCache(client(port), policy).find(LOOKUP, None, soon()) for policy in ("sha-1", "sha-2", "")]

    same, *others = finished(run())
    assert same == CacheHit(KEPT)
    assert others == [None, None]


def test_a_server_that_shortens_the_lifetime_is_heard(port):
    """As in memory."""

    async def run():
        cache, lookup = SharedCache(client(port), "short"), replace(LOOKUP, key=b"short")
        await kept_in(cache, lookup, kept=replace(KEPT, lifetime=0.2))
        first = await cache.find(lookup, None, soon())
        await asyncio.sleep(0.3)
        return first, await cache.find(lookup, None, soon())

    assert finished(run()) == (CacheHit(KEPT), None)


def callers() -> list[tuple[str, Caller]]:
    """Clients whose attributes and keys are made to be confused, with a scope each."""
    names = ["a", "b", "ab", "a,b", "a\0b", "", " a", "A", "é", "e\u0301", "user", "team", "a'b", '["a"]']
    found = [
        (scope, Caller(None, b"m", fresh=False, client=Client(attributes)))
        for scope in ("user", "team", "tenant")
        for name in names
        for other in names[:5]
        for attributes in ({scope: (name,), "role": (other,)}, {"user": (other,), scope: (name,)})
    ]
    return found + [("user", Caller(sha256(name.encode()).digest(), b"m", fresh=False)) for name in names]


def test_no_pair_of_scopes_has_a_name_in_common():
    """Over 10^5 pairs of clients, scopes, requests and policies that differ in something that is shared by nobody."""
    bodies = [
        b'{"messages":[{"role":"user","content":"%s"}]}' % text for text in (b"a", b"b", b"a b", b"ab", b"\\u0061")
    ]
    named: dict[str, object] = {}
    for scope, caller in callers():
        for number, body in enumerate(bodies):
            for policy in ("p", "p1", ""):
                lookup = cache_key(caller, Api.CHAT, {}, CachePolicy(60, None, scope=scope), "d", "m", body)
                if lookup is not None:
                    owner = (caller.key(scope), scope, number, policy)
                    assert named.setdefault(store_key(policy, lookup.key), owner) == owner
    distinct = len(set(named.values()))
    assert distinct == len(named)
    assert distinct * (distinct - 1) // 2 > 100_000


def test_clients_of_other_scopes_miss_on_the_real_server(port):
    """Every one of some hundred clients asks the same and gets its own answer or none."""

    async def run() -> None:
        cache, owners = SharedCache(client(port), "scopes"), {}
        for scope, caller in callers():
            lookup = cache_key(caller, Api.CHAT, {}, CachePolicy(60, None, scope=scope), "d", "m", b"{}")
            if lookup is not None:
                owners.setdefault((scope, caller.key(scope)), lookup)
        assert len(owners) > 40
        for number, lookup in enumerate(owners.values()):
            assert await cache.find(lookup, None, soon()) is None
            await kept_in(cache, lookup, kept=CachedResponse("application/json", b"%d" % number))
        for number, lookup in enumerate(owners.values()):
            hit = await cache.find(lookup, None, soon())
            assert hit is not None
            assert hit.kept.body == b"%d" % number

    finished(run())


def test_what_is_stored_is_no_answer_if_a_byte_of_it_differs(port):
    """Nor if it lies under another name; it counts as a miss and is counted."""
    name, other = store_key("p", b"1"), store_key("p", b"2")
    data = encode(name, StoredAnswer(KEPT, "group", ("plan", "3")))
    assert data is not None
    assert decode(name, data) == StoredAnswer(KEPT, "group", ("plan", "3"))
    assert decode(other, data) is None
    for place in range(len(data)):
        assert decode(name, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) is None
        assert decode(name, data[:place]) is None
    rng = random.Random(1)  # noqa: S311 - bytes for a test
    assert all(decode(name, rng.randbytes(rng.randrange(200))) is None for _ in range(500))

    async def run():
        before = store_failures()["invalid"]
        await client(port).set(module._PREFIX + store_key("p", LOOKUP.key), b"x" * (MAX_STORED * 2))
        return await SharedCache(client(port), "p").find(LOOKUP, None, soon()), store_failures()["invalid"] - before

    assert finished(run()) == (None, 1)


def test_an_answer_that_is_too_large_is_not_stored():
    """The longest that is recorded is."""
    words = tuple("word" for _ in range(20_000))
    assert encode("n", StoredAnswer(CachedResponse("application/json", b"x" * MAX_RESPONSE))) is not None
    assert encode("n", StoredAnswer(CachedResponse("application/json", b"x" * MAX_RESPONSE), "", words)) is None


def test_a_similar_turn_gets_the_answer_where_the_server_can_search(port):
    """Only of its own group, and only if no number or name differs."""

    async def run():
        searching = Searching(client(port))
        cache = SharedCache(searching, "similar")
        await kept_in(cache, vector=VECTOR)
        ask = replace(LOOKUP, key=b"2" * 32)
        return (
            searching.queries,
            await cache.find(replace(ask, text="What does the plan 3 cost?"), NEAR, soon()),
            await cache.find(replace(ask, text="What cost does plan 3?"), NEAR, soon()),
            await cache.find(replace(ask, group=b"h" * 32), VECTOR, soon()),
            await cache.find(replace(ask, policy=CachePolicy(60.0, 0.999)), NEAR, soon()),
            await SharedCache(searching, "other").find(ask, VECTOR, soon()),
        )

    queries, similar, reordered, *rest = finished(run())
    assert similar is not None
    assert similar.kept == KEPT
    assert similar.similarity == pytest.approx(0.99, abs=0.01)
    assert reordered is None
    assert rest == [None, None, None]
    assert all(query.startswith("(@group:{") and query.endswith("KNN 4 @vector $it AS distance]") for query in queries)


def test_an_answer_that_a_search_finds_for_another_group_is_given_to_nobody(port):
    """A server that mixes groups up, or the reply to another call, shares no answer among clients."""

    class Mixing(Searching):
        async def execute_command(self, *command):
            mixed = [part.replace(wanted, stored) if isinstance(part, str) else part for part in command]
            return await super().execute_command(*mixed)

    wanted, stored = store_key("mixed", b"h" * 32), store_key("mixed", LOOKUP.group)

    async def run():
        cache = SharedCache(Mixing(client(port)), "mixed")
        await kept_in(cache, vector=VECTOR)
        ask = replace(LOOKUP, key=b"4" * 32)
        return await cache.find(ask, VECTOR, soon()), await cache.find(replace(ask, group=b"h" * 32), VECTOR, soon())

    own, other = finished(run())
    assert own is not None
    assert other is None


def test_identical_requests_match_while_a_search_fails_and_the_index_is_made_again(port, monkeypatch):
    """As after FLUSHALL, which removes the index as well."""

    class Emptied(Searching):
        lost = False

        async def execute_command(self, *command):
            if command[0] == "FT.CREATE":
                self.lost = False
            if self.lost and command[0] == "FT.SEARCH":
                raise ResponseError("no such index")
            return await super().execute_command(*command)

    async def run():
        searching = Emptied(client(port))
        cache = SharedCache(searching, "emptied")
        await kept_in(cache, vector=VECTOR)
        searching.lost, ask = True, replace(LOOKUP, key=b"5" * 32)
        found = [await cache.find(ask, VECTOR, soon()), await cache.find(LOOKUP, VECTOR, soon())]
        assert store_failures() == dict.fromkeys(module.REASONS, 0) | {"refused": 1}
        monkeypatch.setattr(cache, "_search_after", 0.0)
        return [*found, await cache.find(ask, VECTOR, soon())]

    missed, exact, again = finished(run())
    assert (missed, exact) == (None, CacheHit(KEPT))
    assert again is not None


def test_without_a_search_module_only_the_same_request_is_a_hit(port, capfd):
    """The log says so once."""

    async def run():
        cache = SharedCache(client(port), "exact")
        await kept_in(cache, vector=VECTOR)
        same = await cache.find(LOOKUP, VECTOR, soon())
        return same, [await cache.find(replace(LOOKUP, key=b"3" * 32), NEAR, soon()) for _ in range(3)]

    same, others = finished(run())
    assert (same, others) == (CacheHit(KEPT), [None] * 3)
    assert capfd.readouterr().err.count("cache_exact_only") == 1


def test_a_store_that_is_killed_costs_misses_and_no_request(tmp_path):
    """While it is away it is asked once in a while, and when it is back it is found."""

    async def run() -> list[bool]:
        answers = []
        port = free_port()
        with store(tmp_path, port=port) as (_, process):
            cache = SharedCache(client(port), "killed")
            await kept_in(cache)
            answers.append(await cache.find(LOOKUP, None, soon()) is not None)
            calls = [asyncio.ensure_future(cache.find(LOOKUP, None, soon())) for _ in range(200)]
            process.send_signal(signal.SIGKILL)
            outcomes = await asyncio.gather(*calls)
            assert all(outcome is None or outcome.kept == KEPT for outcome in outcomes)
            process.wait(20)
        for _ in range(50):
            assert await cache.find(LOOKUP, None, soon()) is None
            cache.keep(LOOKUP, None, KEPT)
        await written(cache)
        with store(tmp_path, port=port):
            for _ in range(100):
                await kept_in(cache)
                if await cache.find(LOOKUP, None, soon()) is not None:
                    break
                await asyncio.sleep(0.1)
            answers.append(await cache.find(LOOKUP, None, soon()) is not None)
        return answers

    assert finished(run()) == [True, True]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hear everything and say nothing."""
    try:
        await reader.read()
    finally:
        writer.close()


def test_a_store_that_does_not_answer_is_late_once():
    """A listener that says nothing: the first request waits for the time that a store has, others do not ask."""

    async def run():
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        cache = SharedCache(client(server.sockets[0].getsockname()[1]), "slow")
        failed = store_failures()["timeout"]
        found = [await cache.find(LOOKUP, None, soon()) for _ in range(20)]
        server.close()
        return found, store_failures()["timeout"] - failed

    assert finished(run()) == ([None] * 20, 1)


def test_a_request_that_has_no_time_left_is_not_the_stores_fault(port):
    """Its lateness opens no circuit."""

    async def run():
        cache = SharedCache(client(port), "hurry")
        before = dict(store_failures())
        await kept_in(cache)
        late = await cache.find(LOOKUP, None, asyncio.get_running_loop().time() - 1)
        return late, await cache.find(LOOKUP, None, soon()), dict(store_failures()) == before

    assert finished(run()) == (None, CacheHit(KEPT), True)


def test_a_circuit_pauses_longer_with_each_failure_and_forgets_them_after_an_answer():
    """From a second to half a minute; failures of calls that were under way together are one."""
    circuit, now, pauses = Circuit(), 0.0, []
    for _ in range(8):
        circuit.failed(now)
        circuit.failed(now)
        later = next(step for step in range(1, 1000) if circuit.allows(now + step / 2))
        pauses.append(later / 2)
        now += later / 2
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    circuit.worked()
    circuit.failed(now)
    assert circuit.allows(now + 1)


def test_the_login_is_read_from_files_and_is_in_no_message(tmp_path, capfd):
    """A user of the server's access list that may only do what the cache does; a wrong password is a miss."""
    rules = "user vsr on >correct-horse-9 ~vsr:cache:* -@all +getrange +set +hset +pexpire +multi +exec +ping"
    (tmp_path / "users.acl").write_text(f"user default off\n{rules}\n")
    folder = tmp_path / "cache-store"
    folder.mkdir()
    (folder / "username").write_text("vsr\n")
    (folder / "password").write_text("correct-horse-9\n")

    async def run(port: int):
        right = SharedCache(client(port, folder, login=True), "acl")
        await kept_in(right)
        found = await right.find(LOOKUP, None, soon())
        (folder / "password").write_text("wrong-horse-77")
        wrong = SharedCache(client(port, folder, login=True), "acl")
        return (
            found,
            await wrong.find(LOOKUP, None, soon()),
            await SharedCache(client(port), "acl").find(LOOKUP, None, soon()),
        )

    with store(tmp_path, "--aclfile", str(tmp_path / "users.acl")) as (port, _):
        assert finished(run(port)) == (CacheHit(KEPT), None, None)
    said = capfd.readouterr().err
    assert "refused" in said
    assert "horse" not in said


def test_tls_is_checked_against_the_authority(tmp_path, capfd):
    """A certificate of another authority, or for another name, is a miss."""
    ours, other = Authority("ours"), Authority("other")
    cert, key = ours.issue(tmp_path / "tls", "server", ["localhost"])
    folders = {}
    for name, authority in (("ours", ours), ("other", other)):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        (folders[name] / "ca.crt").write_text(authority.pem)
    options = ("--port", "0", "--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-auth-clients", "no")

    async def run(port: int):
        right = SharedCache(client(port, folders["ours"], tls=True, ca=True), "tls")
        await kept_in(right)
        wrong = SharedCache(client(port, folders["other"], tls=True, ca=True), "tls")
        address = {"address": f"127.0.0.1:{port}"}
        unnamed = SharedCache(client(port, folders["ours"], tls=True, ca=True, **address), "tls")
        plain = SharedCache(client(port), "tls")
        return [await each.find(LOOKUP, None, soon()) for each in (right, wrong, unnamed, plain)]

    port = free_port()
    with store(tmp_path, "--tls-port", str(port), *options, port=port):
        assert finished(run(port)) == [CacheHit(KEPT), None, None, None]
    assert "cache_store_failed" in capfd.readouterr().err


def test_a_missing_password_is_refused_at_start(tmp_path):
    """It names the file."""
    with pytest.raises(UserError, match=r"password: .*; mount the Secret with the store's key there"):
        connect(CacheStoreSettings(address="localhost:1", tls=False, login=True), tmp_path)
