"""Signals about facts of stock configs need no runtime.yaml: a head ships with the runtime."""

from __future__ import annotations

import asyncio

import pytest
import yaml

from vsr_compiler.heads import shipped
from vsr_compiler.heads.artifact import compile_head
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.inference.head import Head
from vsr_runtime.server.load import load_classifier
from vsr_runtime.settings import load
from vsr_runtime.shipped_heads import FOLDER, shipped_heads

NEEDED, NEEDLESS = "needs_fact_check", "no_fact_check_needed"
QUESTION, POEM = "When was the Eiffel Tower built?", "Write a poem about the rain."


def stock(folder, names=(NEEDED, NEEDLESS), asks=NEEDED, threshold=None):
    """A stock config with a decision about facts."""
    module = {"enabled": False, "fact_check": {"threshold": threshold, "model_id": "models/any"}}
    document = {
        "version": "v0.3",
        "providers": {
            "defaults": {"model": "small"},
            "models": [{"name": "small", "backend_refs": [{"name": "one", "endpoint": "127.0.0.1:8000"}]}],
        },
        "routing": {
            "signals": {"fact_check": [{"name": name, "description": "facts"} for name in names]},
            "decisions": [
                {"name": "asked", "rules": {"type": "fact_check", "name": asks}, "modelRefs": [{"model": "small"}]}
            ],
        },
        **({"global": {"model_catalog": {"modules": {"hallucination_mitigation": module}}}} if threshold else {}),
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_requests_whose_facts_need_a_check_are_recognised(tmp_path, files) -> None:  # noqa: ARG001 - there is one
    """At the stock router's default threshold; the other signal is the opposite, also for a request without text."""
    settings = load(stock(tmp_path))
    opposite = load(stock(tmp_path, asks=NEEDLESS)).program
    assert settings.classifiers["fact-check"].threshold == 0.6

    async def looks():
        pool = await load_classifier(settings).start()
        try:
            until = asyncio.get_running_loop().time() + 30
            return (await pool.looks({"fact-check": [QUESTION, POEM]}, until))["fact-check"]
        finally:
            pool.close()

    results = ModelResults(detections={"fact-check": dict(zip((QUESTION, POEM), asyncio.run(looks()), strict=True))})
    for text, needed in ((QUESTION, True), (POEM, False), ("", False)):
        known = settings.program.with_model_results(SignalValues(), RequestView(text), results)
        assert settings.program.routes[0].condition.truth(known) is needed
        assert opposite.routes[0].condition.truth(known) is not needed


def test_threshold_of_the_config_holds_from_one_half(tmp_path) -> None:
    """Below, the stock router still asks which of both is more probable."""
    assert load(stock(tmp_path, threshold=0.8)).classifiers["fact-check"].threshold == 0.8
    assert load(stock(tmp_path, threshold=0.2)).classifiers["fact-check"].threshold == 0.5


def test_other_names_and_missing_signals_are_refused(tmp_path) -> None:
    """There are two signals, and a decision asks about one that the config has."""
    with pytest.raises(UserError, match=r"fact_check\[0\]\.name: Input should be 'needs_fact_check'"):
        load(stock(tmp_path, names=["facts"], asks="facts"))
    with pytest.raises(UserError, match=r"fact_check 'no_fact_check_needed' is not defined under routing\.signals"):
        load(stock(tmp_path, names=[NEEDED], asks=NEEDLESS))


def test_binary_head_is_the_difference_of_two_labels(encoder) -> None:
    """Texts that resemble neither label are no third answer."""
    data, _ = compile_head(shipped.categories("fact-check@1"), *_encoder(), None)
    two = Head.from_bytes(data)
    one = shipped.contrast(two, NEEDED, NEEDLESS)
    texts = encoder.embed([QUESTION, POEM, "asdf qwer", "Hello"])
    both = two.probabilities(texts)
    shares = both[:, two.labels.index(NEEDED)] / both.sum(axis=1)
    assert one.probabilities(texts)[:, 0] == pytest.approx(shares, abs=1e-5)
    ours = Head.from_bytes((FOLDER / shipped_heads()["fact-check@1"].file).read_bytes())
    assert ours.probabilities(texts)[:, 0] == pytest.approx(shares, abs=0.1)


def _encoder():
    return shipped.DEFAULT_ENCODER, shipped.WEIGHTS, shipped.PRECISION
