"""Questions that embeddings take for paraphrases and that have different answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.request.distinctions import content_words, distinctions, same_order


def alike(one: str, other: str) -> bool:
    """Whether an answer to one may be one to the other, if the cosine is high enough."""
    return distinctions(one) == distinctions(other) and same_order(content_words(one), content_words(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("transfer 5 to account 7", "transfer 7 to account 5"),
        ("Does aspirin raise blood pressure?", "Does aspirin lower blood pressure?"),
        ("What does Alice owe Bob?", "What does Bob owe Alice?"),
        ("what does alice owe bob?", "what does bob owe alice?"),
        ("open the door", "close the door"),
        ("Is drug A safer than drug B?", "Is drug B safer than drug A?"),
        ("Is drug A safer than drug B?", "Is drug A safer than drug C?"),
        ("flights from paris to london", "flights from london to paris"),
        ("can I eat it raw?", "can I not eat it raw?"),
        ("it doesn't hurt", "it does hurt"),
        ("Ist das erlaubt?", "Ist das nicht erlaubt?"),
        ("turn the heating on", "turn the heating off"),
        ("is -5 valid", "is 5 valid"),
        ("is 3 < 4", "is 3 > 4"),
        ("add 5 kg", "add 5 lb"),
        ("more than ten years", "less than ten years"),
        ("the hour before noon", "the hour after noon"),
        ("Berlin to Rome by train", "Berlin to Oslo by train"),
        ("encrypt the file", "decrypt the file"),
        ("with sugar", "without sugar"),
    ],
)
def test_numbers_negations_directions_and_names_are_compared_in_order(one, other):
    """However high their cosine is; of the pairs of the case it was up to 0.99."""
    assert not alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what is the capital of france?", "tell me the capital of france please"),
        ("How tall is the Eiffel Tower?", "What is the height of the Eiffel Tower?"),
        ("which floor is the library on?", "on which floor is the library?"),
        ("How do I reset my password?", "how can I reset the password"),
    ],
)
def test_paraphrases_are_left_to_their_cosine(one, other):
    """Else no answer would ever be found."""
    assert alike(one, other)


@given(st.text(max_size=60), st.text(max_size=60))
@examples(200)
def test_comparison_is_symmetric_and_a_text_is_like_itself(one, other):
    """Whatever they are."""
    assert alike(one, one)
    assert alike(one, other) is alike(other, one)
