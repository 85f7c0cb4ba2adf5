"""Import every configuration below a folder, and count what becomes of it.

Run: ``python benchmarks/import_configs.py FOLDER [--stock vllm-sr] [--list]``. Files of no form that `import` knows are
not counted. ``--stock`` is the command of the stock router's CLI, which validates the router config of each policy.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.importer import Imported, Options, import_files
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.pipeline import read_policy
from vsr_compiler.routerconfig.vsr_runtime import router_config

SUFFIXES = {".yaml", ".yml", ".json", ".dsl", ".openai"}


@dataclass
class Tally:
    """What became of the files."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)


def main() -> int:
    """Print the table. Return 1 if a policy does not compile."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stock", help="the stock router's CLI")
    parser.add_argument("--list", action="store_true", help="print a line for each file")
    arguments = parser.parse_args()
    tally, start = Tally(), time.perf_counter()
    for path in sorted(arguments.folder.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file():
            one(path, arguments.stock, tally)
    if arguments.list:
        sys.stdout.write("".join(f"{line}\n" for line in tally.lines))
    for name in (
        "files",
        "configurations",
        "imported",
        "only with --partial",
        "compiled",
        "stock-valid",
        "stock-invalid",
    ):
        sys.stdout.write(f"{name:22} {tally.counts[name]:5}\n")
    sys.stdout.write("\ncode     findings  files\n")
    for code, number in sorted(tally.codes.items()):
        sys.stdout.write(f"{code:8} {number:8} {tally.files[code]:6}\n")
    sys.stdout.write(f"\n{time.perf_counter() - start:.1f} s\n")
    return int(tally.counts["compiled"] < tally.counts["configurations"])


def one(path: Path, stock: str | None, tally: Tally) -> None:
    """Import a file and count."""
    tally.counts["files"] += 1
    imported = import_files([path], Options(name="policy"))
    if not imported.forms:
        tally.lines.append(f"-  {path}")
        return
    tally.counts["configurations"] += 1
    tally.codes.update(item.code for item in imported.findings)
    tally.files.update({item.code for item in imported.findings})
    errors = {item.code for item in imported.findings if item.level is Severity.ERROR}
    words = (
        ["imported" if imported.policy and not errors else "only with --partial"] if imported.policy else ["nothing"]
    )
    tally.counts[words[0]] += 1
    if imported.policy and not errors & {"VSR537"}:
        words += rest(imported, stock, tally)
    tally.lines.append(f"{','.join(words):40} {path} {' '.join(sorted(errors))}")


def rest(imported: Imported, stock: str | None, tally: Tally) -> list[str]:
    """Compile the router config of a policy, and validate it."""
    try:
        policy = read_policy(Path("policy.yaml"), texts=lambda _path, _name: imported.policy)
        text = dump(router_config(policy).model_dump(by_alias=True, exclude_none=True))
    except CompileError:
        return ["does not compile"]
    tally.counts["compiled"] += 1
    if not stock:
        return ["compiled"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(text, encoding="utf-8")
        command = [stock, "config", "validate", "--config", str(file)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    word = "stock-valid" if result.returncode == 0 else "stock-invalid"
    tally.counts[word] += 1
    return ["compiled", word if result.returncode == 0 else f"{word}: {(result.stdout + result.stderr)[-300:]!r}"]


if __name__ == "__main__":
    sys.exit(main())
