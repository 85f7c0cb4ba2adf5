"""Links between objects as strangers write them: what is right stays silent, and what is wrong is reported."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
import yaml

import support.verify_support as m
from support.common import reference
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases import PROFILES
from vsr_compiler.verify import check_links
from vsr_compiler.verify.schema.catalog import Catalog
from vsr_compiler.verify.schema.checks import check_schemas
from vsr_compiler.verify.schema.metadata import metadata_problems
from vsr_compiler.verify.stream import Budget, read_stream

CASES = "data/cases"


def case(path: str) -> list[Diagnostic]:
    """Return the findings about a case of the reference."""
    return m.found((reference() / CASES / path).read_text())


def about(found: list[Diagnostic], code: str, part: str = "") -> list[Diagnostic]:
    """Return the findings with a code that mention something, without notes."""
    return [item for item in found if item.code == code and part in item.message and item.level is not Severity.NOTE]


@pytest.mark.parametrize("name", ["by-port", "listener-hostnames", "redirect"])
def test_routes_on_different_listeners_do_not_share_requests(name: str) -> None:
    """By section, by port, and by the hostnames of listeners."""
    assert about(case(f"verify/01-listeners-told-apart/{name}.yaml"), "VSR416") == []


GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: web}
spec:
  gatewayClassName: eg
  listeners:
  - {name: plain, port: 80, protocol: HTTP}
  - {name: shop, port: 443, protocol: HTTPS, hostname: "*.shop.example"}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: app, namespace: web}
spec: {type: ExternalName, externalName: app.example, ports: [{port: 80}]}
"""


def route(name: str, parent: str = "", hostnames: str = "", rule: str = "") -> str:
    """Return an HTTPRoute to the Gateway."""
    return f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: web}}
spec:
  parentRefs: [{{name: gw{parent}}}]
  hostnames: [{hostnames}]
  rules: [{{{rule or "backendRefs: [{name: app, port: 80}]"}}}]
"""


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        (("a", ""), ("b", ""), True),
        (("a", ", sectionName: plain"), ("b", ""), True),
        (("a", ", sectionName: plain"), ("b", ", sectionName: shop"), False),
        (("a", "", "a.shop.example"), ("b", "", "b.shop.example"), False),
        (("a", "", "a.shop.example, b.shop.example"), ("b", "", "B.shop.example"), True),
        (("a", "", '"*.shop.example"'), ("b", "", "a.shop.example"), False),
        (("a", ", port: 80"), ("b", ", port: 443"), False),
    ],
)
def test_routes_share_requests_by_listener_hostname_and_match(first: Any, second: Any, conflict: bool) -> None:  # noqa: FBT001
    """A more specific hostname takes its requests from the others."""
    found = m.found(m.joined(GATEWAY, SERVICE, route(*first), route(*second)))
    assert bool(about(found, "VSR416", "same match")) is conflict


def test_same_rule_name_matters_for_pickers_of_istio_only() -> None:
    """Rules of other gateways may have any names."""
    routes = [route(name, rule=f"name: main, matches: [{{path: {{value: /{name}}}}}]") for name in "ab"]
    assert about(m.found(m.joined(GATEWAY, SERVICE, *routes)), "VSR416") == []


def test_a_route_needs_a_hostname_of_its_listener() -> None:
    """A wildcard covers one label or more; the listener's name is not asked for."""
    assert about(case("bugs/11-verify-listener-hostname/manifests.yaml"), "VSR417", "no hostname of")
    for hostnames, wrong in (("a.b.shop.example", False), ("shop.example", True), ("", False)):
        found = m.found(m.joined(GATEWAY, SERVICE, route("a", ", sectionName: shop", hostnames)))
        assert bool(about(found, "VSR417")) is wrong, hostnames


def test_the_hint_names_protocol_and_kinds_when_they_are_the_reason() -> None:
    """Another namespace would not help."""
    (finding,) = about(case("verify/20-hint-kinds/in.yaml"), "VSR417")
    assert "accepts TLSRoute" in finding.hint
    assert "namespaces" not in finding.hint


