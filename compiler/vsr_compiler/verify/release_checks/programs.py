"""Containers of programs whose arguments releases change, and the arguments as the program gets them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.releases.breakages.model import Program
from vsr_compiler.releases.components import COMPONENTS
from vsr_compiler.verify.istio import control_planes
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_string, as_strings
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index
from vsr_compiler.verify.release_checks.descriptions import descriptions
from vsr_compiler.verify.release_checks.found import image_release

_NAMES = {
    Program.VLLM: r"(^|/)vllm-(openai|cpu)[^/]*$|(^|/)llm-d-(cuda|rocm|xpu|cpu|aws|hpu)$",
    Program.PICKER: r"(^|/)llm-d-(router-endpoint-picker|inference-scheduler)$",
    Program.SIDECAR: r"(^|/)llm-d-(router-disagg-sidecar|routing-sidecar)$",
}
_COMPONENTS = {
    Program.VLLM: "vllm",
    Program.PICKER: "llm-d-router",
    Program.SIDECAR: "llm-d-router",
    Program.ISTIOD: "istio",
}
_MODULE = "vllm.entrypoints."
_SERVE = re.compile(r"\bvllm\s+serve\b|\bvllm\.entrypoints\.")
_NAME = re.compile(r"([^\s:@]{1,500}(?::\d{1,5}/[^\s:@]{1,500})?)(?:[:@]\S*)?")
_MAX_TEXT = 65_536
_FIELDS = ("command", "args", "extraArgs", "extraArguments")


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """A container, or the description of one, that runs a program.

    Attributes:
        program: The program.
        component: The project whose release the program has.
        owner: The object.
        path: Path of the container.
        release: The release in the tag of its image; empty if the tag is of something else.
        arguments: Arguments without dashes, each with its value and its path.
        is_module: Whether Python runs it as a module, and not its command.
    """

    program: Program
    component: str
    owner: Manifest
    path: Path
    release: str
    arguments: tuple[tuple[str, str, Path], ...]
    is_module: bool = False


@cached_per_index
def containers(index: ManifestIndex) -> Iterator[Container]:
    """Yield the containers that run one of the programs: of pods, and as custom resources and values describe them."""
    for workload in index.workloads:
        for path, container in workload.containers(init=True):
            yield from _container(workload.owner, path, container)
    for item in descriptions(index):
        yield from _container(item.owner, item.path, item.body)


def _container(owner: Manifest, path: Path, container: Body) -> Iterator[Container]:
    image = as_string(container.get("image"))
    program = _program(image, container)
    if program is not None:
        component = _COMPONENTS[program]
        release = image_release(image, COMPONENTS[component].image)
        arguments = tuple(_arguments(container, path, underscores=program is Program.VLLM))
        yield Container(program, component, owner, path, release, arguments, _MODULE in _text(container))


def _program(image: str, container: Body) -> Program | None:
    match = _NAME.fullmatch(image)
    name = match[1] if match else ""
    for program, pattern in _NAMES.items():
        if re.search(pattern, name):
            return program
    return Program.VLLM if _SERVE.search(_text(container)) else None


def _text(container: Body) -> str:
    words = [word for field in _FIELDS for word in as_strings(container.get(field))][:1000]
    return " ".join(words)[:_MAX_TEXT]


def _arguments(container: Body, path: Path, *, underscores: bool) -> Iterator[tuple[str, str, Path]]:
    """Yield arguments, also those in the text of a shell."""
    for field in _FIELDS:
        for number, text in _indexed_strings(container.get(field)):
            words = _words(text) if " " in text.strip() or "\n" in text.strip() else [text]
            place = (*path, field, number)
            following = as_strings(container.get(field))
            for position, word in enumerate(words):
                name, equals, value = word.lstrip("-").partition("=")
                if not word.startswith("-") or not name:
                    continue
                if not equals:
                    value = _next(words, position) if len(words) > 1 else _next(following, _position(following, text))
                yield (name.replace("_", "-") if underscores else name), value, place


def _indexed_strings(value: object) -> Iterator[tuple[int, str]]:
    if isinstance(value, list):
        yield from ((number, item) for number, item in enumerate(value) if isinstance(item, str))


def _position(words: list[str], word: str) -> int:
    return words.index(word) if word in words else len(words)


def _next(words: list[str], position: int) -> str:
    following = words[position + 1] if position + 1 < len(words) else "-"
    return "" if following.startswith("-") else following


def _words(text: str) -> list[str]:
    """Return the words of a shell's text as far as possible; a text with spaces may also be a value."""
    if not _SERVE.search(text[:_MAX_TEXT]) and not re.search(r"(^|\s)-{1,2}[a-z]", text[:_MAX_TEXT]):
        return [text]
    if text.lstrip().startswith(("{", "[", "-")) and "=" in text.split(None, 1)[0]:
        return [text]
    try:
        return shlex.split(text[:_MAX_TEXT].replace("\\\n", " "), comments=True)
    except ValueError:
        return text[:_MAX_TEXT].split()


def istiod_variables(index: ManifestIndex) -> Iterator[tuple[Manifest, str, str, Path]]:
    """Yield control planes of Istio with their release and each variable with its path."""
    for plane in control_planes(index):
        release = ".".join(map(str, plane.release)) if plane.release else ""
        for name, (_, path) in plane.variables.items():
            yield plane.source, release, name, path
