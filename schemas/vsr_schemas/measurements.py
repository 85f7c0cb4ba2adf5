"""What the runtime costs: the file that ``benchmarks/size.py`` writes and ``vsr-compile size`` reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vsr_schemas.base import StrictModel

Work = Literal[
    "route", "pii", "credentials", "injection", "patterns", "responses", "cache", "audit", "encoder", "windows"
]
"""What a measured policy does. ``route`` is in every other: keywords decide, and nothing else is read.

``pii``, ``credentials``, ``injection`` and ``patterns`` are guards. ``responses`` reads a stream of 300 events.
``cache`` stores responses in memory. ``audit`` writes the audit log. ``encoder`` reads the ask of a request by a
compiled head, and ``windows`` its whole text.
"""
Text = Annotated[str, Field(min_length=1, max_length=500)]


class Row(StrictModel):
    """One run. CPU is in microseconds for each request, of the runtime and of Envoy with one backend; memory in MiB.

    ``body`` is the size of the request in bytes. ``memory`` is the resident set after the run, with ``connections``
    that always had a request under way.
    """

    work: Work
    body: int = Field(gt=0, le=2**30)
    cpu: float = Field(gt=0, le=1e9)
    envoy: float = Field(ge=0, le=1e9)
    rate: float = Field(gt=0, le=1e9)
    memory: float = Field(gt=0, le=1e7)
    connections: int = Field(gt=0, le=100_000)


class Measurements(StrictModel):
    """A table of runs on one machine, in order of work and size."""

    apiVersion: Literal["vsr.dev/v1alpha1"]  # noqa: N815 - Kubernetes' spelling
    kind: Literal["RuntimeMeasurements"]
    machine: Text
    cores: int = Field(gt=0, le=4096)
    date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")
    command: Text
    versions: dict[Text, Text] = Field(max_length=50)
    rows: list[Row] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _complete(self) -> Measurements:
        names = [(row.work, row.body) for row in self.rows]
        if len(set(names)) != len(names):
            raise ValueError("a kind of work was measured twice with the same size")
        if sum(row.work == "route" for row in self.rows) < 2:  # noqa: PLR2004 - a line needs two points
            raise ValueError("the rows of `route` are missing: at least two sizes are needed")
        return self
