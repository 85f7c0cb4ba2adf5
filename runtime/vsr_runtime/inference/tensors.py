"""Arrays as they are stored in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vsr_runtime.inference.errors import classify_extra

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

if TYPE_CHECKING:
    from vsr_runtime.inference.head_file import Tensor


def tensor(values: NDArray[Any]) -> Tensor:
    """Return an array for a file: int8 and float16 as they are, everything else as float32."""
    if values.dtype == np.int8:
        return "I8", values.shape, np.ascontiguousarray(values).tobytes()
    if values.dtype == np.float16:
        return "F16", values.shape, np.ascontiguousarray(values, dtype="<f2").tobytes()
    return "F32", values.shape, np.ascontiguousarray(values, dtype="<f4").tobytes()
