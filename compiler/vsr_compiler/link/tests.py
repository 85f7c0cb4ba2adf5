"""Links tests: the bodies of their requests, and what is expected of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vsr_compiler import ir
from vsr_compiler.link.identity import client_tests, linked_client
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas import apis
from vsr_schemas.headers import DEBUG, is_protected
from vsr_schemas.policy import v1alpha1 as schema

DEFAULT_ROUTE = "default"
"""In `route`: no route matches, and the default model answers."""
DEFAULT_REPLY = "OK."
"""What the assistant says between two turns of the person, if the test does not state it."""
MAX_TOKENS = 1024
"""The bound on the answer, which the Messages API requires."""
_LISTS = {apis.CHAT: "messages", apis.MESSAGES: "messages", apis.RESPONSES: "input"}
"""The field with the messages, for APIs that have some."""
_TEXTS = {apis.COMPLETIONS: "prompt", apis.EMBEDDINGS: "input"}
"""The field with the text of the others."""
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TestTables:
    """What expectations can refer to, by name."""

    __test__ = False

    models: Mapping[str, ir.Model]
    categories: Mapping[str, ir.Category]
    guards: Mapping[str, ir.Guard]
    routes: Mapping[str, None]


def link_tests(
    scope: Scope,
    policy: schema.PolicySpec,
    models: Mapping[str, ir.Model],
    categories: Mapping[str, ir.Category],
    guards: Mapping[str, ir.Guard],
    identity: ir.Identity | None = None,
) -> tuple[ir.Test, ...]:
    """Return all tests in file order."""
    routes = dict.fromkeys((*(route.name for route in policy.routes), DEFAULT_ROUTE))
    tables = TestTables(models, categories, guards, routes)
    linked = []
    for index, spec in enumerate(policy.tests):
        test = _test(scope, policy, tables, spec, ("tests", index))
        linked.append(_with_client(scope, identity, test, spec.as_, ("tests", index, "as")))
    return tuple(linked)


def _with_client(
    scope: Scope, identity: ir.Identity | None, test: ir.Test, spec: schema.AsSpec | None, path: Path
) -> ir.Test:
    """Return the test with the client that sends it."""
    if spec is None:
        return test
    client_tests(scope, identity, spec, path)
    client = linked_client(spec)
    return replace(test, attributes=client.attributes, roles=client.roles)


def _test(scope: Scope, policy: schema.PolicySpec, tables: TestTables, spec: schema.TestSpec, path: Path) -> ir.Test:
    if spec.model is not None and spec.model not in policy.router.auto_models:
        scope.resolve(tables.models, spec.model, "model", (*path, "model"))
    _check_headers(scope, spec, path)
    model = spec.model or policy.router.auto_models[0]
    plain = spec.prompt is not None and spec.path == apis.CHAT and not spec.headers
    return ir.Test(
        _requests(scope, tables, spec, path, model),
        spec.path,
        tuple(sorted(spec.headers.items())),
        scope.span(*path),
        spec.prompt if plain else None,
    )


def _check_headers(scope: Scope, spec: schema.TestSpec, path: Path) -> None:
    """Check that the headers of a test can reach the router."""
    for name in spec.headers:
        if is_protected(name) and name != DEBUG:
            hint = "Remove it: the gateway removes it from a client's request, or the body determines it."
            scope.report("VSR255", f"a test cannot set the header `{name}`", (*path, "headers", name), hint, key=True)


def _requests(
    scope: Scope, tables: TestTables, spec: schema.TestSpec, path: Path, model: str
) -> tuple[ir.TestRequest, ...]:
    if spec.conversation is not None:
        return _conversation(scope, tables, spec, spec.conversation, path, model)
    expect = None if spec.expect is None else _expectation(scope, tables, spec.expect, (*path, "expect"))
    body: Message
    if spec.request is not None:
        body = {"model": model, **spec.request}
    elif spec.path in _TEXTS and spec.prompt is not None:
        body = {"model": model, _TEXTS[spec.path]: spec.prompt}
    else:
        messages = [_user(spec.prompt)] if spec.prompt is not None else list(spec.messages or ())
        body = _body(scope, spec, messages, path, model)
    return (ir.TestRequest(body, expect, scope.span(*path)),)


def _conversation(
    scope: Scope,
    tables: TestTables,
    spec: schema.TestSpec,
    turns: Sequence[schema.TurnSpec],
    path: Path,
    model: str,
) -> tuple[ir.TestRequest, ...]:
    """Return a request for each turn: everything before it, and the turn."""
    past: list[Message] = []
    requests = []
    for number, turn in enumerate(turns):
        where = (*path, "conversation", number)
        if turn.prompt is not None and past and past[-1].get("role") != "assistant":
            past.append(_assistant(DEFAULT_REPLY))
        past += [_user(turn.prompt)] if turn.prompt is not None else list(turn.messages or ())
        expect = None if turn.expect is None else _expectation(scope, tables, turn.expect, (*where, "expect"))
        requests.append(ir.TestRequest(_body(scope, spec, past, path, model), expect, scope.span(*where)))
        if turn.reply is not None:
            past.append(_assistant(turn.reply))
    return tuple(requests)


def _body(scope: Scope, spec: schema.TestSpec, messages: Sequence[Message], path: Path, model: str) -> Message:
    """Return the body with some messages. Reports an API that has none."""
    field = _LISTS.get(spec.path)
    if field is None:
        hint = f"Use `request` for this API, or one of the paths: {', '.join(f'`{name}`' for name in _LISTS)}."
        scope.report("VSR256", f"requests of `{spec.path}` have no messages", (*path, "path"), hint)
        return {"model": model}
    required = {"max_tokens": MAX_TOKENS} if spec.path == apis.MESSAGES else {}
    return {"model": model, **required, field: [dict(message) for message in messages]}


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def _assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _expectation(scope: Scope, tables: TestTables, expect: schema.ExpectationSpec, path: Path) -> ir.Expectation:
    expected = None
    if expect.model is not None:
        expected = scope.resolve(tables.models, expect.model, "model", (*path, "model"))
    if expect.route is not None:
        scope.resolve(tables.routes, expect.route, "route", (*path, "route"))
    if expect.category is not None:
        scope.resolve(tables.categories, expect.category, "category", (*path, "category"))
    matched = [
        scope.resolve(tables.guards, name, "guard", (*path, "guards", number))
        for number, name in enumerate(expect.guards or ())
    ]
    guards = None if expect.guards is None else tuple(guard for guard in matched if guard is not None)
    return ir.Expectation(expect.category, expect.route, expected, guards, expect.error, scope.span(*path))
