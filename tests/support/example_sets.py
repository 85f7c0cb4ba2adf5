"""The tables of ``docs/reference/example-sets.md``: the sets that ship, from their files.

Run ``python tests/support/example_sets.py`` to rewrite the page; a test compares both.
"""

from __future__ import annotations

from support.common import ROOT
from vsr_compiler import examples

PAGE = ROOT / "docs" / "reference" / "example-sets.md"
HEAD = """# Example sets

Sets of example texts that ship with the compiler. An entry `builtin:NAME@VERSION/LABEL` in `examples` takes all
texts of a label; see [Write a policy](../how-to/write-a-policy.md#use-shipped-examples). All texts were written for
this project; none is from a public data set. Once released, a set does not change: a correction or a wider choice is
a new version, and both stay available. What is new is in the [changelog](../../CHANGELOG.md).

The shipped encoder, all-MiniLM-L6-v2, reads English only. Texts in other languages are for encoders that read them.

**A head trained from `injection@1` with the shipped encoder is no protection on its own.** Of families that it has not
seen it finds less than a quarter of the attacks at 1 % false alarms among look-alikes;
[Guards, measured](guards-measured.md) has the numbers by family. `patterns: injection` finds 7 % (and 2 % of the
look-alikes, mostly quoted attacks). Use a [detector](guards.md) to block.

`injection@2` has attacks and look-alikes in the same carriers: mails, pages, code, tool results and records. Each
carrier has both equally often, so that a head must read the payload. A topic has one name in both labels and is held
out as a whole. No text of it is in `injection@1`; a policy may take both.

The shipped head of `mmlu-pro@1` is right on 95 % of 125 short questions that no choice was made by, with a calibration
error of 0.08 (`benchmarks/fresh_domains.py`). They have the same author and plain wording: real prompts are harder.

Of held-out topics of the other sets, a plain linear head on the last layer of the encoder labels this share correctly
(`benchmarks/example_sets.py`): `fact-check@1` 98 % of two labels, whose texts are further apart than real requests are;
`feedback@1` 67 % of four; `reask@1` 58 % of two. Heads of policies choose the layer: with the middle one it is 78 % for
`feedback@1` and 92 % for `reask@1`. All texts have the same authors, so expect less on texts of others.

This page is generated from the files of the sets: `python tests/support/example_sets.py`.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(section(name) for name in examples.names())


def section(name: str) -> str:
    """A set: its purpose, its languages, and a row for each label."""
    shipped = examples.read(name)
    rows = []
    for label, topics in shipped.labels.items():
        parts = ", ".join(f"{topic} ({len(texts)})" for topic, texts in topics.items())
        rows.append(f"| `{label}` | {len(shipped.texts(label))} | {parts} |")
    total = sum(len(shipped.texts(label)) for label in shipped.labels)
    languages = ", ".join(f"`{code}`" for code in shipped.languages)
    return (
        f"\n## {name}\n\n{shipped.title}. {total} texts; languages: {languages}.\n\n"
        "| label | texts | topics |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