@pytest.mark.parametrize(
    ("kind", "protocol", "accepted"),
    [("TCPRoute", "TCP", True), ("TCPRoute", "HTTP", False), ("UDPRoute", "TCP", False), ("GRPCRoute", "HTTP", True)],
)
def test_routes_attach_by_the_protocol_of_the_listener(kind: str, protocol: str, accepted: bool) -> None:  # noqa: FBT001
    """The API has routes for each protocol."""
    gateway = re.sub(r"protocol: HTTP\w*", f"protocol: {protocol}", GATEWAY).replace(', hostname: "*.shop.example"', "")
    text = route("a").replace("kind: HTTPRoute", f"kind: {kind}").replace("  hostnames: []\n", "")
    assert bool(about(m.found(m.joined(gateway, SERVICE, text)), "VSR417")) is not accepted


def test_a_route_that_ai_gateway_creates_is_not_missing() -> None:
    """Policies attach to it by the name of the AIGatewayRoute."""
    assert about(case("verify/07-aigw-generated-httproute/in.yaml"), "VSR402") == []


MISSING = (
    "Gateway `default/nogateway`",
    "Service `default/nosuchsvc`",
    "no port 81",
    "subset `v9`",
    "Service `default/noheadless`",
    "Service `default/noingsvc`",
    "ConfigMap `default/nocacm`",
    "`noport` of Service",
    "Service `default/nowebhook`",
    "Deployment `default/nodep2`",
    "ServiceAccount `default/nosa`",
    "ConfigMap `default/nocm`",
    "ConfigMap `default/noprojcm`",
    "PersistentVolumeClaim `default/nopvc`",
    "Deployment `default/nodep`",
    "no port 8443",
    "Service `default/nomirror`",
    "HTTPRouteFilter `default/nofilter`",
    "EnvoyProxy `default/noproxy`",
    "HTTPRoute `default/noroute`",
    "Service `default/noextproc`",
    "InferencePool `default/nopool`",
    "Gateway `default/nogw`",
    "Role `default/norole`",
    "ServiceAccount `default/nosa4`",
)


@pytest.mark.parametrize("part", MISSING)
def test_references_of_all_kinds_are_read(part: str) -> None:
    """Those of Kubernetes, Istio, Envoy Gateway, KEDA and webhooks."""
    assert about(_references(), "VSR402", part)


def test_classes_and_projects_are_noted() -> None:
    """The cluster provides them."""
    notes = [item.message for item in _references() if item.level is Severity.NOTE]
    for part in ("IngressClass `noclass`", "PriorityClass `nopc`", "StorageClass `nosc`", "AppProject `argocd/noproj"):
        assert any(part in note for note in notes), part


def test_keys_volumes_and_ports_of_a_pod_exist() -> None:
    """Optional keys need not."""
    found = [item.message for item in about(_references(), "VSR627")]
    expected = ("key `nokey`", "volume `missingvol`", "volume `nodata`", "port `noport`")
    assert [part for part in expected if not any(part in message for message in found)] == []
    assert len(found) == len(expected)
    volumes = about(case("verify/10-volume-mounts/volmount.yaml"), "VSR627")
    assert [item.message for item in volumes] == ["Pod `default/p` mounts the volume `typo`, which it does not have"]
    keys = [item.message for item in about(case("verify/10-volume-mounts/keyref.yaml"), "VSR627")]
    assert ["`nokey`" in key or "`other`" in key for key in keys] == [True, True]


@functools.cache
def _references() -> list[Diagnostic]:
    return case("verify/09-references-not-read/in.yaml")


WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: web}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: "app:1.0"}]}
"""


@pytest.mark.parametrize(
    ("owner", "service"),
    [
        ("serving.kserve.io/v1alpha1/LLMInferenceService", "chat-kserve-workload-svc"),
        ("serving.kserve.io/v1beta1/InferenceService", "chat-predictor"),
        ("nvidia.com/v1alpha1/DynamoGraphDeployment", "chat-frontend"),
        ("inference.llmkube.dev/v1alpha1/ModelRouter", "chat"),
        ("postgresql.cnpg.io/v1/Cluster", "chat-rw"),
        ("monitoring.coreos.com/v1/Prometheus", "prometheus-operated"),
        ("example.org/v1/SomethingNew", "chat-main"),
    ],
)
def test_services_that_controllers_create_are_not_missing(owner: str, service: str) -> None:
    """Known controllers, and kinds that nobody knows."""
    version, _, kind = owner.rpartition("/")
    source = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: chat, namespace: web}}\nspec: {{}}\n"
    text = m.joined(GATEWAY, WORKLOAD, SERVICE, route("a", rule=f"backendRefs: [{{name: {service}, port: 80}}]"))
    assert about(m.found(text), "VSR402", service)
    assert about(m.found(m.joined(text, source)), "VSR402", service) == []


def test_objects_of_namespaces_that_are_not_checked_are_notes() -> None:
    """A repository of one team does not contain the platform's."""
    shared = route("a").replace("{name: gw}", "{name: shared, namespace: platform}")
    assert about(m.found(m.joined(WORKLOAD, SERVICE, shared)), "VSR402") == []
    (note,) = [item for item in m.found(m.joined(WORKLOAD, SERVICE, shared)) if "`platform/shared`" in item.message]
    assert note.level is Severity.NOTE


