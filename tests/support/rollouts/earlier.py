"""Orders and forms of earlier compilers, as edits of today's objects: each loses requests, as real clusters showed."""

from __future__ import annotations

import copy
from typing import Any

from support.argo_cd import WAVE, annotation

Bodies = list[dict[str, Any]]
_CONFIG = "semantic-router-config"


def config_in_place(bodies: Bodies) -> Bodies:
    """The router's ConfigMap has one name, changes in an early wave, and no rollout follows (istio-02, argocd-05)."""
    found = copy.deepcopy(bodies)
    for body in found:
        if body["kind"] == "ConfigMap" and body["metadata"]["name"].startswith(_CONFIG):
            body["metadata"]["name"] = _CONFIG
            _set_wave(body, -3)
        if _is_router(body):
            for volume in body["spec"]["template"]["spec"]["volumes"]:
                if volume["name"] == "config":
                    volume["configMap"]["name"] = _CONFIG
            _set_wave(body, 0)
    return found


def router_first(bodies: Bodies) -> Bodies:
    """The router and its new configuration come before the routes."""
    found = copy.deepcopy(bodies)
    for body in found:
        if _is_router(body) or body["metadata"]["name"].startswith(_CONFIG):
            _set_wave(body, 0)
    return found


def pickers_recreated(bodies: Bodies) -> Bodies:
    """A picker is stopped before the new one starts (istio-04)."""
    found = copy.deepcopy(bodies)
    for body in found:
        if body["kind"] == "Deployment" and body["metadata"]["name"].endswith("-epp"):
            body["spec"]["strategy"] = {"type": "Recreate"}
    return found


def one_ai_gateway_route(bodies: Bodies) -> Bodies:
    """All models of a namespace are rules of one AIGatewayRoute, sorted by name (envoy-gateway-02)."""
    routes = sorted(
        (body for body in bodies if body["kind"] == "AIGatewayRoute"), key=lambda body: str(body["metadata"]["name"])
    )
    found = [body for body in bodies if body["kind"] != "AIGatewayRoute"]
    merged: dict[str, dict[str, Any]] = {}
    for route in routes:
        namespace = route["metadata"]["namespace"]
        if namespace in merged:
            merged[namespace]["spec"]["rules"] += route["spec"]["rules"]
        else:
            merged[namespace] = copy.deepcopy(route)
            merged[namespace]["metadata"]["name"] = "inference-gateway"
    return [*found, *merged.values()]


def early_router_pods(bodies: Bodies) -> Bodies:
    """A new router pod gets ready without regard to AI Gateway's sidecar."""
    found = copy.deepcopy(bodies)
    for body in found:
        if _is_router(body):
            body["spec"]["template"]["spec"]["containers"][0]["startupProbe"].pop("initialDelaySeconds", None)
    return found


def _is_router(body: dict[str, Any]) -> bool:
    return body["kind"] == "Deployment" and body["metadata"]["name"] == "semantic-router"


def _set_wave(body: dict[str, Any], number: int) -> None:
    body["metadata"].setdefault("annotations", {})[WAVE] = str(number)
    assert annotation(body, WAVE) == str(number)
