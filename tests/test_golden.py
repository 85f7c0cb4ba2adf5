"""Whole outputs: each case in tests/golden/ is a policy, its router's files and what is special about its objects.

The output of the case `reference` is stored in full, a file for each target. Every other case is stored as the
differences from it: of the whole output, and of the objects of each target at each profile.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import rendering
from support.cases import GOLDEN, compiled, output_of, policy_file, policy_of, stored
from support.common import ROOT
from support.golden import Catalogue, Document, described, flat, kind_of, name_of
from vsr_compiler import targets
from vsr_compiler.deploy.argocd.waves import waved
from vsr_compiler.deploy.output.write import check
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.lock import parse
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.targets import profiles
from vsr_schemas.version import VERSION

REFERENCE = "reference"
OBJECTS = "objects.diff"
LIMIT = 28_000
"""Lines in tests/golden/, so that a reviewer can read what changes in them."""


def folder(case: str) -> Path:
    """Return where a case is stored."""
    return policy_file(case).parent


def sections(case: str) -> dict[str, list[tuple[str, str]]]:
    """Return the text files of a case's output with their paths, by the first folder: a target, `argocd` or `local`."""
    result: dict[str, list[tuple[str, str]]] = {}
    for path, file in compiled(case).tree.items():
        section = path.partition("/")[0]
        if section != "router":
            result.setdefault(section, []).append((path, file.content.decode()))
    return result


def full(case: str, section: str) -> str:
    """Return a section of the output as one text."""
    return "".join(f"# {path}\n{text}" for path, text in sections(case)[section])


def rendered(case: str, target: str, profile: str) -> list[tuple[str, Any]]:
    """Return the objects of a target with their paths, or the diagnostics that refuse the policy."""
    policy = replace(policy_of(case, profile), router=compiled(case).policy.router)
    try:
        return [(item.path, item.body) for item in waved(rendering.objects(policy, target))]
    except CompileError as error:
        lines = {f"{item.code} line {item.span.line}": [item.message, item.hint] for item in error.diagnostics}
        return [("refused", lines)]


def router_texts(case: str) -> dict[str, str]:
    """Return the paths of the router's YAML files by their text, which is stored once and not in each ConfigMap."""
    tree = compiled(case).tree
    return {tree[path].content.decode(): path for path in tree if path.startswith("router/") and path.endswith(".yaml")}


def outputs(case: str) -> Iterator[Document]:
    """Yield the documents of a case's output, except for the bases, which are compared with the rendered objects."""
    router = router_texts(case)
    yaml = YAML(typ="safe")
    for files in sections(case).values():
        for path, text in files:
            body = yaml.load(text)
            place = path.rpartition("/")[0]
            yield Document(place, kind_of(body, path), name_of(body, path), tuple(flat(body, known=router)))


def matrix(case: str) -> Iterator[Document]:
    """Yield the objects of a case for every target and profile. `istio` means both profiles, `istio@seed` one."""
    router = router_texts(case)
    for target in sorted(targets.TARGETS):
        by_profile = {
            profile: {
                (kind_of(body, path), name_of(body, path)): tuple(flat(body, known=router))
                for path, body in rendered(case, target, profile)
            }
            for profile in profiles()
        }
        for profile, items in by_profile.items():
            for (kind, name), lines in items.items():
                same = all(other.get((kind, name)) == lines for other in by_profile.values())
                if not same or profile == next(iter(profiles())):
                    yield Document(target if same else f"{target}@{profile}", kind, name, lines)


@cache
def reference() -> Catalogue:
    """Return the documents of the reference policy, which other cases are compared with."""
    catalogue = Catalogue()
    for item in (*outputs(REFERENCE), *matrix(REFERENCE)):
        catalogue.add(item.kind, f"{item.name} of {REFERENCE} {item.place}", item.lines)
    return catalogue


def differences(case: str) -> str:
    """Return the text that is stored for a case."""
    return described((*matrix(case), *outputs(case)), reference())


def stored_texts(case: str) -> dict[str, bytes]:
    """Return the files that are stored for a case, as a compile gives them."""
    tree = compiled(case).tree
    texts = {path: tree[path].content for path in tree if path.startswith("router/")}
    if case == REFERENCE:
        texts |= {f"{section}.yaml": full(case, section).encode() for section in sections(case)}
    return texts | {OBJECTS: differences(case).encode()}


