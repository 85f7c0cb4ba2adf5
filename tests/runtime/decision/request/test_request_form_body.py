"""Forms: read strictly, edited in place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.request.form_body import MAX_PARTS, boundary_of, read_form
from vsr_runtime.decision.request.json_body import BodyError

B = b"b1"
FIELD = b'--b1\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n'
FILE = b'--b1\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\r\n--b\r\n'
END = b"--b1--\r\n"


def test_fields_and_files_are_told_apart() -> None:
    """A field has its text, a file says that it is one. A field may be empty."""
    empty = b'--b1\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n\r\n'
    found = read_form(FIELD + empty + FILE + END, B).document.values
    assert found == {"model": "x", "prompt": "", "file": {"type": "file", "filename": "a"}}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_form"),
        (b"\r\n" + FIELD + END, "invalid_form"),
        (FIELD, "invalid_form"),
        (FIELD + END + b"more", "invalid_form"),
        (FIELD + FIELD + END, "duplicate_key"),
        (FIELD + FIELD.replace(b"model", b"MODEL") + END, "duplicate_key"),
        (FIELD.replace(b"\r\nx", b"\r\nx\r\n--b12") + END, "invalid_form"),
        (FIELD.replace(b"form-data", b"attachment") + END, "invalid_form"),
        (FIELD.replace(b'"model"', b"model") + END, "invalid_form"),
        (FIELD.replace(b'"model"', b'"model"; name="other"') + END, "invalid_form"),
        (FIELD.replace(b'"model"', b"\"model\"; filename*=UTF-8''a") + END, "invalid_form"),
        (FIELD.replace(b"\r\n\r\n", b'\r\nContent-Disposition: form-data; name="y"\r\n\r\n') + END, "invalid_form"),
        (FIELD.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END, "invalid_form"),
        (FIELD.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n") + END, "invalid_form"),
        (FIELD.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n") + END, "invalid_form"),
        (FIELD.replace(b"\r\nx", b"\r\n\xff") + END, "invalid_form"),
        (FIELD.replace(b"model", b"_charset_") + END, "invalid_form"),
        (FIELD.replace(b'"model"', b'"' + b"m" * 5000 + b'"') + END, "invalid_form"),
        (b"".join(FIELD.replace(b"model", b"f%d" % i) for i in range(MAX_PARTS + 1)) + END, "invalid_form"),
    ],
)
def test_a_form_that_parsers_could_read_differently_is_refused(data: bytes, code: str) -> None:
    """The server could see another model than the one that was decided on."""
    with pytest.raises(BodyError) as error:
        read_form(data, B)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ("multipart/form-data; boundary=b1", b"b1"),
        ('Multipart/Form-Data;boundary="a b"', None),
        ('multipart/form-data; boundary="b:1"', b"b:1"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=b1; boundary=b2", None),
        ("multipart/mixed; boundary=b1", None),
        ("multipart/form-data; boundary=" + "b" * 71, None),
    ],
)
def test_the_boundary_is_read_from_the_content_type(kind: str, boundary: bytes | None) -> None:
    """A type with other parameters could be read differently."""
    assert boundary_of(kind) == boundary


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_an_edit_changes_one_text_and_nothing_else(content: bytes, before: str, after: str) -> None:
    """Whatever the bytes of the file are."""
    field = b'--b1\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
    file = b'--b1\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n' + content + b"\r\n"
    data = field + before.encode("utf-8", "replace") + b"\r\n" + file + END
    try:
        found = read_form(data, B)
    except BodyError:
        return
    edited = found.edited(dict(found.document.values) | {"model": after.encode("utf-8", "replace").decode()})
    if b"--b1" not in content + before.encode("utf-8", "replace") + after.encode("utf-8", "replace"):
        assert edited == data.replace(
            field + before.encode("utf-8", "replace"), field + after.encode("utf-8", "replace"), 1
        )
    assert found.edited(found.document.values) == data
    removed = found.edited({"file": found.document.values.get("file")})
    assert b'name="model"' not in removed[: len(field)]
