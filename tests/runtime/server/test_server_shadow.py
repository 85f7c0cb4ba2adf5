from __future__ import annotations

import asyncio
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.candidates import MODEL, OTHER, PROMPTS, Served, edit, lines, serve
from support.played_gateway import request_body, request_headers, samples
from support.properties import examples
from support.runtime_fakes import DATA, Classification, FakeClassifier
from vsr_runtime.decision.request.ending import Ending
from vsr_runtime.decision.request.events import Cause, Failure, SignalsReady
from vsr_runtime.inference.attention_pooling import AttentionPooling
from vsr_runtime.server.file_reads import FileReads
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.shadow import shadow as shadow_module
from vsr_runtime.server.shadow.budget import BURST, IDLE, SHARE, CpuBudget
from vsr_runtime.server.shadow.classifiers import BorrowedPool, RecordingPool, candidate_generation, record
from vsr_runtime.server.shadow.encoders import REMEMBERED, RememberingEncoder, SharedEncoders
from vsr_runtime.server.shadow_metrics import MAX_PAIRS


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Folders of the active policy and of a candidate that sends mathematics to the other model."""
    active, candidate = (Path(shutil.copytree(DATA / "router", tmp_path / name)) for name in ("active", "candidate"))
    edit(candidate / "config.yaml", MODEL, OTHER)
    return active, candidate


def test_candidate_is_compared_and_the_active_policy_serves(gateway, folders, chat, capfd):
    """Candidate is compared and the active policy serves."""

    async def scenario(served: Served):
        await served.ask(*(chat(content=prompt) for prompt in PROMPTS))
        assert served.shown("vsr_shadow_requests_total") == {
            '{outcome="same"}': 3,
            '{outcome="different"}': 2,
            '{outcome="undecided"}': 1,
        }
        assert served.shown("vsr_shadow_changed_total") == {'{change="model"}': 2}
        assert served.shown("vsr_shadow_models_total") == {'{active="phi4-mini",candidate="llama3-8b"}': 2}
        assert not served.shown("vsr_shadow_routes_total")
        assert served.shown("llm_model_requests_total")['{model="phi4-mini"}'] == 2

    serve(gateway, folders, scenario)
    found = lines(capfd, "shadow_differs")
    assert [line["request"] for line in found] == ["r0", "r3"]
    assert found[0]["active"] == "phi4-mini by math"
    assert found[0]["candidate"] == "llama3-8b by math"
    assert not [word for line in found for word in ("2+2", "times") if word in json.dumps(line)]


def test_answers_with_a_candidate_are_those_without_byte_for_byte(gateway, exchange, folders, settings, chat):
    """Answers with a candidate are those without byte for byte."""
    bodies = [
        *(chat(content=prompt) for prompt in PROMPTS),
        chat("phi4-mini"),
        chat("no-such-model"),
        b"{",
        b"[" * 4000,
        chat(content=[{"type": "text", "text": "7"}]),
    ]

    async def with_candidate(served: Served):
        return await served.ask(*bodies)

    without = [
        [message.SerializeToString() for message in exchange(settings, request_headers(), request_body(body))[0]]
        for body in bodies
    ]
    assert serve(gateway, folders, with_candidate) == without


def test_request_that_is_refused_before_its_body_is_compared(gateway, folders):
    """Request that is refused before its body is compared."""

    async def scenario(served: Served):
        await served.envoy.send(request_headers(**{":path": "/nowhere"}))
        await served.shadow.settled()
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="same"}': 1}

    serve(gateway, folders, scenario)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.yaml", "{"),
        ("config.yaml", "version: v9"),
        ("runtime.yaml", "apiVersion: nothing"),
        ("runtime.yaml", "a: &a [*a, *a]"),
    ],
)
def test_broken_candidate_is_a_log_line_and_a_metric(gateway, folders, chat, capfd, file, text):
    """Broken candidate is a log line and a metric."""

    async def scenario(served: Served):
        (folders[1] / file).write_text(text)
        await served.look()
        await served.look()
        answers = await served.ask(chat())
        assert len(answers[0]) == 2
        assert ['state="refused"' in labels for labels in served.shown("vsr_shadow_candidate_info")] == [True]
        assert not served.shown("vsr_shadow_requests_total")
        shutil.copyfile(folders[0] / file, folders[1] / file)
        await served.look()
        assert ['state="loaded"' in labels for labels in served.shown("vsr_shadow_candidate_info")] == [True]

    serve(gateway, folders, scenario)
    assert len(lines(capfd, "shadow_refused")) == 1


def test_candidate_whose_classifier_does_not_load_is_refused(gateway, folders, chat):
    """Candidate whose classifier does not load is refused."""

    def load_classifier(policy):
        if policy.folder == folders[1]:
            raise MemoryError
        return FakeClassifier()

    async def scenario(served: Served):
        await served.ask(chat())
        assert ['state="refused"' in labels for labels in served.shown("vsr_shadow_candidate_info")] == [True]

    serve(gateway, folders, scenario, load_classifier)


def test_candidate_that_fails_in_a_decision_is_counted_and_nothing_else(gateway, folders, chat, monkeypatch, capfd):
    """Candidate that fails in a decision is counted and nothing else."""

    def fail(*_):
        raise LookupError("2+2")

    async def scenario(served: Served):
        monkeypatch.setattr(shadow_module, "advance", fail)
        answers = await served.ask(*[chat()] * 10)
        assert all(len(answer) == 2 for answer in answers)
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="failed"}': 10}

    serve(gateway, folders, scenario)
    found = lines(capfd, "shadow_failed")
    assert len(found) == shadow_module.SAMPLES
    assert all(line["error"] == "LookupError" for line in found)


def test_candidate_follows_its_files_and_ends_with_them(gateway, folders, chat):
    """Candidate follows its files and ends with them."""

    async def scenario(served: Served):
        edit(folders[1] / "config.yaml", OTHER, MODEL)
        await served.look()
        await served.ask(chat())
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="same"}': 1}
        shutil.rmtree(folders[1])
        await served.look()
        assert served.shadow.candidate is None
        assert not served.shown("vsr_shadow_candidate_info")
        await served.ask(chat())
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="same"}': 1}

    serve(gateway, folders, scenario)


def test_candidate_is_compared_with_the_active_policy_after_its_reload(gateway, folders, chat):
    """Candidate is compared with the active policy after its reload."""

    async def scenario(served: Served):
        edit(folders[0] / "config.yaml", MODEL, OTHER)
        await served.reload()
        await served.look()
        await served.ask(chat())
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="same"}': 1}

    serve(gateway, folders, scenario)


def test_requests_beyond_the_cpu_budget_are_skipped_and_counted(gateway, folders, chat):
    """Requests beyond the CPU budget are skipped and counted."""
    budget = CpuBudget(used=lambda: 0.0, clock=lambda: 0.0)
    budget.spend(BURST)

    async def scenario(served: Served):
        await served.ask(chat(), chat())
        assert served.shown("vsr_shadow_skipped_total") == {'{reason="cpu"}': 2}
        assert not served.shown("vsr_shadow_requests_total")

    serve(gateway, folders, scenario, budget=budget)


def test_slow_candidate_delays_no_answer_and_its_queue_is_bounded(gateway, folders, chat, monkeypatch):
    """Slow candidate delays no answer and its queue is bounded."""
    monkeypatch.setattr(shadow_module, "MAX_WAITING", 3)
    release = threading.Event()

    class Slow:
        def classify(self, text: str) -> Classification:
            assert text != "2+2 is" or release.wait(30)
            return Classification("math", 0.9)

    def load_classifier(policy):
        return Slow() if policy.folder == folders[1] else FakeClassifier()

    async def scenario(served: Served):
        for _ in range(10):
            responses, _ = await served.envoy.send(request_headers(), request_body(chat()))
            assert len(responses) == 2
        assert served.shown("vsr_shadow_skipped_total")['{reason="queue"}'] >= 6
        release.set()
        await served.shadow.settled()

    serve(gateway, folders, scenario, load_classifier)


def test_large_body_is_not_compared(gateway, folders, chat):
    """Large body is not compared."""

    async def scenario(served: Served):
        await served.ask(chat(content="7" * (300 << 10)))
        assert served.shown("vsr_shadow_skipped_total") == {'{reason="large"}': 1}

    serve(gateway, folders, scenario)


def test_candidate_reads_tighter_limits_of_the_place_that_it_would_serve_at(gateway, folders, chat):
    """Candidate reads tighter limits of the place that it would serve at."""
    limit = "limits: {maxBody: 1048576, maxMessage: 1114112, models: {phi4-mini: {maxBody: 1024}}}"
    text = (folders[0] / "runtime.yaml").read_text()
    assert "\nlimits:" in text
    kept = [line for line in text.splitlines() if not line.startswith("limits:")]
    (folders[0] / "runtime.yaml").write_text("\n".join([*kept, limit]))
    edit(folders[1] / "config.yaml", OTHER, MODEL)

    async def scenario(served: Served):
        await served.ask(chat("phi4-mini", "word " * 1000))
        assert served.shown("vsr_shadow_requests_total") == {'{outcome="same"}': 1}

    serve(gateway, folders, scenario)


# --- the budget


def test_candidate_uses_no_more_than_its_share_of_the_servers_cpu():
    """Candidate uses no more than its share of the server's CPU."""
    used, now = [0.0], [0.0]
    budget = CpuBudget(lambda: used[0], lambda: now[0])
    spent = 0.0
    for _ in range(100_000):
        used[0] += 130e-6
        now[0] += 140e-6
        if budget.ready():
            spent += 50e-6
            used[0] += 50e-6
            budget.spend(50e-6)
    assert spent <= SHARE * used[0] + BURST + 50e-6
    assert spent >= SHARE * used[0] * 0.9


