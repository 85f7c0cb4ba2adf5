"""Precision and recall on layouts of public repositories: each finding on them is judged by hand."""

from __future__ import annotations

import json
from pathlib import Path

from support.common import call
from support.judged_layouts import FAULTS, LAYOUTS

_QUICK = "a quick start with what its readers should not copy"
_AI = "AI Gateway: one example for each file"
JUDGED: dict[tuple[str, str, str], tuple[bool, str]] = {
    (_AI, "VSR454", "examples/openai.yaml"): (True, "the definitions of the release call v1alpha1 deprecated"),
    (_AI, "VSR454", "examples/other.yaml"): (True, "as above"),
    (_QUICK, "VSR402", "route.yaml"): (True, "the route names the port of the pod: requests get 500"),
    (_QUICK, "VSR418", "vllm.yaml"): (True, "the tag moves, and a token is in the repository"),
    (_QUICK, "VSR420", "vllm.yaml"): (True, "the rest is in `edge`, the server lands in `default`"),
}
"""Layout, code and file of each error and warning: whether it is true, and why."""


def findings(folder: Path, files: dict[str, str]) -> list[tuple[str, str, str]]:
    """Severity, code and file of the errors and warnings."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    report = json.loads(call("verify", folder, "--no-envoy", "--format", "json").stdout)
    return [
        (item["severity"], item["code"], str(Path(item["place"]["file"]).relative_to(folder)))
        for item in report["findings"]
        if item["severity"] != "note"
    ]


def test_precision_on_common_layouts(tmp_path: Path) -> None:
    """Every finding is judged; at least 98 % of the errors and 90 % of the warnings are true."""
    verdicts: dict[str, list[bool]] = {"error": [], "warning": []}
    for number, (layout, files) in enumerate(LAYOUTS.items()):
        for severity, code, file in findings(tmp_path / str(number), files):
            assert (layout, code, file) in JUDGED, f"judge it: {layout}: {severity} {code} in {file}"
            verdicts[severity].append(JUDGED[layout, code, file][0])
    for severity, least in (("error", 0.98), ("warning", 0.90)):
        of_it = verdicts[severity]
        assert sum(of_it) >= least * len(of_it), (severity, of_it)


def test_recall_on_injected_faults(tmp_path: Path) -> None:
    """At least 95 % of the faults are found, by their rule."""
    missed = []
    for number, (name, (layout, file, old, new, code)) in enumerate(FAULTS.items()):
        files = LAYOUTS[layout]
        assert old in files[file], name
        found = findings(tmp_path / str(number), files | {file: files[file].replace(old, new, 1)})
        if not any(item[1].startswith(code) for item in found):
            missed.append((name, found))
    assert len(missed) <= 0.05 * len(FAULTS), missed
