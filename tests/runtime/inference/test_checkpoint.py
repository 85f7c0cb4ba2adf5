from __future__ import annotations

import json

import pytest

from support.checkpoints import WORDS, save_tokenizer, text
from vsr_runtime.inference.checkpoint import find_checkpoint, read_checkpoint
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.labels import read_labels, require
from vsr_runtime.inference.tokenizer import TextTokenizer

REVISION = "a" * 40
CONFIG = {
    "architectures": ["ModernBertForSequenceClassification"],
    "model_type": "modernbert",
    "max_position_embeddings": 64,
    "id2label": {"0": "benign", "1": "jailbreak"},
}


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like a checkpoint; its weights are never read."""
    save_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "model.safetensors").write_bytes(b"")
    return tmp_path


def write(folder, name="config.json", **changes):
    """Change a JSON file of the folder; None takes a key away."""
    path = folder / name
    data = (json.loads(path.read_text()) if path.exists() else {}) | changes
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))


def test_a_sound_folder_is_described(folder):
    """Labels in the order of the outputs, the family, and how much it reads."""
    found = read_checkpoint(folder, "sequence")
    assert (found.labels, found.family is not None, found.positions) == (("benign", "jailbreak"), True, 64)


def test_roberta_has_fewer_positions_than_its_config_says(folder):
    """Its positions begin after the padding token's id."""
    write(folder, model_type="xlm-roberta", architectures=["XLMRobertaForTokenClassification"], pad_token_id=1)
    found = read_checkpoint(folder, "token")
    assert (found.offset, found.positions) == (2, 62)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"auto_map": {"AutoModel": "own.py"}}, "code of its own"),
        ({"architectures": ["ModernBertForMaskedLM"]}, "ForSequenceClassification is needed"),
        ({"architectures": None}, "holds no model"),
        ({"max_position_embeddings": None}, "max_position_embeddings"),
        ({"id2label": None}, "nothing says what the outputs mean"),
        ({"id2label": {"0": "a", "2": "b"}}, "numbered from 0"),
        ({"id2label": {"0": "a", "1": "a"}}, "distinct"),
        ({"id2label": {str(n): f"l{n}" for n in range(2000)}}, "1024 are the most"),
    ],
)
def test_invalid_checkpoint_is_an_error_that_names_the_problem(folder, changes, says):
    """Each fault has its own sentence, before any weight is read."""
    write(folder, **changes)
    with pytest.raises(ModelError, match=says):
        read_checkpoint(folder, "sequence")


@pytest.mark.parametrize(
    ("remove", "add", "says"),
    [
        ("model.safetensors", "pytorch_model.bin", "no model.safetensors; other formats can run code"),
        ("tokenizer.json", "vocab.txt", "no tokenizer.json"),
        ("config.json", "other.json", "cannot be read"),
    ],
)
def test_missing_files_are_an_error(folder, remove, add, says):
    """Pickled weights are not an alternative."""
    (folder / remove).unlink()
    (folder / add).write_text("{}")
    with pytest.raises(ModelError, match=says):
        read_checkpoint(folder, "sequence")


@pytest.mark.parametrize("name", ["../../secret.safetensors", "part.bin", "missing.safetensors"])
def test_an_index_cannot_name_what_is_elsewhere(folder, name):
    """Shards lie beside their index and are safetensors."""
    (folder / "model.safetensors").unlink()
    (folder / "part.bin").write_bytes(b"")
    write(folder, "model.safetensors.index.json", weight_map={"a": name})
    with pytest.raises(ModelError, match="not a safetensors file next to it"):
        read_checkpoint(folder, "sequence")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "category_mapping.json",
            {"category_to_idx": {"law": 1, "math": 0}, "idx_to_category": {"0": "math", "1": "law"}},
        ),
        ("pii_type_mapping.json", {"label_to_idx": {"math": 0, "law": 1}}),
        (
            "jailbreak_type_mapping.json",
            {"label_to_id": {"math": 0, "law": 1}, "id_to_label": {"0": "math", "1": "law"}},
        ),
        ("label_mapping.json", {"id2label": {"1": "law", "0": "math"}}),
    ],
)
def test_the_stock_routers_mapping_files_name_the_outputs(folder, name, data):
    """Where the config says LABEL_0 only, as merged checkpoints do, the mapping file has the word."""
    write(folder, id2label={"0": "LABEL_0", "1": "LABEL_1"})
    write(folder, name, **data)
    assert read_labels(folder, json.loads((folder / "config.json").read_text())) == ("math", "law")


