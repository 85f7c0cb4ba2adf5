"""What is wrong in a cluster, at the lines of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.live.desired import OVERLAYS, Desired
from vsr_compiler.live.differences import Difference
from vsr_compiler.live.objects import ObjectState
from vsr_compiler.live.pods import DIGEST, PodState, routers
from vsr_compiler.live.served import Served
from vsr_compiler.live.status import Look
from vsr_compiler.live.verdict import State
from vsr_compiler.manifests.kinds import GATEWAY_GROUP, GroupKind
from vsr_compiler.verify.manifest import Manifest, as_string_map, value_at
from vsr_compiler.verify.schema import bundled

_FILTER = "Until then the gateway may not ask the router"
_EFFECTS: Mapping[GroupKind, str] = MappingProxyType(
    {
        (GATEWAY_GROUP, "Gateway"): "Until then clients do not reach the policy's listeners",
        **dict.fromkeys(
            [(GATEWAY_GROUP, "HTTPRoute"), ("aigateway.envoyproxy.io", "AIGatewayRoute")],
            "Until then requests for it are answered by the gateway, with 404 or 500",
        ),
        **dict.fromkeys(
            [
                ("networking.istio.io", "EnvoyFilter"),
                ("gateway.envoyproxy.io", "EnvoyPatchPolicy"),
                ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"),
                ("agentgateway.dev", "AgentgatewayPolicy"),
            ],
            _FILTER,
        ),
        ("inference.networking.k8s.io", "InferencePool"): "Until then requests for it are not sent to its servers",
    }
)
"""What the state of an object means for requests, by kind."""
_MAX_FIELDS = 5
_SHOWN = 12
"""Characters of a sha256 in messages."""


def findings(desired: Desired, seen: Look, *, dry_run: bool) -> list[Diagnostic]:
    """Return what is wrong, sorted by place. ``dry_run`` is whether dry runs were asked for."""
    found = [*desired.warnings]
    for item in seen.objects:
        found += _of_object(desired, item)
    for item in seen.delivery:
        found += _of_delivery(desired, item)
    found += _of_pods(desired, seen)
    found += _of_served(desired, seen)
    found += _of_envoys(desired, seen)
    found += _fallback(desired, seen) if dry_run else ()
    return sorted(dict.fromkeys(found), key=lambda item: item.order)


def described(desired: Desired, manifest: Manifest) -> str:
    """Return an object with what it is about in the policy."""
    words = desired.subject(manifest).words
    return f"{manifest.title}, made from {words}," if words else manifest.title


def _of_object(desired: Desired, item: ObjectState) -> Iterator[Diagnostic]:
    manifest, span = item.manifest, desired.subject(item.manifest).span
    what = described(desired, manifest)
    effect = _EFFECTS.get((manifest.group, manifest.kind), "")
    match item.presence:
        case "missing":
            hint = _sentence(effect, f"Apply it: {_apply(desired)}")
            yield Diagnostic("VSR574", f"{what} is not in the cluster", span, hint)
        case "unknown kind":
            yield _unknown_kind(desired, item, what, span)
        case "forbidden" | "unreadable":
            hint = "Grant the permissions of `vsr-compile status --rbac`."
            yield Diagnostic("VSR579", f"{what} cannot be read: {item.reason}", span, hint)
        case "present":
            yield from _compared(desired, item, what, span)
            yield from _judged(item, what, span, effect)


def _unknown_kind(desired: Desired, item: ObjectState, what: str, span: Span) -> Diagnostic:
    version = item.manifest.body["apiVersion"]
    message = f"{what} cannot exist: the cluster does not have {item.manifest.kind} of {version}"
    if item.versions:
        message += f"; of {item.manifest.group} it has {', '.join(item.versions)}"
    releases = desired.lock.releases(f"{desired.target}/{OVERLAYS}/{desired.environment}/")
    projects = {one.project for one in bundled.documents() if one.keys == (item.manifest.group, item.manifest.kind)}
    named = ", ".join(f"{project} {releases[project]}" for project in sorted(projects & releases.keys()))
    hint = f"Install its CustomResourceDefinition{f'; the output is compiled for {named}' if named else ''}."
    return Diagnostic("VSR575", message, span, hint)


def _compared(desired: Desired, item: ObjectState, what: str, span: Span) -> Iterator[Diagnostic]:
    if item.refusal:
        hint = "Compile for the releases that the cluster has (`gateway.versions`), or upgrade the cluster."
        yield Diagnostic("VSR576", f"the API server would refuse {what} now: {item.refusal}", span, hint)
    if item.drifts:
        more = f", and {len(item.drifts) - _MAX_FIELDS} more fields" if len(item.drifts) > _MAX_FIELDS else ""
        fields = "; ".join(_difference(each) for each in item.drifts[:_MAX_FIELDS])
        hint = f"Apply the output again (kubectl diff -k {_overlay(desired)} shows all of it), or change the policy."
        yield Diagnostic("VSR576", f"{what} differs from the output: {fields}{more}", span, hint)
    for each in item.differences:
        if each.scaled:
            message = f"{what} is scaled: {_difference(each)}"
            hint = "Use the component `autoscaling` in the overlay, so that an apply keeps the number."
            yield Diagnostic("VSR576", message, span, hint, Severity.NOTE)


def _difference(item: Difference) -> str:
    by = f", set by {item.manager}" if item.manager else ""
    return f"`{item.field}` is {item.actual} instead of {item.expected}{by}"


def _judged(item: ObjectState, what: str, span: Span, effect: str) -> Iterator[Diagnostic]:
    state, message = item.verdict.state, item.verdict.message
    if state is State.REJECTED:
        hint = _sentence(effect, "Correct what the message names")
        yield Diagnostic("VSR577", f"{what} is not in force: {message}", span, hint)
    elif state is State.WAITING:
        hint = _sentence(effect, "Wait for it with --wait, and look at the logs of its controller if it takes long")
        yield Diagnostic("VSR577", f"{what} is not in force yet: {message}", span, hint)
    elif state is State.UNREPORTED:
        hint = "Check that a route refers to it, and that its controller runs."
        yield Diagnostic("VSR577", f"{what} may not be in use: {message}", span, hint, Severity.WARNING)


def _of_delivery(desired: Desired, item: ObjectState) -> Iterator[Diagnostic]:
    manifest = item.manifest
    span = desired.subject(manifest).span
    if item.verdict.state > State.UNREPORTED:
        hint = "Until then a commit does not reach the cluster. Look at its events and its controller."
        yield Diagnostic("VSR577", f"{manifest.title} is not in force: {item.verdict.message}", span, hint)
    if item.drifts:
        fields = "; ".join(_difference(each) for each in item.drifts[:_MAX_FIELDS])
        hint = "Apply it again, or change `gitops` in the policy."
        yield Diagnostic("VSR576", f"{manifest.title} differs from the output: {fields}", span, hint, Severity.WARNING)


def _of_pods(desired: Desired, seen: Look) -> Iterator[Diagnostic]:
    deployments = routers(desired.manifests)
    span = desired.subject(deployments[0]).span if deployments else Span(desired.policy)
    if seen.no_pods:
        hint = "Grant the permissions of `vsr-compile status --rbac`."
        yield Diagnostic("VSR579", f"the pods of the router cannot be listed: {seen.no_pods}", span, hint)
    for pod in seen.pods:
        yield from _of_pod(pod, span)


def _of_pod(pod: PodState, span: Span) -> Iterator[Diagnostic]:
    name = f"the router's pod `{pod.namespace}/{pod.name}`"
    if pod.is_stale:
        old = f"the configuration `{pod.config}`" if pod.config else "no configuration of the router"
        message = f"{name} runs with {old} instead of `{pod.wanted}`"
        hint = "A rollout replaces it. If it does not end: kubectl rollout status, and the events of the new pods."
        yield Diagnostic("VSR578", message, span, hint)
    if not pod.ready:
        restarts = f", after {pod.restarts} restarts" if pod.restarts else ""
        hint = f"See: kubectl -n {pod.namespace} logs {pod.name} --previous, and kubectl describe."
        yield Diagnostic("VSR578", f"{name} is not ready{restarts}: {pod.reason or 'no reason given'}", span, hint)


def _of_served(desired: Desired, seen: Look) -> Iterator[Diagnostic]:
    for item in routers(desired.manifests):
        wanted = as_string_map(value_at(item.body, "metadata", "annotations"))[DIGEST]
        span = desired.subject(item).span
        for (namespace, pod), answer in seen.served.items():
            if namespace == item.namespace:
                yield from _of_answer(f"the router's pod `{namespace}/{pod}`", answer, wanted, span)


def _of_answer(name: str, answer: Served | str, wanted: str, span: Span) -> Iterator[Diagnostic]:
    if isinstance(answer, str):
        hint = "Grant the permissions of `vsr-compile status --rbac --forward`, or leave --forward out."
        yield Diagnostic("VSR579", f"{name} cannot be asked what it serves: {answer}", span, hint)
        return
    other = [digest for digest in answer.digests if digest != wanted]
    if other:
        message = f"{name} serves the configuration {other[0][:_SHOWN]}… instead of {wanted[:_SHOWN]}…"
        yield Diagnostic("VSR578", message, span, "Wait for the rollout or the reload, and look at the pod's log.")
    if not answer.reloaded:
        message = f"{name} has refused the files that it has now, and serves the former ones"
        yield Diagnostic("VSR578", message, span, "Its log has the reason: `reload_refused`.")


def _of_envoys(desired: Desired, seen: Look) -> Iterator[Diagnostic]:
    for state in seen.envoys:
        span = desired.subject(state.proxies.source).span
        name = f"the Envoy `{state.namespace}/{state.pod}` of the gateway `{state.proxies.gateway}`"
        name = name if state.pod else f"the gateway `{state.proxies.gateway}`"
        if state.unknown:
            hint = "Grant the permissions of `vsr-compile status --rbac --forward`, or leave --forward out."
            yield Diagnostic("VSR579", f"{name} cannot be asked for its filters: {state.unknown}", span, hint)
        for fault in state.faults:
            hint = f"{_FILTER}. Look at the status of {state.proxies.source.title} and at the log of its controller."
            yield Diagnostic("VSR577", f"{name}: {fault}", span, hint)


def _fallback(desired: Desired, seen: Look) -> Iterator[Diagnostic]:
    """A note if objects could only be compared field by field."""
    fields = [item for item in seen.objects if item.comparison == "fields"]
    if fields:
        message = (
            f"{len(fields)} objects are compared by the fields that the output sets, without a dry run: "
            "what others added to them is not seen"
        )
        hint = "Grant `patch` as `vsr-compile status --rbac` prints it, for exact comparisons."
        yield Diagnostic("VSR579", message, Span(_overlay(desired)), hint, Severity.NOTE)


def _overlay(desired: Desired) -> str:
    return f"{desired.folder}/{desired.target}/overlays/{desired.environment}"


def _apply(desired: Desired) -> str:
    return f"kubectl apply --server-side --field-manager=vsr-compile-{desired.lock.policy} -k {_overlay(desired)}"


def _sentence(effect: str, remedy: str) -> str:
    return f"{remedy}. {effect}." if effect else f"{remedy}."
