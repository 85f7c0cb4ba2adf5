"""Headers of a response: guards that block or mask remove those in which they find something.

Clients get headers as they get the body, and a server may write anything into them. Removing a header keeps the status
and the body, which the guards read as well. Detectors do not read headers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import spans
from vsr_runtime.decision.request.events import GuardMatch, ResponsePlan

_FIXED = re.compile(
    r"[a-z0-9*]{0,12}|[0-9]{1,15}|(?:application|text)/[a-z.+-]{1,40}(?:; ?charset=[a-z0-9-]{1,16})?"
    r"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
)
"""Values that hold no text: a word, a number, a media type, a date, a UUID."""
_PLAIN_NAMES = frozenset({"content-encoding", "content-length", "host", "transfer-encoding"})
"""Headers without which a body cannot be read, and one that no gateway removes."""


def inspect_headers(
    plan: ResponsePlan, headers: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, ...], tuple[GuardMatch, ...]]:
    """Return the headers to remove, and the guards that matched."""
    guards = [guard for guard in plan.guards if guard.finders]
    read = [
        (name, f"{name}: {value}\n")
        for name, value in headers
        if not (name.startswith(":") or name in _PLAIN_NAMES or _FIXED.fullmatch(value))
    ]
    if not guards or not read:
        return (), ()
    text = "".join(line for _, line in read)
    begins = [0, *accumulate(len(line) for _, line in read)]
    removed: dict[str, None] = {}
    matches: list[GuardMatch] = []
    for guard in guards:
        found = spans(guard.finders, text, never)
        if not found:
            continue
        matches.append(GuardMatch(guard.name, guard.action))
        if guard.action != "flag":
            for span in found:
                lines = read[bisect_right(begins, span.start) - 1 : bisect_right(begins, span.end - 1)]
                removed |= dict.fromkeys(name for name, _ in lines)
    return tuple(removed), tuple(matches)
