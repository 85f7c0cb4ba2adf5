"""Each golden policy through every target at every profile: one file each, read as a cluster would be given it.

Where a target refuses a policy, the file holds what it says. The router's files stand for themselves in
`tests/golden/<case>/out/`; here a few bytes are in their place.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import rendering
from support.cases import GOLDEN, path_of, policy_of
from vsr_compiler import targets
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.targets import profiles

RENDERED = [(case, target, profile) for case in GOLDEN for target in targets.TARGETS for profile in profiles()]


def rendered(case: str, target: str, profile: str) -> tuple[str, str]:
    """The ending of the file's name, and its text."""
    try:
        found = rendering.objects(policy_of(case, profile), target)
    except CompileError as error:
        lines = [f"{each.code} line {each.span.line}: {each.message}. {each.hint}\n" for each in error.diagnostics]
        return ".refused.txt", "".join(lines)
    return ".yaml", "---\n".join(dump(item.body) for item in found)


def folder(case: str) -> Path:
    """Where a case's files lie."""
    return path_of(case).parent / "targets"


@pytest.mark.parametrize(("case", "target", "profile"), RENDERED)
def test_a_policy_renders_to_its_committed_objects(
    case: str, target: str, profile: str, *, update_golden: bool
) -> None:
    """Not a byte differs, whichever target and whichever releases."""
    ending, text = rendered(case, target, profile)
    path = folder(case) / f"{target}-{profile}{ending}"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        for old in path.parent.glob(f"{target}-{profile}.*"):
            old.unlink()
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_no_file_is_left_of_what_is_gone() -> None:
    """A target that was renamed leaves nothing behind that nobody compares."""
    names = {f"{target}-{profile}" for target in targets.TARGETS for profile in profiles()}
    for case in GOLDEN:
        assert {path.name.split(".")[0] for path in folder(case).iterdir()} == names
