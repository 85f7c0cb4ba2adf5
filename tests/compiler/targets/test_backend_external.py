"""Providers outside the cluster: how the gateway finds and trusts them, and where their keys are and are not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.deploy import sandbox
from vsr_compiler.manifests.objects import Object
from vsr_compiler.review.graph import mermaid
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings
from vsr_compiler.targets.common import extproc
from vsr_compiler.targets.istio import providers
from vsr_schemas import headers
from vsr_schemas.headers import CREDENTIALS

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: outside}
router: {image: "r:1", namespace: routing}
gateway: {name: edge, namespace: ingress}
endpoints:
  here: {vllm: {}}
  far: {external: {url: "https://API.example.com/openai/v1/", apiKey: {secret: far, key: .token}}}
  near: {external: {url: "https://api.example.com:8443", apiKey: {secret: near, key: token}}}
  open: {external: {url: "https://open.example.org/v1"}}
  idle: {external: {url: "https://idle.example.org/v1", apiKey: {secret: idle, key: token}}}
models:
  llama: {checkpoint: example/llama, endpoints: here}
  gpt: {endpoints: far, providerModel: gpt-9}
  mini: {endpoints: far}
  beta: {endpoints: near}
  free: {endpoints: open}
default: llama
"""
PRIVATE = TEXT.replace("endpoints: far", "endpoints: here").replace("endpoints: near", "endpoints: here")
PRIVATE = PRIVATE.replace("endpoints: open", "endpoints: here")
PRIVATE = re.sub(r"(gpt|mini|beta|free): \{", r"\1: {checkpoint: example/llama, ", PRIVATE)
HIDE = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(headers.PRIVATE)}}
ASKS = {
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-envoy-external-address",
    "x-selected-model",
    "x-vsr-guards",
    "x-envoy-decorator-operation",
    "x-envoy-attempt-count",
    "x-envoy-expected-rq-timeout-ms",
    "x-request-id",
}
"""What a provider behind real gateways was seen to get."""


def objects(target: str = "istio", text: str = TEXT) -> dict[str, Object]:
    """The objects of a target by kind and name."""
    return {f"{item.kind}/{item.name}": item for item in rendering.objects(linked(text), target)}


def pod(text: str = TEXT) -> dict[str, Any]:
    """The router's pod."""
    spec: dict[str, Any] = objects(text=text)["Deployment/semantic-router"].body["spec"]["template"]["spec"]
    return spec


def test_a_host_is_declared_once_whatever_the_number_of_endpoints_on_it() -> None:
    """Two rules for one host would be merged in an order of nobody's choosing; an idle one has none."""
    found = [item.body for item in providers.emit(linked(TEXT))]
    entries = {each["spec"]["hosts"][0]: each for each in found if each["kind"] == "ServiceEntry"}
    assert set(entries) == {"api.example.com", "open.example.org"}
    assert entries["api.example.com"]["spec"]["ports"] == [
        {"name": "https-443", "number": 443, "protocol": "HTTPS"},
        {"name": "https-8443", "number": 8443, "protocol": "HTTPS"},
    ]
    assert {each["metadata"]["namespace"] for each in found} == {"ingress"}
    assert len(found) == 2 * len(entries)


def test_a_certificate_is_checked_for_the_name_of_the_host() -> None:
    """Nothing switches the check off, and no other name of a known authority passes."""
    for item in providers.emit(linked(TEXT)):
        if item.kind == "DestinationRule":
            host = item.body["spec"]["host"]
            assert item.body["spec"]["trafficPolicy"] == {
                "tls": {"mode": "SIMPLE", "sni": host, "subjectAltNames": [host]}
            }


@pytest.mark.parametrize("target", ["gie", "istio", "llm-d"])
def test_a_route_says_the_providers_host_and_path(target: str) -> None:
    """The path is rewritten where it differs from what clients say; a URL without one means /v1."""
    found = objects(target)
    assert not [name for name in found if name.startswith(("InferencePool/", "Service/")) and "far" in name]
    (rule,) = found["HTTPRoute/gpt"].body["spec"]["rules"]
    assert rule["backendRefs"] == [
        {"group": "networking.istio.io", "kind": "Hostname", "name": "api.example.com", "port": 443, "weight": 1}
    ]
    assert rule["matches"][0]["path"] == {"type": "PathPrefix", "value": "/v1"}
    path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/openai/v1"}
    rewritten = {"hostname": "api.example.com", "path": path}
    assert rule["filters"] == [HIDE, {"type": "URLRewrite", "urlRewrite": rewritten}]
    (rule,) = found["HTTPRoute/beta"].body["spec"]["rules"]
    assert rule["backendRefs"][0]["port"] == 8443
    assert rule["filters"] == [HIDE, {"type": "URLRewrite", "urlRewrite": {"hostname": "api.example.com"}}]
    assert "filters" not in found["HTTPRoute/llama"].body["spec"]["rules"][0]
    assert "ReferenceGrant/edge-to-far" not in found


def test_keys_are_files_of_the_router_and_nothing_else() -> None:
    """A Secret each, readable by the pod's own group, and missing ones keep the pod from starting."""
    (volume,) = [each for each in pod()["volumes"] if each["name"] == "credentials"]
    assert volume["projected"]["defaultMode"] == 0o440
    assert [each["secret"] for each in volume["projected"]["sources"]] == [
        {"name": "far", "items": [{"key": ".token", "path": "far/api-key"}], "optional": False},
        {"name": "near", "items": [{"key": "token", "path": "near/api-key"}], "optional": False},
    ]
    mounts = {each["name"]: each for each in pod()["containers"][0]["volumeMounts"]}
    assert mounts["credentials"] == {"name": "credentials", "mountPath": "/etc/vsr/credentials", "readOnly": True}
    assert pod()["securityContext"]["fsGroup"]
    holders = {name for name, item in objects().items() if ".token" in str(item.body)}
    assert holders == {"Deployment/semantic-router"}


