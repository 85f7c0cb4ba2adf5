"""A breakage as data: the release that breaks objects of earlier releases, and how objects show that they are affected.

Each way of being seen is one class, and one rule of ``verify`` looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias


class Program(Enum):
    """A program in a container whose arguments or variables a release changes."""

    VLLM = "vllm"
    PICKER = "picker"
    SIDECAR = "sidecar"
    ISTIOD = "istiod"


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments of a program, without dashes, each with what replaces it, or nothing.

    Attributes:
        program: The program.
        names: The replacement by argument.
        values: The values with which an argument is affected; empty for every value.
        as_module: Whether it also concerns a program that runs as a module of Python.
    """

    program: Program
    names: Mapping[str, str]
    values: frozenset[str] = frozenset()
    as_module: bool = True


@dataclass(frozen=True, slots=True)
class Variables:
    """Environment variables of a program, each with what replaces it, or nothing."""

    program: Program
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Images:
    """Images that a project does not publish any more, as a regular expression for the name without tag."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """Types of plugins in an EndpointPickerConfig, each with what replaces it, or nothing."""

    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of plugins in an EndpointPickerConfig, each with what replaces it, or nothing."""

    plugins: frozenset[str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PodLabel:
    """A label of pods with one of some values, each with the value that replaces it."""

    key: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics whose names begin with a prefix.

    Attributes:
        prefix: The prefix, or a whole name.
        instead: What replaces the prefix; empty if nothing replaces the metrics.
        renamed: Whether earlier releases do not have the new names.
    """

    prefix: str
    instead: str = ""
    renamed: bool = False


class Condition(Enum):
    """When a field is affected."""

    PRESENT = "it is set"
    EMPTY = "it is an empty list or mapping"
    ABSENT_OR_EMPTY = "it is missing or empty"


@dataclass(frozen=True, slots=True)
class Fields:
    """A field of some kinds. ``[]`` in the path stands for every item of a list.

    Attributes:
        group: The API group.
        kinds: The kinds.
        path: The field.
        condition: When it is affected.
        on_kinds: If not empty, only policies that target one of these kinds.
    """

    group: str
    kinds: tuple[str, ...]
    path: str
    condition: Condition = Condition.PRESENT
    on_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Versions:
    """Kinds of an API group, in the given versions, or in every version if none is given."""

    group: str
    kinds: Mapping[str, str]
    versions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Patches:
    """Operations of EnvoyPatchPolicies, as Envoy Gateway applies them to what it generates for Envoy.

    Attributes:
        types: The ends of the names of patched types, such as ``Cluster``.
        place: Regular expression for the pointer or JSONPath, in snake case; empty for every place.
        name: Regular expression for the whole name of the patched resource; empty for every name.
        values: The values with which an operation is affected; empty for every value.
        existing: Like ``place``, but only for operations on what exists already: all except `add`.
        example: Such a place or name, for people.
    """

    types: frozenset[str]
    example: str
    place: str = ""
    name: str = ""
    values: frozenset[str] = frozenset()
    existing: str = ""


class PickerSetting(Enum):
    """A setting of an EndpointPickerConfig that needs more than a look at one name."""

    UNBOUNDED_QUEUE = "flow control without a time to live"
    ATTRIBUTE_WITH_PRODUCER = "an attribute that is written with its producer"


@dataclass(frozen=True, slots=True)
class PickerSettings:
    """A setting of an EndpointPickerConfig."""

    setting: PickerSetting


class Behaviour(Enum):
    """A change of behaviour that several objects together show. Each has a function in ``verify``."""

    LUA_IS_OFF = "Lua in an EnvoyExtensionPolicy, unless the configuration enables it,"
    TRACING_BY_CLIENTS = "an EnvoyProxy with tracing and no `clientSamplingFraction`"
    LISTENERS_BY_PORT = "a listener with the name of its Gateway, as patches name it,"
    EXTERNAL_NAME_BACKEND = "a route to a Service of the type ExternalName"
    EMPTY_BACKENDS = "a rule without backends and without an answer of its own"
    TWO_TLS_POLICIES = "a DestinationRule beside a BackendTLSPolicy for one host"
    UNHEALTHY_ENDPOINTS = "outlier detection without `minHealthPercent`"
    CROSS_NAMESPACE = "a reference into another namespace"
    OLD_DEFINITIONS = "every definition of an earlier release"
    UNSERVED_ROUTES = "a TCPRoute or UDPRoute"
    IMPLIED_MONITORING = "a chart with the provider `gke`"


@dataclass(frozen=True, slots=True)
class Together:
    """A change of behaviour that one look at several objects shows."""

    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Unseen:
    """A change that objects do not show, because they are as right as before. Only ``upgrade`` names it."""

    subject: str


Sign: TypeAlias = (
    Arguments
    | Variables
    | Images
    | Plugins
    | Parameters
    | PickerSettings
    | PodLabel
    | Metrics
    | Fields
    | Versions
    | Patches
    | Together
    | Unseen
)
"""How objects show that a breakage concerns them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """What a release changes for objects that were right before.

    Attributes:
        component: The project.
        since: The first release with the change.
        until: The first release without it; empty if every later release has it.
        what: What happens, as the rest of a sentence; ``{found}`` stands for what was found in the object.
        remedy: What to do, as an instruction; ``{instead}`` stands for what replaces the thing that was found.
        source: Where the change is described.
        sign: How objects show it.
        severity: How bad it is.
        confirmed: Whether the source was read, and not only quoted by others.
    """

    component: str
    since: str
    what: str
    remedy: str
    source: str
    sign: Sign
    until: str = ""
    severity: Literal["error", "warning", "note"] = "error"
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A release that another component needs.

    Attributes:
        component: The project.
        since: Its first release with the requirement.
        needs: The project that it needs.
        at_least: The release of that project.
        reason: What happens otherwise, as the rest of a sentence.
        source: Where the requirement is described.
        confirmed: Whether the source was read.
        until: The first release without the requirement.
    """

    component: str
    since: str
    needs: str
    at_least: str
    reason: str
    source: str
    confirmed: bool = True
    until: str = ""
