"""``vsr-compile compile``: compile policies, or check that the committed output is what a compile gives."""

from __future__ import annotations

from pathlib import Path

import click

from compiler.cli import console, options
from compiler.diagnostics import CompileError
from compiler.output.write import check, read_owned, write
from compiler.pipeline import Compiled, compile_policy, read_policy


@click.command(name="compile", short_help="Compile policies.")
@options.policies
@options.out
@click.option("--check", "check_only", is_flag=True, help="Write nothing; exit 1 if the output differs from a compile.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or are not ours.")
@click.option("--rebuild", is_flag=True, help="Train classifier heads anew; those equal within the tolerance stay.")
@click.pass_context
def command(
    context: click.Context, policies: tuple[Path, ...], out: Path, *, check_only: bool, force: bool, rebuild: bool
) -> None:
    """Compile policies into router config and gateway manifests.

    \b
    vsr-compile policies/quickstart.yaml
    vsr-compile policies/ --check
    """
    codes = [
        _one(policy, out, check_only=check_only, force=force, rebuild=rebuild) for policy in options.files(policies)
    ]
    context.exit(max(codes, default=0))


def _one(policy: Path, out: Path, *, check_only: bool, force: bool, rebuild: bool) -> int:
    """One policy. Returns the exit code."""
    try:
        compiled = _compile(policy, out, rebuild=rebuild)
        console.findings(compiled.policy.warnings, console.sources(compiled.policy.warnings))
        folder = out / compiled.policy.name
        if check_only:
            if differences := check(out, compiled.tree, compiled.lock):
                console.findings(differences, {})
                return 1
            console.say(f"{policy}: {folder} is up to date")
            return 0
        report = write(out, compiled.tree, compiled.lock, force=force)
    except CompileError as error:
        console.findings(error.diagnostics, console.sources(error.diagnostics))
        return 1
    counts = f"{len(report.written)} written, {len(report.removed)} removed, {len(report.unchanged)} unchanged"
    console.say(f"{policy}: {counts} in {folder}")
    return 0


def _compile(policy: Path, out: Path, *, rebuild: bool) -> Compiled:
    linked = read_policy(policy)
    return compile_policy(linked, lambda path: read_owned(out, linked.name, path), rebuild=rebuild)
