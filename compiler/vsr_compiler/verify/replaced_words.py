"""Words in manifests that a reader or a script replaces: `REPLACE_ME`, `NAMESPACE`, `$NAME`, `$$name$$`, `@NAME@`.

They look like any other value, so they count only where Kubernetes refuses the value, or where it names an object.
"""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import Diagnostic

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,100}"
_SHELL = (
    rf"\$\$?(?:{_NAME}|\([A-Za-z_][A-Za-z0-9_.-]{{0,100}}\))(?:\$\$)?"
    rf"|__[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__|([%@]){_NAME}\1"
)
_VARIABLE = re.compile(_SHELL)
_LINE = re.compile(rf"^[\s-]*(?:[\w./-]+:\s+)?[\"']?(?:{_SHELL})[\"']?\s*(?:#.*)?$")
"""A line whose whole value is a variable of a shell, of sed or of a macro language."""
_INVALID = re.compile(
    r"`([^`]*)`…? (?:is not a (?:valid|quantity)|does not (?:match|have the format))"
    r"|must be [a-z ]{1,40}, not the string `([^`]*)`"
)
"""The value about which a message is, if it says that it is wrong."""
_TITLE = re.compile(r"\b([A-Z][A-Za-z]{2,60}) `(?:([^`/]*)/)?([^`/]*)`")
_RELATIONS = frozenset({"VSR401", "VSR402", "VSR403", "VSR404", "VSR405", "VSR416", "VSR417"})
"""Codes of findings that depend on the names of objects."""
_ACRONYMS = frozenset(
    [
        "API",
        "DNS",
        "GPU",
        "GRPC",
        "HTTP",
        "HTTPS",
        "IPV4",
        "IPV6",
        "JSON",
        "LLM",
        "MTLS",
        "POST",
        "REST",
        "SCTP",
        "YAML",
    ]
)
_CAPITALS = re.compile(r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*(?![A-Za-z0-9_])")
_LONG = 4
_PROSE = re.compile(
    r"(?i)replace[-_ ]?(?:me|d|this|with)|change[-_ ]?me|\b(?:todo|fixme|placeholder)\b|\byour[-_ ]"
    r"|\{[a-z_][a-z0-9_.-]*\}|\.{3}|ENC\[[A-Z0-9_]+,"
)
_IN_WORD = re.compile(
    r"[\w.-]\{[A-Za-z_][\w.]*\}|\{[A-Za-z_][\w.]*\}[\w.:-]|\{[A-Za-z_]\w*\[[^\[\]{}]+\]\}|^\{[A-Za-z_]\w*\}$|^\s*%\{ "
)
"""Placeholders of Python's `format`, and directives of Terraform's templates."""
_ANY_NAME = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"})
"""Kinds whose names may have upper-case letters."""


def is_replaced(name: str) -> bool:
    """Whether a name that an API server refuses has a part that a reader or a script replaces, such as `APP_NAME-web`.

    Upper-case words count from four letters on, or with an underscore, or alone; abbreviations such as HTTP do not.
    """
    if name == "_" or _VARIABLE.search(name) or _PROSE.search(name):
        return True
    return any(_is_replaced_word(found.group(), name) for found in _CAPITALS.finditer(name))


def _is_replaced_word(word: str, name: str) -> bool:
    return (
        "_" in word
        or (len(word) >= _LONG and word not in _ACRONYMS)
        or (word == name and len(word) > 1 and word.isalpha())
    )


def in_braces(value: object) -> str:
    """Return a placeholder such as `{NAME}` or `[NAME]`, which YAML reads as a mapping or list; else nothing."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and _CAPITALS.fullmatch(value[0]):
        return f"{{{value[0]}}}"
    if isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) is None:
        return f"{{{next(iter(value))}}}"
    return ""


def has_braces_in_words(lines: list[str]) -> bool:
    """Whether lines that are not valid YAML have placeholders such as `{name}-web` or `{images[web]}`, or `%{ if`."""
    return any(_IN_WORD.search(line) for line in lines)


def is_variable(value: str) -> bool:
    """Whether a whole value is a variable of a shell, of sed or of a macro language."""
    return _VARIABLE.fullmatch(value) is not None


def is_variable_line(line: str) -> bool:
    """Whether the whole value of a line of YAML is a variable."""
    return _LINE.match(line) is not None


def is_about_replaced(item: Diagnostic) -> bool:
    """Whether a finding is about a value, or the name of an object, that a reader or a script replaces."""
    if any(is_replaced(part) for found in _INVALID.finditer(item.message) for part in found.groups() if part):
        return True
    return item.code in _RELATIONS and any(
        is_replaced(part)
        for kind, *parts in (found.groups(default="") for found in _TITLE.finditer(item.message))
        if kind not in _ANY_NAME
        for part in parts
        if part
    )
