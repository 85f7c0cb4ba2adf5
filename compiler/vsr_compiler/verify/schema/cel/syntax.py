"""Parse CEL: a tokenizer with one pattern, and a recursive descent parser, limited in length and depth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 64 * 1024
MAX_DEPTH = 100
MAX_NESTED = 40
"""Limit of nested brackets; each level takes a dozen calls of the parser."""
_TOKEN = re.compile(
    r"""(?P<space>(?:\s|//[^\n]*)+)
    |(?P<text>(?:[rR][bB]?|[bB][rR]?)?(?:'''|\"\"\"|'|\"))
    |(?P<float>(?:[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+))
    |(?P<int>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>\|\||&&|<=|>=|==|!=|\.\?|\[\?|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPE = re.compile(
    r"\\(?:[abfnrtv\\'\"`?]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|(.))", re.DOTALL
)
_PLAIN = dict(zip("abfnrtv\\'\"`?", "\a\b\f\n\r\t\v\\'\"`?", strict=True))
_LEVELS = (("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
"""Left-associative binary operators by increasing precedence, all above `&&`."""


class CelSyntaxError(ValueError):
    """The expression is not valid CEL, or uses a feature that Kubernetes does not have."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the syntax tree.

    Attributes:
        kind: ``literal``, ``name``, ``select``, ``index``, ``call``, ``method``, ``list``, ``map``, ``if``, ``or``,
            ``and``, ``not``, ``minus``, ``binary``.
        value: The value of a literal, or the name of the field, function, macro or operator.
        kids: Its children in the order of the text; keys and values of a map alternate.
        optional: Not empty if a selection or index has `?`; for a list or map, the numbers of entries with `?`.
    """

    kind: str
    value: Any = None
    kids: tuple[Node, ...] = ()
    optional: frozenset[int] = frozenset()


class Unsigned(int):
    """An unsigned integer, such as `1u`."""


def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    Raises:
        CelSyntaxError: The expression is invalid.
    """
    if len(text) > MAX_LENGTH:
        raise CelSyntaxError(f"longer than {MAX_LENGTH // 1024} KiB")
    parser = _Parser(_tokens(text))
    node = parser.expression()
    if parser.peek() != "":
        raise CelSyntaxError(f"`{parser.peek()}` is unexpected")
    level, depth = [node], 0
    while level:
        level, depth = [kid for each in level for kid in each.kids], depth + 1
        if depth > MAX_DEPTH:
            raise CelSyntaxError(f"more than {MAX_DEPTH} nested operations")
    return node


def _tokens(text: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CelSyntaxError(f"`{text[at]}` is unexpected")
        kind, word, at = str(match.lastgroup), match[0], match.end()
        if kind == "text":
            value, at = _text(text, word, at)
            found.append(("literal", value))
        elif kind == "float":
            found.append(("literal", float(word)))
        elif kind == "int":
            found.append(("literal", _integer(word)))
        elif kind != "space":
            found.append((kind, word))
    return found


def _integer(word: str) -> int:
    digits = word.rstrip("uU")
    value = int(digits, 16 if digits[:2].lower() == "0x" else 10) if len(digits) <= len("0x") + 20 else 1 << 64
    # The sign of the smallest integer is parsed separately.
    if value >= (1 << 64 if digits != word else (1 << 63) + 1):
        raise CelSyntaxError(f"`{word[:30]}` is out of range")
    return value if digits == word else Unsigned(value)


def _text(text: str, opening: str, at: int) -> tuple[str | bytes, int]:
    """Return the string literal after its opening quotes, and the position behind it."""
    prefix = opening.rstrip("'\"").lower()
    quotes = opening[len(prefix) :]
    end = at
    while True:
        if end >= len(text) or (len(quotes) == 1 and text[end] in "\r\n"):
            raise CelSyntaxError("unterminated string")
        if text.startswith(quotes, end):
            break
        end += 2 if text[end] == "\\" and "r" not in prefix else 1
    body = text[at:end]
    if "b" in prefix:
        return (body.encode() if "r" in prefix else _bytes(body)), end + len(quotes)
    return (body if "r" in prefix else _ESCAPE.sub(_unescaped, body)), end + len(quotes)


def _bytes(body: str) -> bytes:
    """Return the bytes of a literal. In these, hexadecimal and octal escapes are bytes, not characters."""
    found, at = bytearray(), 0
    for match in _ESCAPE.finditer(body):
        found += body[at : match.start()].encode()
        at = match.end()
        word = match[0][1:]
        if word[0] in "uU":
            raise CelSyntaxError(f"`\\{word}` is not allowed in bytes")
        character = _unescaped(match)
        found += bytes([ord(character)]) if word[0] in "xX0123" else character.encode()
    return bytes(found + body[at:].encode())


def _unescaped(match: re.Match[str]) -> str:
    word = match[0][1:]
    if match[1] is not None:
        raise CelSyntaxError(f"`\\{match[1]}` is not an escape sequence")
    if word in _PLAIN:
        return _PLAIN[word]
    code = int(word, 8) if word[0] in "0123" else int(word[1:], 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:  # noqa: PLR2004 - bounds of Unicode
        raise CelSyntaxError(f"`\\{word}` is not a character")
    return chr(code)


class _Parser:
    """Recursive descent parser with one method for each level of precedence."""

    def __init__(self, tokens: list[tuple[str, Any]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> str:
        """Return the next operator or name; `literal` for a literal, empty at the end."""
        if self._at >= len(self._tokens):
            return ""
        kind, word = self._tokens[self._at]
        return "literal" if kind == "literal" else str(word)

    def _take(self, *marks: str) -> str:
        word = self.peek()
        if word not in marks or self._tokens[self._at][0] == "literal":
            return ""
        self._at += 1
        return word

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise CelSyntaxError(f"expected `{mark}`" + (f" before `{self.peek()}`" if self.peek() else ""))

    def _name(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at][0] == "name":
            self._at += 1
            return str(self._tokens[self._at - 1][1])
        raise CelSyntaxError("expected a name")

    def expression(self) -> Node:
        """Parse a conditional expression, or one of higher precedence."""
        self._depth += 1
        if self._depth > MAX_NESTED:
            raise CelSyntaxError(f"nested deeper than {MAX_NESTED} levels")
        node = self._many("or", "||", lambda: self._many("and", "&&", lambda: self._binary(0)))
        if self._take("?"):
            first = self._many("or", "||", lambda: self._many("and", "&&", lambda: self._binary(0)))
            self._need(":")
            node = Node("if", None, (node, first, self.expression()))
        self._depth -= 1
        return node

    def _many(self, kind: str, mark: str, inner: Any) -> Node:  # noqa: ANN401 - a method of the parser
        """Parse a chain of one operator into one node, so that long chains are not deep trees."""
        kids = [inner()]
        while self._take(mark):
            kids.append(inner())
        return kids[0] if len(kids) == 1 else Node(kind, None, tuple(kids))

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        length = 0
        while mark := self._take(*_LEVELS[level]):
            length += 1
            if length > MAX_DEPTH:
                raise CelSyntaxError(f"more than {MAX_DEPTH} operators in a row")
            node = Node("binary", mark, (node, self._binary(level + 1)))
        return node

    def _unary(self) -> Node:
        marks = []
        while mark := self._take("!", "-"):
            marks.append(mark)
            if len(marks) > MAX_DEPTH:
                raise CelSyntaxError(f"more than {MAX_DEPTH} signs in a row")
        node = self._member()
        for mark in reversed(marks):
            if mark == "-" and node.kind == "literal" and type(node.value) in {int, float}:
                node = Node("literal", -node.value)
            else:
                node = Node("not" if mark == "!" else "minus", None, (node,))
        if node.kind == "literal" and type(node.value) is int and node.value >= 1 << 63:
            raise CelSyntaxError(f"`{node.value}` is out of range")
        return node

    def _member(self) -> Node:
        node = self._primary()
        length = 0
        while mark := self._take(".", ".?", "[", "[?"):
            length += 1
            if length > MAX_DEPTH:
                raise CelSyntaxError(f"more than {MAX_DEPTH} steps in a row")
            by = frozenset({0}) if mark.endswith("?") else frozenset[int]()
            if mark[0] == "[":
                node = Node("index", None, (node, self.expression()), by)
                self._need("]")
                continue
            name = self._name()
            if not by and self._take("("):
                node = Node("method", name, (node, *self._arguments(")")[0]))
            else:
                node = Node("select", name, (node,), by)
        return node

    def _primary(self) -> Node:  # noqa: PLR0911 - one return for each kind of operand
        if self.peek() == "literal":
            self._at += 1
            return Node("literal", self._tokens[self._at - 1][1])
        if self._take("("):
            node = self.expression()
            self._need(")")
            return node
        bracket = self._take("[", "[?")
        if bracket:
            kids, by = self._arguments("]", optional=bracket == "[?")
            return Node("list", None, tuple(kids), by)
        if self._take("{"):
            return self._map()
        self._take(".")
        name = self._name()
        if name in {"true", "false", "null"}:
            return Node("literal", {"true": True, "false": False, "null": None}[name])
        if name in RESERVED or name == "in":
            raise CelSyntaxError(f"`{name}` is a reserved word")
        if self._take("("):
            return Node("call", name, tuple(self._arguments(")")[0]))
        return Node("name", name)

    def _arguments(self, end: str, *, optional: bool = False) -> tuple[list[Node], frozenset[int]]:
        kids: list[Node] = []
        by = {0} if optional else set[int]()
        while not self._take(end):
            if kids:
                self._need(",")
                if self._take(end):
                    break
            if end == "]" and self._take("?"):
                by.add(len(kids))
            kids.append(self.expression())
        return kids, frozenset(by)

    def _map(self) -> Node:
        kids: list[Node] = []
        by = set()
        while not self._take("}"):
            if kids:
                self._need(",")
                if self._take("}"):
                    break
            if self._take("?"):
                by.add(len(kids))
            kids.append(self.expression())
            self._need(":")
            kids.append(self.expression())
        return Node("map", None, tuple(kids), frozenset(by))
