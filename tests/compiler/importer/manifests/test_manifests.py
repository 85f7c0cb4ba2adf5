"""Manifests beside a router's configuration, or alone, give the endpoints of a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.gateway_samples import GATEWAY, ROUTER, joined, pool, route, server, service
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.importer import Imported, Options, import_files
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy

QWEN = "{name: qwen, port: 8000}"
GRANITE = "{name: granite, port: 8000}"
POOL = "{group: inference.networking.k8s.io, kind: InferencePool, name: qwen}"


def imported(folder: Path, manifests: str, router: str = ROUTER) -> Imported:
    """Import manifests, together with a router's configuration unless that is empty."""
    files = []
    for name, text in (("router.yaml", router), ("manifests.yaml", manifests)):
        if text:
            (folder / name).write_text(text, encoding="utf-8")
            files.append(folder / name)
    return import_files(files, Options())


def compiled(result: Imported, folder: Path) -> Compiled:
    """Compile an imported policy."""
    policy = folder / "policy.yaml"
    policy.write_text(result.policy, encoding="utf-8")
    return compile_policy(read_policy(policy), lambda _: None)


def of_code(result: Imported, code: str) -> list[Diagnostic]:
    """Return the findings of a code."""
    return [item for item in result.findings if item.code == code]


def backends(result: Compiled) -> set[tuple[str, str]]:
    """Return kind and name of all backends of compiled HTTPRoutes."""
    return {
        (reference.get("kind", "Service"), reference["name"])
        for item in result.applied_objects
        if item.kind == "HTTPRoute"
        for rule in item.body["spec"]["rules"]
        for reference in rule.get("backendRefs", [])
    }


def whole(*extra: str) -> str:
    """Return manifests that fit the router: a Gateway, and a route, a Service and a server for each model."""
    parts = [GATEWAY]
    for name in ("qwen", "granite"):
        backend = QWEN if name == "qwen" else GRANITE
        parts += [route(name, name, backend), service(name), server(name, name)]
    return joined(*parts, *extra)


def test_the_compiled_routes_lead_to_the_services_of_the_manifests(tmp_path: Path) -> None:
    """The addresses in the router's file are placeholders; the routes decide where requests go."""
    result = imported(tmp_path, whole())
    assert not [item for item in result.findings if item.level is Severity.ERROR], result.findings
    assert not [item for item in result.findings if "VSR554" <= item.code <= "VSR557"], result.findings
    assert "gateway:\n  name: edge\n  namespace: ingress" in result.policy
    assert "hostnames: [llm.example.com]" in result.policy
    assert 'timeout: "120s"' in result.policy
    assert "dev: {target: istio}" in result.policy
    assert {("Service", "qwen"), ("Service", "granite")} <= backends(compiled(result, tmp_path))


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_an_existing_pool_stays_the_one_that_requests_go_to(version: str, tmp_path: Path) -> None:
    """No pool, picker or server is written for it."""
    manifests = joined(
        GATEWAY,
        route("qwen", "qwen", POOL),
        route("granite", "granite", GRANITE),
        pool("qwen", version=version),
        service("granite"),
        service("qwen-epp", "app: epp"),
        server("qwen", "qwen"),
        server("granite", "granite"),
    )
    result = imported(tmp_path, manifests)
    assert "qwen: {pool: {existing: qwen, namespace: models, port: 8000}}" in result.policy
    assert "dev: {target: gie}" in result.policy
    output = compiled(result, tmp_path)
    assert ("InferencePool", "qwen") in backends(output)
    assert not [item for item in output.applied_objects if item.kind == "InferencePool"]


def test_a_route_for_a_model_that_the_router_does_not_have_is_found_at_both_places(tmp_path: Path) -> None:
    """The fault is in one of the files, and the report cannot know in which."""
    result = imported(tmp_path, whole(route("typo", "qwen-7b", QWEN)))
    found = of_code(result, "VSR554")
    assert {Path(item.span.file).name for item in found} == {"manifests.yaml", "router.yaml"}
    assert any("`qwen-7b`" in item.message and item.level is Severity.ERROR for item in found)


def test_a_model_without_a_route_is_found(tmp_path: Path) -> None:
    """Requests for it get 404."""
    manifests = joined(GATEWAY, route("qwen", "qwen", QWEN), service("qwen"), server("qwen", "qwen"))
    found = of_code(imported(tmp_path, manifests), "VSR554")
    assert ["no route matches the model `granite`" in item.message for item in found] == [True]
    assert Path(found[0].span.file).name == "router.yaml"


def test_a_route_on_a_header_that_the_router_does_not_write_is_found(tmp_path: Path) -> None:
    """The client's own header would decide."""
    manifests = whole().replace("name: x-selected-model, value: granite", "name: x-model, value: granite")
    found = of_code(imported(tmp_path, manifests), "VSR555")
    assert ["`x-model`" in item.message for item in found] == [True]


def test_routes_on_two_headers_name_each_other(tmp_path: Path) -> None:
    """Without the router's file, the other routes say which header is meant."""
    manifests = whole().replace("name: x-selected-model, value: granite", "name: x-gateway-model-name, value: granite")
    found = of_code(imported(tmp_path, manifests, router=""), "VSR555")
    assert len(found) == 1
    assert "manifests.yaml:" in found[0].message


@pytest.mark.parametrize("kind", ["pool", "service"])
def test_a_selector_that_selects_nothing_is_found(kind: str, tmp_path: Path) -> None:
    """Requests to it get 503."""
    if kind == "pool":
        extra = joined(pool("qwen", "app: qwenn"), service("qwen-epp", "app: epp"))
        manifests = whole(extra)
    else:
        manifests = whole().replace("spec: {selector: {app: qwen}", "spec: {selector: {app: qwenn}")
    found = of_code(imported(tmp_path, manifests), "VSR556")
    assert ["selects no pods" in item.message for item in found] == [True]


