"""The tables of ``docs/explanation/capacity.md``, from the measurements that ship with the compiler.

Run ``PYTHONPATH=tests python tests/support/capacity_page.py`` to rewrite them; a test compares both.
"""

from __future__ import annotations

from support.common import ROOT
from vsr_compiler.review.sizing.table import rows_of, shipped
from vsr_schemas.measurements import Measurements, Work

PAGE = ROOT / "docs" / "explanation" / "capacity.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
NAMES: dict[Work, str] = {
    "route": "keywords decide, nothing else",
    "patterns": "a guard with two patterns",
    "credentials": "a guard for credentials",
    "injection": "a guard for signs of attacks",
    "pii": "a guard for six types of personal data",
    "encoder": "similarity, or a compiled head of categories",
    "windows": "a compiled head of attacks, which reads the whole text",
    "cache": "a cache in memory, all requests new",
    "responses": "a guard that reads a stream of 300 events",
    "audit": "the audit log",
}


def tables(table: Measurements) -> str:
    """Return the part of the page between the marks."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(table.versions.items()))
    lines = [
        f"Measured on {table.date} with `{table.command}`: {table.machine}, {table.cores} cores, {versions}.",
        "",
        "| the policy has | bytes of a request | CPU of a request | requests/s of a core | memory of a process |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {row.body:,} | {_time(row.cpu)} | {_rate(1e6 / row.cpu)} | {row.memory:.0f} MiB |"
        for work, name in NAMES.items()
        for row in rows_of(table, work)
    ]
    low, *_, high = rows_of(table, "route")
    lines += [
        "",
        f"Envoy itself used {_time(low.envoy)} of CPU for a request of {low.body:,} bytes",
        f"and {_time(high.envoy)} for one of {high.body:,}. It also played the model server.",
    ]
    return "\n".join(lines) + "\n"


def _time(microseconds: float) -> str:
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def page(text: str) -> str:
    """Return the page with today's tables."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(shipped())}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
