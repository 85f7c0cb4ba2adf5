"""TLS for the gRPC port, from files that may be replaced while it is served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from runtime.errors import UserError
from runtime.output import log


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: the chain, its key, and those who sign clients' certificates, without which none is asked for."""

    cert: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> Any:  # noqa: ANN401 - grpc ships no types
        """Credentials of the server. The files are read again for each connection; what cannot be read changes nothing.

        Raises:
            UserError: a file cannot be read or is no PEM.
        """
        serving = self._read()

        def fetch() -> Any:  # noqa: ANN401 - grpc ships no types
            nonlocal serving
            try:
                found = self._read()
            except UserError as error:
                log("tls_refused", reason=str(error))
                return None
            if found == serving:
                return None
            serving = found
            log("tls_reloaded", cert=str(self.cert))
            return _configuration(found)

        return grpc.dynamic_ssl_server_credentials(_configuration(serving), fetch, self.client_ca is not None)

    def _read(self) -> tuple[bytes, bytes, bytes | None]:
        return _pem(self.cert), _pem(self.key), _pem(self.client_ca) if self.client_ca else None


def _configuration(files: tuple[bytes, bytes, bytes | None]) -> Any:  # noqa: ANN401 - grpc ships no types
    cert, key, client_ca = files
    return grpc.ssl_server_certificate_configuration([(key, cert)], client_ca)


def _pem(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}; check the path") from None
    if b"-----BEGIN " not in data:
        raise UserError(f"{path}: is no PEM; mount the Secret's tls.crt, tls.key or ca.crt")
    return data
