"""Placement, providers and keys on targets: what becomes of each word, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support import crds, rendering
from support.common import linked, reference
from vsr_compiler import ir
from vsr_compiler.deploy.overlays import resolve
from vsr_compiler.diagnostics import Severity
from vsr_compiler.manifests.immutable import refusals
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets import TARGETS, profiles

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: backends}
router: {image: "registry.example/vsr-runtime:0.1.0"%s}
gitops: {repo: "https://git.example.org/team/routing.git"}
"""
SERVED = "models: {m: {checkpoint: a/b, endpoints: e}}\ndefault: m\n"
OUTSIDE = "models: {m: {endpoints: e}}\ndefault: m\n"
DIRECT = ("istio", "envoy-gateway", "gie", "llm-d")


def policy_of(
    endpoint: str, models: str = SERVED, router: str = "", more: str = "", profile: str = "current"
) -> ir.Policy:
    """Return a policy with one endpoint at a profile."""
    policy = linked(f"{HEAD % router}endpoints: {{e: {endpoint}}}\n{models}{more}")
    files = {"config.yaml": b"a: 1\n"}
    return replace(policy, versions=profiles()[profile], router=replace(policy.router, files=files))


def errors(policy: ir.Policy, target: str) -> dict[str, str]:
    """Return what a target refuses, by code."""
    found = rendering.notices(policy, target)
    return {item.code: item.message for item in found if item.level is Severity.ERROR}


def warnings(policy: ir.Policy, target: str) -> dict[str, str]:
    """Return what a target warns of, by code."""
    found = rendering.notices(policy, target)
    return {item.code: item.message for item in found if item.level is not Severity.ERROR}


def pod(policy: ir.Policy, target: str, name: str) -> Body:
    """Return the pod spec of a Deployment."""
    bodies = [item.body for item in rendering.objects(policy, target) if (item.kind, item.name) == ("Deployment", name)]
    spec: Body = bodies[0]["spec"]["template"]["spec"]
    return spec


def security(policy: ir.Policy) -> Body:
    """Return the only BackendSecurityPolicy on Envoy AI Gateway, without its target."""
    found = [item for item in rendering.objects(policy, "ai-gateway") if item.kind == "BackendSecurityPolicy"]
    assert len(found) == 1
    return {key: value for key, value in found[0].body["spec"].items() if key != "targetRefs"}


PLACED = "nodeSelector: {a: b}, priorityClass: p, runtimeClass: r, pullSecrets: [s], env: {A: b}"


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"production-stack", "ai-gateway", "attach"}))
def test_router_servers_and_pickers_are_placed_by_the_same_words(target: str) -> None:
    """The same fields, on every target that writes them."""
    endpoint = f"{{vllm: {{{PLACED}}}, pool: {{picker: {{{PLACED}}}}}}}"
    policy = policy_of(endpoint, router=f", {PLACED}")
    names = ["semantic-router", "e", *(["e-epp"] if target in {"gie", "llm-d"} else [])]
    for name in names:
        spec = pod(policy, target, name)
        assert spec["nodeSelector"] == {"a": "b"}, name
        assert (spec["priorityClassName"], spec["runtimeClassName"]) == ("p", "r")
        assert spec["imagePullSecrets"] == [{"name": "s"}]
        assert {"name": "A", "value": "b"} in spec["containers"][0]["env"]


def test_both_roles_of_a_disaggregated_pool_are_placed() -> None:
    """Prefill and decode run on the same hardware."""
    policy = policy_of("{vllm: {replicas: 2, device: amd, nodeSelector: {a: b}}, pool: {disaggregation: true}}")
    for role in ("prefill", "decode"):
        spec = pod(policy, "llm-d", f"e-{role}")
        assert (spec["nodeSelector"], spec["tolerations"][0]["key"]) == ({"a": "b"}, "amd.com/gpu")


