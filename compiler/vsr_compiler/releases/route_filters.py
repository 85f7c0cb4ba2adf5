"""Settings of Envoy Gateway's policies, the HTTP filter that carries each out, and which route decides about it.

Source: Envoy Gateway 1.8.3, `internal/xds/translator/*.go`: filters with `Disabled: true` are enabled by routes. Envoy
1.38.3, `source/common/http/filter_chain_helper.cc`, decides that once, by the route that matches on a request's
arrival. The other filters read the settings of the route that matches when they run.
"""

from __future__ import annotations

from typing import NamedTuple

from vsr_compiler.releases.filter_order import HTTP


class RouteFilter(NamedTuple):
    """A setting of a policy.

    Attributes:
        kind: The kind of the policy.
        setting: The key in its spec.
        filter: The HTTP filter that carries it out.
        enabled_by_route: Whether the route that matches on arrival enables the filter.
    """

    kind: str
    setting: str
    filter: str
    enabled_by_route: bool


ROUTE_FILTERS = (
    RouteFilter("SecurityPolicy", "extAuth", f"{HTTP}ext_authz", enabled_by_route=True),
    RouteFilter("SecurityPolicy", "apiKeyAuth", f"{HTTP}api_key_auth", enabled_by_route=True),
    RouteFilter("SecurityPolicy", "basicAuth", f"{HTTP}basic_auth", enabled_by_route=True),
    RouteFilter("SecurityPolicy", "oidc", f"{HTTP}oauth2", enabled_by_route=True),
    RouteFilter("SecurityPolicy", "jwt", f"{HTTP}jwt_authn", enabled_by_route=False),
    RouteFilter("SecurityPolicy", "authorization", f"{HTTP}rbac", enabled_by_route=False),
    RouteFilter("EnvoyExtensionPolicy", "lua", f"{HTTP}lua", enabled_by_route=True),
    RouteFilter("EnvoyExtensionPolicy", "extProc", f"{HTTP}ext_proc", enabled_by_route=True),
    RouteFilter("EnvoyExtensionPolicy", "wasm", f"{HTTP}wasm", enabled_by_route=True),
    RouteFilter("EnvoyExtensionPolicy", "dynamicModule", f"{HTTP}dynamic_modules", enabled_by_route=True),
    RouteFilter("BackendTrafficPolicy", "rateLimit", f"{HTTP}local_ratelimit", enabled_by_route=False),
)
"""Settings that protect models. Further filters that routes enable do not: buffer, compressor, credential_injector,
stateful_session, custom_response and bandwidth_limit."""
