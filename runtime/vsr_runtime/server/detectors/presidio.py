"""The protocol of Presidio's analyzer: one text, answered by spans in code points."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.server.detectors.answers import Result, checked_score, decoded
from vsr_runtime.server.detectors.errors import WrongAnswerError
from vsr_schemas.presidio import from_presidio, presidio_names
from vsr_schemas.runtime_servers import ServerSettings

LANGUAGE = "en"
MAX_SPANS = 100_000
"""Spans of one text."""


class _Finding(msgspec.Struct):
    entity_type: str
    start: int
    end: int
    score: float


class Presidio:
    """Requests and answers of ``/analyze``.

    Args:
        settings: the server.
        labels: the types to detect.
    """

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        self._language = settings.language or LANGUAGE
        self._labels = frozenset(labels)
        self._entities = sorted({name for label in labels for name in presidio_names(label)})

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request for one text. Thresholds are those of guards, so all scores are asked for."""
        (text,) = texts
        return {"text": text, "language": self._language, "entities": self._entities, "score_threshold": 0}

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the spans of the text.

        Raises:
            WrongAnswerError: the answer is no list of findings, or a finding is not within the text.
        """
        (text,) = texts
        findings = decoded(data, list[_Finding])
        if len(findings) > MAX_SPANS:
            raise WrongAnswerError("too many findings")
        return [[self._span(finding, text) for finding in findings]]

    def _span(self, finding: _Finding, text: str) -> TextSpan:
        if not 0 <= finding.start < finding.end <= len(text):
            raise WrongAnswerError("a finding is not within the text")
        theirs = finding.entity_type
        kind = theirs if theirs in self._labels else from_presidio(theirs)
        return TextSpan(finding.start, finding.end, kind, checked_score(finding.score), "presidio")
