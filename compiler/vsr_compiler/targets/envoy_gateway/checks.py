"""What Envoy Gateway's cluster must have before a target is applied: the charts, with our values, and the Secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.gateway import ENVOY_GATEWAY
from vsr_compiler.releases.known import by_number
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.envoy_gateway.gateway import CONTROLLER_NAMESPACE
from vsr_compiler.targets.envoy_gateway.helm_values import CHART

VALUES = f"the values in the target's {helm.FOLDER}/values-{CHART}.yaml"


def releases_fit(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR314: Envoy Gateway watches kinds that only some releases of the Gateway API have."""
    versions = policy.versions
    release = ENVOY_GATEWAY[versions["envoy-gateway"]]
    if versions["gateway-api"] not in release.gateway_apis:
        message = f"envoy-gateway {versions['envoy-gateway']} does not run with gateway-api {versions['gateway-api']}"
        hint = f"Use gateway-api {any_of(release.gateway_apis)}; its chart brings the CRDs of {release.brings}."
        yield Diagnostic("VSR314", message, policy.gateway.span, hint)


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315 for Envoy Gateway by itself."""
    message = f"Envoy Gateway {policy.versions['envoy-gateway']} must have {VALUES}"
    yield Diagnostic("VSR315", message, policy.gateway.span, install_hint(policy))


def install_hint(policy: ir.Policy) -> str:
    """Return how to install the chart of Envoy Gateway with the values."""
    release = policy.versions["envoy-gateway"]
    return f"Hand them to Helm: {CHART} --version v{release} --namespace {CONTROLLER_NAMESPACE}."


def any_of(releases: Collection[str]) -> str:
    """Return releases as an enumeration: `1.2.0 or 1.5.1`."""
    return " or ".join(sorted(releases, key=by_number))
