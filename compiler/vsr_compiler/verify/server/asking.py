"""One question to an API server: what would it make of this object. Answers are bounded in size and time."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from vsr_compiler.verify.manifest import Manifest, dig, rows, table, text
from vsr_compiler.verify.server.answers import Answer

MAX_ANSWER = 4 * 1024 * 1024
TIMEOUT = 15.0
MANAGER = "vsr-compile"
_FOUND, _NOT_FOUND = 200, 404
_CHUNK = 65536


class UnreachableError(Exception):
    """Nobody answers, or not as an API server does. The message is for users."""


def connect(context: str | None) -> Asker:
    """The server of a kubeconfig's context.

    Raises:
        UnreachableError: There is no kubeconfig, no such context, or no client.
    """
    try:
        from kubernetes import client, config  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        raise UnreachableError("the Kubernetes client is not installed") from None
    try:
        configuration = client.Configuration()
        # The client carries annotations for some of its functions only.
        load: Any = config.load_kube_config
        load(context=context, client_configuration=configuration)
    except (config.ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreachableError(f"there is no cluster to ask: {reason}") from None
    return Asker(client.ApiClient(configuration))


class Asker:
    """Asks for dry runs. May be called from several threads."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - the client is an extra
        self._api = api
        self._known: dict[str, Mapping[str, tuple[str, bool]] | None] = {}
        self._lock = threading.Lock()

    def __call__(self, each: Manifest) -> Answer:
        """The server's answer to a dry run of a server-side apply.

        Raises:
            UnreachableError: The server does not answer as one.
        """
        version = text(each.body["apiVersion"])
        base = f"/apis/{_quoted(version)}" if "/" in version else f"/api/{_quoted(version)}"
        resource = (self._resources(base) or {}).get(each.kind)
        if resource is None:
            return Answer(_NOT_FOUND, {}, unknown=True)
        plural, namespaced = resource
        space = f"/namespaces/{_quoted(each.namespace or 'default')}" if namespaced else ""
        path = f"{base}{space}/{_quoted(plural)}/{_quoted(each.name)}"
        query = {"dryRun": "All", "fieldManager": MANAGER, "fieldValidation": "Strict", "force": "true"}
        body = json.dumps(each.body, default=str).encode()
        return self._ask("PATCH", f"{path}?{urllib.parse.urlencode(query)}", body)

    def _resources(self, base: str) -> Mapping[str, tuple[str, bool]] | None:
        """Plural and whether it has namespaces, by kind; None where the server has no such version."""
        with self._lock:
            if base not in self._known:
                answer = self._ask("GET", base)
                if answer.status not in {_FOUND, _NOT_FOUND}:
                    reason = text(answer.body.get("message")) or f"status {answer.status}"
                    raise UnreachableError(f"the server does not tell what it knows: {reason[:200]}")
                self._known[base] = _kinds(answer.body) if answer.status == _FOUND else None
            return self._known[base]

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        import urllib3  # noqa: PLC0415 - comes with the Kubernetes client

        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": MANAGER}
        if body is not None:
            headers["Content-Type"] = "application/apply-patch+yaml"
        for setting in self._api.configuration.auth_settings().values():
            if setting["in"] == "header":
                headers[setting["key"]] = setting["value"]
        try:
            response = self._api.rest_client.pool_manager.request(
                method,
                f"{self._api.configuration.host.rstrip('/')}{path}",
                body=body,
                headers=headers,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
                timeout=TIMEOUT,
            )
            data = _read(response)
            # Who tells us one thing in a request is not trusted to end it well.
            response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise UnreachableError(f"the server cannot be asked: {' '.join(str(error).split())[:200]}") from None
        try:
            parsed = json.loads(data)
        except (ValueError, RecursionError):
            raise UnreachableError(f"what answers is no API server: status {response.status}, and no JSON") from None
        if not isinstance(parsed, dict):
            raise UnreachableError("what answers is no API server: its answer is no object")
        return Answer(response.status, parsed, tuple(response.headers.getlist("Warning")))


def _read(response: Any) -> bytes:  # noqa: ANN401 - a response of the client's
    """The body, if it is here in time and of a size that an answer has."""
    end, parts, size = time.monotonic() + TIMEOUT, [], 0
    while part := response.read1(_CHUNK, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise UnreachableError(f"an answer is longer than {MAX_ANSWER // 1024 // 1024} MiB")
        if time.monotonic() > end:
            raise UnreachableError(f"an answer takes more than {TIMEOUT:g} s")
    return b"".join(parts)


def _kinds(body: Mapping[str, Any]) -> Mapping[str, tuple[str, bool]]:
    """The resources of a version; those with a slash are parts of others."""
    return {
        text(each.get("kind")): (text(each.get("name")), each.get("namespaced") is True)
        for each in rows(table(body).get("resources"))
        if text(each.get("name")) and "/" not in text(dig(each, "name"))
    }


def _quoted(part: str) -> str:
    """A part of a path, whatever a manifest says: a slash stays only between group and version."""
    group, slash, version = part.partition("/")
    return f"{urllib.parse.quote(group, safe='')}{slash}{urllib.parse.quote(version, safe='')}"
