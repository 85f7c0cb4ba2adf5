"""Arguments of vLLM servers: names of the release, values that fit the policy, no secrets."""

from __future__ import annotations

import json

import pytest

from support import rendering
from support.common import SMALL, linked, reference
from vsr_compiler.analysis import analyse
from vsr_compiler.analysis.vllm_arguments import read_arguments
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.releases.vllm_arguments import arguments_of

KNOWN = arguments_of("0.17.0")
LINE, FIRST = 6, 23
"""Where the first argument is."""


def found(*args: str, more: str = "", gpus: int = 1, old: str = "", new: str = "") -> list[Diagnostic]:
    """The findings about arguments in the small policy, with the arguments and more lines."""
    written = ", ".join(map(json.dumps, args))
    text = SMALL.replace("{vllm: {}}", f"{{vllm: {{args: [{written}], gpus: {gpus}}}}}").replace(old, new) + more
    codes = {"VSR227", "VSR261", "VSR262"}
    return [item for item in analyse(linked(text), {"istio"}) if item.code in codes]


def codes(*args: str, **more: object) -> list[str]:
    """The codes of the findings."""
    return [item.code for item in found(*args, **more)]  # type: ignore[arg-type] - passed on


@pytest.mark.parametrize(
    "args",
    [
        ["--max-model-len=8192"],
        ["--max-model-len", "8192"],
        ["--max_model_len", "auto", "--enable_chunked_prefill"],
        ["--max-model-len", "-1"],
        ["--no-enable-prefix-caching", "-q", "awq", "-qfp8", "-O3", "-O", "2"],
        ["--cudagraph-capture-sizes", "1", "2", "4", "--enforce-eager"],
        ["--compilation-config.cudagraph_mode=NONE", "-cc.mode", "3"],
        ["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 3}'],
        ["--hf-token"],
        ["--disable-log-stats", "--tool-call-parser=hermes", "--enable-auto-tool-choice"],
    ],
)
def test_arguments_of_the_release_are_accepted_in_every_spelling(args: list[str]) -> None:
    """Underscores, short names, several values, JSON paths and negations are what the server's parser accepts."""
    assert found(*args) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--max-modle-len=8192"], "Did you mean `--max-model-len`?"),
        (["--tensor-parallel=2"], "Write the whole name: `--tensor-parallel-size`."),
        (["--no-max-model-len"], "Remove it"),
        (["--enable-turbo"], "Remove it"),
        (["--max-model-len 8192"], "Write `--name=value`"),
        (["example/other"], "The compiler passes the checkpoint"),
        (["--enforce-eager", "example/other"], "The compiler passes the checkpoint"),
        (["-x"], "Remove it"),
    ],
)
def test_an_argument_that_the_release_does_not_have_is_an_error_at_its_place(args: list[str], words: str) -> None:
    """The hint names the argument that was meant, if there is one."""
    [item] = found(*args)
    assert item.code == "VSR262"
    assert item.span.line == LINE
    assert words in item.hint


@pytest.mark.parametrize(
    "args",
    [["--api-key", "token-abc123"], ["--api_key=token"], ["--enforce-eager", "--hf-token=hf_x"], ["--api-key=$(KEY)"]],
)
def test_a_secret_in_the_arguments_is_an_error_that_does_not_quote_it(args: list[str]) -> None:
    """The manifest would hold it in plain text, and no component would send the key."""
    [item] = found(*args)
    assert item.code == "VSR227"
    assert item.hides
    assert "token-abc123" not in item.message + item.hint


@pytest.mark.parametrize(
    "args",
    [
        ["--ssl-keyfile=/k.pem"],
        ["--ssl-certfile", "/c.pem"],
        ["--root-path=/models"],
        ["--uds=/tmp/s"],
        ["--config=/c.yaml"],
        ["--headless"],
        ["--nnodes", "2"],
        ["-n2"],
        ["-dpa", "10.0.0.1"],
        ["--api-key"],
    ],
)
def test_an_argument_that_contradicts_the_objects_of_the_compiler_is_an_error(args: list[str]) -> None:
    """The gateway would not reach such a server, or it would not serve."""
    assert codes(*args) == ["VSR261"]


