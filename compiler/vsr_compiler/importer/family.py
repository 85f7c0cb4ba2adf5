"""A family of formats, and the import that its reader writes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.importer.draft import Draft, Names
from vsr_compiler.importer.losses import Losses
from vsr_compiler.importer.model import Correspondence, Options
from vsr_compiler.importer.sources import Part


@dataclass(slots=True)
class Job:
    """One import: what it is asked for, and what it has so far.

    Attributes:
        options: What it is asked for.
        draft: The policy.
        names: Its names.
        losses: The findings.
        correspondences: What became of each decision.
        config: The router config of the source, in the layout of 0.4.0.
        leaves: The condition of each leaf of the source, as ``type:name``; a text says why there is none.
        refused: Leaves whose loss is an error.
    """

    options: Options
    draft: Draft = field(default_factory=Draft)
    names: Names = field(default_factory=Names)
    losses: Losses = field(default_factory=Losses)
    correspondences: list[Correspondence] = field(default_factory=list)
    config: dict[str, Any] | None = None
    leaves: dict[str, dict[str, Any] | bool | str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


Recognised = tuple[str, Part]
"""A document with the name of its form."""


@dataclass(frozen=True, slots=True)
class Family:
    """Formats of one project, which are read together.

    Attributes:
        name: A noun phrase for messages, such as "semantic-router".
        recognise: Returns the form of a document, such as "router config"; empty if it is none of the family's. It
            looks at the content, never at the file's name.
        read: Reads the documents of the family into the draft.
        is_text: Returns whether a text is the family's although it is not YAML.
        supplements: Whether its documents only add to what other families say.
    """

    name: str
    recognise: Callable[[Part], str]
    read: Callable[[Sequence[Recognised], Job], None]
    is_text: Callable[[str], bool] = lambda _: False
    supplements: bool = False
