"""What releases of Istio break. 1.31 was read at 1.31.0-rc.0, `releasenotes/notes`; notes of 1.32 were not at hand."""

from __future__ import annotations

from types import MappingProxyType

from vsr_compiler.releases.breakages.model import Behaviour, Breakage, Program, Together, Variables

_ISTIO = "istio"

BREAKAGES = (
    Breakage(
        component=_ISTIO,
        since="1.30.0",
        until="1.31.0",
        what="{found} answers 404, where Istio answered 500 before",
        remedy="Name a backend, or answer with a filter.",
        source="istio/istio#59356",
        sign=Together(Behaviour.EMPTY_BACKENDS),
        severity="warning",
    ),
    Breakage(
        component=_ISTIO,
        since="1.31.0",
        what="{found} answers 500, where Istio 1.30 answered 404",
        remedy="Name a backend, or answer with a filter.",
        source="istio/istio#60787",
        sign=Together(Behaviour.EMPTY_BACKENDS),
        severity="warning",
    ),
    Breakage(
        component=_ISTIO,
        since="1.31.0",
        what="{found} takes precedence, whichever of the two was created first: the policy only fills in what is left",
        remedy="Keep one of them: remove `tls` from the DestinationRule, or the BackendTLSPolicy.",
        source="istio/istio#60358",
        sign=Together(Behaviour.TWO_TLS_POLICIES),
        severity="warning",
    ),
    Breakage(
        component=_ISTIO,
        since="1.31.0",
        what="Istio sends endpoints that are not ready to Envoy as unhealthy ones, because of {found}",
        remedy="Set `minHealthPercent`, or PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS=false for istiod.",
        source="istio/istio#60690",
        sign=Together(Behaviour.UNHEALTHY_ENDPOINTS),
        severity="note",
    ),
    Breakage(
        component=_ISTIO,
        since="1.31.0",
        what="{found} has no effect: the behaviour that it disabled is always on",
        remedy="Remove the variable.",
        source="istio/istio, releasenotes/notes/remove-spawn-upstream-span-for-gateway.yaml",
        sign=Variables(Program.ISTIOD, MappingProxyType({"PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY": ""})),
        severity="warning",
    ),
)
