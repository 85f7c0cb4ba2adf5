"""``vsr-compile compile``: compile policies, or check that the committed output is what a compile gives."""

from __future__ import annotations

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
@click.option("--check", "check_only", is_flag=True, help="Write nothing; exit 1 if the output differs from a compile.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or are not ours.")
@click.option("--rebuild", is_flag=True, help="Train classifier heads anew; those equal within the tolerance stay.")
@click.option(
    "--schema",
    is_flag=True,
    help="Hold all objects against their schemas as well, as `verify` does, before anything is written.",
)
@options.form
@options.strict
@click.pass_context
def command(  # noqa: PLR0913 - a verb's flags are its arguments
    context: click.Context,
    policies: tuple[Path, ...],
    out: Path,
    *,
    check_only: bool,
    force: bool,
    rebuild: bool,
    schema: bool,
    form: str,
    strict: bool,
) -> None:
    """Compile policies into router config and gateway manifests.

    \b
    vsr-compile policies/quickstart.yaml
    vsr-compile policies/ --check
    """
    report = console.Findings(form, strict=strict)
    catalog = _catalog() if schema else None
    files = options.files(policies)
    doubles = multi_policy.duplicate_names(files)
    held: dict[str, tuple[ir.Policy, set[str]]] = {}
    for policy in files:
        if policy in doubles:
            report.add(str(policy), [doubles[policy]])
            continue
        try:
            done = _one(policy, out, report, catalog, check_only=check_only, force=force, rebuild=rebuild)
        except CompileError as error:
            report.add(str(policy), error.diagnostics)
            continue
        if done is not None:
            held[str(policy)] = (done.policy, multi_policy.object_identities(done))
    for name, found in multi_policy.cluster_conflicts(held):
        report.add(name, [found])
    if len(held) == len(files) and any(each.is_dir() for each in policies):
        report.add(str(out), multi_policy.orphaned_outputs(out, {policy.name for policy, _ in held.values()}))
    context.exit(report.close())


def _catalog() -> Catalog:
    from vsr_compiler.verify.schema import Catalog  # noqa: PLC0415 - only those who ask for schemas wait for them

    return Catalog.of()


def _one(
    policy: Path,
    out: Path,
    report: console.Findings,
    catalog: Catalog | None,
    *,
    check_only: bool,
    force: bool,
    rebuild: bool,
) -> Compiled | None:
    """One policy: what is wrong goes to the report, and then nothing is written and there is no compile."""
    linked = read_policy(policy)
    if report.add(str(policy), linked.warnings):
        return None
    compiled = compile_policy(linked, lambda path: read_owned(out, linked.name, path), rebuild=rebuild)
    if report.add(str(policy), compiled.warnings[len(linked.warnings) :]):
        return None
    if catalog is not None:
        from vsr_compiler.deploy.self_check import schema_errors  # noqa: PLC0415 - as above

        if report.add(str(policy), schema_errors(compiled.policy, compiled.applied_objects, catalog)):
            return None
    folder = out / linked.name
    if check_only:
        if not report.add(str(policy), check(out, compiled.tree, compiled.lock)):
            console.say(f"{policy}: {folder} is up to date")
        return compiled
    done = write(out, compiled.tree, compiled.lock, force=force)
    counts = f"{len(done.written)} written, {len(done.removed)} removed, {len(done.unchanged)} unchanged"
    console.say(f"{policy}: {counts} in {folder}")
    return compiled
