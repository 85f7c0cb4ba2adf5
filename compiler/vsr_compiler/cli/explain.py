"""``vsr-compile explain``: from a line of the output to the policy, and from a line of the policy to the output."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vsr_compiler.cli import console, options, output
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


@click.command(name="explain", short_help="Where an output came from.")
@click.argument("place")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy, where it is not in policies/.")
@options.out
@click.pass_context
def command(context: click.Context, place: str, policy: Path | None, out: Path) -> None:
    """Show which policy line made a file, a line or a field of the output, or what a policy line makes.

    \b
    vsr-compile explain out/quickstart/istio/base/default/httproute-phi4-mini.yaml
    vsr-compile explain out/quickstart/istio/base/default/httproute-phi4-mini.yaml:17
    vsr-compile explain 'out/quickstart/istio/base/default/httproute-phi4-mini.yaml.spec.rules[0]'
    vsr-compile explain policies/quickstart.yaml:31
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        raise click.UsageError(f"`{place}` is no file, `file:line` or `file.path`.")
    file, line = Path(match["file"]), int(match["line"] or 0)
    try:
        folder = output.folder_of(file.parent)
        if folder is None:
            _from_policy(file, line, out)
        else:
            _from_output(file, line, match["path"] or "", folder, policy)
    except CompileError as error:
        console.findings(error.diagnostics)
        context.exit(1)


def _from_policy(file: Path, line: int, out: Path) -> None:
    """What a line of a policy makes."""
    linked = read_policy(file)
    document = load(read(file, str(file)), str(file))
    if not line:
        raise click.UsageError(f"Name a line of the policy, `{file}:LINE`, on which an entry begins.")
    found = explain.outputs_of_line(output.compiled(linked.name, file, out), document, line)
    if not found:
        message = f"nothing was emitted from line {line}"
        raise CompileError([Diagnostic("VSR307", message, Span(str(file), line, 1), "Name the line of an entry.")])
    _excerpt(Span(str(file), line, 1))
    for each in found:
        where = f"{out / linked.name / each.file}"
        console.data(clip(f"{where}: {each.path} = {each.what}" if each.path else f"{where}: {each.what}", WIDTH))


def _from_output(file: Path, line: int, path: str, folder: Path, policy: Path | None) -> None:
    """Which policy lines made a place in the output."""
    name = locks.parse((folder / LOCK).read_bytes(), str(folder / LOCK)).policy
    source = policy or output.find(name)
    compiled = output.compiled(name, source, folder.parent)
    inside = file.resolve().relative_to(folder.resolve()).as_posix()
    if inside == LOCK:
        message = "the lock lists what the whole policy makes, and comes from no line of it"
        raise CompileError([Diagnostic("VSR307", message, Span(str(file)), "Name a file that it lists.")])
    if inside not in compiled.tree:
        hint = "Run vsr-compile, if the output is older than the policy."
        raise CompileError([Diagnostic("VSR307", f"{source} does not make {inside}", Span(str(file)), hint)])
    if compiled.tree[inside].content != file.read_bytes():
        console.say(f"{file} is not what a fresh compile gives; this explains the fresh one")
    for origin in explain.origins(compiled, inside, _path(compiled, inside, line, path)):
        by = f", by {origin.emitter}" if origin.emitter else ""
        place = f"{origin.span.file}:{origin.span.line}:{origin.span.column}" if origin.span.line else origin.span.file
        console.data(clip(f"{origin.what}: {place}{by}", WIDTH))
        _excerpt(origin.span)


def _path(compiled: Compiled, inside: str, line: int, text: str) -> yaml_paths.Path:
    """The path that a line or a text means; the file as a whole where neither is given."""
    if not (line or text) or not inside.endswith(".yaml"):
        return ()
    document = load(compiled.tree[inside].content.decode(), inside)
    path = yaml_paths.path_at_line(document, line) if line else yaml_paths.parse_path(text)
    if path is None or document.node(path) is None:
        message = f"there is nothing at {text or f'line {line}'}"
        raise CompileError([Diagnostic("VSR307", message, Span(inside, line), "Name a line or a field of the file.")])
    return path


def _excerpt(span: Span) -> None:
    lines = console.sources([Diagnostic("VSR307", "", span)]).get(span.file, "").split("\n")
    if 0 < span.line <= len(lines):
        console.data(f"  {span.line} | {clip(lines[span.line - 1], WIDTH)}")
