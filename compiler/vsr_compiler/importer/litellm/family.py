"""Recognition of LiteLLM's configurations, and their reading into a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.family import Family, Job, Recognised
from vsr_compiler.importer.litellm import access, auto_router, guardrails, settings, traffic
from vsr_compiler.importer.litellm.deployments import ModelList, read_models
from vsr_compiler.importer.litellm.models import Models, write_models, write_placeholder
from vsr_compiler.importer.providers import NeededSecrets
from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.values import Fields, child, items, text, texts
from vsr_compiler.syntax.nodes import Mapping, Node

CONFIG = "LiteLLM config"
VALUES = "LiteLLM Helm values"
ROUTES = "LiteLLM auto router routes"
TRANSLATING = "ai-gateway"
"""The target that translates requests for providers with an API of their own."""
AUTO_NAMES = ("auto", "MoM")
_SECTIONS = (*settings.READ, "environment_variables")


def recognise(part: Part) -> str:
    """Return the form of a document; empty if it is not LiteLLM's."""
    if _is_config(part.node):
        return CONFIG
    if _is_config(child(part.node, "proxy_config")):
        return VALUES
    routes = items(child(part.node, "routes"))
    if routes and all(child(route, "utterances") is not None for route in routes):
        return ROUTES
    return ""


def _is_config(node: Node | None) -> bool:
    entries = items(child(node, "model_list"))
    if any(child(entry, "litellm_params") is not None for entry in entries):
        return True
    others = ("litellm_settings", "router_settings", "general_settings")
    return isinstance(node, Mapping) and (
        ("model_list" in node.entries and any(key in node.entries for key in others))
        or ("litellm_settings" in node.entries and "guardrails" in node.entries)
        or sum(key in node.entries for key in others) > 1
    )


@dataclass(slots=True)
class _Merged:
    """The sections of all files together."""

    entries: list[Node] = field(default_factory=list)
    guardrails: list[Node] = field(default_factory=list)
    credentials: dict[str, Mapping] = field(default_factory=dict)
    sections: dict[str, Fields] = field(default_factory=dict)


def read(documents: Sequence[Recognised], job: Job) -> None:
    """Read configurations, and the files of routes that they name."""
    files = {part.file.rpartition("/")[2]: part.node for form, part in documents if form == ROUTES and part.node}
    merged, span = _merge(documents, job), documents[0][1].span
    needed = NeededSecrets()
    listed = read_models(merged.entries, merged.credentials)
    for place in listed.broken:
        hint = "Write `model_name`, and `litellm_params` with `model`."
        job.losses.add("VSR542", "an entry of `model_list` has no name or no model: it is left out", place, hint)
    for own, place in listed.unknown:
        message = f"the credential `{own}` is not in `credential_list`, so its values are missing"
        job.losses.add("VSR542", message, place, "Define it, or import the file that defines it as well.")
    models = write_models(listed.deployments, job, needed)
    sections = merged.sections
    both = [sections["litellm_settings"], sections["router_settings"]]
    traffic.write_aliases(both, models, job)
    _write_default(_write_routers(listed, models, job, files), models, sections, job, needed, span)
    traffic.apply_fallbacks(both, models, job)
    traffic.apply_timeout(both, job)
    traffic.apply_cache(sections["litellm_settings"], job)
    guardrails.write_guards(merged.guardrails, sections["litellm_settings"], job)
    access.write_access(sections["general_settings"], sections["environment_variables"], job, needed)
    access.write_limits(listed.deployments, sections, models, job)
    for name, keys in settings.READ.items():
        traffic.rest(sections[name], name, keys | settings.ACCESS.keys(), job)
    _choose_target(models, job)
    needed.report(job.losses)


