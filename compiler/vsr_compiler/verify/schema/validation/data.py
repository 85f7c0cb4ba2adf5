"""Keys of ConfigMaps and Secrets, and what a type of Secret needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, as_mapping
from vsr_compiler.verify.schema.validation.faults import Fault, Rule

MAX_KEY = 253
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def _keys(body: Body, *fields: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for field in fields:
        for key in as_mapping(body.get(field)):
            if not _KEY.fullmatch(key) or len(key) > MAX_KEY or key in {".", ".."} or key.startswith(".."):
                hint = "Use letters, digits, `-`, `_` and `.`, and do not begin with `..`."
                yield (field, key), f"`{key[:80]}` is not a valid key", hint
            elif key in seen:
                yield (field, key), "is in `data` as well", "Keep one of them."
            seen.add(key)


def _config_map(body: Body) -> Iterator[Fault]:
    yield from _keys(body, "data", "binaryData")


def _secret(body: Body) -> Iterator[Fault]:
    yield from _keys(body, "data")
    text = as_mapping(body.get("stringData"))
    yield from _keys({"stringData": text}, "stringData")
    known = {*as_mapping(body.get("data")), *text}
    kind = body.get("type")
    missing = [key for key in _NEEDED.get(kind, ()) if key not in known] if isinstance(kind, str) else []
    if missing:
        listed = " and ".join(f"`{key}`" for key in missing)
        yield ("type",), f"a Secret of the type {kind} needs the key {listed}", "Add it to `data` or `stringData`."
    if kind == "kubernetes.io/basic-auth" and not known & {"username", "password"}:
        yield ("type",), f"a Secret of the type {kind} needs `username` or `password`", "Add one of them."


RULES: Mapping[tuple[str, str], Rule] = {("", "ConfigMap"): _config_map, ("", "Secret"): _secret}