def test_candidate_of_an_idle_server_may_use_some_of_a_core():
    """Candidate of an idle server may use some of a core."""
    now = [0.0]
    budget = CpuBudget(lambda: 0.0, lambda: now[0])
    budget.spend(BURST)
    assert not budget.ready()
    now[0] += 1.0
    assert budget.ready()
    budget.spend(IDLE)
    assert not budget.ready()


# --- what is computed once


class Encoder:
    """Counts the texts that it embeds."""

    dimension = 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts, layer="last"):
        """Embed texts."""
        self.texts += texts
        return np.array([[len(text), 2 if layer == "middle" else 1] for text in texts], np.float32)

    def embed_ids(self, sequences, layer="last"):
        """Embed sequences of token ids."""
        return self.embed([str(ids) for ids in sequences], layer)


def test_text_that_one_policy_has_read_is_not_read_again_for_the_other():
    """Text that one policy has read is not read again for the other."""
    inner = Encoder()
    encoder = RememberingEncoder(inner)
    assert encoder.embed(["one", "three"]).tolist() == [[3, 1], [5, 1]]
    assert encoder.embed(["three"]).tolist() == [[5, 1]]
    assert inner.texts == ["one", "three"]
    assert encoder.embed_ids([[1, 2], [1, 2]]).tolist() == [[6, 1]] * 2
    assert inner.texts == ["one", "three", "[1, 2]"]
    assert encoder.embed(["one"], "middle").tolist() == [[3, 2]]
    assert encoder.embed_ids([[1, 2]], "middle").tolist() == [[6, 2]]
    encoder.embed([str(number) for number in range(REMEMBERED)])
    assert len(encoder._known) == REMEMBERED


