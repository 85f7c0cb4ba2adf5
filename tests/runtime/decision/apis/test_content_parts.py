"""Content parts as clients send them: plain texts, parts without a type, and media of every kind."""

from __future__ import annotations

import pytest

from vsr_runtime.decision.apis.anthropic import view_of_message
from vsr_runtime.decision.apis.openai import view_of_chat, view_of_response


def chat(*parts):
    """The view of a chat with one message of these parts."""
    return view_of_chat({"messages": [{"role": "user", "content": list(parts)}]})


def test_plain_texts_in_a_list_of_parts_are_text() -> None:
    """Some clients send content as a list of strings, and vLLM accepts it."""
    assert chat("what is", {"type": "text", "text": "2+2"}, "?").turn == "what is\n2+2\n?"
    message = {"role": "user", "content": ["hello", {"type": "tool_result", "content": ["17"]}]}
    view = view_of_message({"messages": [message]})
    assert (view.turn, view.history) == ("hello", ("hello", "17"))
    items = [{"role": "user", "content": ["hello"]}]
    assert view_of_response({"input": items}).turn == "hello"


def test_a_part_without_a_type_is_what_its_key_says() -> None:
    """Signals and guards read such parts, because vLLM does."""
    view = chat({"text": "look"}, {"image_url": {"url": "https://x.org/a.png"}})
    assert (view.turn, view.images, view.modalities) == ("look", 1, {"image"})


@pytest.mark.parametrize(
    ("modality", "part"),
    [
        ("image", {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}),
        ("image", {"type": "image_embeds", "image_embeds": "AA=="}),
        ("image", {"type": "input_image", "file_id": "f"}),
        ("audio", {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
        ("audio", {"type": "audio_url", "audio_url": {"url": "https://x.org/a.wav"}}),
        ("video", {"type": "video_url", "video_url": {"url": "https://x.org/a.mp4"}}),
        ("file", {"type": "file", "file": {"file_id": "f"}}),
        ("file", {"type": "input_file", "file_id": "f"}),
        ("audio", {"audio_url": {"url": "https://x.org/a.wav"}}),
    ],
)
def test_media_are_recognised_in_every_message(modality, part) -> None:
    """An earlier message counts as well: the model gets the whole conversation."""
    messages = [{"role": "user", "content": [part]}, {"role": "user", "content": "and?"}]
    assert view_of_chat({"messages": messages}).modalities == {modality}
    assert view_of_response({"input": messages}).modalities == {modality}


def test_anthropic_media_are_recognised_in_messages_and_tool_results() -> None:
    """A document whose text is in the request is text, every other one a file."""
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}}
    note = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hello"}}
    image = {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}

    def modalities(*parts):
        return view_of_message({"messages": [{"role": "user", "content": list(parts)}]}).modalities

    assert modalities(pdf) == {"file"}
    assert modalities(note) == frozenset()
    assert modalities({"type": "tool_result", "content": [image]}, {"type": "text", "text": "what?"}) == {"image"}


def test_a_stored_prompt_can_take_the_place_of_the_input() -> None:
    """Its variables are what this request says; the rest is at the provider."""
    view = view_of_response({"prompt": {"id": "pmpt_1", "variables": {"city": "Rome", "map": {"type": "input_image"}}}})
    assert (view.turn, view.modalities) == ("Rome", {"image"})
    assert view_of_response({"prompt": {"id": "pmpt_1"}}).turn == ""
