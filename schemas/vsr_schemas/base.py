"""Base classes of the schema models."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def camel(name: str) -> str:
    """Return the spelling of a field in files: ``max_body`` becomes ``maxBody``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


class StrictModel(BaseModel):
    """Base of models of files that programs write: unknown fields are errors, no type is coerced, immutable."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, strict=True)


class PolicyModel(BaseModel):
    """Base of models of the policy: as ``StrictModel``, with fields spelled in camel case."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, strict=True, alias_generator=camel)


class ReportModel(BaseModel):
    """Base of models of JSON reports: unknown fields are errors, values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CamelReportModel(BaseModel):
    """Base of models of JSON reports whose fields are spelled in camel case."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=camel, validate_by_name=True)
