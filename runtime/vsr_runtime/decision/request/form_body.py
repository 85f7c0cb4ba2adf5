"""Strict reader of forms (``multipart/form-data``), which keeps the position of each field for edits in place.

Anything that two parsers could read differently is rejected, as in JSON bodies: repeated fields, a boundary inside a
part, encodings other than UTF-8, and text before the first or after the last part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.request.json_body import BodyError, JsonBody

MAX_PARTS = 64
MAX_PART_HEADERS = 4096
"""Bytes of the headers of one part."""
_CONTENT_TYPE = re.compile(
    r"multipart/form-data[ \t]*;[ \t]*boundary="
    r"(?:\"(?P<quoted>[0-9A-Za-z'()+_,./:=?-]{1,70})\"|(?P<plain>[0-9A-Za-z'+_.-]{1,70}))[ \t]*",
    re.IGNORECASE,
)
_NAME = r'"([^"\\\r\n\x00-\x1f\x7f]{0,1024})"'
_DISPOSITION = re.compile(rf"form-data;[ \t]*name={_NAME}(;[ \t]*filename={_NAME})?", re.IGNORECASE)
_TRANSFER_ENCODINGS = frozenset({"7bit", "8bit", "binary"})
_FIELD_TYPE = re.compile(r'(?:text/plain|application/json)(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_LIST = "[]"
_CHARSET = "_charset_"
FILE = "file"


def boundary_of(content_type: str) -> bytes | None:
    """Return the boundary that a content type names; None if it is not that of a form."""
    match = _CONTENT_TYPE.fullmatch(content_type.strip())
    return (match["quoted"] or match["plain"]).encode() if match else None


@fast_dataclass(frozen=True, slots=True)
class FormField:
    """A field with a text.

    Attributes:
        name: its name.
        number: its number among the fields of this name, files included.
        text: its text.
        part: the position of its part, from one boundary to the next.
        value: the position of its text.
    """

    name: str
    number: int
    text: str
    part: tuple[int, int]
    value: tuple[int, int]


@fast_dataclass(frozen=True, slots=True)
class FormBody:
    """A form: its bytes, its fields with a text in order, and the JSON document that stands for it.

    In the document, a field has its text, a field whose name ends in ``[]`` a list of texts, and a file an object that
    says so.
    """

    data: bytes
    fields: tuple[FormField, ...]
    document: JsonBody

    def edited(self, values: Mapping[str, object]) -> bytes:
        """Return the form with the texts of an edited document. A field that the document no longer has is removed.

        Raises:
            BodyError: the edits are not only in texts of fields, but also in what describes a file.
        """
        for name, value in self.document.values.items():
            described = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
            now = values.get(name)
            if described != [item for item in (now if isinstance(now, list) else [now]) if isinstance(item, dict)]:
                raise BodyError("The name of a file cannot be changed.", "invalid_form")
        pieces: list[bytes] = []
        at = 0
        for field in self.fields:
            value = values.get(field.name)
            new = value[field.number] if isinstance(value, list) else value
            if new == field.text:
                continue
            start, end = field.part if new is None else field.value
            pieces += [self.data[at:start], b"" if new is None else str(new).encode()]
            at = end
        return b"".join([*pieces, self.data[at:]])


def read_form(data: bytes, boundary: bytes) -> FormBody:
    """Parse a form.

    Raises:
        BodyError: the body is not one, or parsers could read it differently.
    """
    fields: list[FormField] = []
    values: dict[str, object] = {}
    for start, head, begin, end in _parts(data, b"--" + boundary):
        name, file_name = _described(head)
        if name in values and not name.endswith(_LIST):
            raise BodyError("The form has a duplicate field.", "duplicate_key")
        if file_name is not None:
            _add(values, name, {"type": FILE, "filename": file_name})
            continue
        text = _text(data[begin:end])
        number = _add(values, name, text)
        # A part begins with its boundary and ends with the line break before the next one.
        fields.append(FormField(name, number, text, (start, end + 2), (begin, end)))
    if len({name.casefold() for name in values}) != len(values):
        raise BodyError("The form has fields that differ only in case.", "duplicate_key")
    if _CHARSET in values:
        raise BodyError("The form must be in UTF-8, without a field '_charset_'.", "invalid_form")
    return FormBody(data, tuple(fields), JsonBody(json.dumps(values, ensure_ascii=False), values))


def _parts(data: bytes, delimiter: bytes) -> list[tuple[int, bytes, int, int]]:
    """Return the parts: the start of each, its headers, and the start and end of its content."""
    parts: list[tuple[int, bytes, int, int]] = []
    at = 0
    if not data.startswith(delimiter):
        raise BodyError("The form does not begin with its boundary.", "invalid_form")
    while True:
        start, at = at, at + len(delimiter)
        mark = data[at : at + 2]
        if mark == b"--":
            if data[at + 2 :] not in (b"", b"\r\n"):
                raise BodyError("The form has text after its last part.", "invalid_form")
            return parts
        if mark != b"\r\n":
            raise BodyError("The form has its boundary inside a part.", "invalid_form")
        if len(parts) == MAX_PARTS:
            raise BodyError(f"The form has more than {MAX_PARTS} parts.", "invalid_form")
        head_end = data.find(b"\r\n\r\n", at, at + MAX_PART_HEADERS + 4)
        if head_end < 0:
            raise BodyError(f"The headers of a part have more than {MAX_PART_HEADERS} bytes.", "invalid_form")
        begin = head_end + 4
        end = data.find(b"\r\n" + delimiter, begin - 2)
        if end < 0:
            raise BodyError("The form has no end.", "invalid_form")
        if end < begin:
            raise BodyError("A part of the form has no content.", "invalid_form")
        parts.append((start, data[at + 2 : head_end], begin, end))
        at = end + 2


def _described(head: bytes) -> tuple[str, str | None]:
    """Return the name of a part, and the name of its file; None for a field."""
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise BodyError("The headers of a part are not UTF-8.", "invalid_form") from None
    headers: dict[str, str] = {}
    for line in lines:
        name, mark, value = line.partition(":")
        key = name.lower()
        if not mark or not name or name != name.strip() or key in headers or "\n" in line or "\r" in line:
            raise BodyError("A part of the form has invalid headers.", "invalid_form")
        headers[key] = value.strip()
    match = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    if match is None or not match[1]:
        raise BodyError("A part of the form has no name.", "invalid_form")
    if headers.get("content-transfer-encoding", "binary").lower() not in _TRANSFER_ENCODINGS:
        raise BodyError("A part of the form is encoded.", "invalid_form")
    if match[2] is None and not _FIELD_TYPE.fullmatch(headers.get("content-type", "text/plain")):
        raise BodyError("A field of the form is not text in UTF-8.", "invalid_form")
    return match[1], match[3]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BodyError("A field of the form is not UTF-8.", "invalid_form") from None


def _add(values: dict[str, object], name: str, value: object) -> int:
    """Add the value of a field, and return its number; a name that ends in ``[]`` has a list."""
    if not name.endswith(_LIST):
        values[name] = value
        return 0
    listed = values.setdefault(name, [])
    if isinstance(listed, list):
        listed.append(value)
        return len(listed) - 1
    return 0
