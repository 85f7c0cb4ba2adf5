"""Small checkpoints with random weights and a tokenizer made on the spot. Needs the ``gpu`` extra."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = [chr(ord("a") + i // 26) + chr(ord("a") + i % 26) for i in range(200)]
SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
LABELS = ["benign", "jailbreak"]


def text(length: int, start: int = 0) -> str:
    """A text of so many tokens."""
    return " ".join(WORDS[(start + 7 * i) % len(WORDS)] for i in range(length))


def save_tokenizer(folder: Path) -> None:
    """A tokenizer of whole words that puts [CLS] and [SEP] around a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415 - of an extra

    vocabulary = SPECIAL | {word: number + len(SPECIAL) for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def config_of(family: str, labels: list[str], **changes: object):
    """A transformers config of a few small layers."""
    import transformers  # noqa: PLC0415 - of an extra

    size = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 256, "pad_token_id": 0}
    names = {
        "modernbert": (
            "ModernBertConfig",
            {
                "num_hidden_layers": 4,
                "local_attention": 16,
                "cls_token_id": 2,
                "sep_token_id": 3,
                "bos_token_id": 2,
                "eos_token_id": 3,
            },
        ),
        "bert": ("BertConfig", {"num_hidden_layers": 2}),
        "xlm-roberta": ("XLMRobertaConfig", {"num_hidden_layers": 2, "pad_token_id": 1}),
        "deberta-v2": (
            "DebertaV2Config",
            {"num_hidden_layers": 2, "relative_attention": True, "pos_att_type": ["p2c"], "position_buckets": 16},
        ),
    }
    name, own = names[family]
    id2label = dict(enumerate(labels))
    given = {**size, "max_position_embeddings": 256, **own, **changes}
    return getattr(transformers, name)(**given, id2label=id2label, label2id={v: k for k, v in id2label.items()})


def save_checkpoint(
    folder: Path,
    family: str = "modernbert",
    kind: str = "sequence",
    labels: list[str] | None = None,
    seed: int = 0,
    base: object | None = None,
    **changes: object,
) -> Path:
    """Write a checkpoint. ``base`` is another model of the family whose encoder it shares."""
    import torch  # noqa: PLC0415 - of an extra
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification  # noqa: PLC0415

    auto = AutoModelForSequenceClassification if kind == "sequence" else AutoModelForTokenClassification
    torch.manual_seed(seed)
    model = auto.from_config(config_of(family, labels or LABELS, **changes))
    with torch.no_grad():
        for parameter in model.parameters():  # as initialised, all answers are nearly the same
            parameter.mul_(3 if parameter.ndim > 1 else 1)
    if base is not None:
        model.base_model.load_state_dict(base.base_model.state_dict(), strict=False)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def rename_labels(folder: Path, labels: list[str]) -> None:
    """Give a checkpoint's config other labels."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {str(number): label for number, label in enumerate(labels)}
    config["label2id"] = {label: number for number, label in enumerate(labels)}
    path.write_text(json.dumps(config))


def plant(folder: Path, kind: str, labels: list[str], words: dict[str, str]) -> Path:
    """Write a checkpoint that knows some words: the first label, unless it reads one of these, which has its own.

    Every weight is zero but what carries a word's label to the answer: of its own token, or of the whole sequence.
    """
    import torch  # noqa: PLC0415 - of an extra
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification  # noqa: PLC0415

    auto = AutoModelForSequenceClassification if kind == "sequence" else AutoModelForTokenClassification
    model = auto.from_config(config_of("bert", labels, num_hidden_layers=1))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith("LayerNorm.weight") else 0.0)
        for word, label in words.items():
            model.bert.embeddings.word_embeddings.weight[len(SPECIAL) + WORDS.index(word), labels.index(label)] = 1.0
        for number in range(1, len(labels)):
            model.classifier.weight[number, number] = 5.0
        model.classifier.bias[0] = 3.0
        if kind == "sequence":  # attention without a preference brings all words to the first token
            size = model.config.hidden_size
            layer = model.bert.encoder.layer[0].attention
            for part in (layer.self.value, layer.output.dense, model.bert.pooler.dense):
                part.weight.copy_(torch.eye(size))
            model.classifier.weight.mul_(4)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder
