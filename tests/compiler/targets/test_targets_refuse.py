"""What the Istio family ignores, refuses and needs: each said with its code, at the line that asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir, targets
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.targets import profiles

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: refused}
router: {image: "r:1"}
"""


def policy(text: str, **versions: str) -> ir.Policy:
    """The linked policy, with some releases replaced."""
    found = linked(HEAD + text)
    return replace(found, versions={**found.versions, **versions})


def notices(text: str, target: str, code: str, **versions: str) -> list[Diagnostic]:
    """The findings of one code."""
    return [item for item in rendering.notices(policy(text, **versions), target) if item.code == code]


def refused(text: str, target: str, code: str, **versions: str) -> Diagnostic:
    """The one finding of a code, which also stops the emission."""
    found = notices(text, target, code, **versions)
    assert len(found) == 1, found
    with pytest.raises(CompileError) as caught:
        rendering.objects(policy(text, **versions), target)
    assert found[0] in caught.value.diagnostics
    assert found[0].hint
    return found[0]


POOLED = """\
endpoints:
  one:
    vllm: {}
    pool: {picker: {plugins: {queue-scorer: 1.5}}}
models:
  big: {checkpoint: example/big, endpoints: one}
default: big
"""
TWO = """\
endpoints: {one: {vllm: {}}, two: {vllm: {}}}
models:
  a: {checkpoint: example/a, endpoints: one}
  b: {checkpoint: example/b, endpoints: two}
default: a
"""


def test_istio_says_that_it_ignores_a_pool() -> None:
    """VSR311 is a note at the pool: the target works, and does less than was written."""
    (found,) = notices(POOLED, "istio", "VSR311")
    assert found.span.line == 8
    assert rendering.objects(policy(POOLED), "istio")
    assert notices(POOLED, "gie", "VSR311") == []


def test_a_provider_shares_no_model_with_other_endpoints() -> None:
    """VSR312: host, path and key are those of a route, so a second endpoint would get the first one's."""
    text = """\
endpoints:
  out: {external: {url: "https://api.example.com/v1"}}
  far: {external: {url: "https://api.example.org/v1"}}
  in: {vllm: {}}
models: {gpt: {checkpoint: example/gpt, endpoints: {in: 90, out: 10}}}
default: gpt
"""
    for target in set(targets.TARGETS) - {"attach"}:  # it emits no routes
        found = refused(text, target, "VSR312")
        assert found.message == "`gpt` has several endpoints, but `out` is outside the cluster and must be the only one"
        assert "split" in found.hint
        refused(text.replace("{in: 90, out: 10}", "{in: 100, out: 0}"), target, "VSR312")
        two = text.replace("{in: 90, out: 10}", "[far, out]").replace("  in: {vllm: {}}\n", "")
        refused(two, target, "VSR312")


def test_a_model_divided_between_pools_is_refused_with_a_way_out() -> None:
    """VSR312: Istio keeps one picker a rule, so that one pool's requests would be picked by the other's."""
    text = TWO.replace("endpoints: one}", "endpoints: {one: 90, two: 10}}").replace("example/b", "example/a")
    assert "split" in refused(text, "gie", "VSR312").hint
    assert notices(text, "istio", "VSR312") == []


def test_more_endpoints_than_a_rule_takes_are_refused() -> None:
    """VSR312: an HTTPRoute takes 16 backends a rule, and weights cannot be spread over rules."""
    names = [f"e{index}" for index in range(17)]
    endpoints = "".join(f"  {name}: {{service: {name}}}\n" for name in names)
    text = f"endpoints:\n{endpoints}models: {{a: {{endpoints: [{', '.join(names)}]}}}}\ndefault: a\n"
    assert "17 endpoints" in refused(text, "istio", "VSR312").message
    assert notices(text.replace(", e16]", "]").replace("  e16: {service: e16}\n", ""), "istio", "VSR312") == []


def test_an_adapter_may_not_hide_a_folder_of_the_image() -> None:
    """VSR312: a volume at /usr would leave the server without its programs."""
    text = """\
endpoints: {one: {vllm: {}}}
models: {a: {checkpoint: e/a, endpoints: one, loras: {l: {path: PATH}}}}
default: a
"""
    for path in ("/usr/lora", "/etc", "/adapters/../usr/x"):
        assert "cannot be at" in refused(text.replace("PATH", path), "istio", "VSR312").message
    for path in ("/adapters/law", "example/lora", "/data/lora"):
        assert notices(text.replace("PATH", path), "istio", "VSR312") == []


def test_a_scorer_that_the_release_does_not_know_is_refused() -> None:
    """VSR312: llm-d-router would not start, older pickers would not say a word."""
    text = POOLED.replace("queue-scorer: 1.5", "queue-scorre: 2")
    assert "queue-scorer" in refused(text, "gie", "VSR312").hint
    text = POOLED.replace("queue-scorer: 1.5", "load-aware-scorer: 2")
    assert refused(text, "gie", "VSR312", **profiles()["2026-08"])
    assert notices(text, "gie", "VSR312") == []
    assert notices(text, "llm-d", "VSR312") == []


