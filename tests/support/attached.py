"""A Gateway of others with its routes, beside which the objects of the target attach are: what a platform has already.

The routes match the header for each model of a policy, and lead to Services that are named after its endpoints. They
are made of the policy as it is written, not of what the compiler makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vsr_compiler.ir.names import object_name

Body = dict[str, Any]
HOME = "theirs"
"""The namespace of the routes and Services."""
HEADER = "x-gateway-model-name"
ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
Value = Callable[[str, Body], str]
"""Returns the value of the header for a model that is called so on its server, and is defined so in the policy."""


def served_name(name: str, model: Body) -> str:
    """What body-based routing takes: the name in the body."""
    del model
    return name


def gateway(data: Body, controller: str = "istio") -> list[Body]:
    """Return the Gateway, with the listeners that a policy names, and its class."""
    own = data.get("gateway", {})
    written = own.get("listeners") or [{"name": "http", "port": 80}]
    listeners = []
    for listener in written:
        for number, hostname in enumerate(listener.get("hostnames") or [None]):
            name = listener["name"] if not number else f"{listener['name']}-{number + 1}"
            body: Body = {"name": name, "port": listener["port"], "protocol": "HTTP"}
            body["allowedRoutes"] = {"namespaces": {"from": "All"}}
            if listener.get("tls"):
                secret = {"group": "", "kind": "Secret", "name": "theirs", "namespace": own.get("namespace", "default")}
                body |= {"protocol": "HTTPS", "tls": {"mode": "Terminate", "certificateRefs": [secret]}}
            listeners.append(body | ({} if hostname is None else {"hostname": hostname}))
    metadata = {"name": own.get("name", "inference-gateway"), "namespace": own.get("namespace", "default")}
    class_name = "theirs" if controller == "envoy-gateway" else controller
    result: list[Body] = [
        {"kind": "Gateway", "metadata": metadata, "spec": {"gatewayClassName": class_name, "listeners": listeners}}
    ]
    if controller == "envoy-gateway":
        spec = {"controllerName": ENVOY_GATEWAY}
        result.append({"kind": "GatewayClass", "metadata": {"name": class_name}, "spec": spec})
    return result


def routes(data: Body, header: str = HEADER, value: Value = served_name) -> Iterator[Body]:
    """Yield a route for each value of the header."""
    own = data.get("gateway", {})
    redirecting = {listener["name"] for listener in own.get("listeners") or () if listener.get("redirect")}
    parent = {"name": own.get("name", "inference-gateway"), "namespace": own.get("namespace", "default")}
    parents = [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", **parent, "sectionName": listener["name"]}
        for listener in gateway(data)[0]["spec"]["listeners"]
        if listener["name"] not in redirecting
    ]
    seen: set[str] = set()
    for name, model in known(data):
        wanted = value(name, model)
        if wanted in seen:
            continue
        seen.add(wanted)
        yield {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": object_name(wanted), "namespace": HOME},
            "spec": {
                "parentRefs": parents,
                "rules": [
                    {
                        "matches": [
                            {
                                "path": {"type": "PathPrefix", "value": "/"},
                                "headers": [{"type": "Exact", "name": header, "value": wanted}],
                            }
                        ],
                        "backendRefs": [
                            {"group": "", "kind": "Service", "name": service, "port": 80, "weight": weight}
                            for service, weight in weights(model).items()
                        ],
                    }
                ],
            },
        }


def known(data: Body) -> Iterator[tuple[str, Body]]:
    """Yield the name of each model on its server, adapters among them, with the model as the policy defines it."""
    for name, model in data["models"].items():
        route = next((data["endpoints"][end].get("route") for end in weights(model, raw=True)), None)
        yield model.get("providerModel", route or name), model
        for adapter in model.get("loras", {}):
            yield adapter, model


def weights(model: Body, *, raw: bool = False) -> dict[str, int]:
    """Return the Services behind a model, named after its endpoints, with their weights."""
    ends = model["endpoints"]
    written = {ends: 1} if isinstance(ends, str) else ends if isinstance(ends, dict) else dict.fromkeys(ends, 1)
    return {name if raw else object_name(name): weight for name, weight in written.items()}
