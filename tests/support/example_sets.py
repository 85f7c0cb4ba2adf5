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

**A head trained from `injection@1` with the shipped encoder is no protection.** Each family of attacks and of
look-alikes was held out in turn, on 2 December 2026: the area under the curve is 0.79 (English alone 0.82). At the
threshold that 1 % of the look-alikes exceed, 15 % of the attacks are found. From 0.75 (documents, tool results) to
0.92 (overrides) by family; 0.25, worse than chance, for other languages. These texts have the authors of the training
texts, so attacks of others are likely to be found less often. Use a [detector](guards.md) to block.

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
