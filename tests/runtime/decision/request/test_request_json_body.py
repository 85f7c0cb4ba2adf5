from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.request_bodies import BLANK, NO_SURROGATE, VALUES, key_spelled, spelled
from vsr_runtime.decision.request.json_body import MAX_DEPTH, BodyError, read_body, scan_list, scan_object
from vsr_runtime.decision.request.json_edits import BodyDraft


def with_model(body, model):
    """The body with another model."""
    draft = BodyDraft(body)
    draft.set("model", model)
    return draft.text().encode()


@st.composite
def bodies(draw):
    """A JSON object with a top-level ``model``: the parts before its value, the value, and the rest."""
    others = draw(st.dictionaries(NO_SURROGATE.filter(lambda key: key.casefold() != "model"), VALUES, max_size=4))
    keys = {key.casefold(): key for key in others}.values()  # keys that differ only in case are rejected elsewhere
    members = [(key, spelled(draw, others[key])) for key in keys]
    place = draw(st.integers(0, len(members)))
    model = spelled(draw, draw(NO_SURROGATE))
    members.insert(place, ("model", model))
    texts = [
        (f"{draw(BLANK)}{key_spelled(draw, key)}{draw(BLANK)}:{draw(BLANK)}", value, draw(BLANK))
        for key, value in members
    ]
    head = draw(BLANK) + "{" + "".join(k + v + b + "," for k, v, b in texts[:place]) + texts[place][0]
    tail = texts[place][2] + "".join("," + k + v + b for k, v, b in texts[place + 1 :]) + "}" + draw(BLANK)
    return head, model, tail


@given(parts=bodies(), model=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_only_the_value_of_the_top_level_model_changes(parts, model):
    """Every byte outside the value survives: blanks, escapes, nested model keys, numbers as they were spelled."""
    head, old, tail = parts
    body = read_body((head + old + tail).encode())
    assert body.values["model"] == json.loads(old)
    assert with_model(body, model) == (head + json.dumps(model) + tail).encode()


@given(parts=bodies())
def test_values_equal_those_of_the_standard_parser(parts):
    """A body that is taken has the values that any JSON parser finds in it."""
    text = "".join(parts)
    assert read_body(text.encode()).values == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":{"model":"x"},"model":"auto","b":[{"model":"y"}]}',
        '{"s":"\\"model\\":\\"x\\"","model":"auto"}',
        '{"s":"\\\\","model":"auto"}',
        ' {"model"\n:\t"auto" , "n":1E400, "big":123456789012345678901234567890 } ',
        '{"model":"\\u0061uto","ä":"ö"}',
    ],
)
def test_splice_is_not_misled(text):
    """Keys in nested objects, quotes in strings and escapes do not lead the rewrite astray."""
    rewritten = with_model(read_body(text.encode()), "m/1").decode()
    assert json.loads(rewritten)["model"] == "m/1"
    assert rewritten.replace('"m/1"', "") == text.replace('"auto"', "").replace('"\\u0061uto"', "")


