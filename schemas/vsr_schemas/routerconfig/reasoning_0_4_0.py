"""How reasoning is switched on, by family of models: the 42 families that the stock router's release 0.4.0 knows.

Source: the catalog shipped in the PyPI wheel ``vllm-sr==0.4.0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    Attributes:
        type: Where the switch goes: ``chat_template_kwargs``, ``reasoning_effort`` or ``reasoning_mode``.
        parameter: Its name there.
        levels: Efforts that the family takes; none where it knows only on and off.
        modes: Of ``enabled``, ``disabled`` and ``adaptive``.
        default: The effort where none is asked for.
        default_mode: The mode where none is asked for.
        disabled: The effort that means off, where off is an effort.
        activation_parameter: A switch in ``chat_template_kwargs`` that goes with the effort.
        effort_flags: Pairs of an effort and its flag in ``chat_template_kwargs``.
    """

    type: str
    parameter: str
    levels: tuple[str, ...]
    modes: tuple[str, ...]
    default: str | None = None
    default_mode: str | None = None
    disabled: str | None = None
    activation_parameter: str | None = None
    effort_flags: tuple[tuple[str, str], ...] = ()


_FAMILIES = {
    "deepseek": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "high", "max"),
        ("enabled", "disabled"),
        default="high",
        default_mode="enabled",
    ),
    "deepseek-v3.2": Family("chat_template_kwargs", "thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "deepseek-v3.1": Family("chat_template_kwargs", "thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "qwen3": Family("chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "qwen3-always-on": Family("chat_template_kwargs", "enable_thinking", (), ("enabled",), default_mode="enabled"),
    "qwen3.8": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "xhigh"),
        ("enabled", "disabled"),
        default="xhigh",
        default_mode="enabled",
        activation_parameter="enable_thinking",
    ),
    "qwen3.8-always-on": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "xhigh"),
        ("enabled",),
        default="xhigh",
        default_mode="enabled",
        activation_parameter="enable_thinking",
    ),
    "glm": Family("chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "glm-5.2": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("high", "max"),
        ("enabled", "disabled"),
        default="max",
        default_mode="enabled",
        activation_parameter="enable_thinking",
    ),
    "glm-5.3": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "high", "max"),
        ("enabled",),
        default="max",
        default_mode="enabled",
    ),
    "hunyuan": Family("chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "hunyuan-hy3": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "high"),
        ("enabled", "disabled"),
        default="high",
        default_mode="disabled",
        disabled="no_think",
    ),
    "hunyuan-hy4": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("high",),
        ("enabled", "disabled"),
        default="high",
        default_mode="enabled",
        disabled="no_think",
    ),
    "gpt-oss": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high"),
        ("enabled",),
        default="medium",
        default_mode="enabled",
    ),
    "gpt": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("minimal", "low", "medium", "high", "xhigh", "max"),
        ("enabled", "disabled"),
        default="medium",
        default_mode="enabled",
        disabled="none",
    ),
    "gpt-6-astra": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high", "xhigh", "max"),
        ("enabled",),
        default_mode="enabled",
    ),
    "gpt-5.6": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high", "xhigh", "max"),
        ("enabled", "disabled"),
        default="medium",
        default_mode="enabled",
        disabled="none",
    ),
    "gpt-5.5": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high", "xhigh"),
        ("enabled", "disabled"),
        default="medium",
        default_mode="enabled",
        disabled="none",
    ),
    "gpt-5.4": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high", "xhigh"),
        ("enabled", "disabled"),
        default="medium",
        default_mode="disabled",
        disabled="none",
    ),
    "grok-4.3": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high"),
        ("enabled", "disabled"),
        default="low",
        default_mode="enabled",
        disabled="none",
    ),
    "grok-4.5": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high"),
        ("enabled",),
        default="high",
        default_mode="enabled",
    ),
    "grok-4.6": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high", "xhigh"),
        ("enabled",),
        default="high",
        default_mode="enabled",
    ),
    "claude-effort-always-on": Family(
        "reasoning_effort",
        "effort",
        ("low", "medium", "high", "xhigh", "max"),
        ("adaptive",),
        default="high",
        default_mode="adaptive",
    ),
    "claude-effort-adaptive": Family(
        "reasoning_effort",
        "effort",
        ("low", "medium", "high", "xhigh", "max"),
        ("adaptive", "disabled"),
        default="high",
        default_mode="adaptive",
    ),
    "claude-effort-opt-in": Family(
        "reasoning_effort",
        "effort",
        ("low", "medium", "high", "xhigh", "max"),
        ("adaptive", "disabled"),
        default="high",
        default_mode="disabled",
    ),
    "kimi-k3": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "high", "max"),
        ("enabled",),
        default="max",
        default_mode="enabled",
    ),
    "kimi-k2": Family("chat_template_kwargs", "thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "kimi-k2-always-on": Family("chat_template_kwargs", "thinking", (), ("enabled",), default_mode="enabled"),
    "step-3.7": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high"),
        ("enabled",),
        default="medium",
        default_mode="enabled",
    ),
    "minimax-m3": Family(
        "reasoning_mode", "thinking_mode", (), ("disabled", "adaptive", "enabled"), default_mode="adaptive"
    ),
    "muse-glimmer": Family(
        "reasoning_effort",
        "reasoning_strength",
        ("low", "medium", "high", "xhigh"),
        ("enabled",),
        default="high",
        default_mode="enabled",
    ),
    "mistral-none-high": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("high",),
        ("enabled", "disabled"),
        default="high",
        default_mode="disabled",
        disabled="none",
    ),
    "mimo": Family("chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="enabled"),
    "inkling": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("minimal", "low", "medium", "high", "xhigh", "max"),
        ("enabled", "disabled"),
        default="high",
        default_mode="enabled",
        disabled="none",
    ),
    "muse-spark": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("minimal", "low", "medium", "high", "xhigh"),
        ("enabled",),
        default_mode="enabled",
    ),
    "muse-spark-1.3": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("minimal", "low", "medium", "high", "xhigh", "max"),
        ("enabled",),
        default_mode="enabled",
    ),
    "gemma4": Family("chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="disabled"),
    "nemotron-thinking-toggle": Family(
        "chat_template_kwargs", "enable_thinking", (), ("enabled", "disabled"), default_mode="enabled"
    ),
    "nemotron-super": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "high"),
        ("enabled", "disabled"),
        default="high",
        default_mode="enabled",
        activation_parameter="enable_thinking",
        effort_flags=(("low", "low_effort"),),
    ),
    "nemotron-ultra": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("medium", "high"),
        ("enabled", "disabled"),
        default="high",
        default_mode="enabled",
        activation_parameter="enable_thinking",
        effort_flags=(("medium", "medium_effort"),),
    ),
    "gemini-flash-four-level-medium": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("minimal", "low", "medium", "high"),
        ("enabled",),
        default="medium",
        default_mode="enabled",
    ),
    "gemini-flash-three-level-medium": Family(
        "reasoning_effort",
        "reasoning_effort",
        ("low", "medium", "high"),
        ("enabled",),
        default="medium",
        default_mode="enabled",
    ),
}
FAMILIES: Mapping[str, Family] = MappingProxyType(_FAMILIES)
"""By the name that the catalog gives it."""
