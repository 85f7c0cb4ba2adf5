"""The table of headers that other components act on."""

from __future__ import annotations

from vsr_schemas.headers import FRAMING, PROTECTED, STRIPPED, STRIPPED_PREFIXES, is_protected
from vsr_schemas.obeyed_headers import COMPONENTS, ENVOY, LLM_D, Impact, Treatment, obeyed_by

ROWS = [(component, header) for component in COMPONENTS for header in component.headers]


def test_every_row_has_its_source_and_says_in_lower_case_what_is_read() -> None:
    """HTTP/2 has lower-case names only, and a row without a source cannot be checked."""
    for component, header in ROWS:
        assert header.name == header.name.lower()
        assert header.effect
        assert header.source
        assert component.tag
        assert header.name.endswith("-") == header.prefix


def test_a_header_is_removed_for_all_components_or_for_none() -> None:
    """A name has one treatment, however many components read it."""
    treatments: dict[str, set[Treatment]] = {}
    for _, header in ROWS:
        treatments.setdefault(header.name, set()).add(header.treatment)
    assert {name for name, found in treatments.items() if len(found) > 1} == set()
    kept = [header.name for _, header in ROWS if header.treatment is Treatment.KEEP]
    assert [name for name in kept if name.startswith(STRIPPED_PREFIXES)] == []


def test_nothing_is_kept_by_which_a_client_chooses_a_model() -> None:
    """Only reports, sessions and what trusted proxies send is kept."""
    assert [
        header.name
        for _, header in ROWS
        if header.reason and header.impact in {Impact.MODEL, Impact.ADDRESS, Impact.QUEUE}
    ] == []


def test_headers_by_which_a_client_tells_a_picker_or_sidecar_what_to_do_are_removed() -> None:
    """The inference extension 1.0 to 1.5, and llm-d 0.10 with its decode sidecar."""
    assert {
        "x-gateway-model-name-rewrite",
        "x-llm-d-model-name-rewrite",
        "x-gateway-inference-objective",
        "x-llm-d-inference-objective",
        "x-gateway-inference-fairness-id",
        "x-llm-d-inference-fairness-id",
        "x-slo-ttft-ms",
        "x-slo-tpot-ms",
        "x-llm-d-slo-ttft-ms",
        "x-llm-d-slo-tpot-ms",
        "x-data-parallel-host-port",
        "x-kv-cache-source-host-port",
        "x-prefiller-host-port",
        "x-encoder-hosts-ports",
        "x-gateway-destination-endpoint",
    } <= set(STRIPPED)
    assert "x-llm-d-" in STRIPPED_PREFIXES


def test_clients_may_name_their_request_trace_and_session() -> None:
    """Tools send these headers, and nothing but traces and affinity follows them."""
    for name in ("x-request-id", "traceparent", "tracestate", "x-session-id", "x-vsr-debug", "x-forwarded-for"):
        assert name not in STRIPPED
        assert obeyed_by(name) is None


def test_a_policy_may_not_set_what_another_component_obeys() -> None:
    """By its name, and by a prefix of a family of headers."""
    assert {*STRIPPED, *FRAMING} == PROTECTED
    for name in ("x-gateway-model-name-rewrite", "x-llm-d-of-a-later-release", "x-ai-eg-model", "content-length"):
        assert is_protected(name)
    for name in ("x-tier", "x-request-id", "authorization"):
        assert not is_protected(name)


def test_a_header_is_named_with_the_component_that_obeys_it() -> None:
    """For messages."""
    assert obeyed_by("X-LLM-D-Anything") is LLM_D
    assert obeyed_by("x-envoy-retry-on") is ENVOY
    assert obeyed_by("x-tier") is None
