"""The reference page of codes, ``docs/reference/codes.md``, generated from the registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from vsr_compiler.diagnostics.codes import BASE, CODES, Code, Example, Kind

GROUPS = {  # by the first digits of the codes
    "0": "Text",
    "1": "Schema",
    "2": "Meaning",
    "3": "Targets and deployment",
    "467": "Manifests",
    "5": "Files and output",
    "9": "Internal errors",
}
PAGE = "docs/reference/codes.md"
COMMANDS_PAGE = "docs/reference/commands.md"
HEAD = f"""\
# Codes

Every finding of `vsr-compile` has a code. An error stops the command, and nothing is written; a warning or a note does
not. A code keeps its meaning, and a retired code is not used again. `vsr-compile codes VSR201` prints one entry of this
page, which is generated: `vsr-compile codes --markdown > {PAGE}`.

Most examples show sections that replace those of this policy:

```yaml
{BASE}```
"""


def markdown(codes: Mapping[str, Code] = CODES) -> str:
    """Return the page."""
    parts = [HEAD]
    for digits, title in GROUPS.items():
        names = sorted(name for name in codes if name[3] in digits)
        if not names:
            continue
        rows = "".join(f"| [{n}](#{anchor(n)}) | {codes[n].severity} | {codes[n].title} |\n" for n in names)
        parts.append(f"\n## {title}\n\n| code | severity | title |\n|---|---|---|\n{rows}")
        parts += [_entry(name, codes[name]) for name in names]
    return "".join(parts)


def text(name: str) -> str:
    """Return the entry of a code for a terminal."""
    code = CODES[name]
    example = "\n".join(f"    {line}".rstrip() for line in code.example.text.rstrip("\n").split("\n"))
    output = "\n".join(f"    {line}" for line in finding(name, code.example).split("\n"))
    return (
        f"{name} ({code.severity}): {code.title}\n\n{code.meaning}\n{code.reason}\n\nFix: {code.fix}\n\n"
        f"Example:\n\n{example}\n\n{output}\n\n{PAGE}#{anchor(name)}"
    )


def anchor(name: str) -> str:
    """Return the anchor of a code on the page."""
    return name.lower()


def finding(name: str, example: Example) -> str:
    """Return the finding that an example produces, as it is printed."""
    return example.output or recorded()[name]


@lru_cache(maxsize=1)
def recorded() -> Mapping[str, str]:
    """Return the findings of the examples that can be run, by code.

    The tests run the examples and compare; ``pytest tests/compiler/diagnostics --update-golden`` records them again.
    """
    document = files("vsr_compiler.diagnostics.codes").joinpath("example_findings.json").read_text(encoding="utf-8")
    findings: dict[str, str] = json.loads(document)
    return findings


def _entry(name: str, code: Code) -> str:
    rule = f", rule {code.rule}" if code.rule else ""
    if code.example.kind is Kind.COMMAND:
        example = f"```text\n$ {code.example.text}\n{code.example.output}\n```"
    else:
        body = code.example.text.rstrip("\n")
        example = f"```yaml\n{body}\n```\n\n```text\n{finding(name, code.example)}\n```"
    return (
        f"\n### {name}\n\n**{code.title}** ({code.severity}, stage: {code.stage.value}{rule})\n\n"
        f"{code.meaning} {code.reason}\n\n{example}\n\n**Fix:** {code.fix}\n"
    )
