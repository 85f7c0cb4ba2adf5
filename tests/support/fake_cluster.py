"""A Kubernetes API server on loopback, as far as reading and dry runs go: it holds objects and never changes them.

It discovers kinds, answers 404 for kinds whose CustomResourceDefinition it does not have, 403 for what an account may
not do, lists pods page by page, and makes of a server-side apply with `dryRun=All` what Kubernetes would: maps are
merged, lists are merged by their names or replaced, fields that the manager owned and leaves out go, and defaults are
added.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support import fake_port_forward
from vsr_compiler.live.access import plural
from vsr_compiler.targets import kinds

Body = dict[str, Any]
GENERATION = 3
MORE_KINDS = (
    ("argoproj.io", "Application"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("source.toolkit.fluxcd.io", "GitRepository"),
)
_METADATA = {"uid": "0", "resourceVersion": "1", "generation": GENERATION, "creationTimestamp": "2026-12-01T12:00:00Z"}


class FakeCluster:
    """The server. Objects are kept by their path."""

    def __init__(self) -> None:
        self.objects: dict[str, Body] = {}
        self.pods: list[Body] = []
        self.ports: dict[tuple[str, int, str], tuple[int, bytes] | str] = {}
        """Status and body, or an error, by pod, port and path."""
        self.denied: set[tuple[str, str]] = set()
        """Verbs and resources that the account may not use, such as `("patch", "deployments")`."""
        self.without: set[str] = set()
        """API versions that the server does not have."""
        self.refused: dict[str, str] = {}
        """The words with which an apply is refused, by the name of the object."""
        self.unauthorized = False
        self.silent = threading.Event()
        """Set it to make the server answer nothing until it is cleared."""
        self.requests: list[tuple[str, str]] = []
        self.default: Callable[[Body], None] = lambda _: None
        """Adds what the API server adds to an object."""
        self._scopes: dict[tuple[str, str], bool] = {
            **{key: kind.namespaced for key, kind in kinds().items()},
            **dict.fromkeys(MORE_KINDS, True),
        }
        self._versions: set[tuple[str, str]] = set()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if not parts.path.endswith("/portforward"):
                    self.answer(*fake.get(self.path))
                    return
                fake.requests.append(("FORWARD", self.path))
                if ("create", "pods/portforward") in fake.denied:
                    self.answer(*status(403, "pods is forbidden"))
                    return
                port = int(parse_qs(parts.query)["ports"][0])
                pod = parts.path.split("/")[-2]
                fake_port_forward.serve(
                    self, port, lambda path: fake.ports.get((pod, port, path), "connection refused")
                )

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(*fake.patch(self.path, body))

            def answer(self, code: int, body: Body) -> None:
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop the server."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def apply(self, body: Mapping[str, Any], manager: str = "kubectl", **status: object) -> Body:
        """Put an object into the cluster as an apply of a manager would, and return it."""
        live = copy.deepcopy(dict(body))
        live["metadata"] |= _METADATA
        live["metadata"]["managedFields"] = [
            {
                "manager": manager,
                "operation": "Apply",
                "apiVersion": body["apiVersion"],
                "time": "2026-12-01T12:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": fields_of({key: item for key, item in body.items() if key not in {"apiVersion", "kind"}}),
            }
        ]
        live |= {"status": status} if status else {}
        self.default(live)
        self.objects[self.path_of(body)] = live
        self._versions.add((str(body["apiVersion"]), str(body["kind"])))
        return live

    def knows(self, api_version: str, kind: str) -> None:
        """Add a kind of which the cluster has no object."""
        self._versions.add((api_version, kind))

    def path_of(self, body: Mapping[str, Any]) -> str:
        """Return the path of an object."""
        version, kind, metadata = str(body["apiVersion"]), str(body["kind"]), body["metadata"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        group = version.rpartition("/")[0]
        space = f"/namespaces/{metadata['namespace']}" if self._scopes.get((group, kind), True) else ""
        return f"{base}{space}/{plural(kind)}/{metadata['name']}"

    def find(self, kind: str, name: str) -> Body:
        """Return the only object of a kind and name."""
        (found,) = [item for item in self.objects.values() if item["kind"] == kind and item["metadata"]["name"] == name]
        return found

    def get(self, path: str) -> tuple[int, Body]:
        """Answer a GET."""
        self.requests.append(("GET", path))
        self._pause()
        parts = urlsplit(path)
        where = unquote(parts.path)
        if self.unauthorized:
            return status(401, "Unauthorized")
        steps = where.strip("/").split("/")
        if len(steps) == (2 if steps[0] == "api" else 3):
            return self._resources(where, "/".join(steps[1:]))
        if len(steps) == len(("apis", "group")):
            return self._group(steps[1])
        if steps[-1] == "pods":
            return self._list(steps[-2], {key: text[0] for key, text in parse_qs(parts.query).items()})
        if ("get", steps[-2]) in self.denied:
            return status(403, f'{steps[-2]} "{steps[-1]}" is forbidden: User "ops" cannot get resource "{steps[-2]}"')
        live = self.objects.get(where)
        return (200, live) if live is not None else status(404, f'{steps[-2]} "{steps[-1]}" not found')

    def patch(self, path: str, body: Body) -> tuple[int, Body]:
        """Answer a PATCH. One that would change something is a fault of the caller."""
        self.requests.append(("PATCH", path))
        self._pause()
        parts = urlsplit(path)
        query = {key: text[0] for key, text in parse_qs(parts.query).items()}
        where = unquote(parts.path)
        resource = where.split("/")[-2]
        if query.get("dryRun") != "All":
            return status(500, "this server changes nothing")
        if ("patch", resource) in self.denied:
            return status(403, f'{resource} is forbidden: User "ops" cannot patch resource "{resource}"')
        if words := self.refused.get(body["metadata"]["name"]):
            return status(422, words)
        live = self.objects.get(where)
        return (200, self._applied(live, body, query["fieldManager"])) if live else status(404, "not found")

    def _applied(self, live: Body, body: Body, manager: str) -> Body:
        result = copy.deepcopy(live)
        for entry in live["metadata"]["managedFields"]:
            if entry["manager"] == manager and entry["operation"] == "Apply":
                removed(result, entry["fieldsV1"], body)
        merged(result, body)
        result["metadata"]["resourceVersion"] = "2"
        self.default(result)
        return result

    def _pause(self) -> None:
        while self.silent.is_set():
            threading.Event().wait(0.01)

    def _resources(self, path: str, version: str) -> tuple[int, Body]:
        known = [kind for own, kind in sorted(self._versions) if own == version]
        if not known or version in self.without:
            return status(404, "404 page not found")
        listed = [
            {
                "name": plural(kind),
                "kind": kind,
                "namespaced": self._scopes.get((version.rpartition("/")[0], kind), True),
            }
            for kind in known
        ]
        listed += [{**item, "name": f"{item['name']}/status"} for item in listed]
        return 200, {"kind": "APIResourceList", "groupVersion": path, "resources": listed}

    def _group(self, group: str) -> tuple[int, Body]:
        versions = sorted({own for own, _ in self._versions if own.startswith(f"{group}/") and own not in self.without})
        if not versions:
            return status(404, "404 page not found")
        listed = [{"groupVersion": own, "version": own.rpartition("/")[2]} for own in versions]
        return 200, {"kind": "APIGroup", "name": group, "versions": listed}

    def _list(self, namespace: str, query: Mapping[str, str]) -> tuple[int, Body]:
        if ("list", "pods") in self.denied:
            return status(403, 'pods is forbidden: User "ops" cannot list resource "pods"')
        wanted = dict(part.split("=", 1) for part in query["labelSelector"].split(","))
        matching = [
            pod
            for pod in self.pods
            if pod["metadata"]["namespace"] == namespace and wanted.items() <= pod["metadata"].get("labels", {}).items()
        ]
        first, size = int(query.get("continue", "0")), int(query["limit"])
        page = matching[first : first + size]
        following = {"continue": str(first + size)} if first + size < len(matching) else {}
        return 200, {"kind": "PodList", "metadata": following, "items": page}


def status(code: int, message: str) -> tuple[int, Body]:
    """Return a Status as an API server writes it."""
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}


def kubeconfig(*clusters: tuple[str, str]) -> str:
    """Return a kubeconfig with a context for each cluster; the first one is the current one."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": url}} for name, url in clusters],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "ops"}} for name, _ in clusters],
            "users": [{"name": "ops", "user": {"token": "t0ken"}}],
            "current-context": clusters[0][0],
        }
    )


