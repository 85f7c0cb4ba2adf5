"""L40: arguments, variables and images that the release of a program does not have any more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.breakages.model import Arguments, Images, Program, Variables
from vsr_compiler.verify.manifest import as_string
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.release_checks.programs import Container, containers, istiod_variables
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR640"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for container in containers(index):
        yield from _arguments(index, container)
    for owner, own, name, path in istiod_variables(index):
        for item, sign, release in breakages_of(index, "istio", Variables, own):
            if sign.program is Program.ISTIOD and name in sign.names:
                yield finding(_CODE, item, release, f"`{name}`", owner, path)
    yield from _images(index)


def _arguments(index: ManifestIndex, container: Container) -> Iterator[Diagnostic]:
    for item, sign, release in breakages_of(index, container.component, Arguments, container.release):
        if sign.program is not container.program or (container.is_module and not sign.as_module):
            continue
        for name, value, path in container.arguments:
            if name in sign.names and (not sign.values or value.lower() in sign.values):
                dashes = "-" if len(name) == 1 else "--"
                found = f"`{dashes}{name}{f' {value}' if sign.values else ''}`"
                # An image of one's own may have what a value needs.
                mild = Severity.WARNING if sign.values and not container.release else None
                instead = _quoted(sign.names[name])
                yield finding(_CODE, item, release, found, container.owner, path, instead, mild)


def _quoted(text: str) -> str:
    return f"`{text}`" if text else ""


def _images(index: ManifestIndex) -> Iterator[Diagnostic]:
    for item, sign, release in breakages_of(index, "inference-extension", Images):
        for workload in index.workloads:
            for path, container in workload.containers(init=True):
                image = as_string(container.get("image"))
                if re.search(sign.pattern, image.partition("@")[0].rpartition(":")[0]):
                    yield finding(_CODE, item, release, f"`{image[:200]}`", workload.owner, (*path, "image"))


RULE = LinkRule(
    name="L40",
    code=_CODE,
    purpose="Containers have only arguments, values of arguments and variables that the release of their program "
    "knows: vLLM, llm-d's endpoint picker and sidecar, istiod. The release is that of `--release`, else the tag of the "
    "image.",
    check=_check,
)
