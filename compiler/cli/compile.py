"""``vsr-compile POLICY``: compile, or check that the committed output is what a compile gives."""

from __future__ import annotations

from pathlib import Path

from compiler.cli import console
from compiler.diagnostics import CompileError, Diagnostic, Span
from compiler.output.write import check, read_owned, write
from compiler.pipeline import Compiled, compile_policy, read_policy


def run(policy: Path, out: Path, *, check_only: bool, force: bool, rebuild: bool) -> int:
    """Compile one policy. Returns the exit code: 0 fine, 1 findings or a difference."""
    try:
        compiled = _compile(policy, out, rebuild=rebuild)
        if check_only:
            if differences := check(out, compiled.tree, compiled.lock):
                console.findings(differences, {})
                return 1
            console.say(f"{policy}: {out / compiled.policy.name} is up to date")
            return 0
        report = write(out, compiled.tree, compiled.lock, force=force)
    except CompileError as error:
        console.findings(error.diagnostics, _sources(error.diagnostics))
        return 1
    console.say(
        f"{policy}: {len(report.written)} written, {len(report.removed)} removed, "
        f"{len(report.unchanged)} unchanged in {out / compiled.policy.name}"
    )
    return 0


def _compile(policy: Path, out: Path, *, rebuild: bool) -> Compiled:
    linked = read_policy(policy)
    return compile_policy(linked, lambda path: read_owned(out, linked.name, path), rebuild=rebuild)


def _sources(found: list[Diagnostic]) -> dict[str, str]:
    """The text of the files that findings point into."""
    files = {item.span.file for item in found if item.span.line}
    return {name: Path(name).read_text(encoding="utf-8", errors="replace") for name in files}


def internal(error: BaseException) -> Diagnostic:
    """A fault of ours as a finding, with the place in our code where it happened."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    return Diagnostic(
        "VSR900", f"{type(error).__name__}: {error}{where}", Span("vsr-compile"), "Please report it with the policy."
    )