@pytest.mark.parametrize("case", GOLDEN)
def test_a_case_compiles_to_what_is_stored(case: str, *, update_golden: bool) -> None:
    """Every target, every profile: not a byte differs, no object is missing and none is too many."""
    texts = stored_texts(case)
    present = {path.relative_to(folder(case)).as_posix() for path in folder(case).rglob("*") if path.is_file()}
    if update_golden:
        for path in present - set(texts) - {"policy.yaml"}:
            (folder(case) / path).unlink()
        for path, content in texts.items():
            (folder(case) / path).parent.mkdir(exist_ok=True)
            (folder(case) / path).write_bytes(content)
        present = {*texts, "policy.yaml"}
    for path, content in texts.items():
        if path.endswith(".safetensors"):
            assert stored(folder(case) / path) == content
        else:
            assert (folder(case) / path).read_text(encoding="utf-8") == content.decode(), path
    assert present == {*texts, "policy.yaml"}


def test_the_goldens_are_few_enough_to_be_read() -> None:
    """A change of the output is a change of the goldens that a reviewer can read."""
    files = [path for path in (ROOT / "tests" / "golden").rglob("*") if path.is_file()]
    assert sum(path.read_bytes().count(b"\n") for path in files if path.suffix != ".safetensors") <= LIMIT


@pytest.mark.parametrize("case", GOLDEN)
def test_the_objects_of_a_target_are_sorted_by_path(case: str) -> None:
    """The order does not depend on how the objects are made."""
    for target in sorted(targets.TARGETS):
        for profile in profiles():
            paths = [path for path, _ in rendered(case, target, profile)]
            assert paths == sorted(paths)


@pytest.mark.parametrize("case", GOLDEN)
def test_the_written_output_is_the_compiled_tree_and_its_lock_lists_every_file(case: str) -> None:
    """Not a byte differs on the disk, no file is missing, none is too many, and each sha256 is the file's."""
    result, out = compiled(case), output_of(case)
    assert [item.message for item in check(out.parent, result.tree, result.lock)] == []
    written = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    lock = parse(written.pop("vsr-compile.lock"), "vsr-compile.lock")
    assert set(written) == set(result.tree)
    assert {path: entry.sha256 for path, entry in lock.files.items()} == {
        path: hashlib.sha256(content).hexdigest() for path, content in written.items()
    }
    assert {path: entry.identity for path, entry in lock.files.items() if entry.identity} == {
        path: item.identity for path, item in result.objects.items()
    }
    assert (lock.tool, lock.policy, lock.tables) == (VERSION, out.name, result.policy.versions)


@pytest.mark.parametrize("policy", sorted((ROOT / "policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_committed_output_of_each_policy_is_fresh(policy: Path) -> None:
    """out/ is what Argo CD syncs, so it is what a compile of policies/ gives."""
    linked = read_policy(policy)
    result = compile_policy(linked, lambda path: stored(ROOT / "out" / linked.name / path))
    assert [item.message for item in check(ROOT / "out", result.tree, result.lock)] == []


@pytest.mark.parametrize("case", GOLDEN)
def test_two_compiles_give_the_same_bytes_whatever_the_order_of_the_maps(case: str, tmp_path: Path) -> None:
    """Law 7: same policy, same bytes, whatever the key order and the comments."""
    before = compiled(case)
    yaml = YAML(typ="safe")
    document = yaml.load(policy_file(case).read_text(encoding="utf-8"))
    for seed in range(3):
        path = tmp_path / f"shuffled-{seed}.yaml"
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(shuffled(document, random.Random(seed)), file)  # noqa: S311 - an order, not a secret
        after = compile_policy(read_policy(path), lambda head: stored(folder(case) / head))
        assert dict(after.tree) == dict(before.tree)
        assert after.lock.render() == before.lock.render()


def shuffled(value: Any, rng: random.Random) -> Any:
    """Return the same document with its maps in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(child, rng)) for key, child in value.items()]
        rng.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return [shuffled(child, rng) for child in value]
    return value
