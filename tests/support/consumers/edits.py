"""What users do to our objects, and faults that we once had. Each takes objects and returns changed copies."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from support.consumers import facts
from support.consumers.gateway_api import Objects

Body = dict[str, Any]
Edit = Callable[[list[Body]], list[Body]]
_TLS = {"certificateRefs": [{"name": "cert"}]}
_ALL = {"namespaces": {"from": "All"}}


def _gateway(bodies: list[Body]) -> Body:
    return next(Objects(bodies).of("Gateway"))


def client_policy(gateway: Body, section: str | None, **spec: object) -> Body:
    """Return a user's ClientTrafficPolicy of one listener, or of the Gateway."""
    ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway["metadata"]["name"]}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "ClientTrafficPolicy",
        "metadata": {"name": "of-the-user", "namespace": gateway["metadata"].get("namespace", "")},
        "spec": {"targetRefs": [ref | ({} if section is None else {"sectionName": section})], **spec},
    }


def https_in_place(bodies: list[Body]) -> list[Body]:
    """The listener keeps its name and becomes HTTPS; a user's ClientTrafficPolicy takes its section."""
    changed = copy.deepcopy(bodies)
    listener = _gateway(changed)["spec"]["listeners"][0]
    listener |= {"port": 443, "protocol": "HTTPS", "hostname": "llm.example.org", "tls": _TLS}
    return [*changed, client_policy(_gateway(changed), listener["name"])]


def http3(bodies: list[Body]) -> list[Body]:
    """The listener becomes HTTPS and offers HTTP/3."""
    changed = https_in_place(bodies)
    changed[-1]["spec"]["http3"] = {}
    return changed


def listener_before(bodies: list[Body]) -> list[Body]:
    """Another listener of the port stands before ours, with a ClientTrafficPolicy of its own."""
    changed = copy.deepcopy(bodies)
    listeners = _gateway(changed)["spec"]["listeners"]
    listeners.insert(0, {**listeners[0], "name": "admin", "hostname": "admin.example.org"})
    return [*changed, client_policy(_gateway(changed), "admin")]


def second_listener(bodies: list[Body]) -> list[Body]:
    """A second listener has a ClientTrafficPolicy of its own, and our routes attach to it as well."""
    changed = copy.deepcopy(bodies)
    listeners = _gateway(changed)["spec"]["listeners"]
    listeners.append(
        {**listeners[0], "name": "https", "port": 443, "protocol": "HTTPS", "hostname": "llm.example.org", "tls": _TLS}
    )
    for route in _routes(changed):
        for parent in route["spec"]["parentRefs"]:
            parent.pop("sectionName", None)
    return [*changed, client_policy(_gateway(changed), "https")]


def second_gateway(bodies: list[Body]) -> list[Body]:
    """Our routes attach to a second Gateway as well."""
    changed = copy.deepcopy(bodies)
    ours = _gateway(changed)
    second = copy.deepcopy(ours)
    second["metadata"]["name"] = "second"
    second["spec"]["listeners"][0]["allowedRoutes"] = _ALL
    home = ours["metadata"].get("namespace", "")
    for route in _routes(changed):
        route["spec"]["parentRefs"].append({"name": "second", "namespace": home})
    return [*changed, second]


def own_client_policy(bodies: list[Body]) -> list[Body]:
    """A user's older ClientTrafficPolicy on the Gateway displaces ours."""
    changed = copy.deepcopy(bodies)
    return [client_policy(_gateway(changed), None), *changed]


def own_traffic_policy(bodies: list[Body]) -> list[Body]:
    """A user's older BackendTrafficPolicy on the Gateway displaces ours, and takes the request buffer away."""
    changed = copy.deepcopy(bodies)
    policy = client_policy(_gateway(changed), None, retry={"numRetries": 1})
    return [policy | {"kind": "BackendTrafficPolicy"}, *changed]


def unchanged(bodies: list[Body]) -> list[Body]:
    """Nothing."""
    return bodies


def _routes(bodies: list[Body]) -> Iterator[Body]:
    return (body for body in bodies if body["kind"] in {"HTTPRoute", "AIGatewayRoute"})


