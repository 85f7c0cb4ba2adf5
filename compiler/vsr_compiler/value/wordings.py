"""Other wordings of a prompt that mean the same: a policy that switches its decision for one of them is fragile."""

from __future__ import annotations

import random
from collections.abc import Callable

Wording = Callable[[str, random.Random], str]


def _capitals(prompt: str, draw: random.Random) -> str:
    del draw
    return prompt.upper()


def _small(prompt: str, draw: random.Random) -> str:
    del draw
    return prompt.lower()


def _spaces(prompt: str, draw: random.Random) -> str:
    del draw
    return f"  {prompt.replace(' ', '  ')}\n\n"


def _quotes(prompt: str, draw: random.Random) -> str:
    del draw
    return prompt.replace("'", "\u2019").replace(' "', " \u201c").replace('"', "\u201d").replace("-", "\u2013")


def _polite(prompt: str, draw: random.Random) -> str:
    before = draw.choice(("Hello! ", "Could you help me with this? ", "Please answer: ", "I have a question. "))
    return before + prompt + draw.choice((" Thanks!", " Thank you.", ""))


def _instructed(prompt: str, draw: random.Random) -> str:
    after = draw.choice(("Answer briefly.", "Think step by step.", "Answer in one paragraph.", "Answer:"))
    return f"{prompt}\n\n{after}"


def _quoted(prompt: str, draw: random.Random) -> str:
    del draw
    return "\n".join(f"> {line}" for line in prompt.split("\n"))


def _typos(prompt: str, draw: random.Random) -> str:
    """Exchange two neighbouring letters in about one of eight longer words."""
    words = prompt.split(" ")
    for index, word in enumerate(words):
        if len(word) > LONG and word.isalpha() and draw.random() < OFTEN:
            place = draw.randrange(1, len(word) - 2)
            words[index] = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return " ".join(words)


LONG, OFTEN = 4, 0.125
WORDINGS: dict[str, Wording] = {
    "capitals": _capitals,
    "small letters": _small,
    "more spaces": _spaces,
    "typographic quotes": _quotes,
    "polite": _polite,
    "with an instruction": _instructed,
    "quoted": _quoted,
    "typos": _typos,
}
"""Wordings by name: of the format, and of what people add. Paraphrases of meaning are data that a user gives."""


def reworded(prompt: str, name: str, seed: str) -> str:
    """Return another wording of a prompt. The same seed gives the same text."""
    return WORDINGS[name](prompt, random.Random(f"{name}/{seed}"))  # noqa: S311 - the same text in every run
