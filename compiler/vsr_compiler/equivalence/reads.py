"""What of a router config only its engine says: the settings of our runtime, or what the stock router does without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from vsr_compiler.equivalence.bodies import dict_of, rules_of, texts
from vsr_compiler.equivalence.numbers import number
from vsr_schemas.pii import ALL_TYPES
from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES


@dataclass(frozen=True, slots=True)
class Reads:
    """What of a config only its engine says.

    Attributes:
        personal: All types of personal data; those of a rule are these without the allowed ones.
        detectors: How personal data is found, by signal: ``model`` or ``patterns``.
        whole: Signals that read the whole request, as ``type:name``.
        clients: Tests of clients by signal: pairs of an attribute and a value, of which one must be true.
        fallback: The category of requests that have none of the others.
        labels: The labels of the classifier of categories; empty if they are the categories of the config.
        thresholds: The thresholds of rules without one, by type.
        labelled: The labels of which a classifier gives one to requests with a signal, by the signal's name.
    """

    personal: frozenset[str]
    detectors: Mapping[str, str] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    clients: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    fallback: str | None = None
    labels: frozenset[str] = frozenset()
    thresholds: Mapping[str, Fraction] = field(default_factory=dict)
    labelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def engine_reads(settings: Mapping[str, Any] | None, shared: Mapping[str, Any]) -> Reads:
    """Return what an engine says of its config: our runtime by its settings, the stock router without them."""
    if settings is None:
        modules = dict_of(dict_of(shared.get("model_catalog")).get("modules"))
        attacks = dict_of(modules.get("prompt_guard")).get("threshold")
        data = dict_of(dict_of(modules.get("classifier")).get("pii")).get("threshold")
        thresholds = {
            "jailbreak": Fraction("0.7") if attacks is None else number(attacks),
            "pii": Fraction("0.9") if data is None else number(data),
        }
        return Reads(frozenset(PII_TYPES), labels=frozenset(MMLU_CATEGORIES), thresholds=thresholds)
    classifiers = dict_of(settings.get("classifiers"))
    fallback = next((str(item["fallback"]) for item in classifiers.values() if item.get("fallback")), None)
    signals = dict_of(dict_of(settings.get("identity")).get("signals"))
    by_model = dict_of(dict_of(settings.get("detectors")).get("pii"))
    return Reads(
        ALL_TYPES,
        _Otherwise(dict.fromkeys(by_model, "model"), "patterns"),
        frozenset(texts(dict_of(settings.get("ask")).get("wholeRequest"))),
        {
            name: tuple((str(test["attribute"]), value) for test in rules_of(tests) for value in texts(test["values"]))
            for name, tests in signals.items()
        },
        fallback,
        labelled={
            name: tuple(texts(dict_of(bound).get("labels")))
            for name, bound in dict_of(dict_of(settings.get("detectors")).get("labels")).items()
        },
    )


class _Otherwise(dict[str, str]):
    """A mapping with a value for every other key."""

    def __init__(self, items: Mapping[str, str], otherwise: str) -> None:
        super().__init__(items)
        self._otherwise = otherwise

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002 - as of dict
        """Return the value of a key."""
        return super().get(key, self._otherwise)
