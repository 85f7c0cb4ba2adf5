"""An authenticated client, and tests of its attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_schemas.identity import ROLE, TENANT


@fast_dataclass(frozen=True, slots=True)
class Client:
    """The attributes of an authenticated client, its roles, and the name of its key. Never logged."""

    attributes: Mapping[str, str]
    roles: frozenset[str] = frozenset()
    credential: str = ""

    def key(self, attribute: str) -> bytes | None:
        """Return what is equal for all clients with the same value of an attribute; None if the client has none.

        Users and teams of different tenants are different.
        """
        value = self.attributes.get(attribute)
        if value is None:
            return None
        return sha256(repr((attribute, value, self.attributes.get(TENANT))).encode("utf-8", "replace")).digest()


@dataclass(frozen=True, slots=True)
class ClientTest:
    """True if an attribute of the client has one of these values."""

    attribute: str
    values: frozenset[str]

    def holds(self, client: Client) -> bool:
        """Return whether the client passes."""
        if self.attribute == ROLE:
            return not self.values.isdisjoint(client.roles)
        return client.attributes.get(self.attribute) in self.values


Tests = tuple[ClientTest, ...]


def passes(tests: Tests, client: Client | None) -> bool:
    """Return whether a client passes one of some tests. A request of nobody known passes none."""
    return client is not None and any(test.holds(client) for test in tests)
