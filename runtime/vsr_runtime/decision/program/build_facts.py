"""Signals of stock configs about facts: a head that ships with the runtime says whether they need a check."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.program.build_sentences import SHIPPED, unused_name
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.shipped_heads import shipped_heads
from vsr_schemas.routerconfig.v0_4_0 import ModelCatalog, RouterConfig, Signals
from vsr_schemas.runtime import ClassifierSettings, HeadSettings, RuntimeSettings

SET = "fact-check@1"
TYPE = "fact_check"
NEEDED, NEEDLESS = "needs_fact_check", "no_fact_check_needed"
DEFAULT_THRESHOLD = 0.6
"""The stock router's default: the probability from which facts need a check."""
_LEAST = 0.5
"""The stock router asks first which of both is more probable, so that a lower threshold changes nothing."""
_NAME = "fact-check"


def with_facts(runtime: RuntimeSettings, config: RouterConfig) -> RuntimeSettings:
    """Return settings with the shipped head for facts, if a signal is about them."""
    if not any(signals.fact_check for signals in _signals(config)):
        return runtime
    head = shipped_heads()[SET]
    catalog = config.global_.model_catalog or ModelCatalog()
    threshold = catalog.modules.hallucination_mitigation.fact_check.threshold or DEFAULT_THRESHOLD
    classifier = ClassifierSettings(
        task="labels",
        encoder=SHIPPED,
        head=HeadSettings(file=head.file, inputs=head.inputs),
        labels=list(head.labels),
        threshold=max(threshold, _LEAST),
    )
    name = unused_name(_NAME, runtime)
    return runtime.model_copy(update={"classifiers": {**runtime.classifiers, name: classifier}})


def fact_signals(runtime: RuntimeSettings, config: RouterConfig) -> Mapping[SignalName, LabelSignal]:
    """Return the signal that facts need a check, if a signal of the config is about them."""
    if not any(signals.fact_check for signals in _signals(config)):
        return {}
    inputs = shipped_heads()[SET].inputs
    own = [(name, one) for name, one in runtime.classifiers.items() if one.head and one.head.inputs == inputs]
    if not own:
        return {}
    name, classifier = own[0]
    return {(TYPE, NEEDED): LabelSignal(name, frozenset({NEEDED}), classifier.threshold)}


def _signals(config: RouterConfig) -> list[Signals]:
    return [config.routing.signals, *(recipe.routing.signals for recipe in config.recipes or ())]