def _merge(documents: Sequence[Recognised], job: Job) -> _Merged:  # noqa: C901 - one branch for each section
    """Return the sections of all configurations. Of a repeated setting the first one counts."""
    merged = _Merged()
    passed = {part.file.rpartition("/")[2] for _, part in documents}
    parts: dict[str, Mapping] = {}
    for form, part in documents:
        root = child(part.node, "proxy_config") if form == VALUES else part.node
        if form == ROUTES or not isinstance(root, Mapping):
            continue
        fields = Fields.of(root, "", part.span)
        merged.entries += fields.items("model_list")
        merged.guardrails += fields.items("guardrails")
        _add_credentials(fields, merged, job)
        for file in fields.texts("include"):
            if file.rpartition("/")[2] not in passed:
                hint = "Pass the file to `import` as well."
                message = f"`include` names `{file[:80]}`, which was not passed"
                job.losses.add("VSR553", message, fields.value_at("include"), hint, Severity.ERROR)
        for name in _SECTIONS:
            body = fields.take(name)
            if isinstance(body, Mapping):
                known = parts.setdefault(name, Mapping(body.span))
                for key, entry in body.entries.items():
                    known.entries.setdefault(key, entry)
        for key, where, _ in fields.rest():
            if not key.startswith("x-"):
                job.losses.group("VSR549", "settings without a counterpart", key, where)
    merged.sections = {name: Fields.of(parts.get(name), name, documents[0][1].span) for name in _SECTIONS}
    for _, value in merged.sections["environment_variables"].node.entries.values():
        job.losses.secrets.add(value)
    return merged


def _add_credentials(fields: Fields, merged: _Merged, job: Job) -> None:
    """Add the named credentials of a file, and hide them."""
    for entry in fields.items("credential_list"):
        values = child(entry, "credential_values")
        if isinstance(values, Mapping):
            name = text(child(entry, "credential_name"))
            if name in merged.credentials:
                message = f"the credential `{name}` is defined twice: the first counts"
                job.losses.add("VSR543", message, entry.span, "Give it another name.")
            merged.credentials.setdefault(name, values)
            for key, (_, value) in values.entries.items():
                if "key" in key or "secret" in key or "token" in key:
                    job.losses.secrets.add(value)


def _write_routers(listed: ModelList, models: Models, job: Job, files: dict[str, Node]) -> str:
    """Write the auto routers. Return the model of requests that no route matches; empty without a router."""
    default = ""
    for index, item in enumerate(listed.routers):
        if index:
            hint = "Import it to a policy of its own: a policy decides in one way for all its names."
            message = f"`{item.group}` is a second auto router: its routes are left out"
            job.losses.add("VSR550", message, item.span, hint, Severity.ERROR)
            continue
        routed = auto_router.write_router(item, models, job, files)
        default = routed.default
        job.draft.mapping("router")["autoModels"] = [job.names.new("model", item.group, item.span)]
    return default


def _write_default(
    chosen: str, models: Models, sections: dict[str, Fields], job: Job, needed: NeededSecrets, span: Span
) -> None:
    """Write the model of requests that name none, and a placeholder if the file has no model at all."""
    wanted = sections["general_settings"].text("completion_model")
    fallback = [name for section in sections.values() for name in texts(child(section.node, "default_fallbacks"))]
    candidates = [wanted, *fallback, *models.chat, *models.names]
    default = chosen or next((models.names[name][0] for name in candidates if name in models.names), "")
    if not default:
        hint = "Write the models that clients use, and their endpoints."
        severity = Severity.WARNING if models.wildcards else Severity.ERROR
        message = "no model could be carried over: the policy has a placeholder, `replace-me`"
        job.losses.add("VSR542", message, span, hint, severity)
        default = write_placeholder(models, job, needed, span)
    job.draft.sections["default"] = {"model": default}
    if not chosen:
        job.draft.comment(("default",), "For requests that let the router choose; clients that name a model get it.")
    if not chosen and any(name in AUTO_NAMES for name in job.draft.mapping("models")):
        job.draft.mapping("router")["autoModels"] = ["vsr-auto"]


def _choose_target(models: Models, job: Job) -> None:
    """Choose the target that translates, if a provider needs it and the user has named none."""
    if not models.translated:
        return
    schema, span = next(iter(models.translated.items()))
    if not job.options.target:
        job.draft.sections["environments"] = {"dev": {"target": TRANSLATING}}
        hint = "Agent Router translates chat requests for it; others send them unchanged. Use --target for another."
        job.losses.add("VSR559", f"the target is `{TRANSLATING}`, because of the API `{schema}`", span, hint)


FAMILY = Family("LiteLLM", recognise, read)
