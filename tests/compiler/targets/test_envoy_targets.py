"""Envoy Gateway, with AI Gateway and without: what is ignored, refused and needed, and what stands where and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.targets import profiles
from vsr_compiler.targets.ai_gateway.helm_values import chart as with_ai_gateway
from vsr_compiler.targets.envoy_gateway.gateway import quantity
from vsr_schemas.headers import AI_MODEL, DECIDED, DECIDED_VALUE, SELECTED_MODEL

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: envoy}
router: {image: "r:1"}
gateway: {name: edge, namespace: edge}
"""
TEXT = """\
endpoints:
  one: {vllm: {namespace: models}, pool: {}}
  two: {service: "two.far:8000"}
  out: {external: {url: "https://api.example.com/openai/v1", apiKey: {secret: k, key: apiKey}}}
models:
  big: {checkpoint: example/big, endpoints: one, loras: {small: {path: /adapters/small}}}
  other: {endpoints: two}
  gpt: {endpoints: out, providerModel: gpt-x}
default: big
"""


def policy(text: str = TEXT, **versions: str) -> ir.Policy:
    """The linked policy, with some releases replaced."""
    found = linked(HEAD + text)
    return replace(found, versions={**found.versions, **{k.replace("_", "-"): v for k, v in versions.items()}})


