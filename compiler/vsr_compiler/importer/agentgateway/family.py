"""agentgateway's own configuration file: `llm` with models, or `binds` with AI backends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.agentgateway.guards import write_guards
from vsr_compiler.importer.agentgateway.virtual import Virtual, write_virtual
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.family import Family, Job, Recognised
from vsr_compiler.importer.providers import PROVIDERS, NeededSecrets, address, credential, provider_endpoint
from vsr_compiler.importer.providers.facts import AGENTGATEWAY
from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.values import Fields, child, items, text
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

CONFIG = "agentgateway config"
ACCESS = ("jwtAuth", "jwt", "apiKey", "basicAuth", "extAuthz", "authorization", "oidc", "mcpAuthentication")
"""Policies that authenticate or restrict clients."""
WINDOWS = {"60s": "1m", "1m": "1m", "3600s": "1h", "60m": "1h", "1h": "1h", "86400s": "1d", "24h": "1d", "1d": "1d"}
MAX_AMOUNT = 10**12
_SECTIONS = frozenset({"llm", "binds", "config", "frontendPolicies", "services", "workloads", "policies", "mcp", "ui"})
_PARAMS = {
    "awsRegion": ("region", "bedrock"),
    "vertexRegion": ("region", "vertex"),
    "vertexProject": ("projectId", "vertex"),
    "azureResourceName": ("endpoint", "azure"),
    "azureApiVersion": ("apiVersion", "azure"),
}
"""Parameters of models in a file, and the field of the provider in Kubernetes objects."""


def recognise(part: Part) -> str:
    """Return the form of a document; empty if it is not agentgateway's."""
    node = part.node
    if any(child(entry, "provider") is not None for entry in items(child(node, "llm", "models"))):
        return CONFIG
    if isinstance(node, Mapping) and "kind" not in node.entries and items(child(node, "binds")):
        return CONFIG
    return ""


def read(documents: Sequence[Recognised], job: Job) -> None:
    """Read configuration files: models, virtual models, guards, limits."""
    needed = NeededSecrets()
    names: dict[str, str] = {}
    virtual: list[Virtual] = []
    span = documents[0][1].span
    for _, part in documents:
        root = Fields.of(part.node, "", part.span)
        llm = root.fields("llm")
        shared = {text(child(node, "name")): node for node in llm.items("providers")}
        for node in llm.items("models"):
            _model(Fields.of(node, "llm.models[]", node.span), shared, names, job, needed)
        for node in llm.items("virtualModels"):
            fields = Fields.of(node, "llm.virtualModels[]", node.span)
            virtual.append(Virtual(fields.text("name"), fields.fields("routing"), fields.value_at("name")))
        _policies(llm.fields("policies"), "llm", job, everywhere=True)
        for route in _routes(root):
            _route(route, names, job, needed)
        _aliases(root, names, job)
        root.taken |= _SECTIONS
        for key, place, _ in root.rest():
            job.losses.group("VSR549", "settings without a counterpart", key, place)
    _default(write_virtual(virtual, names, job), names, job, span)
    if not job.options.target:
        job.draft.sections["environments"] = {"dev": {"target": "agentgateway"}}
        hint = "Name another one with `--target`. The output is for agentgateway on Kubernetes."
        job.losses.add("VSR559", "the target is `agentgateway`, as in the source", span, hint)
    needed.report(job.losses)


def _default(chosen: str, names: dict[str, str], job: Job, span: Span) -> None:
    first = chosen or next(iter(names.values()), "")
    if not first:
        hint = "Write the models that clients use, and their endpoints."
        job.losses.add(
            "VSR542", "no model could be carried over: the policy has a placeholder", span, hint, Severity.ERROR
        )
        first = job.names.new("model", "replace-me", span)
        job.draft.mapping("endpoints")["replace-me"] = {"service": {"name": "replace-me", "port": 8000}}
        job.draft.mapping("models")[first] = {"endpoints": "replace-me"}
    job.draft.sections.setdefault("default", {"model": first})
    if not chosen:
        job.draft.comment(("default",), "For requests that let the router choose; clients that name a model get it.")


