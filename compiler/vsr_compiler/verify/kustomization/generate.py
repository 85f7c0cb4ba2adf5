"""ConfigMaps and Secrets that a kustomization generates, and the hashes in their names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable

from vsr_compiler.verify.kustomization.places import Places
from vsr_compiler.verify.kustomization.resource import BuildError, Resource, planted
from vsr_compiler.verify.manifest import Body, as_mapping, as_string, as_strings

ReadFile = Callable[[str], bytes]
_QUOTES = "\"'"


def generated(kind: str, entry: Body, options: Body, read: ReadFile, file: str, place: Places) -> Resource:
    """Return the object of an entry of a generator.

    Args:
        kind: `ConfigMap` or `Secret`.
        entry: The entry.
        options: The kustomization's `generatorOptions`.
        read: Reads a file beside the kustomization.
        file: The kustomization.
        place: The place of the entry.
    """
    own = as_mapping(entry.get("options"))
    data, binary = _data(kind, entry, read)
    body: Body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": as_string(entry.get("name"))}}
    if entry.get("namespace"):
        body["metadata"]["namespace"] = entry["namespace"]
    for key in ("labels", "annotations"):
        if both := as_mapping(options.get(key)) | as_mapping(own.get(key)):
            body["metadata"][key] = both
    if data or kind == "Secret":
        body["data"] = data
    if binary:
        body["binaryData"] = binary
    if kind == "Secret":
        body["type"] = as_string(entry.get("type")) or "Opaque"
    if options.get("immutable") or own.get("immutable"):
        body["immutable"] = True
    value, places = planted(body, place)
    disabled = options.get("disableNameSuffixHash") or own.get("disableNameSuffixHash")
    return Resource(value, places, file, hashed=not disabled)


def _data(kind: str, entry: Body, read: ReadFile) -> tuple[dict[str, str], dict[str, str]]:
    contents: dict[str, bytes] = {}
    for item in as_strings(entry.get("literals")):
        key, equals, value = item.partition("=")
        if not equals:
            raise BuildError(f"the literal `{key}` has no `=`")
        stripped = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES else value
        contents[key] = stripped.encode()
    for item in as_strings(entry.get("files")):
        key, equals, path = item.partition("=")
        contents[key if equals else item.rpartition("/")[2]] = read(path if equals else item)
    envs = [*as_strings(entry.get("envs")), *as_strings([entry.get("env")])]
    for item in envs:
        for line in read(item).decode("utf-8-sig", errors="replace").splitlines():
            stripped = line.lstrip()
            if stripped and not stripped.startswith("#"):
                key, _, value = stripped.partition("=")
                contents[key] = value.encode()
    if kind == "Secret":
        return {key: base64.b64encode(value).decode() for key, value in sorted(contents.items())}, {}
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for name, content in sorted(contents.items()):
        try:
            data[name] = content.decode()
        except UnicodeDecodeError:
            binary[name] = base64.b64encode(content).decode()
    return data, binary


_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_DIGITS = str.maketrans("013ae", "ghkmt")


def name_hash(value: Body) -> str:
    """Return the hash that kustomize appends to the name of a ConfigMap or Secret."""
    content: Body = {"kind": value["kind"], "name": "", "data": value.get("data") or ""}
    if value["kind"] == "Secret":
        content["type"] = value.get("type", "")
        if value.get("stringData"):
            content["stringData"] = value["stringData"]
    elif value.get("binaryData"):
        content["binaryData"] = value["binaryData"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    text = re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPES[found.group()], text)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:10].translate(_DIGITS)
