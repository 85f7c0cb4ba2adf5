"""Every listener to which a route of the router attaches has the router's filter and removes its header."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity

HTTP = "{name: http, port: 80, protocol: HTTP}"
HTTPS = "{name: https, port: 443, protocol: HTTPS, hostname: llm.example.org, tls: {certificateRefs: [{name: cert}]}}"
FIXED = "path: /default_filter_chain/filters/0/typed_config/http_filters/0"
EVERY_CHAIN = """\
jsonPath: $..filters[?(@.name=='envoy.filters.network.http_connection_manager')]
      path: typed_config/http_filters/0"""
SECTION = "kind: HTTPRoute\nmetadata: {name: big, namespace: prod}\nspec:\n  parentRefs: [{"
REDIRECT = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: redirect, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge, sectionName: plain}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]
"""
ORDINARY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop, namespace: prod}
spec:
  gatewayClassName: CLASS
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: shop.example.org}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: shop}]
  rules:
  - matches:
    - path: {type: PathPrefix, value: /}
      headers: [{name: x-tenant, type: Exact, value: a}]
    backendRefs: [{group: "", kind: Service, name: big, port: 80, weight: 1}]
"""
CLUSTER = "  - type: type.googleapis.com/envoy.config.cluster"
HTTP3 = """\
  - type: type.googleapis.com/envoy.config.listener.v3.Listener
    name: prod/edge/http-quic
    operation:
      op: add
      jsonPath: $..filters[?(@.name=='envoy.filters.network.http_connection_manager')]
      path: typed_config/http_filters/0
      value:
        name: vsr.ext_proc
        typedConfig:
          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
          grpcService: {envoyGrpc: {clusterName: router}}
          messageTimeout: 5s
          processingMode: {requestBodyMode: BUFFERED}
"""
STRIP = """\
  - type: type.googleapis.com/envoy.config.listener.v3.Listener
    name: prod/edge/http
    operation:
      op: add
      jsonPath: $..filters[?(@.name=='envoy.filters.network.http_connection_manager')]
      path: typed_config/early_header_mutation_extensions
      value:
      - name: strip
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
          mutations: [{remove: x-selected-model}]
"""


def client(section: str = "", settings: str = "timeout: {http: {idleTimeout: 60s}}") -> str:
    """Another ClientTrafficPolicy, for the Gateway or one of its listeners."""
    where = f", sectionName: {section}" if section else ""
    return f"""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: of-the-user, namespace: prod}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge{where}}}]
  {settings}
"""


def envoy(*listeners: str, section: str = "", operation: str = FIXED) -> str:
    """A Gateway of Envoy Gateway with these listeners, a route for one of them, and the router's patch."""
    text = m.joined(*m.ENVOY).replace(f"[{HTTP}]", f"[{', '.join(listeners)}]").replace(FIXED, operation)
    return text.replace(SECTION, f"{SECTION}sectionName: {section}, ") if section else text


def codes(text: str) -> list[str]:
    """The codes about listeners: no filter, and a routing header that is not removed. Other headers are warnings."""
    found = [item for item in m.found(text) if (item.code, item.level) != ("VSR410", Severity.WARNING)]
    return [item.code for item in found if item.code in {"VSR410", "VSR624"}]


def messages(text: str, code: str = "VSR624") -> str:
    """The messages of a code with their hints."""
    return "\n".join(f"{item.message} {item.hint}" for item in m.found(text) if item.code == code)


def test_listener_that_became_https_is_reported() -> None:
    """A TLS listener has `filter_chains`; the patch is for `default_filter_chain`."""
    https = HTTPS.replace("name: https", "name: http")
    text = envoy(https, section="http")
    assert codes(text) == ["VSR624"]
    assert "this listener is in `filter_chains`, because it has TLS" in messages(text)
    assert codes(m.joined(text, client("http"))) == ["VSR410", "VSR624"]
    assert "ClientTrafficPolicy `prod/of-the-user` applies" in messages(m.joined(text, client("http")), "VSR410")
    assert codes(envoy(https, section="http", operation=EVERY_CHAIN)) == []


