"""What a candidate costs: the CPU of the server per request with `--shadow` and without, in alternating pairs.

Run: ``python benchmarks/shadow.py [--pairs 5] [--seconds 3] [--classifier] [--share 10]``. Needs wrk (Debian, Ubuntu:
``apt-get install wrk``) and the extra ``local``; with ``--classifier`` both policies classify, by different heads.
With ``--share`` the candidate decides that many per cent of conversations; the answers are equal where it does not.

Asked for: at most 1.10 times the CPU, and the same answers. How many requests were compared is printed, too: the
candidate decides as many as its share of the CPU allows.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from inline import BODY, POLICY, ROOT, VARIED, Doors, compiled, doors, wrk

ASKED = 1.10
CONNECTIONS = 16
NUMBERED = json.dumps(BODY).replace(" Give one", " Case " + VARIED + ". Give one")
"""Each request has a text of its own: the encoder of a server with a candidate remembers texts."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--classifier", action="store_true")
    parser.add_argument("--share", type=float, default=0)
    given = parser.parse_args()
    active, candidate = _policies(classifier=given.classifier)
    shared = ["--share", str(given.share)] if given.share else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other = compiled(candidate, folder) / "router/config.yaml"
        with doors(active) as plain, doors(active, ["--shadow", str(other), *shared]) as shadowed:
            same = _answer(plain) == _answer(shadowed)
            for one in (plain, shadowed):
                wrk(one.gateway, CONNECTIONS, 2, folder, NUMBERED)
            before = _compared(shadowed)
            pairs = [
                (_cost(plain, given.seconds, folder), _cost(shadowed, given.seconds, folder))
                for _ in range(given.pairs)
            ]
            compared, skipped = (now - then for now, then in zip(_compared(shadowed), before, strict=True))
    without, with_candidate = (median(pair[number] for pair in pairs) for number in (0, 1))
    ratio = median(after / first for first, after in pairs)
    print(f"CPU of the server per request: {without:.0f} us without, {with_candidate:.0f} us with a candidate")
    print(f"ratio {ratio:.3f} (asked: at most {ASKED}); answers equal: {same}")
    print(f"compared {compared:.0f} of {compared + skipped:.0f} requests ({compared / (compared + skipped):.0%})")


def _policies(*, classifier: bool) -> tuple[str, str]:
    if not classifier:
        return POLICY, POLICY.replace("[integral, derivative, equation, theorem]", "[integral, equation]")
    text = (ROOT / "policies/quickstart.yaml").read_text(encoding="utf-8")
    return text, re.sub(r'(?m)^( *- )"2\\+2 is"', r'\\1"3+3 is"', text) + "\n# the candidate\n"


def _cost(server: Doors, seconds: int, folder: Path) -> float:
    """Microseconds of CPU of the server for one request."""
    before = server.cpu()[0]
    load = wrk(server.gateway, CONNECTIONS, seconds, folder, NUMBERED)
    return (server.cpu()[0] - before) / (load["rps"] * seconds) * 1e6


def _compared(server: Doors) -> tuple[float, float]:
    """The requests that the candidate has decided, and those that it has not."""
    with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10) as answer:
        text = answer.read().decode()

    def total(name: str) -> float:
        values = re.findall(rf"^vsr_shadow_{name}_total{{.*}} (\S+)$", text, re.MULTILINE)
        return sum(map(float, values))

    return total("requests"), total("skipped")


def _answer(server: Doors) -> bytes:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://{server.gateway}/v1/chat/completions", json.dumps(BODY).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - an address of this machine
        found: bytes = answer.read()
    return found


if __name__ == "__main__":
    main()
