"""Links servers that classify text: their address, and what their protocol needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from vsr_compiler import ir
from vsr_compiler.ir.providers import AUTHORIZATION, BEARER, EndpointKey
from vsr_compiler.link.endpoints import HOST, HTTPS_PORT, MAX_PORT, PATH, SERVICE_PORT
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.headers import FRAMING, is_protected
from vsr_schemas.inference_servers import PROTOCOLS, ProtocolFacts
from vsr_schemas.policy import v1alpha1 as schema

LLAMA_GUARD_LABELS = ("unsafe", *(f"S{number}" for number in range(1, 15)))
_OWN_WORDS = {"language": "presidio", "config": "nemo-guardrails"}
"""The protocol of words that only one has."""


def link_classifier_server(
    scope: Scope, policy: schema.PolicySpec, name: str, spec: schema.ClassifierSpec
) -> ir.ClassifierServer | None:
    """Return the server of a classifier; None if it has none."""
    server = spec.server
    if server is None:
        return None
    path: Path = ("classifiers", name, "server")
    facts = PROTOCOLS[server.protocol]
    if spec.task not in facts.tasks:
        fitting = ", ".join(f"`{one}`" for one, known in PROTOCOLS.items() if spec.task in known.tasks)
        message = f"the protocol `{server.protocol}` cannot serve `task: {spec.task}`"
        scope.report("VSR604", message, (*path, "protocol"), f"Use one of: {fitting}.")
    _check_words(scope, server, facts, spec.task, path)
    _check_outputs(scope, policy, server, spec.task, path)
    deadline = policy.router.deadline
    if server.timeout >= deadline:
        message = f"the server may take {server.timeout} ms, but the router decides a request within {deadline} ms"
        hint = "Lower `timeout`, or raise `router.deadline`."
        scope.report("VSR606", message, path, hint, key=True)
    scheme, host, port, prefix, service = _address(scope, policy, server, path)
    return ir.ClassifierServer(
        server.protocol,
        scheme,
        host,
        port,
        prefix,
        server.model,
        server.config,
        server.language,
        tuple(server.outputs or ()),
        tuple(server.labels or ()),
        server.timeout,
        server.concurrency,
        server.window or facts.window,
        _key(scope, server, path),
        server.ca,
        scope.span(*path, key=True),
        service,
        server.region,
    )


def _check_words(
    scope: Scope, server: schema.ClassifierServerSpec, facts: ProtocolFacts, task: str, path: Path
) -> None:
    """VSR605 for words that the protocol needs or does not have."""
    for word, needed in (("model", facts.model == "required"), ("outputs", facts.numbered)):
        if needed and getattr(server, word) is None:
            message = f"the protocol `{server.protocol}` needs `{word}`"
            scope.report("VSR605", message, path, _MISSING[word], key=True)
    extra = [word for word, protocol in _OWN_WORDS.items() if server.protocol != protocol]
    extra += ["model"] if facts.model == "none" else []
    extra += [] if facts.numbered else ["outputs"]
    extra += [] if task == "jailbreak" else ["labels"]
    for word in extra:
        if getattr(server, word) is not None:
            where = f"the protocol `{server.protocol}`" if word != "labels" else f"a classifier with `task: {task}`"
            scope.report("VSR605", f"{where} has no `{word}`", (*path, word), "Remove it.")
    known = _known_labels(server)
    for index, label in enumerate(server.labels or ()):
        if known is not None and label not in known:
            message = f"the protocol `{server.protocol}` has no label `{label}`"
            hint = f"Use one of: {', '.join(f'`{one}`' for one in known)}."
            scope.report("VSR605", message, (*path, "labels", index), hint)


_MISSING = {
    "model": "Set `model` to the name that the server knows.",
    "outputs": "List the model's outputs in their order, as in `id2label` of its `config.json`.",
}


def _known_labels(server: schema.ClassifierServerSpec) -> Sequence[str] | None:
    """Return all labels of a protocol or of the model's outputs; None if they are not known."""
    if server.protocol == "llama-guard":
        return LLAMA_GUARD_LABELS
    if server.protocol == "nemo-guardrails":
        return PROTOCOLS[server.protocol].labels
    return server.outputs


def _check_outputs(
    scope: Scope, policy: schema.PolicySpec, server: schema.ClassifierServerSpec, task: str, path: Path
) -> None:
    """VSR605 for labels that the model's outputs lack."""
    if server.outputs is None:
        return
    if len(set(server.outputs)) < len(server.outputs):
        scope.report("VSR605", "an output is listed twice", (*path, "outputs"), "Give each output a name of its own.")
    for label in _needed(policy, server, task):
        if label not in server.outputs:
            message = f"none of the `outputs` is `{label}`"
            hint = "Name the output after the category." if task == "category" else "Set `labels`, or name the output."
            scope.report("VSR605", message, (*path, "outputs"), hint)


def _needed(policy: schema.PolicySpec, server: schema.ClassifierServerSpec, task: str) -> Iterator[str]:
    if task == "category":
        yield from (name for name in policy.categories if name != "other")
    elif task == "jailbreak" and server.labels is None:
        yield from PROTOCOLS[server.protocol].labels


def _address(
    scope: Scope, policy: schema.PolicySpec, server: schema.ClassifierServerSpec, path: Path
) -> tuple[str, str, int, str, ir.ServiceRef | None]:
    if server.service is not None:
        address, _, port = server.service.partition(":")
        name, _, namespace = address.partition(".")
        service = ir.ServiceRef(name, namespace or policy.gateway.namespace, int(port or SERVICE_PORT))
        if not 1 <= service.port <= MAX_PORT:
            scope.report("VSR104", "expected a port between 1 and 65535", (*path, "service"))
        return "http", service.host, service.port, "", service
    url = urlsplit(server.url or "")
    host, _, text = url.netloc.lower().partition(":")
    prefix, port_number = url.path.rstrip("/"), int(text or HTTPS_PORT)
    place = (*path, "url")
    if not HOST.fullmatch(host):
        scope.report("VSR104", "expected a full host name, such as api.example.com", place)
    if not 1 <= port_number <= MAX_PORT:
        scope.report("VSR104", "expected a port between 1 and 65535", place)
    if not PATH.fullmatch(prefix) or url.query:
        scope.report("VSR104", "expected a plain path without a query, such as /v1", place)
    return "https", host, port_number, prefix, None


def _key(scope: Scope, server: schema.ClassifierServerSpec, path: Path) -> EndpointKey | None:
    key = server.api_key
    if key is None:
        return None
    if key.header in FRAMING or is_protected(key.header):
        hint = "Use the header that the server documents, such as `x-api-key`."
        scope.report("VSR288", f"no key can travel in `{key.header}`", (*path, "apiKey", "header"), hint)
    return EndpointKey(key.secret, key.key, key.header, BEARER if key.header == AUTHORIZATION else "")
