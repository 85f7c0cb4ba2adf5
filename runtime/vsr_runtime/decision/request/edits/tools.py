"""Takes tools away that the model must not see."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vsr_runtime.decision.program.effects import ToolFilter
from vsr_runtime.decision.request.body import scan_list
from vsr_runtime.decision.request.draft import Draft
from vsr_runtime.decision.request.splice import removed

LISTS = {"tools": ("tool_choice", "parallel_tool_calls"), "functions": ("function_call",), "mcp_servers": ()}
"""The fields that list tools, today's, the older one, and servers of tools, each with what means nothing without it."""
ALONE = {"web_search_options": "web_search"}
"""Fields that are a tool by themselves, and what it is called."""
_PLAIN = frozenset({"custom", "function", "tool", "url"})
"""Types that say no more than that it is a tool."""
_DATED = re.compile(r"_\d{8}$")
"""How Anthropic's types end; those tools have names as well, which it sees to."""


def filter_tools(draft: Draft, keep: ToolFilter) -> None:
    """Remove the tools that are not kept; with the last of them its list and what refers to it.

    A choice that names a removed tool is removed, which leaves the choice to the model. What earlier messages say of
    tools stays.
    """
    for field, referring in LISTS.items():
        given = draft.get(field)
        if given is None:
            continue
        if not isinstance(given, list):  # whatever it is, no tool can be told from it
            draft.remove(field, *referring)
            continue
        names = [names_of(tool) for tool in given]
        which = {i for i, each in enumerate(names) if not each or not all(map(keep.keeps, each))}
        if len(which) == len(given):
            draft.remove(field, *referring)
        elif which:
            _, spans = scan_list(draft.body.text, draft.body.members.spans[field].value)
            draft.within(field, removed(spans, which))
            kept = frozenset(name for i, each in enumerate(names) if i not in which for name in each)
            for choice in referring[:1]:
                if not _chosen(draft.get(choice)) <= kept:
                    draft.remove(choice)
    for field, name in ALONE.items():
        if draft.get(field) is not None and not keep.keeps(name):
            draft.remove(field)


def names_of(tool: object) -> frozenset[str | None]:
    """All that some server may take for a tool's name: its function's, its own, and the type of what a server brings.

    Servers read but one of them, and each API another one; so none may say what the others do not.
    """
    if not isinstance(tool, Mapping):
        return frozenset()
    holders = [tool, *(tool[key] for key in ("function", "custom") if isinstance(tool.get(key), Mapping))]
    found = {holder["name"] for holder in holders if isinstance(holder.get("name"), str)}
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in _PLAIN and not (found and _DATED.search(kind)):
        found.add(kind)
    return frozenset(found)


def _chosen(choice: object) -> frozenset[str | None]:
    """The tools that a choice names; none where it is a word such as ``auto``."""
    if not isinstance(choice, Mapping):
        return frozenset()
    if choice.get("type") in ("auto", "any", "none"):
        return frozenset()
    allowed = choice.get("allowed_tools")
    listed = (allowed if isinstance(allowed, Mapping) else choice).get("tools")
    if isinstance(listed, list):
        return frozenset(name for tool in listed for name in names_of(tool) or {None})
    return names_of(choice) or frozenset({None})
