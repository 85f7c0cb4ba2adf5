from __future__ import annotations

import os

import numpy as np
import pytest

from support.checkpoints import LABELS, save_checkpoint, text

torch = pytest.importorskip("torch", reason="torch is not installed: checkpoints cannot be run")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from vsr_runtime.inference.checkpoint import encoder_key, read_checkpoint  # noqa: E402 - only where torch is
from vsr_runtime.inference.errors import ModelError  # noqa: E402 - as above
from vsr_runtime.inference.packed_model import PackedModel, check_device  # noqa: E402 - as above
from vsr_runtime.inference.token_sequence import TokenSequence  # noqa: E402 - as above
from vsr_runtime.inference.tokenizer import TextTokenizer  # noqa: E402 - as above
from vsr_runtime.inference.unpacked_model import UnpackedModel  # noqa: E402 - as above

FP32, BF16 = 1e-5, 2e-2
"""How far a probability may be from that of the same sequence alone, as transformers computes it."""
LENGTHS = (0, 1, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 30, 31, 32, 100, 2)
"""Around the sliding window of the small ModernBERT, which sees 8 tokens to each side."""
AUTO = {"sequence": "AutoModelForSequenceClassification", "token": "AutoModelForTokenClassification"}


def alone(folder, kind, sequences):
    """What transformers says of each sequence by itself, in fp32."""
    model = getattr(transformers, AUTO[kind]).from_pretrained(folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        return [model(torch.tensor([ids])).logits[0].softmax(-1).numpy() for ids in sequences]


def pieces_of(folder, lengths=LENGTHS):
    """Texts of these lengths as a model reads them."""
    tokenizer = TextTokenizer.load(folder / "tokenizer.json")
    return [
        TokenSequence(tokenizer.framed(tokens.ids), frozenset({"x"}))
        for tokens in tokenizer([text(n, n) for n in lengths])
    ]


def answers(model, sequences):
    """What our model says of a batch."""
    return [answer["x"] for answer in model.run(model.prepare(sequences))]


def furthest(found, wanted):
    """The largest difference of two answers."""
    return max(float(np.abs(a - b).max()) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("kind", ["sequence", "token"])
@pytest.mark.parametrize("family", ["modernbert", "bert", "xlm-roberta"])
def test_a_packed_batch_equals_each_sequence_alone(tmp_path, family, kind):
    """Neighbours in a batch change nothing, at every length around the sliding window."""
    folder = save_checkpoint(tmp_path / "c", family, kind)
    model = PackedModel.load({"x": read_checkpoint(folder, kind)}, "cpu", "fp32")
    sequences = pieces_of(folder)
    wanted = alone(folder, kind, [list(sequence.ids) for sequence in sequences])
    assert furthest(answers(model, sequences), wanted) <= FP32
    assert furthest([answers(model, [sequence])[0] for sequence in sequences], wanted) <= FP32


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_an_architecture_that_is_not_packed_runs_too(tmp_path, kind):
    """DeBERTa has an attention of its own; it is read one sequence at a time."""
    folder = save_checkpoint(tmp_path / "c", "deberta-v2", kind)
    checkpoint = read_checkpoint(folder, kind)
    assert checkpoint.family is None
    sequences = pieces_of(folder)
    found = answers(UnpackedModel.load("x", checkpoint, "cpu", "fp32"), sequences)
    assert furthest(found, alone(folder, kind, [list(sequence.ids) for sequence in sequences])) <= FP32


def test_mean_pooling_stays_within_a_sequence(tmp_path):
    """A ModernBERT that pools by the mean, as mmBERT's classifiers may, averages its own tokens only."""
    folder = save_checkpoint(tmp_path / "c", classifier_pooling="mean")
    model = PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "fp32")
    sequences = pieces_of(folder)
    assert furthest(answers(model, sequences), alone(folder, "sequence", [list(p.ids) for p in sequences])) <= FP32


def test_order_and_neighbours_do_not_matter_in_bf16_beyond_the_tolerance(tmp_path):
    """In bf16 a product may round otherwise in another batch: within the stated tolerance of fp32 alone."""
    folder = save_checkpoint(tmp_path / "c")
    sequences = pieces_of(folder)
    wanted = alone(folder, "sequence", [list(sequence.ids) for sequence in sequences])
    model = PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "bf16")
    found = answers(model, sequences)
    assert furthest(found, wanted) <= BF16
    assert furthest(answers(model, sequences[::-1])[::-1], found) <= BF16


def test_labels_that_do_not_exclude_each_other(tmp_path):
    """A multi-label checkpoint answers each label by itself."""
    folder = save_checkpoint(tmp_path / "c", problem_type="multi_label_classification")
    model = PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "fp32")
    sequences = pieces_of(folder, (5,))
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        wanted = reference(torch.tensor([list(sequences[0].ids)])).logits[0].sigmoid().numpy()
    assert furthest(answers(model, sequences), [wanted]) <= FP32


