"""How the projects that a policy needs are installed and upgraded: what brings them, commands, and what to wait for.

Commands name releases as ``{release}``, the file of Helm values as ``{values}``, and the channel of the Gateway API as
``{channel}``. Sources: the installation pages of each project for its newest release at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, slots=True)
class Installation:
    """How a project comes into a cluster.

    Attributes:
        order: Its place among all projects: those with a smaller number are upgraded first.
        by: Whether it consists of definitions, is a controller, or is an image in the compiled objects.
        definitions: Commands that upgrade its CustomResourceDefinitions. Helm never upgrades those in charts.
        commands: Commands that upgrade its controller.
        waits: Commands that wait until it runs.
        definitions_since: The first release with definitions of its own; empty if every release has them.
        further: Flags that its commands need from a release on, each with the release.
        values: The chart whose compiled values its commands take; empty for none.
        source: Where the commands are from.
    """

    order: int
    by: Literal["definitions", "controller", "objects"]
    definitions: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    definitions_since: str = ""
    further: tuple[tuple[str, str], ...] = ()
    values: str = ""
    source: str = ""


_APPLY = "kubectl apply --server-side --force-conflicts -f"
_RELEASES = "https://github.com/{project}/releases/download/v{{release}}"
_OCI = "oci://docker.io/envoyproxy"

INSTALLATION: Mapping[str, Installation] = MappingProxyType(
    {
        "gateway-api": Installation(
            0,
            "definitions",
            definitions=(
                f"{_APPLY} {_RELEASES.format(project='kubernetes-sigs/gateway-api')}/{{channel}}-install.yaml",
            ),
            waits=("kubectl wait --for=condition=Established crd/httproutes.gateway.networking.k8s.io",),
            source="https://gateway-api.sigs.k8s.io/guides/getting-started/introduction/",
        ),
        "inference-extension": Installation(
            1,
            "definitions",
            definitions=(
                (
                    f"{_APPLY} "
                    f"{_RELEASES.format(project='kubernetes-sigs/gateway-api-inference-extension')}/manifests.yaml"
                ),
            ),
            waits=("kubectl wait --for=condition=Established crd/inferencepools.inference.networking.k8s.io",),
            source="https://gateway-api-inference-extension.sigs.k8s.io/guides/",
        ),
        "istio": Installation(
            3,
            "controller",
            definitions=("helm upgrade istio-base istio/base --version {release} -n istio-system",),
            commands=(
                "helm upgrade istiod istio/istiod --version {release} -n istio-system --reset-then-reuse-values",
            ),
            waits=("kubectl -n istio-system rollout status deployment istiod",),
            source="https://istio.io/latest/docs/setup/upgrade/helm/",
        ),
        "envoy-gateway": Installation(
            4,
            "controller",
            definitions=(
                (
                    f"helm template eg-crds {_OCI}/gateway-crds-helm --version v{{release}} "
                    "--set crds.envoyGateway.enabled=true | kubectl apply --server-side --force-conflicts -f -"
                ),
            ),
            commands=(
                (
                    f"helm upgrade eg {_OCI}/gateway-helm --version v{{release}} -n envoy-gateway-system "
                    "--skip-crds -f {values}"
                ),
            ),
            waits=(
                "kubectl -n envoy-gateway-system rollout status deployment envoy-gateway",
                "kubectl wait gateway -A --all --for=condition=Programmed --timeout=10m",
            ),
            # The definitions of the Gateway API bring the admission policy, which the chart would not take over.
            further=(("1.9.0", "--set crds.gatewayAPI.safeUpgradePolicy.enabled=false"),),
            values="gateway-helm",
            source="https://gateway.envoyproxy.io/docs/install/install-helm/",
        ),
        "envoy-ai-gateway": Installation(
            5,
            "controller",
            definitions=(
                f"helm upgrade aieg-crd {_OCI}/ai-gateway-crds-helm --version v{{release}} -n envoy-ai-gateway-system",
            ),
            commands=(
                (
                    f"helm upgrade aieg {_OCI}/ai-gateway-helm --version v{{release}} -n envoy-ai-gateway-system "
                    "-f {values}"
                ),
            ),
            waits=("kubectl -n envoy-ai-gateway-system rollout status deployment ai-gateway-controller",),
            values="ai-gateway-helm",
            source="https://aigateway.envoyproxy.io/docs/getting-started/installation",
        ),
        "llm-d-router": Installation(
            2,
            "objects",
            definitions=(
                (
                    "kubectl apply --server-side --force-conflicts -k "
                    "https://github.com/llm-d/llm-d-router/config/crd?ref=v{release}"
                ),
            ),
            definitions_since="0.9.0",
            source="llm-d/llm-d-router 0.10.0, config/crd",
        ),
        "vllm": Installation(7, "objects"),
        "llm-d-inference-sim": Installation(8, "objects"),
        "semantic-router": Installation(9, "objects"),
    }
)
"""By project. A project that is not listed is upgraded as its own documentation says."""
