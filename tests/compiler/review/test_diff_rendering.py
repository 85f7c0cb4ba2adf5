"""The diff as text and as a pull-request comment."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_compiler.review.diff_markdown import LIMIT, markdown, marker
from vsr_compiler.review.diff_text import summary, text
from vsr_schemas.reports_diff import DiffReport, FieldChange, FileChange, TrafficChange

NASTY = "a `b` <script>x</script> @team [x](http://y) **z** | # \x1b[31m\n```\n</details>"


def report(*traffic: TrafficChange, files: list[FileChange] | None = None) -> DiffReport:
    """A report."""
    return DiffReport(policy="small", against="origin/main", traffic=list(traffic), files=files or [])


def changed(path: str, *fields: FieldChange) -> FileChange:
    """A changed file."""
    return FileChange(file=path, identity="HTTPRoute x/a", change="changed", fields=list(fields))


WEIGHT = FieldChange(path="spec.weight", change="changed", old=90, new=50)
FULL = report(
    TrafficChange(text="math: phi4-mini → llama3-8b"),
    TrafficChange(text="guard pii is gone", breaking="guard weakened"),
    files=[
        changed("istio/base/x/httproute-a.yaml", WEIGHT),
        FileChange(file="router/h.safetensors", change="changed"),
        FileChange(file="istio/base/x/service-b.yaml", identity="Service x/b", change="added"),
    ],
)


def test_the_text_is_summary_traffic_objects() -> None:
    """In this order, on lines of their own."""
    assert text(FULL).splitlines() == [
        "small against origin/main: 2 changes for traffic, 1 breaking, files: 1 added, 2 changed",
        "    math: phi4-mini → llama3-8b",
        "  ! guard pii is gone [guard weakened]",
        "~ HTTPRoute x/a (istio/base/x/httproute-a.yaml)",
        "    ~ spec.weight: 90 → 50",
        "~ router/h.safetensors",
        "+ Service x/b (istio/base/x/service-b.yaml)",
    ]


def test_nothing_changed_is_no_text_and_a_comment_that_says_so() -> None:
    """The sticky comment of an earlier push must not go on telling of a change."""
    assert text(report()) == ""
    assert markdown(report()) == (
        "<!-- vsr-compile diff: small -->\n### Routing policy small\n\nNothing changes against origin/main.\n"
    )


def test_an_object_with_many_changes_is_cut_with_how_many_more() -> None:
    """A screen is a screen."""
    fields = [FieldChange(path=f"a{i}", change="added", new=i) for i in range(60)]
    lines = text(report(files=[changed("a.yaml", *fields)])).splitlines()
    assert len(lines) == 2 + 25 + 1
    assert lines[-1].strip() == "and 35 more"


def test_the_comment_begins_with_its_marker_and_folds_the_details() -> None:
    """The marker is hidden, the summary is not, the fields are behind a click."""
    found = markdown(FULL)
    assert found.startswith(marker("small") + "\n")
    assert "2 changes for traffic, 1 breaking" in found
    assert "- 🔴 **guard weakened:** guard pii is gone" in found
    assert found.index("guard pii") < found.index("<details>")
    assert found.count("<details>") == found.count("</details>") == 1
    assert "```diff\n~ spec.weight: 90 → 50\n```" in found


def outside_code(comment: str) -> str:
    """The comment without its fenced blocks, and without the tags and the marker that are ours."""
    fenced = re.sub(r"(?ms)^(`{3,})diff\n.*?^\1$", "", comment)
    assert fenced.count("<details>") == fenced.count("</details>")
    return re.sub(r"<!--.*?-->|</?(details|summary|code)>", "", fenced)


@pytest.mark.parametrize("words", [NASTY, "--> <b>", "`" * 9, "@here", "\u202eevil"])
def test_content_of_an_earlier_output_never_becomes_markup(words: str) -> None:
    """No tag, no mention, no end of a block that is not ours."""
    field = FieldChange(path=words, change="changed", old=words, new={"x": words})
    given_files = [FileChange(file=words, identity=words, change="changed", fields=[field])]
    comment = markdown(report(TrafficChange(text=words, breaking=words), files=given_files))
    rest = outside_code(comment)
    assert "<" not in rest
    assert not re.search(r"@\w", rest)
    assert not set("`*_[]|\\>") & set(rest.replace("**", "").replace("&gt;", ""))
    assert "\x1b" not in comment


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=40), st.integers(1, 60))
def test_the_comment_stays_below_its_limit_and_closes_what_it_opens(words: list[str], times: int) -> None:
    """However much there is, and in whatever script."""
    fields = [FieldChange(path=word, change="changed", old=word, new=word * 3) for word in words]
    files = [changed(f"f{number}.yaml", *fields) for number in range(times)]
    comment = markdown(report(*(TrafficChange(text=word) for word in words), files=files))
    assert len(comment.encode()) <= LIMIT
    ours = re.sub(r"(?ms)^(`{3,})diff\n.*?^\1$", "", comment)
    assert ours.count("<details>") == ours.count("</details>")


def test_a_comment_that_is_cut_says_so() -> None:
    """With how much is missing, and how to see it."""
    files = [changed(f"f{number}.yaml", *[WEIGHT] * 25) for number in range(500)]
    comment = markdown(report(files=files))
    assert len(comment.encode()) <= LIMIT
    assert re.search(r"\*\*Cut here:\*\* \d+ more\. `vsr-compile diff` shows all of it\.\n$", comment)


def test_the_json_report_reads_back_as_itself() -> None:
    """Programs get the same as people."""
    assert DiffReport.model_validate_json(FULL.model_dump_json()) == FULL
    assert json.loads(FULL.model_dump_json())["kind"] == "DiffReport"
    assert summary(FULL).startswith("2 changes for traffic")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("local/envoy.yaml", "local/envoy.yaml, which follows from the rest"),
        ("istio/base/kustomization.yaml", "istio/base/kustomization.yaml, in comments or spelling only"),
    ],
)
def test_a_file_that_differs_without_a_field_says_why(path: str, words: str) -> None:
    """A name alone would leave a reviewer to guess what is hidden."""
    given_report = DiffReport(
        policy="small", against="HEAD", traffic=[], files=[FileChange(file=path, change="changed")]
    )
    assert f"~ {words}" in text(given_report).splitlines()
    assert words in markdown(given_report)


def test_many_files_listed_only_by_name_are_folded() -> None:
    """A new policy has fifty, and the comment is about what it does."""
    few = [FileChange(file=f"a{number}.yaml", change="added") for number in range(3)]
    assert "\n- <code>+ a0.yaml</code>\n- <code>+ a1.yaml</code>\n" in markdown(report(files=few))
    assert "<details>" not in markdown(report(files=few))
    many = markdown(report(files=[FileChange(file=f"a{number}.yaml", change="added") for number in range(60)]))
    assert "<details><summary>50 files</summary>" in many
    assert "<details><summary>10 files</summary>" in many
    assert many.count("<details>") == many.count("</details>") == 2
