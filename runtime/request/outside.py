"""What a request says of who asks, once it leaves the cluster: nothing of the client's, and the key that we hold."""

from __future__ import annotations

from dataclasses import replace

from runtime.program.effects import Outside
from runtime.request.events import Route
from schemas.headers import CREDENTIALS


def introduced(route: Route, outside: Outside | None) -> Route:
    """The request for a provider outside the cluster; any other as it is.

    A header that the policy's route sets is the policy's own word and stays, except where the key goes.
    """
    if outside is None:
        return route
    key = () if outside.value is None else ((outside.header, outside.value),)
    ours = {name for name, _ in key}
    kept = tuple((name, value) for name, value in route.set_headers if name.lower() not in ours)
    given = ours | {name.lower() for name, _ in kept}
    gone = [name for name in route.remove_headers if name.lower() not in ours]
    gone += [name for name in CREDENTIALS if name not in given and name not in gone]
    return replace(route, set_headers=(*kept, *key), remove_headers=tuple(gone))
