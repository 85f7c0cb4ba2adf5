"""A real Prometheus that answers queries about recorded pages of metrics."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.common import required

Page = tuple[int, str, str]
"""When a page was read (Unix time), from which pod, and its text."""
Ask = Callable[[str, int], list[float]]


@contextmanager
def recorded(folder: Path, namespace: str, pages: Iterable[Page]) -> Iterator[Ask]:
    """Run a Prometheus over pages; yields a function from a query and a time to the values of the result."""
    for program in ("prometheus", "promtool"):
        required(shutil.which(program), program)
    source, data = folder / "pages.txt", folder / "data"
    source.write_text("".join(_lines(namespace, pages)) + "# EOF\n", encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", source, data],
        check=True,
        capture_output=True,
        timeout=60,
    )
    (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield lambda query, at: _ask(port, query, at)
        finally:
            process.kill()


def _lines(namespace: str, pages: Iterable[Page]) -> Iterator[str]:
    """Yield samples as Prometheus stores them: with the labels of their pod, and in the order of time."""
    for at, pod, text in sorted(pages):
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            series, _, value = line.rpartition(" ")
            name, _, labels = series.partition("{")
            own = f'namespace="{namespace}",pod="{pod}"'
            rest = labels.removesuffix("}")
            yield f"{name}{{{own}{',' if rest else ''}{rest}}} {value} {at}\n"


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "Prometheus ended"
        assert time.monotonic() < deadline, "Prometheus does not listen"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)


def _ask(port: int, query: str, at: int) -> list[float]:
    """Return the values of a vector. A query that Prometheus refuses raises ``HTTPError``."""
    parameters = urllib.parse.urlencode({"query": query, "time": at})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{parameters}", timeout=30) as response:
        found = json.load(response)["data"]
    assert found["resultType"] == "vector"
    return [float(item["value"][1]) for item in found["result"]]