def bodies(target: str, text: str = TEXT, **versions: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The target's objects by kind, namespace and name."""
    found = rendering.objects(policy(text, **versions), target)
    return {(item.kind, item.namespace, item.name): item.body for item in found}


def refused(text: str, target: str, code: str, **versions: str) -> Diagnostic:
    """The one finding of a code, which also stops the emission."""
    with pytest.raises(CompileError) as caught:
        rendering.objects(policy(text, **versions), target)
    (found,) = [item for item in caught.value.diagnostics if item.code == code]
    assert found.hint
    return found


def notices(text: str, target: str, code: str) -> list[Diagnostic]:
    """The findings of a code, of a policy that compiles all the same."""
    assert rendering.objects(policy(text), target)
    return [item for item in rendering.notices(policy(text), target) if item.code == code]


def test_a_pool_may_share_no_rule_and_its_failure_mode_is_ignored() -> None:
    """VSR312 and VSR311, each with what to do."""
    text = TEXT.replace("endpoints: one, loras: {small: {path: /adapters/small}}}", "endpoints: {one: 90, two: 10}}")
    assert "split" in refused(text, "ai-gateway", "VSR312").hint
    opened = TEXT.replace("pool: {}", "pool: {failureMode: FailOpen}")
    (found,) = notices(opened, "ai-gateway", "VSR311")
    assert "`FailOpen` of `one` is ignored" in found.message
    assert notices(TEXT, "ai-gateway", "VSR311") == []
    (found,) = notices(TEXT, "envoy-gateway", "VSR311")
    assert "envoy-gateway" in found.message


def test_ai_gateway_reads_one_key_of_a_secret() -> None:
    """VSR312: the name of the key is not ours to choose, and the hint says which it is."""
    found = refused(TEXT.replace("key: apiKey", "key: token"), "ai-gateway", "VSR312")
    assert "`token`" in found.message
    assert "`apiKey`" in found.hint
    assert rendering.objects(policy(TEXT.replace("key: apiKey", "key: token")), "envoy-gateway")


@pytest.mark.parametrize(
    ("target", "versions", "fix"),
    [
        ("ai-gateway", {"envoy_ai_gateway": "0.4.0"}, "envoy-gateway 1.6.7"),
        ("ai-gateway", {"envoy_gateway": "1.9.0"}, "envoy-gateway 1.9.2"),
        ("envoy-gateway", {"gateway_api": "1.5.1"}, "gateway-api 1.6.1 or 1.6.3"),
        ("envoy-gateway", {"envoy_gateway": "1.8.3"}, "gateway-api 1.5.1"),
        ("ai-gateway", {"llm_d_router": "0.3.2"}, "llm-d-router 0.10.0"),
    ],
)
def test_releases_that_do_not_go_together_are_refused(target: str, versions: dict[str, str], fix: str) -> None:
    """VSR314 names the release that would."""
    assert fix in refused(TEXT, target, "VSR314", **versions).hint


@pytest.mark.parametrize("project", ["envoy-gateway", "envoy-ai-gateway", "inference-extension", "gateway-api"])
def test_a_release_that_nobody_has_read_has_no_table(project: str) -> None:
    """VSR313, for each project that the target asks about."""
    assert profiles()["current"][project] in refused(TEXT, "ai-gateway", "VSR313", **{project: "9.9.9"}).hint


def test_a_notice_names_the_values_file_for_helm() -> None:
    """VSR315: the values that enable what our objects use, and the CRDs of pools where there are any."""
    found = notices(TEXT, "ai-gateway", "VSR315")[0]
    assert "helm/values-gateway-helm.yaml" in found.message
    assert "Install the CRDs of inference-extension 1.6.0, llm-d-router 0.10.0 as well." in found.hint
    found = notices(TEXT.replace(", pool: {}", ""), "ai-gateway", "VSR315")[0]
    assert "inference-extension" not in found.hint
    found = notices(TEXT, "envoy-gateway", "VSR315")[0]
    assert "v1.9.2" in found.hint


def test_a_route_refers_only_to_objects_in_its_namespace() -> None:
    """AI Gateway looks for pools and Secrets in the route's own namespace, whatever a reference says."""
    found = bodies("ai-gateway")
    routes = {key[1:]: body["spec"]["rules"] for key, body in found.items() if key[0] == "AIGatewayRoute"}
    homes = {rule["name"]: home for (home, _), rules in routes.items() for rule in rules}
    assert homes == {"other": "edge", "big": "models", "small": "models", "gpt": "vllm-semantic-router-system"}
    for (home, _), (rule,) in routes.items():
        for ref in rule["backendRefs"]:
            assert (ref.get("kind", "AIServiceBackend"), home, ref["name"]) in found
            assert "namespace" not in ref
    (expression,) = found["Gateway", "edge", "edge"]["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]["selector"][
        "matchExpressions"
    ]
    assert expression["values"] == sorted(set(homes.values()))
    assert not [kind for kind, _, _ in found if kind == "ReferenceGrant"]


def test_a_rule_holds_on_what_the_router_chose_and_on_what_it_wrote() -> None:
    """A client's word for the model is not enough: where the router is not asked, nothing is routed."""
    found = bodies("ai-gateway")
    (rule,) = found["AIGatewayRoute", "vllm-semantic-router-system", "edge-gpt"]["spec"]["rules"]
    headers = {each["name"]: each["value"] for each in rule["matches"][0]["headers"]}
    assert headers == {AI_MODEL: "gpt-x", SELECTED_MODEL: "gpt", DECIDED: DECIDED_VALUE}
    early = found["ClientTrafficPolicy", "edge", "edge"]["spec"]["headers"]["earlyRequestHeaders"]
    assert {AI_MODEL, SELECTED_MODEL} <= set(early["remove"])
    assert {"type": "Prefix", "value": "x-ai-eg-"} in early["removeOnMatch"]


def test_a_key_is_named_and_never_shown() -> None:
    """AI Gateway adds it from the Secret, and the router has none; Envoy Gateway cannot, so the router does."""
    found = bodies("ai-gateway")
    key = found["BackendSecurityPolicy", "vllm-semantic-router-system", "out"]["spec"]
    assert key["apiKey"]["secretRef"] == {"group": "", "kind": "Secret", "name": "k"}
    router = found["Deployment", "vllm-semantic-router-system", "semantic-router"]
    assert "--keys-at-gateway" in str(router)
    assert "'secret'" not in str(router)
    plain = bodies("envoy-gateway")
    assert not [kind for kind, _, _ in plain if kind == "BackendSecurityPolicy"]
    assert "'secret'" in str(plain["Deployment", "vllm-semantic-router-system", "semantic-router"])


@pytest.mark.parametrize(
    ("versions", "schema"),
    [
        (profiles()["current"], {"name": "OpenAI", "prefix": "openai/v1"}),
        (profiles()["seed"], {"name": "OpenAI", "version": "openai/v1"}),
    ],
)
def test_a_providers_path_prefix_is_in_the_field_of_the_release(
    versions: dict[str, str], schema: dict[str, str]
) -> None:
    """It was `version` once, and rules had no names."""
    found = bodies("ai-gateway", **versions)
    assert found["AIServiceBackend", "vllm-semantic-router-system", "out"]["spec"]["schema"] == schema
    (rule,) = found["AIGatewayRoute", "edge", "edge-other"]["spec"]["rules"]
    assert ("name" in rule) == ("prefix" in schema)


@pytest.mark.parametrize("profile", ["seed", "current"])
def test_a_provider_is_spoken_to_over_tls_under_its_own_name(profile: str) -> None:
    """On both targets and at both profiles its Backend says so itself, so there is no moment of plain text."""
    for target, home in (("ai-gateway", "vllm-semantic-router-system"), ("envoy-gateway", "edge")):
        found = bodies(target, **profiles()[profile])
        assert found["Backend", home, "out"]["spec"] == {
            "type": "Endpoints",
            "endpoints": [{"fqdn": {"hostname": "api.example.com", "port": 443}}],
            "tls": {"insecureSkipVerify": False, "sni": "api.example.com", "wellKnownCACertificates": "System"},
        }


def names_in_ai_gateway(found: dict[tuple[str, str, str], dict[str, Any]]) -> dict[str, str]:
    """The models by the names that AI Gateway gives their backends (internalapi.PerRouteRuleRefBackendName)."""
    return {
        f"{namespace}/{ref['name']}/route/{name}/rule/{index}/ref/{place}": rule["name"]
        for (kind, namespace, name), body in found.items()
        if kind == "AIGatewayRoute"
        for index, rule in enumerate(body["spec"]["rules"])
        for place, ref in enumerate(rule["backendRefs"])
    }


def test_a_new_model_moves_no_backend_of_another_in_ai_gateways_table() -> None:
    """AI Gateway names a backend by route, rule and place: where one moves, its model gets 500 for seconds."""
    more = TEXT.replace("models:\n", "models:\n  aaa: {endpoints: two}\n")
    before, after = (names_in_ai_gateway(bodies("ai-gateway", text)) for text in (TEXT, more))
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


def test_only_the_gateways_own_pods_may_ask_the_router() -> None:
    """They do not run in the Gateway's namespace, so its labels there would let nobody in."""
    found = bodies("envoy-gateway")
    rule = found["NetworkPolicy", "vllm-semantic-router-system", "semantic-router"]["spec"]["ingress"][0]["from"][0]
    assert rule["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "envoy-gateway-system"}
    assert rule["podSelector"]["matchLabels"] == {
        "gateway.envoyproxy.io/owning-gateway-name": "edge",
        "gateway.envoyproxy.io/owning-gateway-namespace": "edge",
    }


def test_a_picker_serves_tls_and_no_rule_of_istios_is_made() -> None:
    """AI Gateway speaks TLS to every picker, without being told."""
    found = bodies("ai-gateway")
    assert "--secure-serving=true" in str(found["Deployment", "models", "one-epp"])
    assert not [kind for kind, _, _ in found if kind in {"DestinationRule", "EnvoyFilter", "HTTPRoute"}]


def test_helm_values_enable_pools_only_if_there_are_any() -> None:
    """Without the CRD, Envoy Gateway would wait for a kind that is not there."""
    manager = with_ai_gateway(policy()).body["config"]["envoyGateway"]["extensionManager"]
    assert manager["backendResources"][0]["kind"] == "InferencePool"
    without = with_ai_gateway(policy(TEXT.replace(", pool: {}", ""))).body
    assert "backendResources" not in without["config"]["envoyGateway"]["extensionManager"]
    assert without["config"]["envoyGateway"]["extensionApis"] == {"enableBackend": True, "enableEnvoyPatchPolicy": True}


def test_the_buffer_is_written_as_kubernetes_writes_sizes() -> None:
    """To the byte, in the largest unit that fits."""
    assert [quantity(size) for size in (8 << 20, 1536, 1000)] == ["8Mi", "1536", "1000"]
    assert quantity(2048) == "2Ki"


def test_a_window_of_http_2_is_never_smaller_than_the_protocol_has_it() -> None:
    """It is the longest body over HTTP/2; a router that takes less says so itself."""
    for limit, window in (("8Mi", "8Mi"), ("65536", "64Ki"), ("1Ki", "65535")):
        body = rendering.objects(linked(HEAD.replace('"r:1"', f'"r:1", maxBody: {limit}') + TEXT), "envoy-gateway")
        (client,) = [item.body["spec"] for item in body if item.kind == "ClientTrafficPolicy"]
        assert client["http2"] == {"initialStreamWindowSize": window, "maxConcurrentStreams": 100}
        assert client["timeout"]["http"]["requestReceivedTimeout"] == "60s"
        assert client["connection"]["connectionLimit"] == {"value": 10_000}
