"""Reads files within bounds: regular files only, and YAML settings as plain data."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vsr_runtime.errors import UserError

MAX_BYTES = 4 << 20
"""Size limit of a settings file. A ConfigMap holds 1 MiB."""
MAX_DEPTH = 100
MAX_COPIED = 20_000
"""Values that the aliases of a file may copy in all."""
_MAX_LENIENT = 256 << 10
"""Characters that the slow parser reads."""
_SHOWN = 5

Model = TypeVar("Model", bound=BaseModel)


def open_regular(path: Path) -> int:
    """Open a regular file for reading, and return its descriptor. Never waits for a FIFO's or a device's other end.

    Raises:
        OSError: it cannot be opened, or is something else than a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "is not a regular file", str(path))


def read_regular(path: Path, most: int) -> bytes:
    """Read at most so many bytes of a regular file, and one more if it has more.

    Raises:
        OSError: as of `open_regular`.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read(most + 1)


def read_model(path: Path, contract: type[Model], *, foreign: bool = False) -> Model:
    """Read a YAML file and validate it.

    Args:
        path: the file.
        contract: the model.
        foreign: whether others may have written it; see `read_yaml`.

    Raises:
        UserError: the file is missing, too large, not YAML, or does not match the model.
    """
    document = read_yaml(path, foreign=foreign)
    try:
        return contract.model_validate(document)
    except ValidationError as error:
        raise UserError(rendered(path.name, document, error)) from None


def read_yaml(path: Path, *, foreign: bool = False) -> Any:  # noqa: ANN401 - a YAML document may be any plain value
    """Read a YAML file as plain data: UTF-8, no duplicate keys, at most `MAX_BYTES` and `MAX_DEPTH` levels.

    Args:
        path: the file.
        foreign: whether others may have written it. Then aliases are read, as long as they copy at most `MAX_COPIED`
            values, and so are colons in plain texts of a flow sequence, such as ``[role:admin]``.

    Raises:
        UserError: the file cannot be read or is not such a document.
    """
    text = _read_text(path)
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - heavy, and not every command reads YAML

    try:
        try:
            _check_events(path.name, text, foreign=foreign)
            return _reader().load(text)
        except YAMLError:
            if not foreign or len(text) > _MAX_LENIENT:
                raise
            _check_events(path.name, text, foreign=True, pure=True)  # the fast parser refuses colons there
            return _reader(pure=True).load(text)
    except YAMLError as error:
        raise UserError(_syntax(path.name, error)) from None
    except ValueError as error:  # a scalar that looks like a date to YAML 1.1, but is invalid
        raise UserError(f"{path.name}: {error}; quote the value if text was meant") from None


def _check_events(name: str, text: str, *, foreign: bool, pure: bool = False) -> None:
    """Check what could exhaust the stack or the memory before anything is built: depth, and what aliases copy.

    Raises:
        UserError: it could.
    """
    from ruamel.yaml import YAML, events  # noqa: PLC0415 - as above

    extent = _Extent(name)
    for event in YAML(typ="safe", pure=pure).parse(text):
        if isinstance(event, events.AliasEvent):
            if not foreign:
                raise UserError(f"{name}: aliases (*{event.anchor}) are not supported here; write the value out")
            extent.copy(event.anchor)
        elif isinstance(event, events.CollectionStartEvent):
            extent.open(event.anchor)
        elif isinstance(event, events.CollectionEndEvent):
            extent.close()
        elif isinstance(event, events.ScalarEvent):
            extent.add(event.anchor)


class _Extent:
    """Counts the values of a document while it is read, and those that its aliases copy."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._size = self._copied = 0
        self._sizes: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []

    def add(self, anchor: str | None) -> None:
        self._size += 1
        if anchor:
            self._sizes[anchor] = 1

    def open(self, anchor: str | None) -> None:
        self._open.append((anchor, self._size))
        self._size += 1
        if len(self._open) > MAX_DEPTH:
            raise UserError(f"{self._name}: nested deeper than {MAX_DEPTH} levels")

    def close(self) -> None:
        anchor, before = self._open.pop()
        if anchor:
            self._sizes[anchor] = self._size - before

    def copy(self, anchor: str) -> None:
        if any(anchor == outer for outer, _ in self._open):
            raise UserError(f"{self._name}: the alias *{anchor} contains itself; write the value out")
        size = self._sizes.get(anchor, 1)
        self._size += size
        self._copied += size
        if self._copied > MAX_COPIED:
            raise UserError(f"{self._name}: aliases copy more than {MAX_COPIED} values; write fewer")