def test_a_selector_of_another_namespace_names_it(tmp_path: Path) -> None:
    """A selector never leaves its namespace."""
    manifests = whole().replace(
        "metadata: {name: granite, namespace: models}\nspec:\n  selector",
        "metadata: {name: granite, namespace: elsewhere}\nspec:\n  selector",
    )
    found = of_code(imported(tmp_path, manifests), "VSR556")
    assert ["`elsewhere`" in item.hint for item in found] == [True]


def test_a_route_to_a_service_or_a_picker_that_no_file_has_is_found(tmp_path: Path) -> None:
    """Only where the files have Services at all: otherwise they are somewhere else."""
    manifests = whole(route("x", "qwen", "{name: nowhere, port: 80}"), pool("qwen", picker="no-epp"))
    messages = [item.message for item in of_code(imported(tmp_path, manifests), "VSR556")]
    assert any("`models/nowhere`" in message for message in messages)
    assert any("`no-epp`" in message for message in messages)


def test_a_server_that_serves_another_name_is_found_at_both_places(tmp_path: Path) -> None:
    """The router would send a name that the server answers with 404; the policy sends the right one."""
    result = imported(tmp_path, whole().replace("--served-model-name=granite", "--served-model-name=granite-8b"))
    found = of_code(result, "VSR554")
    assert {Path(item.span.file).name for item in found} == {"manifests.yaml", "router.yaml"}
    assert "providerModel: granite-8b" in result.policy


def test_weights_of_a_rule_are_the_weights_of_endpoints(tmp_path: Path) -> None:
    """A backend with weight 0 is none."""
    backend = "{name: qwen, port: 8000, weight: 90}, {name: spare, port: 8000, weight: 10}, {name: off, weight: 0}"
    result = imported(tmp_path, joined(GATEWAY, route("qwen", "qwen", backend)), router="")
    assert "endpoints: {qwen: 90, spare: 10}" in result.policy
    assert "off" not in result.policy


def test_a_file_of_an_ai_gateway_gives_providers_with_their_secrets(tmp_path: Path) -> None:
    """A route, a backend, a security policy and a host."""
    manifests = """\
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: chat, namespace: ai}
spec:
  parentRefs: [{name: edge, namespace: ingress}]
  rules:
    - matches: [{headers: [{type: Exact, name: x-ai-eg-model, value: gpt-4o}]}]
      backendRefs: [{name: openai, modelNameOverride: gpt-4o-2024-11-20}]
    - matches: [{headers: [{type: Exact, name: x-ai-eg-model, value: claude}]}]
      backendRefs: [{name: bedrock}]
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {name: openai, namespace: ai}
spec: {schema: {name: OpenAI}, backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: openai}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: openai, namespace: ai}
spec: {endpoints: [{fqdn: {hostname: api.openai.com, port: 443}}]}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: BackendSecurityPolicy
metadata: {name: openai, namespace: ai}
spec:
  type: APIKey
  targetRefs: [{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: openai}]
  apiKey: {secretRef: {name: openai-key}}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIServiceBackend
metadata: {name: bedrock, namespace: ai}
spec: {schema: {name: AWSBedrock}, backendRef: {group: gateway.envoyproxy.io, kind: Backend, name: bedrock}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: bedrock, namespace: ai}
spec: {endpoints: [{fqdn: {hostname: bedrock-runtime.us-east-1.amazonaws.com, port: 443}}]}
---
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: BackendSecurityPolicy
metadata: {name: bedrock, namespace: ai}
spec:
  type: AWSCredentials
  targetRefs: [{group: aigateway.envoyproxy.io, kind: AIServiceBackend, name: bedrock}]
  awsCredentials: {region: us-east-1}
"""
    result = imported(tmp_path, manifests, router="")
    assert "apiKey: {secret: openai-key, key: apiKey}" in result.policy
    assert "providerModel: gpt-4o-2024-11-20" in result.policy
    assert "auth: {aws: {region: us-east-1}}" in result.policy
    assert "dev: {target: ai-gateway}" in result.policy
    assert compiled(result, tmp_path).objects


def test_models_of_kserve_are_attached_to(tmp_path: Path) -> None:
    """KServe writes the routes; the policy adds the router to its Gateway."""
    manifests = """\
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: qwen, namespace: llm}
spec:
  model:
    uri: hf://Qwen/Qwen3-8B
    name: qwen3-8b
    lora: {adapters: [{name: sql, uri: "hf://example/sql"}]}
"""
    result = imported(tmp_path, manifests, router="")
    assert "qwen3-8b: {route: publishers/llm/models/qwen3-8b}" in result.policy
    assert "sql: {route: publishers/llm/models/sql}" in result.policy
    assert "dev: {target: attach, to: kserve}" in result.policy
    assert compiled(result, tmp_path).objects


def test_servers_alone_are_models_with_their_context_and_pods(tmp_path: Path) -> None:
    """A Deployment of vLLM says what it serves."""
    text = server("qwen", "qwen", args=', "--max-model-len", "32768"')
    result = imported(tmp_path, text, router="")
    assert "context: 32768" in result.policy
    assert "pods:" in result.policy
    assert compiled(result, tmp_path).objects


def test_manifests_without_a_model_give_no_policy(tmp_path: Path) -> None:
    """A report says what is missing."""
    result = imported(tmp_path, GATEWAY, router="")
    assert not result.policy
    assert of_code(result, "VSR556")
