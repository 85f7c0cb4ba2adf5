"""Expectations that a policy states about itself: assertions over all requests, and tests of single requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.classifiers import Category
from vsr_compiler.ir.guards import Guard
from vsr_compiler.ir.identity import ClientTest
from vsr_compiler.ir.models import Model
from vsr_compiler.ir.signals import Signal


@dataclass(frozen=True, slots=True)
class Statement:
    """The requests that an assertion covers, and their models and guards. ``to`` is None if it names no model.

    ``clients`` are tests of the client, all of which are true. ``finding`` are guards of which one finds something in
    the request, and does not remove it. ``places`` say where the models are served, if ``to`` names regions.
    """

    category: Category | None
    signal: Signal | None
    to: tuple[Model, ...] | None
    guards: tuple[Guard, ...]
    clients: tuple[ClientTest, ...] = ()
    finding: tuple[Guard, ...] = ()
    places: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """A property of all requests: none matches the statement (``never``), or all do (``always`` is true).

    ``words`` is its text in messages.
    """

    always: bool
    statement: Statement
    words: str
    span: Span


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected result of a request. A field that is None is not checked. ``span`` is where it is written."""

    category: str | None
    route: str | None
    model: Model | None
    guards: tuple[Guard, ...] | None
    error: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class TestRequest:
    """A request of a test, and what is expected of it; None if it only leads to a later request."""

    __test__ = False

    body: Mapping[str, Any]
    expect: Expectation | None
    span: Span

    @property
    def model(self) -> str:
        """The model name that the client sends."""
        return str(self.body["model"])


@dataclass(frozen=True, slots=True)
class Test:
    """One request, or the requests of a conversation in order.

    ``prompt`` is the text of the only user message; None for anything that is more than that. ``attributes`` and
    ``roles`` are those of the client.
    """

    requests: tuple[TestRequest, ...]
    path: str
    headers: tuple[tuple[str, str], ...]
    span: Span
    prompt: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    roles: tuple[str, ...] = ()