def test_a_text_is_read_once_for_each_pooling():
    """Equal queries are one pooling, whoever loaded them; another pooling is no known one."""

    class Pools(Encoder):
        def embed(self, texts, layer="last"):
            super().embed(texts)
            return np.array([[len(text), layer.queries[0, 0]] for text in texts], np.float32)

    first, equal, other = (AttentionPooling(np.full((1, 2), number, np.float32)) for number in (3, 3, 4))
    inner = Pools()
    encoder = RememberingEncoder(inner)
    for _ in range(2):
        assert encoder.embed(["one"], first).tolist() == [[3, 3]]
        assert encoder.embed(["one"], equal).tolist() == [[3, 3]]
        assert encoder.embed(["one"], other).tolist() == [[3, 4]]
        assert encoder.embed_ids([[1, 2]], first).tolist() == [[6, 3]]
        assert encoder.embed_ids([[1, 2]], other).tolist() == [[6, 4]]
    assert inner.texts == ["one", "one", "[1, 2]", "[1, 2]"]


def test_two_policies_with_one_encoder_load_it_once(settings):
    """Two policies with one encoder load it once."""
    loaded = []
    encoders = SharedEncoders(lambda _: loaded.append(1) or Encoder())
    one = settings.classifier.encoder
    assert encoders.opened(one) is encoders.opened(one.model_copy())
    assert loaded == [1]
    assert encoders.opened(one.model_copy(update={"precision": "fp32"})) is not encoders.opened(one)


