"""Expectations that a policy states about itself: assertions over all requests, and tests of single requests."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.classifiers import Category
from vsr_compiler.ir.guards import Guard
from vsr_compiler.ir.models import Model
from vsr_compiler.ir.signals import Signal


@dataclass(frozen=True, slots=True)
class Statement:
    """The requests that an assertion covers, and their models and guards. ``to`` is None if it names no model."""

    category: Category | None
    signal: Signal | None
    to: tuple[Model, ...] | None
    guards: tuple[Guard, ...]


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
class Test:
    """A request and the expected result. An expectation that is None is not checked."""

    prompt: str
    model: str
    category: str | None
    route: str | None
    expected_model: Model | None
    span: Span
    guards: tuple[Guard, ...] | None = None
