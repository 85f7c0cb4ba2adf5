"""Processes that read large bodies: the same decisions, and an end to whatever takes too long or too much memory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from support.compiled_program import loaded
from vsr_runtime import settings
from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.request.events import Cause, NeedSignals, RequestBody, ResponsePlan, SignalsReady
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.response_events import ResponseBody
from vsr_runtime.decision.request.response_machine import AwaitsWhole, advance_response
from vsr_runtime.decision.request.states import AwaitsBody
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.readers import process
from vsr_runtime.server.readers.messages import Policy, ReadRequest, ReadResponse, Resume
from vsr_runtime.server.readers.pool import MAX_READERS, ReaderEndedError, ReaderPool, spawned_process
from vsr_runtime.server.readers.remote import HEAVY_WORK, LARGE_BODY, RemoteReading

pytestmark = [
    pytest.mark.subprocess,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux"),
]
TIME = 60.0
POLICY = """
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: large}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {alpha: {vllm: {}}, beta: {vllm: {}}}
models:
  alpha-8b: {checkpoint: meta-llama/Llama-3.1-8B-Instruct, endpoints: [alpha]}
  beta-8b: {checkpoint: microsoft/Phi-4-mini-instruct, endpoints: [beta]}
signals: {proof: {keywords: [theorem]}}
guards:
  secrets: {patterns: builtin, action: block, on: both, maxTokens: 4000000}
  addresses: {types: [EMAIL_ADDRESS], action: mask, unmask: true, maxTokens: 4000000}
routes: [{name: proofs, when: {signal: proof}, model: beta-8b}]
default: alpha-8b
"""
STATE = AwaitsBody(ENDPOINTS[Api.CHAT.value], "one")
KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.fixture(scope="module")
def policy():
    """The settings as a server loads them."""
    return loaded(POLICY)


@pytest.fixture
def pool():
    """The processes, started as after a failure: a test has threads."""
    made = ReaderPool(*spawned_process())
    yield made
    made.close()


@pytest.fixture
def session(pool, policy):
    """Sessions of the policy."""
    guards = {guard.name: guard for guard in policy.program.guards}
    return lambda: pool.session(Policy(1, policy.source), guards)


def chat(text: str, model: str = "auto", **more: object) -> bytes:
    """A chat with one message."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        chat("hello"),
        chat("the theorem " + "of many words " * 50_000),
        chat("write to a.b@example.com " + "or not " * 50_000),
        chat(f"a key {KEY}"),
        chat("hello", "nobody"),
        b"not json",
        b'{"model":"auto","messages":[],"z":[' + b"[]," * 600_000 + b"1]}",
        chat(r"\u005c" + "u005c" * 5000),
    ],
    ids=range(8),
)
def test_a_reader_decides_as_the_server_would(session, policy, body):
    """Action for action, with the guards of this process in the plan for the response."""
    expected = advance(settings.machine_config(policy), STATE, RequestBody(body))[1]
    action = session().ask(ReadRequest(STATE, TIME), body, monotonic() + TIME)
    assert action == expected
    if getattr(action, "response", None):
        assert all(any(guard is own for own in policy.program.guards) for guard in action.response.guards)


def test_a_reader_reads_responses_as_the_server_would(session, policy):
    """Blocked, and with the client's values restored."""
    secrets = next(guard for guard in policy.program.guards if guard.name == "secrets")
    plan = ResponsePlan(Api.CHAT, (secrets,), {"[EMAIL_ADDRESS_1]": "a@example.com"})
    for text in ("fine " * 1000 + "[EMAIL_ADDRESS_1]", KEY):
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        expected = advance_response(AwaitsWhole(plan), ResponseBody(body, end_of_stream=True))[1]
        assert session().ask(ReadResponse(plan, TIME), body, monotonic() + TIME) == expected


@pytest.fixture
def stuck(session, pool):
    """Readers that never answer, as with a body that takes minutes."""
    session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME)
    stopped = list(pool._idle)
    for reader in stopped:
        signal.pidfd_send_signal(reader._handle, signal.SIGSTOP)
    yield
    for reader in [reader for reader in pool._idle if reader in stopped]:  # other tests share the pool
        signal.pidfd_send_signal(reader._handle, signal.SIGCONT)


@pytest.mark.usefixtures("stuck")
def test_work_that_is_late_is_killed(session, pool):
    """The caller gets its timeout, the process is gone, and the next request has a reader."""
    first = session()
    begun = monotonic()
    with pytest.raises(TimeoutError):
        first.ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + 0.2)
    assert monotonic() - begun < TIME / 2
    assert session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME).model == "alpha-8b"
    assert pool.processes <= MAX_READERS


