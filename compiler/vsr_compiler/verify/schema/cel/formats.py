"""Named formats of Kubernetes in CEL: `format.dns1123Label().validate(self)` returns an optional with the errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vsr_compiler.verify.schema import formats
from vsr_compiler.verify.schema.cel.values import NONE, CelError, Optional
from vsr_compiler.verify.schema.go_urls import is_url

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PART = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
"""A part of a subdomain. Kubernetes bounds the whole, not the part."""
_LABEL_1035 = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_NAME_PART = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_ANY_1035 = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_ANY_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
MAX_SUBDOMAIN = 253
MAX_LABEL = 63
_NAME_CHARACTERS = "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
_RULES = {
    "label": "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    "subdomain": "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    "label-1035": "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    "name": f"must consist of {_NAME_CHARACTERS} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    "value": f"a valid label must be an empty string or consist of {_NAME_CHARACTERS} (e.g. 'MyValue',  or "
    "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
}
_RULES["key"] = (
    f"a valid label key {_RULES['name']} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)
"""What Kubernetes says of each form; rules show these texts by `messageExpression`."""


def subdomain(text: str) -> bool:
    """Whether a string is a DNS subdomain, the form of most names."""
    return len(text) <= MAX_SUBDOMAIN and all(_PART.fullmatch(part) for part in text.split("."))


def label(text: str) -> bool:
    """Whether a string is a DNS label."""
    return _LABEL.fullmatch(text) is not None


def qualified(text: str) -> bool:
    """Whether a string is a qualified name, the form of label keys: a name with an optional subdomain and slash."""
    prefix, slash, name = text.rpartition("/")
    return _NAME_PART.fullmatch(name) is not None and (not slash or subdomain(prefix))


def label_value(text: str) -> bool:
    """Whether a string is a valid value of a label."""
    return _VALUE.fullmatch(text) is not None


def service_name(text: str) -> bool:
    """Whether a string is a valid name of a Service."""
    return _LABEL_1035.fullmatch(text) is not None


def _problems(text: str, most: int, valid: bool, rule: str, unit: str = "characters") -> list[str]:  # noqa: FBT001 - of this module
    long = [f"must be no more than {most} {unit}"] if len(text.encode(errors="replace")) > most else []
    return long + ([] if valid else [rule])


def _check_label(text: str) -> list[str]:
    if _PART.fullmatch(text):
        return _problems(text, MAX_LABEL, True, "")  # noqa: FBT003 - of this module
    dots = all(_PART.fullmatch(part) for part in text.split("."))
    return _problems(text, MAX_LABEL, False, "must not contain dots" if dots else _RULES["label"])  # noqa: FBT003


def _check_subdomain(text: str) -> list[str]:
    valid = all(_PART.fullmatch(part) for part in text.split("."))
    return _problems(text, MAX_SUBDOMAIN, valid, _RULES["subdomain"])


def _check_label_1035(text: str) -> list[str]:
    return _problems(text, MAX_LABEL, _ANY_1035.fullmatch(text) is not None, _RULES["label-1035"])


def _check_qualified(text: str) -> list[str]:
    parts = text.split("/")
    if len(parts) > len(("prefix", "name")):
        return [_RULES["key"]]
    found = []
    if len(parts) > 1:
        found += [f"prefix part {each}" for each in (_check_subdomain(parts[0]) if parts[0] else ["must be non-empty"])]
    name = parts[-1]
    found += [] if name else ["name part must be non-empty"]
    return found + [
        f"name part {each}"
        for each in _problems(name, MAX_LABEL, _ANY_NAME.fullmatch(name) is not None, _RULES["name"], "bytes")
    ]


def _check_value(text: str) -> list[str]:
    valid = not text or _ANY_NAME.fullmatch(text) is not None
    return _problems(text, MAX_LABEL, valid, _RULES["value"], "bytes")


def _prefix(text: str) -> str:
    """Return a name to check for a prefix that may end with `-`. Like Kubernetes, it skips the character before."""
    return f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text


def _plain(name: str, message: str) -> Callable[[str], list[str]]:
    return lambda text: [] if formats.valid(name, text) else [message]


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": _check_label,
    "dns1123LabelPrefix": lambda text: _check_label(_prefix(text)),
    "dns1123Subdomain": _check_subdomain,
    "dns1123SubdomainPrefix": lambda text: _check_subdomain(_prefix(text)),
    "dns1035Label": _check_label_1035,
    "dns1035LabelPrefix": lambda text: _check_label_1035(_prefix(text)),
    "qualifiedName": _check_qualified,
    "labelValue": _check_value,
    "uri": lambda text: [] if is_url(text) else [f'parse "{text[:200]}": invalid URI for request'],
    "uuid": _plain("uuid", "does not match the UUID format"),
    "byte": _plain("byte", "invalid base64"),
    "date": _plain("date", "invalid date"),
    "datetime": _plain("datetime", "invalid datetime"),
}


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name."""

    name: str


def _named(name: str) -> Optional:
    return Optional(Format(name), present=True) if name in _FORMATS else NONE


def _validate(form: Format, text: str) -> Optional:
    if not isinstance(text, str):
        raise CelError("`validate` takes a string")
    problems = _FORMATS[form.name](text)
    return Optional(problems, present=True) if problems else NONE


def _always(name: str) -> Callable[..., Any]:
    return lambda: Format(name)


FUNCTIONS: dict[str, Callable[..., Any]] = {f"format.{name}": _always(name) for name in _FORMATS}
FUNCTIONS["format.named"] = _named
METHODS: dict[str, Callable[..., Any]] = {"validate": _validate}
