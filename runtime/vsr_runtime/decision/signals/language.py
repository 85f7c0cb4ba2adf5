"""Language signals: the language of the person's ask, detected by py3langid's byte n-gram statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_schemas.languages import KNOWN
from vsr_schemas.routerconfig import v0_4_0 as contract

COST = 6
THRESHOLD = 0.3
"""Minimum probability of a language, as in the stock router. Below it the language is unknown."""
MAX_CHARACTERS = 4096
"""Characters at the beginning of a text that are examined; takes half a millisecond."""
_MEMO_KEY, _WHOLE_KEY = "language", "language of the request"
ALIASES = {"arz": "ar", "ary": "ar", "yue": "zh", "wuu": "zh", "no": "nb"}
"""Detector labels that share one ISO 639-1 code."""


class LanguageDetector(Protocol):
    """A language detector."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Return every language with its probability."""


@dataclass(frozen=True, slots=True)
class LanguageSignal:
    """Holds if the person's ask, or the request (``everywhere``), is in the language with this ISO 639-1 code."""

    code: str
    detector: LanguageDetector = field(repr=False)
    cost: int = COST
    work: int = 0
    everywhere: bool = False
    threshold: float = THRESHOLD

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - the text is bounded
        """Return whether the request has the signal. The text is examined once for all languages."""
        key = _WHOLE_KEY if self.everywhere else _MEMO_KEY
        if key not in view.memo:
            view.memo[key] = most_likely(view.text(everywhere=self.everywhere), self.detector)
        code, probability = view.memo[key]
        return bool(code == self.code and probability >= self.threshold)


def most_likely(text: str, load_detector: LanguageDetector) -> tuple[str | None, float]:
    """Return the ISO 639-1 code of a text's most likely language, and its probability; None if it has no letters."""
    beginning = text[:MAX_CHARACTERS]
    if not any(map(str.isalpha, beginning)):
        return None, 0.0
    shares: dict[str, float] = {}
    for label, share in load_detector.rank(beginning):
        code = ALIASES.get(label, label)
        shares[code] = shares.get(code, 0.0) + share
    best = max(shares, key=lambda code: (shares[code], code))
    return best, shares[best]


def build_language(rule: contract.LanguageRule) -> LanguageSignal:
    """Build the signal of a config rule. Loads the detector, which takes about a second.

    Raises:
        ValueError: the detector does not know the language, or its threshold is not a probability.
        UserError: the detector is not installed or cannot be loaded.
    """
    if rule.name not in KNOWN:
        raise ValueError("the runtime's detector does not know this language")
    if not 0 <= (rule.threshold or 0) <= 1:
        raise ValueError("its threshold is not a probability; give a number from 0 to 1")
    # In the stock router a threshold of 0 means its default, because that is how it reads a missing number.
    return LanguageSignal(rule.name, load_detector(), threshold=rule.threshold or THRESHOLD)


@cache
def load_detector() -> LanguageDetector:
    """Return the detector. It is loaded once per process.

    Raises:
        UserError: the package is not installed, or there is no folder to unpack its statistics to.
    """
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - loaded only if a config needs it

        loaded: Any = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except ModuleNotFoundError as error:
        raise UserError(f"the package {error.name} is not installed; run pip install 'vsr-compile[runtime]'") from None
    except OSError as error:
        raise UserError(f"the statistics of languages cannot be unpacked ({error}); set TMPDIR to a folder") from None
    ranked: LanguageDetector = loaded
    return ranked
