"""What `check` accepts, `serve` accepts: the runtime loads every policy that compiles."""

from __future__ import annotations

import copy
import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support.common import ROOT, linked, reference
from support.properties import examples
from vsr_compiler import pipeline
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.heads.compile import untrained_settings
from vsr_compiler.manifests.yaml import UnprintableError, dump, header
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings
from vsr_runtime import settings
from vsr_runtime.credentials import KEYLESS

BASE = """apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: x}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {inside: {vllm: {}}}
models: {llama: {checkpoint: a/b, endpoints: [inside]}}
signals:
  s: {keywords: [KEYWORD]}
  t: {structure: STRUCTURE}
  u: {keywords: [REGEX], regex: true, caseSensitive: CASE}
guards: {g: {patterns: [PATTERN]}}
routes:
  - {name: r, when: {any: [{signal: s}, {signal: t}, {signal: u}]}, model: llama, headers: {set: {x-team: HEADER}}}
default: llama
"""
GOOD = {
    "KEYWORD": "kk",
    "STRUCTURE": "{pattern: ab, min: 2}",
    "REGEX": "ab",
    "CASE": "true",
    "PATTERN": "abcd",
    "HEADER": "v",
}
LARGE = '"(?i)(rent.{0,48}(house|flat)|miete.{0,48}(häuser|wohnung)|alquiler.{0,48}(casa|piso)){9}"'


def policy(**changes: str) -> str:
    """The policy with some of its values changed."""
    text = BASE
    for name, value in (GOOD | changes).items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"HEADER": '"a\\nx-evil: 1"'}, "VSR104", "printable ASCII"),
        ({"HEADER": '"a\\tb"'}, "VSR104", "printable ASCII"),
        ({"HEADER": '"café"'}, "VSR104", "printable ASCII"),
        ({"HEADER": '" "'}, "VSR104", "no blank at either end"),
        ({"HEADER": "x" * 4097}, "VSR104", "at most 4096"),
        ({"KEYWORD": '" "'}, "VSR104", "must not be blank"),
        ({"KEYWORD": '"\\u3000"'}, "VSR104", "must not be blank"),
        ({"STRUCTURE": '{keywords: [" "], min: 1}'}, "VSR104", "must not be blank"),
        ({"STRUCTURE": "{pattern: ab, min: 100001}"}, "VSR104", "100000"),
        ({"STRUCTURE": '{pattern: "a*", min: 1}'}, "VSR217", "matches the empty text"),
        ({"STRUCTURE": f"{{pattern: {LARGE}, min: 1}}"}, "VSR217", "is too large"),
        ({"REGEX": LARGE}, "VSR217", "is too large"),
        ({"REGEX": '"k{1000}k{1000}"', "CASE": "false"}, "VSR217", "is too large"),
        ({"REGEX": '"x|"'}, "VSR217", "matches the empty text"),
        ({"PATTERN": '"a*"'}, "VSR217", "matches the empty text"),
        ({"PATTERN": '""'}, "VSR217", "matches the empty text"),
        ({"PATTERN": '"\\\\ud800"'}, "VSR217", "cannot be run in linear time"),
        ({"PATTERN": '"\\\\h+"'}, "VSR217", "is not valid"),
        ({"PATTERN": '"(?s:.){1000}(?s:.){1000}x"'}, "VSR217", "is too large"),
        ({"PATTERN": LARGE}, "VSR217", "is too large"),
    ],
)
def test_value_that_the_runtime_rejects_has_its_place(changes: dict[str, str], code: str, words: str) -> None:
    """`check` says where it is written; new pods would end at once, and running ones keep what they had."""
    with pytest.raises(CompileError) as caught:
        linked(policy(**changes))
    assert [item.code for item in caught.value.diagnostics] == [code]
    (found,) = caught.value.diagnostics
    assert words in found.message
    line = policy(**changes).splitlines()[found.span.line - 1]
    (value,) = changes.values() if len(changes) == 1 else [changes["REGEX"]]
    assert value in line


def test_good_values_have_no_findings() -> None:
    """The policy of these tests is good in itself."""
    document = linked(
        policy(REGEX='"k{1000}k{1000}"')
    )  # too large only if case is ignored: there is a Kelvin sign, too
    assert not [item for item in analyse(document, {"istio"}) if item.level is Severity.ERROR]


