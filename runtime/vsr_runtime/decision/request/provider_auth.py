"""What a request says of who asks, once it leaves the cluster: nothing of the client's, and the key that we hold."""

from __future__ import annotations

from vsr_runtime.decision.program.effects import Outside
from vsr_schemas.headers import CREDENTIALS

Headers = tuple[tuple[str, str], ...]


def introduced(set_headers: Headers, removed: tuple[str, ...], outside: Outside) -> tuple[Headers, tuple[str, ...]]:
    """The headers that a request for a provider outside the cluster gets, and those that it loses.

    A header that the policy's route sets is the policy's own word and stays, except where the key goes.
    """
    key = () if outside.value is None else ((outside.header, outside.value),)
    ours = {name for name, _ in key}
    kept = tuple((name, value) for name, value in set_headers if name.lower() not in ours)
    given = ours | {name.lower() for name, _ in kept}
    gone = [name for name in removed if name.lower() not in ours]
    gone += [name for name in CREDENTIALS if name not in given and name not in gone]
    return (*kept, *key), tuple(gone)
