"""What an API server says: each object is applied as a dry run, which changes nothing and asks everything.

Only for who asks for it: this is the one check that speaks to a network.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from itertools import groupby

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.manifest import Manifest, text
from vsr_compiler.verify.server.answers import Answer, findings
from vsr_compiler.verify.server.asking import Asker, UnreachableError, connect

__all__ = ["dry_run"]

WORKERS = 8
PATIENCE = 30.0
"""Seconds until the next answer must be there; a server that keeps us waiting longer is left."""
_MADE = ("Namespace", "CustomResourceDefinition")
Ask = Callable[[Manifest], Answer]


def dry_run(manifests: list[Manifest], context: str | None = None) -> list[Diagnostic]:
    """What the server of a context refuses or warns of, each at the field that it names.

    Args:
        manifests: The objects.
        context: The context of the kubeconfig; its own choice with None.
    """
    if not manifests:
        return []
    try:
        asker: Asker = connect(context)
    except UnreachableError as error:
        hint = "Check the kubeconfig (KUBECONFIG, --context), and install vsr-compile[kubernetes]."
        return [Diagnostic("VSR461", str(error), Span("cluster"), hint)]
    named = [each for each in manifests if each.name]
    answers = _answers(named, asker)
    made = _made(manifests)
    found = [item for each, answer in answers if not answer.lost for item in findings(each, answer, made)]
    lost = [(each, answer.lost) for each, answer in answers if answer.lost]
    if not lost and len(answers) < len(named):
        lost = [(named[0], f"{len(named) - len(answers)} objects have no answer after {PATIENCE:g} s")]
    hint = "See that the cluster answers; --context names another."
    found += [Diagnostic("VSR461", reason, each.span(), hint) for each, reason in lost[:1]]
    return _told_once(found)


def _answers(named: list[Manifest], ask: Ask) -> list[tuple[Manifest, Answer]]:
    """Answers as they come, until one is lost or overdue. The threads are daemons: who hangs is not waited for."""
    waiting: queue.SimpleQueue[Manifest] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Manifest, Answer | Exception]] = queue.SimpleQueue()
    for each in named:
        waiting.put(each)
    for _ in range(min(WORKERS, len(named))):
        threading.Thread(target=_work, args=(ask, waiting, done), daemon=True).start()
    found: list[tuple[Manifest, Answer]] = []
    with contextlib.suppress(queue.Empty):
        while len(found) < len(named) and not (found and found[-1][1].lost):
            each, answer = done.get(timeout=PATIENCE)
            if isinstance(answer, Exception):
                raise answer
            found.append((each, answer))
    return found


def _work(
    ask: Ask, waiting: queue.SimpleQueue[Manifest], done: queue.SimpleQueue[tuple[Manifest, Answer | Exception]]
) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            each = waiting.get_nowait()
            try:
                answer = ask(each)
            except UnreachableError as error:
                done.put((each, Answer(0, {}, lost=str(error))))
                return
            except Exception as error:  # noqa: BLE001 - a fault of ours is raised where it is reported
                done.put((each, error))
                return
            done.put((each, answer))


def _made(manifests: list[Manifest]) -> frozenset[tuple[str, str]]:
    """Kinds and names of what must be there before others: namespaces, and kinds by group."""
    names = {(each.kind, each.name) for each in manifests if each.kind in _MADE}
    kinds = {
        (text(each.at("spec", "group")), text(each.at("spec", "names", "kind")))
        for each in manifests
        if each.kind == _MADE[1]
    }
    return frozenset(names | kinds)


def _told_once(found: list[Diagnostic]) -> list[Diagnostic]:
    """What the server says of itself, such as a right that is missing, once instead of for every object."""
    kept: list[Diagnostic] = []
    for (code, message), some in groupby(sorted(found, key=lambda item: (item.code, item.message, item.span)), _key):
        several = list(some)
        kept += several[:1] if code == "VSR461" and message else several
    return sorted(kept, key=lambda item: item.order)


def _key(item: Diagnostic) -> tuple[str, str]:
    return item.code, item.message
