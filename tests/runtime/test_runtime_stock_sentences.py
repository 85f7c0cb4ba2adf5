"""Sentences of stock configs have no vectors: the encoder reads them when the config is loaded."""

from __future__ import annotations

import pytest
import yaml

from vsr_runtime.decision.program.build_sentences import MAX_LENGTH, MAX_SENTENCES, SHIPPED
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.errors import UserError
from vsr_runtime.inference.encoder_files import KNOWN
from vsr_runtime.server.load import load_classifier
from vsr_runtime.server.response_cache import ResponseCache
from vsr_runtime.settings import build_settings, load

REFUND, PROOF, HELLO = "I want my money back.", "Prove that the series converges.", "Hello there!"


def stock(folder, candidates=(REFUND,), plugins=(), kinds=("embedding", "complexity")):
    """A stock config in a folder of its own: nothing was compiled."""
    conditions = [{"type": kind, "name": {"embedding": "refund", "complexity": "maths:hard"}[kind]} for kind in kinds]
    document = {
        "version": "v0.3",
        "listeners": [],
        "providers": {
            "defaults": {"model": "small"},
            "models": [{"name": "small", "backend_refs": [{"name": "one", "endpoint": "127.0.0.1:8000"}]}],
        },
        "routing": {
            "modelCards": [{"name": "small"}],
            "signals": {
                "embeddings": [{"name": "refund", "threshold": 0.6, "candidates": list(candidates)}],
                "complexity": [
                    {
                        "name": "maths",
                        "threshold": 0.2,
                        "hard": {"candidates": [PROOF]},
                        "easy": {"candidates": [HELLO]},
                    }
                ],
            },
            "decisions": [
                {
                    "name": "asked",
                    "priority": 1,
                    "rules": {"operator": "OR", "conditions": conditions},
                    "modelRefs": [{"model": "small", "use_reasoning": False}],
                    "plugins": list(plugins),
                }
            ],
        },
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


CACHE = {"type": "semantic-cache", "configuration": {"enabled": True, "similarity_threshold": 0.9}}


def test_sentences_of_a_stock_config_are_compared_without_a_compile(tmp_path, files) -> None:  # noqa: ARG001 - there is one
    """Each sentence is like itself, and the refund is nearer to the same wish in other words than the greeting."""
    settings = load(stock(tmp_path))
    classifier = load_classifier(settings)
    assert {text: classifier.classify(text).likeness[text] for text in (REFUND, PROOF, HELLO)} == pytest.approx(
        dict.fromkeys((REFUND, PROOF, HELLO), 1), abs=1e-5
    )
    near = classifier.classify("Please give me back my money").likeness
    assert near[REFUND] > 0.6 > near[HELLO]
    assert build_settings(settings.source).similarity_classifier == settings.similarity_classifier


def test_without_the_encoder_the_start_is_refused_with_the_remedy(tmp_path, monkeypatch) -> None:
    """Nothing is downloaded and nothing is compared with nothing: the command that fetches the encoder is named."""
    settings = load(stock(tmp_path, plugins=[CACHE]))
    for name in ("VSR_CACHE_DIR", "VSR_MODELS", "HF_HUB_CACHE", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    monkeypatch.setattr("vsr_runtime.inference.encoder_files._package_folder", lambda _: ())
    with pytest.raises(UserError, match="run `vsr-compile fetch-encoder`"):
        load_classifier(settings)
    with pytest.raises(UserError, match="run `vsr-compile fetch-encoder`"):
        ResponseCache.load(settings, "policy")


def test_similar_requests_are_found_by_the_cache_of_a_stock_config(tmp_path) -> None:
    """Its semantic cache compares by the shipped encoder; an exact one needs none."""
    assert load(stock(tmp_path, plugins=[CACHE])).cache.encoder == SHIPPED
    exact = {"type": "response_cache", "configuration": {"enabled": True, "mode": "exact"}}
    assert load(stock(tmp_path, plugins=[exact])).cache.encoder is None
    assert KNOWN[SHIPPED.repo].weights == SHIPPED.sha256


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([f"Sentence {n}." for n in range(MAX_SENTENCES + 1)], f"{MAX_SENTENCES + 3} sentences without vectors"),
        (["x" * (MAX_LENGTH + 1)], "is too long; give 8192 at most"),
    ],
)
def test_work_at_the_start_is_bounded(tmp_path, candidates, message) -> None:
    """Too many sentences, or one of the length of a book, are refused before an encoder reads them."""
    with pytest.raises(UserError, match=message):
        load(stock(tmp_path, candidates))


@pytest.mark.parametrize(
    ("soft", "cosines", "held"),
    [
        ({}, (0.86, 0.44), None),  # 0.75 * 0.86 + 0.25 * 0.65 = 0.8075
        ({}, (0.6, 0.4), True),  # 0.575: a near miss, and no other signal holds
        ({}, (0.5, 0.3), False),  # 0.475: below 0.5
        ({"enable_soft_matching": False}, (0.6, 0.4), False),
        ({"min_score_threshold": 0.58}, (0.6, 0.4), False),
    ],
)
def test_cosines_count_as_in_the_stock_router(tmp_path, soft, cosines, held) -> None:
    """The second best sentence counts too, and near misses hold unless the config or another signal says otherwise."""
    path = stock(tmp_path, ["one", "two"], kinds=("embedding",))
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["routing"]["signals"]["embeddings"].append({"name": "other", "threshold": 0.7, "candidates": ["three"]})
    document["routing"]["signals"]["embeddings"][0]["threshold"] = 0.8
    document["global"] = {"model_catalog": {"embeddings": {"semantic": {"embedding_config": soft}}}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    signal = load(path).program.model_signals["embedding", "refund"]
    known = dict(zip(("one", "two"), cosines, strict=True))
    evaluated = [signal.evaluate(None, ModelResults(similarities=known | {"three": other})) for other in (0.3, 0.7)]
    assert evaluated == ([True, True] if held is None else [held, False])
    alone = signal.evaluate(None, ModelResults(similarities=known))
    assert alone is {None: True, True: None, False: False}[held]


def test_levels_count_the_second_best_sentence(tmp_path) -> None:
    """The margin is the difference of what both sides score: 0.575 - 0.35 is hard, where the best alone say 0.2."""
    path = stock(tmp_path, kinds=("complexity",))
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    rule = document["routing"]["signals"]["complexity"][0]
    rule["hard"]["candidates"], rule["easy"]["candidates"] = ["a", "b"], ["c", "d"]
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    signal = load(path).program.model_signals["complexity", "maths:hard"]
    cosines = {"a": 0.6, "b": 0.4, "c": 0.4, "d": 0.0}
    assert signal.score(None, ModelResults(similarities=cosines)).value == pytest.approx(0.225)
    assert signal.evaluate(None, ModelResults(similarities=cosines)) is True
