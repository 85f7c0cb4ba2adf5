"""Two policies in one cluster: what VSR309 asks for is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import call

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: NAME}
router: {image: "vsr-runtime:0.1.0", namespace: router-NAME}
gateway: {name: gw-NAME, namespace: HOME}
gitops: {repo: "https://git.example.org/x.git"}
endpoints:
  one: {service: "one.mod:80"}
models:
  one: {endpoints: one}
default: one
environments:
  prod: {target: TARGET}
"""


@pytest.mark.parametrize("target", ["istio", "envoy-gateway"])
def test_a_gateway_in_a_namespace_of_its_own_is_what_two_policies_need(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPRoutes are named after models, so two Gateways in one namespace share them."""
    monkeypatch.chdir(tmp_path)
    text = POLICY.replace("TARGET", target)
    for name in ("pa", "pb"):
        Path(f"{name}.yaml").write_text(text.replace("NAME", name).replace("HOME", "edge"), encoding="utf-8")
    shared = call("compile", "pa.yaml", "pb.yaml").stderr
    assert "VSR309" in shared
    assert "HTTPRoute edge/one" in shared
    assert "Use a Gateway in a namespace of its own for each policy" in shared
    for name in ("pa", "pb"):
        Path(f"{name}.yaml").write_text(text.replace("NAME", name).replace("HOME", f"edge-{name}"), encoding="utf-8")
    assert "VSR309" not in call("compile", "pa.yaml", "pb.yaml").stderr
