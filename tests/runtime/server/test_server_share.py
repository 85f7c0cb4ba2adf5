from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.candidates import MODEL, OTHER, PROMPTS, Served, edit, lines, serve
from support.played_gateway import request_body, request_headers
from support.properties import examples
from support.runtime_fakes import DATA, FakeClassifier
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.share import drawn_by, is_drawn
from vsr_runtime.decision.request.states import AwaitsHeaders
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.shadow import share as share_module
from vsr_runtime.settings import load

MATHS = [f"{number} plus {number}" for number in range(40)]


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Folders of the active policy and of a candidate that sends mathematics to the other model."""
    active, candidate = (Path(shutil.copytree(DATA / "router", tmp_path / name)) for name in ("active", "candidate"))
    edit(candidate / "config.yaml", MODEL, OTHER)
    return active, candidate


def models(answers: list[list[bytes]]) -> list[str]:
    """The model of each answer."""
    names = ("llama3-8b", "phi4-mini")
    return [next((name for name in names if name.encode() in answer[-1]), "") for answer in answers]


@given(st.lists(st.binary(max_size=20), min_size=1, unique=True), st.floats(0, 100), st.floats(0, 100))
@examples(100)
def test_conversation_within_a_share_is_within_every_larger_one(keys, one, other):
    """Conversation within a share is within every larger one."""
    small, large = sorted((one, other))
    assert all(is_drawn(key, large) for key in keys if is_drawn(key, small))
    assert not any(is_drawn(key, 0) for key in keys)
    assert all(is_drawn(key, 100) for key in keys)


def test_share_of_many_conversations_is_what_was_asked():
    """Share of many conversations is what was asked."""
    for percent in (1, 10, 25, 50):
        drawn = sum(is_drawn(b"%d" % number, percent) for number in range(20_000))
        assert abs(drawn / 200 - percent) < 0.8


def test_requests_of_a_conversation_are_drawn_alike(folders, chat):
    """Requests of a conversation are drawn alike, and those without one by themselves."""
    config = Generation(load(folders[0] / "config.yaml"), None).rules

    def key(body: bytes, request: str = "r1") -> bytes:
        state, _ = advance(config, AwaitsHeaders(), request_event(request))
        return drawn_by(config, state, body, lambda: False)[0]

    first = {"role": "user", "content": "How do I sort a list?"}
    more = [first, {"role": "assistant", "content": "So."}, {"role": "user", "content": "And backwards?"}]
    bodies = [json.dumps({"model": "auto", "messages": messages}).encode() for messages in ([first], more)]
    assert key(bodies[0], "r1") == key(bodies[1], "r2") != key(chat(content="Something else"))
    users = [
        json.dumps({"model": "auto", "user": "u1", "messages": [{"role": "user", "content": text}]}).encode()
        for text in ("one", "two")
    ]
    assert key(users[0]) == key(users[1])
    for unreadable in (b"", b"{", b"[]", b"\xff", b'{"model": "auto", "messages": 5}', b"[" * 5000):
        assert key(unreadable, "r1") == b"r1"
        assert key(unreadable, "r2") == b"r2"


def request_event(request: str):
    """The headers of a request."""
    from vsr_runtime.server.wire import to_event  # noqa: PLC0415 - builds protobuf classes

    return to_event(request_headers(x_request_id=request), announced=False)


@pytest.mark.parametrize("percent", [30.0, 100.0])
def test_candidate_decides_its_share_and_the_other_policy_is_compared(gateway, folders, chat, capfd, percent):
    """Candidate decides its share, the active policy the rest, and the other one is compared."""

    async def scenario(served: Served):
        answers = await served.ask(*(chat(content=prompt) for prompt in MATHS))
        by_candidate = models(answers).count("llama3-8b")
        assert by_candidate == 40 if percent == 100 else 0 < by_candidate < 40
        requests = served.shown("vsr_policy_requests_total")
        assert requests.pop('{outcome="model",policy="candidate"}', 0) == by_candidate
        assert sum(requests.values()) == 40 - by_candidate
        assert served.shown("vsr_policy_models_total").get('{model="llama3-8b",policy="candidate"}') == by_candidate
        assert served.shown("vsr_shadow_models_total") == {'{active="phi4-mini",candidate="llama3-8b"}': 40}
        assert samples_of(served, "vsr_candidate_share") == [f"vsr_candidate_share {percent / 100}"]
        again = await served.ask(*(chat(content=prompt) for prompt in MATHS))
        assert models(again) == models(answers)

    serve(gateway, folders, scenario, share=percent, budget=Unbounded())
    assert {line["active"] for line in lines(capfd, "shadow_differs")} == {"phi4-mini by math"}


class Unbounded:
    """A CPU budget without end."""

    def ready(self) -> bool:
        """Return that some is left."""
        return True

    def spend(self, _: float) -> None:
        """Spend nothing."""


def samples_of(served: Served, name: str) -> list[str]:
    """The lines of a metric."""
    return [line for line in served.metrics.text().decode().splitlines() if line.startswith(name)]


def test_answers_of_the_active_share_are_those_without_a_candidate(gateway, exchange, folders, settings, chat):
    """Answers of the active policy's share are those without a candidate, byte for byte."""
    bodies = [chat(content=prompt) for prompt in (*MATHS, *PROMPTS)]
    bodies += [chat("phi4-mini"), chat("no-such-model"), b"{", b"[" * 4000]

    async def with_candidate(served: Served):
        return await served.ask(*bodies)

    def alone(policy):
        return [
            [m.SerializeToString() for m in exchange(policy, request_headers(x_request_id=f"r{n}"), request_body(b))[0]]
            for n, b in enumerate(bodies)
        ]

    by_active, by_candidate = alone(settings), alone(load(folders[1] / "config.yaml"))
    shared = serve(gateway, folders, with_candidate, share=40)
    assert all(
        answer in {0: (one,), 1: (one, other)}[one != other]
        for answer, one, other in zip(shared, by_active, by_candidate, strict=True)
    )
    differing = [
        answer == other for answer, one, other in zip(shared, by_active, by_candidate, strict=True) if one != other
    ]
    assert 0 < sum(differing) < len(differing)


