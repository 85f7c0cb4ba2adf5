"""Kubernetes objects of a YAML document, with the places of their parts. A list is read as its items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.manifests.kinds import KINDS
from vsr_compiler.verify.limits import MAX_OBJECTS, Budget, limit_error
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping
from vsr_compiler.verify.replaced_words import in_braces
from vsr_compiler.yaml_reader import event_span

OWN_GROUP = "vsr.dev/"
"""API group of policies and settings, which are read by vsr-compile and vsr-runtime, never by a cluster."""
Places = Any
"""The event of a scalar; for a mapping or list, its event and the places of its entries."""


@dataclass(slots=True, eq=False)
class DocumentPlaces:
    """The places of a document, which are computed when the first of them is asked for.

    Attributes:
        name: The name of the file.
        compute: Returns the places.
        line: The number of lines before the text from which they are computed.
    """

    name: str
    compute: Callable[[], Places]
    line: int = 0
    _root: Places = None

    def root(self) -> Places:
        """Return the places of the whole document."""
        if self._root is None:
            self._root = self.compute()
        return self._root

    def span_of(self, place: Places) -> Span:
        """Return the place of a value: the whole extent of a scalar, the first character of a mapping or list."""
        if isinstance(place, tuple):
            mark = place[0].start_mark
            return Span(self.name, mark.line + 1 + self.line, mark.column + 1)
        span = event_span(place, self.name)
        return replace(span, line=span.line + self.line, end_line=span.end_line + self.line) if self.line else span


def objects_of_document(
    value: Any,  # noqa: ANN401 - JSON of any form
    places: PlaceIndex,
    budget: Budget,
    diagnostics: list[Diagnostic],
    *,
    strict: bool,
    namespace: str = "",
) -> Iterator[Manifest]:
    """Return the objects of a document: the document itself, or the items of a list.

    Args:
        value: The document.
        places: Its places.
        budget: The remaining limits.
        diagnostics: Receives errors of the document.
        strict: Whether a document that is not a Kubernetes object is an error.
        namespace: The namespace of objects that do not say in which they are.
    """
    if value is None:
        return
    body = value if isinstance(value, dict) else {}
    kind = str(body.get("kind", ""))
    if kind.endswith("List") and isinstance(body.get("items"), list):
        for number, item in enumerate(body["items"]):
            typed = item
            if kind != "List" and isinstance(item, dict) and not {"apiVersion", "kind"} & set(item):
                # The items of a ConfigMapList are ConfigMaps, whether they say so or not.
                typed = {"apiVersion": body.get("apiVersion"), "kind": kind.removesuffix("List"), **item}
            place = PlaceIndex(places.document, (*places.prefix, "items", number))
            yield from objects_of_document(typed, place, budget, diagnostics, strict=strict, namespace=namespace)
        return
    budget.objects -= 1
    if budget.objects < 0:
        raise limit_error(f"more than {MAX_OBJECTS:,} objects", places.start)
    is_ours = str(body.get("apiVersion", "")).startswith(OWN_GROUP)
    if not strict and (is_ours or _is_of_another_program(body)):
        diagnostics.append(skipped(places.start))
        return
    if is_ours:
        message = f"this {body.get('kind')} is not a Kubernetes object"
        hint = "Pass manifests; check policies by `vsr-compile check`."
        diagnostics.append(Diagnostic("VSR431", message, places.start, hint))
        return
    yield from _object(value, body, places, diagnostics, namespace)


def _object(
    value: object, body: dict[str, Any], places: PlaceIndex, diagnostics: list[Diagnostic], namespace: str
) -> Iterator[Manifest]:
    placeholder = next(filter(None, map(in_braces, as_mapping(body.get("metadata")).values())), "")
    if placeholder:
        message = f"`{placeholder}` is a placeholder: this {body.get('kind', 'document')} is not checked"
        hint = "Replace it before you apply the file."
        diagnostics.append(Diagnostic("VSR480", message, places.start, hint, Severity.NOTE))
    elif problem := shape_error(value):
        diagnostics.append(Diagnostic("VSR431", problem, places.start, "Set apiVersion, kind and metadata.name."))
    else:
        yield Manifest(decryptable(body), places.span, namespace)


def skipped(span: Span) -> Diagnostic:
    """Return the note about a document that is no Kubernetes object."""
    message = "skipped document: it is not a Kubernetes object"
    return Diagnostic("VSR432", message, span, "Ignore this note if another program reads the file.")


def _is_of_another_program(body: dict[str, Any]) -> bool:
    """Whether a document is for another program, such as Helm values, a pipeline, or settings of a tool."""
    version, kind = body.get("apiVersion"), body.get("kind")
    if not {"apiVersion", "kind"} & set(body) or version == _PLUGINS:
        return True
    if (version, kind) in _OWN_SETTINGS or _is_chart(body):
        return True
    if "apiVersion" not in body and "spec" not in body and kind not in _KINDS:
        return True
    return not isinstance(body.get("metadata"), dict) and _is_of_tool(version, kind)


def _is_of_tool(version: object, kind: object) -> bool:
    """Whether a document without metadata is for a tool: kind, k3d, kubeadm, skaffold, Envoy Gateway, Grafana."""
    if not isinstance(version, str) or not isinstance(kind, str):
        return True
    group, _, release = version.rpartition("/")
    if "." in group or kind == "Config" or _VERSION.fullmatch(version) is None:
        return True
    return not group and release != "v1"  # The core group has no other version; settings of Talos have.


def decryptable(body: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the field that SOPS adds when it encrypts, and removes again."""
    added = body.get("sops")
    if not isinstance(added, dict) or not {"mac", "lastmodified", "version"} & set(added):
        return body
    return {key: item for key, item in body.items() if key != "sops"}


