"""Product text uses the standard words of the field: no word of the vocabulary that the project once had is left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from support.common import ROOT

OLD = re.compile(
    r"(?<![a-z])(told|said|stands?|mend(?:ed|s|ing)?|anew|houses?|rooms?|nouns?|verbs?|lameduck|obituary|bury)(?![a-z])",
    re.IGNORECASE,
)
ALLOWED = (
    re.compile(r"\b(?:stands? for|stand-ins?)\b"),  # standard English: an abbreviation or a replacement
    re.compile(r"\bnoun phrases?\b"),  # a term of grammar
    re.compile(
        r"\bverbs\"?\]?\)?(?::$|:? )|\"verbs\"|\bverb: str|\{verb, ", re.MULTILINE
    ),  # a field of Kubernetes' roles
    re.compile(r"--lameduck\"|\blameduck: float|lameduck is None else lameduck"),  # the flag's old name, hidden
    re.compile(r"\"stand\.yaml\""),  # the file's old name, still read
    re.compile(r"told\|said\|instructed"),  # words that a guard looks for in prompts
    re.compile(r"Flat\|House\|"),  # words of an address in India
    re.compile(r"sell a house|Linux is said to be"),  # prompts
)
FILES = {".py", ".md", ".j2", ".yaml", ".json", ".html"}


def old_words() -> Iterator[str]:
    """Yield each old word with its place."""
    tops = [ROOT / name for name in ("compiler", "runtime", "schemas", "docs")]
    paths = [path for top in tops for path in top.rglob("*") if path.suffix in FILES]
    for path in sorted([*paths, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line
            for pattern in ALLOWED:
                text = pattern.sub("", text)
            yield from (f"{path.relative_to(ROOT)}:{number}: {match[0]}" for match in OLD.finditer(text))


def test_no_word_of_the_old_vocabulary_is_left() -> None:
    """The exceptions are listed with their reasons."""
    assert list(old_words()) == []
