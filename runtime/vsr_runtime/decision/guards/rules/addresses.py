"""Addresses in the form in which letters are addressed in a dozen countries.

A street with a number counts alone if its word is hardly used for anything else (`Street`, `straße`, `rue`). Words with
other meanings (`Court`, `Platz`, `place`, `Via`), and numbers that could be years, need the line with the postal code
or a word such as "address" nearby.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, SURE, Recogniser, Validator, has_context

_WORDS = (
    rb"address|addressed to|lives? at|living at|located at|ship(?:ped)? (?:it )?to|deliver(?:ed|y)? (?:it )?to|resid(?:e|es|ing|ence)|"
    rb"mail(?:ed)? (?:it )?to|moved to|wohn(?:e|t|haft)|adresse|anschrift|habite|direcci\xffn|domicilio|indirizzo|abit[oa]|"
    rb"residente|adres|woon|endere\xffo|moro|vivo en"
)
_YEARS = range(1500, 2100)
_NAME = rb"[A-Z\xff][A-Za-z\xff'.-]{0,24}"
_TOWN = rb"[A-Z\xff][A-Za-z\xff.'-]{1,24}(?:[ -][A-Z\xff][A-Za-z\xff.'-]{1,24}){0,2}"
_BREAK = rb"(?:, ?\n?|\n| )"
_UK = rb"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_CODE = (
    rb"(?:[A-Z]{2}[ ,]{1,2}\d{5}(?:-\d{4})?|" + _UK + rb"|[A-Z]{2}[ ,]{1,2}[A-Z]\d[A-Z] ?\d[A-Z]\d|"
    rb"(?:NSW|VIC|QLD|WA|SA|TAS|NT|ACT) \d{4})"
)
_UNIT = rb"(?:,? (?:Apt|Apartment|Unit|Suite|Ste|Floor|Flat|#)\.? ?#?[0-9A-Za-z-]{1,6})?"
_TAIL = rb"(" + _UNIT + _BREAK + rb"(?:" + _TOWN + rb"(?:, ?" + _TOWN + rb")?" + _BREAK + rb")?" + _CODE + rb"\b)?"
_STRONG = rb"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Parkway|Pkwy|Terrace|Crescent|Gardens|Mews|Turnpike"
_WEAK = rb"Drive|Dr|Court|Ct|Square|Sq|Way|Place|Pl|Close|Circle|Cir|Trail|Row|Hill|Walk|Grove|Highway|Hwy|Broadway"
_NUMBER = rb"\b(\d{1,5})(?:[A-Za-z]|-\d{1,4})?"
_GERMAN_TOWN = rb"(, ?\n?\d{4,5} " + _TOWN + rb"|\n\d{4,5} " + _TOWN + rb"| \d{5} " + _TOWN + rb")?"
_NUMBER_AFTER = rb" \d{1,4}(?: ?[a-z]\b)?"
_FRENCH_NAME = (
    rb"(?:(?:de la|de l'|des|de|du|d'|la|le|l') ?)?"
    + _NAME
    + rb"(?:[ -](?:[A-Z\xff][A-Za-z\xff'-]{0,24}|de|du|des|la|le|et)){0,4}"
)
_SPANISH_NAME = (
    rb"(?:(?:de las|de los|de la|del|de|das|dos|da|do) )?"
    + _NAME
    + rb"(?: (?:"
    + _NAME
    + rb"|de|del|da|do|dos|la|las|los|e|y)){0,4}"
)


def _street(*, strong: bool, year: bool = False) -> Validator:
    """Return a validator: the last group is the line with the postal code; with ``year`` the first one is the number."""

    def judge(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
        start, end = match.span()
        if match[match.re.groups]:
            yield start, end, SURE
        elif strong and not (year and int(match[1]) in _YEARS):
            yield start, end, SHAPE
        elif has_context(data, start, end, _WORDS):
            yield start, end, CONTEXT

    return judge


def _near_a_word(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    start, end = match.span()
    if has_context(data, start, end, _WORDS):
        yield start, end, CONTEXT


def _all(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    del data
    yield *match.span(), SHAPE


def _is_chinese(text: str) -> bool:
    return any(part in text for part in "省市区县镇") and any(part in text for part in "路街道巷弄村") and "号" in text


def _is_japanese(text: str) -> bool:
    return any(part in text for part in "都道府県") and any(part in text for part in "市区町村郡")


def _is_japanese_block(text: str) -> bool:
    return "丁目" in text


def _rule(name: str, pattern: bytes, validate: Validator, **more: Any) -> Recogniser:  # noqa: ANN401 - fields of a rule
    return Recogniser("POSTAL_ADDRESS", name, pattern, validate, **more)


RULES = (
    _rule("english", _NUMBER + rb"(?: (?:[NSEW]\.?|North|South|East|West))?(?: " + _NAME + rb"){1,4} (?:" + _STRONG + rb")\b\.?(?: [NSEW]{1,2}\b)?" + _TAIL, _street(strong=True, year=True)),
    _rule("english-with-code", _NUMBER + rb"(?: " + _NAME + rb"){1,4} (?:" + _WEAK + rb")\b\.?" + _TAIL, _street(strong=False)),
    _rule("english-lower-case", rb"(?i)\b\d{1,5}[a-z]?(?: [a-z\xff'.-]{2,20}){1,3} (?:" + _STRONG + rb"|" + _WEAK + rb")\b", _near_a_word, context=_WORDS),
    _rule("german", rb"\b[A-Z\xff][a-z\xff-]{1,30}(?:stra\xffe|strasse|str\.|gasse|allee|chaussee)" + _NUMBER_AFTER + _GERMAN_TOWN, _street(strong=True)),
    _rule("german-words", rb"\b(?:[A-Z\xff][a-z\xff-]{1,20} ){1,2}(?:Stra\xffe|Strasse|Str\.|Allee)" + _NUMBER_AFTER + _GERMAN_TOWN, _street(strong=True)),
    _rule("german-with-code",
        rb"\b(?:(?:Am|An der|Im|Zum|Zur) [A-Z\xff][a-z\xff-]{1,30}|[A-Z\xff][a-z\xff-]{1,30}(?:weg|platz|ring|damm|ufer|markt|steig|hof))" + _NUMBER_AFTER + _GERMAN_TOWN, _street(strong=False)),
    _rule("dutch", rb"\b[A-Z][a-z\xff]{2,25}(?:straat|laan|gracht|kade|dijk|singel|steeg|plantsoen|weg|plein)" + _NUMBER_AFTER + rb"(?:-[0-9A-Za-z]{1,4})?(,? ?\n?\d{4} ?[A-Z]{2}\b(?:,? " + _TOWN + rb")?)?", _street(strong=False)),
    _rule("dutch-street", rb"\b[A-Z][a-z\xff]{2,25}(?:straat|laan|gracht|plantsoen)" + _NUMBER_AFTER + rb"\b", _all),
    _rule("french", rb"\b\d{1,4}(?: ?(?:bis|ter|quater))?,? (?i:rue|avenue|boulevard|bd|chemin|impasse|all\xffe|quai|faubourg) " + _FRENCH_NAME + rb"(" + _BREAK + rb"\d{5} " + _TOWN + rb")?", _street(strong=True)),
    _rule("french-with-code", rb"\b\d{1,4}(?: ?(?:bis|ter))?,? (?i:place|route|cours|square|passage) " + _FRENCH_NAME + rb"(" + _BREAK + rb"\d{5} " + _TOWN + rb")?", _street(strong=False)),
    _rule("spanish", rb"\b(?:(?i:calle|avenida|avda\.?|paseo|plaza|carrer)|C/|Av\.) ?" + _SPANISH_NAME + rb",? (?:n[\xff\xfe.m]{1,3} ?)?\d{1,4}\b((?:, ?[0-9A-Za-z\xff\xfe. ]{1,12})?, ?\n?\d{5} " + _TOWN + rb")?", _street(strong=True)),
    _rule("italian", rb"\b(?:Viale|Piazza|Piazzale|Vicolo) " + _SPANISH_NAME + rb",? \d{1,4}[a-z]?\b(,? ?\n?(?:- )?\d{5} " + _TOWN + rb")?", _street(strong=True)),
    _rule("italian-via", rb"\b(?:Via|Corso|Largo) (?:(?:di|dei|del|della|delle) )?" + _NAME + rb"(?: " + _NAME + rb"| di| dei| della){0,3}(?:,? \d{1,4}[a-z]?\b(,? ?\n?(?:- )?\d{5} " + _TOWN + rb")?)", _street(strong=False)),
    _rule("portuguese", rb"\b(?:Rua|Avenida|Av\.|Travessa|Alameda|Pra\xffa|Estrada) " + _SPANISH_NAME + rb",? (?:n[\xff\xfe.]{1,2} ?)?\d{1,5}\b((?:[ ,-]{1,3}[A-Za-z\xff ]{1,24}){0,3}[ ,-]{1,3}\d{4,5}-\d{3}\b)?", _street(strong=True)),
    _rule("indian", rb"\b(?:Flat|House|H\. ?No|Plot|Door No|Shop)\.? ?(?:No\.? ?)?#?[0-9A-Z][0-9A-Z/-]{0,7},[A-Za-z0-9\xff ,.\n/-]{5,110}[ -]{1,3}[1-9]\d{2} ?\d{3}\b", _all),
    _rule("japanese", rb"(?:\xfe ?)?\d{3}-\d{4}[ \n]{0,2}\xff{3,24}(?:\d{1,4}(?:-\d{1,4}){0,3})?", _all, confirm=_is_japanese),
    _rule("japanese-without-code", rb"\xff{4,24}\d{1,3}(?:-\d{1,3}){1,3}", _all, confirm=_is_japanese),
    _rule("japanese-block", rb"\xff{2,24}\d{1,3}\xff{2}\d{1,3}(?:[-\xff]\d{1,3}){0,2}\xff?", _all, confirm=_is_japanese_block),
    _rule("japanese-roman", rb"\b\d{1,3}(?:-\d{1,3}){1,2},? [A-Z][a-z-]{1,24},? [A-Z][a-z]{1,24}-(?:ku|shi|cho|machi|gun)\b(?:,? [A-Z][a-z]{2,12}(?: \d{3}-\d{4})?)?", _all),
    _rule("chinese", rb"\xff{4,30}\d{1,5}\xff(?:\d{0,4}\xff{1,6}){0,3}", _all, confirm=_is_chinese),
)  # fmt: skip
