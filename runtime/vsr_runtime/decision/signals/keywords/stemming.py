"""Porter's second stemmer of English, by which the stock router's BM25 compares words.

Source: the description of the algorithm at https://snowballstem.org/algorithms/english/stemmer.html.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

MAX_LENGTH = 64
"""Letters of a word that is stemmed. Longer ones are no words, and are left as they are."""
_CACHED = 8192
_VOWELS = "aeiouy"
_SHORT_WORD = 2
_WHOLE = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
_AFTER_PLURAL = frozenset({"inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"})
_REGION_PREFIXES = ("gener", "commun", "arsen")
_REGION = re.compile("[aeiouy][^aeiouy]")
_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_LI = "cdeghkmnrt"
_SECOND = {
    "ization": "ize",
    "ational": "ate",
    "fulness": "ful",
    "ousness": "ous",
    "iveness": "ive",
    "tional": "tion",
    "biliti": "ble",
    "lessli": "less",
    "entli": "ent",
    "ation": "ate",
    "alism": "al",
    "aliti": "al",
    "ousli": "ous",
    "iviti": "ive",
    "fulli": "ful",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "izer": "ize",
    "ator": "ate",
    "alli": "al",
    "bli": "ble",
}
_THIRD = {
    "ational": "ate",
    "tional": "tion",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
}
_FOURTH = (
    *("ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize"),
    *("al", "er", "ic"),
)


@lru_cache(maxsize=_CACHED)
def stem(word: str) -> str:
    """Return the stem of a word of lower-case letters, digits and apostrophes."""
    if len(word) <= _SHORT_WORD or len(word) > MAX_LENGTH:
        return word
    if word in _WHOLE:
        return _WHOLE[word]
    word = _marked(word.removeprefix("'"))
    first, second = _regions(word)
    word = _singular(_without_possessive(word))
    if word in _AFTER_PLURAL:
        return word
    word = _final_y(_without_tense(word, first))
    word = _fourth(_third(_second(word, first), first, second), second)
    return _fifth(word, first, second).replace("Y", "y")


def _marked(word: str) -> str:
    """Return the word with each y that is a consonant in upper case."""
    letters = list(word)
    if letters and letters[0] == "y":
        letters[0] = "Y"
    for place, (before, letter) in enumerate(pairwise(word), 1):
        if letter == "y" and before in _VOWELS and letters[place - 1] != "Y":
            letters[place] = "Y"
    return "".join(letters)


def _regions(word: str) -> tuple[int, int]:
    """Return where the two regions begin: behind the first consonant after a vowel, and again behind the next."""
    prefix = next((prefix for prefix in _REGION_PREFIXES if word.startswith(prefix)), None)
    first = len(prefix) if prefix else _behind(word, 0)
    return first, _behind(word, first)


def _behind(word: str, start: int) -> int:
    match = _REGION.search(word, start)
    return match.end() if match else len(word)


def _without_possessive(word: str) -> str:
    for ending in ("'s'", "'s", "'"):
        if word.endswith(ending):
            return word[: -len(ending)]
    return word


def _singular(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > len("ties") else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _has_vowel(word[:-2]):
        return word[:-1]
    return word


def _without_tense(word: str, first: int) -> str:
    ending = next((e for e in ("eedly", "ingly", "edly", "eed", "ing", "ed") if word.endswith(e)), None)
    if ending is None:
        return word
    kept = word[: -len(ending)]
    if ending in {"eed", "eedly"}:
        return f"{kept}ee" if len(kept) >= first else word
    if not _has_vowel(kept):
        return word
    if kept.endswith(("at", "bl", "iz")):
        return f"{kept}e"
    if kept.endswith(_DOUBLES):
        return kept[:-1]
    return f"{kept}e" if len(kept) <= first and _ends_short(kept) else kept


def _final_y(word: str) -> str:
    if len(word) > _SHORT_WORD and word[-1] in "yY" and word[-2] not in _VOWELS:
        return f"{word[:-1]}i"
    return word


def _second(word: str, first: int) -> str:
    for ending, kept in _SECOND.items():
        if word.endswith(ending):
            return _replaced(word, ending, kept, first)
    if word.endswith("ogi"):
        return _replaced(word, "ogi", "og", first) if word[-4:-3] == "l" else word
    if word.endswith("li") and word[-3:-2] and word[-3] in _LI:
        return _replaced(word, "li", "", first)
    return word


def _third(word: str, first: int, second: int) -> str:
    for ending, kept in _THIRD.items():
        if word.endswith(ending):
            return _replaced(word, ending, kept, first)
    return _replaced(word, "ative", "", second) if word.endswith("ative") else word


def _fourth(word: str, second: int) -> str:
    for ending in _FOURTH:
        if word.endswith(ending):
            return _replaced(word, ending, "", second)
    return _replaced(word, "ion", "", second) if word.endswith(("sion", "tion")) else word


def _fifth(word: str, first: int, second: int) -> str:
    kept = word[:-1]
    if word.endswith("e") and (len(kept) >= second or (len(kept) >= first and not _ends_short(kept))):
        return kept
    return kept if word.endswith("ll") and len(kept) >= second else word


def _replaced(word: str, ending: str, kept: str, region: int) -> str:
    """Return the word with another ending, if the ending is in the region."""
    return word[: -len(ending)] + kept if len(word) - len(ending) >= region else word


def _has_vowel(text: str) -> bool:
    return any(letter in _VOWELS for letter in text)


def _ends_short(word: str) -> bool:
    """Return whether the word ends in a short syllable."""
    if len(word) == _SHORT_WORD:
        return word[0] in _VOWELS and word[1] not in _VOWELS
    if len(word) < _SHORT_WORD:
        return False
    return word[-3] not in _VOWELS and word[-2] in _VOWELS and word[-1] not in f"{_VOWELS}wxY"