def test_what_only_the_runtime_rejects_is_found_by_its_loader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`check` and a compile ask it, so that a rule which only the runtime has is no surprise at start."""
    monkeypatch.setattr("vsr_runtime.decision.program.build.TOTAL_SHARE", 99)
    text = (
        policy()
        .replace("model: llama,", "split: {llama: 60, other: 40},")
        .replace("models: {", "models: {other: {checkpoint: a/b, endpoints: [inside]}, ")
    )
    (tmp_path / "p.yaml").write_text(text)
    found = [item for item in pipeline.findings(tmp_path / "p.yaml") if item.level is Severity.ERROR]
    assert [item.code for item in found] == ["VSR508"]
    assert "the shares must add up to 100" in found[0].message
    with pytest.raises(CompileError, match="the router would not start"):
        pipeline.compile_policy(pipeline.read_policy(tmp_path / "p.yaml"), lambda _: None)


def test_the_pattern_of_the_case_is_accepted_and_starts(tmp_path: Path) -> None:
    """The policy of the case compiled, and the runtime did not start with it. Both take patterns of its size now."""
    case = reference() / "data/cases/parity/01-pattern-compiled-but-refused-at-start/policy.yaml"
    compiled = pipeline.compile_policy(pipeline.read_policy(case), lambda _: None)
    for file in ("config.yaml", "runtime.yaml"):
        (tmp_path / file).write_bytes(compiled.tree[f"router/{file}"].content)
    assert [route.name for route in settings.load(tmp_path / "config.yaml").program.routes] == ["rent"]


WHOLE = YAML(typ="safe").load((ROOT / "tests/compiler/whole.yaml").read_text(encoding="utf-8"))
"""A policy that uses every section."""
del WHOLE["signals"]["staff"], WHOLE["environments"]["prod"], WHOLE["assertions"], WHOLE["tests"]
WHOLE["routes"][-1]["when"]["any"].remove({"signal": "staff"})
for detector in ("attacks", "persons"):
    WHOLE["classifiers"][detector]["checkpoint"]["revision"] = "a" * 40  # digits alone would be read as a number
TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            *(
                " ",
                "",
                "\u3000",
                "a\tb",
                "a\nb",
                "café",
                "a ",
                "x" * 300,
                "x" * 5000,
                "role:admin",
                "$(HOME)",
                "{{ x }}",
            ),
            *(
                "a*",
                "x|",
                "(?i)",
                "\\b",
                "^$",
                "(a{1,99}){1,99}",
                "[à-ÿ]{999}",
                "\\pL+",
                "\\ud800",
                "\\Qa\\E",
                "(?P<n>a)",
            ),
            *(
                "\u2028",
                "\x85",
                "\ufffd",
                "\U0001f600",
                "日本",
                "0x10",
                "1e3",
                "null",
                "~",
                "auto",
                "llama3-8b",
                "other",
            ),
        ]
    ),
)
NUMBERS = st.one_of(
    st.integers(-1, 3),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 99, 100, 4096, 100_000, 100_001, 10**9, 10**15, 10**30, 1e-9]),
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path to a scalar."""
    if isinstance(value, dict):
        return [found for key, child in value.items() for found in leaves(child, (*path, key))]
    if isinstance(value, list):
        return [found for index, child in enumerate(value) for found in leaves(child, (*path, index))]
    return [path]


SECTIONS = ("signals", "guards", "routes", "models", "classifiers", "categories", "router", "default")
"""What the router's files are made of."""
LEAVES = [path for path in leaves(WHOLE) if path[0] in SECTIONS]


@st.composite
def policies(draw: st.DrawFn) -> str:
    """The whole policy with other values of the same type in some places, and lists with an entry more."""
    document = copy.deepcopy(WHOLE)
    for path in draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=3)):
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        before = parent[path[-1]]
        value = draw(NUMBERS if isinstance(before, int | float) and not isinstance(before, bool) else TEXTS)
        if isinstance(parent, list) and draw(st.booleans()):
            parent.append(draw(st.sampled_from([before, value])))
        else:
            parent[path[-1]] = draw(st.booleans()) if isinstance(before, bool) else value
    out = io.BytesIO()
    YAML(typ="safe").dump(document, out)
    return out.getvalue().decode()


@examples(120, suppress_health_check=[HealthCheck.too_slow])
@given(policies())
def test_every_policy_that_passes_check_is_loaded_by_the_runtime(text: str) -> None:
    """With the loader that `serve` uses, from files."""
    try:
        policy = linked(text)
        if any(item.level is Severity.ERROR for item in analyse(policy, {"istio"})):
            return
        classifiers = untrained_settings(policy)
        bodies = {"config.yaml": router_config(policy), "runtime.yaml": runtime_settings(policy, classifiers)}
        texts = {
            name: header(dump(body.model_dump(mode="json", by_alias=True, exclude_none=True)))
            for name, body in bodies.items()
        }
    except (CompileError, UnprintableError):
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in texts.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        settings.load(Path(folder, "config.yaml"), KEYLESS)


def test_a_name_that_is_listed_twice_counts_once() -> None:
    """As a parameter or tool that a route blocks: the runtime refuses a list with a name twice."""
    text = policy().replace("model: llama, headers", "model: llama, params: {block: [logit_bias, logit_bias]}, headers")
    (route,) = linked(text).routes
    assert route.block_params == ("logit_bias",)