def _model(fields: Fields, shared: dict[str, Node], names: dict[str, str], job: Job, needed: NeededSecrets) -> None:
    """Write an entry of ``llm.models``."""
    wanted, span = fields.text("name"), fields.value_at("name")
    write_guards(fields.take("guardrails"), wanted, job, everywhere=False)
    provider_node = fields.take("provider")
    kind = text(provider_node) or text(child(provider_node, "reference"))
    params = fields.fields("params")
    if kind in shared:
        common = Fields.of(shared[kind], "llm.providers[]", span)
        merged = {**common.fields("params").node.entries, **params.node.entries}
        kind, params = common.text("provider"), Fields(Mapping(span, merged))
    elif isinstance(provider_node, Mapping) and not kind:
        kind = next(iter(provider_node.entries), "")
    if "*" in wanted:
        hint = "Write a model for each name that clients use."
        message = f"`{wanted}` covers every name of its form, which a policy cannot say; it is left out"
        job.losses.add("VSR544", message, span, hint)
        return
    own_key = credential(params.take("apiKey"), f"{label(wanted) or 'model'}-key", job.losses, needed)
    facts = PROVIDERS.get(AGENTGATEWAY.get(kind.lower(), ""))
    if own_key is None and facts is not None and facts.kind in {"openai", "anthropic"} and facts.variable:
        own_key = {"secret": label(facts.variable), "key": "apiKey"}
        needed.names.setdefault(own_key["secret"], span)
    body = _endpoint(kind, params, wanted, span, own_key, job)
    if body is None:
        return
    if kind.lower() == "azure" and params.has("azureResourceName"):
        _azure_model(body, params, wanted)
    _add(wanted, body, params.text("model"), span, names, job)
    for key, place, _ in fields.rest():
        if key not in {
            "id",
            "visibility",
            "auth",
            "health",
            "tls",
            "backendTLS",
            "params",
            "provider",
            "promptCaching",
        }:
            job.losses.group("VSR551", "parts of models that are not carried over", key, place)


def _endpoint(
    kind: str, params: Fields, name: str, span: Span, key: dict[str, str] | None, job: Job
) -> dict[str, Any] | None:
    base = params.text("baseUrl") or params.text("hostOverride")
    if base:
        where = address(base if "://" in base else f"http://{base}", name)
        if where.problem:
            job.losses.add("VSR552", f"`{name}`: {where.problem}", span, "Change the endpoint in the policy.")
        own = {"apiKey": key} if key else {}
        if where.service is not None:
            return {"service": {**where.service, **own}}
        schema = "anthropic" if kind.lower() == "anthropic" else "openai"
        return {"external": {"url": where.url, "schema": schema, **own}}
    details: dict[str, tuple[Span, Node]] = {}
    for param, (field, _) in _PARAMS.items():
        if isinstance(value := params.take(param), Scalar):
            suffix = ".openai.azure.com" if param == "azureResourceName" and "." not in value.text else ""
            details[field] = (span, Scalar(value.text + suffix, value.plain, value.span))
    provider = Fields(Mapping(span, {kind: (span, Mapping(span, details))}))
    return provider_endpoint(provider, name, span, {"apiKey": key} if key else {}, job)


def _azure_model(body: dict[str, Any], params: Fields, wanted: str) -> None:
    """Put the deployment into the path of Azure's URL."""
    url = body.get("external", {}).get("url", "")
    deployment = params.text("model") or wanted
    if "/deployments/" in url:
        head, _, tail = url.partition("/deployments/")
        body["external"]["url"] = f"{head}/deployments/{deployment}?{tail.partition('?')[2]}"


def _add(wanted: str, body: dict[str, Any], provider_model: str, span: Span, names: dict[str, str], job: Job) -> str:
    if wanted in names:
        job.losses.add("VSR543", f"`{wanted}` occurs twice: the first counts", span, "Give it another name.")
        return names[wanted]
    name = job.names.new("model", wanted, span)
    endpoint = job.names.new("endpoint", label(wanted) or "model", span)
    job.draft.mapping("endpoints")[endpoint] = body
    model: dict[str, Any] = {"endpoints": endpoint}
    if provider_model and provider_model != name:
        model["providerModel"] = provider_model
    job.draft.mapping("models")[name] = model
    names[wanted] = name
    return name


def _routes(root: Fields) -> Iterator[Fields]:
    for bind in root.items("binds"):
        for listener in items(child(bind, "listeners")):
            for route in items(child(listener, "routes")):
                yield Fields.of(route, "binds[].listeners[].routes[]", route.span)


def _route(route: Fields, names: dict[str, str], job: Job, needed: NeededSecrets) -> None:
    """Write the AI backends of a route; other backends are no models."""
    policies = route.fields("policies")
    auth = policies.fields("backendAuth")
    found = 0
    for backend in route.items("backends"):
        ai = Fields.of(child(backend, "ai"), "backends[].ai", backend.span)
        if not ai.node.entries:
            continue
        providers = [ai.node, *(node for group in ai.items("groups") for node in items(child(group, "providers")))]
        for node in providers:
            fields = Fields.of(node, "ai", node.span)
            provider = fields.fields("provider")
            if not provider.node.entries:
                continue
            found += 1
            _provider(fields, provider, auth, names, job, needed)
    if found:
        _policies(policies, route.text("name") or "route", job, everywhere=False)
        for match in route.items("matches"):
            for key in ("headers", "query", "method"):
                if child(match, key) is not None:
                    job.losses.group("VSR557", "matches of routes that are not carried over", key, match.span)