def test_listener_before_ours_on_its_port_is_reported() -> None:
    """The port's listener has the name of the first in Envoy, and the first's settings."""
    admin = "{name: admin, port: 80, protocol: HTTP, hostname: admin.example.org}"
    text = envoy(admin, HTTP, section="http")
    assert codes(text) == ["VSR624"]
    assert "Envoy Gateway names this listener `prod/edge/admin`" in messages(text)
    assert codes(m.joined(text, client("admin"))) == ["VSR410", "VSR624"]
    assert codes(text.replace("name: prod/edge/http", "name: prod/edge/admin")) == []
    assert codes(text.replace("name: prod/edge/http", "name: tcp-80")) == []


def test_listener_behind_ours_on_its_port_is_covered() -> None:
    """HTTP listeners of a port share a filter chain."""
    assert codes(envoy(HTTP, "{name: other, port: 80, protocol: HTTP, hostname: a.example.org}")) == []


def test_second_listener_that_a_route_attaches_to_is_reported() -> None:
    """A route without a section name attaches to every listener."""
    text = envoy(HTTP, HTTPS)
    assert codes(text) == ["VSR624"]
    assert "the listener `https` of Gateway `prod/edge`" in messages(text)
    assert codes(m.joined(text, client("https"))) == ["VSR410", "VSR624"]
    assert codes(m.joined(text, client("https", "headers: {earlyRequestHeaders: {remove: [X-Selected-Model]}}"))) == [
        "VSR624"
    ]


@pytest.mark.parametrize(
    "parent",
    [
        "sectionName: http, ",
        "port: 80, ",
    ],
)
def test_listener_that_no_route_of_the_router_attaches_to_needs_no_filter(parent: str) -> None:
    """By section name or port."""
    assert codes(envoy(HTTP, HTTPS).replace(SECTION, SECTION + parent)) == []


def test_listener_for_other_hostnames_needs_no_filter() -> None:
    """A route attaches only to listeners whose hostname meets one of its own."""
    other = "{name: other, port: 81, protocol: HTTP, hostname: '*.example.com'}"
    hosts = "spec:\n  hostnames: [%s]\n  parentRefs: [{"
    text = envoy(HTTP, other)
    assert codes(text) == ["VSR624"]
    assert codes(text.replace("spec:\n  parentRefs: [{", hosts % "llm.example.org")) == []
    assert codes(text.replace("spec:\n  parentRefs: [{", hosts % "llm.example.com")) == ["VSR624"]
    assert codes(text.replace("spec:\n  parentRefs: [{", hosts % "'*.llm.example.com'")) == ["VSR624"]


def test_listener_that_accepts_no_route_of_the_namespace_needs_no_filter() -> None:
    """Nor one for other kinds of routes, or for other protocols."""
    closed = "allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: x}}}}"
    for listener in (
        f"{{name: other, port: 81, protocol: HTTP, {closed}}}",
        "{name: other, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}",
        "{name: other, port: 81, protocol: TCP}",
    ):
        assert codes(envoy(HTTP, listener)) == []


def test_redirect_from_http_to_https_needs_no_filter() -> None:
    """Its route does not match a header of the router."""
    plain = "{name: plain, port: 80, protocol: HTTP}"
    https = HTTPS.replace("name: https", "name: http")
    assert codes(m.joined(envoy(plain, https, section="http", operation=EVERY_CHAIN), REDIRECT)) == []


def test_each_https_listener_of_a_port_has_a_filter_chain() -> None:
    """A patch of one index reaches one of them."""
    second = HTTPS.replace("name: https", "name: other").replace("llm.example.org", "api.example.org")
    text = envoy(HTTPS, second, operation=FIXED.replace("default_filter_chain", "filter_chains/0"))
    text = text.replace("prod/edge/http", "prod/edge/https")
    assert "the listener `other`" in messages(text)
    assert codes(text) == ["VSR624"]
    assert codes(text.replace("filter_chains/0", "filter_chains/1")) == ["VSR624"]
    assert codes(text.replace(FIXED.replace("default_filter_chain", "filter_chains/0"), EVERY_CHAIN)) == []