def test_the_settings_name_files_and_the_config_names_hosts() -> None:
    """Every model outside is told apart, one without a key too, since the client's must not go there either."""
    policy = linked(TEXT)
    given = runtime_settings(policy, {}).credentials
    assert given is not None
    assert {name: each.file for name, each in given.items()} == {
        "beta": "near/api-key",
        "free": None,
        "gpt": "far/api-key",
        "mini": "far/api-key",
    }
    models = {each.name: each for each in router_config(policy).providers.models}
    (ref,) = models["gpt"].backend_refs
    assert (ref.endpoint, ref.protocol, ref.provider) == ("api.example.com:443", "https", "openai")
    assert "token" not in router_config(policy).model_dump_json()
    assert "api.example.com" in mermaid(policy)


def allowed(policy: ir.Policy) -> set[str]:
    """The credentials that the filter lets the router touch."""
    rules = extproc.ext_proc_filter(policy, "router")["typed_config"]["mutation_rules"]
    return {name for name in CREDENTIALS if re.fullmatch(rules["allow_expression"]["regex"], name)}


def test_the_router_may_touch_credentials_only_where_a_model_is_outside() -> None:
    """Otherwise a router that was taken over could speak in a client's name; and nothing is mounted."""
    assert allowed(linked(TEXT)) == set(CREDENTIALS)
    assert allowed(linked(PRIVATE)) == set()
    assert runtime_settings(linked(PRIVATE), {}).credentials is None
    assert {each["name"] for each in pod(PRIVATE)["volumes"]} == {"config", "cache"}
    assert not [name for name in objects(text=PRIVATE) if name.startswith("ServiceEntry/")]


def test_the_stand_knows_what_a_provider_wants() -> None:
    """Where its API lies and which key it asks for; its route rewrites as the gateway's does."""
    policy = linked(TEXT)
    found = {each["cluster"]: each.get("external") for each in sandbox.settings(policy)["backends"]}
    assert found["backend/far"] == {"path": "/openai/v1", "credential": "far/api-key"}
    assert found["backend/open"] == {"path": "/v1"}
    assert found["backend/here"] is None
    (listener,) = sandbox.bootstrap(policy)["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = {each["name"]: each for each in manager["route_config"]["virtual_hosts"][0]["routes"]}
    assert routes["gpt"]["match"]["prefix"] == "/v1/"
    assert routes["gpt"]["route"]["prefix_rewrite"] == "/openai/v1/"
    assert routes["free"]["route"]["host_rewrite_literal"] == "open.example.org"
    assert "prefix_rewrite" not in routes["free"]["route"]


def routes_out(target: str, text: str = TEXT) -> list[list[str]]:
    """The headers that are removed on the way to each provider of a target."""
    text = re.sub(r"key: [.\w]+", "key: apiKey", text)
    if target == "local":
        bootstrap = sandbox.bootstrap(linked(text))["static_resources"]["listeners"][0]
        manager = bootstrap["filter_chains"][0]["filters"][0]["typed_config"]
        routes = manager["route_config"]["virtual_hosts"][0]["routes"]
        return [each.get("request_headers_to_remove", []) for each in routes if "host_rewrite_literal" in each["route"]]
    found = [item.body for item in rendering.objects(linked(text), target)]
    if target in {"ai-gateway", "production-stack"}:
        backends = [body["spec"] for body in found if body["kind"] == "AIServiceBackend"]
        hosts = {"api.example.com", "open.example.org"}
        names = {
            body["metadata"]["name"]
            for body in found
            if body["kind"] == "Backend" and body["spec"]["endpoints"][0]["fqdn"]["hostname"] in hosts
        }
        return [
            spec.get("headerMutation", {}).get("remove", []) for spec in backends if spec["backendRef"]["name"] in names
        ]
    rules = [rule for body in found if body["kind"] == "HTTPRoute" for rule in body["spec"]["rules"]]
    filters = [{each["type"]: each for each in rule.get("filters", [])} for rule in rules]
    kind = "RequestHeaderModifier"
    return [
        each[kind]["requestHeaderModifier"]["remove"] if kind in each else []
        for each in filters
        if "URLRewrite" in each
    ]


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d", "envoy-gateway", "ai-gateway", "local"])
def test_a_provider_learns_neither_who_asks_nor_what_the_router_thinks(target: str) -> None:
    """The client's address and identity, the selected model and the guards' flags stay inside."""
    found = routes_out(target)
    assert found
    for removed in found:
        assert ASKS | {"x-authz-user-id", "x-forwarded-client-cert", "x-vsr-debug"} <= set(removed)
        assert len(removed) <= 16, "the Gateway API and AI Gateway allow no more"


@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "ai-gateway", "local"])
def test_a_policy_may_let_a_provider_have_these_headers(target: str) -> None:
    """For a host of one's own that needs the client's address."""
    kept = re.sub(r"external: \{", "external: {clientHeaders: keep, ", TEXT)
    found = routes_out(target, kept)
    assert found
    assert not any(found)


def test_models_inside_get_the_headers() -> None:
    """Only routes to providers remove them."""
    (rule,) = objects()["HTTPRoute/llama"].body["spec"]["rules"]
    assert "filters" not in rule
