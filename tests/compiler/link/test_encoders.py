"""``router.encoder``: another sentence encoder than that of the image."""

from __future__ import annotations

import shutil

import pytest

from support.common import SMALL, call, linked
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.heads.compile import compile_heads, untrained_settings
from vsr_compiler.routerconfig.vsr_runtime import runtime_settings
from vsr_compiler.targets.common import router
from vsr_compiler.targets.common.router_models import MODELS_PATH
from vsr_runtime.inference.classifier import CategoryClassifier, load_encoder
from vsr_schemas.runtime import MINILM_WEIGHTS, EncoderSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENCODER = f"encoder: {{repo: BAAI/bge-small-en-v1.5, revision: {COMMIT}, sha256: {MINILM_WEIGHTS}}}"
IMAGE = 'image: "registry.example/vsr-runtime:0.1.0"'
TEXT = SMALL.replace(IMAGE, f"{IMAGE}, {ENCODER}")
SIGNAL = "signals: {refund: {embedding: {to: [I want my money back.], threshold: 0.7}}}\n"


@pytest.fixture
def planted(files, tmp_path, monkeypatch, _graph_cache):
    """Files of an encoder of the table, where `vsr-runtime fetch` puts them; its weights are those of MiniLM."""
    folder = tmp_path / "BAAI" / "bge-small-en-v1.5" / COMMIT
    folder.mkdir(parents=True)
    for path in (files.weights, files.tokenizer, files.config):
        shutil.copy(path, folder)
    monkeypatch.setenv("VSR_MODELS", str(tmp_path))
    return folder


def codes(text: str) -> list[tuple[str, int]]:
    """The codes of a policy that cannot be linked, with their lines."""
    with pytest.raises(CompileError) as caught:
        linked(text)
    return [(item.code, item.span.line) for item in caught.value.diagnostics]


def test_heads_sentences_and_caches_use_the_encoder_of_the_policy(planted, exact_encoder):
    """One encoder, read as the table says: with the vector of the first token, as bge is."""
    text = TEXT + SIGNAL + "classifiers: {domain: {task: category, head: compiled, precision: fp32}}\n"
    known = compile_heads(linked(text), lambda _: None, rebuild=False)
    wanted = EncoderSettings(repo="BAAI/bge-small-en-v1.5", sha256=MINILM_WEIGHTS, precision="fp32")
    assert {name: one.encoder for name, one in known.classifiers.items()} == {"domain": wanted, "sentences": wanted}
    (first,) = load_encoder(wanted).embed(["Solve x + 1 = 2."])
    (mean,) = exact_encoder.embed(["Solve x + 1 = 2."])
    assert float(first @ mean) < 0.99
    folder = planted.parent
    for name, head in known.files.items():
        (folder / name).write_bytes(head)
    served = CategoryClassifier.load(known.classifiers["domain"], folder)
    assert served.classify("Solve x + 1 = 2.").probabilities["math"] > 0.5


def test_the_pod_has_the_weights_that_its_image_lacks():
    """An init container fetches the pinned commit, and the router reads it from the volume, with room for its graph."""
    objects = [item.body for item in router.emitter()(linked(TEXT))]
    (pod,) = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    assert pod["initContainers"][0]["args"] == ["fetch", "--into=/models", f"BAAI/bge-small-en-v1.5@{COMMIT}"]
    assert {"name": "VSR_MODELS", "value": MODELS_PATH} in pod["containers"][0]["env"]
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "4Gi"
    assert [one["kind"] for one in objects].count("PersistentVolumeClaim") == 1
    claimed = TEXT.replace(ENCODER, f"{ENCODER}, weights: {{pvc: models}}")
    (pod,) = [
        item.body["spec"]["template"]["spec"]
        for item in router.emitter()(linked(claimed))
        if item.body["kind"] == "Deployment"
    ]
    assert "initContainers" not in pod
    assert {"name": "models", "persistentVolumeClaim": {"claimName": "models"}} in pod["volumes"]


def test_other_weights_are_not_used(planted):
    """A fetched folder with another sha256 is named, and the policy does not compile."""
    changed = TEXT.replace(MINILM_WEIGHTS, "f" * 64)
    with pytest.raises(CompileError, match="rejected") as caught:
        compile_heads(linked(changed), lambda _: None, rebuild=False)
    (item,) = caught.value.diagnostics
    assert item.code == "VSR506"
    assert item.message.count("sha256 ") == 1
    assert str(planted / "model.safetensors") in item.message


def test_a_threshold_of_another_encoder_is_never_taken_over():
    """A signal without a threshold is refused until one is measured; with its own it is fine."""
    assert codes(TEXT + SIGNAL.replace(", threshold: 0.7", "")) == [("VSR603", 19)]
    (signal,) = linked(TEXT + SIGNAL).signals
    assert isinstance(signal.kind, ir.EmbeddingSignal)
    assert signal.kind.threshold == 0.7
    same = TEXT.replace("BAAI/bge-small-en-v1.5", "sentence-transformers/all-MiniLM-L6-v2")
    (signal,) = linked(same + SIGNAL.replace(", threshold: 0.7", "")).signals
    assert signal.kind.threshold == 0.45


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (TEXT.replace("BAAI/bge-small-en-v1.5", "BAAI/bge-smal-en-v1.5"), "VSR601"),
        (
            TEXT + "classifiers: {domain: {task: category, encoder: sentence-transformers/all-MiniLM-L6-v2}}\n",
            "VSR602",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(text, code):
    """An encoder that is not in the table, and two of them in one policy."""
    assert [each for each, _ in codes(text)] == [code]


def test_a_misspelt_encoder_is_suggested(tmp_path):
    """As a user sees it."""
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT.replace("BAAI/bge-small-en-v1.5", "BAAI/bge-smal-en-v1.5"), encoding="utf-8")
    result = call("check", path)
    assert "4:" in result.output
    assert "Did you mean `BAAI/bge-small-en-v1.5`?" in result.output
    path.write_text(SMALL.replace(IMAGE, f"engine: semantic-router, deadline: 5s, {ENCODER}"), encoding="utf-8")
    assert "`encoder` is only for `engine: vsr-runtime`" in call("check", path).output


def test_a_cache_compares_requests_by_the_same_encoder():
    """So that a request is read once."""
    policy = linked(TEXT.replace("    model: little\n", "    model: little\n    cache: {similarity: 0.95}\n"))
    settings = runtime_settings(policy, untrained_settings(policy))
    assert settings.cache is not None
    assert settings.cache.encoder == settings.classifiers["domain"].encoder
    assert settings.cache.encoder.repo == "BAAI/bge-small-en-v1.5"
