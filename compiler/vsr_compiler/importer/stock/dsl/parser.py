"""Tokens of a program to the nodes of a configuration, within limits of depth."""

from __future__ import annotations

from typing import Any, NoReturn

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.importer.stock.dsl.lexer import Token, tokens
from vsr_compiler.importer.stock.dsl.scope import Scope
from vsr_compiler.importer.values import child, make
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

MAX_DEPTH = 40
COLLECTIONS = {
    "keyword": "keywords",
    "embedding": "embeddings",
    "domain": "domains",
    "user_feedback": "user_feedbacks",
    "reask": "reasks",
    "preference": "preferences",
    "authz": "role_bindings",
    "event": "events",
    "classifier": "classifiers",
}
"""The collection of a type of signal, where it is not the type itself."""
PROJECTIONS = {"partition": "partitions", "score": "scores", "mapping": "mappings"}
OPTIONS = {"reasoning": "use_reasoning", "effort": "reasoning_effort", "lora": "lora_name", "weight": "weight"}
TREE_PRIORITY = 1_000_000


def parse(source: str, name: str) -> Mapping:
    """Return a program as a configuration: its routing, recipes and entry points.

    Raises:
        CompileError: VSR002 or VSR005.
    """
    return _Parser(list(tokens(source, name)), name).program()


