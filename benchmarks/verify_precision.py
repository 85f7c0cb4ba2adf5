"""Measure how many findings of `verify` are true on checkouts of others, by a file of judgements.

Usage: python benchmarks/verify_precision.py FOLDER JUDGEMENTS.tsv

Each folder in FOLDER is verified by itself, as `vsr-compile verify` does it. A line of the file has six fields that are
separated by tabs: folder, severity, code, file and line, verdict (`true`, `false`, `undecided` or empty), and the
message, which tells findings of one place apart. Findings that the file lacks are appended to it without a verdict:
judge them by the semantics of Kubernetes and of the projects, without a look at the rule, and run the script again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

Key = tuple[str, str, str, str, str]
VERDICTS = ("true", "false", "undecided", "")


def findings(tree: Path) -> list[Key]:
    """Return the errors and warnings of a tree: folder, severity, code, place and message."""
    words = ["vsr-compile", "verify", str(tree), "--no-envoy", "--format", "json"]
    output = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    found = []
    for item in json.loads(output)["findings"] if output else ():
        if item["severity"] != "note":
            place = item["place"]["file"].removeprefix(f"{tree}/")
            text = item["message"].replace(f"{tree}/", "").replace("\t", " ").replace("\n", " ")[:200]
            found.append((tree.name, item["severity"], item["code"], f"{place}:{item['place'].get('line') or 0}", text))
    return found


def judgements(file: Path) -> dict[Key, str]:
    """Return the verdicts of a file."""
    verdicts: dict[Key, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        tree, severity, code, place, verdict, text = line.split("\t")
        if verdict not in VERDICTS:
            raise SystemExit(f"{file}: `{verdict}` is none of {', '.join(VERDICTS[:3])}")
        verdicts[tree, severity, code, place, text] = verdict
    return verdicts


def main(folder: Path, file: Path) -> None:
    """Print the counts of true, false and undecided findings, by severity and code."""
    known = judgements(file)
    counts: Counter[tuple[str, str, str]] = Counter()
    with file.open("a", encoding="utf-8") as output:
        for tree in sorted(path for path in folder.iterdir() if path.is_dir()):
            for key in findings(tree):
                verdict = known.get(key, "")
                counts[key[1], key[2], verdict] += 1
                if key not in known:
                    output.write("\t".join((*key[:4], "", key[4])) + "\n")
    for severity in ("error", "warning"):
        rows = [(code, verdict, number) for (level, code, verdict), number in counts.items() if level == severity]
        for code in sorted({code for code, _, _ in rows}):
            of_code = {verdict: number for each, verdict, number in rows if each == code}
            shown = ", ".join(f"{of_code[name]} {name or 'not judged'}" for name in VERDICTS if of_code.get(name))
            print(f"{severity:8} {code}  {shown}")
        true, false = (sum(number for _, each, number in rows if each == name) for name in ("true", "false"))
        if true + false:
            print(
                f"{severity:8} {true} of {true + false} decided findings are true: {100 * true / (true + false):.1f} %"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