USER_EDITS: dict[str, Edit] = {
    "nothing": unchanged,
    "HTTPS in place of HTTP": https_in_place,
    "HTTP/3": http3,
    "a listener before ours": listener_before,
    "a second listener": second_listener,
    "a second Gateway": second_gateway,
    "a ClientTrafficPolicy of the user's": own_client_policy,
    "a BackendTrafficPolicy of the user's": own_traffic_policy,
}


def filter_first(bodies: list[Body]) -> list[Body]:
    """The router's filters stand before all others."""
    changed = copy.deepcopy(bodies)
    for patch in _listener_patches(changed):
        patch["operation"].pop("jsonPath", None)
        patch["operation"]["path"] = "/default_filter_chain/filters/0/typed_config/http_filters/0"
    for patch in _http_filter_patches(changed):
        patch["patch"]["operation"] = "INSERT_FIRST"
        patch["match"]["listener"]["filterChain"]["filter"].pop("subFilter", None)
    for body in changed:
        # The last one that is inserted first stands first.
        if body["kind"] in {"EnvoyFilter", "EnvoyPatchPolicy"}:
            body["spec"]["configPatches" if body["kind"] == "EnvoyFilter" else "jsonPatches"].reverse()
    return changed


def filter_last(bodies: list[Body]) -> list[Body]:
    """The router's filters stand before Envoy's router filter, behind rate limits and pickers."""
    changed = copy.deepcopy(bodies)
    name = f"{facts.HTTP}.router"
    for patch in _listener_patches(changed):
        patch["operation"].pop("path", None)
        patch["operation"]["jsonPath"] = f"$..http_filters[?(@.name=='{name}')]"
    for patch in _http_filter_patches(changed):
        patch["patch"]["operation"] = "INSERT_BEFORE"
        patch["match"]["listener"]["filterChain"]["filter"]["subFilter"] = {"name": name}
    return changed


def filter_of_http_only(bodies: list[Body]) -> list[Body]:
    """The patch names the filter chain of HTTP listeners."""
    changed = copy.deepcopy(bodies)
    anchor = f"{facts.HTTP}.buffer"
    for patch in _listener_patches(changed):
        filters = "$.default_filter_chain.filters[0].typed_config.http_filters"
        patch["operation"]["jsonPath"] = f"{filters}[?(@.name=='{anchor}')]"
    return changed


def no_catch_all(bodies: list[Body]) -> list[Body]:
    """No route matches before the decision."""
    return [
        body
        for body in bodies
        if body["kind"] != "HTTPRoute"
        or any(match.get("headers") for rule in body["spec"]["rules"] for match in rule.get("matches", [{}]))
    ]


def no_request_buffer(bodies: list[Body]) -> list[Body]:
    """The filter before which ours is inserted does not exist."""
    return [body for body in bodies if "requestBuffer" not in body.get("spec", {})]


def authenticated_on_routes_only(bodies: list[Body]) -> list[Body]:
    """Policies of authentication target the models' routes in place of the Gateway."""
    changed = copy.deepcopy(bodies)
    names = [body["metadata"]["name"] for body in no_catch_all(changed) if body["kind"] == "HTTPRoute"]
    for body in changed:
        if body["kind"] == "SecurityPolicy":
            body["spec"]["targetRefs"] = [_route_reference(name) for name in names]
    return changed


def authenticated_on_one_generated_route(bodies: list[Body]) -> list[Body]:
    """The policy targets the route that AI Gateway makes in the last namespace; another one's 404 rule comes first."""
    changed = copy.deepcopy(bodies)
    last = max(Objects(changed).of("AIGatewayRoute"), key=lambda body: str(body["metadata"]["namespace"]))["metadata"]
    for body in changed:
        if body["kind"] == "SecurityPolicy":
            body["metadata"]["namespace"] = last["namespace"]
            body["spec"]["targetRefs"] = [_route_reference(last["name"])]
    return changed


def _route_reference(name: str) -> Body:
    return {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name}


def _catch_alls(bodies: list[Body]) -> list[Body]:
    kept = no_catch_all(bodies)
    return [body for body in bodies if body not in kept]


