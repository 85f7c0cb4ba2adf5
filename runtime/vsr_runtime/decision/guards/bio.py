"""From labels of tokens to spans, for checkpoints that classify tokens.

Understands ``B-PERSON``/``I-PERSON``/``O`` (BIO), with ``E-`` and ``S-`` (BIOES, also spelled ``L-`` and ``U-``), and
plain labels without a scheme. Models break their scheme's rules, so an ``I-`` that continues nothing begins a span, and
a change of type ends one: what a model labelled is never dropped. Tokens that touch are parts of one word, and models
begin a span anew within a word now and then, so they stay together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.guards.text import Span

OUTSIDE = frozenset({"O", "OUTSIDE", "NONE", "LABEL_0"})
_SCHEME = re.compile(r"([BIESLU])[-_](.+)")
_BEGINS, _ENDS = frozenset("BSU"), frozenset("ESLU")


@dataclass(frozen=True, slots=True)
class Token:
    """What a model says of one token.

    Attributes:
        start: Its first character in the text that the model was given.
        end: The character after its last one; equal to ``start`` for special tokens, which are passed over.
        label: The likeliest label.
        score: Its probability.
    """

    start: int
    end: int
    label: str
    score: float


def decode(tokens: Sequence[Token], rule: str, types: Mapping[str, str] | None = None) -> list[Span]:
    """The spans that labelled tokens make up, in the offsets of the tokens.

    Args:
        tokens: In order; their gaps (the space between two words) belong to a span that spans both.
        rule: The model's name, for logs.
        types: From the model's names of types to ours; those that it lacks keep their name.

    Returns:
        Spans whose score is the highest of their tokens': a doubtful neighbour must not hide a sure finding.
    """
    return [_span(run, rule, types or {}) for run in _runs(tokens)]


def _runs(tokens: Sequence[Token]) -> Iterator[list[tuple[Token, str]]]:
    run: list[tuple[Token, str]] = []
    closed = False
    for token in tokens:
        if token.end <= token.start:
            continue
        position, kind = parted(token.label)
        if run and (kind != run[-1][1] or ((closed or position in _BEGINS) and token.start > run[-1][0].end)):
            yield run
            run = []
        if kind is not None:
            run.append((token, kind))
        closed = position in _ENDS
    if run:
        yield run


def parted(label: str) -> tuple[str, str | None]:
    """The place in the span and the type; no type outside of spans, and no place where there is no scheme."""
    if label.upper() in OUTSIDE:
        return "O", None
    match = _SCHEME.fullmatch(label)
    return (match[1], match[2]) if match else ("I", label)


def _span(run: Sequence[tuple[Token, str]], rule: str, types: Mapping[str, str]) -> Span:
    kind = run[0][1]
    score = max(token.score for token, _ in run)
    return Span(run[0][0].start, run[-1][0].end, types.get(kind, kind), score, rule)
