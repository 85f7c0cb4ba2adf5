"""One request cannot take a process: what takes too long or too much memory is rejected, and others go on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running, wait_until
from vsr_runtime.sandbox.backend import Backend

pytestmark = [*REAL_ENVOY, pytest.mark.subprocess]
POLICY = """
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: bounded}
router: {image: "vsr-runtime:0.1.0", deadline: 3s}
endpoints: {alpha: {vllm: {}}, beta: {vllm: {}}}
models:
  alpha-8b: {checkpoint: meta-llama/Llama-3.1-8B-Instruct, endpoints: [alpha]}
  beta-8b: {checkpoint: microsoft/Phi-4-mini-instruct, endpoints: [beta]}
categories:
  math: {description: Numbers, examples: ["2+2 is", "Solve x^2 = 9.", "Is 91 prime?", "7 times 8", "15% of 240"]}
guards:
  secrets: {patterns: builtin, action: block, on: both, maxTokens: 4000000}
  addresses: {types: [URL, EMAIL_ADDRESS], action: mask, unmask: true, maxTokens: 4000000}
  orders: {patterns: injection, action: block, maxTokens: 4000000}
routes: [{name: math, when: {category: math}, model: beta-8b}]
default: alpha-8b
"""
MIB = 1 << 20
MAX_GROWTH = 300 * MIB
LATE = {(503, "classifier_timeout"), (503, "classifier_overloaded"), (504, "")}
"""Answers to large bodies on a busy machine."""


@pytest.fixture(scope="module", params=["nghttp2", "grpc"])
def gateway(request, tmp_path_factory):
    """The gateway, served by each transport."""
    if request.param == "nghttp2":
        pytest.importorskip("cffi")
    folder = tmp_path_factory.mktemp(request.param)
    with compiled_sandbox(folder, POLICY, transport=request.param, backend=Backend) as running:
        assert running.send(chat("hello"))[0] == 200
        yield running


def chat(text: str, model: str = "alpha-8b") -> bytes:
    """A chat with one message."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}, ensure_ascii=False).encode()


def nested(levels: int, size: int = 0) -> bytes:
    """A text of which each undoing of escapes leaves one escape."""
    return chat(r"\u005c" + "u005c" * levels + "A" * size)


def result(running: Running, body: bytes) -> tuple[int, str]:
    """The status and the code of an error."""
    status, _, data = running.send(body)
    try:
        return status, json.loads(data)["error"]["code"]
    except (ValueError, KeyError):
        return status, ""


class Others:
    """Small requests of other clients, as long as the attack takes."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._stop = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.memory = 0
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        while not self._stop.wait(0.02):
            self.statuses[self._running.send(chat("hi"))[0]] += 1
            self.memory = max(self.memory, memory(self._running))

    def __enter__(self):
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    @property
    def share(self) -> float:
        """The share that was served."""
        return self.statuses[200] / max(1, self.statuses.total())


def server(running: Running) -> int:
    """The process id of the server."""
    return running.sandbox.pids["the runtime"]


def memory(running: Running) -> int:
    """The resident set of the server, in bytes."""
    page = Path(f"/proc/{server(running)}/status").read_text(encoding="utf-8")
    return int(page.partition("VmRSS:")[2].split()[0]) << 10


def ticks(running: Running) -> int:
    """The CPU time of the server and of the processes that it has started, in ticks."""
    processes = {server(running)}
    for _ in range(3):  # its children, theirs, and once more
        for path in Path("/proc").glob("[0-9]*/stat"):
            fields = _fields(path)
            if fields and int(fields[1]) in processes:
                processes.add(int(path.parent.name))
    found = [_fields(Path(f"/proc/{process}/stat")) for process in processes]
    return sum(int(fields[11]) + int(fields[12]) for fields in found if fields)


def _fields(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def idle(running: Running) -> bool:
    """Whether nothing works any more: no tick in a row of looks."""
    before = ticks(running)
    threading.Event().wait(0.3)
    return ticks(running) - before <= 3


def attack(running: Running, bodies: list[bytes], threads: int = 2) -> list[tuple[int, str]]:
    """Send bodies while others send theirs, and check what holds of every attack."""
    before = memory(running)
    with Others(running) as others, ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(lambda body: result(running, body), bodies))
        wait_until(lambda: others.statuses.total() >= 10)
    assert others.share >= 0.9, others.statuses
    assert others.memory - before <= MAX_GROWTH
    wait_until(lambda: idle(running))
    assert not [line for line in running.lines if "internal error" in line or "RecursionError" in line]
    running.sandbox.check()
    return results


def test_escapes_within_escapes_are_rejected(gateway):
    """Of any number and in a text of any length: an answer at once, never an internal error."""
    bodies = [nested(levels) for levels in (900, 1000, 2000)]
    bodies += [nested(700, 180_000)] * 2 + [nested(190, 7_900_000)] * 2
    results = attack(gateway, bodies)
    assert set(results[:3]) == {(413, "too_complex:orders")}
    assert set(results) <= {(413, "too_complex:orders"), *LATE}


def test_millions_of_lists_are_rejected_and_stall_nobody(gateway):
    """A legal body of 7.8 MiB, by two clients in a loop."""
    lists = b",".join([b"[" * 120 + b"]" * 120] * (int(7.8 * MIB) // 241))
    body = b'{"model":"auto","messages":[{"role":"user","content":"hi"}],"z":[' + lists + b"]}"
    results = attack(gateway, [body] * 8)
    assert set(results) <= {
        (413, "too_complex"),
        (503, "classifier_timeout"),
        (503, "classifier_overloaded"),
        (504, ""),
    }


def test_brackets_after_an_address_are_read_like_any_text(gateway):
    """Also 256 KiB of them."""
    bodies = [chat("http://a.b/" + ")" * size) for size in (16 << 10, 31 << 10, 100 << 10, 256 << 10)]
    assert set(attack(gateway, bodies)) <= {(200, ""), (503, "guard_failed:addresses"), *LATE}


@pytest.mark.parametrize("piece", ["x", "0123456789", "QUJDRGVm+/", "😀", "e\u0301"])
def test_word_without_an_end_stops_nobody(gateway, piece):
    """Of 5 MiB, for the classifier: it is classified by its beginning, or late by itself."""
    body = chat(piece * (5 * MIB // len(piece.encode())), "auto")
    results = attack(gateway, [body] * 3)
    assert set(results) <= {(200, ""), (503, "guard_failed:addresses"), *LATE}
    assert gateway.send(chat("What is 7 times 8?", "auto"))[0] == 200
