"""``vsr-compile explain``: the policy line behind a place of the output, and the output of a policy line."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vsr_compiler import ir
from vsr_compiler.cli import console, options, output_folder
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.pipeline import Compiled, read_policy
from vsr_compiler.review import explain, yaml_paths
from vsr_compiler.syntax import load
from vsr_compiler.syntax.text import read

_PLACE = re.compile(r"(?P<file>.+?\.ya?ml|.+?\.safetensors|.+?\.lock)(?::(?P<line>\d{1,9})|:?(?P<path>[.\[].*))?")
WIDTH = 160


@click.command(name="explain", short_help="Show where an output came from.")
@click.argument("place")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="The policy, if it is not in policies/, or if PLACE is in a fragment.",
)
@options.out
@click.pass_context
def command(context: click.Context, place: str, policy: Path | None, out: Path) -> None:
    """Show which policy line made a file, line or field of the output, or what a policy line makes.

    \b
    vsr-compile explain out/quickstart/istio/base/default/httproute-phi4-mini.yaml
    vsr-compile explain out/quickstart/istio/base/default/httproute-phi4-mini.yaml:17
    vsr-compile explain 'out/quickstart/istio/base/default/httproute-phi4-mini.yaml.spec.rules[0]'
    vsr-compile explain policies/quickstart.yaml:31
    vsr-compile explain policies/models.yaml:7 --policy policies/routing.yaml
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        raise click.UsageError(f"`{place}` is not a file, `file:line` or `file.path`.")
    file, line = Path(match["file"]), int(match["line"] or 0)
    try:
        folder = output_folder.enclosing(file.parent)
        if folder is None:
            _from_policy(file, line, out, policy or file)
        else:
            _from_output(file, line, match["path"] or "", folder, policy)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)


def _from_policy(file: Path, line: int, out: Path, policy: Path) -> None:
    """Print what a line of a policy or of one of its fragments makes."""
    linked = read_policy(policy)
    document = load(read(file, str(file)), str(file))
    if not line:
        raise click.UsageError(f"Name a line of the policy, `{file}:LINE`, on which an entry begins.")
    outputs = explain.outputs_of_line(
        output_folder.compile_with_existing_heads(linked.name, policy, out), document, line
    )
    if not outputs:
        message = f"no output comes from line {line}"
        raise CompileError([Diagnostic("VSR307", message, Span(str(file), line, 1), "Name the line of an entry.")])
    if owner := _owner(linked, str(file)):
        console.print_data(f"{file}{owner}")
    _excerpt(Span(str(file), line, 1))
    for output in outputs:
        where = f"{out / linked.name / output.file}"
        line_text = f"{where}: {output.path} = {output.what}" if output.path else f"{where}: {output.what}"
        console.print_data(clip(line_text, WIDTH))


def _from_output(file: Path, line: int, path: str, folder: Path, policy: Path | None) -> None:
    """Print which policy lines made a place of the output."""
    name = locks.parse((folder / LOCK).read_bytes(), str(folder / LOCK)).policy
    source = policy or output_folder.find_policy(name)
    compiled = output_folder.compile_with_existing_heads(name, source, folder.parent)
    inside = file.resolve().relative_to(folder.resolve()).as_posix()
    if inside == LOCK:
        message = "the lock lists the output of the whole policy, not of one of its lines"
        raise CompileError([Diagnostic("VSR307", message, Span(str(file)), "Name a file that it lists.")])
    if inside not in compiled.tree:
        hint = "Run vsr-compile: the output is probably older than the policy."
        raise CompileError([Diagnostic("VSR307", f"{source} does not make {inside}", Span(str(file)), hint)])
    if compiled.tree[inside].content != file.read_bytes():
        console.print_message(f"{file} is outdated; this explains the output of a new compile")
    for origin in explain.origins(compiled, inside, _path(compiled, inside, line, path)):
        by = f", by {origin.emitter}" if origin.emitter else ""
        place = f"{origin.span.file}:{origin.span.line}:{origin.span.column}" if origin.span.line else origin.span.file
        owner = _owner(compiled.policy, origin.span.file)
        console.print_data(clip(f"{origin.what}: {place}{owner}{by}", WIDTH))
        _excerpt(origin.span)


def _path(compiled: Compiled, inside: str, line: int, text: str) -> yaml_paths.Path:
    """Return the path of a line or a text; the path of the whole file if neither is given."""
    if not (line or text) or not inside.endswith(".yaml"):
        return ()
    document = load(compiled.tree[inside].content.decode(), inside)
    path = yaml_paths.path_at_line(document, line) if line else yaml_paths.parse_path(text)
    if path is None or document.node(path) is None:
        message = f"there is nothing at {text or f'line {line}'}"
        raise CompileError([Diagnostic("VSR307", message, Span(inside, line), "Name a line or a field of the file.")])
    return path


def _owner(policy: ir.Policy, file: str) -> str:
    """Return the owner of a fragment in parentheses; nothing for the policy itself."""
    owner = next((item.owner for item in policy.imports if item.file == file), "")
    return f" (owner: {owner})" if owner else ""


def _excerpt(span: Span) -> None:
    lines = console.sources([Diagnostic("VSR307", "", span)]).get(span.file, "").split("\n")
    if 0 < span.line <= len(lines):
        console.print_data(f"  {span.line} | {clip(lines[span.line - 1], WIDTH)}")
