"""Named formats of Kubernetes in CEL: `format.dns1123Label().validate(self)` returns an optional with the errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vsr_compiler.verify.schema import formats
from vsr_compiler.verify.schema.cel.network import parse_url
from vsr_compiler.verify.schema.cel.values import NONE, CelError, Optional

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PART = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
"""A part of a subdomain. Kubernetes bounds the whole, not the part."""
_LABEL_1035 = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_NAME_PART = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
MAX_SUBDOMAIN = 253


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


_FORMATS: dict[str, Callable[[str], bool]] = {
    "dns1123Label": label,
    "dns1123LabelPrefix": lambda text: label(text.removesuffix("-")),
    "dns1123Subdomain": subdomain,
    "dns1123SubdomainPrefix": lambda text: subdomain(text.removesuffix("-")),
    "dns1035Label": service_name,
    "dns1035LabelPrefix": lambda text: service_name(text.removesuffix("-")),
    "qualifiedName": qualified,
    "labelValue": label_value,
    "uri": lambda text: parse_url(text) is not None,
    "uuid": lambda text: formats.valid("uuid", text),
    "byte": lambda text: formats.valid("byte", text),
    "date": lambda text: formats.valid("date", text),
    "datetime": lambda text: formats.valid("date-time", text),
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
    return NONE if _FORMATS[form.name](text) else Optional([f"`{text[:60]}` is not a {form.name}"], present=True)


def _always(name: str) -> Callable[..., Any]:
    return lambda: Format(name)


FUNCTIONS: dict[str, Callable[..., Any]] = {f"format.{name}": _always(name) for name in _FORMATS}
FUNCTIONS["format.named"] = _named
METHODS: dict[str, Callable[..., Any]] = {"validate": _validate}
