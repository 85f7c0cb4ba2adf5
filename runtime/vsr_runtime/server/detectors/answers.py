"""Answers of servers, checked: scores from 0 to 1, positions within the text, one result for each text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.server.detectors.errors import WrongAnswerError

Model = TypeVar("Model")
Shares = Mapping[str, float]
"""Score of each label."""
Result = Shares | Sequence[TextSpan]
"""What a server says of one text: the scores of labels, or spans."""


@dataclass(frozen=True, slots=True)
class SpanDetection:
    """The spans that a server found in a text."""

    found: tuple[TextSpan, ...]

    def spans(self, types: frozenset[str] | None, threshold: float) -> Sequence[TextSpan]:
        """Return the spans of these types that reach the threshold."""
        return [span for span in self.found if span.score >= threshold and (types is None or span.type in types)]


def decoded(data: bytes, model: type[Model]) -> Model:
    """Parse an answer.

    Raises:
        WrongAnswerError: it has another shape, or is nested too deep.
    """
    try:
        return msgspec.json.decode(data, type=model)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WrongAnswerError(f"no answer of this protocol ({type(error).__name__})") from None


def checked_score(value: float) -> float:
    """Return a score.

    Raises:
        WrongAnswerError: it is not between 0 and 1.
    """
    if not math.isfinite(value) or not 0 <= value <= 1:
        raise WrongAnswerError("a score is not between 0 and 1")
    return value


def numbered_shares(values: Sequence[float], outputs: Sequence[str]) -> dict[str, float]:
    """Return the score of each output of a model.

    Raises:
        WrongAnswerError: the model has another number of outputs, or a value is no probability.
    """
    if len(values) != len(outputs):
        raise WrongAnswerError(f"the model has {len(values)} outputs, not {len(outputs)}")
    return dict(zip(outputs, map(checked_score, values), strict=True))


def one_each(count: int, expected: int) -> None:
    """Check that there is one result for each text.

    Raises:
        WrongAnswerError: there is another number.
    """
    if count != expected:
        raise WrongAnswerError(f"{count} results for {expected} texts")
