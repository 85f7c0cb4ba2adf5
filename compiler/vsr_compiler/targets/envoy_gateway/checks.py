"""Checks of targets on Envoy Gateway: releases that fit together, and what the cluster must have."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.data import project
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.releases.known import by_number
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.envoy_gateway.gateway import CONTROLLER_NAMESPACE
from vsr_compiler.targets.envoy_gateway.helm_values import CHART


def values_of(chart: str) -> str:
    """Return the words for the values that the compiler writes for a chart."""
    return f"the values in the target's {helm.FOLDER}/values-{chart}.yaml"


VALUES = values_of(CHART)


def releases_fit(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR314 if Envoy Gateway watches kinds that the release of the Gateway API does not have."""
    versions = policy.versions
    release = ENVOY_GATEWAY[versions["envoy-gateway"]]
    if versions["gateway-api"] not in release.gateway_apis:
        message = f"envoy-gateway {versions['envoy-gateway']} does not run with gateway-api {versions['gateway-api']}"
        hint = f"Use gateway-api {any_of(release.gateway_apis)}; its chart installs the CRDs of {release.brings}."
        least = release.refuses_before
        if least and (numbers(versions["gateway-api"]) or ()) < (numbers(least) or ()):
            hint += f" Its admission policy refuses CRDs before {least}."
        yield Diagnostic("VSR314", message, policy.gateway.span, hint)


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: the chart of Envoy Gateway must be installed with our values."""
    if CHART in policy.installed_charts:
        return
    message = f"Envoy Gateway {policy.versions['envoy-gateway']} must be installed with {VALUES}"
    yield Diagnostic("VSR315", message, policy.gateway.span, install_hint(policy))


def install_hint(policy: ir.Policy) -> str:
    """Return how to install the chart of Envoy Gateway with the values."""
    release = policy.versions["envoy-gateway"]
    oldest = project("envoy-gateway").releases[release].kubernetes
    needs = f" It needs Kubernetes {oldest} or newer." if oldest else ""
    return f"Pass them to Helm: {CHART} --version v{release} --namespace {CONTROLLER_NAMESPACE}.{needs}"


def any_of(releases: Collection[str]) -> str:
    """Return releases as an enumeration: `1.2.0 or 1.5.1`."""
    return " or ".join(sorted(releases, key=by_number))
