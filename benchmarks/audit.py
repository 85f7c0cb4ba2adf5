"""What an audit log costs: the CPU of the server per request with `--audit` and without, in alternating pairs.

Run: ``python benchmarks/audit.py [--pairs 7] [--seconds 3]``. Needs wrk (Debian, Ubuntu: ``apt-get install wrk``) and
the extra ``local``. The chain is verified afterwards: it must have a record for each request.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from inline import POLICY, Doors, doors, wrk

CONNECTIONS = 16
OK = 0


def main() -> None:
    """Print the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chain = folder / "audit"
        chain.mkdir()
        with doors(POLICY) as plain, doors(POLICY, ["--audit", str(chain)]) as audited:
            for one in (plain, audited):
                wrk(one.gateway, CONNECTIONS, 2, folder)
            pairs = [
                (_cost(plain, given.seconds, folder), _cost(audited, given.seconds, folder)) for _ in range(given.pairs)
            ]
            decided, records = _count(audited, "llm_model_requests"), _count(audited, "vsr_audit_records")
        done = subprocess.run(
            [sys.executable, "-m", "vsr_runtime.cli", "audit", "verify", str(chain)],
            capture_output=True,
            text=True,
            check=False,
        )
        size = sum(file.stat().st_size for file in chain.rglob("*") if file.is_file())
    without, with_audit = (median(pair[number] for pair in pairs) for number in (0, 1))
    ratio = median(after / first for first, after in pairs)
    print(f"CPU of the server per request: {without:.0f} us without, {with_audit:.0f} us with an audit log")
    print(f"ratio {ratio:.3f} over {given.pairs} pairs ({', '.join(f'{after / first:.2f}' for first, after in pairs)})")
    print(
        f"decided {decided:.0f}, recorded {records:.0f} at the last look, {size / max(records, 1):.0f} bytes a record"
    )
    print(f"audit verify: {'holds' if done.returncode == OK else done.stdout + done.stderr}")


def _cost(server: Doors, seconds: int, folder: Path) -> float:
    """Microseconds of CPU of the server for one request."""
    before = server.cpu()[0]
    load = wrk(server.gateway, CONNECTIONS, seconds, folder)
    return (server.cpu()[0] - before) / (load["rps"] * seconds) * 1e6


def _count(server: Doors, name: str) -> float:
    """The sum of a counter's series."""
    with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(map(float, re.findall(rf"^{name}_total{{.*}} (\S+)$", text, re.MULTILINE)))


if __name__ == "__main__":
    main()
