"""What an import is asked for, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_schemas.version import VERSION

Engine = Literal["vsr-runtime", "semantic-router"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the sources do not say.

    Attributes:
        name: The name of the policy, a DNS label.
        image: The image of the router.
        engine: The implementation of the router.
        target: The target of the environment; empty for a policy without environments.
        recipe: The recipe of a router configuration to import; empty for that of its first entry point.
        release: The release of the stock router, if it is the engine; empty for the newest.
    """

    name: str = "policy"
    image: str = f"vsr-runtime:{VERSION}"
    engine: Engine = "vsr-runtime"
    target: str = ""
    recipe: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Rename:
    """A name of the source that is not a name of the policy language, or that was taken."""

    kind: str
    old: str
    new: str
    span: Span


Choice = Literal["", "first", "equal"]
Outcome = Literal["route", "guard", "default", "lost"]


@dataclass(frozen=True, slots=True)
class Correspondence:
    """What a decision of the source became.

    Attributes:
        decision: Its name in the source; empty for a protection of every request.
        outcome: A route, a guard, the default, or nothing.
        names: The names of the routes or guards.
        span: Its place in the source.
        differs: The code of the finding that declares a difference; empty if there is none.
        lost: Plugins and other fields of the decision that were lost in part or in whole.
        models: Which of several models the policy asks: the first one, or each equally; empty if it asks as they are.
    """

    decision: str
    outcome: Outcome
    names: tuple[str, ...]
    span: Span
    differs: str = ""
    lost: tuple[str, ...] = ()
    models: Choice = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        policy: The text of the policy; empty if nothing could be read.
        findings: What was not carried over, or differs.
        texts: The texts of the sources by name, with asterisks in place of secrets, for excerpts.
        forms: The form of each source, by its name.
        renames: Names that had to change.
        correspondences: What became of each decision, in the order of the source.
        config: The router config of the source, in the layout of 0.4.0, if it has one. It may contain secrets.
        leaves: The condition of each leaf of the source, as ``type:name``; a text says why there is
            none. Those whose loss is an error are left out.
        hide: Returns a text without the secrets of the sources.
    """

    policy: str
    findings: tuple[Diagnostic, ...]
    texts: Mapping[str, str]
    forms: Mapping[str, tuple[str, ...]]
    renames: tuple[Rename, ...] = ()
    correspondences: tuple[Correspondence, ...] = ()
    config: Mapping[str, Any] | None = field(default=None, repr=False)
    leaves: Mapping[str, dict[str, Any] | bool | str] = field(default_factory=dict)
    hide: Callable[[str], str] = str

    @property
    def failed(self) -> bool:
        """Whether something was lost that must not be."""
        return any(item.level is Severity.ERROR for item in self.findings)
