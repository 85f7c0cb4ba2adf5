"""The store in which replicas of the router share cached responses."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class CacheStore:
    """A Valkey or Redis.

    Attributes:
        address: its host and port.
        tls: whether it is called by TLS.
        ca: Secret and key of its authority; None for those of the image.
        password: Secret and key of the password; None without one.
        username: key of the name of the user, in the Secret of the password; None for the default user.
        pods: labels of its pods; None if they are unknown.
        span: where it is written.
        region: where it is; None for the region of the environment, or, outside the cluster, an unknown one.
    """

    address: str
    tls: bool
    ca: tuple[str, str] | None
    password: tuple[str, str] | None
    username: str | None
    pods: tuple[tuple[str, str], ...] | None
    span: Span
    region: str | None = None

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.address.rpartition(":")[2])

    def namespace(self, own: str) -> str | None:
        """Return the namespace of its Service; None if it is outside the cluster.

        Args:
            own: the namespace of the router, where a name without one is.
        """
        name, *rest = self.address.rpartition(":")[0].split(".")
        match rest:
            case []:
                return own if name else None
            case [namespace] | [namespace, "svc"] | [namespace, "svc", "cluster", "local"]:
                return namespace
        return None

    @property
    def files(self) -> tuple[tuple[str, str, str], ...]:
        """Secret and key of each file that the router reads, with the file's name."""
        found = []
        if self.password is not None:
            found.append((*self.password, "password"))
            if self.username is not None:
                found.append((self.password[0], self.username, "username"))
        if self.ca is not None:
            found.append((*self.ca, "ca.crt"))
        return tuple(found)
