"""From a token classifier's probabilities to the detections that a guard uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from vsr_runtime.decision.guards.detection import LabelledToken, TextSpan, spans_of_tokens, split_label
from vsr_runtime.inference.errors import classify_extra
from vsr_runtime.inference.windows import Floats
from vsr_schemas.pii import type_of

with classify_extra():
    import numpy as np


class Scheme:
    """The meaning of a token classifier's columns.

    Args:
        labels: In the order of the columns.

    Attributes:
        types: Types of personal data, in the order of first appearance.
        columns: The columns of each type.
        groups: Shape ``[labels, 1 + types]``: 1 if a label is of a type; the first column is for no type.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.places = [split_label(label)[0] for label in labels]
        kinds = [split_label(label)[1] for label in labels]
        named = [None if kind is None else type_of(kind) for kind in kinds]
        self.types = tuple(dict.fromkeys(kind for kind in named if kind is not None))
        self.columns = [[n for n, kind in enumerate(named) if kind == name] for name in self.types]
        order = (None, *self.types)
        self.groups = np.array([[kind == name for name in order] for kind in named], dtype=np.float32)


@lru_cache(maxsize=64)
def scheme(labels: tuple[str, ...]) -> Scheme:
    """The cached scheme of these labels."""
    return Scheme(labels)


class TokenDetection:
    """A text with labelled tokens.

    A token is of a type if that is more probable than every other and than none, or reaches the threshold. Neighbouring
    tokens of one type are a finding; it counts if one of its tokens reaches the threshold. So everything probable
    enough is found, together with the tokens that the model considers part of it.

    Args:
        text: The text that the model read.
        rule: The detector's name.
        labels: In the order of the columns.
        offsets: Start and end of each token in the text.
        probabilities: Shape ``[tokens, labels]``.
    """

    def __init__(
        self,
        text: str,
        rule: str,
        labels: tuple[str, ...],
        offsets: Sequence[tuple[int, int]],
        probabilities: Floats,
    ) -> None:
        self._text = text
        self._rule = rule
        self._scheme = scheme(labels)
        self._offsets = offsets
        self._probabilities = probabilities
        # B-PERSON and I-PERSON are both a person: the probability of a type is the sum over its labels.
        self._shares = np.minimum(probabilities @ self._scheme.groups, 1)
        self._likeliest = self._shares.argmax(axis=1)

    def spans(self, types: frozenset[str] | None, threshold: float) -> list[TextSpan]:
        """The findings that count; see ``Detection``."""
        found: list[TextSpan] = []
        for number, kind in enumerate(self._scheme.types):
            if types is not None and kind not in types:
                continue
            share = self._shares[:, 1 + number]
            if not (share >= threshold).any():
                continue
            for run in self._runs((self._likeliest == 1 + number) | (share >= threshold)):
                tokens = [self._token(index, number, float(share[index])) for index in run]
                found += [span for span in spans_of_tokens(tokens, self._rule) if span.score >= threshold]
        return found

    def _runs(self, hit: np.typing.NDArray[np.bool_]) -> Iterator[Sequence[int]]:
        """Runs of adjacent tokens."""
        places = np.flatnonzero(hit)
        for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
            yield run.tolist()

    def _token(self, index: int, number: int, score: float) -> LabelledToken:
        """A token without the leading blank that some tokenizers include."""
        start, end = self._offsets[index]
        while start < end and self._text[start].isspace():
            start += 1
        columns = self._scheme.columns[number]
        place = self._scheme.places[columns[int(self._probabilities[index, columns].argmax())]]
        return LabelledToken(start, end, f"{place}-{self._scheme.types[number]}", score)