def test_names_of_old_pickers_are_those_of_their_release() -> None:
    """Releases before 1.0 write flags in camel case."""
    old = m.joined(*m.POOLED)
    old = re.sub(
        r"image: \S+(picker|scheduler)\S*", "image: registry.k8s.io/gateway-api-inference-extension/epp:v0.5.1", old
    )
    old = re.sub(r"args: \[--pool-name[^\]]*\]", "args: [-poolName, big, -poolNamespace, prod, -grpcPort, '9002']", old)
    assert "-poolName" in old
    assert about(m.found(old), "VSR406") == []
    (finding,) = about(m.found(old.replace("-poolName, big, ", "")), "VSR406")
    assert "no -poolName" in finding.message


def test_a_picker_needs_the_objectives_that_its_release_watches() -> None:
    """Without the right to list them it never becomes ready."""
    assert about(case("bugs/22-verify-model-servers/picker.yaml"), "VSR415", "list inferenceobjectives")


def test_model_servers_that_never_become_ready() -> None:
    """A liveness probe while the model loads, a shared volume, another port, and too little shared memory."""
    found = [item.message for item in about(case("bugs/22-verify-model-servers/server.yaml"), "VSR630")]
    for part in ("livenessProbe", "one node", "listens on port 8001", "shared memory"):
        assert any(part in message for message in found), part


def test_retries_and_tls_of_providers() -> None:
    """A fallback that is never tried, and plain HTTP to a TLS port; the policy's target is there."""
    found = case("bugs/12-verify-false-error-ai-gateway-policy/manifests.yaml")
    assert about(found, "VSR402") == []
    assert len(about(found, "VSR628")) == 1
    assert len(about(found, "VSR629")) == 2
    assert about(found, "VSR416") == []


@pytest.mark.parametrize(("name", "code"), [("sum", set()), ("wrong-name", {"VSR404"})])
def test_routes_reach_servers_through_the_router_of_the_production_stack(name: str, code: set[str]) -> None:
    """It finds them by labels; a name that none of them serves is an error."""
    found = case(f"helm/04-verify-blind-to-stack-router/{name}.yaml")
    assert {item.code for item in about(found, "VSR404")} == code
    assert [item.level for item in about(found, "VSR404")] == [Severity.ERROR] * len(code)


def test_selectors_of_istio_select_pods() -> None:
    """Subsets, gateways and policies, unless Istio's own charts install the gateway."""
    found = about(_references(), "VSR405")
    for part in ("subset `v1`", "Gateway `default/gw`", "AuthorizationPolicy `default/ap`"):
        assert any(part in item.message for item in found), part
    standard = (
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: web}\nspec: {selector: "
    )
    for labels, wrong in (("{istio: ingressgateway}", False), ("{istio: mine}", True)):
        text = m.joined(WORKLOAD, standard + labels + ", servers: []}\n")
        assert bool(about(m.found(text), "VSR405", "Gateway `web/g`")) is wrong


def test_a_service_without_pods_is_reported_where_pods_are_checked() -> None:
    """Not in a repository of Services only, and not beside a controller that creates pods."""
    service = SERVICE.replace("type: ExternalName, externalName: app.example", "selector: {app: other}")
    owner = "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: ray, namespace: web}\nspec: {}\n"
    for parts, wrong in (((WORKLOAD,), True), ((), False), ((WORKLOAD, owner), False)):
        assert bool(about(m.found(m.joined(service, *parts)), "VSR405", "selects no pods")) is wrong


