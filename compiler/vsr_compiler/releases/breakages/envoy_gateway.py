"""What releases of Envoy Gateway break. Source, unless a row says more: `release-notes/v1.9.0.yaml` at v1.9.0."""

from __future__ import annotations

from vsr_compiler.releases.breakages.model import Behaviour, Breakage, Condition, Fields, Patches, Together, Unseen

_GATEWAY, _GROUP = "envoy-gateway", "gateway.envoyproxy.io"
_NOTES = "envoyproxy/gateway, release-notes/v1.9.0.yaml"
_PARENTS = frozenset({"Gateway", "ListenerSet"})
_CLUSTER, _LISTENER, _ROUTES = frozenset({"Cluster"}), frozenset({"Listener"}), frozenset({"RouteConfiguration"})

_PATCHES = (
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="a patch of {found} has no effect: clusters with DNS names have these settings in `cluster_type`",
        remedy="Patch `/cluster_type/typed_config/…` of the type envoy.extensions.clusters.dns.v3.DnsCluster.",
        source=f"{_NOTES}; internal/xds/translator/testdata/out/xds-ir/http-route-dns-cluster.clusters.yaml",
        sign=Patches(
            _CLUSTER,
            example="/dns_lookup_family",
            place=r"^(?!.*cluster_type).*\b(dns_lookup_family|dns_refresh_rate|respect_dns_ttl)\b",
        ),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="a patch of {found} contradicts `cluster_type`, which clusters with DNS names have in its place",
        remedy="Remove the patch, or patch `/cluster_type`.",
        source=_NOTES,
        sign=Patches(
            _CLUSTER, example="/type", place=r"^/type$|^\$?\.?type$", values=frozenset({"STRICT_DNS", "LOGICAL_DNS"})
        ),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} does not exist: the system's certificates are in one secret, `system_ca_certificates`",
        remedy="Name own certificates by `caCertificateRefs`; `system_ca_certificates` must not be patched.",
        source=f"{_NOTES}; 1.8.3, internal/gatewayapi/backendtlspolicy.go (`NAME/NAMESPACE-ca`)",
        sign=Patches(frozenset({"Secret"}), example="NAME/NAMESPACE-ca", name=r"[^/]+/[^/]+-ca"),
        severity="warning",
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="a patch of {found} misses the system's certificates, which are in the secret `system_ca_certificates`",
        remedy="Name own certificates by `caCertificateRefs` of the BackendTLSPolicy or Backend.",
        source=_NOTES,
        sign=Patches(
            _CLUSTER, example="validation_context_sds_secret_config", place=r"validation_context_sds_secret_config"
        ),
        severity="warning",
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="a patch of {found} finds nothing: limits that routes share are in `typed_per_filter_config`",
        remedy="Patch the rate limits in `typed_per_filter_config`, or set them by a BackendTrafficPolicy.",
        source=f"{_NOTES}; internal/xds/translator/ratelimit.go, patchRouteWithRateLimit",
        sign=Patches(
            _ROUTES,
            example="/virtual_hosts/…/route/rate_limits",
            place=r"\broute[/.]rate_limits(/|\[)",
            existing=r"\broute[/.]rate_limits$",
        ),
        severity="warning",
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="a patch of {found} finds nothing: providers and requirements of JWTs are named by their content",
        remedy="Select the provider by JSONPath, for example by its issuer, and not by its name.",
        source=f"{_NOTES}; internal/xds/translator/testdata/out/xds-ir/jwt-single-route-single-match.listeners.yaml",
        sign=Patches(
            _LISTENER,
            example="/…/providers/NAME",
            place=r"\b(providers|requirement_map)(/[^/]+/|/[^/]*~1|\.[\w-]+|\[['\"])",
            existing=r"\b(providers|requirement_map)/[^/]+$",
        ),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} does not exist: the code of Lua filters is at the listener, and their names have changed",
        remedy="Set Lua by an EnvoyExtensionPolicy, and do not patch its filter.",
        source=_NOTES,
        sign=Patches(
            _ROUTES | _LISTENER, example="envoy.filters.http.lua/0", place=r"envoy\.filters\.http\.lua(~1|/)\d"
        ),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.10.0",
        what="{found} does not exist: listeners and their routes are named by port, such as `tcp-80`",
        remedy="Use the names by port, with XDSNameSchemeV2 enabled before the upgrade, or disable it.",
        source="envoyproxy/gateway, release notes of 1.5.0: XDSNameSchemeV2 will be enabled in 1.10",
        sign=Together(Behaviour.LISTENERS_BY_PORT),
        confirmed=False,
    ),
)
_FIELDS = (
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="the API server rejects {found} without a setting",
        remedy="Set exactly one of `xForwardedFor`, `customHeader` and `directSourceIP`, or remove the field.",
        source=_NOTES,
        sign=Fields(_GROUP, ("ClientTrafficPolicy",), "spec.clientIPDetection", Condition.EMPTY),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="the API server rejects {found} in a policy on a Gateway or ListenerSet",
        remedy="Remove `mergeType`: it is for policies on routes.",
        source=_NOTES,
        sign=Fields(_GROUP, ("BackendTrafficPolicy", "SecurityPolicy"), "spec.mergeType", on_kinds=_PARENTS),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="the API server rejects {found} without an entry",
        remedy="Name a header, a parameter or a cookie.",
        source=_NOTES,
        sign=Fields(_GROUP, ("SecurityPolicy",), "spec.apiKeyAuth.extractFrom", Condition.EMPTY),
    ),
)
_BEHAVIOURS = (
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} is in its chart, and Helm does not take over one that other definitions have brought",
        remedy="Set `crds.gatewayAPI.safeUpgradePolicy.enabled: false`, or add Helm's metadata to the policy.",
        source=_NOTES,
        sign=Unseen("the admission policy `safe-upgrades.gateway.networking.k8s.io`"),
        severity="warning",
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} has no effect: Lua is disabled by default",
        remedy="Set `extensionApis.enableLua: true` in the configuration of Envoy Gateway.",
        source=_NOTES,
        sign=Together(Behaviour.LUA_IS_OFF),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="requests whose clients ask for a trace are not traced by {found}: the default is 0 % of them, not 100 %",
        remedy="Set `clientSamplingFraction`.",
        source=_NOTES,
        sign=Together(Behaviour.TRACING_BY_CLIENTS),
        severity="note",
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} is rejected, and the route has no backend",
        remedy="Use a Backend with an endpoint of the type `fqdn`.",
        source=_NOTES,
        sign=Together(Behaviour.EXTERNAL_NAME_BACKEND),
    ),
    Breakage(
        component=_GATEWAY,
        since="1.9.0",
        what="{found} is skipped silently unless the Gateway API is 1.6 or later",
        remedy="Install the definitions of the Gateway API 1.6 first.",
        source=_NOTES,
        sign=Together(Behaviour.UNSERVED_ROUTES),
    ),
)

BREAKAGES = (*_PATCHES, *_FIELDS, *_BEHAVIOURS)
