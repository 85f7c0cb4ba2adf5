"""Findings as SARIF 2.1.0 (OASIS, 2020), which code scanning services read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.model import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.rule_names import RULE_NAMES
from vsr_schemas.version import VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(policies: Sequence[str], found: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """Return the log: one run, a rule for each reported code, a result for each finding."""
    items = sorted(found, key=lambda item: item.order)
    codes = sorted({item.code for item in items})
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "vsr-compile", "version": VERSION, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(name)}} for name in policies],
        "results": [_result(item, codes, _line(item.span, sources), seen) for item in items],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    code = CODES[name]
    title = code.title[:1].upper() + code.title[1:]
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in "".join(c if c.isalnum() else " " for c in code.title).split()),
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": f"{title}. {code.fix}"},
        "help": {"text": code.fix, "markdown": f"**{name}: {code.title}.** {code.fix}"},
        "defaultConfiguration": {"level": code.severity},
        **({"properties": {"rule": RULE_NAMES[name], "tags": [RULE_NAMES[name]]}} if name in RULE_NAMES else {}),
    }


def _result(item: Diagnostic, codes: Sequence[str], line: str, seen: Counter[str]) -> dict[str, Any]:
    message = item.message[:1].upper() + item.message[1:] + "."
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(item.span.file)}}
    if item.span.line:
        location["region"] = _region(item.span)
    # The fingerprint uses the text of the line, not its number, so that it survives changes above.
    known = hashlib.sha256("\n".join((item.code, item.span.file, line or item.message)).encode(errors="replace"))
    identity = known.hexdigest()[:32]
    seen[identity] += 1
    return {
        "ruleId": item.code,
        "ruleIndex": codes.index(item.code),
        "level": LEVELS[item.level],
        "message": {"text": f"{message} {item.hint}".strip()},
        "locations": [{"physicalLocation": location}],
        **({"properties": {"rule": item.rule}} if item.rule else {}),
        "partialFingerprints": {"vsrFinding/v1": f"{identity}:{seen[identity]}"},
    }


def _region(span: Span) -> dict[str, int]:
    region = {"startLine": span.line, "startColumn": max(span.column, 1)}
    if span.end_line >= span.line and span.end_column and (span.end_line, span.end_column) > (span.line, span.column):
        region |= {"endLine": span.end_line, "endColumn": span.end_column}
    return region


def _line(span: Span, sources: Mapping[str, str]) -> str:
    lines = sources.get(span.file, "").split("\n")
    return lines[span.line - 1].strip() if 0 < span.line <= len(lines) else ""


def _uri(name: str) -> str:
    """Return a path as a URI reference, or as a file URI if it is absolute."""
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix().encode(errors="replace"))
