"""What a classifier says in the form that the stock router asks a remote one for.

The stock router (0.4.0) drops an answer as a whole that breaks its contract. ``label_distribution.v1``: every label
once, and they add up to 1. ``token_spans.v1``: places in code points of the text as it was sent, the text between them,
no span twice, none of the label for "nothing", and ``truncated_at`` where only the beginning was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.guards.detection import LabelledToken, TextSpan, spans_of_tokens
from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.server.api.shapes import LabelScore, TokenSpan, TokenSpans
from vsr_schemas.runtime import ClassifierSettings

TASKS = frozenset({"category", "jailbreak", "pii"})
"""What classifiers answer in these contracts."""
NONE_OF_THESE = "other"
"""The label for what is like no category, where the policy has no word for it."""


def distribution(said: Mapping[str, float], classifier: ClassifierSettings) -> list[LabelScore]:
    """``label_distribution.v1``, the likeliest label first.

    A head's categories leave a rest, which is that of the fallback. Of a long text in windows each label has its
    highest probability, so they can add up to more than one: then what the policy speaks of keeps its own, and the rest
    makes place, so that an attack in one window stays one.
    """
    shares = {label: min(max(share, 0.0), 1.0) for label, share in said.items()}
    if classifier.checkpoint is None:
        rest = classifier.fallback or NONE_OF_THESE
        shares[rest] = shares.get(rest, 0.0) + max(0.0, 1.0 - sum(shares.values()))
    spoken = () if classifier.task == "category" else classifier.labels
    return [
        LabelScore(label=label, score=share)
        for label, share in sorted(_whole(shares, spoken).items(), key=lambda item: (-item[1], item[0]))
    ]


def _whole(shares: Mapping[str, float], spoken: Sequence[str]) -> dict[str, float]:
    """The shares made to add up to 1; where the policy speaks of some of them, at the cost of the others."""
    kept = {label: share for label, share in shares.items() if label in spoken}
    free = {label: share for label, share in shares.items() if label not in kept}
    if not free or not kept or sum(kept.values()) >= 1:
        return {**_scaled(kept or free, 1.0), **dict.fromkeys(free if kept else (), 0.0)}
    return {**kept, **_scaled(free, 1.0 - sum(kept.values()))}


def _scaled(shares: Mapping[str, float], total: float) -> dict[str, float]:
    now = sum(shares.values())
    if not now:
        return dict.fromkeys(shares, total / len(shares))
    return {label: min(1.0, share * total / now) for label, share in shares.items()}


def found(said: TokenLabels, text: str, name: str, types: Sequence[str] = ()) -> list[TextSpan]:
    """What a token classifier found, without blanks at the ends; of these types, or of all."""
    best = said.probabilities.argmax(axis=1)
    tokens = [
        LabelledToken(start, end, said.labels[label], min(1.0, float(row[label])))
        for (start, end), label, row in zip(said.offsets, best, said.probabilities, strict=True)
    ]
    trimmed = (_trimmed(span, text) for span in spans_of_tokens(tokens, name))
    return [span for span in trimmed if span.end > span.start and (not types or span.type in types)]


def _trimmed(span: TextSpan, text: str) -> TextSpan:
    inner = text[span.start : span.end]
    start = span.start + len(inner) - len(inner.lstrip())
    return TextSpan(start, start + len(inner.strip()), span.type, span.score, span.rule)


def cut_at(said: TokenLabels, text: str, classifier: ClassifierSettings) -> int | None:
    """Where reading ended, if that was before the text did."""
    if classifier.checkpoint is None or classifier.checkpoint.long == "windows":
        return None
    end = max((end for _, end in said.offsets), default=0)
    return end if text[end:].strip() else None


def spans(said: TokenLabels, text: str, name: str, classifier: ClassifierSettings) -> TokenSpans:
    """``token_spans.v1``: all spans of all labels, whatever their score; who asks has thresholds."""
    listed = [
        TokenSpan(start=span.start, end=span.end, label=span.type, score=span.score, text=text[span.start : span.end])
        for span in found(said, text, name)
    ]
    return TokenSpans(spans=listed, truncated_at=cut_at(said, text, classifier))
