"""What gateways make of listeners: filters, redirects, certificates of clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import rendering
from support.cases import policy_of
from support.common import SMALL, linked
from support.consumers import checks
from support.consumers.compiled import objects, router_of, with_keys
from vsr_compiler import targets
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.targets import profiles

TARGETS = sorted(targets.TARGETS.keys() - {"attach"})
"""`attach` has a Gateway with listeners of others."""
ALL = [
    (target, profile)
    for target in TARGETS
    for profile in sorted(profiles())
    if (target, profile) != ("agentgateway", "seed")  # the Gateway API of `seed` knows no client certificates (VSR343)
]
Body = dict[str, Any]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every endpoint that wants one."""
    return with_keys(tmp_path_factory.mktemp("credentials"))


def bodies_of(listeners: str, target: str, more: str = "", versions: str = "current") -> list[Body]:
    """Return the objects of a small policy with listeners."""
    gateway = f"gateway: {{versions: {versions}, listeners: [{listeners}]}}\nendpoints:\n"
    policy = linked(SMALL.replace("endpoints:\n", gateway, 1) + more)
    return [item.body for item in rendering.objects(policy, target)]


@pytest.mark.parametrize(("target", "profile"), ALL)
def test_a_redirect_is_answered_by_the_gateway_without_the_router(target: str, profile: str, keys: Path) -> None:
    """With 301, at every hostname."""
    bodies = objects("listeners", target, profile)
    assert list(checks.redirecting(bodies, router_of("listeners", keys))) == []
    redirects = [body for body in bodies if body["metadata"]["name"] == "edge-http-redirect"]
    assert [body["spec"]["hostnames"] for body in redirects] == [["llm.example.org", "*.llm.example.org"]]


@pytest.mark.parametrize(("target", "profile"), ALL)
def test_certificates_of_clients_are_demanded_where_the_policy_says(target: str, profile: str) -> None:
    """And on no other listener."""
    assert checks.demanding(objects("listeners", target, profile)) == {
        "llm.example.org": False,
        "*.llm.example.org": False,
        "llm.example.net": False,
        "partners.example.org": True,
    }


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_every_listener_has_one_policy_for_clients(target: str) -> None:
    """Envoy Gateway lets a policy for a listener replace the Gateway's, and calls that one overridden."""
    bodies = objects("listeners", target, "current")
    refs = [ref for body in bodies if body["kind"] == "ClientTrafficPolicy" for ref in body["spec"]["targetRefs"]]
    (gateway,) = [body for body in bodies if body["kind"] == "Gateway"]
    assert sorted(ref["sectionName"] for ref in refs) == sorted(own["name"] for own in gateway["spec"]["listeners"])
    settings = [
        {key: value for key, value in body["spec"].items() if key not in {"targetRefs", "tls"}}
        for body in bodies
        if body["kind"] == "ClientTrafficPolicy"
    ]
    assert settings[0] == settings[1]


MUTUAL = "{name: https, port: 443, tls: {secret: api}, clientCertificates: %s}"


@pytest.mark.parametrize("target", TARGETS)
def test_authorities_of_clients_that_a_gateway_does_not_read_are_refused(target: str) -> None:
    """Istio reads one Secret beside that of the certificate, others any Secret or ConfigMap."""
    reads_all = target in {"agentgateway", "envoy-gateway", "ai-gateway", "production-stack"}
    for authority, fits in (
        ("{secret: api-cacert}", True),
        ("{secret: ca}", reads_all),
        ("{configMap: ca}", reads_all),
    ):
        if fits:
            bodies_of(MUTUAL % authority, target)
            continue
        with pytest.raises(CompileError) as caught:
            bodies_of(MUTUAL % authority, target)
        assert [item.code for item in caught.value.diagnostics if item.level.name == "ERROR"] == ["VSR343"]


def test_hostnames_of_a_port_without_tls_and_different_client_certificates_are_refused_on_envoy_gateway() -> None:
    """Policies by listener are invalid where listeners without TLS share a port."""
    plain = "{name: http, port: 80, hostnames: [a.example.com, b.example.com]}"
    secure = "{name: https, port: 443, tls: {secret: api}}"
    partners = MUTUAL.replace("https", "partners").replace("443", "8443") % "{secret: api-cacert}"
    with pytest.raises(CompileError) as caught:
        bodies_of(f"{plain}, {secure}, {partners}", "envoy-gateway")
    assert "VSR343" in {item.code for item in caught.value.diagnostics}
    bodies_of(f"{plain}, {secure}, {partners}", "istio")
    bodies_of(f"{plain}, {partners}", "envoy-gateway")


@pytest.mark.parametrize("target", ["istio", "envoy-gateway"])
def test_more_hostnames_than_a_route_can_attach_to_are_refused(target: str) -> None:
    """An AIGatewayRoute has 16 parentRefs."""
    names = ", ".join(f"h{number}.example.com" for number in range(16))
    bodies_of(f"{{name: http, port: 80, hostnames: [{names}]}}", target)
    with pytest.raises(CompileError) as caught:
        bodies_of(f"{{name: http, port: 80, hostnames: [{names}]}}, {{name: more, port: 81}}", target)
    assert "VSR344" in {item.code for item in caught.value.diagnostics}


def test_a_secret_in_another_namespace_is_granted() -> None:
    """To the Gateway's namespace, by name."""
    bodies = objects("listeners", "istio", "current")
    (grant,) = [body for body in bodies if body["metadata"]["name"] == "edge-shared-tls"]
    assert grant["metadata"]["namespace"] == "certificates"
    assert grant["spec"]["to"] == [{"group": "", "kind": "Secret", "name": "wildcard"}]
    assert [item["namespace"] for item in grant["spec"]["from"]] == ["ingress"]


def test_preflight_names_what_listeners_need() -> None:
    """Secrets, the issuer and the authorities."""
    notices = rendering.notices(policy_of("listeners", "current"), "istio")
    text = "\n".join(item.message for item in notices if item.code == "VSR315")
    for name in ("`letsencrypt`", "`wildcard`", "`partners`", "`partners-cacert`"):
        assert name in text


ATTEMPTS = "environments: {dev: {target: istio}}\n"


@pytest.mark.parametrize("target", ["istio", "envoy-gateway"])
def test_attempts_use_the_routes_of_a_listener_that_has_them(target: str) -> None:
    """Each listener with TLS has routes of its own, and they take its hostname only."""
    listeners = "{name: https, port: 443, hostnames: ['*.example.com'], tls: {secret: api}}"
    text = SMALL.replace("    model: little\n", "    model: little\n    fallback: [big]\n")
    gateway = f"gateway: {{listeners: [{listeners}]}}\nendpoints:\n"
    policy = linked(text.replace("endpoints:\n", gateway, 1))
    bodies = [item.body for item in rendering.objects(policy, target)]
    (patches,) = [body for body in bodies if body["kind"] in {"EnvoyFilter", "EnvoyPatchPolicy"}]
    table = {
        "istio": "https.443.default.inference-gateway~istio-autogenerated-k8s-gateway~https.default",
        "envoy-gateway": "default/inference-gateway/https",
    }[target]
    assert f"'route_config_name': '{table}'" in str(patches)
    assert "'host_rewrite_literal': 'vsr-attempts.example.com'" in str(patches)
