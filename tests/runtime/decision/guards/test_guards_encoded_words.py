"""Words in base64 and hexadecimal digits: what is decoded, what a finding covers, and what is no text."""

from __future__ import annotations

import base64
import random
import urllib.parse
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from support.technical_texts import KINDS, texts
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.decoding import MAX_LEVELS, decodings
from vsr_runtime.decision.guards.encoded_words import may_have_words
from vsr_runtime.decision.guards.finders import credentials, personal, spans
from vsr_runtime.decision.guards.normalise import normalise
from vsr_schemas.pii import PATTERN_TYPES

PERSONAL = personal(PATTERN_TYPES)
VALUES = ("jane@example.org", "a.b@c.org", "555-123-4567", "card 4111111111111111", "DE89370400440532013000")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "base64": _base64,
    "without padding": lambda text: _base64(text).rstrip("="),
    "for URLs": lambda text: base64.urlsafe_b64encode(f"??>>{text}".encode()).decode(),
    "after a name": lambda text: f"id={_base64(text)}",
    "in a path": lambda text: f"/users/{_base64(text)}",
    "between underscores": lambda text: f"id_{_base64(text)}_x",
    "in JSON": lambda text: f'{{"id":"{_base64(text)}"}}',
    "percent-encoded": lambda text: urllib.parse.quote(_base64(text)),
    "of percent-encoded": lambda text: _base64(urllib.parse.quote(text, safe="")),
    "character references": lambda text: "".join(f"&#{ord(letter)};" for letter in _base64(text)),
    "four times": lambda text: _base64(_base64(_base64(_base64(text)))),
    "of hexadecimal": lambda text: _base64(text.encode().hex()),
    "zero-width spaces": lambda text: "\u200b".join(_base64(text)),
    "of zero-width spaces": lambda text: _base64("\u200b".join(text)),
    "full-width": lambda text: "".join(chr(ord(letter) + 0xFEE0) for letter in _base64(text)),
    "spaced": lambda text: " ".join(_base64(text)),
    "in two lines": lambda text: "\r\n  ".join((_base64(f"To {text}, now.")[:16], _base64(f"To {text}, now.")[16:])),
    "after other letters": lambda text: _base64(f"Gr\u00fc\u00dfe an {text}"),
    "UTF-16": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
    "UTF-16, big-endian": lambda text: base64.b64encode(text.encode("utf-16-be")).decode(),
    "among bytes": lambda text: base64.b64encode(b"\x0a\x10" + text.encode() + b"\x18\x01").decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: f"0x{text.encode().hex().upper()}",
    "hexadecimal with colons": lambda text: text.encode().hex(":"),
    "hexadecimal with hyphens": lambda text: text.encode().hex("-"),
    "bytes of code": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "octal escapes": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", FORMS)
def test_an_encoded_value_is_found_in_every_form(form: str, value: str) -> None:
    """Also if it was encoded several times, in several ways."""
    assert spans([PERSONAL], f"See {FORMS[form](value)} now.", never)


@pytest.mark.parametrize("form", ["base64", "without padding", "hexadecimal", "percent-encoded", "four times"])
def test_a_finding_in_an_encoded_word_covers_the_whole_word(form: str) -> None:
    """A mask leaves none of its letters, and nothing beside it."""
    word = FORMS[form]("Write to jane@example.org today.")
    [span] = spans([personal(["EMAIL_ADDRESS"])], f"See {word} now.", never)
    assert (span.start, span.end, span.type) == (4, 4 + len(word), "EMAIL_ADDRESS")


def test_an_escape_at_the_next_level_hides_nothing_of_this_one() -> None:
    """`=DE` would be a byte of quoted-printable mail."""
    assert spans([PERSONAL], f"iban={_base64('DE89370400440532013000')}", never)
    assert spans([PERSONAL], "iban%3DDE89370400440532013000", never)


@pytest.mark.parametrize("form", ["base64", "hexadecimal"])
def test_bytes_and_hashes_decode_to_no_text(form: str) -> None:
    """Nothing is found in 3,000 random values and digests."""
    chance = random.Random(1)  # noqa: S311 - the same values in every run
    for number in range(3_000):
        data = sha256(b"%d" % number).digest() if number % 2 else chance.randbytes(chance.randint(9, 40))
        text = f"The object {base64.b64encode(data).decode() if form == 'base64' else data.hex()} is stored."
        assert not [span for span in spans([PERSONAL], text, never) if span.type in {"EMAIL_ADDRESS", "PHONE_NUMBER"}]


def test_decoding_finds_nothing_more_in_technical_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code, logs, manifests and chats have the same findings with and without encoded words."""
    samples = [text for kind in KINDS for text in texts(kind, 150, seed=3)]
    found = [spans([PERSONAL, credentials()], text, never) for text in samples]
    monkeypatch.setattr("vsr_runtime.decision.guards.decoding.may_have_words", lambda _: False)
    without = [spans([PERSONAL, credentials()], text, never) for text in samples]
    assert sum(a != b for a, b in zip(found, without, strict=True)) <= len(samples) // 100


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=9, max_size=40), st.integers(1, 3))
@examples(100)
def test_every_text_in_base64_is_read_as_often_as_it_was_encoded(text: str, times: int) -> None:
    """The words pass the gate, and one of the decodings has the text."""
    word = text
    for _ in range(times):
        word = _base64(word)
    assert may_have_words(word)
    assert times <= MAX_LEVELS
    assert any(text in view.text for view in decodings(normalise(f"See {word} now.")))
