"""Compares who is served: authentication, keys, and the clients that may use a model, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review.change_text import ChangeText, field_changes

Identity = Mapping[str, Any]
OPENED, REFUSED = "exposure widened", "clients refused"
"""The rules by which a change is breaking: more clients get somewhere, or some get nowhere."""


def identity_changes(old: Identity, new: Identity) -> Iterator[ChangeText]:
    """Yield the changes of ``identity``, each with its rule if it is breaking."""
    if old and not new:
        yield ChangeText(("identity", "gone"), "clients are no longer authenticated: everybody is served", OPENED)
    elif new and not old:
        text = f"clients are authenticated, by {_way(new)}: others are refused"
        yield ChangeText(("identity", "new"), text, REFUSED)
    elif _way(old) != _way(new):
        text = f"clients are authenticated by {_way(new)}, were by {_way(old)}"
        yield ChangeText(("identity", "way"), text, REFUSED)
    else:
        yield from _networks(old, new)
        yield from _keys(old, new)
        yield from field_changes(("identity", "header"), "identity", _part(old, "headers"), _part(new, "headers"))
    yield from _allowed(_part(old, "allow"), _part(new, "allow"))
    yield from field_changes(("identity", "signal"), "signals", _part(old, "signals"), _part(new, "signals"))


def _way(identity: Identity) -> str:
    if not identity:
        return "nothing"
    return (
        "keys"
        if identity.get("keys")
        else "a front end"
        if identity.keys() & {"networks", "certificates"}
        else "tokens"
    )


def _part(identity: Identity, key: str) -> dict[str, Any]:
    part = identity.get(key)
    return dict(part) if isinstance(part, dict) else {}


def _networks(old: Identity, new: Identity) -> Iterator[ChangeText]:
    before, after = (_texts(side.get("networks")) for side in (old, new))
    for network in sorted(after - before):
        yield ChangeText(("identity", network), f"requests from {network} are believed", OPENED)
    for network in sorted(before - after):
        yield ChangeText(("identity", network), f"requests from {network} are refused", REFUSED)


def _keys(old: Identity, new: Identity) -> Iterator[ChangeText]:
    before, after = ({str(key.get("file")): key for key in _list(side.get("keys"))} for side in (old, new))
    for file in sorted(before.keys() - after.keys()):
        yield ChangeText(("identity", "key", file), f"the key {file} of {_user(before[file])} is gone", REFUSED)
    for file in sorted(after.keys() - before.keys()):
        yield ChangeText(("identity", "key", file), f"the key {file} of {_user(after[file])} is new")
    for file in sorted(before.keys() & after.keys()):
        yield from field_changes(("identity", "key", file), f"the client of the key {file}", before[file], after[file])


def _allowed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ChangeText]:
    for model in sorted(old.keys() | new.keys()):
        before, after = (_clients(side.get(model)) for side in (old, new))
        if model not in new:
            yield ChangeText(("allow", model), f"model {model} is for all clients", OPENED)
            continue
        if model not in old:
            text = f"model {model} is only for clients of {', '.join(sorted(after))}"
            yield ChangeText(("allow", model), text, REFUSED)
            continue
        for client in sorted(after - before):
            yield ChangeText(("allow", model, client), f"model {model} is also for clients of {client}", OPENED)
        for client in sorted(before - after):
            yield ChangeText(("allow", model, client), f"model {model} is not for clients of {client}", REFUSED)


def _clients(tests: Any) -> set[str]:  # noqa: ANN401 - whatever the file holds
    return {f"{test.get('attribute')} {value}" for test in _list(tests) for value in sorted(_texts(test.get("values")))}


def _list(value: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - as above
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> set[str]:  # noqa: ANN401 - as above
    return {str(item) for item in value} if isinstance(value, list) else set()


def _user(key: Mapping[str, Any]) -> str:
    return str(_part(key, "attributes").get("user", "somebody"))
