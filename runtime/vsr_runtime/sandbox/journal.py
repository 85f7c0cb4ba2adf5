"""The log of the sandbox's runtime: its addresses, and its decisions by request id."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

_KEPT = 1000


class Journal:
    """Collects log lines in one thread and answers questions about them in others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._serving: Mapping[str, Any] | None = None
        self._decisions: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def add(self, line: str) -> None:
        """Add a line. Lines that are not structured logs are ignored."""
        try:
            record = json.loads(line)
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        with self._changed:
            if record.get("event") == "serving":
                self._serving = record
            elif record.get("event") == "decision":
                self._decisions[str(record.get("request"))] = record
                while len(self._decisions) > _KEPT:
                    self._decisions.popitem(last=False)
            self._changed.notify_all()

    def serving(self, timeout: float) -> Mapping[str, Any] | None:
        """The record with the addresses; None if it has not come within ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._serving is not None, timeout)
            return self._serving

    def decision(self, request_id: str, timeout: float) -> Mapping[str, Any] | None:
        """The decision on a request; None if none has come within ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: request_id in self._decisions, timeout)
            return self._decisions.get(request_id)
