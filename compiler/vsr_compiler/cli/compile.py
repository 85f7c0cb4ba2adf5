"""``vsr-compile compile``: compile policies, or check that the committed output is up to date."""

from __future__ import annotations

import datetime as dt
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsr_compiler.cache.answers import Question
from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import Report, check, read_owned, unchanged, write
from vsr_compiler.diagnostics import CompileError, Span
from vsr_compiler.manifests.lock import sha256
from vsr_compiler.review import multi_policy

if TYPE_CHECKING:
    from vsr_compiler.verify.schema import Catalog

_ABOUT_TRAINING = frozenset({"VSR237"})
"""Codes of findings that a compile reports only when it trains a classifier head."""


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
    flags = _Flags(check_only=check_only, force=force, rebuild=rebuild, today=today)
    compiled: dict[str, multi_policy.Held] = {}
    for policy in files:
        if policy in duplicates:
            report.add(str(policy), [duplicates[policy]])
            continue
        try:
            result = _Run(policy, out, report, catalog, flags).result()
        except CompileError as error:
            report.add(str(policy), error.diagnostics)
            continue
        if result is not None:
            compiled[str(policy)] = result
    for name, finding in multi_policy.cluster_conflicts(compiled):
        report.add(name, [finding])
    if len(compiled) == len(files) and any(path.is_dir() for path in policies):
        report.add(str(out), multi_policy.orphaned_outputs(out, {policy.name for policy in compiled.values()}))
    context.exit(report.close())


def _catalog() -> Catalog:
    from vsr_compiler.verify.schema import Catalog  # noqa: PLC0415 - loading schemas is slow

    return Catalog.of()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """The flags that change how a policy is compiled."""

    check_only: bool
    force: bool
    rebuild: bool
    today: dt.date


@dataclass(frozen=True, slots=True)
class _Run:
    """The compile of one policy."""

    policy: Path
    out: Path
    report: console.FindingsPrinter
    catalog: Catalog | None
    flags: _Flags

    def result(self) -> multi_policy.Held | None:
        """Compile the policy, unless nothing changed. Return None, and write nothing, if there is an error."""
        question = Question("compile", self.policy, (str(self.out), self.flags.today.isoformat()))
        if self.flags.rebuild or self.catalog is not None or (answer := question.answer()) is None:
            return self._compiled(question)
        held, lock = _held(answer.facts)
        if (known := unchanged(self.out, held.name, lock)) is None:
            return self._compiled(question)
        if any(self.report.add(str(self.policy), group) for group in answer.findings):
            return None
        self._print(held.name, known)
        return held

    def _compiled(self, question: Question) -> multi_policy.Held | None:
        from vsr_compiler.pipeline import compile_policy, read_policy  # noqa: PLC0415 - not needed if nothing changed
        from vsr_compiler.syntax.text import read  # noqa: PLC0415 - as above

        name, out = str(self.policy), self.out
        linked = read_policy(self.policy, texts=question.texts(read))
        if self.report.add(name, linked.warnings):
            return None
        compiled = compile_policy(
            linked, lambda path: read_owned(out, linked.name, path), rebuild=self.flags.rebuild, today=self.flags.today
        )
        later = compiled.warnings[len(linked.warnings) :]
        if self.report.add(name, later):
            return None
        if self.catalog is not None:
            from vsr_compiler.deploy.self_check import schema_errors  # noqa: PLC0415 - loading schemas is slow

            if self.report.add(name, schema_errors(compiled.policy, compiled.applied_objects, self.catalog)):
                return None
        held = multi_policy.held(compiled)
        if self.flags.check_only:
            if self.report.add(name, check(out, compiled.tree, compiled.lock)):
                return held
            self._print(held.name, Report((), (), ()))
        else:
            self._print(held.name, write(out, compiled.tree, compiled.lock, force=self.flags.force))
        lasting = [item for item in later if item.code not in _ABOUT_TRAINING]
        question.remember([linked.warnings, lasting], _facts(held, sha256(compiled.lock.render())))
        return held

    def _print(self, name: str, report: Report) -> None:
        folder = self.out / name
        if self.flags.check_only:
            console.print_message(f"{self.policy}: {folder} is up to date")
            return
        counts = f"{len(report.written)} written, {len(report.removed)} removed, {len(report.unchanged)} unchanged"
        console.print_message(f"{self.policy}: {counts} in {folder}")


def _facts(held: multi_policy.Held, lock: str) -> list[object]:
    """Return what is remembered of a compile, as JSON."""
    identities = {server: sorted(names) for server, names in held.identities.items()}
    return [lock, held.name, held.namespace, astuple(held.span), identities]


def _held(facts: Any) -> tuple[multi_policy.Held, str]:  # noqa: ANN401 - as `_facts` made it
    lock, name, namespace, span, identities = facts
    names = {server: frozenset(items) for server, items in identities.items()}
    return multi_policy.Held(name, namespace, Span(*span), names), lock