def test_names_are_valid_by_the_rule_of_their_kind() -> None:
    """A subdomain has 253 characters and no limit for its parts."""
    for path in ("verify/02-names-over-63/in.yaml", "helm/03-verify-refuses-long-names/configmap.yaml"):
        documents = yaml.safe_load_all((reference() / CASES / path).read_text())
        bodies = [body for body in documents if body]
        wrong = [body["metadata"]["name"] for body in bodies if list(metadata_problems(body))]
        assert [len(name) for name in wrong] == ([254] if len(bodies) > 1 else [])
    for kind, length, valid in (
        ("CronJob", 52, True),
        ("CronJob", 53, False),
        ("Service", 63, True),
        ("Service", 64, False),
    ):
        assert (not list(metadata_problems({"kind": kind, "metadata": {"name": "a" * length}}))) is valid


def test_kinds_that_a_release_removed_do_not_exist() -> None:
    """Neither those that older definitions have, nor those that no definition has."""
    text = (reference() / CASES / "verify/23-removed-kinds/in.yaml").read_bytes()
    manifests = read_stream(text, "in.yaml", Budget(), [])
    catalog = Catalog.of([reference() / "crds"], {"VSR_CACHE_DIR": "/nowhere"})
    current = check_schemas(manifests, catalog, lambda _file: PROFILES["current"])
    removed = [item.message.partition(" of ")[0] for item in current if item.code == "VSR449"]
    assert removed == ["InferenceModel", "InferencePool"]
    older = check_schemas(manifests, catalog, lambda _file: {"inference-extension": "1.1.0"})
    assert [item.message.partition(" of ")[0] for item in older if item.code == "VSR449"] == ["InferenceModel"]


def test_examples_that_define_one_gateway_twice_do_not_conflict() -> None:
    """They are independent: only one of them is applied."""
    other = GATEWAY.replace("port: 80", "port: 8080")
    assert about(m.found(m.joined(GATEWAY, other, SERVICE, route("a"), route("b"))), "VSR416") == []
    assert about(m.found(m.joined(GATEWAY, SERVICE, route("a"), route("b"))), "VSR416")


def test_a_missing_object_in_another_file_than_its_family_is_a_warning() -> None:
    """A script may apply it; a similar name is an error."""
    levels = {}
    for name in ("unlike", "apps"):
        parts = {"routes/a.yaml": route("a", rule=f"backendRefs: [{{name: {name}, port: 80}}]"), "b.yaml": SERVICE}
        manifests = [item for file, text in parts.items() for item in read_stream(text.encode(), file, Budget(), [])]
        levels[name] = {item.level for item in check_links(manifests) if f"web/{name}`" in item.message}
    assert levels == {"unlike": {Severity.WARNING}, "apps": {Severity.ERROR}}


def test_a_shared_gateway_of_another_folder_is_a_note() -> None:
    """Unless its name is nearly that of a Gateway that is checked."""
    gateway = GATEWAY.replace("{name: gw,", "{name: front-gw,")
    for name, level in (("shared-edge", Severity.NOTE), ("front-gv", Severity.ERROR)):
        parts = {"routes/a.yaml": route("a").replace("{name: gw}", f"{{name: {name}}}"), "gateway/b.yaml": gateway}
        manifests = [item for file, text in parts.items() for item in read_stream(text.encode(), file, Budget(), [])]
        assert {item.level for item in check_links(manifests) if f"Gateway `web/{name}`" in item.message} == {level}


def test_filters_for_the_gateways_of_istio_charts_are_no_other_installation() -> None:
    """In Istio's root namespace their pods are installed by a chart."""
    gateway = GATEWAY.replace("namespace: web", "namespace: istio-system")
    text = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: limit, namespace: istio-system}
spec: {workloadSelector: {labels: {istio: ingressgateway}}, configPatches: []}
"""
    assert about(m.found(m.joined(gateway, text)), "VSR405") == []
    assert about(m.found(m.joined(gateway, text.replace("ingressgateway", "mine"))), "VSR405")


def test_a_monitor_of_services_that_are_not_checked_is_not_reported() -> None:
    """Only where other Services of its namespace are."""
    monitor = """\
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: app, namespace: web}
spec: {selector: {matchLabels: {app: other}}, endpoints: [{port: http}]}
"""
    assert about(m.found(m.joined(monitor, WORKLOAD)), "VSR405") == []
    assert about(m.found(m.joined(monitor, SERVICE)), "VSR405", "selects no Service")