@pytest.mark.parametrize(
    ("gpus", "args", "fits"),
    [
        (4, ["--tensor-parallel-size=4"], True),
        (4, ["-tp", "2", "-pp", "2"], True),
        (4, ["-tp=2", "--data-parallel-size", "2"], True),
        (8, ["-tp=2", "-dp", "8", "-dpl", "4"], True),
        (1, ["--tensor-parallel-size=2"], False),
        (4, ["-tp", "2"], False),
        (2, ["--pipeline-parallel-size=4"], False),
        (2, ["--tensor-parallel-size=many"], True),
    ],
)
def test_the_gpus_of_the_arguments_are_those_of_the_pod(gpus: int, args: list[str], *, fits: bool) -> None:
    """With more the server does not start, with fewer GPUs idle. A value that is no number is the server's matter."""
    assert codes(*args, gpus=gpus) == ([] if fits else ["VSR261"])


def test_the_gpus_of_an_environment_count_as_well() -> None:
    """An environment that doubles the GPUs and keeps the argument leaves half of them idle."""
    more = "environments: {prod: {resources: {one: {limits: {nvidia.com/gpu: 4}}}}}\n"
    [item] = found("-tp=2", gpus=2, more=more)
    assert "`prod`" in item.message


def test_a_context_beyond_the_length_that_the_server_accepts_is_an_error() -> None:
    """The router would send requests that the server refuses."""
    old, new = "{checkpoint: example/big,", "{context: 131072, checkpoint: example/big,"
    [item] = found("--max-model-len=8k", old=old, new=new)
    assert (item.code, item.span.line, item.span.column) == ("VSR261", LINE, FIRST)
    assert "131072" in item.message
    assert "8000" in item.message
    assert codes("--max-model-len=128K", old=old, new=new) == []


def test_an_environment_with_its_own_image_and_release_is_not_checked_by_another_table() -> None:
    """Every release whose image is known has a table."""
    assert all(arguments_of(release).names for release in VLLM)


@pytest.mark.parametrize(
    "argument", ["--calculate-kv-scales", "--override-attention-dtype=x", "--max-num-partial-prefills=2"]
)
def test_argument_that_a_release_removed_is_an_error_that_names_the_release_that_had_it(argument: str) -> None:
    """The server would not start."""
    [item] = found(argument)
    assert item.code == "VSR262"
    assert item.message.startswith("vLLM 0.33.0 has no argument")
    assert item.message.endswith("which 0.17.0 had")


def test_values_are_read_with_their_arguments() -> None:
    """Only an argument with a value takes the next item."""
    read = [(item.name, item.value) for item in read_arguments(("--seed", "1", "--enforce-eager", "x", "-q=a"), KNOWN)]
    assert read == [("--seed", "1"), ("--enforce-eager", None), ("", None), ("--quantization", "a")]


def test_a_key_and_tls_in_the_arguments_are_refused() -> None:
    """The case of a chart: every request would get 401."""
    text = (reference() / "data/cases/helm/08-api-key-argument/policy.yaml").read_text(encoding="utf-8")
    found = [item for item in analyse(linked(text), {"production-stack", "envoy-gateway"}) if item.span.line == 5]
    assert [item.code for item in found] == ["VSR227", "VSR261"]
    # The value is an item of its own: it is the part of the line that no output shows.
    line, secret = text.splitlines()[4], found[0].span
    assert line[secret.column - 1 :].startswith('"token-abc123"')
    assert (found[0].hides, "vllm.apiKey" in found[0].hint) == (True, True)


@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "gie", "llm-d", "ai-gateway", "production-stack"])
def test_a_server_of_ours_serves_the_name_that_the_router_writes_into_the_body(target: str) -> None:
    """`providerModel` on a `vllm` endpoint: before, every request got 404 from the server."""
    text = (reference() / "data/cases/helm/01-providermodel-own-server/policy.yaml").read_text(encoding="utf-8")
    names = {"qwen3-8b-instruct", "qwen3", "plain"}
    policy = linked(text)
    written = [json.dumps(item.body) for item in rendering.objects(policy, target)]
    written += [json.dumps(item.body) for item in rendering.values(policy, target)]
    assert any(all(f'"{name}"' in text for name in ("--served-model-name", *names)) for text in written)


def test_a_route_for_requests_that_its_model_cannot_hold_is_reported() -> None:
    """Its condition begins where the context of the model ends."""
    text = SMALL.replace("{endpoints: [two]}", "{endpoints: [two], context: 8192}").replace(
        "routes:", "signals: {long: {context: {min: 8192}}, half: {context: {min: 4096}}}\nroutes:"
    )
    for signal, expected in (("long", ["VSR263"]), ("half", [])):
        changed = text.replace("{category: math}", f"{{signal: {signal}}}")
        assert [item.code for item in analyse(linked(changed), {"istio"}) if item.code == "VSR263"] == expected
