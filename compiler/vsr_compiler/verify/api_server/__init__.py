"""Check objects by dry runs at an API server, which run its admission and change nothing.

This is the only check that uses a network, and it runs only with `--server`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from itertools import groupby

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.api_server.client import DryRunClient, UnreachableError, connect
from vsr_compiler.verify.api_server.findings import Response, diagnostics
from vsr_compiler.verify.manifest import Manifest, as_string

__all__ = ["dry_run"]

WORKERS = 8
RESPONSE_TIMEOUT = 30.0
"""Seconds to wait for the next response; after that the check ends."""
_PREREQUISITES = ("Namespace", "CustomResourceDefinition")
DryRun = Callable[[Manifest], Response]


def dry_run(manifests: list[Manifest], context: str | None = None) -> list[Diagnostic]:
    """Return what the API server rejects or warns about, at the fields that it names.

    Args:
        manifests: The objects.
        context: The context of the kubeconfig; None for its current context.
    """
    if not manifests:
        return []
    try:
        client: DryRunClient = connect(context)
    except UnreachableError as error:
        hint = "Check the kubeconfig (KUBECONFIG, --context), and run: pip install 'vsr-compile[kubernetes]'."
        return [Diagnostic("VSR461", str(error), Span("cluster"), hint)]
    named = [manifest for manifest in manifests if manifest.name]
    responses = _responses(named, client)
    created = _created(manifests)
    found = [
        item
        for manifest, response in responses
        if not response.failure
        for item in diagnostics(manifest, response, created)
    ]
    failures = [(manifest, response.failure) for manifest, response in responses if response.failure]
    if not failures and len(responses) < len(named):
        failures = [
            (named[0], f"{len(named) - len(responses)} objects without a response after {RESPONSE_TIMEOUT:g} s")
        ]
    hint = "Check that the cluster responds, or name another one by --context."
    found += [Diagnostic("VSR461", reason, manifest.span(), hint) for manifest, reason in failures[:1]]
    return _without_repetitions(found)


def _responses(named: list[Manifest], dry_run_object: DryRun) -> list[tuple[Manifest, Response]]:
    """Return responses as they arrive, until one fails or is overdue. Blocked threads are daemons and not joined."""
    pending: queue.SimpleQueue[Manifest] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Manifest, Response | Exception]] = queue.SimpleQueue()
    for manifest in named:
        pending.put(manifest)
    for _ in range(min(WORKERS, len(named))):
        threading.Thread(target=_run_worker, args=(dry_run_object, pending, done), daemon=True).start()
    arrived: list[tuple[Manifest, Response]] = []
    with contextlib.suppress(queue.Empty):
        while len(arrived) < len(named) and not (arrived and arrived[-1][1].failure):
            manifest, response = done.get(timeout=RESPONSE_TIMEOUT)
            if isinstance(response, Exception):
                raise response
            arrived.append((manifest, response))
    return arrived


def _run_worker(
    dry_run_object: DryRun,
    pending: queue.SimpleQueue[Manifest],
    done: queue.SimpleQueue[tuple[Manifest, Response | Exception]],
) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            manifest = pending.get_nowait()
            try:
                response = dry_run_object(manifest)
            except UnreachableError as error:
                done.put((manifest, Response(0, {}, failure=str(error))))
                return
            except Exception as error:  # noqa: BLE001 - raised again in the main thread
                done.put((manifest, error))
                return
            done.put((manifest, response))


def _created(manifests: list[Manifest]) -> frozenset[tuple[str, str]]:
    """Return the namespaces and kinds that the objects create: kind and name, and group and kind."""
    names = {(manifest.kind, manifest.name) for manifest in manifests if manifest.kind in _PREREQUISITES}
    kinds = {
        (as_string(manifest.at("spec", "group")), as_string(manifest.at("spec", "names", "kind")))
        for manifest in manifests
        if manifest.kind == _PREREQUISITES[1]
    }
    return frozenset(names | kinds)


def _without_repetitions(found: list[Diagnostic]) -> list[Diagnostic]:
    """Keep only the first of equal findings about the server, such as a missing permission."""
    result: list[Diagnostic] = []
    for (code, message), group in groupby(sorted(found, key=lambda item: (item.code, item.message, item.span)), _key):
        items = list(group)
        result += items[:1] if code == "VSR461" and message else items
    return sorted(result, key=lambda item: item.order)


def _key(item: Diagnostic) -> tuple[str, str]:
    return item.code, item.message