def catch_all_with_its_own_policy(bodies: list[Body]) -> list[Body]:
    """A SecurityPolicy of the catch-all route replaces that of the Gateway there."""
    added = [
        {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "SecurityPolicy",
            "metadata": {"name": "of-the-catch-all", "namespace": body["metadata"].get("namespace", "")},
            "spec": {
                "targetRefs": [_route_reference(body["metadata"]["name"])],
                "cors": {"allowOrigins": ["https://a.example.com"]},
            },
        }
        for body in _catch_alls(bodies)
    ]
    return [*bodies, *added]


def without_header_removal(*names: str) -> Edit:
    """Return an edit that lets clients send these headers."""

    def edit(bodies: list[Body]) -> list[Body]:
        changed = copy.deepcopy(bodies)
        for body in changed:
            if body["kind"] == "ClientTrafficPolicy":
                early = body["spec"].get("headers", {}).get("earlyRequestHeaders", {})
                early["remove"] = [name for name in early.get("remove", []) if name not in names]
                early["removeOnMatch"] = []
            for mutations in _mutations(body["spec"]) if body["kind"] in {"EnvoyFilter", "EnvoyPatchPolicy"} else ():
                mutations[:] = [
                    item for item in mutations if "append" in item or item.get("remove") not in {None, *names}
                ]
        return changed

    return edit


def _mutations(value: object) -> Iterator[list[Body]]:
    """Yield every list of header mutations in a fragment of Envoy's configuration."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"mutations", "request_mutations"} and isinstance(item, list):
                yield item
            else:
                yield from _mutations(item)
    elif isinstance(value, list):
        for item in value:
            yield from _mutations(item)


def forgeable_routes(bodies: list[Body]) -> list[Body]:
    """Routes to models match the router's header and nothing that a client cannot send."""
    changed = copy.deepcopy(bodies)
    for route in _routes(changed):
        for rule in route["spec"]["rules"]:
            for match in rule.get("matches", []):
                if "headers" in match:
                    match["headers"] = [item for item in match["headers"] if item["name"].lower() not in facts.INTERNAL]
    return changed


def without_pickers(bodies: list[Body]) -> list[Body]:
    """The pods of the endpoint pickers are not there."""
    images = tuple(row.image for row in facts.PICKERS)
    return [
        body
        for body in bodies
        if body["kind"] != "Deployment"
        or not body["spec"]["template"]["spec"]["containers"][0]["image"].startswith(images)
    ]


def pickers_without_flag(bodies: list[Body]) -> list[Body]:
    """No picker is told how long a message may be."""
    changed = copy.deepcopy(bodies)
    flags = tuple(f"{row.flag}=" for row in facts.PICKERS if row.flag)
    for body in changed:
        for container in body["spec"]["template"]["spec"]["containers"] if body["kind"] == "Deployment" else ():
            container["args"] = [item for item in container.get("args", []) if not item.startswith(flags)]
    return changed


def wide_gateway(bodies: list[Body]) -> list[Body]:
    """Istio's listeners buffer 8 MiB."""
    changed = copy.deepcopy(bodies)
    for body in changed:
        for patch in body["spec"]["configPatches"] if body["kind"] == "EnvoyFilter" else ():
            if patch["applyTo"] == "LISTENER":
                patch["patch"]["value"]["per_connection_buffer_limit_bytes"] = 8 * facts.MIB
    return changed


def together(*edits: Edit) -> Edit:
    """Return an edit that makes several, in their order."""

    def edit(bodies: list[Body]) -> list[Body]:
        for each in edits:
            bodies = each(bodies)
        return bodies

    return edit


def _listener_patches(bodies: list[Body]) -> Iterator[Body]:
    for body in bodies:
        for patch in body["spec"]["jsonPatches"] if body["kind"] == "EnvoyPatchPolicy" else ():
            if patch["type"].endswith(".Listener"):
                yield patch


def _http_filter_patches(bodies: list[Body]) -> Iterator[Body]:
    for body in bodies:
        for patch in body["spec"]["configPatches"] if body["kind"] == "EnvoyFilter" else ():
            if patch["applyTo"] == "HTTP_FILTER":
                yield patch
