"""Envoy says the name of the router's cluster for a host, and gateways call their clusters what is no host's name."""

from __future__ import annotations

import pytest

from support.common import linked
from support.gateway_client import REAL_ENVOY, Running, start

pytestmark = REAL_ENVOY
ROUTER = linked().router.grpc


@pytest.mark.parametrize("cluster", [ROUTER.istio_cluster, ROUTER.envoy_cluster], ids=["istio", "envoy-gateway"])
def test_the_router_serves_whatever_its_cluster_is_called(policy, chat, fake, cluster):
    """`outbound|50051||…` on Istio, and a path on Envoy Gateway."""
    for name in ("envoy.yaml", "sandbox.yaml"):
        path = policy / "local" / name
        text = path.read_text()
        assert "semantic-router" in text
        path.write_text(text.replace("semantic-router", f'"{cluster}"'))
    sandbox, lines = start(policy / "local", fake)
    with sandbox:
        assert Running(sandbox, lines).served(chat("auto", "1+1")) == ("phi4-mini", "phi4-mini")
