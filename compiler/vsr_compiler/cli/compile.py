"""``vsr-compile compile``: compile policies, or check that the committed output is up to date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler import ir
from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import check, read_owned, write
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy
from vsr_compiler.review import multi_policy

if TYPE_CHECKING:
    from vsr_compiler.verify.schema import Catalog


@click.command(name="compile", short_help="Compile policies.")
@options.policies
@options.out
@click.option("--check", "check_only", is_flag=True, help="Write nothing; exit 1 if the output is outdated.")
@click.option(
    "--force", is_flag=True, help="Overwrite files that were edited by hand or that vsr-compile has not written."
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Train all classifier heads again. A head that differs only by rounding keeps its file.",
)
@click.option(
    "--schema",
    is_flag=True,
    help="Validate all objects against their schemas, as `verify` does, before anything is written.",
)
@options.findings_format
@options.today
@options.strict
@click.pass_context
def command(  # noqa: PLR0913 - the flags of a command are its arguments
    context: click.Context,
    policies: tuple[Path, ...],
    out: Path,
    *,
    check_only: bool,
    force: bool,
    rebuild: bool,
    schema: bool,
    output_format: str,
    today: dt.date,
    strict: bool,
) -> None:
    """Compile policies into router configuration and Kubernetes manifests.

    \b
    vsr-compile policies/quickstart.yaml
    vsr-compile policies/ --check
    """
    report = console.FindingsPrinter(output_format, strict=strict)
    catalog = _catalog() if schema else None
    files = options.policy_files(policies)
    duplicates = multi_policy.duplicate_names(files)
    compiled: dict[str, tuple[ir.Policy, dict[str, set[str]]]] = {}
    for policy in files:
        if policy in duplicates:
            report.add(str(policy), [duplicates[policy]])
            continue
        try:
            result = _compile(
                policy, out, report, catalog, check_only=check_only, force=force, rebuild=rebuild, today=today
            )
        except CompileError as error:
            report.add(str(policy), error.diagnostics)
            continue
        if result is not None:
            compiled[str(policy)] = (result.policy, multi_policy.object_identities(result))
    for name, finding in multi_policy.cluster_conflicts(compiled):
        report.add(name, [finding])
    if len(compiled) == len(files) and any(path.is_dir() for path in policies):
        report.add(str(out), multi_policy.orphaned_outputs(out, {policy.name for policy, _ in compiled.values()}))
    context.exit(report.close())


def _catalog() -> Catalog:
    from vsr_compiler.verify.schema import Catalog  # noqa: PLC0415 - loading schemas is slow

    return Catalog.of()


def _compile(
    policy: Path,
    out: Path,
    report: console.FindingsPrinter,
    catalog: Catalog | None,
    *,
    check_only: bool,
    force: bool,
    rebuild: bool,
    today: dt.date,
) -> Compiled | None:
    """Compile one policy. Return None, and write nothing, if there is an error."""
    linked = read_policy(policy)
    if report.add(str(policy), linked.warnings):
        return None
    compiled = compile_policy(linked, lambda path: read_owned(out, linked.name, path), rebuild=rebuild, today=today)
    if report.add(str(policy), compiled.warnings[len(linked.warnings) :]):
        return None
    if catalog is not None:
        from vsr_compiler.deploy.self_check import schema_errors  # noqa: PLC0415 - as above

        if report.add(str(policy), schema_errors(compiled.policy, compiled.applied_objects, catalog)):
            return None
    folder = out / linked.name
    if check_only:
        if not report.add(str(policy), check(out, compiled.tree, compiled.lock)):
            console.print_message(f"{policy}: {folder} is up to date")
        return compiled
    written = write(out, compiled.tree, compiled.lock, force=force)
    counts = f"{len(written.written)} written, {len(written.removed)} removed, {len(written.unchanged)} unchanged"
    console.print_message(f"{policy}: {counts} in {folder}")
    return compiled
