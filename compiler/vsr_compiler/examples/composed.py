"""Composes texts of a set from payloads and carriers: a sentence, and a mail, page, file or tool result around it.

A carrier gets payloads of each label equally often, so that a head cannot learn the label from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLACE = "{payload}"


@dataclass(frozen=True, slots=True)
class Composed:
    """A text that was composed.

    Attributes:
        text: the carrier with the payload in it.
        payload: the part of the text that makes its label.
        carrier: the rest, with ``{payload}`` where the payload is.
    """

    text: str
    payload: str
    carrier: str


def compose(groups: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Composed]]:
    """Yield label, topic and text of each composed text.

    Args:
        groups: the table ``composed`` of a set's file: for each language ``carriers``, ``each`` and ``payloads`` by
            label and topic.
    """
    for group in groups.values():
        carriers, each = group["carriers"], group["each"]
        for label, topics in group["payloads"].items():
            payloads = [(topic, payload) for topic, own in topics.items() for payload in own]
            for number, (topic, payload) in enumerate(payloads):
                for carrier in _turn(carriers, number, each):
                    yield label, topic, Composed(carrier.replace(PLACE, payload), payload, carrier)


def _turn(carriers: Sequence[str], number: int, each: int) -> Iterator[str]:
    """Yield the carriers of a payload: spread over the list, beginning with the next one."""
    step = max(1, len(carriers) // each)
    for turn in range(each):
        yield carriers[(number + turn * step) % len(carriers)]
