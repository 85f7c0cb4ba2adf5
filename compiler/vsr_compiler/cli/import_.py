"""``vsr-compile import``: other people's configurations as one policy."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_schemas.scalars import DNS_LABEL
from vsr_schemas.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsr_compiler.importer import Imported
    from vsr_schemas import reports

REPORTS = ("text", "markdown", "json", "sarif")
STDOUT = Path("-")


@click.command(name="import", short_help="Import a configuration of another router or gateway.")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR|-...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("policy.yaml"),
    show_default=True,
    help="The file of the policy; - is standard output.",
)
@click.option(
    "--report",
    "report_format",
    type=click.Choice(REPORTS),
    default="text",
    show_default=True,
    help="Format of the report of loss: text on stderr, all others on stdout.",
)
@click.option("--name", metavar="NAME", help="Name of the policy. Defaults to that of the output file.")
@click.option(
    "--image", metavar="IMAGE", default=f"vsr-runtime:{VERSION}", show_default=True, help="The router's image."
)
@click.option(
    "--engine",
    type=click.Choice(["vsr-runtime", "semantic-router"]),
    default="vsr-runtime",
    show_default=True,
    help="The implementation of the router.",
)
@click.option(
    "--stock-release",
    type=click.Choice(["0.3.0", "0.4.0"]),
    default=None,
    help="The release of the semantic-router, with --engine semantic-router.",
)
@click.option("--target", metavar="TARGET", default="", help="The gateway stack, such as istio or agentgateway.")
@click.option(
    "--recipe", metavar="NAME", default="", help="The recipe to import. Defaults to that of the first entry point."
)
@click.option("--force", is_flag=True, help="Overwrite the file of the policy.")
@click.option("--partial", is_flag=True, help="Write the policy although the report has errors.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--prove", "proving", is_flag=True, help="Prove that the policy decides as the source does.")
@click.option(
    "--against",
    metavar="POLICY",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Prove it of this policy, and write nothing.",
)
@click.pass_context
def command(  # noqa: PLR0913 - one an option
    context: click.Context,
    sources: tuple[Path, ...],
    *,
    output: Path,
    report_format: str,
    name: str | None,
    image: str,
    engine: str,
    stock_release: str | None,
    target: str,
    recipe: str,
    force: bool,
    partial: bool,
    strict: bool,
    proving: bool,
    against: Path | None,
) -> None:
    """Import configurations of another router or gateway as one policy, with a report of loss.

    All files together make one policy. Their form is detected by their content: configurations of the semantic-router
    of every release, its DSL, its Kubernetes objects, ConfigMaps and Helm values with one; LiteLLM; agentgateway; and
    manifests of gateways and model servers. What the policy cannot say is reported at its place in the source. Keys are
    never copied.

    With an error in the report nothing is written, because a protection or a decision would be lost; `--partial` writes
    the rest, with comments at the places.

    \b
    vsr-compile import config.yaml -o policies/team-a.yaml
    vsr-compile import config.yaml objects/ --report markdown > loss.md

    With `--prove`, the decisions of a semantic-router's configuration and of the policy are proved equal, or requests
    are shown that they decide differently. Differences that the report declares are listed. `--against` proves it of a
    policy that exists, such as one that was edited after its import.

    \b
    vsr-compile import config.yaml --prove
    vsr-compile import config.yaml --against policies/team-a.yaml

    Exit codes: 0 imported, and equal if that is to be proved; 1 the report has an error, or a request is decided
    differently; 3 not decided. With --against, the report of the import is not shown; with an error in it nothing
    is proved equal.
    """
    from vsr_compiler.importer import Options, import_files  # noqa: PLC0415 - `--help` must not pay for it

    if output == STDOUT and report_format != "text":
        raise click.UsageError("The policy and the report cannot both be on standard output. Name an --output.")
    if stock_release and engine != "semantic-router":
        raise click.UsageError("--stock-release is for --engine semantic-router.")
    if against is not None:
        context.exit(_against(sources, against, report_format, recipe))
    if output != STDOUT and (output.exists() or output.is_symlink()) and not force:
        raise click.UsageError(f"`{output}` already exists. Name another file, or overwrite it with --force.")
    options = Options(
        _name(name, output),
        image,
        "semantic-router" if engine == "semantic-router" else "vsr-runtime",
        _target(target),
        recipe,
        stock_release or "",
    )
    shown = "policy.yaml" if output == STDOUT else str(output)
    imported = import_files(sources, options, output=shown)
    findings = [_strict(item) for item in imported.findings] if strict else list(imported.findings)
    failed = any(item.level is Severity.ERROR for item in findings)
    written = bool(imported.policy) and (partial or not failed)
    if written:
        try:
            _write(output, imported.policy, force=force)
        except CompileError as error:
            console.print_findings(error.diagnostics)
            context.exit(1)
    proof = None
    if proving:
        from vsr_compiler.cli import proof as proofs  # noqa: PLC0415 - of one option

        proof = proofs.report_of(proofs.proved(imported, Path(shown), imported.policy), imported)
    _report(report_format, imported, findings, proof)
    if written and output != STDOUT:
        console.print_message(f"{output}: written. Read the report, then run: vsr-compile check {shlex.quote(shown)}")
    elif not written and imported.policy:
        console.print_message(
            "Nothing was written, because of the errors. --partial writes what could be carried over."
        )
    context.exit(int(failed) if failed or proof is None else proofs.EXITS[proof.verdict])


def _against(sources: tuple[Path, ...], policy: Path, report_format: str, recipe: str) -> int:
    """Prove a policy that exists. Return the exit code."""
    from vsr_compiler.cli import proof as proofs  # noqa: PLC0415 - of one option
    from vsr_compiler.importer import Options, import_files  # noqa: PLC0415

    if report_format not in {"text", "json"}:
        raise click.UsageError("--against has no findings to report. Its --report is text or json.")
    imported = import_files(sources, Options(recipe=recipe))
    if imported.config is None and imported.failed:
        console.print_findings([item for item in imported.findings if item.level is Severity.ERROR], imported.texts)
        return 1
    proof = proofs.report_of(proofs.qualified(proofs.proved(imported, policy, None), imported), imported)
    _report(report_format, imported, [], proof)
    return proofs.EXITS[proof.verdict]


def _name(name: str | None, output: Path) -> str:
    """Return the name of the policy.

    Raises:
        click.BadParameter: It is not a DNS label.
    """
    if name is None:
        return output.stem.lower() if re.fullmatch(DNS_LABEL, output.stem.lower()) else "policy"
    if not re.fullmatch(DNS_LABEL, name):
        raise click.BadParameter(f"`{name}` is not a DNS label.", param_hint="--name")
    return name


def _target(target: str) -> str:
    """Return a target that exists.

    Raises:
        click.BadParameter: It does not.
    """
    if target:
        from vsr_compiler.targets import TARGETS  # noqa: PLC0415 - loads much, and most calls name none

        if target not in TARGETS:
            raise click.BadParameter(f"`{target}` is none of {', '.join(TARGETS)}.", param_hint="--target")
    return target


def _strict(item: Diagnostic) -> Diagnostic:
    from dataclasses import replace  # noqa: PLC0415 - of one option

    return replace(item, severity=Severity.ERROR) if item.level is Severity.WARNING else item


def _write(output: Path, policy: str, *, force: bool) -> None:
    """Write the policy: all of it or nothing.

    Raises:
        CompileError: VSR500.
    """
    if output == STDOUT:
        console.print_data(policy)
        return
    from vsr_compiler.syntax.replace import replace_text  # noqa: PLC0415 - `--help` must not pay for it

    try:
        if not (force and output.exists()):
            output.open("x", encoding="utf-8").close()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        problem = Diagnostic("VSR500", f"cannot write the file: {reason}", Span(str(output)), "Check the path.")
        raise CompileError([problem]) from None
    replace_text(output, policy)


def _report(
    report_format: str, imported: Imported, findings: Sequence[Diagnostic], proof: reports.Proof | None = None
) -> None:
    """Print the report. Its excerpts are those of the importer, which have no secrets."""
    files = list(imported.forms)
    module = importlib.import_module(
        f"vsr_compiler.diagnostics.formats.{console.MODULES.get(report_format, report_format)}"
    )
    if report_format == "text":
        sys.stderr.write(module.render(findings, imported.texts, colour=console.colour()))
    else:
        document = module.render(files, findings, imported.texts)
        if proof is not None and report_format == "json":
            document = _with(document, proof)
        console.print_data(document)
    console.print_counts(findings)
    if proof is not None and report_format != "json":
        from vsr_compiler.cli.proof import show  # noqa: PLC0415 - of one option

        show(proof)


def _with(document: str, proof: reports.Proof) -> str:
    """Return a JSON report with a proof."""
    from vsr_schemas.reports import Report  # noqa: PLC0415 - of one option

    report = Report.model_validate_json(document).model_copy(update={"proof": proof})
    return report.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"
