"""Classifier results in the format that the stock router expects of a remote classifier.

The stock router (0.4.0) drops a whole answer that breaks its contract. ``label_distribution.v1``: every label once, and
the scores add up to 1. ``token_spans.v1``: positions in code points of the text as it was sent, the text between them,
no span twice, none with the label for "nothing", and ``truncated_at`` if only the beginning was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.guards.detection import LabelledToken, TextSpan, spans_of_tokens
from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.server.api.shapes import LabelScore, TokenSpan, TokenSpans
from vsr_schemas.runtime import ClassifierSettings

TASKS = frozenset({"category", "jailbreak", "labels", "pii"})
"""Tasks of the classifiers that answer in these formats."""
NONE_OF_THESE = "other"
"""The label for texts of no category, if the policy names none."""


def distribution(result: Mapping[str, float], classifier: ClassifierSettings) -> list[LabelScore]:
    """``label_distribution.v1``, the most probable label first.

    A head's probabilities do not add up to 1; the rest goes to the fallback. For a long text, each label has its
    highest probability over all windows, so the sum can exceed 1. Then the labels that the policy uses keep theirs and
    the others are scaled down, so that an attack in one window is not diluted.
    """
    shares = {label: min(max(share, 0.0), 1.0) for label, share in result.items()}
    if classifier.checkpoint is None:
        rest = classifier.fallback or NONE_OF_THESE
        shares[rest] = shares.get(rest, 0.0) + max(0.0, 1.0 - sum(shares.values()))
    policy_labels = () if classifier.task in {"category", "labels"} else classifier.labels
    return [
        LabelScore(label=label, score=share)
        for label, share in sorted(_whole(shares, policy_labels).items(), key=lambda item: (-item[1], item[0]))
    ]


def _whole(shares: Mapping[str, float], policy_labels: Sequence[str]) -> dict[str, float]:
    """Scale the shares so that they add up to 1, at the cost of labels that the policy does not use."""
    kept = {label: share for label, share in shares.items() if label in policy_labels}
    free = {label: share for label, share in shares.items() if label not in kept}
    if not free or not kept or sum(kept.values()) >= 1:
        return {**_scaled(kept or free, 1.0), **dict.fromkeys(free if kept else (), 0.0)}
    return {**kept, **_scaled(free, 1.0 - sum(kept.values()))}


def _scaled(shares: Mapping[str, float], total: float) -> dict[str, float]:
    now = sum(shares.values())
    if not now:
        return dict.fromkeys(shares, total / len(shares))
    return {label: min(1.0, share * total / now) for label, share in shares.items()}


def matches(result: TokenLabels, text: str, name: str, types: Sequence[str] = ()) -> list[TextSpan]:
    """Spans of a token classifier, without surrounding blanks; of these types, or of all."""
    best = result.probabilities.argmax(axis=1)
    tokens = [
        LabelledToken(start, end, result.labels[label], min(1.0, float(row[label])))
        for (start, end), label, row in zip(result.offsets, best, result.probabilities, strict=True)
    ]
    trimmed = (_trimmed(span, text) for span in spans_of_tokens(tokens, name))
    return [span for span in trimmed if span.end > span.start and (not types or span.type in types)]


def _trimmed(span: TextSpan, text: str) -> TextSpan:
    inner = text[span.start : span.end]
    start = span.start + len(inner) - len(inner.lstrip())
    return TextSpan(start, start + len(inner.strip()), span.type, span.score, span.rule)


def cut_at(result: TokenLabels, text: str, classifier: ClassifierSettings) -> int | None:
    """Where reading ended, if that was before the end of the text."""
    if classifier.checkpoint is None or classifier.checkpoint.long == "windows":
        return None
    end = max((end for _, end in result.offsets), default=0)
    return end if text[end:].strip() else None


def spans(result: TokenLabels, text: str, name: str, classifier: ClassifierSettings) -> TokenSpans:
    """``token_spans.v1``: all spans of all labels with any score; the client applies thresholds."""
    listed = [
        TokenSpan(start=span.start, end=span.end, label=span.type, score=span.score, text=text[span.start : span.end])
        for span in matches(result, text, name)
    ]
    return TokenSpans(spans=listed, truncated_at=cut_at(result, text, classifier))
