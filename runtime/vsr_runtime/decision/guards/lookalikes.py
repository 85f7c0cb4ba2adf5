# ruff: noqa: RUF001, RUF002 - this module is about ambiguous letters
"""Letters of other scripts that look like Latin letters.

``раssword`` with a Cyrillic а and ``ignоre`` with a Cyrillic о mean the Latin word. Real Russian or Greek is unchanged:
a letter is only replaced if its word mixes scripts, or if the word consists of look-alikes and no other word of the
text is certainly in that script. The pairs are a selection of Unicode's confusables (UTS 39): letters that people
cannot distinguish in common fonts.
"""

from __future__ import annotations

import re

_CYRILLIC = "аaвbсcԁdеeһhіiјjкkӏlмmнhоoрpԛqѕsтtуyхxԝwѵvАAВBСCЕEНHІIЈJКKМMОOРPЅSТTУYХXԌGԜWЗ3б6ЬbѴVӀI"
_GREEK = "αaβbεeηnιiκkνvοoρpτtυuχxγyωwϲcϳjΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϹCͿJ"
_ARMENIAN = "աwցgհhոnսuօoքfզqյjԱUՍUՏSՕOԼLՀZ"
_CHEROKEE = "ᎠDᎡRᎢTᎥiᎩYᎪAᎫJᎬEᎳWᎷMᎻHᎽYᏀGᏂhᏃZᏎ4ᏏbᏒRᏔWᏕSᏙVᏚSᏞLᏟCᏢPᏦKᏧdᏴB"
_COPTIC = "ⲀAⲂBⲈEⲎHⲒIⲔKⲘMⲚNⲞOⲢPⲤCⲦTⲨYⲬXⲁaⲃbⲉeⲓiⲕkⲛnⲟoⲣpⲥcⲧtⲩyⲭx"
_LATIN = "ɑaɡgɩiɪiʀrɴnʟlʜhɢgʙbᴀaᴄcᴅdᴇeᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢzꜰfꜱsʏyɾrʋvᴦrꞵbꬲeɛeʃs"
_PLAIN = dict(zip(_LATIN[::2], _LATIN[1::2], strict=True))
_PHONETIC = re.compile(f"[{''.join(_PLAIN)}]")
"""Phonetic letters occur in no word that a guard searches for, so they are always replaced."""
_SCRIPTS = {
    "cyrillic": (_CYRILLIC, "\u0400-\u052f\u1c80-\u1c8f\ua640-\ua69f"),
    "greek": (_GREEK, "\u0370-\u03ff\u1f00-\u1fff"),
    "armenian": (_ARMENIAN, "\u0530-\u058f"),
    "cherokee": (_CHEROKEE, "\u13a0-\u13ff\uab70-\uabbf"),
    "coptic": (_COPTIC, "\u2c80-\u2cff"),
}
_TABLE = {
    ord(other): latin for pairs, _ in _SCRIPTS.values() for other, latin in zip(pairs[::2], pairs[1::2], strict=True)
}
_LIKE_LATIN = "".join(map(chr, _TABLE))
_ANY = re.compile(f"[{_LIKE_LATIN}]")
_WORD = re.compile(r"[^\W_]+")
_OWN = {name: re.compile(f"(?![{_LIKE_LATIN}])[{letters}]") for name, (_, letters) in _SCRIPTS.items()}
_IN = {name: re.compile(f"[{letters}]") for name, (_, letters) in _SCRIPTS.items()}
_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")


def fold(text: str) -> str:
    """Return the text with look-alikes replaced. Each character becomes exactly one character."""
    if _PHONETIC.search(text):
        text = _PHONETIC.sub(lambda match: _PLAIN[match[0]], text)
    if not _ANY.search(text):
        return text
    foreign = {name for name, letter in _OWN.items() if letter.search(text)}
    return _WORD.sub(lambda match: _word(match[0], foreign), text)


def _word(word: str, foreign: set[str]) -> str:
    if word.isascii() or not _ANY.search(word):
        return word
    scripts = {name for name, letter in _IN.items() if letter.search(word)}
    if len(scripts) > 1 or _LATIN_LETTER.search(word) or not scripts & foreign:
        return word.translate(_TABLE)
    return word
