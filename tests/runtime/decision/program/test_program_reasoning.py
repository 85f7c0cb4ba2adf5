from __future__ import annotations

import pytest

from vsr_runtime.decision.program.build_reasoning import build_reasoning
from vsr_runtime.decision.program.effects import REMOVED
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES

TOP = {"reasoning_effort": REMOVED}


@pytest.mark.parametrize(
    ("family", "on", "effort", "template"),
    [
        ("qwen3", True, None, {"enable_thinking": True}),
        ("qwen3", False, None, {"enable_thinking": False}),
        ("deepseek-v3.1", True, None, {"thinking": True}),
        ("qwen3-always-on", True, None, {"enable_thinking": True}),
        ("qwen3-always-on", False, None, {"enable_thinking": REMOVED}),
        ("minimax-m3", True, None, {"thinking_mode": "enabled"}),
        ("minimax-m3", False, None, {"thinking_mode": "disabled"}),
        ("gpt-oss", True, "high", {"reasoning_effort": "high"}),
        ("gpt-oss", True, None, {"reasoning_effort": "medium"}),
        ("gpt-oss", False, None, {"reasoning_effort": REMOVED}),
        ("gpt", False, None, {"reasoning_effort": "none"}),
        ("gpt-6-astra", True, None, {"reasoning_effort": "medium"}),
        ("hunyuan-hy3", False, None, {"reasoning_effort": "no_think"}),
        ("qwen3.8", True, "low", {"enable_thinking": True, "reasoning_effort": "low"}),
        ("qwen3.8", False, None, {"enable_thinking": False, "reasoning_effort": REMOVED}),
        ("qwen3.8-always-on", False, None, {"enable_thinking": REMOVED, "reasoning_effort": REMOVED}),
        ("muse-glimmer", True, None, {"reasoning_strength": "high"}),
        ("nemotron-super", True, "low", {"enable_thinking": True, "low_effort": True}),
        ("nemotron-super", True, None, {"enable_thinking": True, "low_effort": False}),
        ("nemotron-super", False, None, {"enable_thinking": False, "low_effort": REMOVED}),
    ],
)
def test_switch_of_a_family(family, on, effort, template):
    """Each kind of family has its fields in the template's arguments, and a client's own effort goes."""
    found = build_reasoning(FAMILIES[family], on=on, effort=effort)
    assert dict(found.template) == template
    assert dict(found.top) == TOP


def test_other_providers_read_the_effort_at_the_top():
    """Only a local server's template takes the effort; others have it in the body."""
    found = build_reasoning(FAMILIES["gpt"], on=True, effort="low", provider="openai")
    assert (dict(found.top), dict(found.template)) == ({"reasoning_effort": "low"}, {})
    off = build_reasoning(FAMILIES["gpt-oss"], on=False, effort=None, provider="openai")
    assert (dict(off.top), dict(off.template)) == (TOP, {})


@pytest.mark.parametrize(("on", "kind"), [(True, "enabled"), (False, "disabled")])
def test_deepseek_has_a_switch_of_its_own(on, kind):
    """At DeepSeek itself the switch goes with the effort."""
    found = build_reasoning(FAMILIES["deepseek"], on=on, effort=None, provider="deepseek")
    assert found.top["thinking"] == {"type": kind}


@pytest.mark.parametrize(
    ("family", "on", "effort", "message"),
    [
        ("qwen3", True, "low", "on and off"),
        ("minimax-m3", True, "low", "on and off"),
        ("gpt-oss", True, "max", "use one of: low, medium, high"),
        ("gpt-oss", False, "low", "needs use_reasoning"),
    ],
)
def test_unsupported_effort_is_an_error(family, on, effort, message):
    """The error lists the supported efforts."""
    with pytest.raises(ValueError, match=message):
        build_reasoning(FAMILIES[family], on=on, effort=effort)


@pytest.mark.parametrize("provider", ["vllm", "openai", "deepseek"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_switched(name, provider):
    """`on` sets a field for each of the 42 families and every effort; `off` never switches reasoning on."""
    family = FAMILIES[name]
    for effort in (None, *family.levels):
        on = build_reasoning(family, on=True, effort=effort, provider=provider)
        stated = [value for value in (*on.top.values(), *on.template.values()) if value is not REMOVED]
        assert stated
        assert on.effort in (effort, None) or effort is None
    off = build_reasoning(family, on=False, effort=None, provider=provider)
    assert True not in off.template.values()
    assert "enabled" not in off.template.values()
