"""What releases of other projects break in manifests of others: found with the release, and not without it."""

from __future__ import annotations

import contextlib

import pytest

from support import rendering
from support.breakage_cases import CASES, Case, pod, server
from support.cases import policy_of
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.releases.breakages import BREAKAGES, applies, between
from vsr_compiler.releases.breakages.model import Unseen
from vsr_compiler.releases.breakages.words import is_about, sentence
from vsr_compiler.releases.components import COMPONENTS, title_of
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.targets import TARGETS, profiles
from vsr_compiler.verify import Assumptions, check_links, check_objects
from vsr_compiler.verify.stream import Budget, read_stream

CODES = {f"VSR{number}" for number in range(640, 648)}


def found(text: str, **releases: str) -> list[Diagnostic]:
    """Return the findings about releases. An underscore in a component's name stands for a dash."""
    manifests = read_stream(text.encode(), "m.yaml", Budget(), [])
    given = tuple((name.replace("_", "-"), release) for name, release in releases.items())
    return [item for item in check_links(manifests, Assumptions(releases=given)) if item.code in CODES]


def of_case(case: Case, release: str, text: str = "") -> list[Diagnostic]:
    """Return the findings about a case with a release."""
    return found(text or case.objects, **dict(case.others), **{case.component: release})


NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_breakage_is_reported_with_the_release_that_brings_it(case: Case) -> None:
    """With its code, the release and a remedy, at a place in the file."""
    findings = [item for item in of_case(case, case.after) if item.code == case.code]
    assert findings
    for item in findings:
        assert title_of(case.component) in item.message
        assert "{instead}" not in item.hint
        assert item.hint
        assert item.span.line


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_an_earlier_release_has_no_finding(case: Case) -> None:
    """The objects are right with it."""
    assert of_case(case, case.before) == []


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_without_a_release_there_is_no_finding(case: Case) -> None:
    """Nothing in the objects tells it."""
    assert found(case.objects, **dict(case.others)) == [] or "bundle-version" in case.objects


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_remedy_ends_the_finding(case: Case) -> None:
    """Only what was wrong was reported."""
    old, new = case.repair
    assert old in case.objects
    assert [item.message for item in of_case(case, case.after, case.objects.replace(old, new))] == []


def test_every_breakage_has_a_case() -> None:
    """So that no row of the tables is untested."""
    messages = [item.message for case in CASES for item in of_case(case, case.after)]
    seen = [item for item in BREAKAGES if not isinstance(item.sign, Unseen)]
    assert [item.what for item in seen if not any(is_about(item, message) for message in messages)] == []


def test_breakages_have_a_source_and_a_known_component() -> None:
    """And ranges that are not empty."""
    for item in BREAKAGES:
        assert item.component in COMPONENTS
        assert item.source
        assert item.remedy.endswith(".")
        assert "{" not in sentence(item)
        assert numbers(item.since)
        assert not item.until or (numbers(item.until) or ()) > (numbers(item.since) or ())


def test_between_names_the_changes_of_an_upgrade() -> None:
    """Those of the later release that the earlier one does not have."""
    names = {item.since for item in between("vllm", "0.17.0", "0.28.0")}
    assert names == {"0.20.0", "0.27.0", "0.28.0"}
    assert list(between("vllm", "0.28.0", "0.28.0")) == []
    assert {item.since for item in between("istio", "1.29.6", "1.31.0") if "answers" in item.what} == {"1.31.0"}


def test_the_tag_of_an_image_tells_the_release() -> None:
    """Without an option, for that pod only."""
    flag = "[a/b, --calculate-kv-scales]"
    assert found(server(flag, "vllm/vllm-openai:v0.27.1")) == []
    assert [item.code for item in found(server(flag, "docker.io/vllm/vllm-openai:v0.28.0"))] == ["VSR640"]
    assert [item.code for item in found(server(flag, "registry.local:5000/vllm/vllm-openai:v0.28.0-cu130"))] == [
        "VSR640"
    ]
    assert found(server(flag, "vllm/vllm-openai:latest")) == []
    assert found(server(flag, "vllm/vllm-openai@sha256:" + "0" * 64)) == []


def test_an_option_precedes_the_tag() -> None:
    """It asks what another release would say of the same objects."""
    objects = server("[a/b, --calculate-kv-scales]", "vllm/vllm-openai:v0.27.1")
    assert [item.code for item in found(objects, vllm="0.28.0")] == ["VSR640"]


CHART = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: eg, namespace: argocd}
spec:
  project: default
  source: {repoURL: docker.io/envoyproxy, chart: gateway-helm, targetRevision: VERSION}
  destination: {namespace: envoy-gateway-system, server: "https://kubernetes.default.svc"}
