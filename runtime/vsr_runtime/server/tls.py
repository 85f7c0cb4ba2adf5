"""TLS for the gRPC port, from files that may be replaced while it is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vsr_runtime.errors import UserError
from vsr_runtime.files import read_regular
from vsr_runtime.log import log

Built = TypeVar("Built")
_MAX_PEM = 1 << 20
"""Bytes of a file: a bundle of all public authorities has a quarter of it."""


@dataclass(frozen=True, slots=True)
class PemFiles:
    """File contents, in PEM."""

    cert: bytes
    key: bytes
    client_ca: bytes | None


class Tls:
    """PEM files: the chain, its key, and the CA of client certificates; without a CA, clients need no certificate.

    Raises:
        UserError: a file cannot be read or is not PEM.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None = None) -> None:
        self.cert, self.key, self.client_ca = cert, key, client_ca
        self.files = self._read()

    def reload(self, build: Callable[[PemFiles], Built]) -> Built | None:
        """Read the files again; if they changed, build something of them and return it.

        Files that cannot be read or used are logged and change nothing; the next call tries again.
        """
        try:
            files = self._read()
            if files == self.files:
                return None
            built = build(files)
        except (UserError, OSError) as error:
            log("tls_refused", reason=str(error))
            return None
        self.files = files
        log("tls_reloaded", cert=str(self.cert))
        return built

    def _read(self) -> PemFiles:
        return PemFiles(_pem(self.cert), _pem(self.key), _pem(self.client_ca) if self.client_ca else None)


def _pem(path: Path) -> bytes:
    try:
        data = read_regular(path, _MAX_PEM)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check the path") from None
    if len(data) > _MAX_PEM:
        raise UserError(f"{path}: larger than {_MAX_PEM} bytes; mount the Secret's tls.crt, tls.key or ca.crt")
    if b"-----BEGIN " not in data:
        raise UserError(f"{path}: is not PEM; mount the Secret's tls.crt, tls.key or ca.crt")
    return data
