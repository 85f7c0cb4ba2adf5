"""Sentence encoders: how each one reads a text, and which similarity separates what belongs together.

A cosine says nothing by itself: unrelated texts have about 0.1 with one encoder and 0.75 with another. Thresholds are
measured by ``vsr-compile eval --pairs`` on the pairs that ship with the compiler, for one sha256 of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vsr_schemas.runtime import MINILM, MINILM_WEIGHTS

FALLBACK_SIGNAL = 0.6
"""Threshold of embedding signals of the stock router."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder.

    Attributes:
        pooling: how the vectors of the tokens become one: their mean, or that of the first token.
        prefix: what precedes every text.
        languages: what it was trained for.
        licence: of its weights.
        source: where these facts are from.
        weights: sha256 of ``model.safetensors`` that was measured; None if none was.
        signal: threshold of embedding signals, measured on the shipped pairs; None if it was not measured.
        cache: threshold of response caches, measured likewise.
    """

    pooling: Literal["mean", "cls"]
    prefix: str
    languages: str
    licence: str
    source: str
    weights: str | None = None
    signal: float | None = None
    cache: float | None = None


ENCODERS: Mapping[str, Encoder] = {
    MINILM: Encoder(
        "mean", "", "English", "Apache-2.0", "1_Pooling/config.json of the repository", MINILM_WEIGHTS, 0.45, 0.98
    ),
    "BAAI/bge-small-en-v1.5": Encoder("cls", "", "English", "MIT", "model card, 2026-12"),
    "BAAI/bge-base-en-v1.5": Encoder("cls", "", "English", "MIT", "model card, 2026-12"),
    "intfloat/e5-small-v2": Encoder("mean", "query: ", "English", "MIT", "model card, 2026-12: symmetric tasks"),
    "intfloat/multilingual-e5-small": Encoder(
        "mean", "query: ", "about 100 languages", "MIT", "model card, 2026-12: symmetric tasks"
    ),
    "thenlper/gte-small": Encoder("mean", "", "English", "MIT", "model card, 2026-12"),
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": Encoder(
        "mean", "", "about 50 languages", "Apache-2.0", "model card, 2026-12"
    ),
}
"""By repository. All of them scale vectors to length one."""
