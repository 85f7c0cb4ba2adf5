"""Takes tools away that the model must not see."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.program.effects import ToolFilter
from runtime.request.body import scan_list
from runtime.request.draft import Draft
from runtime.request.splice import removed

LISTS = {"tools": ("tool_choice", "parallel_tool_calls"), "functions": ("function_call",)}
"""The fields that list tools, today's and the older one, each with those that mean nothing without it."""


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
        names = [name_of(tool) for tool in given]
        which = {i for i, name in enumerate(names) if not keep.keeps(name)}
        if len(which) == len(given):
            draft.remove(field, *referring)
        elif which:
            _, spans = scan_list(draft.body.text, draft.body.members.spans[field].value)
            draft.within(field, removed(spans, which))
            kept = frozenset(name for name in names if keep.keeps(name))
            if not _chosen(draft.get(referring[0])) <= kept:
                draft.remove(referring[0])


def name_of(tool: object) -> str | None:
    """What a tool is called: its function's name, its own, or the type of one that the server brings."""
    if not isinstance(tool, Mapping):
        return None
    function = tool.get("function")
    holder = function if isinstance(function, Mapping) else tool
    name = holder.get("name", tool.get("type"))
    return name if isinstance(name, str) else None


def _chosen(choice: object) -> frozenset[str | None]:
    """The tools that a choice names; none where it is a word such as ``auto``."""
    if not isinstance(choice, Mapping):
        return frozenset()
    if choice.get("type") in ("auto", "any", "none"):
        return frozenset()
    allowed = choice.get("allowed_tools")
    listed = (allowed if isinstance(allowed, Mapping) else choice).get("tools")
    if isinstance(listed, list):
        return frozenset(map(name_of, listed))
    return frozenset({name_of(choice)})
