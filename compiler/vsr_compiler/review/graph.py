"""Renders a linked policy as a Mermaid flowchart: clients, guards, routes in order of evaluation, models, endpoints.

Names become quoted labels with special characters as entities, and are never identifiers, so no name can break the
syntax.
"""

from __future__ import annotations

import re

from vsr_compiler import ir

MAX_LABEL = 80
_LIST = re.compile(r"(?:\d+\.|-)(?=\s)")
"""The beginning of a label that Mermaid would render as a Markdown list."""


def mermaid(policy: ir.Policy) -> str:
    """Return the flowchart, ending in a line break."""
    endpoints = {endpoint.name: f"e{index}" for index, endpoint in enumerate(policy.endpoints)}
    models = {model.name: f"m{index}" for index, model in enumerate(policy.models)}
    lines = ["flowchart LR", f"  clients([{label('clients')}])", f"  auto[{label(*policy.router.auto_models)}]"]
    entrance = "clients"
    if policy.guards:
        lines.append(f"  guards{{{{{label(*(f'{guard.name}: {guard.action.name}' for guard in policy.guards))}}}}}")
        lines.append("  clients --> guards")
        entrance = "guards"
    lines.append(f"  {entrance} --> auto")
    lines += [f"  {models[model.name]}[{label(model.name)}]" for model in policy.models]
    lines += [f"  {endpoints[endpoint.name]}[({label(endpoint.name, endpoint.host)})]" for endpoint in policy.endpoints]
    lines += _routes(policy, models)
    lines += [f"  {entrance} -. {label('by name')} .-> {models[model.name]}" for model in policy.models]
    for model in policy.models:
        total = sum(weight for _, weight in model.endpoints)
        lines += [
            _arrow(models[model.name], endpoints[endpoint.name], _share(weight, total))
            for endpoint, weight in model.endpoints
        ]
    return "\n".join(lines) + "\n"


def label(*lines: str) -> str:
    """Return lines of text as a quoted Mermaid label. Long lines are cut."""
    return '"' + "<br/>".join(_safe(line) for line in lines) + '"'


def _routes(policy: ir.Policy, models: dict[str, str]) -> list[str]:
    """Return the routes as a chain of decisions that ends at the default model."""
    lines, before, answer = [], "auto", ""
    for index, route in enumerate(policy.routes):
        name = f"r{index}"
        lines.append(f"  {name}{{{label(route.name, ir.words(route.when))}}}")
        lines.append(_arrow(before, name, answer))
        total = sum(share for _, share in route.models)
        for model, share in route.models:
            part = _share(share, total)
            lines.append(_arrow(name, models[model.name], f"yes, {part}" if part else "yes"))
        lines += _fallbacks(name, route, models)
        if not route.models:
            lines.append(f"  a{index}[/{label(route.respond or '')}/]")
            lines.append(_arrow(name, f"a{index}", "yes"))
        before, answer = name, "no"
    lines.append(_arrow(before, models[policy.default.name], "default" if answer else ""))
    if policy.default_route is not None:
        lines += _fallbacks(before, policy.default_route, models)
    return lines


def _fallbacks(start: str, route: ir.Route, models: dict[str, str]) -> list[str]:
    """Return an arrow to each model that is asked if those before it fail."""
    others = route.retry.models if route.retry is not None else ()
    return [
        f"  {start} -. {label(f'fallback {number}')} .-> {models[model.name]}" for number, model in enumerate(others, 1)
    ]


def _arrow(start: str, end: str, text: str) -> str:
    return f"  {start} -- {label(text)} --> {end}" if text else f"  {start} --> {end}"


def _share(part: int, total: int) -> str:
    """Return a share in per cent; nothing for the whole."""
    return "" if part == total else f"{100 * part / total:.3g} %" if total else "0 %"


def _safe(text: str) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
    head = _LIST.match(text)
    mark = head.end() - 1 if head else -1
    return "".join(_entity(c) if index == mark else _character(c) for index, c in enumerate(text)) or " "


def _character(c: str) -> str:
    return c if c.isalnum() or c in " -_.,/:%…" else _entity(c)


def _entity(c: str) -> str:
    return f"#{ord(c)};"
