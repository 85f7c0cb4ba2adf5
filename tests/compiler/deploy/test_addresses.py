"""The hosts of objects, by kind: what leads requests somewhere, and URLs that may be of anything."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from vsr_compiler.deploy.addresses import addresses, host_of


def found(group: str, kind: str, words: str) -> list[tuple[str, bool]]:
    """The hosts of an object, and whether requests are sent there for sure."""
    body = YAML(typ="safe").load(f"{{apiVersion: '{group}', kind: {kind}, {words}}}")
    return [(item.host, item.leads) for item in addresses(body, lambda text: list(YAML(typ="safe").load_all(text)))]


@pytest.mark.parametrize(
    ("group", "kind", "words", "hosts"),
    [
        (
            "networking.istio.io/v1",
            "VirtualService",
            "spec: {http: [{mirror: {host: a.example.com}}]}",
            "a.example.com",
        ),
        ("networking.istio.io/v1", "DestinationRule", "spec: {host: a.example.com}", "a.example.com"),
        ("networking.istio.io/v1", "WorkloadEntry", "spec: {address: 203.0.113.7}", "203.0.113.7"),
        (
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            "spec: {configPatches: [{patch: {value: {route: {cluster: 'outbound|443||a.example.com'}}}}]}",
            "a.example.com",
        ),
        (
            "gateway.envoyproxy.io/v1alpha1",
            "EnvoyPatchPolicy",
            "spec: {jsonPatches: [{operation: {value: {socket_address: {address: a.example.com}}}}]}",
            "a.example.com",
        ),
        (
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            "spec: {hostnames: [b.example.com], rules: [{backendRefs: [{kind: Hostname, name: a.example.com}]}]}",
            "a.example.com",
        ),
        ("v1", "ConfigMap", "data: {config.yaml: 'endpoint: A.example.com:443', page.yaml: 'url: b'}", "a.example.com"),
    ],
    ids=lambda value: value if value.isalpha() else "",
)
def test_a_host_to_which_requests_are_led_is_read(group: str, kind: str, words: str, hosts: str) -> None:
    """Not the hostnames under which a route is reached."""
    assert found(group, kind, words) == [(hosts, True)]


@pytest.mark.parametrize(
    ("group", "kind", "words"),
    [
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "spec: {values: {a: [{url: 'https://a.example.com/v1'}]}}"),
        (
            "argoproj.io/v1alpha1",
            "Application",
            "spec: {source: {repoURL: 'https://git.example.com', helm: {values: 'a: https://a.example.com'}}}",
        ),
        ("batch/v1", "Job", "spec: {template: {spec: {containers: [{args: ['--to=https://a.example.com:1']}]}}}"),
    ],
)
def test_a_url_in_values_and_containers_may_be_of_anything(group: str, kind: str, words: str) -> None:
    """The repository of an Application is none of them."""
    assert found(group, kind, words) == [("a.example.com", False)]


@pytest.mark.parametrize("spec", ["[]", "7", "text", "{hosts: 7, endpoints: [7], http: {host: {}}}", "null"])
@pytest.mark.parametrize("kind", ["ServiceEntry", "VirtualService", "EnvoyFilter", "WorkloadEntry"])
def test_an_object_of_any_shape_is_read(kind: str, spec: str) -> None:
    """The schema check reports it."""
    assert found("networking.istio.io/v1", kind, f"spec: {spec}") == []


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://user:key@A.example.com:8443/v1?x=b.example.com", "a.example.com"),
        ("a.example.com:443", "a.example.com"),
        ("*.example.com", "*.example.com"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("a.example.com.", "a.example.com"),
        ("two words", ""),
        ("${HOST}", ""),
        ("http://[::1", ""),
        ("", ""),
        (":" * 5000, ""),
    ],
)
def test_the_host_of_a_text(text: str, host: str) -> None:
    """In lower case, without port, credentials and final dot."""
    assert host_of(text) == host
