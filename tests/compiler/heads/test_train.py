from __future__ import annotations

import numpy as np
import pytest

from vsr_compiler.heads.inputs import OTHER, CategoryExamples
from vsr_compiler.heads.train import FOLDS, held_out_logits, train
from vsr_compiler.heads.training_set import embed_training_set
from vsr_runtime.inference.classifier import CategoryClassifier
from vsr_runtime.inference.head import Head

INPUTS = "a" * 64
GUIDE = [
    ("2+2 is ", "math"),
    ("What is 2+2 * (5-1)?", "math"),
    ("What is the derivative of f(x) = x^3?", "math"),
    ("Linux is said to be an open source kernel because ", "computer science"),
]
CHAT = [
    "Hello!",
    "Which wine goes with cheese?",
    "Book a table for two.",
    "What is the weather like in Rome?",
    "Write a birthday card.",
]


@pytest.fixture(scope="module")
def head(categories, encoder) -> Head:
    """A head of the four subjects."""
    return train(categories, encoder, INPUTS)


def ask(head: Head, encoder, text: str):
    """What the head answers at its own threshold."""
    return CategoryClassifier.from_parts(encoder, head, head.threshold).classify(text)


@pytest.mark.parametrize(("prompt", "wanted"), GUIDE)
def test_guide_prompts(head, encoder, categories, prompt, wanted):
    """The guides' prompts land where they belong, with a margin, though none of them is an example."""
    assert all(prompt.strip() not in category.examples for category in categories)
    found = ask(head, encoder, prompt)
    rivals = sorted(found.probabilities.values())
    assert found.label == wanted
    assert rivals[-1] > 2 * rivals[-2]


@pytest.mark.parametrize("prompt", CHAT)
def test_chat_is_none(head, encoder, prompt):
    """What belongs to no category has no label."""
    assert ask(head, encoder, prompt).label is None


def test_learns_its_examples(head, encoder, categories):
    """Nearly every example lands in its own category."""
    right = [
        head.labels[int(row.argmax())] == category.name
        for category in categories
        for row in head.probabilities(encoder.embed(category.examples))
    ]
    assert np.mean(right) > 0.95


def test_order_does_not_matter(categories, encoder, head):
    """Categories and examples in another order give the same bytes."""
    turned = [CategoryExamples(c.name, c.description, c.examples[::-1]) for c in reversed(categories)]
    assert train(turned, encoder, INPUTS).to_bytes() == head.to_bytes()


def test_labels_are_sorted(head):
    """The head's labels have an order that the policy has no part in."""
    assert head.labels == ("computer science", "history", "law", "math")
    assert head.inputs == INPUTS


def test_one_category_one_example(encoder):
    """One category with one example and no description tells its subject from the rest."""
    head = train([CategoryExamples("math", "", ("Solve x^2 - 5x + 6 = 0.",))], encoder, INPUTS)
    assert head.labels == ("math",)
    assert ask(head, encoder, "Solve 3x + 2 = 11.").label == "math"
    for prompt in (*CHAT, "Can my landlord evict me?", "Who was Cleopatra?"):
        assert ask(head, encoder, prompt).label is None


def test_a_category_close_to_the_background(encoder):
    """A category about what the background also holds keeps its subject."""
    cooking = CategoryExamples("cooking", "Recipes and food", ("How do I make pancakes?", "Which wine goes with fish?"))
    head = train([cooking], encoder, INPUTS)
    assert ask(head, encoder, "How do I make pancakes without eggs?").label == "cooking"
    assert ask(head, encoder, "What is 48 divided by 6?").label is None


def test_other_teaches_what_to_leave_alone(categories, encoder):
    """The category other gets no label; what resembles its examples has none either."""
    cooking = "How do I make pancakes without eggs?", "Recipe for tomato soup", "How long do I boil an egg?"
    rest = CategoryExamples(OTHER, "Everything else", cooking)
    head = train([*categories, rest], encoder, INPUTS)
    assert OTHER not in head.labels
    assert ask(head, encoder, "How long do I boil potatoes?").label is None
    assert ask(head, encoder, "What is 12 * 12?").label == "math"


def test_other_alone_is_refused(encoder):
    """Without a category there is nothing to learn."""
    with pytest.raises(ValueError, match="at least one category"):
        train([CategoryExamples(OTHER, "", ("Hi!",))], encoder, INPUTS)


def test_names_must_differ(categories, encoder):
    """Two categories of one name are refused."""
    with pytest.raises(ValueError, match="a name of its own"):
        train([*categories, categories[0]], encoder, INPUTS)


def test_uneven_categories_weigh_alike(categories, encoder):
    """A category with one example is not drowned by one with many."""
    few = [c if c.name != "history" else CategoryExamples(c.name, c.description, c.examples[:1]) for c in categories]
    samples = embed_training_set(few, encoder)
    weights = samples.balanced()
    sums = [weights[samples.targets == target].sum() for target in np.unique(samples.targets)]
    assert np.allclose(sums, sums[0])
    assert train(few, encoder, INPUTS).probabilities(encoder.embed(["Who won the war of 1812?"]))[0].argmax() == 1


def test_held_out_logits_do_not_see_their_sample(categories, encoder):
    """Held-out predictions are less sure than those of the head that saw the examples, and still mostly right."""
    samples = embed_training_set(categories, encoder)
    whole = np.zeros((samples.design.shape[1], 4))
    folds = np.arange(len(samples.targets)) % FOLDS
    logits, seen = held_out_logits(samples, whole, folds)
    labelled = samples.targets >= 0
    assert seen.all()
    assert (logits[labelled].argmax(axis=1) == samples.targets[labelled]).mean() > 0.7
    twin = [CategoryExamples(c.name, c.description, tuple(reversed(c.examples))) for c in reversed(categories)]
    again, _ = held_out_logits(embed_training_set(twin, encoder), whole, folds)
    assert np.array_equal(again, logits)


def test_topics_are_held_out_whole(categories, encoder):
    """A head knows least of a topic that it has not seen, so it is calibrated by these, not by single examples."""
    samples = embed_training_set(categories, encoder)
    whole = np.zeros((samples.design.shape[1], 4))
    labelled = samples.targets >= 0
    right = []
    for folds in (np.arange(len(samples.targets)) % FOLDS, samples.topics.of):
        logits, _ = held_out_logits(samples, whole, folds)
        right.append((logits[labelled].argmax(axis=1) == samples.targets[labelled]).mean())
    assert right[1] < right[0]


def test_int8_serves_as_well(categories, encoder, exact_encoder, head):
    """A head over int8 embeddings answers held-out prompts as one over full precision does."""
    exact = train(categories, exact_encoder, INPUTS)
    prompts = [prompt for prompt, _ in GUIDE] + CHAT + [text for c in categories for text in c.examples]
    served = head.probabilities(encoder.embed(prompts))
    wanted = exact.probabilities(exact_encoder.embed(prompts))
    assert (served.argmax(axis=1) == wanted.argmax(axis=1)).mean() >= 0.97
    assert np.abs(served - wanted).mean() < 0.02
