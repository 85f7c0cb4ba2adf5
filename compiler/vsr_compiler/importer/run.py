"""An import: read the sources, recognise them, fill the draft, write it, and check what was written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_compiler.importer import sources
from vsr_compiler.importer.family import Family, Job, Recognised
from vsr_compiler.importer.model import Imported, Options
from vsr_compiler.importer.registry import FAMILIES
from vsr_compiler.importer.sources import STDIN, Part
from vsr_compiler.importer.writer import write
from vsr_compiler.syntax.text import MAX_BYTES
from vsr_compiler.yaml_reader import Values

MAX_TEXT = 60
"""Characters of a file name in a comment."""


def import_files(paths: Sequence[Path], options: Options, *, output: str = "policy.yaml") -> Imported:
    """Import files as one policy. Nothing is written.

    Args:
        paths: Files, folders, and ``-`` for standard input.
        options: What the sources do not say.
        output: The name of the policy's file in findings about it.
    """
    job = Job(options)
    parts, texts, problems = _read(tuple(paths))
    for part in parts:
        if part.node is not None:
            job.losses.secrets.scan(part.node)
    recognised = _recognised(parts, job)
    for family, documents in recognised:
        family.read(documents, job)
    for item in job.names.renames:
        job.losses.group("VSR530", f"names of a {item.kind} that had to change", f"{item.old} => {item.new}", item.span)
    problems += job.losses.all()
    forms: dict[str, tuple[str, ...]] = {}
    for _, documents in recognised:
        for form, part in documents:
            forms[part.file] = tuple(dict.fromkeys((*forms.get(part.file, ()), form)))
    masked = {name: job.losses.secrets.masked(name, text) for name, text in texts.items()}
    policy = ""
    if any(not family.supplements for family, _ in recognised) and job.draft.sections:
        _complete(job, forms)
        policy = job.losses.secrets.scrub(write(job.draft))
        masked[output] = policy
        problems += _checked(policy, output)
    return Imported(
        policy,
        tuple(sorted(problems, key=lambda item: item.order)),
        masked,
        forms,
        tuple(job.names.renames),
        tuple(job.correspondences),
        job.config,
        {leaf: condition for leaf, condition in job.leaves.items() if leaf not in job.refused},
        job.losses.secrets.scrub,
    )


def _read(paths: tuple[Path, ...]) -> tuple[list[Part], dict[str, str], list[Diagnostic]]:
    """Read all sources. A file of a folder that cannot be read is a warning, a named one an error."""
    parts: list[Part] = []
    texts: dict[str, str] = {}
    problems: list[Diagnostic] = []
    budget, total = Values(sources.MAX_NODES), 0
    try:
        for path, named in sources.files(paths):
            name = "<stdin>" if path == STDIN else str(path)
            if name in texts:
                continue
            try:
                data = sys.stdin.buffer.read(MAX_BYTES + 1) if path == STDIN else sources.read_bytes(path, name)
                total += len(data)
                if total > sources.MAX_TOTAL:
                    message = f"the files have more than {sources.MAX_TOTAL // 1024 // 1024} MiB together"
                    problems.append(Diagnostic("VSR005", message, Span(name), "Name the files that belong together."))
                    break
                texts[name] = sources.decoded(data, name)
                yaml = not any(family.is_text(texts[name]) for family in FAMILIES)
                parts += sources.parts(data, name, budget, named=named, yaml=yaml)
            except CompileError as error:
                problems += [_lowered(item, named=named) for item in error.diagnostics]
                if budget.values < 0:
                    break
    except CompileError as error:
        problems += error.diagnostics
    return parts, texts, problems


def _lowered(item: Diagnostic, *, named: bool) -> Diagnostic:
    return item if named else replace(item, severity=Severity.WARNING)


def _recognised(parts: Sequence[Part], job: Job) -> list[tuple[Family, list[Recognised]]]:
    """Return the documents by family, and report those of none."""
    found: dict[str, list[Recognised]] = {}
    known = {part.file for part in parts if any(family.recognise(part) for family in FAMILIES)}
    for part in parts:
        for family in FAMILIES:
            if form := family.recognise(part):
                found.setdefault(family.name, []).append((form, part))
                break
        else:
            hint = f"`import` reads files of {', '.join(family.name for family in FAMILIES)}."
            if part.named and part.file not in known:
                job.losses.add("VSR520", "the file has no form that `import` knows", part.span, hint)
            else:
                job.losses.group("VSR521", "documents that say nothing about routing", _place(part), part.span)
    leading = [family for family in FAMILIES if family.name in found]
    return [(family, found[family.name]) for family in sorted(leading, key=lambda family: family.supplements)]


def _place(part: Part) -> str:
    return f"{part.file}:{part.span.line}"


def _complete(job: Job, forms: dict[str, tuple[str, ...]]) -> None:
    """Add what every policy has, and the head of the file."""
    draft, options = job.draft, job.options
    draft.mapping("metadata").setdefault("name", job.names.new("policy", options.name, Span("")))
    router = draft.mapping("router")
    if options.engine == "semantic-router":
        router.setdefault("engine", options.engine)
        if options.release:
            draft.mapping("gateway").setdefault("versions", {"semantic-router": options.release})
    else:
        router.setdefault("image", options.image)
    if options.target and "environments" not in draft.sections:
        draft.sections["environments"] = {"dev": {"target": options.target}}
    read = ", ".join(f"{Path(name).name[:MAX_TEXT]} ({', '.join(kinds)})" for name, kinds in forms.items())
    draft.comments.setdefault((), []).insert(0, f"Imported from {read}.")


def _checked(policy: str, output: str) -> list[Diagnostic]:
    """Return what `check` says about the policy: its errors are faults of the import or of the source."""
    from vsr_compiler.pipeline import findings  # noqa: PLC0415 - loads much, and a refused source needs none of it

    found = findings(Path(output), texts=lambda _path, _name: policy)
    errors = [item for item in found if item.level is Severity.ERROR]
    if not errors:
        return found
    hint = "Change the source or the policy at this place, and report it if the source is valid."
    return [
        Diagnostic("VSR537", f"the imported policy does not compile: {item.code}: {item.message}", item.span, hint)
        for item in errors
    ]
