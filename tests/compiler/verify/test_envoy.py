"""What Envoy itself says of values in EnvoyFilters and EnvoyPatchPolicies, and what it is never given to run."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.verify_support as m
from support.cases import GOLDEN, POLICIES, output_of
from support.common import call
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify import envoy
from vsr_compiler.verify.envoy import check_envoy, process
from vsr_compiler.verify.envoy.fragments import is_side_effect_free
from vsr_compiler.verify.files import read_manifests
from vsr_compiler.verify.stream import Budget, read_stream

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
    """The check_envoy on a stream."""
    problems: list[Diagnostic] = []
    manifests = read_stream(text.encode(), "m.yaml", Budget(), problems)
    return [*problems, *check_envoy(manifests, required=wanted)]


def patch(kind: str, operation: str, value: str) -> str:
    """An EnvoyFilter with one patch, its value in the flow style of YAML."""
    return f"{HEAD}  - {{applyTo: {kind}, patch: {{operation: {operation}, value: {value}}}}}\n"


EDITS = {
    "a misspelt field": ("message_timeout", "mesage_timeout", "warning", "unknown field `mesage_timeout`", "mesage"),
    "a misspelt word": ("request_body_mode: BUFFERED", "request_body_mode: BUFERED", "error", "'BUFERED'", "BUFERED"),
    "a text for a switch": ("allow: false", "allow: perhaps", "error", "'true' or 'false'", "perhaps"),
    "a number for a duration": ("5s", "5", "error", "unexpected character", "5\n"),
    "more than Envoy's own limit": ("5s", "3601s", "error", "`message_timeout`: value must be inside", "3601s"),
    "a rule over two fields": ("mode: BUFFERED", "mode: FULL_DUPLEX_STREAMED", "error", "trailer_mode", "FULL_"),
    "an unknown type": ("ext_proc.v3.Ext", "ext_prc.v3.Ext", "error", "unknown type", "type.googleapis"),
    "no cluster": ("outbound|50051||router.prod.svc.cluster.local", '""', "error", "`cluster_name`: value", '""'),
    "a number out of range": ("8388608", "-1", "error", "out of range", "-1"),
}


@needs_envoy
@pytest.mark.parametrize("name", EDITS)
def test_error_of_envoy_is_reported_at_its_field(name: str) -> None:
    """With line and column of the value."""
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
def test_valid_values_cost_one_run_of_envoy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each invalid value costs a few more."""
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
def test_values_of_an_envoy_patch_policy_are_checked_at_their_paths() -> None:
    """A filter of the chain, a field of the listener, a cluster. Paths of other gateways are ignored."""
    assert said(m.PATCH) == []
    (item,) = said(m.PATCH.replace("messageTimeout", "mesageTimeout"))
    assert (item.level, "unknown field `mesageTimeout`" in item.message) == (Severity.ERROR, True)
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
def test_code_in_a_filter_is_never_executed(value: str, tmp_path: Path) -> None:
    """Only the form of the filter is checked."""
    place = tmp_path / "owned"
    assert said(patch("HTTP_FILTER", "INSERT_FIRST", value.replace("PLACE", str(place)))) == []
    assert not place.exists()


@needs_envoy
def test_form_of_a_filter_with_code_is_checked() -> None:
    """A misspelt field of a Lua filter is reported."""
    (item,) = said(patch("HTTP_FILTER", "ADD", f"{LUA}.Lua, sauce: {{}}}}}}"))
    assert "unknown field `sauce`" in item.message


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
def test_values_with_side_effects_are_not_loaded(value: object) -> None:
    """Code, files, sockets and DNS names."""
    assert not is_side_effect_free(value)


HOSTILE = {
    "a text": "x",
    "a list": "[1, 2]",
    "nothing": "null",
    "infinity": "{name: a, typed_config: {'@type': .inf}}",
    "a type that is not Envoy's": "{name: a, typed_config: {'@type': type.googleapis.com/acme.Filter}}",
    "many brackets": f"{{name: a, typed_config: {'[' * 60}{']' * 60}}}",
    "a long text": f"{{name: {'a' * 300_000}, typo: 1}}",
    "quotes and breaks": '{name: "a\\"\\n\\u2028]}: {", typo: 1}',
    "half a pair": '{name: "\\udc00", typo: 1}',
}


@needs_envoy
@pytest.mark.parametrize("kind", ["HTTP_FILTER", "NETWORK_FILTER", "CLUSTER", "LISTENER", "BOOTSTRAP", "HTTP_ROUTE"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_value_is_a_finding_with_a_place(name: str, kind: str) -> None:
    """The message is short, and nothing is raised."""
    found = said(patch(kind, "ADD", HOSTILE[name]))
    assert found
    assert all(
        item.code in {"VSR002", "VSR455", "VSR456"} and item.span.line and len(item.message) < 600 for item in found
    )


@needs_envoy
def test_search_for_rejected_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream cannot cause more than the maximum number of runs."""
    monkeypatch.setattr(envoy, "MAX_RUNS", 5)
    several = m.joined(*(m.FILTER.replace("5s", f"{n}x") for n in range(20)))
    found = said(several)
    assert [item.code for item in found if "too many" in item.message] == ["VSR456"]


@needs_envoy
def test_values_over_the_limit_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values before them are still checked."""
    monkeypatch.setattr(envoy, "MAX_BYTES", 500)
    (item,) = said(m.FILTER)
    assert (item.code, item.level, "not checked by Envoy" in item.message) == ("VSR456", Severity.WARNING, True)


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("#!/bin/sh\nsleep 60\n", "Envoy took more than"),
        ("#!/bin/sh\nexit 3\n", "Envoy exited with code 3"),
        ("#!/bin/sh\nyes | head -c 10000000; exit 1\n", "Envoy exited with code 1"),
        ("no program", "cannot be started"),
    ],
)
def test_envoy_that_does_not_answer_is_reported_once(
    script: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is deleted."""
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


def test_missing_envoy_is_a_note_and_an_error_with_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reported once; with `--no-envoy` not at all."""
    monkeypatch.setattr(envoy, "binary", lambda: None)
    file = tmp_path / "m.yaml"
    file.write_text(m.joined(*m.ISTIO), encoding="utf-8")
    default, required, disabled = (call("verify", file, *flag) for flag in ([], ["--envoy"], ["--no-envoy"]))
    assert (default.exit_code, required.exit_code, disabled.exit_code) == (0, 1, 0)
    assert default.stderr.count("note VSR456") == required.stderr.count("error VSR456") == 1
    assert "VSR456" not in disabled.stderr
    assert said(m.SERVICE) == []


@needs_envoy
@pytest.mark.parametrize("cases", [POLICIES, GOLDEN], ids=["out", "golden"])
def test_envoy_accepts_every_compiled_value(cases: list[str]) -> None:
    """In every base."""
    bases = [path for case in cases for path in output_of(case).glob("*/base")]
    assert bases
    found, _ = read_manifests(bases)
    assert check_envoy(found) == []
