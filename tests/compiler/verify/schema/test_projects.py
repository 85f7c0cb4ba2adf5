"""Objects of supported projects: values that an API server accepts and rejects, by field."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import support.schema_support as s
from support import rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_of
from support.common import reference
from support.schema_support import GONE
from vsr_compiler import targets
from vsr_compiler.deploy.file_releases import releases_of_file
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.targets import profiles
from vsr_compiler.verify.files import read_manifests
from vsr_compiler.verify.schema import Catalog, check_schemas
from vsr_compiler.verify.schema.cel import compiled
from vsr_compiler.verify.stream import Budget, read_stream

REFUSED: list[tuple[str, str, Any, str, str]] = [
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "v1", "VSR446", "spec.rules[0].matches[0].path"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "/a//b", "VSR446", "spec.rules[0].matches[0].path"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "/a/../b", "VSR446", "spec.rules[0].matches[0].path"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "/a b", "VSR446", "spec.rules[0].matches[0].path"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/value", "/a%2Fb", "VSR446", "spec.rules[0].matches[0].path"),
    ("HTTPRoute", "spec/rules/0/matches/0/path/type", "Glob", "VSR444", "spec.rules[0].matches[0].path.type"),
    ("HTTPRoute", "spec/rules/0/timeouts/backendRequest", "400s", "VSR446", "spec.rules[0].timeouts"),
    ("HTTPRoute", "spec/rules/0/timeouts/request", "5 minutes", "VSR444", "spec.rules[0].timeouts.request"),
    ("HTTPRoute", "spec/rules/0/filters/0/type", "RequestRedirect", "VSR446", "spec.rules[0].filters[0]"),
    (
        "HTTPRoute",
        "spec/rules/0/filters/1",
        {"type": "URLRewrite", "urlRewrite": {"hostname": "a.example"}},
        "VSR446",
        "spec.rules[0].filters",
    ),
    (
        "HTTPRoute",
        "spec/rules/0/filters/0/urlRewrite/path",
        {"type": "ReplaceFullPath"},
        "VSR446",
        "spec.rules[0].filters[0].urlRewrite.path",
    ),
    ("HTTPRoute", "spec/rules/0/matches/0/path/type", "Exact", "VSR446", "spec.rules[0]"),
    ("HTTPRoute", "spec/parentRefs/1", {"name": "edge"}, "VSR446", "spec.parentRefs"),
    ("HTTPRoute", "spec/rules/0/backendRefs/0", {"name": "big"}, "VSR446", "spec.rules[0].backendRefs[0]"),
    (
        "HTTPRoute",
        "spec/rules/0/matches/0/headers/1",
        {"name": "x-selected-model", "value": "b"},
        "VSR445",
        "spec.rules[0].matches[0].headers[1]",
    ),
    ("HTTPRoute", "spec/rules/0/backendRefs/0/prot", 80, "VSR441", "spec.rules[0].backendRefs[0].prot"),
    ("HTTPRoute", "spec/rules/0/backendRefs/0/port", "80", "VSR443", "spec.rules[0].backendRefs[0].port"),
    ("HTTPRoute", "spec/rules/0/backendRefs/0/name", GONE, "VSR442", "spec.rules[0].backendRefs[0]"),
    ("Gateway", "spec/listeners/0/tls", {"mode": "Terminate"}, "VSR446", "spec.listeners"),
    ("Gateway", "spec/listeners/1/tls/certificateRefs", [], "VSR446", "spec.listeners[1].tls"),
    ("Gateway", "spec/listeners/1/tls/mode", "Passthrough", "VSR446", "spec.listeners"),
    ("Gateway", "spec/listeners/1/name", "http", "VSR445", "spec.listeners[1]"),
    ("Gateway", "spec/listeners/0/port", 70000, "VSR444", "spec.listeners[0].port"),
    (
        "Gateway",
        "spec/addresses",
        [{"type": "IPAddress", "value": "10.0.0.1"}, {"type": "IPAddress", "value": "10.0.0.1"}],
        "VSR446",
        "spec.addresses",
    ),
    ("ReferenceGrant", "spec/from", [], "VSR444", "spec.from"),
    ("BackendTLSPolicy", "spec/validation/wellKnownCACertificates", GONE, "VSR446", "spec.validation"),
    (
        "BackendTLSPolicy",
        "spec/validation/caCertificateRefs",
        [{"group": "", "kind": "ConfigMap", "name": "ca"}],
        "VSR446",
        "spec.validation",
    ),
    ("InferencePool", "spec/endpointPickerRef/port", GONE, "VSR446", "spec.endpointPickerRef"),
    ("InferencePool", "spec/targetPorts/0/number", 0, "VSR444", "spec.targetPorts[0].number"),
    ("InferencePool", "spec/targetPorts/1", {"number": 8000}, "VSR446", "spec.targetPorts"),
    ("InferencePool", "apiVersion", "inference.networking.k8s.io/v1alpha2", "VSR449", ""),
    ("InferencePool", "spec/selector/matchLabels/app", "a b", "VSR444", "spec.selector.matchLabels.app"),
    ("DestinationRule", "spec/trafficPolicy/tls/mode", "simple", "VSR444", "spec.trafficPolicy.tls.mode"),
    (
        "DestinationRule",
        "spec/trafficPolicy/connectionPool/http/idleTimeout",
        "soon",
        "VSR446",
        "spec.trafficPolicy.connectionPool.http.idleTimeout",
    ),
    (
        "DestinationRule",
        "spec/trafficPolicy/connectionPool/http/idleTimeout",
        "10us",
        "VSR446",
        "spec.trafficPolicy.connectionPool.http.idleTimeout",
    ),
    (
        "DestinationRule",
        "spec/trafficPolicy/loadBalancer",
        {"simple": "RANDOM", "consistentHash": {"useSourceIp": True}},
        "VSR444",
        "spec.trafficPolicy.loadBalancer",
    ),
    ("EnvoyFilter", "spec/workloadSelector", {"labels": {"app": "x"}}, "VSR446", "spec"),
    ("EnvoyFilter", "spec/configPatches/0/match/context", "WAYPOINT", "VSR446", "spec.configPatches[0].match"),
    (
        "EnvoyFilter",
        "spec/configPatches/0/patch/operation",
        "INSERT",
        "VSR444",
        "spec.configPatches[0].patch.operation",
    ),
    ("ServiceEntry", "spec/hosts", ["*"], "VSR446", "spec.hosts[0]"),
    ("ServiceEntry", "spec/endpoints", [{"address": "unix:///x", "ports": {"a": 1}}], "VSR446", "spec.endpoints[0]"),
    ("ClientTrafficPolicy", "spec/tls", {"minVersion": "1.3", "maxVersion": "1.2"}, "VSR446", "spec.tls"),
    ("ClientTrafficPolicy", "spec/targetRefs/0/kind", "HTTPRoute", "VSR446", "spec"),
    ("ClientTrafficPolicy", "spec/connection/bufferLimit", "8 MiB", "VSR444", "spec.connection.bufferLimit"),
    ("BackendTrafficPolicy", "spec/loadBalancer/consistentHash", GONE, "VSR446", "spec.loadBalancer"),
    ("BackendTrafficPolicy", "spec/loadBalancer/slowStart", {"window": "10s"}, "VSR446", "spec.loadBalancer"),
    ("BackendTrafficPolicy", "spec/targetRefs/0/kind", "Service", "VSR446", "spec"),
    ("EnvoyPatchPolicy", "spec/jsonPatches/0/operation/op", "insert", "VSR444", "spec.jsonPatches[0].operation.op"),
    ("EnvoyPatchPolicy", "spec/type", "Merge", "VSR444", "spec.type"),
    ("EnvoyExtensionPolicy", "spec/targetRefs/0/group", "apps", "VSR446", "spec"),
    ("EnvoyExtensionPolicy", "spec/extProc/0/backendRefs/0/kind", "Pod", "VSR446", "spec.extProc[0]"),
    (
        "EnvoyExtensionPolicy",
        "spec/extProc/0/processingMode/request/body",
        "BUFFERED",
        "VSR444",
        "spec.extProc[0].processingMode.request.body",
    ),
    (
        "SecurityPolicy",
        "spec/authorization",
        {
            "rules": [
                {"action": "Allow", "principal": {"jwt": {"provider": "x", "claims": [{"name": "a", "values": ["b"]}]}}}
            ]
        },
        "VSR446",
        "spec",
    ),
    (
        "SecurityPolicy",
        "spec/targetRef",
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "x"},
        "VSR446",
        "spec",
    ),
    ("Backend", "spec/endpoints/0/ip", {"address": "10.0.0.1", "port": 80}, "VSR446", "spec.endpoints[0]"),
    ("Backend", "spec/endpoints/0/fqdn/hostname", "not a host", "VSR444", "spec.endpoints[0].fqdn.hostname"),
    (
        "AIGatewayRoute",
        "spec/rules/0/backendRefs/1",
        {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "p"},
        "VSR446",
        "spec.rules[0]",
    ),
    ("AIGatewayRoute", "spec/rules/0/backendRefs/0/kind", "InferencePool", "VSR446", "spec.rules[0]"),
    ("AIGatewayRoute", "spec/parentRefs/0/kind", "Service", "VSR446", "spec.parentRefs"),
    ("AIServiceBackend", "spec/schema/name", "Open AI", "VSR444", "spec.schema.name"),
    ("AIServiceBackend", "spec/backendRef/kind", "Service", "VSR446", "spec.backendRef"),
    ("BackendSecurityPolicy", "spec/apiKey", GONE, "VSR446", "spec"),
    ("BackendSecurityPolicy", "spec/type", "AnthropicAPIKey", "VSR446", "spec"),
    ("BackendSecurityPolicy", "spec/targetRefs/0/kind", "Gateway", "VSR446", "spec.targetRefs"),
    ("PodMonitor", "spec/podMetricsEndpoints/0/interval", "often", "VSR444", "spec.podMetricsEndpoints[0].interval"),
    ("PodMonitor", "spec/selector", GONE, "VSR442", "spec"),
    ("PodMonitor", "spec/podMetricsEndpoint", [], "VSR441", "spec.podMetricsEndpoint"),
    ("Application", "spec/destination", GONE, "VSR442", "spec"),
    ("Application", "spec/syncPolicy/automatic", {}, "VSR441", "spec.syncPolicy.automatic"),
    ("AgentgatewayPolicy", "spec/traffic/phase", "PostEverything", "VSR444", "spec.traffic.phase"),
    ("AgentgatewayPolicy", "spec/traffic/timeouts", {"request": "5s"}, "VSR446", "spec.traffic"),
    ("AgentgatewayPolicy", "spec/targetRefs/0/kind", "HTTPRoute", "VSR446", "spec"),
    ("AgentgatewayPolicy", "spec/targetRefs", GONE, "VSR446", "spec"),
    (
        "AgentgatewayPolicy",
        "spec/targetSelectors",
        [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "matchLabels": {"a": "b"}}],
        "VSR446",
        "spec",
    ),
]
"""Kind, changed field, its value; the code, and the field that the finding is about."""
TAKEN: list[tuple[str, str, Any]] = [
    ("Gateway", "spec/listeners/1/port", 80),
    ("Gateway", "spec/listeners/0/protocol", "TCP"),
    ("DestinationRule", "spec/trafficPolicy/tls/caCertificates", "/ca.pem"),
    ("ServiceEntry", "spec/resolution", "NONE"),
    ("ServiceEntry", "spec/workloadSelector", {"labels": {"a": "b"}}),
    ("ClientTrafficPolicy", "spec/tls/minVersion", "1.3"),
    ("ClientTrafficPolicy", "spec/tls/ciphers", ["A"]),
    ("EnvoyPatchPolicy", "spec/targetRef/kind", "HTTPRoute"),
    ("EnvoyExtensionPolicy", "spec/extProc/0/processingMode/request/body", "FullDuplexStreamed"),
]
"""Changes that look invalid and are valid."""


@cache
def catalog() -> Catalog:
    """Return the reference definitions: every project in several releases."""
    return Catalog(((reference() / "crds", reference() / "crds-newer"),))


def found(text: str) -> list[tuple[str, str]]:
    """Return codes and messages for a stream, by the releases of the current profile."""
    manifests = read_stream(text.encode(), "m.yaml", Budget(), [])
    return [(item.code, item.message) for item in check_schemas(manifests, catalog(), lambda _file: s.CURRENT)]


@pytest.mark.parametrize("kind", s.GOOD)
def test_valid_object_has_no_findings(kind: str) -> None:
    """The tests of invalid objects change these."""
    assert found(s.GOOD[kind]) == []


@pytest.mark.parametrize(("kind", "path", "value", "code", "where"), REFUSED)
def test_invalid_object_is_reported_at_the_field(kind: str, path: str, value: Any, code: str, where: str) -> None:
    """One change of a valid object, and its finding; a rule that reads the same value may report it as well."""
    first = next(item for item in found(s.changed(s.GOOD[kind], path, value)) if item[0] == code)
    assert f"`{where}`" in first[1] if where else kind in first[1]


@pytest.mark.parametrize(("kind", "path", "value"), TAKEN)
def test_unusual_valid_values_are_accepted(kind: str, path: str, value: Any) -> None:
    """No false positives."""
    assert found(s.changed(s.GOOD[kind], path, value)) == []


def test_many_invalid_objects_violate_cel_rules() -> None:
    """At least thirty."""
    assert sum(code == "VSR446" for *_, code, _ in REFUSED) >= 30


@cache
def rules() -> dict[str, Path]:
    """Return every rule of the reference definitions, with its file."""
    places: dict[str, Path] = {}
    for place in catalog()._read_places():
        for document in place:
            stack: list[Any] = list(document.definitions)
            while stack:
                value = stack.pop()
                if isinstance(value, dict):
                    for each in value.get("x-kubernetes-validations") or ():
                        places.setdefault(each["rule"], document.file)
                    stack += value.values()
                elif isinstance(value, list):
                    stack += value
    return places


def test_every_cel_rule_of_every_project_compiles() -> None:
    """No rule is skipped."""
    assert len(rules()) > 400
    assert all(compiled(rule) for rule in rules())


@pytest.mark.parametrize("cases", [POLICIES, GOLDEN], ids=["out", "golden"])
def test_compiled_output_fits_its_schemas(cases: list[str]) -> None:
    """By the releases of its lock."""
    manifests, _ = read_manifests([output_of(case) for case in cases])
    known = [item for item in check_schemas(manifests, catalog(), releases_of_file) if item.level is not Severity.NOTE]
    assert len(manifests) > 100
    assert [(item.message, item.span) for item in known] == []


@pytest.mark.parametrize("profile", sorted(profiles()))
def test_output_of_every_target_and_profile_fits_its_schemas(profile: str, tmp_path: Path) -> None:
    """Every golden policy on every target, by the releases of the profile that it was compiled for."""
    documents = {}
    for case in GOLDEN:
        for target in sorted(targets.TARGETS):
            try:
                objects = rendering.objects(policy_of(case, profile), target)
            except CompileError:
                continue  # test_family holds what each target refuses
            for item in objects:
                documents.setdefault(dump(item.body), (f"{case}-{target}", item.path))  # one of equal objects
    for number, (text, (origin, path)) in enumerate(documents.items()):
        (tmp_path / f"{number}.yaml").write_text(f"# {origin}: {path}\n{text}", encoding="utf-8")
    manifests, _ = read_manifests([tmp_path])
    refused = check_schemas(manifests, catalog(), lambda _file: profiles()[profile])
    assert len(manifests) > 300
    # The definitions of cert-manager and KEDA are not among those of the lock; test_family holds objects against them.
    unknown = [item for item in refused if item.code == "VSR440"]
    assert [item for item in refused if item not in unknown] == []
    assert all({"Certificate", "ScaledObject"} & set(re.split(r"[ ,]+", item.message)) for item in unknown)