def test_http3_is_a_listener_of_its_own() -> None:
    """A patch of the TCP listener does not change it."""
    https = HTTPS.replace("name: https", "name: http")
    text = envoy(https, operation=EVERY_CHAIN)
    assert codes(text) == []
    offered = text.replace("connection: {", "http3: {}\n  connection: {")
    assert codes(offered) == ["VSR624"]
    assert "`prod/edge/http-quic`" in messages(offered)
    assert (
        codes(
            offered.replace(
                "  - type: type.googleapis.com/envoy.config.cluster",
                HTTP3 + "  - type: type.googleapis.com/envoy.config.cluster",
            )
        )
        == []
    )
    assert codes(m.joined(*m.ENVOY).replace("connection: {", "http3: {}\n  connection: {")) == []


def test_second_policy_for_the_gateway_may_displace_the_first() -> None:
    """The older applies, and manifests do not say which it is."""
    text = m.joined(*m.ENVOY)
    assert codes(m.joined(text, client())) == ["VSR410"]
    assert codes(m.joined(text, client(settings="headers: {earlyRequestHeaders: {remove: [x-selected-model]}}"))) == []
    assert codes(m.joined(text, client().replace("name: edge", "name: other"))) == []
    assert codes(m.joined(text, client("other"))) == []


def test_removal_in_the_patch_does_not_depend_on_other_policies() -> None:
    """A ClientTrafficPolicy of the user cannot take it away."""
    text = m.joined(*m.ENVOY).replace(
        "  - type: type.googleapis.com/envoy.config.cluster",
        STRIP + "  - type: type.googleapis.com/envoy.config.cluster",
    )
    assert codes(m.joined(text, client("http"))) == []
    assert codes(m.joined(text, client("http")).replace("remove: x-selected-model", "remove: x-other")) == ["VSR410"]


def test_route_that_also_attaches_to_a_gateway_without_the_filter_is_reported_on_istio() -> None:
    """The client's header chooses the model there."""
    second = m.GATEWAY.replace("name: edge", "name: second")
    both = "kind: Gateway, name: edge}, {group: gateway.networking.k8s.io, kind: Gateway, name: second}]\n  rules"
    text = m.joined(*m.ISTIO, second).replace("kind: Gateway, name: edge}]\n  rules", both)
    assert codes(text) == ["VSR410", "VSR624"]
    assert "Gateway `prod/second` to the targetRefs of EnvoyFilter `prod/router`" in messages(text)
    targets = "{group: gateway.networking.k8s.io, kind: Gateway, name: %s}"
    assert (
        codes(
            text.replace(f"targetRefs: [{targets % 'edge'}]", f"targetRefs: [{targets % 'edge'}, {targets % 'second'}]")
        )
        == []
    )


def test_envoy_filter_by_labels_of_the_gateway_or_for_its_namespace_is_found() -> None:
    """The label that Istio puts on a Gateway's pods; without a selector, every Gateway of the namespace."""
    refs = "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]\n  config"
    label = "workloadSelector: {labels: {gateway.networking.k8s.io/gateway-name: %s}}\n  config"
    text = m.joined(*m.ISTIO)
    assert codes(text.replace(refs, label % "edge")) == []
    assert codes(text.replace(refs, label % "other")) == ["VSR410", "VSR624"]
    assert codes(text.replace(refs, "config")) == []
    assert codes(text.replace(refs, "workloadSelector: {labels: {istio: ingressgateway}}\n  config")) == []


