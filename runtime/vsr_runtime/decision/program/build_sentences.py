"""Sentences of signals that came without vectors, as in configs of the stock router: which encoder reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.model_signals import ComplexitySignal, EmbeddingSignal, ModelSignal, Scoring
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig.v0_4_0 import ModelCatalog, RouterConfig, Signals
from vsr_schemas.runtime import MINILM, MINILM_WEIGHTS, ClassifierSettings, EncoderSettings, RuntimeSettings

MAX_SENTENCES = 2000
"""Sentences that are read when a config is loaded: some seconds of one CPU."""
MAX_LENGTH = 8192
"""Characters of one of them; the encoder reads less."""
SHIPPED = EncoderSettings(repo=MINILM, sha256=MINILM_WEIGHTS, precision="int8")
"""The encoder that `vsr-compile fetch-encoder` fetches, as compiled policies use it."""
_NAME = "sentences"


def with_sentences(runtime: RuntimeSettings, config: RouterConfig) -> RuntimeSettings:
    """Return settings in which the sentences of all signals are read when they are loaded, unless they have vectors.

    The encoder is that of the categories, so that one pass serves both, or the shipped one.

    Raises:
        UserError: there are too many of them, or one is too long.
    """
    if any(classifier.task == "likeness" for classifier in runtime.classifiers.values()):
        return runtime
    profiles = [config.routing.signals, *(recipe.routing.signals for recipe in config.recipes or ())]
    sentences = sorted({sentence for signals in profiles for sentence in _sentences(signals)})
    if not sentences:
        return runtime
    if len(sentences) > MAX_SENTENCES:
        raise config_error(
            "routing.signals", f"has {len(sentences)} sentences without vectors; remove some, at most {MAX_SENTENCES}"
        )
    if long := next((sentence for sentence in sentences if len(sentence) > MAX_LENGTH), None):
        raise config_error("routing.signals", f"the sentence {long!r:.60}… is too long; give {MAX_LENGTH} at most")
    own = (one.encoder for one in runtime.classifiers.values() if one.task == "category" and one.encoder)
    known = ClassifierSettings(task="likeness", encoder=next(own, SHIPPED), labels=sentences, threshold=0)
    name = unused_name(_NAME, runtime)
    return runtime.model_copy(update={"classifiers": {**runtime.classifiers, name: known}})


def unused_name(name: str, runtime: RuntimeSettings) -> str:
    """Return the name for one more classifier, with a number if another one has it."""
    names = (name, *(f"{name}-{n}" for n in range(2, len(runtime.classifiers) + 3)))
    return next(name for name in names if name not in runtime.classifiers)


def scoring_of(config: RouterConfig) -> Scoring:
    """Return how the stock router scores sentences by its defaults and the config's settings."""
    given = (config.global_.model_catalog or ModelCatalog()).embeddings.semantic.embedding_config
    return Scoring(near=given.min_score_threshold if given.enable_soft_matching else None)


def with_scoring(signals: Mapping[SignalName, ModelSignal], scoring: Scoring) -> dict[SignalName, ModelSignal]:
    """Return signals with a scoring; each embedding knows the others, one of which may keep it from holding."""
    embeddings = {
        name: replace(signal, scoring=scoring)
        for name, signal in signals.items()
        if isinstance(signal, EmbeddingSignal)
    }
    scored: dict[SignalName, ModelSignal] = dict(signals)
    for name, signal in signals.items():
        if isinstance(signal, ComplexitySignal):
            scored[name] = replace(signal, scoring=scoring)
        elif name in embeddings:
            others = tuple(other for key, other in embeddings.items() if key != name)
            scored[name] = replace(embeddings[name], others=others if scoring.near is not None else ())
    return scored


def _sentences(signals: Signals) -> Iterator[str]:
    for rule in signals.embeddings or ():
        yield from rule.candidates
    for complexity in signals.complexity or ():
        yield from (*complexity.hard.candidates, *complexity.easy.candidates)
