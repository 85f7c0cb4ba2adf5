"""Client that reads an API server, and applies objects as dry runs. It changes nothing.

Responses are limited in size and time.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vsr_compiler.verify.api_server.findings import Response
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, value_at

MAX_RESPONSE = 4 * 1024 * 1024
TIMEOUT = 15.0
MANAGER = "vsr-compile"
_FOUND, _NOT_FOUND = 200, 404
_CHUNK = 65536


class UnreachableError(Exception):
    """There is no API server, or its response is invalid. The message is for users."""


def connect(context: str | None) -> DryRunClient:
    """Return a client for the server of a kubeconfig's context; inside a pod without one, for its own cluster.

    Raises:
        UnreachableError: There is no kubeconfig, no such context, or the Kubernetes client is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - comes with the Kubernetes client
        from kubernetes import client, config  # noqa: PLC0415 - an extra, slow to import
    except ImportError:
        raise UnreachableError("the Kubernetes client is not installed") from None
    try:
        configuration = client.Configuration()
        # The client annotates only some of its functions.
        load: Any = config.load_kube_config
        inside: Any = config.load_incluster_config
        if context is None and _is_in_cluster(config):
            inside(client_configuration=configuration)
        else:
            load(context=context, client_configuration=configuration)
    except (
        config.ConfigException,
        yaml.YAMLError,
        OSError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnreachableError(f"no cluster found: {reason}") from None
    return DryRunClient(client.ApiClient(configuration))


def _is_in_cluster(config: Any) -> bool:  # noqa: ANN401 - the client is an extra
    """Return whether there is no kubeconfig, and the process has the account of a pod."""
    places = str(config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).split(os.pathsep)
    return "KUBERNETES_SERVICE_HOST" in os.environ and not any(Path(place).expanduser().exists() for place in places)


class DryRunClient:
    """Reads objects, and applies them as dry runs. May be called from several threads."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 - the client is an extra
        self._api = api
        self._resources_by_version: dict[str, Mapping[str, tuple[str, bool]] | None] = {}
        self._lock = threading.Lock()

    def __call__(self, manifest: Manifest) -> Response:
        """Return the response to a dry run of a server-side apply.

        Raises:
            UnreachableError: The server does not answer, or its response is invalid.
        """
        return self.dry_run(manifest)

    def dry_run(self, manifest: Manifest, manager: str = MANAGER) -> Response:
        """Return what a server-side apply by a field manager would make of an object. Raises as a call does."""
        path = self.path(manifest)
        if path is None:
            return Response(_NOT_FOUND, {}, is_unknown_kind=True)
        query = {"dryRun": "All", "fieldManager": manager, "fieldValidation": "Strict", "force": "true"}
        body = json.dumps(manifest.body, default=str).encode()
        return self._request("PATCH", f"{path}?{urllib.parse.urlencode(query)}", body)

    def get(self, manifest: Manifest) -> Response:
        """Return an object as the server has it. Raises as a call does."""
        path = self.path(manifest)
        return Response(_NOT_FOUND, {}, is_unknown_kind=True) if path is None else self._request("GET", path)

    def read(self, path: str, query: Mapping[str, str] = MappingProxyType({})) -> Response:
        """Return what is at a path of the API. Raises as a call does."""
        return self._request("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def path(self, manifest: Manifest) -> str | None:
        """Return the path of an object; None if the server does not have the kind. Raises as a call does."""
        version = as_string(manifest.body["apiVersion"])
        base = f"/apis/{_quote(version)}" if "/" in version else f"/api/{_quote(version)}"
        resource = (self._resources(base) or {}).get(manifest.kind)
        if resource is None:
            return None
        plural, namespaced = resource
        space = f"/namespaces/{_quote(manifest.namespace or 'default')}" if namespaced else ""
        return f"{base}{space}/{_quote(plural)}/{_quote(manifest.name)}"

    @property
    def configuration(self) -> Any:  # noqa: ANN401 - a type of the client
        """How the server is reached."""
        return self._api.configuration

    @property
    def authorization(self) -> Mapping[str, str]:
        """The headers that authenticate the user. A token that has expired is renewed."""
        settings = self._api.configuration.auth_settings().values()
        return {setting["key"]: setting["value"] for setting in settings if setting["in"] == "header"}

    def _resources(self, base: str) -> Mapping[str, tuple[str, bool]] | None:
        """Return plural name and whether it is namespaced by kind; None if the server does not have the version."""
        with self._lock:
            if base not in self._resources_by_version:
                answer = self._request("GET", base)
                if answer.status not in {_FOUND, _NOT_FOUND}:
                    reason = as_string(answer.body.get("message")) or f"status {answer.status}"
                    raise UnreachableError(f"the server does not list its resources: {reason[:200]}")
                self._resources_by_version[base] = _resources_by_kind(answer.body) if answer.status == _FOUND else None
            return self._resources_by_version[base]

    def _request(self, method: str, path: str, body: bytes | None = None) -> Response:
        import urllib3  # noqa: PLC0415 - comes with the Kubernetes client

        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": MANAGER}
        if body is not None:
            headers["Content-Type"] = "application/apply-patch+yaml"
        headers |= self.authorization
        try:
            http_response = self._api.rest_client.pool_manager.request(
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
            data = _read(http_response)
            http_response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise UnreachableError(f"no response from the server: {' '.join(str(error).split())[:200]}") from None
        try:
            parsed = json.loads(data)
        except (ValueError, RecursionError):
            raise UnreachableError(f"not an API server: status {http_response.status} without JSON") from None
        if not isinstance(parsed, dict):
            raise UnreachableError("not an API server: the response is not a JSON object")
        return Response(http_response.status, parsed, tuple(http_response.headers.getlist("Warning")))


def _read(http_response: Any) -> bytes:  # noqa: ANN401 - a type of the client
    """Return the body.

    Raises:
        UnreachableError: It is too long, or takes too long.
    """
    end, parts, size = time.monotonic() + TIMEOUT, [], 0
    while part := http_response.read1(_CHUNK, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > MAX_RESPONSE:
            raise UnreachableError(f"the response is longer than {MAX_RESPONSE // 1024 // 1024} MiB")
        if time.monotonic() > end:
            raise UnreachableError(f"the response takes more than {TIMEOUT:g} s")
    return b"".join(parts)


def _resources_by_kind(body: Mapping[str, Any]) -> Mapping[str, tuple[str, bool]]:
    """Return the resources of a version, without subresources, whose names contain a slash."""
    return {
        as_string(manifest.get("kind")): (as_string(manifest.get("name")), manifest.get("namespaced") is True)
        for manifest in as_mappings(as_mapping(body).get("resources"))
        if as_string(manifest.get("name")) and "/" not in as_string(value_at(manifest, "name"))
    }


def _quote(part: str) -> str:
    """Escape a path segment. One slash is kept, between group and version."""
    group, slash, version = part.partition("/")
    return f"{urllib.parse.quote(group, safe='')}{slash}{urllib.parse.quote(version, safe='')}"
