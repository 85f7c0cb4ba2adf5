"""TLS: what is shown to whom, who is let in, and files that change meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from support.bare_client import asked, connected
from support.played_service import METHODS, run, served_well, service
from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.transport import nghttp2_server

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None and not os.environ.get("CI"), reason="openssl is not installed"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Self-signed certificates and their keys, by name."""
    folder = tmp_path_factory.mktemp("tls")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"]
    new += ["-subj", "/CN=router", "-addext", "subjectAltName=DNS:router,IP:127.0.0.1"]
    for name, more in (("a", ["-nodes"]), ("b", ["-nodes"]), ("locked", ["-passout", "pass:secret"])):
        out = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"]
        subprocess.run([*new, *more, *out], check=True, capture_output=True)
    return folder


@pytest.fixture
def files(made, tmp_path):
    """What a server is given, for tests to replace."""
    put(made, "a", tmp_path)
    return tmp_path


def put(made: Path, name: str, folder: Path, kinds: tuple[str, ...] = ("crt", "key")) -> None:
    """Replace files."""
    for kind in kinds:
        shutil.copyfile(made / f"{name}.{kind}", folder / f"tls.{kind}")


def tls(folder: Path, client_ca: Path | None = None) -> Tls:
    """The files of a folder."""
    return Tls(folder / "tls.crt", folder / "tls.key", client_ca)


def trusting(made: Path, name: str, shows: str | None = None) -> ssl.SSLContext:
    """A client that trusts one certificate and perhaps shows another."""
    context = ssl.create_default_context(cafile=str(made / f"{name}.crt"))
    context.set_alpn_protocols(["h2"])
    if shows:
        context.load_cert_chain(made / f"{shows}.crt", made / f"{shows}.key")
    return context


@pytest.mark.subprocess
def test_names_and_protocol(files, made):
    """With a name and without one, over TLS 1.2 and 1.3; HTTP/2 is agreed on."""

    async def main():
        async with service(tls=tls(files), secure=trusting(made, "a")) as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                for name in ("router", "127.0.0.1"):  # no name is sent where it is an address
                    context = trusting(made, "a")
                    context.minimum_version = context.maximum_version = version
                    async with connected(server.port, secure=context, name=name) as client:
                        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
                        client.send(*(asked(each, bytes(16_000)) for each in range(1, 40, 2)))
                        for each in range(1, 40, 2):
                            assert (await client.answer(each)).status == 0

    run(main())


@pytest.mark.subprocess
@pytest.mark.parametrize("name", ["router", "127.0.0.1"])
def test_files_are_followed(files, made, name):
    """What was replaced is shown to the next client; files that do not go together change nothing until they do."""

    async def main():
        old, new = trusting(made, "a"), trusting(made, "b")
        async with service(tls=tls(files), secure=new) as server, connected(server.port, secure=old, name=name) as one:
            await served_well(server.port, secure=old, name=name)
            put(made, "b", files, ("crt",))
            for _ in range(3):
                await served_well(server.port, secure=old, name=name)
            put(made, "b", files)
            await served_well(server.port, secure=new, name=name)
            with pytest.raises(ssl.SSLError):
                await served_well(server.port, secure=old, name=name)
            one.send(asked(1, b"x"))
            assert (await one.answer(1)).status == 0

    run(main())


@pytest.mark.subprocess
@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nnone\n"])
def test_files_that_are_none_change_nothing(files, made, text):
    """Neither emptied nor broken nor missing ones."""

    async def main():
        secure = trusting(made, "a")
        async with service(tls=tls(files), secure=secure) as server:
            (files / "tls.crt").write_text(text)
            await served_well(server.port, secure=secure)
            (files / "tls.key").unlink()
            await served_well(server.port, secure=secure)

    run(main())


@pytest.mark.subprocess
@pytest.mark.parametrize("shows", [None, "a"])
def test_clients_without_the_right_certificate_are_refused(files, made, shows):
    """Before a byte of theirs is looked at."""

    async def main():
        right = trusting(made, "a", "b")
        async with service(tls=tls(files, made / "b.crt"), secure=right) as server:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = trusting(made, "a", shows)
                context.maximum_version = version
                try:
                    async with connected(server.port, secure=context) as client:
                        client.send(asked(1, b"x"))
                        await client.gone()
                        assert not client.answers
                except OSError:
                    pass  # TLS 1.2 says so at once
                assert server.connections == 0
            await served_well(server.port, secure=right)

    run(main())


@pytest.mark.subprocess
def test_who_is_trusted_is_followed(files, made, tmp_path):
    """Like the certificate that is shown."""
    trusted = Path(shutil.copyfile(made / "a.crt", tmp_path / "ca.crt"))

    async def main():
        async with service(tls=tls(files, trusted), secure=trusting(made, "a", "b")) as server:
            await served_well(server.port, secure=trusting(made, "a", "a"))
            shutil.copyfile(made / "b.crt", trusted)
            async with connected(server.port, secure=trusting(made, "a", "a")) as client:
                await client.gone()
            await served_well(server.port, secure=trusting(made, "a", "b"))

    run(main())


@pytest.mark.subprocess
def test_client_without_http2(files, made):
    """Nothing else is agreed on, and what it says is not understood."""

    async def main():
        async with service(tls=tls(files), secure=trusting(made, "a")) as server:
            context = trusting(made, "a")
            context.set_alpn_protocols(["http/1.1"])
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() is None
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            async with asyncio.timeout(10):
                await reader.read()
            writer.close()

    run(main())


@pytest.mark.subprocess
@pytest.mark.parametrize("text", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(1000)])
def test_handshakes_that_come_to_nothing(files, made, text, monkeypatch):
    """They are given up, and hold nobody up meanwhile."""
    monkeypatch.setattr(nghttp2_server, "_HANDSHAKE", 0.5)

    async def main():
        async with service(tls=tls(files), secure=trusting(made, "a")) as server:
            loop = asyncio.get_running_loop()
            with socket.create_connection(("127.0.0.1", server.port)) as raw:
                raw.setblocking(False)  # noqa: FBT003 - as it is called
                await loop.sock_sendall(raw, text)
                await served_well(server.port, secure=trusting(made, "a"))
                async with asyncio.timeout(10):
                    while await loop.sock_recv(raw, 1000):
                        pass

    run(main())


@pytest.mark.subprocess
@pytest.mark.parametrize("name", ["locked", "missing", "mixed"])
def test_files_that_cannot_serve_are_a_users_error(files, made, name):
    """A key with a password is one: nobody could be asked for it."""
    if name == "missing":
        (files / "tls.key").unlink()
    else:
        put(made, "locked" if name == "locked" else "b", files, ("crt", "key") if name == "locked" else ("key",))

    async def main():
        await nghttp2_server.listen(Address("127.0.0.1", 0), tls(files), METHODS, max_message=1000)

    with pytest.raises(UserError, match=r"tls\.(key|crt)"):
        run(main())
