"""Whether there is a table for every release that a target asks about, and what it needs of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.gateway import AI_GATEWAY, ENVOY_GATEWAY, GATEWAY_API, INFERENCE_EXTENSION, ISTIO
from vsr_compiler.releases.pickers import PICKERS
from vsr_compiler.releases.servers import SIMULATOR, VLLM
from vsr_compiler.releases.stacks import PRODUCTION_STACK

TABLES: Mapping[str, Collection[str]] = {
    "envoy-ai-gateway": AI_GATEWAY.keys(),
    "envoy-gateway": ENVOY_GATEWAY.keys(),
    "gateway-api": GATEWAY_API.keys(),
    "inference-extension": INFERENCE_EXTENSION.keys() & PICKERS["inference-extension"].keys(),
    "istio": ISTIO.keys(),
    "llm-d-inference-sim": SIMULATOR.keys(),
    "llm-d-router": PICKERS["llm-d-router"].keys(),
    "production-stack": PRODUCTION_STACK.keys(),
    "vllm": VLLM.keys(),
}
"""The releases that the compiler has read, by project."""


def known(*projects: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """VSR313 for a release of one of the projects that no table is for."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """Each project's release, against its table."""
        for project in dict.fromkeys(projects):
            release, have = policy.versions[project], sorted(TABLES[project], key=_order)
            if release not in have:
                message = f"there is no table for {project} {release}"
                hint = f"Use one of {', '.join(have)}; another is added when somebody needs it."
                yield Diagnostic("VSR313", message, policy.gateway.span, hint)

    return check


def envoy_gateway(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR314: Envoy Gateway watches kinds that only some releases of the Gateway API have."""
    versions = policy.versions
    release = ENVOY_GATEWAY[versions["envoy-gateway"]]
    if versions["gateway-api"] not in release.gateway_apis:
        message = f"envoy-gateway {versions['envoy-gateway']} does not run with gateway-api {versions['gateway-api']}"
        hint = f"Use gateway-api {_listed(release.gateway_apis)}; its chart brings the CRDs of {release.brings}."
        yield Diagnostic("VSR314", message, policy.gateway.span, hint)


def ai_gateway(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR314: Envoy AI Gateway extends the releases of Envoy Gateway that it was built with."""
    versions = policy.versions
    allowed = AI_GATEWAY[versions["envoy-ai-gateway"]].envoy_gateways
    if versions["envoy-gateway"] not in allowed:
        message = (
            f"envoy-ai-gateway {versions['envoy-ai-gateway']} does not extend envoy-gateway {versions['envoy-gateway']}"
        )
        hint = f"Use envoy-gateway {_listed(allowed)} with it."
        yield Diagnostic("VSR314", message, policy.gateway.span, hint)


def _listed(releases: Collection[str]) -> str:
    return " or ".join(sorted(releases, key=_order))


def preflight(project: str) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """VSR315: what must be in the cluster before a target that pools is applied."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """One note that names the switch and the CRDs."""
        versions = policy.versions
        groups = PICKERS[project][versions[project]].watches
        crds = [f"gateway-api {versions['gateway-api']}", f"inference-extension {versions['inference-extension']}"]
        crds += [f"{project} {versions[project]}"] if "llm-d.ai" in groups else []
        message = "InferencePools need istiod with ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true"
        hint = f"Install the CRDs of {', '.join(crds)} as well."
        yield Diagnostic("VSR315", message, policy.gateway.span, hint)

    return check


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".") if part.isdigit())
