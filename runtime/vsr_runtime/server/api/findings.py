"""Personal data and attacks in one text, detected as guards do, in the stock router's API format."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import injection, merge, personal, spans
from vsr_runtime.decision.guards.guard import Finder
from vsr_runtime.decision.guards.masking import PlaceholderMap, mask_text
from vsr_runtime.server.api.shapes import PIIEntity, PIIOptions, PIIResponse, SecurityResponse
from vsr_schemas.pii import GROUPS, NAMED_TYPES, PATTERN_TYPES
from vsr_schemas.runtime import ClassifierSettings

HIDDEN = "[DETECTED]"


@lru_cache(maxsize=2)
def _personal(*, named: bool) -> Finder:
    return personal(PATTERN_TYPES | NAMED_TYPES if named else PATTERN_TYPES)


@lru_cache(maxsize=1)
def _injection() -> Finder:
    return injection()


def prepare() -> None:
    """Compile the patterns and run them once, which takes a while, before the first request."""
    personal_data("a@b.example, +49 30 901820", never)
    attacks("a", never)


def personal_data(text: str, expired: Expired, types: Collection[str] = ()) -> list[TextSpan]:
    """Text that has the form of personal data. Raises OutOfTimeError at the deadline.

    Args:
        text: the text.
        expired: the deadline.
        types: types to look for that are found only if they are named.
    """
    wanted = {name.upper() for name in types}
    if wanted.isdisjoint(NAMED_TYPES):
        return spans([_personal(named=False)], text, expired)
    found = spans([_personal(named=True)], text, expired)
    return [span if span.type in wanted else replace(span, type=GROUPS.get(span.type, span.type)) for span in found]


def attacks(text: str, expired: Expired) -> list[TextSpan]:
    """Text that has the structure of an attack. Raises OutOfTimeError at the deadline."""
    return spans([_injection()], text, expired)


def pii_response(
    text: str, found: Sequence[TextSpan], options: PIIOptions, took: int, *, incomplete: bool
) -> PIIResponse:
    """The response about personal data: ``found`` are spans of patterns and models, which may overlap."""
    types = None if options.entity_types is None else {name.upper() for name in options.entity_types}
    least = options.confidence_threshold or 0.0
    kept = merge(span for span in found if span.score >= least and (types is None or span.type.upper() in types))
    book = PlaceholderMap()
    book.reserve(text)
    entities = []
    for span in kept:
        value = text[span.start : span.end]
        entity = PIIEntity(
            type=span.type,
            value=value if options.reveal_entity_text else HIDDEN,
            confidence=span.score,
            start_position=span.start if options.return_positions else None,
            end_position=span.end if options.return_positions else None,
            masked_value=book.assign(span.type, value) if options.mask_entities else None,
        )
        entities.append(entity)
    return PIIResponse(
        has_pii=bool(kept),
        entities=entities,
        masked_text=mask_text(text, kept, book) if options.mask_entities and kept else None,
        scan_incomplete=incomplete or None,
        security_recommendation="block" if kept else "allow",
        processing_time_ms=took,
    )


def security_response(
    found: Sequence[TextSpan],
    probabilities: Mapping[str, Mapping[str, float]],
    detectors: Mapping[str, ClassifierSettings],
    took: int,
) -> SecurityResponse:
    """The response about attacks: ``probabilities`` are the probabilities of each detector's labels."""
    risks = {
        label: max(answer[label] for name, answer in probabilities.items() if label in detectors[name].labels)
        for detector in detectors.values()
        for label in detector.labels
    }
    over = {
        label
        for name, answer in probabilities.items()
        for label in detectors[name].labels
        if answer[label] >= detectors[name].threshold
    }
    risk = min(1.0, max([0.0, *(span.score for span in found), *risks.values()]))
    attack = bool(found or over)
    return SecurityResponse(
        is_jailbreak=attack,
        risk_score=risk,
        detection_types=sorted({span.type for span in found} | over),
        confidence=risk if attack else 1.0 - risk,
        recommendation="block" if attack else "allow",
        patterns_detected=sorted({span.rule for span in found}),
        processing_time_ms=took,
    )
