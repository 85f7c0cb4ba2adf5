"""The state file of a replay, by which an interrupted one goes on where it ended."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vsr_compiler.impact.decide import Side
from vsr_compiler.impact.replay import Options, Step
from vsr_compiler.impact.sources import Source, TrafficError, identity
from vsr_compiler.impact.tally import Tally
from vsr_schemas.version import VERSION

MAX_STATE = 256 << 20


def fingerprint(paths: Sequence[Source], old: Side, new: Side, options: Options) -> str:
    """Return the digest of everything that a report depends on, with size and time of the files of traffic."""
    files = [known for known in map(identity, paths) if known is not None]
    sides = [
        (side.label, sorted((name, hashlib.sha256(data).hexdigest()) for name, data in side.files.items()))
        for side in (old, new)
    ]
    prices = [sorted(side.prices.items()) for side in (old, new)]
    text = json.dumps([VERSION, files, sides, prices, options.model, options.texts])
    return hashlib.sha256(text.encode()).hexdigest()


def read_state(path: Path, known: str) -> Step | None:
    """Return where an earlier replay ended; None if there is no state.

    Args:
        path: The state file.
        known: The fingerprint of this replay.

    Raises:
        TrafficError: The file is no state, or that of another replay.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_STATE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TrafficError(f"{path} cannot be read: {error.strerror}") from None
    try:
        value = json.loads(data)
        if value["fingerprint"] != known:
            raise TrafficError(f"{path} is of other policies, traffic or flags: remove it, or name another file")
        return Step(int(value["file"]), int(value["chunks"]), Tally.from_json(value["tally"]), int(value["end"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise TrafficError(f"{path} is not a state file of vsr-compile impact") from None


def write_state(path: Path, known: str, step: Step) -> None:
    """Write where a replay is, so that the file is whole at any time.

    Raises:
        TrafficError: It cannot be written.
    """
    value = {
        "fingerprint": known,
        "file": step.file,
        "chunks": step.chunks,
        "end": step.end,
        "tally": step.tally.to_json(),
    }
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
            json.dump(value, stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(stream.name).replace(path)
    except OSError as error:
        raise TrafficError(f"{path} cannot be written: {error.strerror}") from None
