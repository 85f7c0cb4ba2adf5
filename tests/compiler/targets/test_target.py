"""Targets: what a render returns, how often it runs, and what each object records."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from support.common import ROOT, linked
from support.gitops_support import PLAIN
from vsr_compiler import ir
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.deploy.overlays import resolve
from vsr_compiler.manifests.kinds import KINDS, Kind, Wave, table
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy
from vsr_compiler.targets import TARGETS, Rendered, Target, kinds, profiles, register, render


def compile_of(name: str) -> Compiled:
    """A compile of a policy in `policies/`, with the classifier heads in `out/`."""
    policy = read_policy(ROOT / "policies" / f"{name}.yaml")
    return compile_policy(policy, lambda path: read_owned(ROOT / "out", name, path))


@pytest.mark.parametrize("name", ["quickstart", "production-stack"])
def test_a_compile_renders_once_per_target_and_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that resolves to the policy itself shares the render of the base."""
    renders: list[tuple[str, ir.Policy]] = []

    def counted(target: Target, policy: ir.Policy) -> Rendered:
        renders.append((target.name, policy))
        return render(target, policy)

    monkeypatch.setattr("vsr_compiler.pipeline.renders.render", counted)
    compiled = compile_of(name)
    policy = compiled.policy
    resolved = [(item.target, resolve(policy, item)) for item in policy.environments]
    changed = [target for target, own in resolved if own is not policy]
    assert Counter(target for target, _ in renders) == Counter([*policy.targets, *changed])
    assert [target for target, _ in renders[: len(policy.targets)]] == list(policy.targets)


@pytest.mark.parametrize("name", ["quickstart", "production-stack"])
def test_a_render_calls_each_emitter_once(name: str) -> None:
    """Neither the checks, nor the values, nor the components run an emitter again."""
    calls: Counter[int] = Counter()

    def counting(index: int, emitter: object) -> object:
        def emit(policy: ir.Policy) -> object:
            calls[index] += 1
            return emitter(policy)  # type: ignore[operator]

        return emit

    policy = read_policy(ROOT / "policies" / f"{name}.yaml")
    (target_name,) = policy.targets
    target = TARGETS[target_name]
    owner = target if target.front is None else target.front.target
    counted = replace(owner, emitters=tuple(counting(i, emitter) for i, emitter in enumerate(owner.emitters)))
    if target.front is not None:
        counted = replace(target, front=replace(target.front, target=counted))
    assert not render(counted, policy).errors
    assert set(calls.values()) == {1}
    assert len(calls) == len(owner.emitters)


def test_every_object_names_the_source_file_of_its_emitter_and_a_line_of_the_policy() -> None:
    """On the production stack, too, whose objects another target's emitters make."""
    compiled = compile_of("production-stack")
    for path, item in compiled.objects.items():
        assert (ROOT / item.emitter).is_file(), path
        assert item.origin.line > 0, path
    emitters = {item.kind: item.emitter for item in compiled.environments["prod"]}
    folder = "compiler/vsr_compiler/targets"
    assert emitters["AIGatewayRoute"] == f"{folder}/ai_gateway/routes.py"
    assert emitters["Deployment"] == f"{folder}/common/router.py"
    assert emitters["EnvoyPatchPolicy"] == f"{folder}/envoy_gateway/envoy_patch_policy.py"
    assert emitters["Gateway"] == f"{folder}/envoy_gateway/gateway.py"
    assert emitters["Namespace"] == f"{folder}/common/namespaces.py"
    assert emitters["NetworkPolicy"] == f"{folder}/common/router_policies.py"


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_has_a_documentation_page_and_known_releases(name: str) -> None:
    """The page exists, and every profile has a release of every project that the target looks up."""
    target = TARGETS[name]
    assert (ROOT / target.docs).is_file()
    for part, _ in target.parts(linked(PLAIN)):
        assert all(set(part.releases) <= releases.keys() for releases in profiles().values())


def test_a_kind_that_no_table_knows_is_a_fault_of_the_target() -> None:
    """Its wave and scope would be a guess."""
    istio = TARGETS["istio"]
    with pytest.raises(LookupError, match="EnvoyFilter"):
        render(replace(istio, kinds=()), linked(PLAIN))


def test_two_definitions_of_one_kind_are_rejected() -> None:
    """A fact of a kind is stated once."""
    other = Kind("apps", "Deployment", Wave.ROUTE)
    with pytest.raises(ValueError, match="Deployment"):
        table((*KINDS.values(), other))
    with pytest.raises(ValueError, match="Deployment"):
        register(replace(TARGETS["istio"], name="other", kinds=(other,)))
    assert "other" not in TARGETS
    assert kinds()["apps", "Deployment"].wave is Wave.WORKLOAD


def test_a_name_is_registered_once() -> None:
    """A second target of one name would replace the first silently."""
    with pytest.raises(ValueError, match="istio"):
        register(TARGETS["istio"])
