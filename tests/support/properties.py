"""How many examples a property test takes.

A profile of Hypothesis is chosen by the environment variable `HYPOTHESIS_PROFILE`; in CI it is `ci`, with the same
examples in every run. `make fuzz` takes `fuzz`: random examples, and many more of them.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

FUZZING = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
FACTOR = 20
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
"""Small JSON values of any shape."""


def examples(count: int, **more: Any) -> settings:
    """Return settings with so many examples, and many more when fuzzing."""
    return settings(max_examples=count * FACTOR if FUZZING else count, deadline=None, **more)
