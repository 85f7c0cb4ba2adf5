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

**A head trained from `injection@1` with the shipped encoder is no protection.** `benchmarks/example_sets.py` holds out
each family in turn (2 December 2026, plain linear head): the area under the curve is 0.80, from 0.75 (tool results) to
0.91 (overrides) by family, and 0.23, worse than chance, for other languages. At the threshold that 1 % of the
look-alikes exceed, chosen on the same scores, it finds 15 % of the attacks; `patterns: injection` finds 7 % (and 2 % of
the look-alikes, mostly quoted attacks), both together 21 % (3 %). Use a [detector](guards.md) to block.

For the other sets, the same head labels this share of the texts of held-out topics correctly: `fact-check@1` 98 % of
two labels, whose texts are further apart than real requests are; `feedback@1` 67 % of four; `reask@1` 58 % of two,
little better than chance, because a question asked again shows that only beside the first one. All texts have the same
authors, so expect less on texts of others.

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
