"""Differences that an import has declared. Each holds for the decisions that it names, and is listed with the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Declared:
    """What may differ.

    Attributes:
        blocked: Decisions with a fixed answer (200) that became guards (403).
        ties: Decisions of equal rank, of which the source takes the one with the higher confidence.
        lost: Plugins, or other fields, that a decision lost, by decision.
        named_models: Whether guards also hold for requests that name a model.
        lengths: Whether guards refuse text that is too long for them (413).
        overflow: Whether a request that is too long for the models of a route goes on to the next one.
        same: Signals of the source whose counterpart in the policy is not the same, such as one with a threshold for
            another encoder. Both as ``type:name``.
    """

    blocked: frozenset[str] = frozenset()
    ties: frozenset[str] = frozenset()
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    named_models: bool = False
    lengths: bool = False
    overflow: bool = False
    same: Mapping[str, str] = field(default_factory=dict)
