"""How one classifier reads texts: its tokens, its windows, and the combination of their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsr_runtime.inference.checkpoint import Checkpoint, find_checkpoint, read_checkpoint
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.labels import require
from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.token_spans import scheme
from vsr_runtime.inference.tokenizer import TextTokenizer, Tokens
from vsr_runtime.inference.windows import Aggregate, TokenLabels, Windows, aggregate_windows, stitch

if TYPE_CHECKING:
    from vsr_schemas import runtime as schema

DEFAULT_WINDOW = 512
"""Tokens of a window by default: the length that classifiers are trained with, whatever their encoder could read."""


@dataclass(frozen=True)
class Task:
    """How one classifier reads texts.

    Attributes:
        name: Its name in ``runtime.yaml``.
        labels: In the order of its outputs.
        tokenizer: That of its checkpoint.
        windows: How long texts are cut.
        aggregate: How the results of several windows are combined.
    """

    name: str
    labels: tuple[str, ...]
    tokenizer: TextTokenizer
    windows: Windows
    aggregate: Aggregate

    def cuts(self, found: Sequence[Tokens]) -> list[list[tuple[int, int]]]:
        """The windows of each text."""
        return [self.windows.cut(len(tokens.ids)) for tokens in found]

    def sequences(
        self,
        found: Sequence[Tokens],
        cuts: Sequence[Sequence[tuple[int, int]]],
        tokens_of: frozenset[str] = frozenset(),
    ) -> list[TokenSequence]:
        """All windows of all texts, as the model reads them."""
        return [
            TokenSequence(self.tokenizer.framed(tokens.ids[begin:end]), tokens_of)
            for tokens, own in zip(found, cuts, strict=True)
            for begin, end in own
        ]

    def label_probabilities(
        self, answers: Sequence[Answer], cuts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Mapping[str, float]]:
        """The probability of each label, for each text, from the answers for its windows."""
        left = iter(answers)
        found: list[Mapping[str, float]] = []
        for own in cuts:
            rows = [next(left)[self.name] for _ in own]
            row = aggregate_windows(rows, [end - begin for begin, end in own], self.aggregate)
            found.append(dict(zip(self.labels, map(float, row), strict=True)))
        return found

    def token_labels(
        self, answers: Sequence[Answer], found: Sequence[Tokens], cuts: Sequence[Sequence[tuple[int, int]]]
    ) -> list[TokenLabels]:
        """The probability of each label, for each token of each text, from the answers for its windows."""
        left, lead = iter(answers), self.tokenizer.lead
        labelled: list[TokenLabels] = []
        for tokens, own in zip(found, cuts, strict=True):
            rows = [next(left)[self.name][lead : lead + end - begin] for begin, end in own]
            labelled.append(TokenLabels(self.labels, list(tokens.offsets[: own[-1][1]]), stitch(rows, own)))
        return labelled


def read_task(name: str, classifier: schema.ClassifierSettings) -> Task:
    """Read how a checkpoint reads texts.

    Raises:
        ModelError: It is missing or invalid, or lacks the policy's labels.
    """
    settings = classifier.checkpoint
    if settings is None:
        raise ModelError(f"classifier {name}: is no checkpoint")
    found = find_valid_checkpoint(name, settings)
    known = scheme(found.labels).types if found.kind == "token" else found.labels
    require(known, classifier.labels, f"classifier {name}: the checkpoint {settings.repo}")
    tokenizer = TextTokenizer.load(found.tokenizer)
    size = longest_sequence(found, settings) - tokenizer.special
    if settings.overlap >= size:
        raise ModelError(f"classifier {name}: windows of {size} tokens cannot overlap by {settings.overlap}")
    windows = Windows(size, settings.overlap, whole=settings.long == "windows")
    return Task(name, found.labels, tokenizer, windows, settings.aggregate)


def find_valid_checkpoint(name: str, settings: schema.CheckpointSettings) -> Checkpoint:
    """Find and validate a checkpoint.

    Raises:
        ModelError: It is missing or invalid; names the classifier that needs it.
    """
    try:
        return read_checkpoint(find_checkpoint(settings.repo, settings.revision), settings.kind)
    except ModelError as error:
        raise ModelError(f"classifier {name}: {error}") from error


def longest_sequence(checkpoint: Checkpoint, settings: schema.CheckpointSettings) -> int:
    """Tokens of a window, special ones included.

    Raises:
        ModelError: The window is longer than the model can read.
    """
    if settings.window is not None and settings.window > checkpoint.positions:
        raise ModelError(
            f"{settings.repo} reads {checkpoint.positions} tokens at a time, not {settings.window}; lower `window`"
        )
    return min(settings.window or DEFAULT_WINDOW, checkpoint.positions)