NESTED = '{"a":' * 70 + "[" * 70 + "]" * 70 + "}" * 70


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"model"',
        b"{",
        b"{}}",
        b"{} x",
        b"{,}",
        b'{"a"}',
        b'{"a":}',
        b'{"a":1,}',
        b"{'a':1}",
        b"{a:1}",
        b'{"a" 1}',
        b'{"a":1 "b":2}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":[-Infinity]}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":"\n"}',
        b'{"a":"\\x"}',
        b'{"a":"\\u12"}',
        b'{"a":"unfinished}',
        b'{"a":1}\x00',
        b'{"a":1}\x0c',
        b"\xef\xbb\xbf{}",
        '{"model":"auto"}'.encode("utf-16"),
        '{"model":"auto"}'.encode("utf-16-le"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        b'{"a":"\\ud800"}',
        b'{"a":[{"\\udc00x":1}]}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'// comment\n{"a":1}',
        NESTED.encode(),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_lenient_json_is_rejected(data):
    """Each of these is taken by some parser or other, or exhausts its stack; here all of them are errors."""
    with pytest.raises(BodyError) as error:
        read_body(data)
    assert error.value.code == "invalid_json"


@pytest.mark.parametrize(
    "data",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","mo\\u0064el":"b"}',
        b'{"a":[{"b":1,"b":1}]}',
        b'{"messages":[{"role":"user","content":"x","content":"y"}]}',
        b'{"model":"a","Model":"b"}',
        b'{"messages":[],"MESSAGES":[]}',
    ],
)
def test_duplicate_keys_are_rejected_at_any_depth(data):
    """A duplicate key, however it is spelled, could mean another request to another parser."""
    with pytest.raises(BodyError) as error:
        read_body(data)
    assert error.value.code == "duplicate_key"


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded_exactly(over, opening, closing):
    """The deepest permitted body is accepted, and one level more is rejected."""
    levels = MAX_DEPTH - 1 + over
    inner = "0" if opening == '{"a":' else ""
    data = ('{"m":' + opening * levels + inner + closing * levels + "}").encode()
    if over:
        with pytest.raises(BodyError, match="deeper than 128"):
            read_body(data)
    else:
        assert list(read_body(data).values) == ["m"]


def test_brackets_in_strings_do_not_count():
    """Nesting is that of the document, not of its texts."""
    text = {"a": "[{" * 500, "b": '\\"[' * 300}
    assert read_body(json.dumps(text).encode()).values == text


def test_paired_surrogates_are_characters():
    """An escape pair that spells a character is ordinary JSON, and so is an escaped backslash before a u."""
    assert read_body(b'{"a":"\\ud83d\\ude00","b":"\\\\ud800"}').values == {"a": "😀", "b": "\\ud800"}


@given(st.binary(max_size=200) | st.text('{}[]":,ntu\\ 1eE.-+alsr', max_size=60).map(str.encode))
def test_any_bytes_are_parsed_or_rejected(data):
    """No input whatever raises anything but the explained error, and what is read is valid JSON."""
    try:
        body = read_body(data)
    except BodyError:
        return
    assert body.values == json.loads(data)


@given(parts=bodies(), at=st.integers(0, 200), junk=st.binary(min_size=1, max_size=3))
def test_damaged_bodies_are_parsed_or_rejected(parts, at, junk):
    """A body with bytes thrown in is either still the JSON that it says or an explained error."""
    data = "".join(parts).encode()
    damaged = data[:at] + junk + data[at:]
    try:
        body = read_body(damaged)
    except BodyError:
        return
    assert body.values == json.loads(damaged)


@given(parts=bodies())
def test_places_of_members_are_exact(parts):
    """Cut out of the text, a member is its key and its value."""
    body = read_body("".join(parts).encode())
    for key, span in body.members.spans.items():
        assert json.loads(f"{{{body.text[span.start : span.end]}}}") == {key: body.values[key]}
        assert json.loads(body.text[span.value : span.end]) == body.values[key]


@given(values=st.lists(VALUES, max_size=4), before=BLANK, inside=BLANK, after=BLANK)
def test_places_of_elements_are_exact(values, before, inside, after):
    """Cut out of the text, an element is its value, whatever blanks are around."""
    texts = [f"{inside}{json.dumps(value)}{after}" for value in values]
    text = f"{before}[{inside}{','.join(texts)}]{after}"
    found, spans = scan_list(text, 0)
    assert found == values
    assert [json.loads(text[span.start : span.end]) for span in spans] == values


@pytest.mark.parametrize("text", ["", "{}", "[", "[1", "[1,]", "[,]", "[1 2]"])
def test_value_that_is_not_a_list_is_an_error(text):
    """A place without a list has no elements."""
    with pytest.raises(ValueError, match=r"|"):
        scan_list(text, 0)
    with pytest.raises(ValueError, match=r"|"):
        scan_object(text.replace("[", "(").replace("{}", "("), 0)