@contextmanager
def running() -> Iterator[FakeCluster]:
    """Start a server."""
    cluster = FakeCluster()
    try:
        yield cluster
    finally:
        cluster.silent.clear()
        cluster.close()


def fields_of(value: object) -> Body:
    """Return the set of fields of a value, as `managedFields` has it."""
    if isinstance(value, dict):
        return {f"f:{key}": fields_of(item) for key, item in value.items()}
    if isinstance(value, list) and _named(value):
        return {f'k:{{"name":{json.dumps(item["name"])}}}': {".": {}, **fields_of(item)} for item in value}
    return {}


def removed(live: Body, fields: Body, body: object) -> None:
    """Remove the fields that a manager owned and leaves out now."""
    for key, below in fields.items():
        name = key.removeprefix("f:")
        if not key.startswith("f:") or name not in live:
            continue
        if not isinstance(body, dict) or name not in body:
            del live[name]
        elif isinstance(live[name], dict):
            removed(live[name], below, body[name])
        elif isinstance(live[name], list) and below:
            kept = {item["name"] for item in body[name]}
            owned = {json.loads(key.removeprefix("k:"))["name"] for key in below if key.startswith("k:")}
            live[name] = [item for item in live[name] if item.get("name") in kept or item.get("name") not in owned]


def merged(live: Body, body: Mapping[str, Any]) -> None:
    """Merge an applied object into one in the cluster."""
    for key, value in body.items():
        if isinstance(value, dict) and isinstance(live.get(key), dict):
            merged(live[key], value)
        elif _named(value) and _named(live.get(key)):
            known = {item["name"]: item for item in live[key]}
            for item in value:
                if item["name"] in known:
                    merged(known[item["name"]], item)
                else:
                    live[key].append(copy.deepcopy(item))
        else:
            live[key] = copy.deepcopy(value)


def _named(value: object) -> bool:
    """Whether a list is merged by the names of its items. Lists in which a name occurs twice are replaced."""
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) and "name" in item for item in value):
        return False
    return len({item["name"] for item in value}) == len(value)
