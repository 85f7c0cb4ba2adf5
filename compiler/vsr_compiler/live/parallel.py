"""Questions to a server in parallel, with one deadline for all. Threads that are still blocked then are not awaited."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from vsr_compiler.verify.api_server.client import UnreachableError

WORKERS = 8
Question = TypeVar("Question")
Answer = TypeVar("Answer")


def ask(function: Callable[[Question], Answer], questions: Sequence[Question], seconds: float) -> list[Answer]:
    """Return the answers, in the order of the questions.

    Raises:
        UnreachableError: The server does not answer one of them, or not all in time.
    """
    pending: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Answer | Exception]] = queue.SimpleQueue()
    for number in range(len(questions)):
        pending.put(number)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                number = pending.get_nowait()
                try:
                    done.put((number, function(questions[number])))
                except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
                    done.put((number, error))
                    return

    for _ in range(min(WORKERS, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    end = time.monotonic() + seconds
    answers: dict[int, Answer] = {}
    while len(answers) < len(questions):
        try:
            number, answer = done.get(timeout=max(end - time.monotonic(), 0.0))
        except queue.Empty:
            left = len(questions) - len(answers)
            raise UnreachableError(f"{left} of {len(questions)} questions have no answer after {seconds:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        answers[number] = answer
    return [answers[number] for number in range(len(questions))]
