"""Findings as JUnit XML: a test suite for each file, with a test case for each reported code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.formats.text import place
from vsr_compiler.diagnostics.model import Diagnostic, Severity

# What XML 1.0 cannot hold, escaped or not.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(policies: Sequence[str], found: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """Return the document. Errors are failures; warnings and notes are output of passed cases."""
    del sources
    items = sorted(found, key=lambda item: item.order)
    files = list(dict.fromkeys([*policies, *(item.span.file for item in items)]))
    suites = [_suite(file, [item for item in items if item.span.file == file]) for file in files]
    totals = f'tests="{sum(tests for _, tests, _ in suites)}" failures="{sum(bad for *_, bad in suites)}" errors="0"'
    body = "".join(text for text, *_ in suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="vsr-compile" {totals}>\n{body}</testsuites>\n'


def _suite(file: str, items: list[Diagnostic]) -> tuple[str, int, int]:
    """Return the text of a suite and its numbers of cases and failures. A file without findings is one passed case."""
    codes = sorted({item.code for item in items})
    cases = [_case(file, code, [item for item in items if item.code == code]) for code in codes]
    if not cases:
        cases = [(f"    <testcase classname={_attribute(file)} name={_attribute('no findings')}/>\n", False)]
    bad = sum(failed for _, failed in cases)
    head = f'  <testsuite name={_attribute(file)} tests="{len(cases)}" failures="{bad}" errors="0" skipped="0">\n'
    return head + "".join(text for text, _ in cases) + "  </testsuite>\n", len(cases), bad


def _case(file: str, code: str, items: list[Diagnostic]) -> tuple[str, bool]:
    failed = any(item.level is Severity.ERROR for item in items)
    lines = "\n".join(
        f"{place(item)}: {item.level.word}: {item.message}" + (f" ({item.hint})" if item.hint else "") for item in items
    )
    head = f"    <testcase classname={_attribute(file)} name={_attribute(f'{code} {CODES[code].title}')}>\n"
    if failed:
        first = next(item for item in items if item.level is Severity.ERROR)
        body = f"      <failure type={_attribute(code)} message={_attribute(first.message)}>{_text(lines)}</failure>\n"
    else:
        body = f"      <system-out>{_text(lines)}</system-out>\n"
    return f"{head}{body}    </testcase>\n", failed


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
