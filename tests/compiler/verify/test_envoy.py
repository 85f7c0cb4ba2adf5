"""What Envoy itself says of values in EnvoyFilters and EnvoyPatchPolicies, and what it is never given to run."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.verify_support as m
from support.cases import GOLDEN, POLICIES, output_of
from support.common import call
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify import envoy
from vsr_compiler.verify.envoy import process, verdicts
from vsr_compiler.verify.envoy.safe import loads_nothing
from vsr_compiler.verify.files import read
from vsr_compiler.verify.stream import Budget, objects

needs_envoy = pytest.mark.envoy
OPEN = "{name: a, typed_config: {'@type': type.googleapis.com"
LUA_TYPE = "envoy.extensions.filters.http.lua.v3"
LUA = f"{OPEN}/{LUA_TYPE}"
SCRIPT = "\"os.execute('touch PLACE')\""
HEAD = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: own, namespace: prod}
spec:
  configPatches:
"""


def said(text: str, *, wanted: bool = False) -> list[Diagnostic]:
    """The verdicts on a stream."""
    problems: list[Diagnostic] = []
    manifests = objects(text.encode(), "m.yaml", Budget(), problems)
    return [*problems, *verdicts(manifests, wanted=wanted)]


def patch(kind: str, operation: str, value: str) -> str:
    """An EnvoyFilter with one patch, its value in the flow style of YAML."""
    return f"{HEAD}  - {{applyTo: {kind}, patch: {{operation: {operation}, value: {value}}}}}\n"


EDITS = {
    "a misspelt field": ("message_timeout", "mesage_timeout", "warning", "no field `mesage_timeout`", "mesage"),
    "a misspelt word": ("request_body_mode: BUFFERED", "request_body_mode: BUFERED", "error", "'BUFERED'", "BUFERED"),
    "a text for a switch": ("allow: false", "allow: perhaps", "error", "'true' or 'false'", "perhaps"),
    "a number for a duration": ("5s", "5", "error", "unexpected character", "5\n"),
    "more than Envoy's own limit": ("5s", "3601s", "error", "`message_timeout`: value must be inside", "3601s"),
    "a rule over two fields": ("mode: BUFFERED", "mode: FULL_DUPLEX_STREAMED", "error", "trailer_mode", "FULL_"),
    "a type that is not there": ("ext_proc.v3.Ext", "ext_prc.v3.Ext", "error", "there is no type", "type.googleapis"),
    "no cluster": ("outbound|50051||router.prod.svc.cluster.local", '""', "error", "`cluster_name`: value", '""'),
    "a number out of range": ("8388608", "-1", "error", "out of range", "-1"),
}


@needs_envoy
@pytest.mark.parametrize("name", EDITS)
def test_envoys_answer_stands_at_the_field_that_it_means(name: str) -> None:
    """With its words and ours, in the line and the column of the value."""
    old, new, level, part, place = EDITS[name]
    assert old in m.FILTER
    text = m.FILTER.replace(old, new)
    (item,) = said(text)
    assert (item.code, item.level.word) == ("VSR455", level)
    assert part in item.message
    assert (
        text.splitlines(keepends=True)[item.span.line - 1][item.span.column - 1 :]
        .lstrip('"')
        .startswith(place.lstrip('"'))
    )


