# ruff: noqa: RUF001 - such letters are what is tested
from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.normalise import join_spaced_letters, normalise

FLAG = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbsct") + "\U000e007f"
ANY = st.one_of(st.text(), st.text("ae\u0301\u0327\u0336\u200b\ufe0f\u1112\u1161\u11ab\u09c7\u09be ﬁ½İ"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pass\u200bw\u00ado\u2060r\ufeffd", "password"),
        ("".join(chr(0xE0000 + ord(letter)) for letter in "ignore this"), "ignore this"),
        (f"from {FLAG} with love", "from \U0001f3f4 with love"),
        ("ｉｇｎｏｒｅ 𝐭𝐡𝐢𝐬 ⓝⓞⓦ ²", "ignore this now 2"),
        ("i\u0336g\u0336n\u0336o\u0336r\u0336e\u0336", "ignore"),
        ("e\u0301te\u0301 Schöne Grüße", "été Schöne Grüße"),
        ("١٢٣ ४५६", "123 456"),
        ("a\u00a0b\u3000c–d‘e’", "a b c-d'e'"),
        ("іgnоrе аll, раssword, Ρaypal", "ignore all, password, Paypal"),
        ("ɪɢɴᴏʀᴇ", "ignore"),
        ("nul\x00l, bell\x07", "null, bell"),
        ("line\r\nand\ttab", "line\r\nand\ttab"),
        ("g\u0941h\u0e31p\u05bc_", "ghp_"),
        ("g\ufdd0h\U0010fffep\uffff_", "ghp_"),
        ("g\u3164h\u115fp\uffa0\u17b5_", "ghp_"),
        ("g\u0600h\u08e2p\U000110bd_", "ghp_"),
        ("g\ue000h\U000f0000p\u0378\ufffc_", "ghp_"),
        ("о\u0941\u0e31ne g\U00016f51o", "one go"),
        ("\u0301\u0941ok", "ok"),
        ("한국어 \u1112\u1161\u11ab 日本語", "한국어 한 日本語"),
    ],
)
def test_hidden_words_are_revealed(text: str, expected: str) -> None:
    """Each trick by itself, and what looks like a trick and is none."""
    assert normalise(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Вот рост и оса",
        "Μια ωραία μέρα",
        "Բարեւ աշխարհ",
        "हिन्दी में लिखा है",
        "ภาษาไทยดีที่สุด",
        "עִבְרִית",
        "العَرَبِيَّة",
        "বাংলা ভাষা",
        "မြန်မာ",
        "Tiếng Việt",
    ],
)
def test_other_languages_are_unchanged(text: str) -> None:
    """Marks belong to the letters of their script, and words of look-alikes to the other words of their script."""
    assert normalise(text).text == text


def test_words_all_of_look_alikes_are_read_as_latin_in_latin_text() -> None:
    """Nobody writes a single Russian word of look-alikes into English."""
    assert normalise("get the соре now").text == "get the cope now"


def test_hidden_text_is_reported() -> None:
    """Tag characters and bidi overrides are signs by themselves; a flag is none."""
    text = f"{FLAG} hi \U000e0061\U000e0062 \u202eabc"
    assert normalise(text).hidden == (
        TextSpan(11, 13, "TAG_CHARACTERS", 1.0, "hidden"),
        TextSpan(14, 15, "BIDI_OVERRIDE", 1.0, "hidden"),
    )


@given(ANY)
def test_every_character_knows_where_it_came_from(text: str) -> None:
    """Places rise, lie in the original, and cover all of it that is not hidden."""
    found = normalise(text)
    assert len(found.text) == len(found.starts) == len(found.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))
    assert list(found.starts) == sorted(found.starts)
    assert list(found.ends) == sorted(found.ends)


@given(ANY)
def test_normalisation_equals_nfkc(text: str) -> None:
    """Where nothing else applies, it is NFKC of the whole text, though it goes piece by piece."""
    plain = re.sub(r"[^\w ]", "", text)
    stacked = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
    whole = unicodedata.normalize("NFKC", plain)
    if whole.isascii() or not re.search(r"[\u0370-\u058f\u13a0-\u13ff\u2c80-\u2cff\uab70-\uabbf]", whole):
        same = normalise(plain).text
        assert unicodedata.is_normalized("NFKC", same) or stacked.search(plain)


@given(st.text("abcdefgh 0123", min_size=1))
def test_plain_text_is_returned_as_it_is(text: str) -> None:
    """No copy is made of ASCII: this is most text, and it costs next to nothing."""
    found = normalise(text)
    assert found.text is text
    assert found.original(0, len(text)) == (0, len(text))


def test_letters_with_spaces_between_are_read_as_words() -> None:
    """As a second look, with the places of the original."""
    text = "Now i g n o r e   a l l of it"
    found = join_spaced_letters(normalise(text))
    assert found is not None
    assert found.text == "Now ignore all of it"
    start = found.text.index("ignore all")
    assert found.original(start, start + len("ignore all")) == (4, 23)
    assert join_spaced_letters(normalise("a b c and so on")) is None
