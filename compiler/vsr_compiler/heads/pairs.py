"""Chooses the threshold of similarity from pairs of texts that belong together or do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.examples import FOLDER
from vsr_compiler.syntax.text import read
from vsr_runtime.decision.request.distinctions import content_words, distinctions, same_order
from vsr_schemas.encoders import ENCODERS
from vsr_schemas.reports_pairs import AtSimilarity, PairsReport, WrongPair

if TYPE_CHECKING:
    from vsr_runtime.inference.encoder import SentenceEncoder
    from vsr_runtime.inference.encoder_files import EncoderFiles

Purpose = Literal["signal", "cache"]
BUILTIN = {"builtin:signals@1": "signals@1.jsonl", "builtin:cache@1": "cache@1.jsonl"}
"""Pairs that ship with the compiler."""
MAX_PAIRS, MAX_TEXT, MAX_SENTENCES = 20_000, 4_000, 200
LEAST = 20
"""Pairs of each kind without which a threshold says nothing."""
PERMITTED: dict[Purpose, float] = {"signal": 0.02, "cache": 0.0}
"""The share of pairs that do not belong together and may reach the threshold."""
STEP: dict[Purpose, int] = {"signal": 20, "cache": 100}
"""Thresholds between 0 and 1 that are tried. A few hundred pairs say no more about signals than steps of 0.05."""
_WRONG = 20
_FORM = 'Write lines such as {"a": "Where is my parcel?", "b": "Has my order been shipped?", "same": true}.'


@dataclass(frozen=True, slots=True)
class Pair:
    """A request, the sentences that it is compared with (the most similar one counts), and whether they go together."""

    request: str
    sentences: tuple[str, ...]
    same: bool
    line: int


def read_pairs(name: str) -> list[Pair]:
    """Return the pairs of a file, or of a set that ships with the compiler.

    Raises:
        CompileError: VSR001, VSR004 or VSR005 if the file cannot be read, VSR613 for its lines,
            VSR614 if there are too few.
    """
    path = FOLDER / "pairs" / BUILTIN[name] if name in BUILTIN else Path(name)
    lines = read(path, name).split("\n")
    results = [_pair(line, number, name) for number, line in enumerate(lines[: MAX_PAIRS + 1], 1) if line.strip()]
    faults = [result for result in results if isinstance(result, Diagnostic)]
    pairs = [result for result in results if isinstance(result, Pair)]
    if len(lines) > MAX_PAIRS + 1:
        faults = [
            Diagnostic("VSR613", f"there are more than {MAX_PAIRS} pairs", Span(name), "Evaluate a part of them.")
        ]
    same = sum(pair.same for pair in pairs)
    if not faults and min(same, len(pairs) - same) < LEAST:
        message = f"there are {same} pairs that belong together and {len(pairs) - same} that do not"
        faults = [Diagnostic("VSR614", message, Span(name), f"Give at least {LEAST} of each.")]
    if faults:
        raise CompileError(faults)
    return pairs


def evaluate_pairs(
    pairs: Sequence[Pair], purpose: Purpose, encoder: SentenceEncoder, files: EncoderFiles, precision: str
) -> PairsReport:
    """Return which threshold separates the pairs, with this encoder.

    It is the smallest one of ``STEP`` that at most the permitted share of the pairs reaches that do not belong
    together. Pairs that the cache tells apart by their words never reach it.
    """
    texts = sorted({text for pair in pairs for text in (pair.request, *pair.sentences)})
    vectors = dict(zip(texts, encoder.embed(texts), strict=True))
    apart = [purpose == "cache" and not any(_same_words(pair.request, one) for one in pair.sentences) for pair in pairs]
    cosines = [
        -1.0 if is_apart else max(float(vectors[pair.request] @ vectors[one]) for one in pair.sentences)
        for pair, is_apart in zip(pairs, apart, strict=True)
    ]
    same = [cosine for pair, cosine in zip(pairs, cosines, strict=True) if pair.same]
    others = [cosine for pair, cosine in zip(pairs, cosines, strict=True) if not pair.same]
    steps = [number / 100 for number in range(101)]
    tried = [number / STEP[purpose] for number in range(STEP[purpose] + 1)]
    threshold = next((step for step in tried if _share(others, step) <= PERMITTED[purpose]), None)
    at = 1.0 if threshold is None else threshold
    false = _share(others, at)
    known = ENCODERS.get(files.repo)
    wrong = [
        WrongPair(line=pair.line, same=pair.same, similarity=cosine, a=pair.request[:200], b=pair.sentences[0][:200])
        for pair, cosine in zip(pairs, cosines, strict=True)
        if pair.same != (cosine >= at)
    ]
    return PairsReport(
        purpose=purpose,
        encoder=files.repo,
        sha256=files.sha256,
        precision=precision,
        same=len(same),
        different=len(others),
        told_apart=sum(apart),
        threshold=threshold,
        recall=_share(same, at),
        false=false,
        bound=min(1.0, _bound(round(false * len(others)), len(others))),
        default=None if known is None or known.weights != files.sha256 else getattr(known, purpose),
        curve=[
            AtSimilarity(threshold=step, recall=_share(same, step), false=_share(others, step)) for step in steps[::5]
        ],
        wrong=sorted(wrong, key=lambda pair: -abs(pair.similarity - at))[:_WRONG],
    )


def _same_words(one: str, other: str) -> bool:
    """Return whether the cache takes two texts for one question, if their vectors are close."""
    return distinctions(one) == distinctions(other) and same_order(content_words(one), content_words(other))


def _share(cosines: Sequence[float], threshold: float) -> float:
    return sum(cosine >= threshold for cosine in cosines) / len(cosines)


def _bound(wrong: int, count: int) -> float:
    """Return the upper end of Wilson's one-sided 95 % interval for a share; if none is wrong, by the rule of three."""
    if not wrong:
        return 3 / count
    share, z = wrong / count, 1.6449
    middle = share + z * z / (2 * count)
    spread = z * ((share * (1 - share) + z * z / (4 * count)) / count) ** 0.5
    return float((middle + spread) / (1 + z * z / count))


def _pair(line: str, number: int, name: str) -> Pair | Diagnostic:
    def wrong(message: str) -> Diagnostic:
        return Diagnostic("VSR613", message, Span(name, number, 1, number, 2), _FORM)

    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return wrong("the line is not JSON")
    if not isinstance(data, dict) or not isinstance(data.get("same"), bool):
        return wrong("the line has no `same` that is true or false")
    compared = data.get("b")
    sentences: list[Any] = compared if isinstance(compared, list) else [compared]
    if not 0 < len(sentences) <= MAX_SENTENCES:
        return wrong(f"`b` has no sentence, or more than {MAX_SENTENCES}")
    for text in (data.get("a"), *sentences):
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
            return wrong(f"`a` and `b` are texts of 1 to {MAX_TEXT} characters; `b` can be a list of them")
    return Pair(data["a"], tuple(sentences), data["same"], number)