def test_a_broken_weight_needs_a_release_that_takes_it() -> None:
    """VSR312: until 1.3 weights were whole numbers, and the picker would not start."""
    assert "1.5" in refused(POOLED, "gie", "VSR312", **profiles()["seed"]).message
    assert notices(POOLED, "gie", "VSR312") == []


def test_disaggregation_needs_a_target_a_release_and_two_replicas() -> None:
    """VSR312, each with what to do."""
    text = POOLED.replace("picker: {plugins: {queue-scorer: 1.5}}", "disaggregation: true")
    assert "llm-d" in refused(text, "gie", "VSR312").hint
    assert "0.10.0" in refused(text, "llm-d", "VSR312", **profiles()["seed"]).hint
    assert "replicas" in refused(text, "llm-d", "VSR312").hint
    assert notices(text.replace("vllm: {}", "vllm: {replicas: 2}"), "llm-d", "VSR312") == []


@pytest.mark.parametrize(
    ("target", "project"),
    [
        ("istio", "istio"),
        ("istio", "gateway-api"),
        ("istio", "vllm"),
        ("gie", "inference-extension"),
        ("llm-d", "llm-d-router"),
        ("llm-d", "llm-d-inference-sim"),
    ],
)
def test_a_release_that_nobody_has_read_has_no_table(target: str, project: str) -> None:
    """VSR313 lists the releases that there are; a project that the target does not use may have any."""
    found = refused(TWO, target, "VSR313", **{project: "9.9.9"})
    assert f"{project} 9.9.9" in found.message
    assert profiles()["current"][project] in found.hint
    assert notices(TWO, "istio", "VSR313", **{"inference-extension": "9.9.9"}) == []


@pytest.mark.parametrize("release", ["1.28.0", "1.28.4"])
def test_several_pools_need_an_istio_that_remembers_them(release: str) -> None:
    """VSR314: before 1.28.5 all pools but one lose their pickers."""
    assert "1.28.5" in refused(TWO, "gie", "VSR314", istio=release).hint
    assert notices(POOLED, "gie", "VSR314", istio=release) == []
    assert notices(TWO, "istio", "VSR314", istio=release) == []
    assert notices(TWO, "gie", "VSR314", istio="1.28.5") == []


def test_pools_need_the_switch_and_the_crds() -> None:
    """VSR315 is a note that names what the cluster must have, llm-d's CRDs only where its picker watches them."""
    (found,) = notices(TWO, "llm-d", "VSR315")
    assert "ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true" in found.message
    assert "llm-d-router 0.10.0" in found.hint
    (older,) = notices(TWO, "llm-d", "VSR315", **profiles()["seed"])
    assert "llm-d" not in older.hint
    assert notices(TWO, "istio", "VSR315") == []


def test_a_service_is_not_pooled_and_that_is_reported() -> None:
    """VSR316 is a note: its pods are not known, so the route leads to the Service."""
    text = TWO.replace("two: {vllm: {}}", "two: {service: two}").replace("checkpoint: example/b, ", "")
    (found,) = notices(text, "gie", "VSR316")
    assert "`two`" in found.message
    routes = [
        item.body["spec"]["rules"][0] for item in rendering.objects(policy(text), "gie") if item.kind == "HTTPRoute"
    ]
    kinds = [ref["kind"] for rule in routes for ref in rule["backendRefs"]]
    assert sorted(kinds) == ["InferencePool", "Service"]


def test_two_objects_of_one_name_are_refused() -> None:
    """VSR317: the picker of `one` and the server `one-epp` would be one Service, and the last would win."""
    text = TWO.replace("two", "one-epp")
    found = notices(text, "gie", "VSR317")
    assert {"Service one-epp" in item.message or "Deployment one-epp" in item.message for item in found} == {True}
    assert notices(text, "istio", "VSR317") == []


def test_router_files_over_the_limit_of_a_configmap_are_refused() -> None:
    """VSR312: the API server would refuse the object, after everything else was applied."""
    found = policy(TWO)
    big = replace(found, router=replace(found.router, files={"d.safetensors": b"\0" * 800_000}))
    assert [item.code for item in rendering.notices(big, "istio")] == ["VSR312"]


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d"])
@pytest.mark.parametrize("name", ["a" * 58, "7up"])
def test_a_gateway_of_which_istio_could_make_no_service_is_refused(target: str, name: str) -> None:
    """Its Service would be called NAME-istio, which the API server refuses for ever."""
    found = refused(TWO + f"gateway: {{name: {name}}}\n", target, "VSR312")
    assert f"`{name}-istio`" in found.message
    assert "at most 57" in found.hint
    assert notices(TWO + f"gateway: {{name: {'a' * 57}}}\n", target, "VSR312") == []
    assert notices(TWO + f"gateway: {{name: {name}}}\n", "envoy-gateway", "VSR312") == []
