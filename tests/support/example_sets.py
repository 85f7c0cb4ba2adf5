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

**Take `injection@3` for attacks.** It has the texts of both earlier versions, as many again by five authors, and
ordinary questions as harmless texts. A policy that takes it as it is needs no training: its head ships. Of attacks by
an author who wrote none of its texts it finds about two thirds, where a head of `injection@1` finds a third of others;
[Guards, measured](guards-measured.md) has recall and false alarms by family and by `falseAlarms`. It is no protection
on its own: use it beside `patterns: injection`, and a [detector](guards.md) to block.

In `injection@2` and `@3`, a topic has one name in both labels and is held out as a whole. The mails, pages and tool
results of `injection@2` carry attacks and look-alikes equally often, so that a head must read the payload.

The shipped head of `mmlu-pro@1` is right on 95 % of 125 short questions that no choice was made by, with a calibration
error of 0.08 (`benchmarks/fresh_domains.py`). They have the same author and plain wording: real prompts are harder.

These are shares of topics that a head of a policy has not seen (`benchmarks/example_sets.py`). Texts of the label in
brackets are listed under `other`. *Right* is the share of all English texts whose most probable result, none included,
is their label. The others are shares of the English texts with a label that get it at `falseAlarms: 0.05` and `0.2`:

| set | right | at 0.05 | at 0.2 | right in other languages |
|---|---|---|---|---|
| `complexity@1` (`medium`) | 90 % of 3 results | 77 % | 93 % | 78 % |
| `fact-check@1` (`no_fact_check_needed`) | 96 % of 2 | 100 % | 100 % | |
| `feedback@1` | 82 % of 4 | 48 % | 79 % | |
| `feedback@2` (`other`) | 82 % of 5 | 55 % | 79 % | 56 % |
| `modality@1` (`AR`) | 88 % of 3 | 78 % | 91 % | 68 % |
| `reask@1` (`new_question`) | 93 % of 2 | 93 % | 100 % | |
| `reask@2` (`new_question`) | 83 % of 2 | 55 % | 88 % | |

The texts under `other` of `feedback@2`, `modality@1` and `reask@2` are chosen to look alike, so ordinary prompts are
false alarms less often: of 400 in English, 6 % with `feedback@2` at 0.2, 1 % with `modality@1` at 0.05, and none with
`reask@2` at 0.1, but 22 % with `reask@1` at 0.05. Set `falseAlarms` by that. All texts have the same authors, so expect
less on texts of others. Texts in German, French, Spanish and Portuguese often say the same, so a multilingual encoder
is measured too favourably by them.

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
the head is certain. Use it for English: of 100 harmless prompts in other languages, 44 % are taken for `BOTH`.

| | `AR` | `DIFFUSION` | `BOTH` |
|---|---|---|---|
| `AR` (392) | 85 % | 9 % | 6 % |
| `DIFFUSION` (182) | 4 % | 92 % | 3 % |
| `BOTH` (168) | 7 % | 2 % | 91 % |

`complexity@1` is about how demanding a request is, not how long: the number of words alone separates `easy` from `hard`
for 79 % of its texts. List `medium` under `other`. As a third label it would compete with background prompts, and most
requests would get no label. A head that has not seen the subject takes no easy request for hard or the reverse:

| | `easy` | `medium` | `hard` |
|---|---|---|---|
| `easy` (204) | 88 % | 12 % | 0 % |
| `medium` (216) | 8 % | 87 % | 5 % |
| `hard` (192) | 0 % | 6 % | 94 % |

`reask@1` and `@2` recognise that a message says that it is a repetition. A question that is only reworded looks like a
new one, since a head sees one message and not the one before. `reask@1` has short questions only as
`new_question`, and longer prompts are false alarms. `reask@2` has ordinary prompts and other reactions, too:

| | `reask` | `new_question` |
|---|---|---|
| `reask` (156) | 90 % | 10 % |
| `new_question` (216) | 22 % | 78 % |

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
