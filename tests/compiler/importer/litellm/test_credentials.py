"""Named credentials of LiteLLM, and what is said of several deployments."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.imports import imported, places

ENTRY = """\
model_list:
  - model_name: big
    litellm_params: {model: openai/gpt-4o, litellm_credential_name: main}
credential_list:
"""
ONE = "  - {credential_name: NAME, credential_values: {api_key: os.environ/KEY_A}}\n"


def test_a_credential_that_no_file_defines_is_reported(tmp_path: Path) -> None:
    """At the model that names it."""
    result = imported(tmp_path, ENTRY + ONE.replace("NAME", "other"))
    assert [(line, "`main` is not in" in message) for line, message in places(result, "VSR542")] == [(3, True)]
    assert not places(imported(tmp_path, ENTRY + ONE.replace("NAME", "main")), "VSR542")


def test_a_credential_that_is_defined_twice_is_reported(tmp_path: Path) -> None:
    """At the second definition."""
    result = imported(tmp_path, ENTRY + ONE.replace("NAME", "main") * 2)
    assert [(line, "defined twice" in message) for line, message in places(result, "VSR543")] == [(6, True)]


def test_two_models_of_one_provider_are_not_called_several_providers(tmp_path: Path) -> None:
    """The words are those of the file."""
    text = "model_list:\n" + "".join(
        f"  - {{model_name: big, litellm_params: {{model: openai/{name}}}}}\n" for name in ("gpt-4o", "gpt-4.1")
    )
    [(_, message)] = places(imported(tmp_path, text), "VSR543")
    assert "of several kinds" in message


@pytest.mark.parametrize(
    "text",
    [
        "model_list: &a [{model_name: x, litellm_params: *a}]\n",
        "model_list: [" + "{model_name: {" * 300,
        "model_list:\n" + "  - {model_name: x, litellm_params: {model: openai/x}}\n" * 15_000,
        "model_list: [{model_name: [x], litellm_params: 5}]\nrouter_settings: [1]\nlitellm_settings: x\n",
        "model_list: \x00",
        "model_list: [{model_name: x, litellm_params: {model: openai/x, api_base: 'http://[::1'}}]\n",
    ],
    ids=["recursion", "deep", "many", "types", "binary", "url"],
)
def test_hostile_files_end_in_findings(tmp_path: Path, text: str) -> None:
    """Never in an exception."""
    assert imported(tmp_path, text).findings


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    """With a finding."""
    from vsr_compiler.importer import Options, import_files  # noqa: PLC0415 - of this test

    path = tmp_path / "config.yaml"
    path.write_bytes((ENTRY + ONE).encode("utf-32"))
    assert import_files([path], Options()).failed
