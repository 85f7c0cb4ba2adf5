"""New pods of a router are judged by metrics of real runtimes, with the emitted queries and a real Prometheus."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from support.common import SMALL, linked
from support.compiled_program import loaded
from support.played_gateway import connected, request_body, request_headers
from support.prometheus import Page, recorded
from support.rendering import objects
from support.rollout_controller import run
from support.runtime_fakes import FakeClassifier
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.server.transport.stream import TRANSPORTS

ROLLOUT = """\
router:
  image: registry.example/vsr-runtime:0.1.0
  replicas: 4
  rollout:
    controller: argo-rollouts
    steps: [{weight: 25, pause: 10m}, {weight: 50, pause: 5m}]
    analysis: {prometheus: "http://prometheus:9090", minRequests: 20, latency: 500ms}
"""
GUARD = "guards: {pii: {types: [EMAIL_ADDRESS], action: block}}\n"
POLICY = SMALL.replace('router: {image: "registry.example/vsr-runtime:0.1.0"}\n', ROLLOUT) + GUARD
NAMESPACE = "vllm-semantic-router-system"
OLD, NEW = "5d8f7c9b44", "7c6d5b8f99"
PROMPTS = ["2+2 is", "hello", "Linux is", "write to jane.doe@example.org"]
STEP, START = 15, 1_790_000_000
SCRAPES = 61


class Broken(FakeClassifier):
    """Fails on every prompt."""

    def classify(self, text: str):
        """Raise."""
        raise RuntimeError(text)


class Slow(FakeClassifier):
    """Takes longer for a quarter of the prompts than the policy allows for 95 % of them."""

    def classify(self, text: str):
        """Wait, and classify."""
        if "Linux" in text:
            time.sleep(0.7)
        return super().classify(text)


def pages(pod: str, text: str, classifier=None, rounds: int = 24, change: int = 0) -> list[Page]:
    """The pages of a real runtime that gets all prompts in each round, between equal numbers of scrapes.

    From the round `change` on it gets only the prompts that no guard matches.
    """
    settings = loaded(text)

    async def served() -> list[str]:
        metrics = Metrics(settings.program)
        texts = [metrics.text().decode()]
        listen = choose_transport(TRANSPORTS[-1])
        async with partial(connected, listen)(settings, classifier=classifier, metrics=metrics) as envoy:
            for number in range(rounds):
                for prompt in PROMPTS if not change or number < change else PROMPTS[:1]:
                    body = f'{{"model": "auto", "messages": [{{"role": "user", "content": "{prompt}"}}]}}'.encode()
                    await envoy.send(request_headers(), request_body(body))
                texts.append(metrics.text().decode())
        return texts

    texts = asyncio.run(served())
    return [
        (START + STEP * scrape, pod, texts[scrape * (len(texts) - 1) // (SCRAPES - 1)]) for scrape in range(SCRAPES)
    ]


@pytest.fixture(scope="module")
def emitted():
    """The Rollout and the AnalysisTemplate."""
    found = {item.kind: item.body for item in objects(linked(POLICY), "istio")}
    return found["Rollout"], found["AnalysisTemplate"]


@pytest.fixture(scope="module")
def old() -> list[Page]:
    """The pages of an old pod."""
    return pages(f"semantic-router-{OLD}-abcde", POLICY)


CASES = {
    "good": ({}, "promoted", {}),
    "errors": ({"classifier": Broken()}, "aborted", {"errors": "Failed"}),
    "no guard": ({"text": POLICY.replace(GUARD, "")}, "aborted", {"guard-hits": "Failed"}),
    "slow": ({"classifier": Slow(), "rounds": 10}, "aborted", {"latency": "Failed"}),
    "few requests": (
        {"rounds": 2},
        "paused",
        dict.fromkeys(("errors", "shed", "guard-hits", "latency"), "Inconclusive"),
    ),
}


@pytest.mark.subprocess
@pytest.mark.parametrize("name", CASES)
def test_bad_pods_are_held_at_the_first_step_and_good_ones_replace_the_old(name, emitted, old, tmp_path) -> None:
    """Errors, a guard that is gone, slow decisions, and too few requests to decide."""
    changes, end, phases = CASES[name]
    new = pages(**{"pod": f"semantic-router-{NEW}-fghij", "text": POLICY, **changes})
    with recorded(tmp_path, NAMESPACE, [*old, *new]) as ask:
        found, judged = run(*emitted, {"Latest": NEW, "Stable": OLD}, ask, START)
    assert found == end, judged
    assert len(judged) == (2 if end == "promoted" else 1)
    assert phases.items() <= judged[-1].items()


@pytest.mark.subprocess
def test_pods_that_get_bad_after_the_first_step_are_held_at_the_second(emitted, old, tmp_path) -> None:
    """A step is judged by its own time."""
    new = pages(f"semantic-router-{NEW}-fghij", POLICY, rounds=60, change=41)
    with recorded(tmp_path, NAMESPACE, [*old, *new]) as ask:
        found, judged = run(*emitted, {"Latest": NEW, "Stable": OLD}, ask, START)
    assert (found, len(judged)) == ("aborted", 2)
    assert judged[1]["guard-hits"] == "Failed"


@pytest.mark.subprocess
@pytest.mark.parametrize(("seen", "end"), [(OLD, "aborted"), (NEW, "aborted")])
def test_pods_that_prometheus_does_not_see_replace_nothing(seen, end, emitted, old, tmp_path) -> None:
    """Neither new pods without series, nor new pods without old ones to compare with."""
    with recorded(tmp_path, NAMESPACE, [(at, pod.replace(OLD, seen), text) for at, pod, text in old]) as ask:
        found, judged = run(*emitted, {"Latest": NEW, "Stable": OLD}, ask, START)
    assert found == end
    assert "Error" in judged[0].values()
