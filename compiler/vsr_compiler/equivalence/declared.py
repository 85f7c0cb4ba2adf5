"""Differences that an import has declared. Each holds for the decisions that it names, and is listed with the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Declared:
    """What may differ.

    Attributes:
        blocked: Decisions with a fixed answer (200) that became guards (403), which come before all routes.
        ties: Decisions of equal rank, of which the source takes the one with the higher confidence.
        lost: Plugins, or other fields, that a decision lost, by decision.
        leaves: Leaves that have no equivalent, as ``type:name``. They make conditions hold less often.
        models: Decisions of which only the first model is asked (``first``), or each equally (``equal``).
        names: Names of models in the policy by those of the source, where they differ.
        more_models: Models of the policy that clients of the source cannot name.
        guards: Guards of the policy for all requests that the source has for some only, or not as decisions.
        named_models: Whether guards also hold for requests that name a model.
        history: Whether detectors read the whole conversation, and not only the last turn of the user.
        lengths: Whether guards refuse text that is too long for them (413).
        overflow: Whether a request that is too long for the models of a route goes on to the next one.
        routing: Fields of ``routing`` that are lost, and ``model_catalog`` if other models judge texts.
        same: Leaves of the source, as ``type:name``, whose counterpart in the policy is another one, such as categories
            by examples, with the conditions of the policy.
    """

    blocked: frozenset[str] = frozenset()
    ties: frozenset[str] = frozenset()
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    leaves: frozenset[str] = frozenset()
    models: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    more_models: frozenset[str] = frozenset()
    guards: frozenset[str] = frozenset()
    named_models: bool = False
    history: bool = False
    lengths: bool = False
    overflow: bool = False
    routing: frozenset[str] = frozenset()
    same: Mapping[str, object] = field(default_factory=dict)
