"""Tokenising is bounded by tokens: no step of it depends on how long a text is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.inference.engine import tokenising
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.inference.engine.tokenising import LARGE, Tokenising
from vsr_runtime.inference.text_segments import MAX_RUN, SEGMENT, segments
from vsr_runtime.inference.tokenizer import TextTokenizer, Tokens

EIGHT_MIB = 8 << 20
FAMILIES = {
    "one word": "x",
    "digits": "0123456789",
    "base64": "QUJDRGVm+/",
    "emoji": "😀",
    "combining marks": "e\u0301\u0302\u0303\u0304",
    "ideographs": "日本語",
    "blanks": " \n\t",
    "words": "word ",
    "long words": "x" * 300 + " ",
    "nothing that is read": "\u200b" * 300 + " " * 300,
    "brackets": ")",
    "half a surrogate pair": "\ud800",
}


class Counting:
    """A tokenizer that counts what it is given."""

    def __init__(self, tokenizer, *, word_piece: bool) -> None:
        self._tokenizer = tokenizer
        self.sizes: list[int] = []
        self.model = SimpleNamespace(max_input_chars_per_word=100) if word_piece else SimpleNamespace()

    def encode(self, text, *, add_special_tokens):
        """For the special tokens only."""
        return self._tokenizer.encode(text, add_special_tokens=add_special_tokens)

    def encode_batch(self, texts, *, add_special_tokens):
        """One segment."""
        self.sizes += map(len, texts)
        return self._tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)

    def no_padding(self) -> None:
        """Nothing."""

    def no_truncation(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("word_piece", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_reading_the_beginning_of_a_text_is_bounded_by_tokens(encoder, name, word_piece):
    """Of 8 MiB of anything as much is tokenised as the tokens take, in small segments."""
    counting = Counting(encoder._tokenizer._tokenizer, word_piece=word_piece)
    piece = FAMILIES[name]
    text = piece * (EIGHT_MIB // len(piece.encode("utf-8", "replace")))
    (tokens,) = TextTokenizer(counting)([text], 254)
    assert len(tokens.ids) <= 254
    assert max(counting.sizes) <= SEGMENT
    assert sum(counting.sizes) <= 254 * 512 + SEGMENT
    if word_piece and name in {"one word", "blanks", "emoji"}:
        assert sum(counting.sizes) <= MAX_RUN


@pytest.mark.parametrize("word", ["x", "😀", "e\u0301", "7", "Ж"])
def test_long_words_have_the_ids_of_their_beginning(encoder, word):
    """A model reads a word over 100 characters as unknown; what comes after it is read as ever."""
    long, cut = (
        f"Solve {word * length} now, and {word * length}." for length in (200_000, 101 if len(word) == 1 else 201)
    )
    assert encoder.token_ids(long) == encoder.token_ids(cut)
    (tokens,) = encoder._tokenizer([long])
    begin, end = tokens.offsets[-2]
    assert long[tokens.offsets[-1][0] : tokens.offsets[-1][1]] == "."
    assert begin < end <= len(long)


TEXTS = st.lists(
    st.sampled_from(
        [*FAMILIES.values(), "x" * 255, "x" * 256, "x" * 257, " " * 257, "word " * 2000, "日" * 9000, "(a+b)"]
    ),
    max_size=8,
).map("".join)


@given(TEXTS)
@examples(50)
def test_segments_are_the_text(text):
    """All of it, in order; with long runs skipped, at least their beginnings and all the rest."""
    assert "".join(segment for _, segment in segments(text, skip_runs=False)) == text
    last = 0
    for start, segment in segments(text, skip_runs=True):
        assert text[start : start + len(segment)] == segment
        assert 0 < len(segment) <= SEGMENT
        skipped = text[last:start]
        assert not skipped or skipped.isspace() or not any(map(str.isspace, skipped))
        last = start + len(segment)


@given(
    st.lists(st.sampled_from(["a", "word", " ", "  ", "é", "日本", ",", ".", "\n", "😀", "x" * 90]), max_size=4000).map(
        "".join
    )
)
@examples(20)
def test_segments_do_not_change_ids(encoder, text):
    """A text that is read in several segments has the ids and offsets of the whole."""
    whole = encoder._tokenizer._tokenizer.encode(text, add_special_tokens=False)
    (tokens,) = encoder._tokenizer([text])
    assert list(tokens.ids) == whole.ids
    assert list(tokens.offsets) == whole.offsets


class Slow:
    """A tokenizer whose long texts take until somebody ends them."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0

    def __call__(self, texts, at_most=None, progress=lambda _: None):
        """Tokenise."""
        del at_most
        if len(texts[0]) >= LARGE:
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                while True:
                    progress(1)
            finally:
                self.running -= 1
        return [Tokens([1], [(0, 1)]) for _ in texts]


def test_long_texts_leave_a_thread_for_the_others():
    """Any number of them is tokenised one at a time, and none goes on once nobody waits."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        slow = Slow()
        tokenise = Tokenising(slow)
        hostile = [asyncio.ensure_future(tokenise(["x" * LARGE], None, loop.time() + 0.3)) for _ in range(6)]
        await asyncio.sleep(0.05)
        for _ in range(20):
            assert len(await tokenise(["small", "texts"], None, loop.time() + 5)) == 2
        results = await asyncio.gather(*hostile, return_exceptions=True)
        assert all(isinstance(result, TimeoutError) for result in results)
        assert slow.most == 1
        assert len(await tokenise(["small"], None, loop.time() + 5)) == 1
        tokenise.close()

    asyncio.run(scenario())


def test_more_tokens_than_can_be_computed_are_not_tokenised(monkeypatch):
    """The rest of the text is not read."""
    monkeypatch.setattr(tokenising, "MOST_TOKENS", 0)

    async def scenario() -> None:
        tokenise = Tokenising(Slow())
        with pytest.raises(OverloadedError):
            await tokenise(["x" * LARGE], None, asyncio.get_running_loop().time() + 5)
        tokenise.close()

    asyncio.run(scenario())