---
"""
LUA = next(case for case in CASES if case.name == "Lua")


@pytest.mark.parametrize(("version", "codes"), [("v1.9.0", ["VSR646"]), ("1.8.3", []), ("1.9.x", []), (">=1.9", [])])
def test_the_version_of_a_chart_tells_the_release(version: str, codes: list[str]) -> None:
    """If it is one, and not a range."""
    assert [item.code for item in found(CHART.replace("VERSION", version) + LUA.objects)] == codes


def test_two_installed_releases_tell_nothing() -> None:
    """Which of them the objects are for is open."""
    other = CHART.replace("VERSION", "1.8.3").replace("name: eg", "name: old")
    assert found(CHART.replace("VERSION", "1.9.0") + other + LUA.objects) == []


SETTINGS = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    extensionApis: {enableLua: VALUE, enableEnvoyPatchPolicy: true}
    runtimeFlags: {disabled: [XDSNameSchemeV2]}
"""


@pytest.mark.parametrize(("value", "words"), [("true", []), ("false", ["error"])])
def test_lua_that_the_configuration_enables_is_no_finding(value: str, words: list[str]) -> None:
    """And without it Lua is an error, not only a warning."""
    objects = LUA.objects + SETTINGS.replace("VALUE", value)
    assert [item.level.word for item in found(objects, envoy_gateway="1.9.0")] == words
    assert [item.level.word for item in found(LUA.objects, envoy_gateway="1.9.0")] == ["warning"]


def test_names_of_listeners_stay_where_the_flag_is_disabled() -> None:
    """The configuration keeps the names by Gateway."""
    case = next(case for case in CASES if case.name == "names of listeners")
    assert found(case.objects + SETTINGS, envoy_gateway="1.10.0") == []


def test_a_query_with_both_names_is_right_for_both_releases() -> None:
    """As while a picker is being replaced."""
    case = next(case for case in CASES if case.name == "metric of the KV cache index")
    both = case.objects.replace(
        "sum(rate(llm_d_router_epp_kv_cache_index_lookup_hits_total{",
        "sum(rate(llm_d_epp_kv_cache_index_lookup_hits_total[5m]) or rate("
        "llm_d_router_epp_kv_cache_index_lookup_hits_total{",
    )
    for release in ("0.10.0", "0.11.0"):
        assert found(both, llm_d_router=release) == []


def test_a_new_name_with_an_earlier_release_is_reported() -> None:
    """The earlier picker does not export it."""
    case = next(case for case in CASES if case.name == "metric of the KV cache index")
    (item,) = found(case.objects.replace("llm_d_router_epp_", "llm_d_epp_"), llm_d_router="0.10.0")
    assert "0.11.0 introduces" in item.message


def test_a_configuration_is_read_by_the_picker_that_mounts_it() -> None:
    """Its image tells the release, and one of the inference extension has plugins of its own."""
    case = next(case for case in CASES if case.name == "plugin tokenizer")

    def with_picker(image: str) -> str:
        mounted = pod(image, "[--config-file=/config/config.yaml]").replace(
            "spec: {", "spec: {volumes: [{name: config, configMap: {name: picker}}], "
        )
        return f"{case.objects}---\n{mounted}"

    picker = "ghcr.io/llm-d/llm-d-router-endpoint-picker"
    assert [item.code for item in found(with_picker(f"{picker}:v0.11.0"))] == ["VSR641"]
    assert found(with_picker(f"{picker}:v0.10.0")) == []
    extension = with_picker("registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0")
    assert found(extension, llm_d_router="0.11.0") == []


def test_releases_that_do_not_fit_are_reported_once_for_their_component() -> None:
    """And only if the objects have something to do with it."""
    releases = {"envoy_gateway": "1.9.0", "gateway_api": "1.5.1", "kubernetes": "1.32"}
    policy = next(case for case in CASES if case.name == "merged policies of a Gateway")
    fits = [item for item in found(policy.objects, **releases) if item.code == "VSR647"]
    assert sorted(item.level.word for item in fits) == ["error", "warning"]
    assert found(server("[a/b]"), **releases) == []
    assert [
        item
        for item in found(policy.objects, **{**releases, "gateway_api": "1.6.1", "kubernetes": "1.33"})
        if item.code == "VSR647"
    ] == []


@pytest.mark.parametrize("profile", sorted(profiles()))
@pytest.mark.parametrize("case", ["reference", "limits", "providers"])
def test_compiled_objects_show_no_breakage_with_their_releases(case: str, profile: str) -> None:
    """On every target, at every profile."""
    policy = policy_of(case, profile)
    for target in TARGETS:
        with contextlib.suppress(CompileError):
            objects = rendering.objects(policy, target)
            findings = check_objects(objects, Assumptions(releases=tuple(policy.versions.items())))
            assert [item.message for item in findings if item.code in CODES] == []


def test_candidates_have_the_changes_of_their_release() -> None:
    """1.9.0-rc.1 is as 1.9.0."""
    assert numbers("v1.9.0-rc.1") == numbers("1.9.0") == (1, 9, 0)
    assert numbers("1.33") == (1, 33, 0)
    assert [numbers(text) for text in ("latest", "1", "1.9.x", "", ">=1.9", "1.9.0 || 2")] == [None] * 6
    assert all(applies(item, (99, 0, 0)) or item.until for item in BREAKAGES)
