"""Certificates of a sandbox: two authorities that live as long as a start, and what they sign.

The keys of the authorities are never written, so nobody can sign with them later.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.errors import UserError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

VALID = dt.timedelta(days=7)
_EARLY = dt.timedelta(hours=1)
"""How long ago certificates became valid, for clocks that differ."""
LOCAL_NAMES = ("localhost", "127.0.0.1")
"""Names by which a listener without hostnames is reached."""


class Authority:
    """An authority with a key that exists in memory only.

    Args:
        name: its name.

    Attributes:
        pem: its certificate.

    Raises:
        UserError: the package that makes certificates is not installed.
    """

    def __init__(self, name: str) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - optional
        except ImportError:
            message = "the policy has listeners with TLS, and cryptography is not installed"
            raise UserError(f"{message}; run pip install 'vsr-compile[local]'") from None
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = name
        self._certificate = self._signed(name, self._key, None)
        self.pem = _pem(self._certificate)

    def issue(self, folder: Path, name: str, hostnames: Sequence[str] = ()) -> tuple[Path, Path]:
        """Write a certificate and its key, which only this user can read.

        Args:
            folder: where they go; created if necessary.
            name: the name of both files.
            hostnames: the names of a server; without them it is a client's.

        Returns:
            The files of the certificate and of the key.
        """
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - optional

        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = _pem(self._signed(name, key, hostnames))
        return write_private(folder / f"{name}.crt", certificate), write_private(folder / f"{name}.key", text.decode())

    def _signed(self, name: str, key: EllipticCurvePrivateKey, hostnames: Sequence[str] | None) -> x509.Certificate:
        """Return a certificate; without hostnames (None) that of the authority itself."""
        from cryptography import x509  # noqa: PLC0415 - optional
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - optional
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415 - optional

        def named(common: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])

        authority = hostnames is None
        now = dt.datetime.now(dt.UTC)
        own = self._key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLY)
            .not_valid_after(now + VALID)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if not authority:
            usage = ExtendedKeyUsageOID.SERVER_AUTH if hostnames else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hostnames:
            names = [_alternative(hostname) for hostname in hostnames]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def write_private(path: Path, text: str) -> Path:
    """Write a new file that only this user can read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _alternative(hostname: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415 - optional

    try:
        return x509.IPAddress(ipaddress.ip_address(hostname))
    except ValueError:
        return x509.DNSName(hostname)


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - optional

    return certificate.public_bytes(Encoding.PEM).decode()
