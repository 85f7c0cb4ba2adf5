"""The JSON report of ``--format json``: a contract for scripts, so a breaking change is a new ``apiVersion``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import CamelReportModel

Count = Annotated[int, Field(ge=0)]
Position = Annotated[int, Field(ge=1)]


class Tool(CamelReportModel):
    """The tool that wrote the report."""

    name: Literal["vsr-compile"] = "vsr-compile"
    version: str


class Summary(CamelReportModel):
    """The number of findings of each severity."""

    errors: Count
    warnings: Count
    notes: Count


class Place(CamelReportModel):
    """A position. Lines and columns count from 1, columns in characters; ``end_column`` is exclusive.

    A finding about a whole file has no ``line``.
    """

    file: str
    line: Position | None = None
    column: Position | None = None
    end_line: Position | None = None
    end_column: Position | None = None


class Finding(CamelReportModel):
    """One finding: ``title`` describes the code, ``message`` the problem, ``help`` the remedy.

    ``rule`` is the name of the ``verify`` rule that reported it, such as ``L02``; other commands have no rules.
    """

    code: Annotated[str, Field(pattern=r"^VSR[0-9]{3}$")]
    rule: Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")] | None = None
    severity: Literal["error", "warning", "note"]
    title: str
    message: str
    help: str | None = None
    place: Place


class Difference(CamelReportModel):
    """A request that a source and its policy decide differently.

    ``facts`` are what is known of it. ``text`` is a message that has its words, and ``complete`` tells whether it is
    enough.
    """

    facts: list[str]
    text: str | None = None
    complete: bool
    source: str
    policy: str


class Proof(CamelReportModel):
    """Whether a source and its policy decide every request alike, except for ``declared`` differences.

    ``names`` are differences in what clients can name. ``reason`` says why it was not decided.
    """

    verdict: Literal["equal", "different", "undecided"]
    reason: str | None = None
    differences: list[Difference]
    names: list[str]
    declared: list[str]


class Report(CamelReportModel):
    """The findings about some policies, sorted by position, without silenced ones.

    ``proof`` is that of ``import --prove``.
    """

    api_version: Literal["vsr.dev/report/v1"] = "vsr.dev/report/v1"
    kind: Literal["Findings"] = "Findings"
    tool: Tool
    policies: list[str]
    summary: Summary
    findings: list[Finding]
    proof: Proof | None = None