def test_tasks_with_the_same_encoder_share_a_forward_pass(tmp_path):
    """Two checkpoints that differ in their heads only have one key, and one pass answers both."""
    auto = transformers.AutoModelForSequenceClassification
    first = save_checkpoint(tmp_path / "a")
    base = auto.from_pretrained(first)
    second = save_checkpoint(tmp_path / "b", labels=["math", "law", "other"], seed=5, base=base)
    third = save_checkpoint(tmp_path / "c", kind="token", labels=["O", "B-X"], seed=6, base=base)
    other = save_checkpoint(tmp_path / "d", seed=7)
    found = [read_checkpoint(folder, "token" if folder == third else "sequence") for folder in (first, second, third)]
    assert len({encoder_key(one) for one in found}) == 1
    assert encoder_key(read_checkpoint(other, "sequence")) != encoder_key(found[0])
    passes = []
    model = PackedModel.load(dict(zip(("x", "y", "z"), found, strict=True)), "cpu", "fp32")
    model._base.register_forward_hook(lambda *_: passes.append(1))
    sequences = [TokenSequence(sequence.ids, frozenset({"z"})) for sequence in pieces_of(first)]
    batch = model.run(model.prepare(sequences))
    assert len(passes) == 1
    sequences = [list(sequence.ids) for sequence in sequences]
    for name, folder, kind in (("x", first, "sequence"), ("y", second, "sequence"), ("z", third, "token")):
        assert furthest([answer[name] for answer in batch], alone(folder, kind, sequences)) <= FP32


def test_the_key_is_blind_to_the_head_and_sees_the_encoder(tmp_path):
    """One changed weight of the encoder makes another encoder."""
    folder = save_checkpoint(tmp_path / "a")
    before = encoder_key(read_checkpoint(folder, "sequence"))
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.weight.add_(1)
    model.save_pretrained(folder)
    assert encoder_key(read_checkpoint(folder, "sequence")) == before
    with torch.no_grad():
        model.model.layers[0].mlp.Wi.weight[0, 0] += 1
    model.save_pretrained(folder)
    assert encoder_key(read_checkpoint(folder, "sequence")) != before


def test_shards_are_read(tmp_path):
    """A checkpoint in several files is a checkpoint."""
    folder = save_checkpoint(tmp_path / "c")
    sequences = pieces_of(folder)
    wanted = alone(folder, "sequence", [list(sequence.ids) for sequence in sequences])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    assert not (folder / "model.safetensors").exists()
    checkpoint = read_checkpoint(folder, "sequence")
    assert furthest(answers(PackedModel.load({"x": checkpoint}, "cpu", "fp32"), sequences), wanted) <= FP32
    assert encoder_key(checkpoint)


def test_missing_weights_are_an_error(tmp_path):
    """A checkpoint without its head would answer at random."""
    folder = save_checkpoint(tmp_path / "c")
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - only here

    tensors = {
        name: value for name, value in load_file(folder / "model.safetensors").items() if "classifier" not in name
    }
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="lacks weights"):
        PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "fp32")


def test_a_damaged_file_is_an_error(tmp_path):
    """Never a traceback for a file that was cut off."""
    folder = save_checkpoint(tmp_path / "c")
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ModelError, match="cannot load"):
        PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "fp32")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_a_device_that_is_not_there_is_an_error():
    """The error comes before anything is loaded."""
    with pytest.raises(ModelError, match="no CUDA device"):
        check_device("cuda")


def test_nothing_is_fetched(tmp_path, monkeypatch):
    """Loading reads local files only, whatever the environment allows."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    folder = save_checkpoint(tmp_path / "c")
    import socket  # noqa: PLC0415 - only here

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    PackedModel.load({"x": read_checkpoint(folder, "sequence")}, "cpu", "fp32")
    assert "HF_HUB_OFFLINE" not in os.environ
    assert list(read_checkpoint(folder, "sequence").labels) == LABELS


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is at hand")
@pytest.mark.parametrize("kind", ["sequence", "token"])
@pytest.mark.parametrize("family", ["modernbert", "bert"])
def test_cuda_equals_the_reference(tmp_path, family, kind):
    """On a GPU torch's varlen attention, in bf16, is within the tolerance of fp32 on a CPU."""
    folder = save_checkpoint(tmp_path / "c", family, kind, hidden_size=256)
    sequences = pieces_of(folder)
    wanted = alone(folder, kind, [list(sequence.ids) for sequence in sequences])
    found = answers(PackedModel.load({"x": read_checkpoint(folder, kind)}, "cuda", "bf16"), sequences)
    assert furthest(found, wanted) <= BF16
