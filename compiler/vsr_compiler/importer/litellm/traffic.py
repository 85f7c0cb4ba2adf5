"""Fallbacks, retries, timeouts and the cache: what a policy has on routes and on its default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.litellm.models import Models
from vsr_compiler.importer.values import Fields, boolean, child, items, number, text, texts
from vsr_compiler.syntax.nodes import Mapping

MAX_FALLBACKS = 4
MAX_ATTEMPTS = 8
MAX_TIMEOUT = 86_400
_KINDS = {"context_window_fallbacks": "a prompt is too long", "content_policy_fallbacks": "a provider refuses content"}


def fallbacks(sections: Iterable[Fields]) -> dict[str, tuple[list[str], Span]]:
    """Return the groups that are asked after a group fails, by its name."""
    found: dict[str, tuple[list[str], Span]] = {}
    for section in sections:
        for entry in items(section.take("fallbacks")):
            if isinstance(entry, Mapping):
                for group, (span, value) in entry.entries.items():
                    names = [
                        text(child(item, "model")) if isinstance(item, Mapping) else text(item) for item in items(value)
                    ]
                    found.setdefault(group, ([name for name in names if name], span))
        default = section.take("default_fallbacks")
        if default is not None:
            found.setdefault("*", (texts(default), default.span))
    return found


def apply_fallbacks(sections: list[Fields], models: Models, job: Job) -> None:
    """Write ``fallback`` and ``retry`` to routes and the default; report those of models that clients name."""
    wanted = fallbacks(sections)
    retries = max((found for section in sections if (found := section.integer("num_retries")) is not None), default=0)
    by_model = {names[0]: group for group, names in models.names.items()}
    default = job.draft.sections.get("default")
    entries: list[dict[str, Any]] = list(job.draft.sections.get("routes", []))
    for entry in [*entries, default] if isinstance(default, dict) else entries:
        group = by_model.get(entry["model"], "")
        chain = _chain(group, wanted, models)
        if chain:
            entry["fallback"] = [name for name in chain if name != entry["model"]][:MAX_FALLBACKS]
        elif retries > 0:
            entry["retry"] = {"attempts": min(MAX_ATTEMPTS, retries + 1)}
    _report_fallbacks(wanted, models, job)
    for section in sections:
        for key, why in _KINDS.items():
            if section.has(key):
                more = "A longer request never reaches a model whose `context` it exceeds; see `router.overflow`."
                hint = more if key.startswith("context") else "Such an answer goes to the client."
                job.losses.add("VSR545", f"no model is asked when {why} (`{key}`)", section.at(key), hint)
                section.taken.add(key)


def _chain(group: str, wanted: dict[str, tuple[list[str], Span]], models: Models) -> list[str]:
    """Return the models that are asked after that of a group: of its fallbacks, and its own further deployments."""
    names = wanted.get(group, wanted.get("*", ([], None)))[0]
    chain = models.names.get(group, [])[1:]
    chain += [models.names[name][0] for name in names if name in models.names and name != group]
    return list(dict.fromkeys(chain))


def _report_fallbacks(wanted: dict[str, tuple[list[str], Span]], models: Models, job: Job) -> None:
    hint = "A request that names a model gets it or its error. Let clients send `auto`, or repeat in the client."
    for group, (names, span) in wanted.items():
        for name in names:
            if name not in models.names:
                job.losses.group("VSR545", "fallbacks to models that the policy does not have", name, span)
        if group in models.names or group == "*":
            job.losses.group("VSR545", "fallbacks that hold only if the router chooses the model", group, span, hint)


def apply_timeout(sections: list[Fields], job: Job) -> None:
    """Write the timeout of whole requests."""
    for section, key in ((sections[0], "request_timeout"), (sections[1], "timeout")):
        seconds = section.number(key)
        if seconds is not None and 0 < seconds <= MAX_TIMEOUT:
            job.draft.mapping("gateway")["timeout"] = f"{int(seconds * 1000)}ms" if seconds % 1 else f"{int(seconds)}s"


def apply_cache(settings: Fields, job: Job) -> None:
    """Write the response cache to the routes."""
    enabled, params = settings.boolean("cache"), settings.fields("cache_params")
    if enabled is not True:
        return
    span = settings.at("cache")
    body: dict[str, Any] = {}
    ttl = number(params.take("ttl"))
    if ttl is not None and 1 <= ttl <= MAX_TIMEOUT * 30:
        body["ttl"] = f"{int(ttl)}s"
    semantic = "semantic" in params.text("type")
    routes = job.draft.sections.get("routes", [])
    for route in routes:
        if params.text("mode") != "default_off":
            route["cache"] = dict(body)
    what = "the cache holds for routes only" if routes else "responses are not cached: the policy has no route"
    if semantic:
        what += ", and for identical requests only: the similarity of the source is for another encoder"
    hint = "Requests that name a model are not cached. Each client has its own responses, unless `scope` is `global`."
    job.losses.add("VSR558", what, span, hint)


def alias_entries(sections: list[Fields]) -> dict[str, tuple[str, Span]]:
    """Return ``model_group_alias``: further names of groups."""
    found: dict[str, tuple[str, Span]] = {}
    for section in sections:
        node = section.take("model_group_alias")
        if isinstance(node, Mapping):
            for alias, (span, value) in node.entries.items():
                group = text(value) or text(child(value, "model"))
                if group and boolean(child(value, "hidden")) is not True:
                    found.setdefault(alias, (group, span))
    return found


def write_aliases(sections: list[Fields], models: Models, job: Job) -> None:
    """Write a model for each alias, with the endpoints of its group."""
    for alias, (group, span) in alias_entries(sections).items():
        if alias in models.names:
            continue
        if group not in models.names:
            job.losses.add("VSR545", f"the alias `{alias[:60]}` is of no model of the file", span, "Correct it.")
            continue
        source: dict[str, Any] = job.draft.mapping("models")[models.names[group][0]]
        name = job.names.new("model", alias, span)
        job.draft.mapping("models")[name] = {
            **source,
            "providerModel": source.get("providerModel", models.names[group][0]),
        }
        models.names[alias] = [name]


def rest(section: Fields, name: str, read: frozenset[str], job: Job) -> None:
    """Report the keys of a section that mean nothing to a policy, in one note."""
    section.taken.update(read)
    for key, span, _ in section.rest():
        job.losses.group("VSR549", "settings without a counterpart", f"{name}.{key}", span)
