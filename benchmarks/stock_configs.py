"""Loads every stock config in a folder and counts why those that do not load are refused.

Usage: python benchmarks/stock_configs.py FOLDER

Reasons are counted once per config, by the field without the numbers of list items.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.settings import load


def main(folder: Path) -> None:
    """Print how many load, and the reasons of the others."""
    reasons: Counter[str] = Counter()
    read = loaded = 0
    for path in sorted(folder.rglob("*.y*ml")):
        read += 1
        try:
            load(path)
            loaded += 1
        except UserError as error:
            text = re.sub(r"\[\d+\]", "", str(error).partition(": ")[2])
            text = re.sub(r"(^|; )\d+:\d+: ", r"\1", text)
            reasons.update({reason[:140] for reason in text.split("; ") if ": " in reason})
    sys.stdout.write(f"{read} configs, {loaded} loaded, {read - loaded} refused\n")
    for reason, times in reasons.most_common():
        sys.stdout.write(f"{times:5} {reason}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
