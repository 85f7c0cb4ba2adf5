"""What the parts of the stock importer share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.coverage import covered, without_indexes
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.values import Fields


@dataclass(slots=True)
class Signal:
    """A signal of the source, before a decision uses it.

    Attributes:
        type: The type of leaves that name it, such as ``keyword``.
        name: Its name.
        fields: Its definition.
        span: Where the definition is.
    """

    type: str
    name: str
    fields: Fields
    span: Span
    used: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision of the source with what its order depends on."""

    name: str
    priority: int
    tier: int
    fields: Fields
    span: Span


@dataclass(slots=True)
class Context:
    """One stock configuration in the layout of 0.4.0, and what is known of it so far.

    Attributes:
        job: The import.
        models: Names in the policy by names in the source, adapters included.
        families: The reasoning family of each model in the policy; empty if it has none.
        signals: The signals by type and name.
        encoder: The model of sentence vectors; empty for the default.
        guard_settings: The detectors' modules: ``prompt_guard`` and ``pii``.
        cache: The defaults of the response cache.
        default_effort: The effort of reasoning where a decision has none.
        default: The model of requests that no decision matches.
        bases: The model of each adapter.
        needed: Signals that routes name.
        scores: The weighted sums of signals by name.
        mappings: Bounds of sums, with their outputs.
        projected: The names of scores and mappings that decisions test.
        needs_identity: Whether limits depend on who the client is.
        unreasoned: What of the reasoning of a decision is lost: ``effort``, or ``reasoning`` at all.
        choices: Which of several models the policy asks, by decision.
    """

    job: Job
    models: dict[str, str] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    signals: dict[tuple[str, str], Signal] = field(default_factory=dict)
    encoder: str = ""
    guard_settings: Mapping[str, Fields] = field(default_factory=dict)
    cache: Fields | None = None
    default_effort: str = ""
    default: str = ""
    bases: dict[str, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)
    needs_identity: bool = False
    unreasoned: dict[str, Literal["effort", "reasoning"]] = field(default_factory=dict)
    choices: dict[str, Literal["first", "equal"]] = field(default_factory=dict)
    scores: dict[str, Fields] = field(default_factory=dict)
    mappings: list[Fields] = field(default_factory=list)
    projected: set[str] = field(default_factory=set)

    def lose(self, code: str, message: str, span: Span, hint: str = "", severity: Severity | None = None) -> None:
        """Report what was not carried over."""
        self.job.losses.add(code, message, span, hint, severity)

    def group(self, code: str, what: str, item: str, span: Span, hint: str = "") -> None:
        """Report one of many of a kind."""
        self.job.losses.group(code, what, item, span, hint)

    def leftovers(self, fields: Fields, ignored: Mapping[str, str] | None = None) -> None:
        """Report keys that nothing has read: known ones without effect in groups, all others one by one.

        Args:
            fields: The mapping.
            ignored: Why keys have no effect here, by key; the reason of several is reported once.
        """
        for key, span, value in fields.rest():
            covered(value)
            path = f"{fields.where}.{key}".lstrip(".")
            if ignored is not None and key in ignored:
                self.group("VSR527", ignored[key], without_indexes(path), span)
            else:
                self.lose("VSR526", f"`{path}` is not carried over", span, "The policy language has no field for it.")