def _provider(
    fields: Fields, provider: Fields, auth: Fields, names: dict[str, str], job: Job, needed: NeededSecrets
) -> None:
    kind = next(iter(provider.node.entries))
    model = provider.fields(kind).text("model")
    name = model or fields.text("name") or kind
    span = provider.at(kind)
    own = fields.fields("policies").fields("backendAuth")
    value = own.take("key") or auth.take("key")
    if isinstance(value, Mapping):
        value = child(value, "value") or child(value, "file")
    key = credential(value, f"{label(name) or 'model'}-key", job.losses, needed)
    facts = PROVIDERS.get(AGENTGATEWAY.get(kind.lower(), ""))
    if key is None and facts is not None and facts.kind in {"openai", "anthropic"} and facts.variable:
        key = {"secret": label(facts.variable), "key": "apiKey"}
        needed.names.setdefault(key["secret"], span)
    host = fields.text("hostOverride")
    if host:
        params = Fields(Mapping(span, {"baseUrl": (span, Scalar(host, plain=True, span=span))}))
        body = _endpoint(kind, params, name, span, key, job)
    else:
        body = provider_endpoint(provider, name, span, {"apiKey": key} if key else {}, job)
    if body is not None and name not in names:
        _add(name, body, model, span, names, job)
        if not model:
            hint = "Write a model for each name that clients use."
            message = f"the backend of {kind} passes every model name on; the policy has `{name}` only"
            job.losses.add("VSR544", message, span, hint)


def _policies(policies: Fields, name: str, job: Job, *, everywhere: bool) -> None:
    """Write the guards and limits of policies; report those that authenticate clients."""
    ai = policies.fields("ai")
    write_guards(policies.take("guardrails"), name, job, everywhere=everywhere)
    write_guards(ai.take("promptGuard"), name, job, everywhere=everywhere)
    for key in ACCESS:
        if policies.has(key):
            hint = "Write `identity` (tokens, keys or a front end)."
            message = f"`{key}` authenticates or restricts clients: this is lost"
            job.losses.add("VSR547", message, policies.at(key), hint, Severity.ERROR)
    for node in policies.items("localRateLimit"):
        _limit(Fields.of(node, "localRateLimit[]", node.span), job)
    for key in ("remoteRateLimit", "extProc", "transformations", "urlRewrite", "requestHeaderModifier", "retry"):
        if policies.has(key):
            code = "VSR548" if key == "remoteRateLimit" else "VSR557"
            job.losses.group(code, "policies that are not carried over", key, policies.at(key))
    for key in ("prompts", "defaults", "overrides", "modelAliases"):
        if ai.has(key) and key != "modelAliases":
            job.losses.group("VSR551", "parts of models that are not carried over", f"ai.{key}", ai.at(key))


def _limit(fields: Fields, job: Job) -> None:
    """Write a local rate limit, whose interval is a window of a policy, for each client."""
    amount = fields.integer("tokensPerFill") or fields.integer("maxTokens")
    window = WINDOWS.get(fields.text("fillInterval"), "")
    unit = "tokens" if fields.text("type") == "tokens" else "requests"
    hint = "Write it under `limits`: windows are 1m, 1h, 1d and 30d."
    if not window or amount is None or not 0 < amount <= MAX_AMOUNT:
        job.losses.add("VSR548", "a limit has no window of a policy: it is not carried over", fields.span, hint)
        return
    job.draft.append("limits", {"per": "model", unit: amount, "window": window})
    hint = "Use `per: client` or `per: team` if each of them may use as much."
    message = "a limit of all requests is one of each model here"
    job.losses.add("VSR548", message, fields.span, hint)


def _aliases(root: Fields, names: dict[str, str], job: Job) -> None:
    """Write ``modelAliases`` as further models of the same endpoint."""
    for route in _routes(root):
        found = route.fields("policies").fields("ai").take("modelAliases")
        if isinstance(found, Mapping):
            for alias, (span, value) in found.entries.items():
                if text(value) in names and alias not in names:
                    source = job.draft.mapping("models")[names[text(value)]]
                    name = job.names.new("model", alias, span)
                    body = {**source, "providerModel": source.get("providerModel", names[text(value)])}
                    job.draft.mapping("models")[name] = body
                    names[alias] = name


FAMILY = Family("agentgateway", recognise, read)
