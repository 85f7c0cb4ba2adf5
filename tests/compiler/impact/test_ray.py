from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from support.common import call
from vsr_schemas.reports_impact import ImpactReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: demo}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models:
  small: {endpoints: small, price: {prompt: 1, completion: 2}}
  large: {endpoints: large, price: {prompt: 10, completion: 20}}
signals: {code: {keywords: [python, rust, sql]}, urgent: {keywords: [urgent]}}
routes:
  - {name: urgent, when: {signal: urgent}, model: large}
  - {name: code, when: {signal: code}, model: large}
default: small
"""
WORDS = ["urgent", "python", "rust", "sql", "please", "thanks", "poem", "weather", "\u00e9t\u00e9"]
PROGRAM = "from vsr_compiler.cli import main; main()"


def lines(count: int, seed: int) -> bytes:
    """Requests of teams, with usage."""
    draw = random.Random(seed)  # noqa: S311 - the same traffic in every run
    records = [
        {
            "id": f"{seed}-{number}",
            "body": {"messages": [{"role": "user", "content": " ".join(draw.choices(WORDS, k=5))}]},
            "usage": {"prompt_tokens": draw.randrange(1000), "completion_tokens": 3},
            "client": {"team": draw.choice("abc")},
        }
        for number in range(count)
    ]
    return "".join(json.dumps(record) + "\n" for record in records).encode()


@pytest.mark.subprocess
def test_ray_gives_the_report_of_this_machine(tmp_path: Path) -> None:
    """Byte for byte: from several files, one of them gzipped and one by its URI, with lines that cannot be used."""
    (tmp_path / "old.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(POLICY.replace("[python, rust, sql]", "[python]"), encoding="utf-8")
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "1.jsonl").write_bytes(lines(1200, 1) + b'\n[1, 2]\n"x"')
    (tmp_path / "day" / "2.jsonl.gz").write_bytes(gzip.compress(lines(400, 2) + b'{"broken": \n' + lines(2, 3)))
    (tmp_path / "one.json").write_text(json.dumps([{"prompt": "rust"}, {"prompt": "sql"}], indent=1), encoding="utf-8")
    words = ["impact", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--format", "json", "--jobs", "2"]
    words += ["--traffic", f"{(tmp_path / 'day').as_uri()}/", "--traffic", str(tmp_path / "one.json")]
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "--engine", "ray"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
    )
    assert result.returncode == 0, result.stderr
    here = call(*words, "--jobs", "1")
    assert result.stdout == here.stdout
    found = ImpactReport.model_validate_json(result.stdout)
    assert (found.requests, sum(one.count for one in found.skipped)) == (1604, 4)
    assert found.changed.count


def test_standard_input_is_for_this_machine_only(tmp_path: Path) -> None:
    """Another node cannot read it."""
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    result = call("impact", str(tmp_path / "p.yaml"), str(tmp_path / "p.yaml"), "--traffic", "-", "--engine", "ray")
    assert (result.exit_code, "--engine ray needs files" in result.stderr) == (2, True)