@pytest.mark.usefixtures("stuck")
def test_work_that_nobody_waits_for_is_killed(session):
    """A client that goes does not leave work behind."""
    late, ended = session(), threading.Event()

    def ask() -> None:
        with pytest.raises(TimeoutError):
            late.ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME)
        ended.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while late._reader is None:
        sleep(0.01)
    late.close()
    assert ended.wait(TIME)
    thread.join()


def test_memory_that_is_used_up_is_an_answer_and_a_new_process(policy):
    """In a process whose bound is so low that any body passes it."""
    with pytest.raises(ReaderEndedError) as caught:
        _with_little_memory(policy, chat("word " * 400_000, x=[{"a": n} for n in range(300_000)]))
    assert caught.value.memory


def _with_little_memory(policy, body):
    code = (
        "import socket,sys;from vsr_runtime.server.readers import process;process.MEMORY=24<<20;"
        "process.main(socket.socket(fileno=int(sys.argv[1])))"
    )
    little = ReaderPool(*spawned_process("-c", code))
    try:
        little.session(Policy(1, policy.source), {}).ask(ReadRequest(STATE, TIME), body, monotonic() + TIME)
    finally:
        little.close()


def test_a_reader_that_dies_is_replaced(session, pool):
    """By the kernel's hand, for example."""
    assert session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME)
    for reader in list(pool._idle):
        signal.pidfd_send_signal(reader._handle, signal.SIGKILL)
    sleep(0.1)
    for _ in range(MAX_READERS):
        try:
            action = session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME)
        except ReaderEndedError:
            continue
    assert action.model == "alpha-8b"


def test_the_process_that_starts_readers_may_die(session, pool):
    """Another takes its place."""
    session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME)
    os.kill(_starter(pool), signal.SIGKILL)
    for reader in list(pool._idle):
        reader.kill()
    answers = []
    for _ in range(2 * MAX_READERS):
        try:
            answers.append(session().ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME).model)
        except ReaderEndedError:
            sleep(0.05)
    assert answers[-1] == "alpha-8b"


def _starter(pool) -> int:
    """The parent of a reader."""
    reader = pool._idle[0].process
    return int(Path(f"/proc/{reader}/stat").read_text().rpartition(")")[2].split()[1])


def test_only_large_bodies_go_to_a_reader(pool, policy):
    """Its failures are answers of the runtime, and counted."""
    generation = Generation(policy, None)
    killed: list[str] = []
    remote = RemoteReading(pool, killed.append)

    async def scenario():
        big = chat("word " * 100_000)
        assert remote.takes(generation, len(big), 0)
        assert remote.takes(generation, 1000, HEAVY_WORK)
        assert not remote.takes(generation, LARGE_BODY - 1, 0)
        good = await remote.request(generation, STATE, big, monotonic() + TIME)
        for reader in list(pool._idle):
            signal.pidfd_send_signal(reader._handle, signal.SIGSTOP)
        return good, await remote.request(generation, STATE, big, monotonic() + 0.2)

    good, late = asyncio.run(scenario())
    assert good.model == "alpha-8b"
    assert (late.status, late.cause) == (503, Cause.TIMEOUT)
    assert killed == ["timeout"]


def test_a_session_waits_for_results_and_goes_on(policy):
    """The state stays in the reader between two orders."""
    reader = process.Reader(settings.machine_config(policy))
    done = reader.answer(ReadRequest(STATE, TIME), chat("hello"))
    assert reader.idle
    assert not isinstance(done.action, NeedSignals)
    failed = reader.answer(Resume(SignalsReady()), b"")
    assert (failed.why, failed.text) == ("error", "OutOfOrderError")


@pytest.mark.usefixtures("stuck")
def test_last_reader_is_for_other_clients(pool, policy):
    """A client whose bodies hold all it may have waits for one of them; another client's body is read."""
    one = Policy(1, policy.source)
    readers = [pool.lease(one, b"many", monotonic() + TIME) for _ in range(MAX_READERS - 1)]
    with pytest.raises(TimeoutError):
        pool.lease(one, b"many", monotonic() + 0.2)
    session = pool.session(one, {guard.name: guard for guard in policy.program.guards}, b"one")
    assert session.ask(ReadRequest(STATE, TIME), chat("hello"), monotonic() + TIME).model == "alpha-8b"
    for reader in readers:
        reader.kill()
        pool.discard(reader)
    pool.give_back(pool.lease(one, b"many", monotonic() + TIME))
    assert pool._leased.total == 0