class _Parser:
    def __init__(self, found: list[Token], name: str) -> None:
        self.tokens = found
        self.at = 0
        self.end = Span(name, found[-1].span.end_line, found[-1].span.end_column) if found else Span(name, 1, 1)

    def program(self) -> Mapping:
        """Parse all blocks."""
        start = self.tokens[0].span if self.tokens else self.end
        scope = Scope(start)
        recipes: list[Node] = []
        entrypoints: list[Node] = []
        while self.at < len(self.tokens):
            block = self._word()
            if block.text == "RECIPE":
                recipes.append(self._recipe())
            elif block.text == "ENTRYPOINT":
                entrypoints.append(self._fields())
            else:
                self._block(block, scope)
        body: dict[str, Any] = {"routing": scope.node()}
        body |= {"recipes": recipes} if recipes else {}
        body |= {"entrypoints": entrypoints} if entrypoints else {}
        found = make(body, start)
        assert isinstance(found, Mapping)  # noqa: S101 - made of a dict
        return found

    def _recipe(self) -> Node:
        name = self._name()
        options = {f"({key})": value for key, value in self._options().items()}
        scope = Scope(name.span)
        self._sign("{")
        while not self._next("}"):
            self._block(self._word(), scope)
        return make({"name": name, "routing": scope.node(), **options}, name.span)

    def _block(self, block: Token, scope: Scope) -> None:  # noqa: C901 - one case for each kind of block
        match block.text:
            case "MODEL":
                scope.models.append(self._named(self._name()))
            case "SIGNAL":
                type_ = self._word().text
                scope.signals.setdefault(COLLECTIONS.get(type_, type_), []).append(self._named(self._name()))
            case "PROJECTION":
                kind = self._word().text
                scope.projections.setdefault(PROJECTIONS.get(kind, kind), []).append(self._named(self._name()))
            case "PLUGIN":
                name, type_ = self._name(), self._word().text
                scope.templates[name.text] = (type_, self._fields())
            case "ROUTE":
                scope.decisions.append(self._route(self._name()))
            case "DECISION_TREE":
                self._tree(self._name(), scope)
            case "ROUTING":
                scope.strategy = child(self._fields(), "strategy")
            case "TEST":
                self._name()
                scope.tests += self._tests()
            case "BACKEND":
                kind, named = self._word().text, self._name().text
                self._skip()
                scope.left[f"BACKEND {kind} {named}"] = (block.span, make(kind, block.span))
            case "GLOBAL":
                self._skip()
                scope.left["GLOBAL"] = (block.span, make("settings", block.span))
            case _:
                self._fail(block.span, f"`{block.text}` begins no block")

    def _tests(self) -> list[Node]:
        """Parse the entries of a test block: a prompt, an arrow, and the route that is expected."""
        found: list[Node] = []
        self._sign("{")
        while not self._next("}"):
            prompt, arrow, route = self._name(), self._take(), self._name()
            if arrow.kind != "arrow":
                self._fail(arrow.span, "a test is a prompt, an arrow and a route")
            found.append(make({"prompt": prompt, "route": route}, prompt.span))
            self._next(",")
        return found

    def _named(self, name: Scalar) -> Node:
        options = self._options()
        fields = self._fields()
        own = {f"({key})": (value.span, value) for key, value in options.items()}
        fields.entries = {"name": (name.span, name), **fields.entries, **own}
        return fields

    def _route(self, name: Scalar) -> Mapping:
        described = self._options()
        body: dict[str, Any] = {"name": name, "priority": 0}
        if "description" in described:
            body["description"] = described.pop("description")
        body |= {f"({key})": value for key, value in described.items()}
        body |= self._body()
        found = make(body, name.span)
        assert isinstance(found, Mapping)  # noqa: S101 - made of a dict
        return found

    def _body(self) -> dict[str, Any]:  # noqa: C901 - one case for each part of a route
        """Parse the body of a route, or of a branch of a decision tree."""
        body: dict[str, Any] = {}
        first = self._sign("{")
        refs: list[Node] = []
        plugins: list[Node] = []
        while not self._next("}"):
            word = self._word()
            match word.text:
                case "PRIORITY" | "TIER":
                    body[word.text.lower()] = self._value(0)
                case "WHEN":
                    body["rules"] = self._rules(self._or(0))
                case "NAME" | "DESCRIPTION":
                    body[word.text.lower()] = self._value(0)
                case "MODEL":
                    refs += self._models()
                case "ALGORITHM":
                    kind = self._word()
                    fields = self._fields() if self._peek("{") else Mapping(kind.span)
                    body["algorithm"] = {"type": Scalar(kind.text, plain=False, span=kind.span), kind.text: fields}
                case "PLUGIN":
                    plugin = self._name()
                    fields = self._fields() if self._peek("{") else Mapping(plugin.span)
                    plugins.append(make({"type": plugin, "configuration": fields}, plugin.span))
                case "EMIT":
                    kind = self._word()
                    body["emits"] = [{"kind": kind.text}]
                    self._skip()
                case "FOR":
                    body["candidateIterations"] = [{"variable": "candidate"}]
                    while not self._peek("{"):
                        self._take()
                    self._skip()
                case _:
                    self._fail(word.span, f"`{word.text}` is nothing that a route has")
        body["modelRefs"], body["plugins"] = make(refs, first), make(plugins, first)
        return body

    def _models(self) -> list[Node]:
        refs: list[Node] = []
        while True:
            name = self._name()
            options = {OPTIONS.get(key, key): value for key, value in self._options().items()}
            refs.append(make({"model": name, **options}, name.span))
            if not self._next(","):
                return refs

    def _tree(self, name: Scalar, scope: Scope) -> None:
        """Parse a decision tree: each branch is a decision that those before it exclude."""
        self._sign("{")
        rank = 0
        while not self._next("}"):
            word = self._word()
            if word.text == "ELSE" and self._peek_word("IF"):
                word = self._word()
            rules = (
                self._rules(self._or(0))
                if word.text == "IF"
                else make({"operator": "AND", "conditions": []}, word.span)
            )
            if word.text not in {"IF", "ELSE"}:
                self._fail(word.span, f"`{word.text}` is no branch of a decision tree")
            body = self._body()
            rank += 1
            known = {"name": f"{name.text}_{rank}", "priority": TREE_PRIORITY - rank}
            scope.decisions.append(make({**known, **body, "rules": rules}, word.span))

    def _rules(self, node: Node) -> Node:
        """Return the rules of a route, whose root is an operator."""
        return (
            node if child(node, "operator") is not None else make({"operator": "AND", "conditions": [node]}, node.span)
        )

    def _or(self, depth: int) -> Node:
        return self._joined("OR", depth)

    def _joined(self, operator: str, depth: int) -> Node:
        parts = [self._joined("AND", depth) if operator == "OR" else self._factor(depth)]
        while self._peek_word(operator):
            self._take()
            parts.append(self._joined("AND", depth) if operator == "OR" else self._factor(depth))
        return parts[0] if len(parts) == 1 else make({"operator": operator, "conditions": parts}, parts[0].span)

    def _factor(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._deep()
        if self._peek_word("NOT"):
            word = self._take()
            return make({"operator": "NOT", "conditions": [self._factor(depth + 1)]}, word.span)
        if self._next("("):
            inner = self._or(depth + 1)
            self._sign(")")
            return inner
        type_ = self._word()
        self._sign("(")
        name = self._name()
        rest: dict[str, Node] = {}
        while self._next(","):
            key = self._word().text
            if not self._next("=") and not self._next(":"):
                self._fail(self._here(), "a condition has more than a name")
            rest[key] = self._value(depth + 1)
        self._sign(")")
        return make({"type": type_.text, "name": name, **rest}, type_.span)

    def _options(self) -> dict[str, Node]:
        """Parse ``(key = value, …)``, which may be absent."""
        found: dict[str, Node] = {}
        if not self._next("("):
            return found
        while not self._next(")"):
            key = self._word().text
            if not self._next("="):
                self._sign(":")
            found[key] = self._value(0)
            self._next(",")
        return found

    def _fields(self, depth: int = 0) -> Mapping:
        """Parse ``{ key: value … }``. Commas between entries are optional."""
        found = Mapping(self._sign("{"))
        while not self._next("}"):
            key = self._take()
            if key.kind not in {"word", "string"}:
                self._fail(key.span, f"`{key.text}` is no key")
            if not self._next("="):
                self._sign(":")
            found.entries[key.text] = (key.span, self._value(depth + 1))
            self._next(",")
        return found

    def _value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._deep()
        if self._peek("{"):
            return self._fields(depth)
        token = self._take()
        if token.text == "[" and token.kind == "sign":
            found = Sequence(token.span)
            while not self._next("]"):
                found.items.append(self._value(depth + 1))
                self._next(",")
            return found
        if token.kind in {"sign", "arrow"}:
            self._fail(token.span, f"unexpected `{token.text}`")
        return Scalar(token.text, token.kind != "string", token.span)

    def _skip(self) -> None:
        """Skip a block in braces."""
        self._sign("{")
        depth = 1
        while depth:
            token = self._take()
            if token.kind == "sign" and token.text in "{}":
                depth += 1 if token.text == "{" else -1

    def _name(self) -> Scalar:
        token = self._take()
        if token.kind not in {"word", "string", "number"}:
            self._fail(token.span, f"expected a name instead of `{token.text}`")
        return Scalar(token.text, plain=False, span=token.span)

    def _word(self) -> Token:
        token = self._take()
        if token.kind != "word":
            self._fail(token.span, f"expected a word instead of `{token.text[:40]}`")
        return token

    def _take(self) -> Token:
        if self.at >= len(self.tokens):
            self._fail(self.end, "the program ends within a block")
        self.at += 1
        return self.tokens[self.at - 1]

    def _sign(self, sign: str) -> Span:
        token = self._take()
        if token.kind != "sign" or token.text != sign:
            self._fail(token.span, f"expected `{sign}` instead of `{token.text[:40]}`")
        return token.span

    def _next(self, sign: str) -> bool:
        """Take a sign if it is the next token. The end of the program ends no block."""
        if self._peek(sign):
            self.at += 1
            return True
        if sign in "})]" and self.at >= len(self.tokens):
            self._fail(self.end, "the program ends within a block")
        return False

    def _peek(self, sign: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind == "sign" and self.tokens[self.at].text == sign

    def _peek_word(self, word: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind == "word" and self.tokens[self.at].text == word

    def _here(self) -> Span:
        return self.tokens[self.at].span if self.at < len(self.tokens) else self.end

    def _fail(self, span: Span, message: str) -> NoReturn:
        raise CompileError([Diagnostic("VSR002", f"not readable as a program: {message}", span)])

    def _deep(self) -> NoReturn:
        raise CompileError([Diagnostic("VSR005", f"nested deeper than {MAX_DEPTH} levels", self._here())])
