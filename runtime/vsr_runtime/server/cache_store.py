"""Connects to the store of answers that replicas share. Its password and CA are files, read at each connection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsr_runtime.credentials import CACHE_CA, read_cache_login
from vsr_runtime.errors import UserError
from vsr_schemas.runtime import CacheStoreSettings

if TYPE_CHECKING:
    from redis.asyncio import Redis

MAX_CONNECTIONS = 16
"""Connections of a process. Further calls wait for one, within their own time."""
_CONNECT_SECONDS = 1.0
_REPLY_SECONDS = 1.0
"""After which a connection is given up; calls have less time than that."""


def connect(store: CacheStoreSettings, folder: Path) -> Redis:
    """Return a client. No connection is made before the first call.

    Args:
        store: where the store is.
        folder: the folder of the password and the CA.

    Raises:
        UserError: The client library is not installed, or the files cannot be read.
    """
    try:
        from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415 - as above
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
        from redis.credentials import CredentialProvider  # noqa: PLC0415 - as above
    except ImportError:
        message = "cache.store: the package redis is not installed; run pip install 'vsr-compile[runtime,store]'"
        raise UserError(message) from None

    class Login(CredentialProvider):
        """Reads the files again, because a Secret may have changed since."""

        def get_credentials(self) -> tuple[str] | tuple[str, str]:
            """Return the password, or the name of the user and the password."""
            return read_cache_login(folder)

        async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
            """Return the same."""
            return read_cache_login(folder)

    host, _, port = store.address.rpartition(":")
    options: dict[str, Any] = {}
    if store.login:
        read_cache_login(folder)
        options["credential_provider"] = Login()
    if store.tls:
        options |= {"ssl_check_hostname": True, "ssl_cert_reqs": "required"}
        options |= {"ssl_ca_certs": str(folder / CACHE_CA)} if store.ca else {}
    pool = BlockingConnectionPool(
        connection_class=SSLConnection if store.tls else Connection,
        host=host,
        port=int(port),
        protocol=2,
        max_connections=MAX_CONNECTIONS,
        timeout=_CONNECT_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_REPLY_SECONDS,
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    return Redis.from_pool(pool)