@pytest.mark.parametrize(
    ("words", "resources", "image", "taint"),
    [
        ("device: nvidia, gpus: 2", {"nvidia.com/gpu": "2"}, "vllm/vllm-openai:v0.33.0", "nvidia.com/gpu"),
        ("device: amd", {"amd.com/gpu": "1"}, "vllm/vllm-openai-rocm:v0.33.0", "amd.com/gpu"),
        ("device: gaudi, image: 'a/b:1'", {"habana.ai/gaudi": "1"}, "a/b:1", "habana.ai/gaudi"),
        ("device: nvidia.com/mig-1g.5gb", {"nvidia.com/mig-1g.5gb": "1"}, "vllm/vllm-openai:v0.33.0", "nvidia.com/gpu"),
        ("device: a.example/npu, image: 'a/b:1'", {"a.example/npu": "1"}, "a/b:1", ""),
        ("device: cpu", {}, "vllm/vllm-openai-cpu:v0.33.0-x86_64", ""),
        ("gpus: 2", {"nvidia.com/gpu": "2"}, "vllm/vllm-openai:v0.33.0", ""),
    ],
)
def test_hardware_sets_resource_image_and_toleration(words: str, resources: Body, image: str, taint: str) -> None:
    """Requests of devices equal their limits, as the API server demands."""
    spec = pod(policy_of(f"{{vllm: {{{words}}}}}"), "istio", "e")
    process = spec["containers"][0]
    for kind in ("requests", "limits"):
        assert {key: value for key, value in process["resources"][kind].items() if "/" in key} == resources
    assert process["image"] == image
    assert [item["key"] for item in spec.get("tolerations", [])] == ([taint] if taint else [])


def test_a_policy_s_variable_replaces_that_of_the_hardware() -> None:
    """A variable occurs once."""
    process = pod(policy_of("{vllm: {device: cpu, env: {VLLM_CPU_KVCACHE_SPACE: '16'}}}"), "istio", "e")["containers"][
        0
    ]
    found = [item["value"] for item in process["env"] if item["name"] == "VLLM_CPU_KVCACHE_SPACE"]
    assert (found, "--dtype=bfloat16" in process["args"]) == (["16"], True)


def test_an_environment_replaces_words_and_keeps_the_others() -> None:
    """Word by word, also for pickers whose pool the policy does not mention."""
    words = "{e: {device: amd, nodeSelector: {a: c}}, router: {tolerations: []}, pickers: {priorityClass: low}}"
    more = f"environments: {{lab: {{target: gie, placement: {words}}}, sim: {{target: gie, simulate: true}}}}\n"
    taint = ", tolerations: [{key: a, operator: Exists}], nodeSelector: {r: s}"
    policy = policy_of("{vllm: {nodeSelector: {a: b}, priorityClass: p, runtimeClass: r}}", router=taint, more=more)
    lab, sim = (resolve(policy, environment) for environment in policy.environments)
    server = pod(lab, "gie", "e")
    assert (server["nodeSelector"], server["priorityClassName"]) == ({"a": "c"}, "p")
    assert server["containers"][0]["image"] == "vllm/vllm-openai-rocm:v0.33.0"
    router = pod(lab, "gie", "semantic-router")
    assert ("tolerations" in router, router["nodeSelector"]) == (False, {"r": "s"})
    assert pod(lab, "gie", "e-epp")["priorityClassName"] == "low"
    assert not {"nodeSelector", "runtimeClassName"} & pod(sim, "gie", "e").keys()


def test_servers_share_an_existing_claim() -> None:
    """Then none is written, whatever the number of servers."""
    text = "endpoints: {a: {vllm: {weights: {pvc: w}}}, b: {vllm: {weights: {pvc: w}}}}\n"
    models = "models: {m: {checkpoint: a/b, endpoints: a}, n: {checkpoint: a/c, endpoints: b}}\ndefault: m\n"
    policy = linked(HEAD % "" + text + models)
    policy = replace(policy, router=replace(policy.router, files={"config.yaml": b"a: 1\n"}))
    found = rendering.objects(policy, "istio")
    assert [item.name for item in found if item.kind == "PersistentVolumeClaim"] == []
    claims = {pod(policy, "istio", name)["volumes"][0]["persistentVolumeClaim"]["claimName"] for name in ("a", "b")}
    assert claims == {"w"}


