"""Flags by which pipelines judge a change, and the file in which they pass its effect on traffic on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.impact.conditions import Condition, conditions

if TYPE_CHECKING:
    from vsr_schemas.reports_impact import ImpactReport

MAX_IMPACT = 32 << 20
"""Maximum bytes of a report of `impact`."""


def _conditions(_context: click.Context, _parameter: click.Parameter, value: str | None) -> list[Condition]:
    try:
        return conditions(value) if value else []
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


fail_on = click.option(
    "--fail-on",
    metavar="CONDITIONS",
    callback=_conditions,
    help="Exit 1 only if one of these holds, such as `breaking,unblocked>0,model>2%,cost>5%`.",
)
impact_file = click.option(
    "--impact",
    "impact_report",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Show this JSON report of `vsr-compile impact`.",
)


def read_impact(path: Path) -> ImpactReport:
    """Read a report of `impact`.

    Raises:
        click.ClickException: The file is something else.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - only where it is asked for

    from vsr_schemas.reports_impact import ImpactReport  # noqa: PLC0415 - likewise

    with path.open("rb") as stream:
        data = stream.read(MAX_IMPACT + 1)
    if len(data) > MAX_IMPACT:
        raise click.ClickException(f"{path} is larger than {MAX_IMPACT >> 20} MiB.")
    try:
        return ImpactReport.model_validate_json(data)
    except ValidationError:
        raise click.ClickException(f"{path} is not a report of `vsr-compile impact --format json`.") from None
