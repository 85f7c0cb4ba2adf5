"""How long a text of 8 MiB without words holds up other threads while it is embedded.

Run: ``python benchmarks/hostile.py``. Needs the encoder (``vsr-compile fetch-encoder``). The law: no other thread waits
longer than 20 ms, whatever the text. On a busy machine the waits of an idle process are part of the numbers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder

SIZE = 8 << 20
ASKED = 20.0
FAMILIES = {
    "one word": "x",
    "digits": "0123456789",
    "base64": "QUJDRGVm+/",
    "emoji": "😀",
    "combining marks": "e\u0301\u0302\u0303\u0304",
    "ideographs": "日本語",
    "blanks": " ",
    "words": "word ",
    "long words": "x" * 300 + " ",
    "brackets": ")",
}


def longest_wait(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of CPU that work takes, and the longest wait of another thread meanwhile."""
    waits, ended = [0.0], threading.Event()

    def look() -> None:
        last = time.perf_counter()
        while not ended.is_set():
            time.sleep(0.002)
            now = time.perf_counter()
            waits.append(now - last)
            last = now

    thread = threading.Thread(target=look)
    thread.start()
    begun = time.process_time()
    work()
    spent = time.process_time() - begun
    ended.set()
    thread.join()
    return spent * 1000, max(waits) * 1000


def main() -> None:
    """Print a line for each family."""
    encoder = SentenceEncoder.load(find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights))
    encoder.embed(["warm up"])
    for name, piece in FAMILIES.items():
        text = piece * (SIZE // len(piece.encode()))
        runs = [longest_wait(lambda text=text: encoder.embed([text])) for _ in range(3)]  # type: ignore[misc] # a default binds
        spent, wait = (min(column) for column in zip(*runs, strict=True))
        print(f"{name:16} {spent:7.1f} ms CPU   {wait:6.1f} ms longest wait (asked: at most {ASKED:.0f})")


if __name__ == "__main__":
    main()
