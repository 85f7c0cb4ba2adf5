from __future__ import annotations

from vsr_runtime.decision.apis.anthropic import view_of_message
from vsr_runtime.decision.apis.openai import view_of_chat, view_of_completion, view_of_response
from vsr_runtime.decision.ask.transcript import Entry


def roles(transcript: tuple[Entry, ...]) -> list[tuple[str, tuple[str, ...], int]]:
    """Return role, texts and calls of each entry."""
    return [(entry.role, entry.texts, entry.calls) for entry in transcript]


def test_a_chat_is_a_transcript_of_persons_assistants_tools_and_instructions() -> None:
    """Roles of the API become roles of the transcript, and calls are counted."""
    view = view_of_chat(
        {
            "messages": [
                {"role": "developer", "content": "be kind"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {}}, {"type": "text", "text": "hi"}]},
                {"role": "assistant", "content": None, "tool_calls": [{}, {}]},
                {"role": "tool", "content": "42"},
            ]
        }
    )
    assert roles(view.transcript) == [
        ("system", ("be kind",), 0),
        ("person", ("hi",), 0),
        ("assistant", (), 2),
        ("tool", ("42",), 0),
    ]
    assert view.transcript[1].part(0) == 1


def test_tool_results_in_a_user_message_are_entries_of_tools() -> None:
    """A result precedes what the harness wrote next to it."""
    blocks = [{"type": "tool_result", "content": "42"}, {"type": "text", "text": "note"}]
    view = view_of_message({"system": "rules", "messages": [{"role": "user", "content": blocks}]})
    assert roles(view.transcript) == [("system", ("rules",), 0), ("tool", ("42",), 0), ("person", ("note",), 0)]


def test_every_call_and_output_item_of_a_responses_request_is_an_entry() -> None:
    """Items of any kind keep their place; reasoning has no entry."""
    items = [
        {"role": "user", "content": "hi"},
        {"type": "reasoning", "summary": []},
        {"type": "custom_tool_call", "name": "patch", "input": ""},
        {"type": "custom_tool_call_output", "output": "Done."},
        {"type": "function_call_output", "output": "42"},
    ]
    view = view_of_response({"instructions": "rules", "input": items})
    assert roles(view.transcript) == [
        ("system", ("rules",), 0),
        ("person", ("hi",), 0),
        ("assistant", (), 1),
        ("tool", (), 0),
        ("tool", ("42",), 0),
    ]


def test_the_prompts_of_a_completion_are_one_entry() -> None:
    """The prompt counts as one message by a person."""
    assert roles(view_of_completion({"prompt": ["a", "b"]}).transcript) == [("person", ("a", "b"), 0)]