def test_another_storage_class_is_a_change_that_the_api_server_refuses() -> None:
    """So `diff` tells how to replace the claim."""
    claims = [
        next(item.body for item in rendering.objects(policy_of(words), "istio") if item.kind == "PersistentVolumeClaim")
        for words in ("{vllm: {storageClass: slow}}", "{vllm: {storageClass: fast}}")
    ]
    assert [item.path for item in refusals(*claims)] == ["spec.storageClassName"]


def test_servers_that_are_scaled_can_all_mount_the_volume() -> None:
    """One replica, and three more when the queue grows."""
    scaled = "autoscaling: {min: 1, max: 4, queue: 8, prometheus: 'http://p:9090'}"
    policy = policy_of(f"{{vllm: {{{scaled}}}}}", router=", autoscaling: {min: 1, max: 3}")
    found = {(item.kind, item.name): item.body.get("spec") for item in rendering.objects(policy, "istio")}
    assert found["PersistentVolumeClaim", "e"]["accessModes"] == ["ReadWriteMany"]
    assert found["Deployment", "e"]["strategy"]["type"] == "RollingUpdate"
    options = {
        (component.name, item.name): item.body.get("spec")
        for component in rendering.components(policy, "istio")
        for item in component.objects
    }
    router, server = options["autoscaling", "semantic-router"], options["autoscaling", "e"]
    assert [(spec["minReplicas"], spec["maxReplicas"]) for spec in (router, server)] == [(1, 3), (1, 4)]
    keda = options["autoscaling-keda", "e"]
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (1, 4)
    assert keda["triggers"][0]["metadata"]["query"] == 'sum(vllm:num_requests_waiting{model_name="m"})'


@pytest.mark.parametrize(
    ("words", "code"),
    [("topologySpread: [{topology: z}]", "VSR322"), ("pullSecrets: [a, b]", "VSR322")],
)
def test_the_stack_refuses_what_its_chart_has_no_field_for(words: str, code: str) -> None:
    """By name, and not by leaving it out."""
    assert set(errors(policy_of(f"{{vllm: {{{words}}}}}"), "production-stack")) == {code}


