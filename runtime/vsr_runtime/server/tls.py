"""TLS for the gRPC port, from files that may be replaced while it is served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vsr_runtime.errors import UserError
from vsr_runtime.log import log

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Files:
    """What was read, in PEM."""

    cert: bytes
    key: bytes
    client_ca: bytes | None


class Tls:
    """PEM files: the chain, its key, and those who sign clients' certificates, without which none is asked for.

    Raises:
        UserError: a file cannot be read or is no PEM.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None = None) -> None:
        self.cert, self.key, self.client_ca = cert, key, client_ca
        self.files = self._read()

    def adopted(self, adopt: Callable[[Files], Made]) -> Made | None:
        """What is made of the files where they are others than those that serve, which they do from then on.

        What cannot be read or adopted is told in the log, changes nothing, and is tried again at the next call.
        """
        try:
            found = self._read()
            if found == self.files:
                return None
            made = adopt(found)
        except (UserError, OSError) as error:
            log("tls_refused", reason=str(error))
            return None
        self.files = found
        log("tls_reloaded", cert=str(self.cert))
        return made

    def _read(self) -> Files:
        return Files(_pem(self.cert), _pem(self.key), _pem(self.client_ca) if self.client_ca else None)


def _pem(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check the path") from None
    if b"-----BEGIN " not in data:
        raise UserError(f"{path}: is no PEM; mount the Secret's tls.crt, tls.key or ca.crt")
    return data
