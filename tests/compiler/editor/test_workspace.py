from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import ROOT
from support.properties import examples
from vsr_compiler.editor.place import Place, place_at
from vsr_compiler.editor.workspace import Workspace
from vsr_compiler.pipeline import findings

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: edited}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  one: {service: "one:8000"}
  two: {vllm: {}}
models:
  big: {checkpoint: example/big, endpoints: two}
  "little": {checkpoint: example/big, endpoints: {one: 90, two: 10}}
signals:
  urgent: {keywords: [urgent]}
routes:
  - {name: urgent, when: {signal: urgent}, split: {big: 50, little: 50}, fallback: [big]}
  - name: rest
    when: {not: {signal: urgent}}
    model: 'little'
default: big
tests:
  - {prompt: "This is urgent.", expect: {route: urgent}}
  - {prompt: "Hello", expect: {model: little}}
environments: {dev: {target: istio}}
"""


def opened(tmp_path: Path, text: str = POLICY) -> tuple[Workspace, str]:
    """A workspace with one policy that is checked, and its file, which is not on the disk."""
    file = str(tmp_path / "policy.yaml")
    workspace = Workspace()
    workspace.set(file, text)
    workspace.findings(file)
    return workspace, file


def where(text: str, part: str, number: int = 0) -> tuple[int, int]:
    """Line and column of a part of a text."""
    at = -1
    for _ in range(number + 1):
        at = text.index(part, at + 1)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def test_findings_are_those_of_check(tmp_path: Path) -> None:
    """Of the text that is being written, not of the file."""
    (tmp_path / "policy.yaml").write_text("kind: Nothing\n", encoding="utf-8")
    text = POLICY.replace("default: big", "default: bigg")
    workspace, file = opened(tmp_path, text)
    found = workspace.findings(file)
    assert [(item.code, item.span.line) for item in found] == [("VSR201", 18)]
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    assert found == findings(tmp_path / "policy.yaml")


def test_a_wrong_name_can_be_corrected_by_a_fix(tmp_path: Path) -> None:
    """With the name that was probably meant; a policy with the fix has no finding."""
    workspace, file = opened(tmp_path, POLICY.replace("default: big", "default: bigg"))
    (fix,) = workspace.fixes(file, 18, 18)
    assert (fix.title, fix.edit.text) == ("Change to `big`", "big")
    lines = workspace.texts[file].split("\n")
    span = fix.edit.span
    row = lines[span.line - 1]
    lines[span.line - 1] = row[: span.column - 1] + fix.edit.text + row[span.end_column - 1 :]
    workspace.set(file, "\n".join(lines))
    assert workspace.findings(file) == Workspace({file: POLICY}).findings(file)


@pytest.mark.parametrize(
    ("part", "number", "lines"),
    [
        ("big", 0, [9, 14, 14, 18]),
        ("little", 1, [10, 14, 17, 21]),
        ("urgent", 2, [14, 20]),
        ("signal: urgent", 0, [12, 14, 16]),
        ("two", 1, [7, 9, 10]),
    ],
)
def test_a_name_is_found_wherever_it_is_used(tmp_path: Path, part: str, number: int, lines: list[int]) -> None:
    """Its definition first: in splits, fallbacks, tests, weights, whatever the quotes."""
    workspace, file = opened(tmp_path)
    line, column = where(POLICY, part, number)
    found = workspace.places(file, line, column + part.rfind(" ") + 1)
    assert found[0].defines
    assert [item.span.line for item in found] == lines


def renamed(workspace: Workspace, file: str, line: int, column: int, name: str) -> str:
    """The text with a name renamed."""
    lines = workspace.texts[file].split("\n")
    for edit in sorted(workspace.rename(file, line, column, name), key=lambda edit: edit.span, reverse=True):
        span = edit.span
        row = lines[span.line - 1]
        lines[span.line - 1] = row[: span.column - 1] + edit.text + row[span.end_column - 1 :]
    return "\n".join(lines)


def test_a_name_is_renamed_everywhere_and_nothing_else(tmp_path: Path) -> None:
    """Quotes stay; the policy is as good as before; other words that are equal stay."""
    workspace, file = opened(tmp_path)
    text = renamed(workspace, file, *where(POLICY, '"little"'), "tiny")
    assert text == POLICY.replace("little", "tiny")
    again = renamed(workspace, file, *where(POLICY, "urgent: {keywords"), "pressing")
    changed = POLICY.replace("signal: urgent", "signal: pressing").replace("urgent: {keywords", "pressing: {keywords")
    assert again == changed
    workspace.set(file, again)
    assert not [item for item in workspace.findings(file) if item.code == "VSR201"]


def test_a_renaming_that_would_clash_is_refused(tmp_path: Path) -> None:
    """And one of something that is no name."""
    workspace, file = opened(tmp_path)
    with pytest.raises(ValueError, match="There is a model `big` already"):
        workspace.rename(file, *where(POLICY, '"little"'), "big")
    with pytest.raises(ValueError, match="no name here"):
        workspace.rename(file, 1, 1, "x")


def test_names_of_fragments_belong_to_the_policy_that_imports_them(tmp_path: Path) -> None:
    """A model of a fragment is found and renamed in both files."""
    models = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicyFragment\nmodels:\n  big: {endpoints: one}\n"
    (tmp_path / "models.yaml").write_text(models, encoding="utf-8")
    head = POLICY.split("endpoints:", maxsplit=1)[0]
    text = f"{head}imports: [{{file: models.yaml, owner: team}}]\n"
    text += "endpoints: {one: {service: 'one:8000'}}\ndefault: big\n"
    workspace, file = opened(tmp_path, text)
    found = workspace.places(file, *where(text, "big"))
    assert [Path(item.span.file).name for item in found] == ["models.yaml", "policy.yaml"]
    edits = workspace.rename(str(tmp_path / "models.yaml"), 4, 3, "huge")
    assert {Path(edit.span.file).name for edit in edits} == {"models.yaml", "policy.yaml"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  - {name: a, when: {signal: ", ["urgent"]),
        ("  - {name: a, split: {", ["big", "little"]),
        ("default: b", ["big", "little"]),
        ("tests: [{prompt: x, expect: {route: ", ["default", "rest", "urgent"]),
    ],
)
def test_names_are_offered_where_they_belong(tmp_path: Path, line: str, expected: list[str]) -> None:
    """While the text is broken, as it is when somebody types."""
    workspace, file = opened(tmp_path)
    text = f"routes:\n{line}\n" if line.startswith("  -") else f"{line}\n"
    workspace.set(file, text)
    row = text.split("\n").index(line) + 1
    _, words = workspace.words(file, row, len(line) + 1)
    assert sorted(word.text for word in words) == expected


def test_keys_are_offered_with_their_documentation(tmp_path: Path) -> None:
    """Those of the section."""
    workspace, file = opened(tmp_path)
    workspace.set(file, "models:\n  big:\n    price: {pro")
    word, words = workspace.words(file, 3, 16)
    assert (word, [item.text for item in words]) == ("pro", ["prompt", "completion", "cachedPrompt"])
    assert words[0].docs == "Price of a million prompt tokens."


def test_hovering_shows_what_a_key_means_and_makes(tmp_path: Path) -> None:
    """The objects of its section, of all targets."""
    workspace, file = opened(tmp_path)
    text = workspace.docs(file, *where(POLICY, "checkpoint"))
    assert text.startswith("**checkpoint**: ")
    server = workspace.docs(file, *where(POLICY, "vllm"))
    assert "Deployment default/two" in server
    workspace.set(file, "endpoints: {")
    assert "Places where models run" in workspace.docs(file, 1, 3)


def test_each_route_says_how_many_tests_expect_it(tmp_path: Path) -> None:
    """Above the line of its name."""
    workspace, file = opened(tmp_path)
    assert [(lens.span.line, lens.text) for lens in workspace.lenses(file)] == [
        (14, "1 test expects this route"),
        (15, "0 tests expect this route"),
    ]


def test_closing_a_file_forgets_it(tmp_path: Path) -> None:
    """Its names, too."""
    workspace, file = opened(tmp_path)
    workspace.close(file)
    assert workspace.known(file) is None
    assert workspace.policies() == []


def test_every_name_of_the_whole_language_is_known() -> None:
    """The policy that uses each section: each name that is used is defined, or one that the language brings."""
    text = (ROOT / "tests" / "compiler" / "whole.yaml").read_text(encoding="utf-8")
    file = str(ROOT / "tests" / "compiler" / "opened.yaml")
    workspace = Workspace({file: text})
    workspace.findings(file)
    known = workspace.known(file)
    assert known is not None
    used = {(item.kind, item.name) for item in known.items if not item.defines}
    defined = {(item.kind, item.name) for item in known.items if item.defines}
    assert {kind for kind, _ in used - defined} <= {"cluster", "profile", "project", "listener", "route"}
    assert len(used & defined) > 20


@given(st.text(alphabet="ab:{}[]-#,'\" \n", max_size=60), st.integers(0, 8), st.integers(0, 40))
@examples(300)
def test_no_text_breaks_the_search_for_a_place(text: str, line: int, column: int) -> None:
    """Whatever is typed, wherever the cursor is."""
    assert isinstance(place_at(text, line, max(column, 1)), Place)
