"""How many examples a property test takes.

A profile of Hypothesis is chosen by the environment variable `HYPOTHESIS_PROFILE`; in CI it is `ci`, with the same
examples in every run. `make fuzz` takes `fuzz`: random examples, and many more of them.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

FUZZING = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
FACTOR = 20


def examples(count: int, **more: Any) -> settings:
    """Return settings with so many examples, and many more when fuzzing."""
    return settings(max_examples=count * FACTOR if FUZZING else count, deadline=None, **more)