class Engine:
    """A pool that counts what it is asked."""

    healthy = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting = 0
        self.closed = False

    async def signals(self, text, _until, _kinds=frozenset()):
        """Evaluate signals."""
        self.asked.append(text)
        return SignalsReady(text)

    async def looks(self, texts, _until):
        """Run detectors."""
        self.asked += [f"{name}:{text}" for name, some in texts.items() for text in some]
        return {name: [] for name in texts}

    def close(self):
        """Close it."""
        self.closed = True


def test_engine_of_equal_classifiers_is_shared_and_asked_once_for_a_text():
    """Engine of equal classifiers is shared and asked once for a text."""
    engine, spent = Engine(), []

    async def scenario():
        active = RecordingPool(engine)
        candidate = BorrowedPool(active, spent.append)
        kinds = frozenset({"category"})
        await active.signals("a", 1.0, kinds)
        await active.looks({"pii": ["a"]}, 1.0)
        assert await candidate.signals("a", 1.0, kinds) == SignalsReady("a")
        assert await candidate.looks({"pii": ["a"]}, 1.0) == {"pii": []}
        assert engine.asked == ["a", "pii:a"]
        await candidate.signals("b", 1.0, kinds)
        await active.signals("a", 1.0, kinds)
        assert engine.asked == ["a", "pii:a", "b", "a"]
        assert len(spent) == 1
        engine.waiting = 7
        assert await candidate.signals("c", 1.0, kinds) == Failure(Cause.OVERLOADED)
        assert await candidate.looks({"pii": ["c"]}, 1.0) == {"pii": Cause.OVERLOADED}
        candidate.close()
        assert not engine.closed

    asyncio.run(scenario())


def test_candidate_with_the_same_engine_loads_none(settings):
    """Candidate with the same engine loads none."""
    shared = replace(settings, engine=settings.classifiers)
    other = settings.classifiers["domain"].model_copy(update={"threshold": 0.9})

    def load_classifier(_):
        raise LookupError

    async def scenario():
        active = Generation(shared, Engine())
        record(active)
        spend = [].append
        made = await candidate_generation(shared, active, load_classifier, spend, FileReads(), "0")
        assert isinstance(made.pool, BorrowedPool)
        changed = replace(shared, classifiers={"domain": other})
        with pytest.raises(LookupError):
            await candidate_generation(changed, active, load_classifier, spend, FileReads(), "0")

    asyncio.run(scenario())


# --- labels


NAMES = st.text("abc", min_size=1, max_size=3)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=400))
@examples(30)
def test_series_of_differences_are_bounded(pairs):
    """Series of differences are bounded."""
    metrics = Metrics()
    metrics.shadow.begin()
    for one, other in pairs:
        metrics.shadow.compared(Ending(one, one, guards=frozenset({one})), Ending(other, other))
    for name in ("models", "routes", "guards"):
        assert len(samples(metrics, f"vsr_shadow_{name}_total{{")) <= MAX_PAIRS + 1
    counted = sum(float(line.split()[1]) for line in samples(metrics, "vsr_shadow_models_total{"))
    assert counted == sum(one != other for one, other in pairs)


def test_server_without_a_candidate_shows_no_series_of_one():
    """Server without a candidate shows no series of one."""
    assert not samples(Metrics(), "vsr_shadow")
