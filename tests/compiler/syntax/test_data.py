"""What the schema says of a mistake: in words, at its place, with the way out, and once."""

from __future__ import annotations

import pytest

from support.common import SMALL
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.syntax import load
from vsr_compiler.syntax.data import parse
from vsr_schemas.policy.v1alpha1 import PolicySpec


def complaints(old: str, new: str) -> list[Diagnostic]:
    """What is wrong with the small policy once one thing is changed."""
    assert old in SMALL
    with pytest.raises(CompileError) as caught:
        parse(load(SMALL.replace(old, new, 1), "p.yaml"), PolicySpec)
    return caught.value.diagnostics


PROVIDER = '{external: {url: "https://api.example.com/v1", apiKey: {secret: openai, key: token}}}'
FORMS = {
    "image": ("registry.example/vsr-runtime", "registry.example/VSR-Runtime", "lower-case"),
    "service": ("{vllm: {}}", '{service: "name:http"}', "`name:port`"),
    "url": ("{vllm: {}}", '{external: {url: "http://api.example.com"}}', "`https://api.example.com/v1`"),
    "storage": ("{vllm: {}}", "{vllm: {storage: 40GB}}", "`40Gi`"),
    "key of a Secret": ("{vllm: {}}", PROVIDER.replace("key: token", "key: a b"), "a key of a Secret"),
    "commit": (
        "default: big",
        "default: big\nclassifiers: {a: {task: pii, checkpoint: {repo: a/b, revision: main}}}",
        "40 hexadecimal digits",
    ),
    "repository": (
        "default: big",
        f"default: big\nclassifiers: {{a: {{task: pii, checkpoint: {{repo: b, revision: {'0a' * 20}}}}}}}",
        "`owner/name`",
    ),
    "API server": (
        "default: big",
        "default: big\ngitops: {repo: acme/a, server: here}",
        "`https://kubernetes.default.svc`",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_value_of_the_wrong_form_gets_a_description_of_the_form(form: str) -> None:
    """Nobody should have to read a regular expression."""
    old, new, words = FORMS[form]
    (item,) = complaints(old, new)
    assert item.code == "VSR104"
    assert words in item.message
    assert "pattern" not in item.message


@pytest.mark.parametrize(
    ("new", "hint"),
    [
        (PROVIDER.replace("{secret: openai, key: token}", f"sk-proj-{'a1' * 16}"), "{secret: NAME, key: KEY}"),
        (f"{{vllm: {{token: hf_{'aB' * 17}}}}}", "write that Secret's name"),
        (PROVIDER.replace("https://", "https://me:hunter2@"), "revoke"),
    ],
    ids=["a provider's key", "a token", "a password in a URL"],
)
def test_a_secret_where_a_reference_to_one_belongs_is_called_a_secret(new: str, hint: str) -> None:
    """Not a wrong type: fixing only the type would leave the key in the history of a repository."""
    (item,) = complaints("{vllm: {}}", new)
    assert item.code == "VSR227"
    assert hint in item.hint
    assert "revoke" in item.hint


def test_a_document_that_is_only_a_secret_is_reported_as_a_secret() -> None:
    """The root has no key."""
    with pytest.raises(CompileError) as caught:
        parse(load(f"hf_{'aB' * 17}\n", "p.yaml"), PolicySpec)
    assert [item.code for item in caught.value.diagnostics] == ["VSR227"]


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("{vllm: {}}", "{vllm: {}, pool: true}", "Its keys are `picker`, `failureMode`, `disaggregation`, `existing`"),
        (
            "{vllm: {}}",
            '{external: {url: "https://a.example", apiKey: mine}}',
            "Its keys are `secret`, `key`, `header`, ",
        ),
        ("{category: math}", "math", "Write `always`, or a mapping with `category`, `signal`, `all`, `any`, `not`."),
        (
            "default: big",
            "default: big\nguards: {a: {patterns: 'SECRET-[0-9]+'}}",
            "Write `builtin`, `injection`, or a list.",
        ),
        ("{category: math}", "alwais", "Did you mean `always`?"),
        ("    when:", "    if:", "`when`"),
    ],
    ids=["a section", "a reference", "a bare condition", "one pattern", "a misspelt word", "another word for a key"],
)
def test_a_value_of_the_wrong_type_gets_a_hint_with_the_allowed_keys(old: str, new: str, hint: str) -> None:
    """The keys are named, so that the page need not be looked up."""
    assert any(hint in item.hint for item in complaints(old, new))


def test_a_second_document_gets_a_hint_where_to_put_it() -> None:
    """What to do stands in the hint."""
    with pytest.raises(CompileError) as caught:
        load(f"{SMALL}---\n{SMALL}", "p.yaml")
    assert "a file of its own" in caught.value.diagnostics[0].hint
