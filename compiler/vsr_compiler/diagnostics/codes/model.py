"""The entry of a code: what the registry records about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Stage(Enum):
    """The stage of the compiler, or the command, that reports a code."""

    READ = "reading"
    SCHEMA = "schema"
    LINK = "linking"
    ANALYSIS = "analysis"
    HEADS = "training of heads"
    TARGETS = "targets"
    DEPLOY = "deployment"
    VERIFY = "verification of manifests"
    TEST = "tests of the policy"
    EVAL = "evaluation"
    REVIEW = "review commands"
    IMPORT = "import"
    OUTPUT = "output"
    LIVE = "status of a cluster"
    INTERNAL = "internal"


_AFTER_CHECK = frozenset({Stage.HEADS, Stage.TARGETS, Stage.DEPLOY, Stage.VERIFY, Stage.TEST})
"""Stages that ``check`` does not run and whose findings a comment in the policy can silence."""


class Kind(Enum):
    """How the input of an example is to be read."""

    SECTIONS = "sections"
    """Sections of a policy, which replace those of ``BASE``."""
    FILE = "file"
    """A whole file."""
    MANIFESTS = "manifests"
    """Kubernetes objects."""
    EXCERPT = "excerpt"
    """A part of a larger manifest."""
    COMMAND = "command"
    """A command line."""


BASE = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: example}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  vllm-big: {vllm: {}}
  small: {service: {name: small, port: 8000}}
models:
  big: {checkpoint: example/big, endpoints: [vllm-big]}
  small: {endpoints: [small]}
signals:
  urgent: {keywords: [urgent, asap]}
routes:
  - {name: urgent, when: {signal: urgent}, model: small}
default: big
"""
"""The policy whose sections the examples replace."""


@dataclass(frozen=True, slots=True)
class Example:
    """An input that produces a code.

    Attributes:
        text: The input.
        kind: How to read it.
        output: The first line of the finding, where it cannot be recorded by running the example.
    """

    text: str
    kind: Kind = Kind.SECTIONS
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What a code means.

    Attributes:
        title: A short noun phrase, such as "duplicate key".
        severity: The severity of its findings, unless a rule sets another one.
        stage: The stage that reports it.
        meaning: What is wrong, in one or two sentences.
        reason: Why it matters.
        fix: What to do, as an instruction.
        example: An input that produces it.
        rule: The rule of ``verify`` that reports it, such as ``L01``; empty for codes of other commands.
    """

    title: str
    severity: Literal["error", "warning", "note"]
    stage: Stage
    meaning: str
    reason: str
    fix: str
    example: Example
    rule: str = ""

    @property
    def reported_after_check(self) -> bool:
        """Whether a comment may silence this code although ``check`` never reports it.

        Findings of link rules vary in severity, so each of them may be a warning.
        """
        return self.stage in _AFTER_CHECK and (self.severity != "error" or self.stage is Stage.VERIFY)