@pytest.mark.parametrize("wrong", ["config", "model", "keys"])
def test_active_policy_decides_all_of_it_if_the_candidate_cannot(gateway, folders, chat, capfd, wrong):
    """Active policy decides all of it if the candidate cannot: it is broken, or its models are not at the gateway."""
    config = folders[1] / "config.yaml"
    if wrong == "config":
        config.write_text("{")
    elif wrong == "model":
        config.write_text(config.read_text().replace("llama3-8b", "other"))
    else:
        edit(folders[1] / "runtime.yaml", "deadline:", "responseHeaders: always\ndeadline:")

    async def scenario(served: Served):
        assert set(models(await served.ask(*(chat(content=prompt) for prompt in MATHS)))) == {"phi4-mini"}
        assert samples_of(served, "vsr_candidate_share") == ["vsr_candidate_share 0.0"]
        assert served.shown("vsr_candidate_fallbacks_total") == {'{reason="missing"}': 40}
        shutil.copyfile(folders[0] / "config.yaml", config)
        shutil.copyfile(folders[0] / "runtime.yaml", folders[1] / "runtime.yaml")
        edit(config, MODEL, OTHER)
        await served.look()
        assert "llama3-8b" in models(await served.ask(*(chat(content=prompt) for prompt in MATHS)))

    serve(gateway, folders, scenario, share=50)
    assert len(lines(capfd, "shadow_refused" if wrong == "config" else "share_refused")) == 1