def test_two_sources_that_disagree_are_an_error(folder):
    """Nothing says which of them the weights were trained with."""
    write(folder, "jailbreak_type_mapping.json", label_to_idx={"jailbreak": 0, "benign": 1})
    with pytest.raises(ModelError, match="different labels"):
        read_checkpoint(folder, "sequence")


@pytest.mark.parametrize(
    "data", ["[]", "{", '{"idx_to_label": 3}', "{}", '{"idx_to_label": {"0": "a"}, "label_to_idx": {"b": 0}}']
)
def test_a_damaged_mapping_is_an_error(folder, data):
    """Never a traceback, and never a guess."""
    (folder / "label_mapping.json").write_text(data)
    with pytest.raises(ModelError, match=r"label_mapping\.json"):
        read_checkpoint(folder, "sequence")


def test_labels_of_the_policy_must_be_there():
    """A name that the checkpoint does not have would never be answered."""
    require(("math", "law", "other"), ["law"], "it")
    with pytest.raises(ModelError, match="does not know 'laws'; its labels are 'math', 'law'"):
        require(("math", "law"), ["math", "laws"], "it")


def test_a_checkpoint_is_found_at_its_revision_only(tmp_path, monkeypatch):
    """Another revision of the same repository is not taken for it."""
    place = tmp_path / "models" / "org" / "name" / REVISION
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    monkeypatch.setenv("VSR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert find_checkpoint("org/name", REVISION) == place
    with pytest.raises(ModelError, match=f"org/name at {'b' * 40} is not on this machine"):
        find_checkpoint("org/name", "b" * 40)
    snapshot = tmp_path / "hub" / "models--org--name" / "snapshots" / ("b" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert find_checkpoint("org/name", "b" * 40) == snapshot


@pytest.fixture
def tokenizer(folder):
    """The small tokenizer."""
    return TextTokenizer.load(folder / "tokenizer.json")


def test_special_tokens_go_around_each_piece(tokenizer):
    """A window looks to the model like a text of its own."""
    assert tokenizer.special == 2
    assert tokenizer.framed([7, 8]) == [2, 7, 8, 3]


def test_offsets_are_code_points_of_the_text_as_given(tokenizer):
    """What lies before a token may be anything, half a surrogate pair too."""
    given = f"\ud800 é🙂 {WORDS[3]}"
    tokens = tokenizer([given])[0]
    begin, end = tokens.offsets[-1]
    assert given[begin:end] == WORDS[3]


@pytest.mark.parametrize("wanted", [1, 5, 50])
def test_the_ends_of_a_long_text_are_the_same_as_those_of_the_whole(tokenizer, wanted):
    """A text that is read in part is tokenised in part, with the same result."""
    long = text(5000)
    part, whole = tokenizer([long], wanted)[0], tokenizer([long])[0]
    last = wanted // 2
    kept = [*range(wanted - last), *range(len(whole.ids) - last, len(whole.ids))]
    assert list(part.ids) == [whole.ids[number] for number in kept]
    assert list(part.offsets) == [whole.offsets[number] for number in kept]


def test_a_broken_tokenizer_is_an_error(tmp_path):
    """Never a traceback."""
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="is not a tokenizer"):
        TextTokenizer.load(tmp_path / "tokenizer.json")