_KINDS = frozenset(kind.name for kind in KINDS.values())
_VERSION = re.compile(r"(?:[a-z0-9.-]+/)?v[0-9]+(?:(?:alpha|beta)[0-9]+)?")
_PLUGINS = "builtin"
"""The apiVersion of kustomize's own generators and transformers."""
_OWN_SETTINGS = frozenset({("install.istio.io/v1alpha1", "IstioOperator")})
"""Settings of tools which have metadata, but are never applied: `istioctl install -f FILE`."""


def _is_chart(body: dict[str, Any]) -> bool:
    """Whether a document is the Chart.yaml of a Helm chart."""
    return body.get("apiVersion") in {"v1", "v2"} and "kind" not in body and {"name", "version"} <= set(body)


def shape_error(value: object) -> str:
    """Return why a document is not a Kubernetes object; empty if it is one."""
    if not isinstance(value, dict):
        return "this document is not a mapping, so not a Kubernetes object"
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            return f"`{key}` is missing or not a string, so this is not a Kubernetes object"
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return f"this {value['kind']} has no metadata"
    name = metadata.get("name", metadata.get("generateName"))
    if not isinstance(name, str) or not name:
        return f"this {value['kind']} has no name, or one that is not a string"
    if not isinstance(metadata.get("namespace", ""), str):
        return f"the namespace of {value['kind']} `{name}` is not a string"
    return ""


@dataclass(frozen=True, slots=True)
class PlaceIndex:
    """Locates the parts of an object.

    Attributes:
        document: The places of its document.
        prefix: The path of the object in the document.
    """

    document: DocumentPlaces
    prefix: Path = ()

    @property
    def start(self) -> Span:
        """The place of the object itself."""
        return self.span((), key=False)

    def span(self, path: Path, key: bool) -> Span:  # noqa: FBT001 - the signature of ``Manifest.locate``
        """Return the place of a path, or of its nearest existing ancestor."""
        place = at = self.document.root()
        whole = (*self.prefix, *path)
        for number, step in enumerate(whole):
            children = place[1] if isinstance(place, tuple) else None
            if isinstance(children, dict) and step in children:
                at, place = children[step]
                last = number == len(whole) - 1
                at = at if key and last else place
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                at = place = children[step]
            else:
                return self.document.span_of(at if number == 0 else place)
        return self.document.span_of(at)