def test_active_policy_decides_if_the_candidate_fails_in_a_decision(gateway, folders, chat, capfd):
    """Active policy decides if the candidate fails in a decision, and it is counted and logged."""

    class Broken(FakeClassifier):
        def classify(self, text: str):
            if "plus" in text:
                raise RuntimeError(text)
            return super().classify(text)

    def load_classifier(policy):
        return Broken() if policy.folder == folders[1] else FakeClassifier()

    async def scenario(served: Served):
        assert models(await served.ask(*(chat(content=prompt) for prompt in MATHS))) == ["phi4-mini"] * 40
        assert served.shown("vsr_candidate_fallbacks_total") == {'{reason="broken"}': 40}
        assert served.shown("vsr_policy_requests_total") == {'{outcome="fallback",policy="candidate"}': 40}

    serve(gateway, folders, scenario, load_classifier, share=100)
    found = lines(capfd, "candidate_failed")
    assert len(found) == 40
    assert "plus" not in json.dumps(found)


def test_fault_of_the_candidate_with_headers_leaves_them_to_the_active_policy(gateway, folders, chat, monkeypatch):
    """Fault of the candidate with headers leaves them to the active policy."""

    def fails(*_):
        raise RuntimeError

    async def scenario(served: Served):
        monkeypatch.setattr(share_module, "advance", fails)
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        assert served.shown("vsr_candidate_fallbacks_total") == {'{reason="headers"}': 1}

    serve(gateway, folders, scenario, share=100)


def test_fault_of_the_candidate_leaves_the_decision_to_the_active_policy(gateway, folders, chat, monkeypatch):
    """Fault of the candidate leaves the decision to the active policy."""

    async def scenario(served: Served):
        generation = served.shadow.share.generation

        async def fails(*_):
            raise RuntimeError

        monkeypatch.setattr(generation, "signals", fails)
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        assert served.shown("vsr_candidate_fallbacks_total") == {'{reason="failed"}': 1}

    serve(gateway, folders, scenario, share=100)


def test_candidate_changes_while_requests_are_open(gateway, folders, chat):
    """Candidate changes while requests are open: each is decided by the candidate with which it began."""

    async def scenario(served: Served):
        call = served.envoy.open()
        await call.write(request_headers(x_request_id="r1"))
        await call.read()
        edit(folders[1] / "config.yaml", OTHER, MODEL)
        await served.look()
        await call.write(request_body(chat(content="2 plus 2")))
        answer = await call.read()
        await call.done_writing()
        assert models([[answer.SerializeToString()]]) == ["llama3-8b"]
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        edit(folders[0] / "config.yaml", "Mathematics goes", "All mathematics goes")
        await served.reload()
        before = served.shown("vsr_candidate_fallbacks_total").get('{reason="missing"}', 0)
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        assert served.shown("vsr_candidate_fallbacks_total")['{reason="missing"}'] == before + 1
        await served.look()
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        (folders[1] / "config.yaml").unlink()
        await served.look()
        assert models(await served.ask(chat(content="2 plus 2"))) == ["phi4-mini"]
        await asyncio.sleep(0)

    serve(gateway, folders, scenario, share=100)


def test_large_body_is_drawn_as_the_first_request_of_its_conversation(gateway, folders, chat):
    """Large body is drawn as the first request of its conversation."""
    for file in ("active", "candidate"):
        edit(
            folders[0].parent / file / "runtime.yaml",
            "{maxBody: 262144, maxMessage: 327680}",
            "{maxBody: 1048576, maxMessage: 1114112}",
        )

    async def scenario(served: Served):
        for prompt in MATHS[:6]:
            first = {"role": "user", "content": prompt}
            long = [first, {"role": "assistant", "content": "x " * 200_000}, {"role": "user", "content": "go on"}]
            body = json.dumps({"model": "auto", "messages": long}).encode()
            await served.ask(chat(content=prompt), body)
        requests = served.shown("vsr_policy_requests_total")
        for policy in ("active", "candidate"):  # the models cannot hold the long ones
            counts = [requests[f'{{outcome="{outcome}",policy="{policy}"}}'] for outcome in ("model", "refusal")]
            assert counts[0] == counts[1] > 0

    serve(gateway, folders, scenario, share=50)
