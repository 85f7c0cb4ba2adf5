"""Language signals: which language the last user turn is written in, by py3langid's statistics of byte sequences."""

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
"""The least probability of a language; the stock router's. Below it a text has no known language."""
MAX_CHARACTERS = 4096
"""Characters of a text that are looked at, from its beginning: half a millisecond."""
_MEMO_KEY = "language"
ALIASES = {"arz": "ar", "ary": "ar", "yue": "zh", "wuu": "zh", "no": "nb"}
"""What the detector tells apart and ISO 639-1 has one code for."""


class LanguageDetector(Protocol):
    """Tells languages apart."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Every language with its probability."""


@dataclass(frozen=True, slots=True)
class LanguageSignal:
    """Holds where the last user turn is in the language of this ISO 639-1 code."""

    code: str
    detector: LanguageDetector = field(repr=False)
    cost: int = COST
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - the text is bounded
        """Whether the request has it. The text is looked at once for all languages."""
        if _MEMO_KEY not in view.memo:
            view.memo[_MEMO_KEY] = language_of(view.turn, self.detector)
        return bool(view.memo[_MEMO_KEY] == self.code)


def language_of(text: str, load_detector: LanguageDetector) -> str | None:
    """The ISO 639-1 code of a text's language; None where it is too short or too mixed to tell, or has no words."""
    beginning = text[:MAX_CHARACTERS]
    if not any(map(str.isalpha, beginning)):
        return None
    found: dict[str, float] = {}
    for label, share in load_detector.rank(beginning):
        code = ALIASES.get(label, label)
        found[code] = found.get(code, 0.0) + share
    best = max(found, key=lambda code: (found[code], code))
    return best if found[best] >= THRESHOLD else None


def build_language(rule: contract.LanguageRule) -> LanguageSignal:
    """The signal of a config's rule; loads the detector, which takes a second.

    Raises:
        ValueError: the detector does not know the language.
        UserError: the detector is not there, or cannot be loaded.
    """
    if rule.name not in KNOWN:
        raise ValueError("the runtime's detector does not know this language")
    return LanguageSignal(rule.name, load_detector())


@cache
def load_detector() -> LanguageDetector:
    """The detector, loaded once a process and only where a config asks for it.

    Raises:
        UserError: the package is not there, or has no place to unpack its statistics.
    """
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - as the docstring says

        loaded: Any = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except ModuleNotFoundError as error:
        raise UserError(f"the package {error.name} is not installed; run pip install 'vsr-compile[runtime]'") from None
    except OSError as error:
        raise UserError(f"the statistics of languages cannot be unpacked ({error}); set TMPDIR to a folder") from None
    ranked: LanguageDetector = loaded
    return ranked
