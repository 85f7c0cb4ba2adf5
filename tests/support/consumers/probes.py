"""The questions that tests ask of a gateway, and routers to ask them with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from support.consumers import agentgateway, envoy_gateway, istio
from support.consumers.envoy import Proxy, Reply, Request, Routed
from support.consumers.gateway_api import Objects

Body = dict[str, Any]
_TRANSLATIONS = {
    envoy_gateway.CONTROLLER: envoy_gateway.proxy,
    istio.CONTROLLER: istio.proxy,
    agentgateway.CONTROLLER: agentgateway.proxy,
}


def proxies(bodies: Iterable[Body]) -> dict[str, Proxy]:
    """Return the Envoy of every Gateway among the objects, by the Gateway's name.

    Raises:
        LookupError: a Gateway is that of a control plane without rules here.
    """
    objects = Objects(list(bodies))
    found = {}
    for body in objects.of("Gateway"):
        controller = objects.controller(body)
        if controller not in _TRANSLATIONS:
            raise LookupError(f"there are no rules for {controller}: add a module to support/consumers")
        found[body["metadata"]["name"]] = _TRANSLATIONS[controller](objects, body)
    return found


@dataclass(frozen=True, slots=True)
class PlainRouter:
    """A router that knows models by name.

    Attributes:
        models: by the name that clients know, the name that the server knows and the provider's key, if it has one.
    """

    models: Mapping[str, tuple[str, str | None]]

    def on_headers(self, request: Request) -> Reply | None:
        """Answer the list of models, a preflight and unknown paths."""
        if request.path == "/v1/models":
            return Reply(200)
        if request.method != "POST":
            return Reply(405)
        return None if request.path.split("?")[0] in {"/v1/chat/completions", "/v1/messages"} else Reply(404)

    def on_body(self, request: Request) -> Reply | Routed:
        """Route by the name in the body."""
        body = json.loads(request.body)
        if body["model"] not in self.models:
            return Reply(404)
        served, key = self.models[body["model"]]
        headers = {"x-selected-model": body["model"]} | ({} if key is None else {"authorization": f"Bearer {key}"})
        return Routed(headers, body=json.dumps(body | {"model": served}).encode())


@dataclass(frozen=True, slots=True)
class DecidedRouter:
    """A router that has decided already."""

    decision: Routed

    def on_headers(self, request: Request) -> Reply | None:
        """Wait for the body."""

    def on_body(self, request: Request) -> Reply | Routed:
        """Return the decision."""
        del request
        return self.decision


def chat(model: str, headers: Mapping[str, str] | None = None, **more: Any) -> Request:
    """Return a request for a model."""
    body = {"model": model, "messages": [{"role": "user", "content": "a question"}]}
    return Request(headers=dict(headers or {}), body=json.dumps(body).encode(), **more)


def requests(models: Iterable[str], headers: Mapping[str, str]) -> Iterator[Request]:
    """Yield one request of each kind: every model, one that nobody knows, the list of models, another path."""
    for model in (*models, "nobody-knows-this"):
        yield chat(model, headers)
    yield Request("/v1/models", dict(headers), "GET")
    yield Request("/another/path", dict(headers), "GET")