def test_the_stack_has_one_key_and_its_gateway_sends_it() -> None:
    """Its router needs the key to find the models of its servers, and sends on that of the gateway."""
    policy = policy_of("{vllm: {apiKey: {secret: s, key: apiKey}, nodeSelector: {a: b}, weights: {pvc: w}}}")
    chart = next(item.body for item in rendering.values(policy, "production-stack") if item.chart == "vllm-stack")
    spec = chart["servingEngineSpec"]
    assert spec["vllmApiKey"] == {"secretName": "s", "secretKey": "apiKey"}
    model = spec["modelSpec"][0]
    terms = model["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
    assert ("pvcStorage" in model, model["env"]) == (False, [{"name": "HF_HOME", "value": "/data"}])
    kinds = [
        item.body["spec"]["type"]
        for item in rendering.objects(policy, "production-stack")
        if item.kind == "BackendSecurityPolicy"
    ]
    assert kinds == ["APIKey"]


KEY = "apiKey: {secret: s, key: apiKey%s}"
URL = 'url: "https://a.example.com"'
ID = "01234567-89ab-cdef-0123-456789abcdef"
AZURE = 'url: "https://a.openai.azure.com/openai/deployments/gpt4?api-version=2024-10-21", schema: azure-openai'


@pytest.mark.parametrize(
    ("external", "spec"),
    [
        (f"{URL}, {KEY % ''}", {"type": "APIKey", "apiKey": "s"}),
        (f"{URL}, {KEY % ', header: api-key'}", {"type": "AzureAPIKey", "azureAPIKey": "s"}),
        (f"{URL}, schema: anthropic, {KEY % ''}", {"type": "AnthropicAPIKey", "anthropicAPIKey": "s"}),
        (
            f"{URL}, schema: aws-bedrock, auth: {{aws: {{region: eu-west-1}}}}",
            {"type": "AWSCredentials", "awsCredentials": {"region": "eu-west-1"}},
        ),
        (
            f"{URL}, schema: gcp-anthropic, auth: {{gcp: {{project: my-project, region: europe-west1, secret: s}}}}",
            {
                "type": "GCPCredentials",
                "gcpCredentials": {
                    "projectName": "my-project",
                    "region": "europe-west1",
                    "credentialsFile": {"secretRef": {"group": "", "kind": "Secret", "name": "s"}},
                },
            },
        ),
        (
            f"{AZURE}, auth: {{azure: {{clientId: {ID}, tenantId: {ID}, secret: s}}}}",
            {
                "type": "AzureCredentials",
                "azureCredentials": {
                    "clientID": ID,
                    "tenantID": ID,
                    "clientSecretRef": {"group": "", "kind": "Secret", "name": "s"},
                },
            },
        ),
        (
            f"{URL}, schema: gcp-vertex-ai, auth: {{gcp: {{project: my-project, region: europe-west1}}}}",
            {"type": "GCPCredentials", "gcpCredentials": {"projectName": "my-project", "region": "europe-west1"}},
        ),
    ],
)
def test_envoy_ai_gateway_authenticates_as_the_provider_reads_it(external: str, spec: Body) -> None:
    """One policy for each backend, with its own Secret."""
    policy = policy_of(f"{{external: {{{external}}}}}", OUTSIDE)
    known = crds.profile(reference(), "envoy-ai-gateway-v1.1.0")
    bodies = [item.body for item in rendering.objects(policy, "ai-gateway") if item.kind != "Backend"]
    for body, schema in crds.custom((body for body in bodies if body["apiVersion"].startswith("aigateway.")), known):
        assert (crds.problems(schema, body), crds.defaulted(schema, body)) == ([], body)
    found: Any = security(policy)
    short = {key: value["secretRef"]["name"] if key.endswith("Key") else value for key, value in found.items()}
    assert short == spec


@pytest.mark.parametrize(
    "key",
    [
        ", header: x-goog-api-key",
        ", query: key",
        ', header: authorization, prefix: "Token "',
        ", header: authorization, prefix: ''",
    ],
)
def test_envoy_ai_gateway_refuses_keys_that_it_cannot_send_and_others_send_them(key: str) -> None:
    """By the name of the header or the parameter."""
    policy = policy_of(f"{{external: {{{URL}, {KEY % key}}}}}", OUTSIDE)
    assert set(errors(policy, "ai-gateway")) == {"VSR320"}
    assert [errors(policy, target) for target in DIRECT] == [{}] * len(DIRECT)


@pytest.mark.parametrize(
    ("external", "codes"),
    [
        (f"{URL}, schema: cohere, {KEY % ''}", {"VSR321"}),
        (f"{URL}, schema: aws-bedrock, auth: {{aws: {{region: eu-west-1}}}}", {"VSR320", "VSR321"}),
        (f"{URL}, schema: gcp-anthropic, auth: {{gcp: {{project: my-project, region: a}}}}", {"VSR320", "VSR321"}),
    ],
)
def test_only_envoy_ai_gateway_translates(external: str, codes: set[str]) -> None:
    """The other targets say so, and one of its own releases does."""
    policy = policy_of(f"{{external: {{{external}}}}}", OUTSIDE)
    assert [set(errors(policy, target)) for target in DIRECT] == [codes] * len(DIRECT)
    assert errors(policy, "ai-gateway") == {}


def test_an_older_envoy_ai_gateway_has_fewer_apis() -> None:
    """It serves Anthropic's API on another path, needs the key of a service account, and sends no key to pools."""
    claude = policy_of(f"{{external: {{{URL}, schema: anthropic, {KEY % ''}}}}}", OUTSIDE, profile="seed")
    assert set(errors(claude, "ai-gateway")) == {"VSR321"}
    gcp = f"{URL}, schema: gcp-vertex-ai, auth: {{gcp: {{project: my-project, region: a}}}}"
    assert set(errors(policy_of(f"{{external: {{{gcp}}}}}", OUTSIDE, profile="seed"), "ai-gateway")) == {"VSR320"}
    pool = policy_of(f"{{vllm: {{{KEY % ''}}}, pool: {{}}}}", profile="seed")
    assert set(errors(pool, "ai-gateway")) == {"VSR320"}


def test_a_query_is_sent_by_the_router_and_lost_on_envoy_ai_gateway() -> None:
    """Which sets the whole path."""
    policy = policy_of('{external: {url: "https://a.example.com/v1?tier=1", schema: openai}}', OUTSIDE)
    assert set(errors(policy, "ai-gateway")) == {"VSR321"}
    assert errors(policy, "istio") == {}


def test_paths_that_a_provider_does_not_have_are_named_at_compile_time() -> None:
    """Content routes every chat and message, so some of them would meet it."""
    policy = policy_of(f"{{external: {{{URL}, schema: openai, apis: [chat], {KEY % ''}}}}}", OUTSIDE)
    assert "/v1/messages" in warnings(policy, "istio")["VSR319"]
    # Envoy AI Gateway translates messages to chat completions.
    assert "/v1/messages" not in warnings(policy, "ai-gateway")["VSR319"]
    assert "VSR319" not in warnings(replace(policy, apis=("chat",)), "istio")


@pytest.mark.parametrize("words", ["header: x-key", "query: key"])
def test_the_stock_router_sends_bearer_tokens_only(words: str) -> None:
    """It has no other word for a key."""
    from vsr_compiler.analysis import stock_router  # noqa: PLC0415 - for this test

    text = f"{HEAD % ''}endpoints: {{e: {{external: {{{URL}, apiKey: {{secret: s, key: k, {words}}}}}}}}}\n{OUTSIDE}"
    policy = linked(text.replace('image: "registry.example/vsr-runtime:0.1.0"', "engine: semantic-router"))
    assert {item.code for item in stock_router.check(policy)} == {"VSR330"}


def test_case_of_nodes_by_hand_is_placed_on_every_target() -> None:
    """The policy of people who patched the output before."""
    text = (reference() / "data/cases/bugs/09-node-placement/policy.yaml").read_text(encoding="utf-8")
    policy = replace(linked(text), router=replace(linked(text).router, files={"config.yaml": b"a: 1\n"}))
    for target in DIRECT:
        spec = pod(policy, target, "llama")
        assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
        assert (spec["nodeSelector"], spec["runtimeClassName"]) == ({"gpu": "h100"}, "nvidia")
        assert spec["containers"][0]["image"] == "registry.example/vllm:0.17.0"


def test_the_case_of_azure_anthropic_and_a_server_with_a_key() -> None:
    """Each key goes where its owner reads it, on Istio and Envoy Gateway."""
    text = (reference() / "data/cases/bugs/08-provider-auth/policy.yaml").read_text(encoding="utf-8")
    policy = replace(linked(text), router=replace(linked(text).router, files={"config.yaml": b"a: 1\n"}))
    headers = {endpoint.name: endpoint.api_key.header for endpoint in policy.endpoints if endpoint.api_key}
    assert headers == {"azure": "api-key", "claude": "x-api-key", "own": "authorization"}
    for target in DIRECT:
        sources = next(
            item for item in pod(policy, target, "semantic-router")["volumes"] if item["name"] == "credentials"
        )
        assert [item["secret"]["name"] for item in sources["projected"]["sources"]] == ["az", "an", "own"]
