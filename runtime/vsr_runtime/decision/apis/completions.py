"""Reads OpenAI's older completions."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.apis.parts import size
from vsr_runtime.decision.view import UnreadableError, View


def view_of_completion(body: Mapping[str, object]) -> View:
    """The view of a completion: ``prompt`` is a text or several, joined by newlines, and counts as one user message.

    Raises:
        UnreadableError: the prompt is missing, or is given as token ids, which nobody here can read.
    """
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        return View(prompt, size(prompt), ("user",), history=(prompt,))
    if isinstance(prompt, list) and prompt and all(isinstance(text, str) for text in prompt):
        return View("\n".join(prompt), sum(map(size, prompt)), ("user",), history=tuple(prompt))
    raise UnreadableError("'prompt' must be text; token ids need a model name instead of an auto name", "prompt")