@needs_envoy
def test_what_is_right_costs_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many filters there are; each value that is wrong costs a few more."""
    runs: list[int] = []
    real = envoy.validate
    monkeypatch.setattr(envoy, "validate", lambda *args: runs.append(1) or real(*args))
    several = [m.FILTER.replace("name: router,", f"name: r{n},").replace("5s", f"{n + 1}s") for n in range(20)]
    assert said(m.joined(*several, m.PATCH)) == []
    assert len(runs) == 1
    found = said(m.joined(*several, m.FILTER.replace("5s", "6"), m.PATCH.replace("5s", "7")))
    assert len(found) == 2
    assert len(runs) < 30


@needs_envoy
def test_an_envoy_patch_policys_values_go_where_their_paths_lead() -> None:
    """A filter in the chain, a field of the listener, a whole cluster; a path of another gateway is left alone."""
    assert said(m.PATCH) == []
    (item,) = said(m.PATCH.replace("messageTimeout", "mesageTimeout"))
    assert (item.level, "no field `mesageTimeout`" in item.message) == (Severity.ERROR, True)
    limit = m.PATCH.replace("/typed_config/http_filters/0", "/typed_config/http_filterz")
    assert "http_filterz" in said(limit)[0].message or said(limit)[0].code == "VSR455"
    elsewhere = m.PATCH.replace("/default_filter_chain/filters/0", "/default_filter_chain/filters/7")
    assert said(elsewhere.replace("http_filters/0", "stat_prefix")) == []


@needs_envoy
@pytest.mark.parametrize(
    "value",
    [
        f"{LUA}.Lua, default_source_code: {{inline_string: {SCRIPT}}}}}}}",
        f"{OPEN}/xds.type.v3.TypedStruct, type_url: t/{LUA_TYPE}.Lua, value: {{inline_code: {SCRIPT}}}}}}}",
        f"{OPEN}/envoy.extensions.filters.http.composite.v3.Composite}}}}",
    ],
)
def test_a_filter_that_brings_code_is_never_run(value: str, tmp_path: Path) -> None:
    """Its form is checked and nothing else: looking at a manifest must not be doing what it says."""
    place = tmp_path / "owned"
    assert said(patch("HTTP_FILTER", "INSERT_FIRST", value.replace("PLACE", str(place)))) == []
    assert not place.exists()


@needs_envoy
def test_the_form_of_a_filter_that_brings_code_is_still_checked() -> None:
    """A misspelt field of a Lua filter is one."""
    (item,) = said(patch("HTTP_FILTER", "ADD", f"{LUA}.Lua, sauce: {{}}}}}}"))
    assert "no field `sauce`" in item.message


@pytest.mark.parametrize(
    "value",
    [
        {"typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"}},
        {"typedConfig": {"@type": "t/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"}},
        {"access_log": [{"name": "a"}]},
        {"accessLog": []},
        {"certificate": {"filename": "/etc/passwd"}},
        {"grpc_service": {"google_grpc": {"target_uri": "far:1"}}},
        {"type": "STRICT_DNS"},
        {"cluster_type": {"name": "x"}},
        {"a": [{"typed_config": {"@type": 5}}]},
    ],
    ids=str,
)
def test_what_leads_out_of_the_configuration_is_not_set_up(value: object) -> None:
    """Code, files, sockets, names to ask for."""
    assert not loads_nothing(value)


HOSTILE = {
    "a text": "x",
    "a list": "[1, 2]",
    "nothing": "null",
    "infinity": "{name: a, typed_config: {'@type': .inf}}",
    "a type of nobody": "{name: a, typed_config: {'@type': type.googleapis.com/acme.Filter}}",
    "many brackets": f"{{name: a, typed_config: {'[' * 60}{']' * 60}}}",
    "a long text": f"{{name: {'a' * 300_000}, typo: 1}}",
    "quotes and breaks": '{name: "a\\"\\n\\u2028]}: {", typo: 1}',
    "half a pair": '{name: "\\udc00", typo: 1}',
}


@needs_envoy
@pytest.mark.parametrize("kind", ["HTTP_FILTER", "NETWORK_FILTER", "CLUSTER", "LISTENER", "BOOTSTRAP", "HTTP_ROUTE"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_ends_in_a_finding(name: str, kind: str) -> None:
    """Short, at a place, and without a traceback."""
    found = said(patch(kind, "ADD", HOSTILE[name]))
    assert found
    assert all(
        item.code in {"VSR002", "VSR455", "VSR456"} and item.span.line and len(item.message) < 600 for item in found
    )


@needs_envoy
def test_too_many_refusals_end_the_search_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is bounded whatever a stream holds."""
    monkeypatch.setattr(envoy, "MAX_RUNS", 5)
    several = m.joined(*(m.FILTER.replace("5s", f"{n}x") for n in range(20)))
    found = said(several)
    assert [item.code for item in found if "too many" in item.message] == ["VSR456"]


@needs_envoy
def test_values_over_the_limit_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before are still checked."""
    monkeypatch.setattr(envoy, "MAX_BYTES", 500)
    (item,) = said(m.FILTER)
    assert (item.code, item.level, "not put to Envoy" in item.message) == ("VSR456", Severity.WARNING, True)


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("#!/bin/sh\nsleep 60\n", "it took more than"),
        ("#!/bin/sh\nexit 3\n", "it ended with 3"),
        ("#!/bin/sh\nyes | head -c 10000000; exit 1\n", "it ended with 1"),
        ("no program", "cannot be started"),
    ],
)
def test_an_envoy_that_does_not_answer_is_said(
    script: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and what it was asked is not kept."""
    program = tmp_path / "envoy"
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(process, "TIMEOUT", 0.3 if "sleep" in script else 60)
    monkeypatch.setattr(envoy, "binary", lambda: str(program))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (item,) = said(m.FILTER)
    assert (item.code, part in item.message) == ("VSR456", True)
    assert list(tmp_path.iterdir()) == [program]


def test_a_missing_envoy_is_said_once_and_is_an_error_for_whoever_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note otherwise; with `--no-envoy` nothing."""
    monkeypatch.setattr(envoy, "binary", lambda: None)
    file = tmp_path / "m.yaml"
    file.write_text(m.joined(*m.ISTIO), encoding="utf-8")
    plain, asked, unasked = (call("verify", file, *flag) for flag in ([], ["--envoy"], ["--no-envoy"]))
    assert (plain.exit_code, asked.exit_code, unasked.exit_code) == (0, 1, 0)
    assert plain.stderr.count("note VSR456") == asked.stderr.count("error VSR456") == 1
    assert "VSR456" not in unasked.stderr
    assert said(m.SERVICE) == []


@needs_envoy
@pytest.mark.parametrize("cases", [POLICIES, GOLDEN], ids=["out", "golden"])
def test_envoy_takes_every_value_that_we_compile(cases: list[str]) -> None:
    """In every base."""
    bases = [path for case in cases for path in output_of(case).glob("*/base")]
    assert bases
    found, _ = read(bases)
    assert verdicts(found) == []
