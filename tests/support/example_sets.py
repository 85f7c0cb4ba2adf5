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

The shipped encoder, all-MiniLM-L6-v2, reads English well, French, Spanish, Portuguese and German poorly, and other
languages hardly. Texts in other languages are for encoders that read them.

**A head trained from `injection@1` with the shipped encoder is no protection on its own.** Of families that it has not
seen it finds less than a quarter of the attacks at 1 % false alarms among look-alikes;
[Guards, measured](guards-measured.md) has the numbers by family. `patterns: injection` finds 7 % (and 2 % of the
look-alikes, mostly quoted attacks). Use a [detector](guards.md) to block.

`injection@2` has attacks and look-alikes in the same carriers: mails, pages, code, tool results and records. Each
carrier has both equally often, so that a head must read the payload. A topic has one name in both labels and is held
out as a whole. No text of it is in `injection@1`; a policy may take both.

The shipped head of `mmlu-pro@1` is right on 95 % of 125 short questions that no choice was made by, with a calibration
error of 0.08 (`benchmarks/fresh_domains.py`). They have the same author and plain wording: real prompts are harder.

Of topics that it has not seen, a head of a policy labels these shares correctly (`benchmarks/example_sets.py`). Texts
of the label in brackets are listed under `other`, which is then one of the results:

| set | results | English | other languages |
|---|---|---|---|
| `complexity@1` | 3 | 88 % | 82 % |
| `fact-check@1` (`no_fact_check_needed`) | 2 | 96 % | |
| `feedback@1` | 4 | 82 % | |
| `feedback@2` (`other`) | 5 | 82 % | 56 % |
| `modality@1` (`AR`) | 3 | 88 % | 68 % |
| `reask@1` (`new_question`) | 2 | 93 % | |

All texts have the same authors, so expect less on texts of others. Texts in German, French, Spanish and Portuguese
often say the same, so a multilingual encoder is measured too favourably by them.

`feedback@2` has more ways of reacting than `@1`, and ordinary next messages as `other`: without them a head takes every
new question for feedback. A head trained from it is right on 90 % of the texts of `feedback@1`, none of which it
contains. Where it is wrong, it mostly takes praise for a complaint or the reverse:

| | `satisfied` | `need_clarification` | `wrong_answer` | `want_different` | `other` |
|---|---|---|---|---|---|
| `satisfied` (240) | 78 % | 2 % | 13 % | 4 % | 2 % |
| `need_clarification` (253) | 1 % | 86 % | 4 % | 5 % | 4 % |
| `wrong_answer` (238) | 14 % | 3 % | 81 % | 1 % | 1 % |
| `want_different` (237) | 3 % | 7 % | 2 % | 83 % | 5 % |
| `other` (285) | 4 % | 5 % | 2 % | 8 % | 81 % |

`modality@1` spells its labels as the stock router does. List `AR` under `other`, so that a request is for text unless
the head is certain:

| | `other` | `DIFFUSION` | `BOTH` |
|---|---|---|---|
| `other` (392) | 85 % | 9 % | 6 % |
| `DIFFUSION` (182) | 4 % | 92 % | 3 % |
| `BOTH` (168) | 7 % | 2 % | 91 % |

Of 400 harmless prompts of tests in English, 5 % are taken for `BOTH`, most of them requests for a story. Of 100 in
other languages it is 74 %: use it for English only.

`complexity@1` is about how demanding a request is, not how long: the number of words alone separates `easy` from `hard`
for 77 % of its texts. A head that has not seen the subject takes 1 % of the easy requests for hard, and no
hard one for easy:

| | `easy` | `medium` | `hard` |
|---|---|---|---|
| `easy` (180) | 91 % | 8 % | 1 % |
| `medium` (180) | 9 % | 83 % | 8 % |
| `hard` (180) | 0 % | 9 % | 91 % |

`reask@1` recognises that a message says that it is a repetition. A question that is only reworded looks like a new one,
since a head sees one message and not the one before.

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
