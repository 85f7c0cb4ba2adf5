"""Volume claims: what cannot be changed in place is told before a sync stops at it."""

from __future__ import annotations

from typing import Any

import pytest

from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report

Tree = dict[str, Any]
FILE = "models/persistentvolumeclaim-llama.yaml"
MODES = [{"op": "replace", "path": "/spec/accessModes", "value": ["ReadWriteMany"]}]


def claim(mode: str = "ReadWriteOnce", storage: str = "40Gi") -> Any:
    """A claim as a vLLM server has one."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "llama", "namespace": "models"},
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": storage}}, "volumeMode": "Filesystem"},
    }


def tree(base: Any, target: str = "gie", **patches: Any) -> Tree:
    """An output whose environments patch the base's claim, or leave it as it is."""
    found: Tree = {f"{target}/base/{FILE}": base, "router/config.yaml": {}}
    for name, patch in patches.items():
        found[f"{target}/overlays/{name}/kustomization.yaml"] = {"resources": ["../../base"]}
        if patch is not None:
            found[f"{target}/overlays/{name}/patches/{FILE}"] = patch
    return found


def sentences(old: Tree, new: Tree) -> list[str]:
    """What is called refused between two outputs."""
    before, after = ({path: dump(body).encode() for path, body in side.items()} for side in (old, new))
    found = report("p", Baseline("old", before), after).rollout
    return [each.text for each in found if each.breaking == "change refused"]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (claim(), claim("ReadWriteMany"), "spec.accessModes ReadWriteOnce → ReadWriteMany"),
        (claim(storage="1Ti"), claim(storage="900Gi"), "spec.resources.requests.storage 1Ti → 900Gi"),
    ],
)
def test_a_claim_keeps_its_mode_and_does_not_shrink(old: Any, new: Any, text: str) -> None:
    """An environment has two replicas where it had one, or less storage; however many, it is one sentence."""
    expected = f"PersistentVolumeClaim models/llama in dev, prod: the API server refuses to change {text}"
    assert sentences(tree(old, dev=None, prod=None), tree(new, dev=None, prod=None)) == [expected]


def test_a_claim_grows_comes_and_goes() -> None:
    """A larger one is asked of the storage, a new one is made, and one that is gone stays as it is."""
    assert sentences(tree(claim(), dev=None), tree(claim(storage="80Gi"), dev=None)) == []
    gone = tree(claim(), dev={"$patch": "delete", "kind": "PersistentVolumeClaim"})
    assert sentences(gone, tree(claim("ReadWriteMany"), dev=None)) == []
    assert sentences(tree(claim(), dev=None), gone) == []


def test_what_counts_is_what_the_environment_has() -> None:
    """A patch that comes alone is a change, and a base that nobody takes as it is is none."""
    old, new = tree(claim(), prod=None, dev=None), tree(claim(), prod=MODES, dev=None)
    assert [text.split(":")[0] for text in sentences(old, new)] == ["PersistentVolumeClaim models/llama in prod"]
    swapped = tree(claim("ReadWriteMany"), prod=None, dev=MODES)
    assert [text.split(":")[0] for text in sentences(new, swapped)] == ["PersistentVolumeClaim models/llama in dev"]
    assert sentences(tree(claim(), prod=MODES), tree(claim("ReadWriteMany"), prod=None)) == []


def test_an_environment_keeps_its_claims_on_another_target() -> None:
    """It is the same cluster; an overlay that stands by itself holds the claim whole."""
    alone = {
        "istio/overlays/prod/kustomization.yaml": {"resources": [FILE]},
        f"istio/overlays/prod/{FILE}": claim("ReadWriteMany"),
        "router/config.yaml": {},
    }
    assert len(sentences(tree(claim(), prod=None), alone)) == 1
    assert sentences(tree(claim(), prod=None), tree(claim(), target="llm-d", prod=None)) == []


@pytest.mark.parametrize("odd", [[{"op": "replace"}], [3], [{"op": "remove", "path": "/none"}], "text"])
def test_an_earlier_output_of_any_form_does_no_harm(odd: Any) -> None:
    """A patch that leads nowhere says nothing about what was."""
    assert sentences(tree(claim(), prod=odd), tree(claim("ReadWriteMany"), prod=None)) == []
