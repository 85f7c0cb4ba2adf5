"""Placement, hardware, providers and keys as policies write them."""

from __future__ import annotations

import pytest

from support.common import linked, reference
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.ir.providers import EndpointKey

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: backends}
router: {image: "registry.example/vsr-runtime:0.1.0"%s}
gitops: {repo: "https://git.example.org/team/routing.git"}
"""
SERVED = "models: {m: {checkpoint: a/b, endpoints: e}}\ndefault: m\n"
OUTSIDE = "models: {m: {endpoints: e}}\ndefault: m\n"


def policy(endpoint: str, models: str = SERVED, router: str = "", more: str = ""):
    """Link a policy with one endpoint."""
    return linked(f"{HEAD % router}endpoints: {{e: {endpoint}}}\n{models}{more}")


def codes(endpoint: str, models: str = SERVED, router: str = "", more: str = "") -> list[str]:
    """The codes of the errors; of the warnings if there is no error."""
    try:
        found = policy(endpoint, models, router, more).warnings
    except CompileError as error:
        found = tuple(item for item in error.diagnostics if item.level is Severity.ERROR)
    return [item.code for item in found]


def key_of(external: str) -> EndpointKey | None:
    """Return the key of a provider."""
    return policy(f"{{external: {{{external}}}}}", OUTSIDE).endpoints[0].api_key


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("device: h100", "VSR267"),
        ("device: gaudi", "VSR267"),
        ("device: example.com/npu", "VSR267"),
        ("device: cpu, gpus: 2", "VSR267"),
        ("replicas: 4, autoscaling: {max: 2}", "VSR268"),
        ("autoscaling: {min: 5, max: 2}", "VSR268"),
        ("env: {HF_TOKEN: {secret: a, key: b}}", "VSR206"),
        ("env: {VLLM_API_KEY: abc}", "VSR206"),
        ("env: {OPENAI_API_KEY: abc}", "VSR227"),
        ("env: {DB_PASSWORD: hunter2}", "VSR227"),
        ('env: {X: "sk-abcdefghijklmnopqrstuvwx"}', "VSR227"),
        ("env: {1X: a}", "VSR104"),
        ("env: {X: {secret: a, configMap: b, key: c}}", "VSR104"),
        ("env: {X: {key: c}}", "VSR104"),
        ("volumes: [{name: a, mount: /a, pvc: a, secret: b}]", "VSR104"),
        ("volumes: [{name: a, mount: /a}]", "VSR104"),
        ("volumes: [{name: a, mount: /a, hostPath: /etc}]", "VSR101"),
        ("volumes: [{name: a, mount: a, pvc: a}]", "VSR104"),
        ("volumes: [{name: a, mount: /a/../b, pvc: a}]", "VSR104"),
        ("volumes: [{name: shm, mount: /a, pvc: a}]", "VSR206"),
        ("volumes: [{name: a, mount: /data/x, pvc: a}]", "VSR206"),
        ("volumes: [{name: a, mount: /dev, pvc: a}]", "VSR206"),
        ("volumes: [{name: a, mount: /a, pvc: a}, {name: a, mount: /b, pvc: a}]", "VSR205"),
        ("volumes: [{name: a, mount: /a, pvc: a}, {name: b, mount: /a, pvc: a}]", "VSR205"),
        ("weights: {pvc: a}, storage: 10Gi", "VSR104"),
        ("weights: {pvc: a}, storageClass: fast", "VSR104"),
        ("tolerations: [{operator: Exists, value: a, key: b}]", "VSR104"),
        ("tolerations: [{value: a}]", "VSR104"),
        ("tolerations: [{key: a, operator: Equal}]", "VSR104"),
        ("tolerations: [{key: a, tolerationSeconds: 5}]", "VSR104"),
        ("nodeSelector: {'a b': c}", "VSR104"),
        ("nodeSelector: {a: 'b c'}", "VSR104"),
        ("affinity: {nodes: {require: [{key: a, operator: In}]}}", "VSR104"),
        ("affinity: {nodes: {require: [{key: a, operator: Gt, values: [x]}]}}", "VSR104"),
        ("resources: {limits: {nvidia.com/gpu: 500m}}", "VSR104"),
        ("resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}", "VSR228"),
        ("image: 'vllm/vllm-openai:latest'", "VSR226"),
        ("apiKey: abc", "VSR103"),
    ],
)
def test_placement_that_a_cluster_would_refuse_is_an_error(words, code):
    """Each at compile time, and not as a pod that stays Pending."""
    assert set(codes(f"{{vllm: {{{words}}}}}")) == {code}


@pytest.mark.parametrize(
    "words",
    [
        "device: nvidia.com/mig-3g.40gb",
        "device: amd.com/gpu",
        "device: gaudi, image: 'registry.example/vllm-gaudi:1'",
        "device: example.com/npu, image: 'registry.example/vllm-npu:1'",
        "device: cpu",
        "env: {TOKENIZERS_PARALLELISM: 'false', VLLM_LOGGING_LEVEL: INFO, A: ''}",
        "tolerations: [{operator: Exists}]",
        "weights: {pvc: shared-models.v2}",
    ],
)
def test_placement_that_clusters_accept_has_no_finding(words):
    """Also devices that no table knows."""
    assert codes(f"{{vllm: {{{words}}}}}") == []


def test_pods_of_others_are_not_placed_in_environments():
    """The compiler does not write them."""
    more = "environments: {a: {target: istio, placement: {e: {device: amd}}}}\n"
    assert codes("{service: 'a:80'}", OUTSIDE, more=more) == ["VSR225"]


@pytest.mark.parametrize(
    ("placement", "code"),
    [
        ("{router: {device: amd}}", "VSR267"),
        ("{pickers: {storageClass: fast}}", "VSR104"),
        ("{e: {device: gaudi}}", "VSR267"),
        ("{e: {env: {HF_HOME: /x}}}", "VSR206"),
        ("{router: {env: {VSR_MODELS: /x}}}", "VSR206"),
        ("{other: {device: amd}}", "VSR201"),
    ],
)
def test_an_environment_is_checked_like_the_endpoint(placement, code):
    """With the variables and fields of what it places."""
    more = f"environments: {{a: {{target: istio, placement: {placement}}}}}\n"
    assert codes("{vllm: {}}", more=more) == [code]


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ('url: "https://a.example.com"', EndpointKey("s", "k")),
        ('url: "https://a.example.com", schema: anthropic', EndpointKey("s", "k", "x-api-key", "")),
    ],
)
def test_the_schema_of_a_provider_names_the_header_of_its_key(words, key):
    """Without one it is a bearer token."""
    assert key_of(f"{words}, apiKey: {{secret: s, key: k}}") == key


def test_a_policy_can_name_header_prefix_and_parameter():
    """The prefix `Bearer` is for `authorization` alone."""
    url = 'url: "https://a.example.com"'
    named = key_of(f"{url}, apiKey: {{secret: s, key: k, header: x-goog-api-key}}")
    assert named == EndpointKey("s", "k", "x-goog-api-key", "")
    token = key_of(f'{url}, apiKey: {{secret: s, key: k, header: authorization, prefix: "Token "}}')
    assert token == EndpointKey("s", "k", "authorization", "Token ")
    assert key_of(f"{url}, apiKey: {{secret: s, key: k, query: key}}") == EndpointKey("s", "k", "", "", "key")


AZURE = "https://a.openai.azure.com/openai/deployments/gpt4?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("external", "code"),
    [
        ('url: "https://a.example.com/v1?x=1&x=2"', "VSR288"),
        ('url: "https://a.example.com/v1?key=abc"', "VSR227"),
        ('url: "https://a.example.com/v1?api_key=abc"', "VSR227"),
        ('url: "https://a.example.com/v1?x"', "VSR104"),
        ('url: "https://a.example.com/v1?a=1#b"', "VSR104"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k, header: host}', "VSR288"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k, header: x-vsr-debug}', "VSR288"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k, header: content-length}', "VSR288"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k, header: a, query: b}', "VSR104"),
        ('url: "https://a.example.com?a=1", apiKey: {secret: s, key: k, query: a}', "VSR288"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k, query: a}', "VSR289"),
        ('url: "https://a.example.com", apiKey: {secret: s, key: k}, auth: {aws: {region: eu-west-1}}', "VSR104"),
        ('url: "https://a.example.com", auth: {aws: {region: eu-west-1}}', "VSR288"),
        ('url: "https://a.example.com", schema: openai, auth: {aws: {region: eu-west-1}}', "VSR288"),
        ('url: "https://a.example.com", schema: aws-bedrock, auth: {gcp: {project: my-project, region: a}}', "VSR288"),
        ('url: "https://a.example.com", schema: aws-bedrock', "VSR288"),
        ('url: "https://a.example.com/v1", schema: aws-bedrock, auth: {aws: {region: eu-west-1}}', "VSR288"),
        ('url: "https://a.example.com", schema: aws-bedrock, auth: {}', "VSR104"),
        ('url: "https://a.example.com", schema: bedrock', "VSR104"),
        ('url: "https://a.openai.azure.com/openai/deployments/gpt4", schema: azure-openai', "VSR288"),
        ('url: "https://a.openai.azure.com?api-version=1", schema: azure-openai', "VSR288"),
        (f'url: "{AZURE}", schema: azure-openai, apis: [chat, messages]', "VSR288"),
        ('url: "https://a.example.com", schema: anthropic, apis: [chat]', "VSR288"),
    ],
)
def test_a_provider_that_would_reject_every_request_is_an_error(external, code):
    """Or one whose key would become public."""
    assert set(codes(f"{{external: {{{external}}}}}", OUTSIDE)) == {code}


def test_a_secret_in_a_url_is_not_printed():
    """The line of the policy is shown without it."""
    with pytest.raises(CompileError) as caught:
        policy('{external: {url: "https://a.example.com/v1?key=abcdefg"}}', OUTSIDE)
    assert [item.hides for item in caught.value.diagnostics] == [True]


def test_endpoints_of_a_model_have_the_same_key():
    """The router chooses the key with the model, and the gateway the endpoint afterwards."""
    endpoints = "endpoints: {a: {service: {name: a, apiKey: {secret: s, key: k}}}, b: {service: {name: b%s}}}\n"
    models = "models: {m: {endpoints: [a, b]}}\ndefault: m\n"
    assert linked(HEAD % "" + endpoints % ", apiKey: {secret: s, key: k}" + models).models[0].keyed
    for other in ("", ", apiKey: {secret: other, key: k}"):
        with pytest.raises(CompileError) as caught:
            linked(HEAD % "" + endpoints % other + models)
        assert [item.code for item in caught.value.diagnostics] == ["VSR269"]


@pytest.mark.parametrize("case", ["08-provider-auth", "09-node-placement"])
def test_policies_of_people_who_had_no_words_for_it_compile(case):
    """As they were written by hand."""
    path = reference() / "data" / "cases" / "bugs" / case / "policy.yaml"
    assert linked(path.read_text(encoding="utf-8")).endpoints