def test_patch_of_an_envoy_filter_for_one_port_covers_that_port() -> None:
    """A match by port number excludes other listeners."""
    text = m.joined(*m.ISTIO).replace(f"[{HTTP}]", f"[{HTTP}, {{name: other, port: 81, protocol: HTTP}}]")
    assert codes(text) == []
    narrow = text.replace("match: {context: GATEWAY}", "match: {context: GATEWAY, listener: {portNumber: 80}}")
    assert codes(narrow) == ["VSR410", "VSR624"]
    assert codes(text.replace("match: {context: GATEWAY}", "match: {context: SIDECAR_INBOUND}")) != []


@pytest.mark.parametrize("parts", [m.ISTIO, m.ENVOY])
def test_gateway_of_another_team_needs_no_filter(parts: list[str]) -> None:
    """Its routes match no header of the router."""
    name = "istio" if parts is m.ISTIO else "eg"
    assert codes(m.joined(*parts, ORDINARY.replace("CLASS", name))) == []


def test_manifests_without_a_router_have_no_finding() -> None:
    """A route by a header of its own, with and without an external processor."""
    ordinary = m.joined(ORDINARY.replace("CLASS", "istio"), m.SERVICE, m.SERVER)
    assert codes(ordinary) == []
    assert codes(m.joined(ordinary, m.FILTER.replace("name: edge}", "name: shop}"), m.ROUTER_SERVICE)) == []


def test_no_filter_among_the_objects_is_a_warning() -> None:
    """It may be applied elsewhere."""
    found = [item for item in m.found(m.joined(m.GATEWAY, m.ROUTE, m.SERVICE, m.SERVER)) if item.code == "VSR624"]
    assert [item.level.word for item in found] == ["warning"]


def test_ai_gateway_route_by_its_own_header_needs_the_filter_only_behind_a_router() -> None:
    """Without a router on its Gateway, AI Gateway chooses the model from the body by itself."""
    assert codes(m.joined(*m.AI)) == []
    more = m.joined(*m.AI).replace(f"[{HTTP}]", f"[{HTTP}, {{name: other, port: 81, protocol: HTTP}}]")
    assert codes(more) == ["VSR624"]
    alone = m.joined(*(part for part in m.AI if part not in {m.PATCH, m.CLIENT}))
    assert codes(alone) == []


def test_route_that_requires_a_header_of_the_proxy_is_closed_without_the_filter() -> None:
    """Envoy removes `x-envoy-ip-tags` from every client; a listener without the filter is reported all the same."""
    selected = "{name: x-selected-model, type: Exact, value: big}"
    closed = m.joined(*m.ENVOY).replace(selected, f"{selected}, {{name: x-envoy-ip-tags, type: Exact, value: vsr}}")
    assert codes(m.joined(closed, client("http"))) == []
    second = closed.replace(f"[{HTTP}]", f"[{HTTP}, {HTTPS}]")
    assert codes(m.joined(second, client("https"))) == ["VSR624"]
    assert codes(m.joined(closed, client("http")).replace("x-envoy-ip-tags", "x-other")) == ["VSR410"]


def test_filters_of_two_listeners_may_have_one_name() -> None:
    """Within a listener it would be ambiguous."""
    text = m.joined(*m.ENVOY).replace(CLUSTER, HTTP3 + CLUSTER)
    assert "two ext_proc filters" not in messages(text, "VSR409")
    assert "two ext_proc filters" in messages(text.replace("http-quic", "http"), "VSR409")


def test_patch_of_a_listener_that_envoy_does_not_have_is_reported() -> None:
    """HTTP/3 needs TLS, and a port's listener has the name of its first."""
    https = HTTPS.replace("name: https", "name: http")
    assert "does not have" not in messages(envoy(https).replace(CLUSTER, HTTP3 + CLUSTER), "VSR419")
    assert "does not have" in messages(envoy(HTTP).replace(CLUSTER, HTTP3 + CLUSTER), "VSR419")
    admin = "{name: admin, port: 80, protocol: HTTP, hostname: admin.example.org}"
    assert "`prod/edge/http`, which" in messages(envoy(admin, HTTP), "VSR419")
