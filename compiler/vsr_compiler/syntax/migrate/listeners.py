"""Words of one listener below `gateway`, such as `gateway.hostname`, to an entry of `gateway.listeners`."""

from __future__ import annotations

import re
from dataclasses import replace

from vsr_compiler.syntax.fmt.tree import Branch, Entry, Leaf
from vsr_compiler.syntax.migrate.refused import RefusedError
from vsr_schemas.policy.v1alpha1.moved import MOVED

_WORDS = frozenset(path[1] for path in MOVED if path[0] == "gateway")
_HOSTS = frozenset({"host", "hosts", "hostname", "hostnames"})
_HOST = re.compile(r"[\w.*-]{1,253}", re.ASCII)
_PORT = re.compile("[1-9][0-9]{0,4}")
_HTTPS, _HTTP = "443", "80"


def with_listeners(root: Branch) -> Branch:
    """Return the root with the words of `gateway` in a listener.

    Without `port` it is 443 for a listener with `tls`, else 80.
    """
    entries = [_gateway(entry) if entry.key and entry.key.text == "gateway" else entry for entry in root.entries]
    same = all(one is other for one, other in zip(entries, root.entries, strict=True))
    return root if same else replace(root, entries=entries)


def _gateway(entry: Entry) -> Entry:
    gateway = entry.value
    if not isinstance(gateway, Branch) or not gateway.mapping:
        return entry
    moved = [child for child in gateway.entries if _name(child) in _WORDS]
    if not moved:
        return entry
    _check(gateway, moved)
    first = moved[0]
    listener = Branch(mapping=True, flow=False, anchor="", start=first.start, column=0)
    secure = any(_name(child) == "tls" for child in moved)
    listener.entries.append(Entry(_plain("name", first.start), _plain("https" if secure else "http", first.start)))
    if all(_name(child) != "port" for child in moved):
        port = _plain(_HTTPS if secure else _HTTP, first.start)
        listener.entries.append(Entry(_plain("port", first.start), port))
    listener.entries += [_entry(child) for child in moved]
    items = Branch(mapping=False, flow=False, anchor="", start=first.start, column=0, entries=[Entry(None, listener)])
    listeners = Entry(_plain("listeners", first.start), items, gap=first.gap)
    after: list[Entry] = []
    for child in gateway.entries:
        if child is first:
            after.append(listeners)
        elif _name(child) not in _WORDS:
            after.append(child)
    return replace(entry, value=replace(gateway, entries=after))


def _check(gateway: Branch, moved: list[Entry]) -> None:
    """Raise for words whose meaning would be a guess."""
    if any(_name(child) == "listeners" for child in gateway.entries):
        message = f"`gateway` has `listeners` and `{_name(moved[0])}`"
        raise RefusedError(moved[0].start, message, "Move the word to the listener that it is about.")
    hosts = [child for child in moved if _name(child) in _HOSTS]
    if len(hosts) > 1:
        message = f"`gateway` has `{_name(hosts[0])}` and `{_name(hosts[1])}`"
        raise RefusedError(hosts[1].start, message, "Write all hostnames as one list `hostnames`.")
    secure = any(_name(child) == "tls" for child in moved)
    for child in moved:
        name, value = _name(child), child.value
        if name == "https":
            hint = "Write `tls: {secret: NAME}` in its place, with the Secret of the certificate."
            raise RefusedError(child.start, "`gateway.https` does not say which certificate", hint)
        if isinstance(value, Leaf) and value.style == "*":
            message = f"`gateway.{name}` is an alias"
            raise RefusedError(child.start, message, "Write the value in its place.")
        if name == "tls" and not (isinstance(value, Branch) and value.mapping and value.entries):
            hint = "Write `tls: {secret: NAME}`, or remove the key for a listener without TLS."
            raise RefusedError(value.start, "`gateway.tls` names no certificate", hint)
        if name == "port":
            _check_port(value, secure=secure)
        if name in _HOSTS and _is_no_host(value):
            hint = "Write a hostname without scheme and port, or a list of them."
            raise RefusedError(value.start, f"`gateway.{name}` is no hostname", hint)


def _check_port(value: Leaf | Branch, *, secure: bool) -> None:
    if not isinstance(value, Leaf) or not _PORT.fullmatch(value.text):
        raise RefusedError(value.start, "`gateway.port` is no port", "Write one number.")
    if (value.text == _HTTPS and not secure) or (value.text == _HTTP and secure):
        message = f"`gateway.port` is {value.text} {'with' if secure else 'without'} `tls`"
        hint = "Remove `tls`, or correct `port`." if secure else "Add `tls: {secret: NAME}`, or correct `port`."
        raise RefusedError(value.start, message, hint)


def _is_no_host(value: Leaf | Branch) -> bool:
    if isinstance(value, Leaf):
        return not _HOST.fullmatch(value.text) or (not value.style and value.text in {"null", "true", "false"})
    return value.mapping or not value.entries


def _entry(child: Entry) -> Entry:
    """Return an entry of the listener for a word of `gateway`."""
    if _name(child) not in _HOSTS:
        return replace(child, gap=False)
    assert child.key is not None  # noqa: S101 - entries of mappings have keys
    value = child.value
    if isinstance(value, Leaf):
        value = Branch(
            mapping=False,
            flow=True,
            anchor="",
            start=value.start,
            column=0,
            end=value.end,
            entries=[Entry(None, value)],
        )
    return replace(child, key=_plain("hostnames", child.key.start), value=value, gap=False)


def _plain(text: str, start: int) -> Leaf:
    return Leaf(text, "", text, "", start, start)


def _name(entry: Entry) -> str:
    return entry.key.text if entry.key else ""
