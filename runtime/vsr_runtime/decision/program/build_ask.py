"""Adds to a program how the person's ask is extracted, and what reads the whole request instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from vsr_runtime.decision.ask.rules import AskRules, Marker
from vsr_runtime.decision.ask.vocabulary import Meaning
from vsr_runtime.decision.patterns import compile_patterns
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.signals.base import Signal
from vsr_runtime.decision.signals.heuristic import KeywordSignal
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.decision.signals.language import LanguageSignal
from vsr_runtime.decision.signals.model_signals import ComplexitySignal, EmbeddingSignal, ModelSignal
from vsr_runtime.errors import config_error
from vsr_schemas.harnesses import HARNESSES
from vsr_schemas.runtime import AskSettings, MarkerSettings

CATEGORY = "category"
"""In the settings: the category, which has no name."""
_AnySignal = TypeVar("_AnySignal", Signal, ModelSignal)


def with_ask(program: Program, settings: AskSettings | None) -> Program:
    """Return the program with the rules of the settings. Without settings, signals read the whole last user turn.

    Raises:
        UserError: a profile or a signal is unknown, or a pattern cannot be used.
    """
    if settings is None:
        return program
    markers = tuple(_marker(number, marker) for number, marker in enumerate(settings.markers or ()))
    whole = settings.wholeRequest or []
    named = {_name(text) for text in whole if text != CATEGORY}
    if unknown := sorted(named - program.signals.keys() - program.model_signals.keys()):
        raise config_error("ask.wholeRequest", f"config.yaml has no signal {':'.join(unknown[0])}", "runtime.yaml")
    return replace(
        program,
        ask_rules=AskRules(_tags(settings.profiles), markers),
        whole_category=CATEGORY in whole,
        signals=_with_whole(program.signals, named),
        model_signals=_with_whole(program.model_signals, named),
    )


def _tags(profiles: str | list[str]) -> dict[str, Meaning]:
    names = list(HARNESSES) if profiles == "builtin" else [] if isinstance(profiles, str) else profiles
    if unknown := [name for name in names if name not in HARNESSES]:
        raise config_error("ask.profiles", f"{unknown[0]!r} is not a known profile", "runtime.yaml")
    tags: dict[str, Meaning] = {}
    for name in names:
        tags.update(dict.fromkeys(HARNESSES[name].context, "context"))
    for name in names:  # the ask of one program wins over the context of another
        tags.update(dict.fromkeys(HARNESSES[name].asks, "ask"))
    return tags


def _marker(number: int, settings: MarkerSettings) -> Marker:
    try:
        patterns = compile_patterns([settings.open, settings.close], case_sensitive=True).patterns
    except ValueError as error:
        raise config_error(f"ask.markers[{number}]", str(error), "runtime.yaml") from None
    return Marker(patterns[0], patterns[1], settings.holds)


def _name(text: str) -> SignalName:
    kind, _, name = text.partition(":")
    return kind, name


def _with_whole(
    signals: Mapping[SignalName, _AnySignal], named: Collection[SignalName]
) -> dict[SignalName, _AnySignal]:
    """Return the signals, those that are named reading all texts of the request.

    Raises:
        UserError: the kind of a named signal cannot.
    """
    changed = dict(signals)
    for name in sorted(set(named) & signals.keys()):
        signal = signals[name]
        if not isinstance(signal, KeywordSignal | LanguageSignal | EmbeddingSignal | ComplexitySignal | LabelSignal):
            raise config_error("ask.wholeRequest", f"{':'.join(name)} does not read the ask", "runtime.yaml")
        changed[name] = replace(signal, everywhere=True)
    return changed
