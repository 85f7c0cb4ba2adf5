"""Recognition of manifests, and their reading into a draft that a router's configuration may have filled."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer.family import Family, Job, Recognised
from vsr_compiler.importer.manifests import checks, gateways, join
from vsr_compiler.importer.manifests.agentgateway import write_resources
from vsr_compiler.importer.manifests.objects import Index, group_kind, index, is_known
from vsr_compiler.importer.manifests.routes import Rule, rules, timeout_of
from vsr_compiler.importer.manifests.servers import servers
from vsr_compiler.importer.providers import NeededSecrets
from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.values import child, text

MAX_TARGETS = 6
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def recognise(part: Part) -> str:
    """Return the kind of a known object; empty for others."""
    return (group_kind(part.node)[1] or "List") if is_known(part) else ""


def read(documents: Sequence[Recognised], job: Job) -> None:
    """Read manifests: models and endpoints, the Gateway, the target, and contradictions."""
    objects = index([part for _, part in documents])
    found, span = rules(objects), documents[0][1].span
    with_router = bool(job.draft.sections.get("models"))
    needed = NeededSecrets()
    state = join.Join(objects, servers(objects), job, needed)
    write_resources(objects, job, needed)
    join.kserve_models(state)
    if with_router:
        join.join_rules(state, found)
    else:
        join.models_alone(state, found)
    if not state.models:
        _of_pickers(objects, job)
        if not with_router and not job.draft.sections.get("default"):
            job.draft.sections.pop("models", None)
        message = "the manifests name no model: no route matches one, and no server says what it serves"
        job.losses.add("VSR556", message, span, "Pass the routes, pools or servers, or the router's configuration.")
        return
    checks.check_selectors(objects, found, job)
    checks.check_references(objects, found, job)
    checks.check_headers(found, job, with_router=with_router)
    _rest(found, job)
    gateway = gateways.write_gateway(objects, found, job)
    _timeout(objects, job)
    gateways.write_target(gateway, objects, job, gateway.span if gateway is not None else span)
    _default(state, job)
    _of_pickers(objects, job)
    needed.report(job.losses)


def _default(state: join.Join, job: Job) -> None:
    """Write the default, where the files have no router: the first model."""
    if "default" not in job.draft.sections:
        first = next(iter(state.models))
        job.draft.sections["default"] = {"model": first}
        job.draft.comment(("default",), "The first model of the manifests: choose the one for requests that name none.")
    if "auto" in state.models or "MoM" in state.models:
        job.draft.mapping("router").setdefault("autoModels", ["vsr-auto"])


def _rest(found: Sequence[Rule], job: Job) -> None:
    """Report what rules do besides the choice of a backend."""
    hint = "Write it in the policy (`headers`, `gateway.timeout`, `retry`), or keep a route of your own beside it."
    for rule in found:
        for what, span in rule.rest.items():
            job.losses.group("VSR557", "parts of routes that are not carried over", what, span, hint)
    routes = {(rule.route.kind, rule.route.namespace, rule.route.name): rule.route for rule in found if rule.value}
    for (kind, namespace, name), route in routes.items():
        hint = "Remove them when you apply the output: two routes for one request contradict each other."
        what = "routes that the compiled ones replace"
        job.losses.group("VSR559", what, f"{kind} {namespace}/{name}", route.span, hint)


def _of_pickers(objects: Index, job: Job) -> None:
    """Report the objects that say how endpoint pickers treat requests."""
    for item in (*objects.of("InferenceModel"), *objects.of("InferenceObjective")):
        details = [f"the model `{name}`"] if (name := item.spec.text("modelName")) else []
        details += [f"{key} {value}" for key in ("criticality", "priority") if (value := item.spec.text(key))]
        targets = [text(child(node, "name")) for node in item.spec.items("targetModels")]
        details += [f"its targets {', '.join(f'`{name}`' for name in targets[:MAX_TARGETS])}"] if targets else []
        message = f"{item.title} is not carried over: {', '.join(details) or 'it says nothing'}"
        hint = "Keep it beside the compiled objects, or write adapters as `loras` and shares as a `split`."
        job.losses.add("VSR561", message, item.span, hint)


def _timeout(objects: Index, job: Job) -> None:
    """Write the longest request timeout of the routes; report that the others get it, too."""
    found = [
        (seconds, value, span)
        for kind in ("HTTPRoute", "AIGatewayRoute")
        for route in objects.of(kind)
        for value, span in timeout_of(route)
        if (seconds := _seconds(value)) is not None
    ]
    if not found:
        return
    longest = max(found)
    if 0 < longest[0] <= 86_400:  # noqa: PLR2004 - a day
        job.draft.mapping("gateway")["timeout"] = longest[1]
        if len({seconds for seconds, _, _ in found}) > 1:
            message = f"routes have different timeouts; the policy has the longest, {longest[1]}"
            job.losses.add("VSR557", message, min(found)[2], "A policy has one `gateway.timeout`.", Severity.WARNING)


def _seconds(value: str) -> float | None:
    """Return a Gateway API duration in seconds; None if it is none."""
    total = 0.0
    rest = value.strip()
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        number, rest = rest[:digits], rest[digits:]
        unit = next((name for name in ("ms", "h", "m", "s") if rest.startswith(name)), "")
        if not number or not unit:
            return None
        total, rest = total + int(number) * _UNITS[unit], rest[len(unit) :]
    return total


FAMILY = Family("Kubernetes manifests", recognise, read)
