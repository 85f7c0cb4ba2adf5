"""The target attach: what it emits beside a Gateway of others, what it refuses, and what it says of its guarantees."""

from __future__ import annotations

from typing import Any

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.targets.attach.names import routing
from vsr_schemas.headers import STRIPPED

Body = dict[str, Any]
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: team}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gateway: {name: shared, namespace: platform}
endpoints:
  qwen: {route: publishers/llm/models/qwen3}
  phi: {service: "phi.models:8000"}
models:
  qwen: {endpoints: qwen}
  phi: {endpoints: phi, providerModel: phi-4}
signals: {code: {keywords: [class]}}
routes: [{name: code, when: {signal: code}, model: qwen}]
default: phi
environments:
  prod: {target: attach, to: kserve, header: X-Gateway-Model-Name}
"""
SETTINGS = "{target: attach, to: kserve, header: X-Gateway-Model-Name}"
EMITTED = {"EnvoyFilter", "DestinationRule", "EnvoyPatchPolicy", "BackendTrafficPolicy", "HTTPRoute", "HTTPRouteFilter"}


def policy(*changes: tuple[str, str]) -> ir.Policy:
    """Return the policy with some things changed, as its only environment has it."""
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    whole = linked(text)
    return overlays.resolve(whole, whole.environments[0])


def environment(settings: str) -> tuple[str, str]:
    """Return the change of the environment."""
    return SETTINGS, settings


def kinds(own: ir.Policy) -> set[str]:
    """Return the kinds of what changes the Gateway."""
    return {item.kind for item in rendering.objects(own, "attach")} & EMITTED


def errors(*changes: tuple[str, str]) -> list[str]:
    """Return the errors of the policy, by code and message."""
    try:
        rendering.objects(policy(*changes), "attach")
    except CompileError as error:
        return [f"{item.code} {item.message}" for item in error.diagnostics if item.level is Severity.ERROR]
    return []


def test_on_istio_no_route_and_no_gateway_is_written() -> None:
    """Only the filter and the connection to the router concern the Gateway."""
    objects = rendering.objects(policy(), "attach")
    assert kinds(policy()) == {"EnvoyFilter", "DestinationRule"}
    assert {item.namespace for item in objects if item.kind in EMITTED} == {"platform"}
    assert [item.name for item in objects if item.kind == "Deployment"] == ["semantic-router"]


def test_on_envoy_gateway_the_only_route_leads_to_no_model() -> None:
    """It answers 404, so that what authenticates at the Gateway runs for a request that matches nothing yet."""
    own = policy(environment("{target: attach, to: gke, gateway: {controller: envoy-gateway}}"))
    assert kinds(own) == {"EnvoyPatchPolicy", "BackendTrafficPolicy", "HTTPRoute", "HTTPRouteFilter"}
    (route,) = [item.body for item in rendering.objects(own, "attach") if item.kind == "HTTPRoute"]
    assert all("backendRefs" not in rule for rule in route["spec"]["rules"])


def test_on_agentgateway_the_router_is_asked_before_routing_and_the_header_is_refused_of_clients() -> None:
    """Nothing removes a header before the router there, and no route is written."""
    own = policy(environment("{target: attach, header: X-Model, gateway: {controller: agentgateway}}"))
    objects = rendering.objects(own, "attach")
    (gateway,) = [
        item.body["spec"]
        for item in objects
        if item.name == "shared-semantic-router" and "traffic" in item.body["spec"]
    ]
    assert gateway["traffic"]["phase"] == "PreRouting"
    assert '!("x-model" in request.headers)' in gateway["traffic"]["authorization"]["policy"]["matchExpressions"]
    assert [ref.get("sectionName") for ref in gateway["targetRefs"]] == [None]
    assert not {"HTTPRoute", "Gateway"} & {item.kind for item in objects}
    assert "VSR354" in {item.code for item in rendering.notices(own, "attach")}


@pytest.mark.parametrize(
    ("settings", "header", "values", "names"),
    [
        (
            "{target: attach, to: kserve}",
            "x-gateway-model-name",
            {"publishers/llm/models/qwen3", "publishers/models/models/phi-4"},
            {"publishers/llm/models/qwen3", "publishers/models/models/phi-4"},
        ),
        ("{target: attach, to: gke}", "x-gateway-model-name", {"publishers/llm/models/qwen3", "phi-4"}, {"phi-4"}),
        ("{target: attach, to: llm-d}", "x-gateway-base-model-name", {"phi-4"}, {"phi-4"}),
        ("{target: attach}", "x-gateway-model-name", {"phi-4"}, {"phi-4"}),
        ("{target: attach, header: X-Model}", "x-model", {"phi-4"}, {"phi-4"}),
    ],
)
def test_header_value_and_name_in_the_body_are_those_of_the_stack(
    settings: str, header: str, values: set[str], names: set[str]
) -> None:
    """What a route of others is written for wins over the convention."""
    result = routing(policy(environment(settings)))
    assert result.header == header
    assert {model.value for model in result.models.values()} >= values
    assert {model.model for model in result.models.values()} >= names


def test_llm_d_finds_an_adapter_by_its_base_model() -> None:
    """Its routes match the base model, and the body names the adapter."""
    server = ("{route: publishers/llm/models/qwen3}", "{vllm: {}}")
    adapter = ("qwen: {endpoints: qwen}", "qwen: {endpoints: qwen, checkpoint: a/b, loras: {sql: {path: /sql}}}")
    own = policy(environment("{target: attach, to: llm-d}"), server, adapter)
    assert routing(own).models["sql"].model_dump() == {"value": "qwen", "model": "sql"}
    assert [item.code for item in rendering.notices(own, "attach")].count("VSR362") == 1


def test_the_name_in_the_body_may_differ_from_the_value() -> None:
    """A route by team or tier leads to a server with a name of its own."""
    own = policy(("qwen: {endpoints: qwen}", "qwen: {endpoints: qwen, providerModel: qwen-3-8b}"))
    assert routing(own).models["qwen"].model_dump() == {"value": "publishers/llm/models/qwen3", "model": "qwen-3-8b"}


@pytest.mark.parametrize("controller", ["istio", "envoy-gateway"])
def test_a_header_of_the_platform_is_removed_from_clients_and_may_be_set_by_the_router(controller: str) -> None:
    """Both before any filter runs and once more where the router decides."""
    settings = f"{{target: attach, header: X-Model, gateway: {{controller: {controller}}}}}"
    text = str([item.body for item in rendering.objects(policy(environment(settings)), "attach")])
    assert text.count("'remove': 'x-model'") == 2
    assert "|x-model'" in text
    assert all(f"'remove': '{name}'" in text for name in STRIPPED)


def test_without_listeners_the_filter_is_on_every_listener_of_the_gateway() -> None:
    """A listener of which the policy does not know would be open to what clients send."""
    (body,) = [item.body for item in rendering.objects(policy(), "attach") if item.kind == "EnvoyFilter"]
    assert {str(patch["match"].get("listener", {}).get("portNumber")) for patch in body["spec"]["configPatches"]} == {
        "None"
    }


def test_with_listeners_the_filter_is_on_their_ports_only() -> None:
    """Applications on other ports of the Gateway are left alone."""
    own = policy(("namespace: platform}", "namespace: platform, listeners: [{name: llm, port: 8080}]}"))
    (body,) = [item.body for item in rendering.objects(own, "attach") if item.kind == "EnvoyFilter"]
    listeners = [patch["match"]["listener"] for patch in body["spec"]["configPatches"] if "listener" in patch["match"]]
    assert {listener["portNumber"] for listener in listeners} == {8080}


def test_what_belongs_to_the_owner_of_the_gateway_is_not_changed() -> None:
    """Timeouts, HTTP/2 settings and connection limits hold for other applications, too."""
    for controller in ("istio", "envoy-gateway"):
        own = policy(environment(f"{{target: attach, gateway: {{controller: {controller}}}}}"))
        objects = rendering.objects(own, "attach")
        text = str([item.body for item in objects])
        assert not any(word in text for word in ("stream_idle_timeout", "initial_stream_window", "connection_limit"))
        assert not {"ClientTrafficPolicy", "EnvoyProxy", "GatewayClass", "Gateway"} & {item.kind for item in objects}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('runtime:0.1.0"}', 'runtime:0.1.0", onFailure: default-model}'), "VSR361 `onFailure: default-model` needs"),
        (("default: phi", "default: {model: phi, fallback: [qwen]}"), "VSR361 `fallback` and `retry` of `default`"),
        (
            ("model: qwen}]", "model: qwen, headers: {set: {x-model: a}}}]"),
            "VSR361 `code` changes the header `x-model`",
        ),
        (('{service: "phi.models:8000"}', '{external: {url: "https://a.example/v1"}}'), "VSR361 `phi` is outside"),
        (
            ('{service: "phi.models:8000"}', "{service: {name: phi, apiKey: {secret: phi, key: token}}}"),
            "VSR361 `phi` has an `apiKey`",
        ),
        (("{endpoints: phi,", "{endpoints: {phi: 90, qwen: 10},"), "VSR361 `phi` has several endpoints with different"),
    ],
)
def test_what_routes_of_others_cannot_do_is_refused_by_name(change: tuple[str, str], words: str) -> None:
    """Each with its reason, and nothing is written."""
    found = errors(environment("{target: attach, header: X-Model, gateway: {controller: istio}}"), change)
    assert len(found) == 1
    assert found[0].startswith(words)


def test_the_stock_router_is_refused() -> None:
    """It knows no other header than its own."""
    engine = ('{image: "registry.example/vsr-runtime:0.1.0"}', "{engine: semantic-router}")
    assert any("semantic-router writes the model into `x-selected-model` only" in item for item in errors(engine))


def test_counts_of_the_gateway_are_refused() -> None:
    """Its policies are those of others."""
    limit = ("default: phi", "default: phi\nlimits: [{per: model, requests: 9, window: 1m, countedBy: gateway}]")
    redis = ("namespace: platform}", 'namespace: platform, redis: "redis:6379"}')
    assert [item.split()[0] for item in errors(limit, redis)] == ["VSR337"]


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ("{target: istio, to: kserve}", "to"),
        ("{target: istio, header: X-Model}", "header"),
        ("{target: istio, gateway: {controller: istio}}", "controller"),
        ("{target: attach, header: Host}", "host"),
        ("{target: attach, header: Authorization}", "authorization"),
        ("{target: attach, header: X-Envoy-Retry-On}", "x-envoy-retry-on"),
        ("{target: attach, header: X-Gateway-Destination-Endpoint}", "x-gateway-destination-endpoint"),
        ("{target: attach, header: Content-Length}", "content-length"),
    ],
)
def test_an_attachment_that_cannot_be_is_refused(settings: str, place: str) -> None:
    """Words for another target, and headers that say something else."""
    with pytest.raises(CompileError) as error:
        policy(environment(settings))
    assert [item.code for item in error.value.diagnostics] == ["VSR364"]
    assert place in error.value.diagnostics[0].message


@pytest.mark.parametrize("settings", ["{target: attach, to: openshift}", "{target: attach, header: 'X Model'}"])
def test_what_is_no_convention_or_header_is_a_wrong_value(settings: str) -> None:
    """The message lists or shows what is allowed."""
    with pytest.raises(CompileError) as error:
        policy(environment(settings))
    assert [item.code for item in error.value.diagnostics] == ["VSR104"]


def test_the_weaker_guarantee_is_a_warning_if_the_policy_has_guards() -> None:
    """Routes of others do not wait for the router, as those of the compiler do."""
    guarded = ("default: phi", "default: phi\nguards: {secrets: {patterns: builtin, action: block}}")
    for changes, level in (((), Severity.NOTE), ((guarded,), Severity.WARNING)):
        (notice,) = [item for item in rendering.notices(policy(*changes), "attach") if item.code == "VSR363"]
        assert notice.level is level


def test_the_gateway_and_the_values_that_its_routes_must_match_are_named() -> None:
    """Whoever owns them can read what is expected."""
    (notice,) = [item for item in rendering.notices(policy(), "attach") if item.code == "VSR315"]
    assert "Gateway `shared` in platform must exist, run by istio" in notice.message
    assert "`x-gateway-model-name` with `publishers/llm/models/qwen3`" in notice.hint.replace(
        "`publishers/models/models/phi-4`, ", ""
    )
    assert "KServe 0.19" in notice.hint


def test_environments_attach_to_gateways_of_their_own() -> None:
    """The same routing on Istio with KServe, and on Envoy Gateway with another header."""
    text = POLICY + "  team: {target: attach, header: x-model, gateway: {name: edge, controller: envoy-gateway}}\n"
    whole = linked(text)
    prod, team = (overlays.resolve(whole, one) for one in whole.environments)
    assert (prod.attachment and prod.attachment.controller, prod.gateway.name) == ("istio", "shared")
    assert (team.attachment and team.attachment.controller, team.gateway.name) == ("envoy-gateway", "edge")
    assert routing(team).header == "x-model"
    assert whole.attachment == prod.attachment
