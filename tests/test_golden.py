"""Whole outputs: each case in tests/golden/ is a policy and everything that it compiles to."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import ROOT
from vsr_compiler.deploy.output.write import check, write
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy

CASES = sorted(path.parent for path in (ROOT / "tests" / "golden").glob("*/policy.yaml"))


def compiled(policy: Path, out: Path) -> Compiled:
    """A compile that may reuse the heads of the output that is there."""
    linked = read_policy(policy)
    return compile_policy(linked, existing(out / linked.name))


def existing(folder: Path) -> Callable[[str], bytes | None]:
    """Reads files of a present output."""

    def read(path: str) -> bytes | None:
        return (folder / path).read_bytes() if (folder / path).exists() else None

    return read


def test_there_are_cases() -> None:
    """The folder is not empty by accident."""
    assert "quickstart" in {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_compiles_to_its_committed_output(case: Path, *, update_golden: bool) -> None:
    """Not a byte differs, no file is missing and none is too many."""
    out = case / "out"
    result = compiled(case / "policy.yaml", out)
    if update_golden:
        write(out, result.tree, result.lock, force=True)
    assert [item.message for item in check(out, result.tree, result.lock)] == []
    folder = out / result.policy.name
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(result.tree) | {"vsr-compile.lock"}


@pytest.mark.parametrize("policy", sorted((ROOT / "policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_committed_output_of_each_policy_is_fresh(policy: Path) -> None:
    """out/ is what Argo CD syncs, so it is what a compile of policies/ gives."""
    result = compiled(policy, ROOT / "out")
    assert [item.message for item in check(ROOT / "out", result.tree, result.lock)] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_compiles_give_the_same_bytes_whatever_the_order_of_the_maps(case: Path, tmp_path: Path) -> None:
    """Law 7: same policy, same bytes, whatever the key order and the comments."""
    out = case / "out"
    before = compiled(case / "policy.yaml", out)
    yaml = YAML(typ="safe")
    document = yaml.load((case / "policy.yaml").read_text(encoding="utf-8"))
    for seed in range(3):
        path = tmp_path / f"shuffled-{seed}.yaml"
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(shuffled(document, random.Random(seed)), file)  # noqa: S311 - an order, not a secret
        after = compiled(path, out)
        assert dict(after.tree) == dict(before.tree)
        assert after.lock.render() == before.lock.render()


def shuffled(value: Any, rng: random.Random) -> Any:
    """The same document with its maps in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(child, rng)) for key, child in value.items()]
        rng.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return [shuffled(child, rng) for child in value]
    return value
