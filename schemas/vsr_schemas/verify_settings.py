"""The settings of ``vsr-compile verify`` in a repository: ``.vsr-verify.yaml``."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

RuleName = Annotated[str, Field(pattern=r"^([A-Z][0-9]{2}|VSR[0-9]{3})$")]
"""The name of a rule, such as `L16`, or its code."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Ignore(_Settings):
    """Findings that are accepted: of a rule, in some files, for a reason, until a day."""

    rule: RuleName
    path: Annotated[str, Field(min_length=1, max_length=500)] = "**"
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    expires: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which it applies; None if it always does.

        Raises:
            ValueError: There is no such day.
        """
        return None if self.expires is None else dt.date.fromisoformat(self.expires)


class VerifySettings(_Settings):
    """Settings for all manifests below the folder of the file."""

    apiVersion: Literal["vsr.dev/verify/v1"]  # noqa: N815 - the name in the file
    kind: Literal["VerifySettings"] = "VerifySettings"
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] | None = None
    paths: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=1000)] = []
    exclude: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=1000)] = []
    assume: Annotated[list[Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=10_000)] = []
    versions: str | None = None
    releases: Annotated[
        dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=100)]], Field(max_length=50)
    ] = {}
    separate: bool = False
    # `off` without quotes is a boolean in YAML.
    severity: dict[RuleName, Literal["error", "warning", "note", "off", False]] = {}
    ignore: Annotated[list[Ignore], Field(max_length=1000)] = []
