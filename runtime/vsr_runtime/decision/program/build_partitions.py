"""Builds the groups of embedding signals of which only one holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.exclusive import ExclusiveEmbedding
from vsr_runtime.decision.signals.model_signals import EmbeddingSignal, ModelSignal
from vsr_runtime.errors import config_error
from vsr_schemas.routerconfig import v0_4_0 as contract

_EMBEDDING = "embedding"


def with_partitions(
    signals: Mapping[SignalName, ModelSignal], projections: contract.Projections | None, domains: Collection[str]
) -> Mapping[SignalName, ModelSignal]:
    """Return the signals, those of a group as its members. Domains need nothing: a request has one category.

    Args:
        signals: the signals that need a model.
        projections: the section of the config; None if it has none.
        domains: the domain signals.

    Raises:
        UserError: a member is unknown, of another type or in two groups, or the group cannot be executed.
    """
    changed, seen = dict(signals), set[str]()
    for i, partition in enumerate((projections and projections.partitions) or ()):
        place = f"routing.projections.partitions[{i}]"
        _check(place, partition, signals, domains)
        if twice := sorted(seen & set(partition.members)):
            raise config_error(place, f"{twice[0]!r} is a member of two partitions")
        seen |= set(partition.members)
        members = {
            name: signal
            for name in partition.members
            if isinstance(signal := signals.get((_EMBEDDING, name)), EmbeddingSignal)
        }
        if len(members) > 1:
            temperature = partition.temperature if partition.semantics == "softmax_exclusive" else None
            for name in members:
                changed[_EMBEDDING, name] = ExclusiveEmbedding(name, members, name == partition.default, temperature)
    return changed


def _check(
    place: str,
    partition: contract.ProjectionPartition,
    signals: Mapping[SignalName, ModelSignal],
    domains: Collection[str],
) -> None:
    kinds = {
        name: "domain" if name in domains else _EMBEDDING if (_EMBEDDING, name) in signals else None
        for name in partition.members
    }
    if unknown := [name for name, kind in kinds.items() if kind is None]:
        raise config_error(place, f"{unknown[0]!r} is no domain or embedding signal")
    if len(set(kinds.values())) > 1:
        raise config_error(place, "its members must all be domains, or all be embeddings")
    if partition.default not in kinds:
        raise config_error(place, f"its default {partition.default!r} is no member")
    temperature = partition.temperature
    if partition.semantics == "softmax_exclusive" and not (temperature and 0 < temperature < math.inf):
        raise config_error(place, "softmax_exclusive needs a temperature above 0")
