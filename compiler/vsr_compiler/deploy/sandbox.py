"""Settings of the local sandbox: one Envoy with the routes, header names, filter and limits of the real gateway.

Ports are placeholders: the sandbox replaces them by free ones at startup. Certificates have the paths of files that it
makes at each start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.deploy import envoy_config, sandbox_identity, sandbox_listeners
from vsr_compiler.deploy.envoy_config import EXT_PROC_CLUSTER, cluster_name
from vsr_compiler.ir.providers import AUTHORIZATION, BEARER
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.providers import SCHEMAS
from vsr_schemas.sandbox import CERTIFICATES, CLIENT_AUTHORITY, PLACEHOLDER_KEY_SET

MODEL_NOT_ALLOWED = "model_not_allowed"
"""The router's error for a client that may not use a model."""
LOOPBACK = "127.0.0.1"
BACKEND_PORT = 9000


@dataclass(frozen=True, slots=True)
class _Sandbox:
    """The machine of the sandbox: all parts are on loopback."""

    policy: ir.Policy

    def admin(self) -> Body:
        """Any port."""
        return {"address": _address(0)}

    def connection(self) -> Body:
        """Clients of a sandbox say that they are the front end."""
        return sandbox_identity.connection(self.policy)

    def listener(self, port: int) -> Body:
        """The port on loopback."""
        return _address(port)

    def certificate(self, listener: ir.Listener) -> tuple[str, str]:
        """Files with the listener's name."""
        return f"{CERTIFICATES}/{listener.name}.crt", f"{CERTIFICATES}/{listener.name}.key"

    def client_authority(self, listener: ir.Listener) -> str:
        """One file for all listeners."""
        del listener
        return f"{CERTIFICATES}/{CLIENT_AUTHORITY}"

    def router(self) -> Body:
        """The router's port."""
        return _where(EXT_PROC_CLUSTER, self.policy.router.grpc.port)

    def endpoint(self, endpoint: ir.Endpoint, name: str) -> Body:
        """A port for each endpoint. Past 65535 they repeat; the sandbox replaces them, and Envoy accepts that."""
        index = self.policy.endpoints.index(endpoint)
        return {"name": name} | _where(name, BACKEND_PORT + index % 50_000)

    def key_set(self, jwt: ir.Jwt) -> Body:
        """A placeholder, which the sandbox replaces by the keys that it generates."""
        del jwt
        return {"local_jwks": {"inline_string": PLACEHOLDER_KEY_SET}}

    def further_clusters(self) -> Iterable[Body]:
        """None."""
        return ()


def bootstrap(policy: ir.Policy) -> Body:
    """Return Envoy's configuration."""
    return envoy_config.bootstrap(policy, _Sandbox(policy))


def settings(policy: ir.Policy) -> Body:
    """Return what the sandbox starts besides Envoy, and the requests of its demo: the policy's tests."""
    served: dict[str, list[str]] = {cluster_name(endpoint): [] for endpoint in policy.endpoints}
    for model in policy.models:
        for endpoint, _ in model.endpoints:
            served[cluster_name(endpoint)].append(model.served_name)
    if policy.router.fails_open:
        for endpoint, _ in policy.default.endpoints:
            served[cluster_name(endpoint)] += policy.router.auto_models
    return (
        {
            "apiVersion": "vsr.dev/v1alpha1",
            "kind": "Sandbox",
            "policy": policy.name,
            "router": "../router/config.yaml",
            "extProcCluster": EXT_PROC_CLUSTER,
            "backends": [
                {"cluster": name, "models": served[name]} | _external(endpoint)
                for name, endpoint in zip(served, policy.endpoints, strict=True)
            ],
            "demo": [
                _demo(policy, test.prompt, test.requests[0]) | _sender(policy, test)
                for test in policy.tests
                if test.prompt is not None and sandbox_identity.can_send(policy, test)
            ],
        }
        | _candidate(policy.router.candidate)
        | sandbox_identity.settings(policy)
        | sandbox_listeners.settings(policy)
    )


def _candidate(candidate: ir.Candidate | None) -> Body:
    """Return the candidate of all environments, if there is one."""
    if candidate is None:
        return {}
    share = {"share": candidate.share} if candidate.share else {}
    return {"candidate": f"../candidates/{candidate.name}/config.yaml", **share}


def _sender(policy: ir.Policy, test: ir.Test) -> Body:
    """Return who sends the request of a test, if clients are authenticated."""
    if policy.identity is None or not (test.attributes or test.roles):
        return {}
    return {"client": sandbox_identity.client(test.attributes, test.roles)}


def _external(endpoint: ir.Endpoint) -> Body:
    """Return what a simulated provider or server expects, with the key's file. The sandbox generates the key."""
    match endpoint.kind:
        case ir.Provider(path=path, api=api):
            headers = SCHEMAS[api.schema].headers if api.schema else {}
            wanted = {"query": api.query or None, "headers": sorted(headers) or None}
            body = {"path": path} | {name: value for name, value in wanted.items() if value} | _key(endpoint)
            return {"external": body}
        case ir.VllmServer() | ir.ExistingService() | ir.ExistingPods() | ir.ExistingPool() | ir.ForeignRoute():
            return {"key": _key(endpoint)} if endpoint.api_key is not None else {}
        case _ as unreachable:
            assert_never(unreachable)


def _key(endpoint: ir.Endpoint) -> Body:
    """Return the key's file, and how the key is sent unless it is sent as usual."""
    key = endpoint.api_key
    if key is None:
        return {}
    if key.query:
        return {"credential": endpoint.credential, "parameter": key.query}
    usual = (key.header, key.prefix) == (AUTHORIZATION, BEARER)
    return {"credential": endpoint.credential} | ({} if usual else {"header": key.header, "prefix": key.prefix})


def _demo(policy: ir.Policy, prompt: str, request: ir.TestRequest) -> Body:
    by_route = {route.name: route.models for route in policy.routes} | {DEFAULT_ROUTE: ((policy.default, 100),)}
    expect = request.expect
    models = by_route[expect.route] if expect and expect.route else ()
    sent = {"model": request.model, "prompt": prompt}
    if expect and any(isinstance(guard.action, ir.Block) for guard in expect.guards or ()):
        return {**sent, "status": 403}
    if expect and expect.error == MODEL_NOT_ALLOWED:
        return {**sent, "status": 403}
    # A split has several possible models, and a fixed response has none.
    model = (expect.model if expect else None) or (models[0][0] if len(models) == 1 else None)
    expected = {
        "category": expect.category if expect else None,
        "expect": model.served_name if model else None,
    }
    return sent | {key: value for key, value in expected.items() if value is not None}


def _where(name: str, port: int) -> Body:
    return {
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _address(port: int) -> Body:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
