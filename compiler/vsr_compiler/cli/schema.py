"""``vsr-compile schema``: the JSON Schemas of policies and of reports."""

from __future__ import annotations

import json

import click

from vsr_compiler.cli import console


@click.command(name="schema", short_help="Print the JSON Schema of policies.")
@click.option("--report", is_flag=True, help="Print the schema of the output of `--format json` instead.")
@click.option("--fragment", is_flag=True, help="Print the schema of the fragments that policies import instead.")
@click.option(
    "--form",
    type=click.Choice(["editor", "schemastore"]),
    default="editor",
    show_default=True,
    help="For editors, or as SchemaStore accepts it: the same policies are valid.",
)
def command(*, report: bool, fragment: bool, form: str) -> None:
    """Print the JSON Schema (draft-07) of policies, for completion in editors.

    Editors that use yaml-language-server find it by a comment in the first line of the policy:

    \b
    vsr-compile schema > routing-policy.schema.json
    # yaml-language-server: $schema=routing-policy.schema.json
    """
    from vsr_compiler.targets import environment_targets  # noqa: PLC0415 - `--help` must not wait for it
    from vsr_schemas import export  # noqa: PLC0415 - as above
    from vsr_schemas.schemastore import schemastore  # noqa: PLC0415 - as above

    if report and fragment:
        raise click.UsageError("Give one of --report and --fragment.")
    if form == "schemastore" and (report or fragment):
        raise click.UsageError("--form schemastore is for policies.")
    targets = environment_targets()
    document = export.fragment(targets) if fragment else export.report() if report else export.policy(targets)
    document = schemastore(document) if form == "schemastore" else document
    console.print_data(json.dumps(document, indent=2, ensure_ascii=False))
