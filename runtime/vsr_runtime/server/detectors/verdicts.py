"""Protocols whose answer is a verdict on a text: moderation APIs, Llama Guard, and NeMo Guardrails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from vsr_runtime.server.detectors.answers import Result, checked_score, decoded, one_each
from vsr_runtime.server.detectors.errors import WrongAnswerError
from vsr_schemas.runtime_servers import ServerSettings

FLAGGED, UNSAFE, BLOCKED = "flagged", "unsafe", "blocked"
"""The labels of a verdict as a whole."""
_MAX_TOKENS = 64
"""Tokens of a verdict: a word, and at most fourteen categories."""
_VERDICT = re.compile(r"\s*(safe|unsafe)\s*(?:\n\s*(S[0-9]{1,2}(?:\s*,\s*S[0-9]{1,2})*)\s*)?")


class _Moderation(msgspec.Struct):
    flagged: bool
    category_scores: dict[str, float | None] = {}


class _Moderations(msgspec.Struct):
    results: list[_Moderation]


class OpenAiModeration:
    """Requests and answers of ``/v1/moderations``.

    The label ``flagged`` is the API's own verdict; other labels are its categories.
    """

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        self._model = settings.model
        self._labels = tuple(labels)

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request."""
        return {"input": list(texts)} | ({"model": self._model} if self._model else {})

    def read(self, data: bytes, texts: Sequence[str]) -> list[Result]:
        """Return the scores of each text. Raises WrongAnswerError."""
        results = decoded(data, _Moderations).results
        one_each(len(results), len(texts))
        return [self._shares(result) for result in results]

    def _shares(self, result: _Moderation) -> dict[str, float]:
        shares = {name: checked_score(score) for name, score in result.category_scores.items() if score is not None}
        return {**shares, FLAGGED: 1.0 if result.flagged else 0.0}


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class LlamaGuard:
    """Requests and answers of Llama Guard by chat completions.

    The label ``unsafe`` is the verdict; ``S1`` and so on are its categories.
    """

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        self._model = settings.model
        self._labels = tuple(labels)

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request for one text. The server's chat template adds the instructions."""
        (text,) = texts
        messages = [{"role": "user", "content": text}]
        return {"model": self._model, "messages": messages, "temperature": 0, "max_tokens": _MAX_TOKENS}

    def read(self, data: bytes, _texts: Sequence[str]) -> list[Result]:
        """Return 1 for the verdict and for each category that was named. Raises WrongAnswerError."""
        choices = decoded(data, _Completion).choices
        one_each(len(choices), 1)
        match = _VERDICT.fullmatch(choices[0].message.content or "")
        if match is None or (match[1] == "safe" and match[2]):
            raise WrongAnswerError("the verdict is neither `safe` nor `unsafe`")
        named = set(re.findall(r"S[0-9]+", match[2] or ""))
        unsafe = match[1] == UNSAFE
        # An unsafe text without categories counts as unsafe in all of them.
        shares = {label: float(label in named or (unsafe and not named)) for label in self._labels}
        return [{**shares, UNSAFE: float(unsafe)}]


class _Check(msgspec.Struct):
    status: Literal["blocked", "success"]


class NemoGuardrails:
    """Requests and answers of ``/v1/guardrail/checks``. The only label is ``blocked``."""

    def __init__(self, settings: ServerSettings, labels: Sequence[str]) -> None:
        del labels
        self._model = settings.model
        self._config = settings.config

    def request(self, texts: Sequence[str]) -> object:
        """Return the body of a request for one text."""
        (text,) = texts
        body: dict[str, object] = {"model": self._model, "messages": [{"role": "user", "content": text}]}
        return body | ({"guardrails": {"config_id": self._config}} if self._config else {})

    def read(self, data: bytes, _texts: Sequence[str]) -> list[Result]:
        """Return 1 if a rail blocks the text. Raises WrongAnswerError."""
        return [{BLOCKED: float(decoded(data, _Check).status == BLOCKED)}]
