from __future__ import annotations

import pytest

from vsr_compiler.heads.inputs import CategoryExamples

SUBJECTS = {
    "math": (
        "Arithmetic, algebra, calculus and probability",
        "What is 17 * 23?",
        "4 + 9 is",
        "Compute 6 * (8 - 3).",
        "Differentiate g(x) = 5x^4 - 2x.",
        "Find the integral of 3x^2 from 0 to 1.",
        "Solve x^2 - 5x + 6 = 0.",
        "How likely is it to roll two sixes?",
        "What is the slope of the tangent to y = x^2 at 3?",
    ),
    "computer science": (
        "Programming, operating systems, networks and algorithms",
        "Write a Python function that sorts a list.",
        "How does the Linux kernel schedule processes?",
        "What does an open source licence allow?",
        "Why does my program crash with a segmentation fault?",
        "Which data structure finds a key in constant time?",
        "Explain the TCP handshake.",
        "How do I undo a git commit?",
        "What is the complexity of merge sort?",
    ),
    "law": (
        "Contracts, crimes, courts and constitutions",
        "What makes a contract valid?",
        "Can the police search a car without a warrant?",
        "Is hearsay admissible in court?",
        "What is the difference between murder and manslaughter?",
        "May a landlord enter the flat without notice?",
        "Who bears the burden of proof in a civil case?",
        "What is judicial review?",
        "When can a will be contested?",
    ),
    "history": (
        "Empires, wars and revolutions of the past",
        "Why did the Roman Empire fall?",
        "When did the Second World War end?",
        "Who led the Bolshevik revolution?",
        "How were the pyramids built?",
        "What was the Silk Road?",
        "Describe the causes of the French Revolution.",
        "Who was Genghis Khan?",
        "What ended the feudal system in Europe?",
    ),
}


@pytest.fixture(scope="session")
def categories() -> tuple[CategoryExamples, ...]:
    """Four subjects with eight examples each."""
    return tuple(CategoryExamples(name, texts[0], texts[1:]) for name, texts in SUBJECTS.items())
