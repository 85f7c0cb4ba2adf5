"""The longest text that a guard reads by default."""

from __future__ import annotations

import pytest

from support.common import linked

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: long}
router: {image: "registry.example/vsr-runtime:0.1.0", maxBody: 8Mi}
gitops: {repo: "https://git.example.org/team/routing.git"}
endpoints: {a: {service: "a.models:8000"}}
default: llama
"""
KNOWN = "models: {llama: {endpoints: [a], context: 131072}, phi: {endpoints: [a], context: 16384}}\n"
PARTLY = "models: {llama: {endpoints: [a]}, phi: {endpoints: [a], context: 16384}}\n"
PATTERNS = "patterns: builtin"
DETECTOR = """
classifiers:
  attacks: {task: jailbreak, checkpoint: {repo: example/a, revision: 0123456789abcdef0123456789abcdef01234567}}
"""


@pytest.mark.parametrize(
    ("models", "guard", "tokens"),
    [
        (KNOWN, PATTERNS, 131_072),
        (KNOWN, "patterns: builtin, except: {models: [llama]}", 16_384),
        (KNOWN, "detector: attacks", 131_072),
        (KNOWN, "patterns: builtin, maxTokens: 500", 500),
        (KNOWN.replace("131072", "4096").replace("16384", "4096"), PATTERNS, 8192),
        (PARTLY, PATTERNS, 2 * 1024 * 1024),
        (PARTLY, "patterns: builtin, except: {models: [llama]}", 16_384),
        (PARTLY, "detector: attacks", 16_384),
    ],
)
def test_guard_reads_whatever_the_largest_of_its_models_can_read(models, guard, tokens):
    """Otherwise a prompt that the model accepts is 413 with a guard. A model without `context` may read any body."""
    policy = linked(f"{HEAD}{models}guards: {{g: {{{guard}}}}}{DETECTOR if 'detector' in guard else ''}\n")
    assert [each.max_tokens for each in policy.guards] == [tokens]


def test_adapter_has_the_context_of_its_base():
    """An adapter is a model of its own for guards."""
    head = HEAD.replace('{a: {service: "a.models:8000"}}', "{a: {vllm: {}}}")
    models = "models: {llama: {checkpoint: x/y, endpoints: [a], context: 65536, loras: {small: {path: /a}}}}\n"
    policy = linked(f"{head}{models}guards: {{g: {{{PATTERNS}, except: {{models: [llama]}}}}}}\n")
    assert policy.guards[0].max_tokens == 65_536


def test_stock_router_detects_personal_data_with_a_classifier():
    """So a model without `context` does not make it read whole bodies."""
    head = HEAD.replace(
        'image: "registry.example/vsr-runtime:0.1.0"', "engine: semantic-router, unguarded: explicit-models"
    )
    policy = linked(f"{head}{PARTLY}guards: {{g: {{types: [EMAIL_ADDRESS]}}}}\n")
    assert policy.guards[0].max_tokens == 16_384
