"""Contradictions between manifests: selectors that select nothing, references to nothing, routes on other headers."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler.importer.family import Job
from vsr_compiler.importer.manifests.objects import WORKLOADS, Index, Resource, labels_of, selects
from vsr_compiler.importer.manifests.routes import ROUTER_HEADERS, Rule
from vsr_compiler.importer.manifests.servers import picker, pool_selector
from vsr_compiler.importer.values import child

OWN_HEADERS = {"AIGatewayRoute": ("x-ai-eg-model",)}
"""Headers that the control plane of a kind writes by itself, from the body."""
BODY_HEADERS = ("x-gateway-model-name", "x-gateway-base-model-name")
"""Headers that body-based routers write, from the body that the router has rewritten."""


def check_selectors(index: Index, found: Sequence[Rule], job: Job) -> None:
    """Report selectors of pools and of routed Services that select no pods, where the files have workloads."""
    workloads = [(item.namespace, _pod_labels(item)) for item in index.all if item.kind in WORKLOADS]
    routed = {(target.namespace, target.name) for rule in found for target in rule.targets if target.kind == "Service"}
    for item in index.all:
        if item.kind == "InferencePool":
            selector = pool_selector(item)
        elif item.kind == "Service" and (item.namespace, item.name) in routed:
            selector = labels_of(item.spec.take("selector"))
            if not selector:
                continue
        else:
            continue
        there = [labels for namespace, labels in workloads if namespace == item.namespace]
        if not workloads or any(selects(selector, labels) for labels in there):
            continue
        elsewhere = next((ns for ns, labels in workloads if selects(selector, labels)), "")
        hint = (
            f"Its pods are in `{elsewhere}`." if elsewhere else "Compare its labels with those of the pods' template."
        )
        message = f"the selector of {item.title} in `{item.namespace}` selects no pods of the files"
        job.losses.add("VSR556", message, item.spec.at("selector"), hint)


def _pod_labels(item: Resource) -> dict[str, str]:
    node = item.spec.node
    template = child(node, "template") or child(node, "leaderWorkerTemplate", "workerTemplate")
    return labels_of(child(template, "metadata", "labels")) if template is not None else item.labels


def check_references(index: Index, found: Sequence[Rule], job: Job) -> None:
    """Report routes to Services and pools that the files do not have, and pickers without a Service."""
    for kind in ("Service", "InferencePool"):
        if not index.of(kind):
            continue
        for rule in found:
            for target in rule.targets:
                if target.kind != kind or index.get(kind, target.namespace, target.name) is not None:
                    continue
                same = next((item.namespace for item in index.of(kind) if item.name == target.name), "")
                hint = (
                    f"It is in the namespace `{same}`: name it, and grant the reference."
                    if same
                    else f"The files have {_names(index.of(kind))}. Correct the name, or pass the file with it."
                )
                message = f"a route leads to {kind} `{target.namespace}/{target.name}`, which no file has"
                job.losses.add("VSR556", message, target.span, hint)
    if index.of("Service"):
        for pool in index.of("InferencePool"):
            kind, name, reference = picker(pool)
            if name and kind == "Service" and index.get("Service", pool.namespace, name) is None:
                message = f"{pool.title} has the endpoint picker `{name}`, whose Service no file has"
                hint = "Correct the name, or pass the file with it. It is in the namespace of the pool."
                job.losses.add("VSR556", message, reference.value_at("name"), hint)


def _names(items: Sequence[Resource]) -> str:
    names = [f"`{item.name}`" for item in items]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004


def check_headers(found: Sequence[Rule], job: Job, *, with_router: bool) -> None:
    """Report rules on another header than the others, or than the router writes: at both places."""
    by_header: dict[str, list[Rule]] = {}
    for rule in found:
        if rule.header:
            by_header.setdefault(rule.header, []).append(rule)
    own = {header for headers in OWN_HEADERS.values() for header in headers}
    plain = [header for header in by_header if header not in own or _on_plain_route(by_header[header])]
    usual = max(plain, key=lambda header: len(by_header[header]), default="")
    for header in plain:
        strays = [rule for rule in by_header[header] if rule.route.kind not in OWN_HEADERS or header not in own]
        for rule in strays:
            hint = "The compiled routes match one header, which only the gateway's filters set."
            if with_router and header not in (*ROUTER_HEADERS, *BODY_HEADERS):
                message = f"this route matches `{header}`; the router writes `{ROUTER_HEADERS[0]}`"
                job.losses.add("VSR555", message, rule.span, hint)
            elif header != usual and not {header, usual} <= set(ROUTER_HEADERS):
                other = by_header[usual][0].span
                message = f"this route matches `{header}`, others match `{usual}`, as in {other.file}:{other.line}"
                job.losses.add("VSR555", message, rule.span, hint)


def _on_plain_route(found: Sequence[Rule]) -> bool:
    return any(rule.route.kind not in OWN_HEADERS for rule in found)
