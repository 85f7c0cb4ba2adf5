"""What Envoy Gateway's cluster must have before a target is applied: the charts, with our values, and the Secrets."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.common.pools import asked_for
from vsr_compiler.targets.envoy_gateway.gateway import CONTROLLER_NAMESPACE
from vsr_compiler.targets.envoy_gateway.helm_values import CHART

_VALUES = f"the values in the target's {helm.FOLDER}/values-{CHART}.yaml"


def envoy_gateway(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for Envoy Gateway by itself."""
    message = f"Envoy Gateway {policy.versions['envoy-gateway']} must have {_VALUES}"
    yield Diagnostic("VSR315", message, policy.gateway.span, _install(policy))


def ai_gateway(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for Envoy Gateway with AI Gateway, and the CRDs of pools."""
    versions = policy.versions
    message = (
        f"Envoy Gateway {versions['envoy-gateway']} must have {_VALUES}, "
        f"and Envoy AI Gateway {versions['envoy-ai-gateway']} must be there with its CRDs"
    )
    pools = f" Install the CRDs of inference-extension {versions['inference-extension']} as well."
    hint = _install(policy) + (pools if asked_for(policy) else "")
    yield Diagnostic("VSR315", message, policy.gateway.span, hint)


def _install(policy: ir.Policy) -> str:
    release = policy.versions["envoy-gateway"]
    return f"Hand them to Helm: {CHART} --version v{release} --namespace {CONTROLLER_NAMESPACE}."
