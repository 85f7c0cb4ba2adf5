"""Precision and recall on layouts of public repositories: each finding on them is judged by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from support import judged_delivery, judged_gateways, judged_layouts, judged_serving
from support.common import call
from support.judged_files import verified, written
from vsr_compiler.diagnostics import Severity

LAYOUTS = {
    **judged_layouts.LAYOUTS,
    **judged_gateways.LAYOUTS,
    **judged_serving.LAYOUTS,
    **judged_delivery.LAYOUTS,
}
FAULTS = {**judged_layouts.FAULTS, **judged_gateways.FAULTS, **judged_serving.FAULTS, **judged_delivery.FAULTS}
_QUICK = "a quick start with what its readers should not copy"
_AI = "AI Gateway: one example for each file"
_LLM_D = "llm-d: a pool with its picker"
_OLD_FLUX = "Flux: releases for an older Flux"
_GENERATED = "kustomize: a file that is generated before the build"
JUDGED: dict[tuple[str, str, str], tuple[bool, str]] = {
    (_AI, "VSR454", "examples/openai.yaml"): (True, "the definitions of the release call v1alpha1 deprecated"),
    (_AI, "VSR454", "examples/other.yaml"): (True, "as above"),
    (_QUICK, "VSR402", "route.yaml"): (True, "the route names the port of the pod: requests get 500"),
    (_QUICK, "VSR418", "vllm.yaml"): (True, "the tag moves, and a token is in the repository"),
    (_QUICK, "VSR420", "vllm.yaml"): (True, "the rest is in `edge`, the server lands in `default`"),
    (_LLM_D, "VSR407", "all.yaml"): (True, "Istio speaks plain text to a picker that serves TLS by default"),
    (_OLD_FLUX, "VSR449", "a.yaml"): (True, "Flux removed v2beta1 of HelmRelease"),
    (_GENERATED, "VSR001", "base/shop.env"): (True, "kustomize refuses it as well, until the file is there"),
    ("kustomize: a file of another folder", "VSR482", "variant/kustomization.yaml"): (
        True,
        "kustomize refuses it without a flag",
    ),
    ("a quick start with a database", "VSR418", "db.yaml"): (True, "the password is in the repository"),
    ("an old dashboard", "VSR449", "old.yaml"): (True, "Kubernetes removed extensions/v1beta1"),
    ("an interface of a newer Kubernetes", "VSR449", "group.yaml"): (True, "no known release has it"),
}
"""Layout, code and file of each error and warning: whether it is true, and why."""


def findings(folder: Path, files: dict[str, str]) -> list[tuple[Severity, str, str]]:
    """Severity, code and file of the errors and warnings."""
    return [
        (item.level, item.code, str(Path(item.span.file).relative_to(folder)))
        for item in verified(written(folder, files))
        if item.level is not Severity.NOTE
    ]


def test_precision_on_common_layouts(tmp_path: Path) -> None:
    """Every finding is judged; at least 98 % of the errors and 90 % of the warnings are true."""
    verdicts: dict[Severity, list[bool]] = {Severity.ERROR: [], Severity.WARNING: []}
    unjudged = []
    for number, (layout, files) in enumerate(LAYOUTS.items()):
        for severity, code, file in findings(tmp_path / str(number), files):
            if (layout, code, file) in JUDGED:
                verdicts[severity].append(JUDGED[layout, code, file][0])
            else:
                unjudged.append(f"judge it: {layout}: {severity.name} {code} in {file}")
    assert unjudged == []
    for severity, least in ((Severity.ERROR, 0.98), (Severity.WARNING, 0.90)):
        of_it = verdicts[severity]
        assert sum(of_it) >= least * len(of_it), (severity, of_it)


def test_true_findings_are_reported(tmp_path: Path) -> None:
    """What was judged true is still found."""
    judged = [key for key, (is_true, _) in JUDGED.items() if is_true]
    found = set()
    for number, layout in enumerate(dict.fromkeys(layout for layout, _, _ in judged)):
        found |= {(layout, code, file) for _, code, file in findings(tmp_path / str(number), LAYOUTS[layout])}
    assert [key for key in judged if key not in found] == []


def test_recall_on_injected_faults(tmp_path: Path) -> None:
    """At least 98 % of the faults are found, by their rule: what was not there without the fault."""
    missed = []
    for number, (name, (layout, file, old, new, code)) in enumerate(FAULTS.items()):
        files = LAYOUTS[layout]
        assert old in files[file], name
        before = Counter(item[1] for item in findings(tmp_path / f"{number}-before", files))
        found = findings(tmp_path / str(number), files | {file: files[file].replace(old, new, 1)})
        after = Counter(item[1] for item in found)
        if not any(key.startswith(code) for key in after - before):
            missed.append((name, found))
    assert len(missed) <= 0.02 * len(FAULTS), missed


def test_layouts_are_verified_as_by_the_command(tmp_path: Path) -> None:
    """The findings above are those that a user gets."""
    folder = written(tmp_path, LAYOUTS[_QUICK])
    text = call("verify", folder, "--no-envoy").stderr
    assert {item.code for item in verified(folder)} == {word for word in text.split() if word.startswith("VSR")}
