"""One broken policy per code: the exact code and place of every finding."""

from __future__ import annotations

import pytest

from support.common import SMALL, linked
from vsr_compiler.diagnostics import CompileError


def broken(old: str, new: str) -> str:
    """The small policy with one thing changed."""
    assert SMALL.count(old) >= 1
    return SMALL.replace(old, new, 1)


CASES = {
    "unknown key": (broken("routes:", "ruotes:"), [("VSR101", 14, 1)]),
    "unknown key like a tag": (broken("routes:", "<text>:"), [("VSR101", 14, 1)]),
    "unknown key with an angle": (broken("routes:", "<routes:"), [("VSR101", 14, 1)]),
    "unknown key in a section": (broken("model: little", "modle: little"), [("VSR101", 17, 5)]),
    "missing key": (broken("default: big\n", ""), [("VSR102", 1, 1)]),
    "wrong type": (broken("[one]", "[[one]]"), [("VSR103", 9, 46)]),
    "null where text is wanted": (broken("model: little", "model:"), [("VSR103", 17, 11)]),
    "quoted number": (broken("port: 8000", 'port: "8000"'), [("VSR103", 7, 36)]),
    "port out of range": (broken("port: 8000", "port: 99999"), [("VSR104", 7, 36)]),
    "value not allowed": (broken("kind: RoutingPolicy", "kind: Policy"), [("VSR104", 2, 7)]),
    "no kind of endpoint": (broken("{vllm: {}}", "{}"), [("VSR104", 6, 8)]),
    "two kinds of endpoint": (broken("{vllm: {}}", "{vllm: {}, service: {name: x}}"), [("VSR104", 6, 8)]),
    "condition of two kinds": (
        broken("{category: math}", "{category: math, any: [{category: law}]}"),
        [("VSR104", 16, 11)],
    ),
    "empty list of conditions": (broken("{category: math}", "{all: []}"), [("VSR104", 16, 17)]),
    "blank model name": (broken("  little: {", '  " little": {'), [("VSR104", 10, 3)]),
    "fallback to the model itself": (
        broken("default: big", "default: {model: big, fallback: [big]}"),
        [("VSR273", 18, 34)],
    ),
    "fallback of a fixed text": (
        broken("model: little", "respond: Not here.\n    fallback: [big]"),
        [("VSR273", 18, 5)],
    ),
    "fewer attempts than models": (
        broken("default: big", "default: {model: big, fallback: [little], retry: {attempts: 1}}"),
        [("VSR274", 18, 61)],
    ),
    "retry of one attempt": (broken("default: big", "default: {model: big, retry: {on: [5xx]}}"), [("VSR274", 18, 23)]),
    "first byte without timeout": (
        broken("default: big", "default: {model: big, retry: {attempts: 2, firstByte: 9s}}"),
        [("VSR275", 18, 44)],
    ),
    "timeout without first byte": (
        broken("default: big", "default: {model: big, retry: {attempts: 2, on: [timeout]}}"),
        [("VSR275", 18, 49)],
    ),
    "fallback twice": (
        broken("default: big", "default: {model: big, fallback: [little, little]}"),
        [("VSR205", 18, 42)],
    ),
    "unknown fallback": (broken("default: big", "default: {model: big, fallback: [litle]}"), [("VSR201", 18, 34)]),
    "too many attempts": (broken("default: big", "default: {model: big, retry: {attempts: 9}}"), [("VSR104", 18, 41)]),
    "unknown failure": (
        broken("default: big", "default: {model: big, retry: {attempts: 2, on: [4xx]}}"),
        [("VSR104", 18, 49)],
    ),
    "unknown model in a route": (broken("model: little", "model: litle"), [("VSR201", 17, 12)]),
    "unknown default": (broken("default: big", "default: bigg"), [("VSR201", 18, 10)]),
    "unknown category": (broken("{category: math}", "{not: {category: maths}}"), [("VSR201", 16, 28)]),
    "unknown endpoint": (broken("[one]", "[none]"), [("VSR201", 9, 46)]),
    "classifier without categories": (
        "\n".join(SMALL.splitlines()[:9]) + "\nclassifiers: {domain: {task: category}}\ndefault: big\n",
        [("VSR202", 10, 15)],
    ),
    "only the category other": (
        SMALL.replace("  math: {desc", "  other: {desc")
        .replace(SMALL.splitlines()[12] + "\n", "")
        .replace("category: math", "category: other"),
        [("VSR212", 12, 3)],
    ),
    "second classifier": (
        SMALL + "classifiers: {a: {task: category}, b: {task: category}}\n",
        [("VSR203", 19, 36)],
    ),
    "model with an auto name": (broken("  little: {", "  auto: {"), [("VSR201", 17, 12), ("VSR204", 10, 3)]),
    "auto name twice": (
        broken("{image:", "{autoModels: [a, a], image:"),
        [("VSR205", 4, 26)],
    ),
    "resource that no container has": (
        SMALL + "environments: {dev: {resources: {router: {limits: {memry: 1Gi}}}}}\n",
        [("VSR104", 19, 52)],
    ),
    "amount with a unit of its own": (
        SMALL + "environments: {dev: {resources: {router: {limits: {memory: 1GB}}}}}\n",
        [("VSR104", 19, 60)],
    ),
    "half a device": (
        SMALL + "environments: {dev: {resources: {one: {limits: {nvidia.com/gpu: 1.5}}}}}\n",
        [("VSR104", 19, 65)],
    ),
    "request over its limit": (
        SMALL + "environments: {dev: {resources: {one: {requests: {memory: 2Gi}, limits: {memory: 2000M}}}}}\n",
        [("VSR228", 19, 59)],
    ),
    "devices that are not all asked for": (
        SMALL
        + "environments: {dev: {resources: {one: {requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 2}}}}}\n",
        [("VSR228", 19, 67)],
    ),
    "order without an escalation": (SMALL + "stickiness: {order: [big]}\n", [("VSR254", 19, 14)]),
    "margin without effect": (SMALL + "stickiness: {mode: none, margin: 0.2}\n", [("VSR254", 19, 26)]),
    "margin of a route without effect": (
        broken("model: little", "model: little, stickiness: {mode: none, margin: 0.2}").replace(
            "    model: little, stickiness", "    model: little\n    stickiness"
        ),
        [("VSR254", 18, 30)],
    ),
    "model outside the order": (
        SMALL + "stickiness: {mode: escalate, order: [big]}\n",
        [("VSR253", 15, 5)],
    ),
    "default outside the order": (
        SMALL + "stickiness: {mode: escalate, order: [little]}\n",
        [("VSR253", 18, 10)],
    ),
    "unknown model in the order": (
        SMALL + "stickiness: {mode: escalate, order: [big, little, bigger]}\n",
        [("VSR201", 19, 51)],
    ),
    "key in a header that the gateway removes": (
        SMALL + "stickiness: {keyHeader: x-selected-model}\n",
        [("VSR224", 19, 25)],
    ),
    "cached tokens dearer than others": (
        broken("little: {", "little: {price: {prompt: 1, completion: 2, cachedPrompt: 3}, "),
        [("VSR104", 10, 19)],
    ),
    "test of nothing": (SMALL + "tests: [{expect: {model: big}}]\n", [("VSR104", 19, 9)]),
    "test of two things": (
        SMALL + "tests: [{prompt: a, request: {input: b}, expect: {model: big}}]\n",
        [("VSR104", 19, 9)],
    ),
    "conversation without an expectation": (
        SMALL + "tests: [{conversation: [{prompt: a}]}]\n",
        [("VSR104", 19, 9)],
    ),
    "unknown route in a turn": (
        SMALL + "tests: [{conversation: [{prompt: a}, {prompt: b, expect: {route: mathe}}]}]\n",
        [("VSR201", 19, 66)],
    ),
    "messages that are no mappings": (
        SMALL + "tests: [{messages: [a], expect: {model: big}}]\n",
        [("VSR103", 19, 21)],
    ),
    "header of a test that no client can send": (
        SMALL + "tests: [{prompt: a, headers: {x-selected-model: big}, expect: {model: big}}]\n",
        [("VSR255", 19, 31)],
    ),
    "messages for an API without": (
        SMALL + "tests: [{path: /v1/completions, messages: [{role: user}], expect: {model: big}}]\n",
        [("VSR256", 19, 16)],
    ),
    "served name set by hand": (broken("{vllm: {}}", "{vllm: {args: [--served-model-name=x]}}"), [("VSR206", 6, 23)]),
    "endpoint without a model": (broken("endpoints: [one]", "endpoints: [two]"), [("VSR207", 6, 3)]),
    "model without a checkpoint": (broken("checkpoint: example/big, ", ""), [("VSR208", 9, 3)]),
    "endpoint with two checkpoints": (
        broken("{endpoints: [two]}", "{checkpoint: example/other, endpoints: [one]}"),
        [("VSR209", 6, 3)],
    ),
    "no weight": (broken("{endpoints: [two]}", "{endpoints: {two: 0}}"), [("VSR210", 10, 23)]),
    "route twice": (
        broken("default: big", "  - {name: math, when: {category: law}, model: big}\ndefault: big"),
        [("VSR211", 18, 12)],
    ),
    "unknown model in a test": (SMALL + "tests: [{prompt: x, expect: {model: bgi}}]\n", [("VSR201", 19, 37)]),
    "unknown route in a test": (SMALL + "tests: [{prompt: x, expect: {route: maht}}]\n", [("VSR201", 19, 37)]),
    "test without expectation": (SMALL + "tests: [{prompt: x, expect: {}}]\n", [("VSR104", 19, 29)]),
    "duration without a unit": (broken("{image:", "{deadline: 1, image:"), [("VSR103", 4, 20)]),
    "body limit in words": (broken("{image:", "{maxBody: large, image:"), [("VSR103", 4, 19)]),
    "control character": (broken("Numbers and proofs.", '"Numbers\\u2028"'), [("VSR104", 12, 23)]),
    "pool on a Service": (broken("port: 8000}}", "port: 8000}, pool: {}}"), [("VSR213", 7, 43)]),
    "adapter with a model's name": (
        broken("endpoints: [one]", "loras: {little: {path: /a}}, endpoints: [one]"),
        [("VSR214", 9, 42)],
    ),
    "adapter on a Service": (
        broken("{endpoints: [two]}", "{endpoints: [two], loras: {law: {path: /a}}}"),
        [("VSR215", 10, 38)],
    ),
    "detector of another task": (
        SMALL + "classifiers: {domain: {task: category}}\nguards: {g: {detector: domain}}\n",
        [("VSR216", 20, 24)],
    ),
    "pattern that never ends": (SMALL + 'signals: {s: {keywords: ["(?=a)b"], regex: true}}\n', [("VSR217", 19, 26)]),
    "pattern that does not compile": (
        SMALL + 'signals: {s: {structure: {pattern: "(", min: 1}}}\n',
        [("VSR217", 19, 36)],
    ),
    "images counted": (
        SMALL + "signals: {s: {conversation: {of: images, min: 1}}}\n",
        [("VSR104", 19, 34)],
    ),
    "unknown modality": (SMALL + "signals: {s: {modality: [image, smell]}}\n", [("VSR104", 19, 33)]),
    "unknown type of data": (SMALL + "guards: {g: {types: [EMAIL]}}\n", [("VSR218", 19, 22)]),
    "type that needs a model": (SMALL + "guards: {g: {types: [PERSON]}}\n", [("VSR219", 19, 22)]),
    "shares of 90": (broken("model: little", "split: {little: 80, big: 10}"), [("VSR220", 17, 5)]),
    "reasoning of no family": (broken("model: little", "model: little\n    reasoning: true"), [("VSR221", 18, 16)]),
    "effort that the family lacks": (
        broken("{endpoints: [two]}", "{endpoints: [two], reasoningFamily: gpt-oss}").replace(
            "model: little", "model: little\n    effort: xhigh"
        ),
        [("VSR222", 18, 13)],
    ),
    "effort without reasoning": (
        broken("{endpoints: [two]}", "{endpoints: [two], reasoningFamily: gpt}").replace(
            "model: little", "model: little\n    effort: low\n    reasoning: false"
        ),
        [("VSR223", 18, 13)],
    ),
    "header that routing rests on": (
        broken("model: little", "model: little\n    headers: {set: {x-selected-model: big}}"),
        [("VSR224", 18, 21)],
    ),
    "replicas of somebody else's pods": (SMALL + "environments: {a: {replicas: {two: 3}}}\n", [("VSR225", 19, 31)]),
    "mutable image": (broken("vsr-runtime:0.1.0", "vsr-runtime:latest"), [("VSR226", 4, 17)]),
    "image without a tag": (broken("vsr-runtime:0.1.0", "vsr-runtime"), [("VSR226", 4, 17)]),
    "secret in the policy": (
        broken("{vllm: {}}", "{vllm: {args: ['--token=hf_" + "a" * 34 + "']}}"),
        [("VSR227", 6, 23)],
    ),
    "unknown profile": (SMALL + "gateway: {versions: latest}\n", [("VSR201", 19, 21)]),
    "unknown family": (broken("{endpoints: [two]}", "{endpoints: [two], reasoningFamily: qwen}"), [("VSR201", 10, 47)]),
    "unknown signal": (broken("{category: math}", "{signal: urgent}"), [("VSR201", 16, 20)]),
    "unknown guard in an assertion": (SMALL + "assertions: [{never: {to: big, without: pii}}]\n", [("VSR201", 19, 41)]),
    "unknown language": (SMALL + "signals: {s: {language: [de, xx]}}\n", [("VSR104", 19, 30)]),
    "empty range": (SMALL + "signals: {s: {context: {min: 9, max: 3}}}\n", [("VSR104", 19, 24)]),
    "signal of two kinds": (SMALL + "signals: {s: {keywords: [a], language: de}}\n", [("VSR104", 19, 14)]),
    "guard that looks for nothing": (SMALL + "guards: {g: {action: block}}\n", [("VSR104", 19, 13)]),
    "block without a real detector": (
        SMALL + "classifiers: {j: {task: jailbreak, head: compiled}}\n",
        [("VSR104", 19, 18)],
    ),
    "probability over one": (SMALL + "guards: {g: {types: [URL], threshold: 2.0}}\n", [("VSR104", 19, 39)]),
    "route without an answer": (broken("    model: little\n", ""), [("VSR104", 15, 5)]),
    **{
        f"provider at {url}": (
            broken("{service: {name: two, port: 8000}}", f"{{external: {{url: '{url}'}}}}"),
            [("VSR104", 7, 25)],
        )
        for url in (
            "https://10.0.0.1/v1",
            "https://intranet",
            "https://x..example",
            "https://-x.example",
            "https://x.example:0",
            "https://x.example:99999/v1",
            "https://x.example/v1/../admin",
            "https://x.example//v1",
            "https://x.example/v\u00e9",
        )
    },
    "inline key where a reference is wanted": (
        broken("{service: {name: two, port: 8000}}", "{external: {url: 'https://x.example', apiKey: secret}}"),
        [("VSR103", 7, 54)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_has_its_code_and_place(name: str) -> None:
    """Codes, lines and columns are what messages and editors rest on."""
    text, expected = CASES[name]
    with pytest.raises(CompileError) as caught:
        linked(text)
    found = [(item.code, item.span.line, item.span.column) for item in caught.value.diagnostics]
    assert sorted(found) == sorted(expected)


def test_a_misspelt_name_comes_with_the_one_that_was_meant() -> None:
    """The nearest name by edit distance is offered."""
    with pytest.raises(CompileError) as caught:
        linked(broken("model: little", "model: litle"))
    assert caught.value.diagnostics[0].hint == "Did you mean `little`?"


def test_all_findings_of_a_stage_come_in_one_run_and_in_file_order() -> None:
    """Two unknown models and an unknown category are three findings, top to bottom."""
    text = (
        broken("model: little", "model: a")
        .replace("{category: math}", "{category: b}")
        .replace("default: big", "default: c")
    )
    with pytest.raises(CompileError) as caught:
        linked(text)
    assert [item.span.line for item in caught.value.diagnostics] == [16, 17, 18]


def test_a_flood_of_findings_is_cut_with_a_word() -> None:
    """A hundred are shown, and where the rest begins."""
    with pytest.raises(CompileError) as caught:
        linked(SMALL + "".join(f"unknown{index}: x\n" for index in range(150)))
    found = caught.value.diagnostics
    assert [item.code for item in found] == ["VSR101"] * 100 + ["VSR011"]
    assert found[-1].span.line == 119


def test_the_word_for_every_model_outside_is_suggested_like_a_name() -> None:
    """`external` is no model's name, and what is meant by one that is near."""
    with pytest.raises(CompileError) as caught:
        linked(SMALL + "assertions: [{never: {to: externl, category: law}}]\n")
    (item,) = caught.value.diagnostics
    assert item.hint == "Did you mean `external`?"


@pytest.mark.parametrize(
    "image",
    ["vsr-runtime:0.1.0", "localhost:5000/a/b__c:V1.0", "Registry.Example:5000/a.b/c--d@sha256:" + "0" * 64],
)
def test_an_image_as_container_runtimes_take_it_is_taken(image: str) -> None:
    """Capitals are for the registry and the tag."""
    assert linked(SMALL.replace("registry.example/vsr-runtime:0.1.0", image)).router.image == image


@pytest.mark.parametrize(
    ("router", "words"),
    [
        ("deadline: 1h", "at most 10m"),
        ("maxBody: 2Gi", "at most 1Gi"),
        ("maxBody: 1k", "at least 1Ki"),
        ("gpus: 99", "at most"),
    ],
)
def test_a_limit_is_reported_in_the_units_of_the_value(router: str, words: str) -> None:
    """Nobody counts a duration in milliseconds, or a body in bytes."""
    with pytest.raises(CompileError) as caught:
        linked(broken("{image:", f"{{{router}, image:"))
    (found,) = caught.value.diagnostics
    assert found.message.startswith(f"expected {words}")