@cache
def _constructor() -> type[Any]:
    """Return a constructor that reads ``=`` and ``<<`` as text where they are values, as other readers do.

    So is what only resembles a number.
    """
    from ruamel.yaml.constructor import SafeConstructor  # noqa: PLC0415 - as above

    class TextConstructor(SafeConstructor):
        """Has tables of its own."""

    for tag in ("value", "merge"):
        TextConstructor.add_constructor(f"tag:yaml.org,2002:{tag}", SafeConstructor.construct_yaml_str)
    for tag, construct in (
        ("int", SafeConstructor.construct_yaml_int),
        ("float", SafeConstructor.construct_yaml_float),
    ):
        TextConstructor.add_constructor(f"tag:yaml.org,2002:{tag}", partial(_number_or_text, construct))
    return TextConstructor


@cache
def _composer() -> type[Any]:
    """Return a composer that lets an anchor be given again, as YAML does, without a warning on stderr."""
    from ruamel.yaml.composer import Composer  # noqa: PLC0415 - as above

    class QuietComposer(Composer):
        """Without warnings."""

        def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - ruamel's parameters
            super().__init__(*args, **named)
            self.warn_double_anchors = False

    return QuietComposer


def _number_or_text(construct: Callable[..., Any], constructor: Any, node: Any) -> Any:  # noqa: ANN401 - ruamel's types
    """Return a number; the text where it only resembles one, such as ``-_``, as readers in Go do."""
    try:
        return construct(constructor, node)
    except ValueError:
        return constructor.construct_yaml_str(node)


def _reader(*, pure: bool = False) -> Any:  # noqa: ANN401 - ruamel's class, which is imported late
    from ruamel.yaml import YAML  # noqa: PLC0415 - as above

    reader = YAML(typ="safe", pure=pure)
    reader.Constructor = _constructor()
    reader.Composer = _composer()
    return reader


def _read_text(path: Path) -> str:
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check the path") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{path.name}: larger than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name}: not UTF-8 at byte {error.start}") from None


def _syntax(name: str, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    return f"{where}: {getattr(error, 'problem', None) or 'not YAML'}"


def rendered(name: str, document: object, error: ValidationError) -> str:
    """Join the problems that pydantic found into one line: ``config.yaml: routing.foo: not supported``."""
    found: list[str] = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        place = _place(document, problem["loc"])
        if place is None:
            continue
        extra = problem["type"] == "extra_forbidden"
        line = f"{place or 'document'}: {'not supported; remove it' if extra else problem['msg']}"
        if line not in found:
            found.append(line)
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{name}: {'; '.join(found[:_SHOWN])}{more}"


def _place(document: object, location: tuple[int | str, ...]) -> str | None:
    """The path as the file spells it; None for a branch of a union that the file does not use.

    Rules are nodes (with ``operator``) or leaves; pydantic tries both and puts the branch into its path.
    """
    path, value = "", document
    for step in location:
        is_node = isinstance(value, dict) and "operator" in value
        if step in ("RuleNode", "RuleLeaf") and not (isinstance(value, dict) and step in value):
            if (step == "RuleNode") is not is_node:
                return None
            continue
        if isinstance(value, dict) and step not in value and value.get("type") == step:
            continue  # pydantic puts the type of a plugin into the path
        if isinstance(step, int):
            path += f"[{step}]"
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            path += f".{step}" if path else step
            value = value.get(step) if isinstance(value, dict) else None
    return path
