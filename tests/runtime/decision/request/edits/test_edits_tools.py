from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.program.effects import NO_TOOLS, ToolFilter
from vsr_runtime.decision.request.edits import filter_tools, tool_names
from vsr_runtime.decision.request.json_body import read_body
from vsr_runtime.decision.request.json_edits import BodyDraft


def function(name: str) -> dict[str, object]:
    """A tool of a chat."""
    return {"type": "function", "function": {"name": name, "parameters": {}}}


A, B, C = function("a"), function("b"), function("c")
ONLY_A = ToolFilter(allow=frozenset({"a"}))
NOT_A = ToolFilter(block=frozenset({"a"}))


def filtered(keep: ToolFilter, **body: object) -> dict[str, object]:
    """The body with the tools that stay."""
    draft = BodyDraft(read_body(json.dumps(body).encode()))
    filter_tools(draft, keep)
    return json.loads(draft.text())


def test_none_removes_all_that_has_to_do_with_tools():
    """Neither tools of today nor the older functions stay, nor what refers to them."""
    body = {
        "tools": [A, B],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "functions": [{"name": "a"}],
        "function_call": "auto",
        "messages": [{"role": "tool", "content": "x"}],
    }
    assert filtered(NO_TOOLS, **body) == {"messages": body["messages"]}


@pytest.mark.parametrize(
    ("keep", "tools", "kept"),
    [
        (ONLY_A, [A, B, C], [A]),
        (ONLY_A, [B, A], [A]),
        (NOT_A, [A, B, C], [B, C]),
        (NOT_A, [B, C], [B, C]),
        (ToolFilter(frozenset({"a", "b"}), frozenset({"b"})), [A, B, C], [A]),
        (NOT_A, [{"name": "b", "input_schema": {}}, {"name": "a"}], [{"name": "b", "input_schema": {}}]),
        (NOT_A, [{"type": "web_search"}, {"type": "function", "name": "a"}], [{"type": "web_search"}]),
        (NOT_A, [B, {}, 1, {"function": {}, "type": 1}], [B]),
    ],
)
def test_tools_that_are_not_kept_go(keep, tools, kept):
    """Tools of every API are matched by name; a tool without a recognisable name is removed."""
    assert filtered(keep, tools=tools) == {"tools": kept}


def test_last_tool_takes_the_list_along():
    """An empty list is no tools at all, and a choice among none is none."""
    assert filtered(ONLY_A, tools=[B], tool_choice="required", parallel_tool_calls=False, n=1) == {"n": 1}


@pytest.mark.parametrize(
    ("choice", "stays"),
    [
        ("auto", True),
        ("required", True),
        ({"type": "function", "function": {"name": "a"}}, True),
        ({"type": "function", "function": {"name": "b"}}, False),
        ({"type": "function", "name": "b"}, False),
        ({"type": "tool", "name": "b"}, False),
        ({"type": "auto", "disable_parallel_tool_use": True}, True),
        ({"type": "any"}, True),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [A]}}, True),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [A, B]}}, False),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "b"}]}, False),
        ({}, False),
    ],
)
def test_choice_of_a_removed_tool_goes(choice, stays):
    """A choice that names what is not there any more would be an error of the server."""
    out = filtered(ONLY_A, tools=[A, B], tool_choice=choice)
    assert out["tools"] == [A]
    assert ("tool_choice" in out) is stays


def test_request_without_tools_stays_as_it_is():
    """Where there are none, nothing is touched."""
    assert filtered(NO_TOOLS, tool_choice="none", tools=None) == {"tool_choice": "none", "tools": None}


@pytest.mark.parametrize("tools", ["a", {"a": A}, 1, []])
def test_tools_that_are_no_list_go(tools):
    """A list in which no tool can be recognised is removed."""
    assert filtered(ONLY_A, tools=tools, n=1) == {"n": 1}


def test_value_that_is_not_a_tool_has_no_name():
    """It has none."""
    assert [*map(tool_names, (None, [], {"name": 1}, {"type": "x"}))] == [set(), set(), set(), {"x"}]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "b", "function": {"name": "a"}},
        {"type": "function", "name": "a", "function": {"name": "b"}},
        {"type": "custom", "custom": {"name": "b"}},
        {"type": "custom", "name": "a", "custom": {"name": "b"}},
        {"type": "mcp", "name": "a", "server_url": "https://b.example"},
        {"type": "web_search", "function": {"name": "a"}},
        {"type": "function", "function": {}},
    ],
)
def test_a_name_that_another_api_reads_lets_no_tool_through(tool):
    """Chats read a function's name, the other APIs the tool's own, and of what a server brings they read the type."""
    assert filtered(ONLY_A, tools=[A, tool]) == {"tools": [A]}
    assert filtered(ToolFilter(block=frozenset({"b", "mcp", "web_search"})), tools=[A, tool]) == {"tools": [A]}


def test_tools_of_all_apis_are_known_by_their_names():
    """Custom ones of chats, and Anthropic's, whose types bear a date."""
    dated = {"type": "text_editor_20250728", "name": "a"}
    custom = {"type": "custom", "custom": {"name": "a"}}
    assert filtered(ONLY_A, tools=[dated, custom, B]) == {"tools": [dated, custom]}


def test_servers_of_tools_and_searches_are_tools():
    """They go where no tools are wanted, and stay where they are allowed by name."""
    body = {"mcp_servers": [{"type": "url", "url": "https://b.example", "name": "b"}], "web_search_options": {}, "n": 1}
    assert filtered(NO_TOOLS, **body) == {"n": 1}
    assert filtered(ToolFilter(allow=frozenset({"b", "web_search"})), **body) == body
