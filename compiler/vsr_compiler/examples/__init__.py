"""Sets of examples that ship with the compiler, by name and version: ``builtin:mmlu-pro@1``.

A set holds texts of this project's own, by label and topic. It never changes after its release: what a head was trained
from is what its version says. A correction or a wider choice is a new version beside the old one.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vsr_compiler.examples.composed import Composed, compose

FOLDER = Path(__file__).with_name("data")
PREFIX = "builtin:"
_REFERENCE = re.compile(r"builtin:(?P<name>[a-z][a-z0-9-]{0,40})@(?P<version>[1-9][0-9]{0,3})(?:/(?P<label>.{1,100}))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """What an entry of ``examples`` names.

    Attributes:
        name: the set.
        version: its version.
        label: the label whose examples are meant; None for the one of the category's own name.
    """

    name: str
    version: int
    label: str | None

    @property
    def file(self) -> str:
        """The name of the set's file, without its ending."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """A set of examples.

    Attributes:
        name: with its version: ``mmlu-pro@1``.
        title: what it is for.
        languages: ISO 639-1 codes of its texts.
        labels: topics by label, texts by topic. Composed texts follow those that are written out, and texts of sets
            that the set includes follow both.
        composed: the composed texts by their text: each with its payload and its carrier.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    labels: Mapping[str, Mapping[str, tuple[str, ...]]]
    composed: Mapping[str, Composed]

    def texts(self, label: str) -> tuple[str, ...]:
        """Return all texts of a label, in the order of the file."""
        return tuple(text for topic in self.labels[label].values() for text in topic)


def parse(text: str) -> Reference | None:
    """Return what an entry refers to; None if it is malformed."""
    found = _REFERENCE.fullmatch(text)
    return Reference(found["name"], int(found["version"]), found["label"]) if found else None


def names() -> tuple[str, ...]:
    """Return the names of all sets with their versions, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def read(name: str) -> ExampleSet:
    """Read a set.

    Args:
        name: one of ``names()``.
    """
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    labels = {
        label: {topic: list(texts) for topic, texts in topics.items()} for label, topics in data["labels"].items()
    }
    composed = {}
    for label, topic, found in compose(data.get("composed", {})):
        labels[label].setdefault(topic, []).append(found.text)
        composed[found.text] = found
    known = {text for topics in labels.values() for texts in topics.values() for text in texts}
    for included in data.get("include", []):
        for label, topic, text in _included(included):
            if text not in known:
                known.add(text)
                labels[label].setdefault(topic, []).append(text)
        composed |= read(included["set"]).composed
    frozen = {
        label: MappingProxyType({topic: tuple(texts) for topic, texts in topics.items()})
        for label, topics in labels.items()
    }
    return ExampleSet(
        name, data["title"], tuple(data["languages"]), MappingProxyType(frozen), MappingProxyType(composed)
    )


def _included(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield label, topic and text of what a set includes of another one, as an entry of its ``include`` says.

    ``set`` names the other one. With ``label``, all of its texts have this label, in topics of their own labels' names.
    Otherwise they have their own labels and topics; ``topics`` gives topics another name.
    """
    for label, topics in read(entry["set"]).labels.items():
        for topic, texts in topics.items():
            for text in texts:
                if "label" in entry:
                    yield entry["label"], label, text
                else:
                    yield label, entry.get("topics", {}).get(topic, topic), text
