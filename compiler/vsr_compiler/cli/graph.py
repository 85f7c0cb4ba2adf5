"""``vsr-compile graph``: a policy as a flowchart."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import read_policy
from vsr_compiler.review.graph import mermaid


@click.command(name="graph", short_help="Draw a policy as a Mermaid flowchart.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, policy: Path) -> None:
    """Draw a policy as a Mermaid flowchart, which GitHub renders in Markdown.

    \b
    vsr-compile graph policies/quickstart.yaml > quickstart.mmd
    """
    try:
        console.print_data(mermaid(read_policy(policy)))
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
