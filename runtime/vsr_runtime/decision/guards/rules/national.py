"""National identification numbers, by their checksums (python-stdnum) and context words.

One in ten plain numbers has a valid check digit by chance, so such a number needs a context word. Letters in fixed
positions, two check digits or a birth date make chance unlikely: such a number counts without context.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from vsr_runtime.decision.guards.recogniser import CONTEXT, SURE, Recogniser, Validator, has_context

_ANY = rb"national id|id number|identity|identification|personal number|id card|passport|ausweis|citizen|tax|id no"


def _by(module: str, words: bytes, *, alone: bool) -> Validator:
    """Return a validator that uses a stdnum module. If ``alone``, a valid number needs no context word."""

    def judge(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
        start, end = match.span()
        if data[end : end + 1] in {b"-", b".", b"/"} and data[end + 1 : end + 2].isdigit():
            return
        if (
            data[max(0, start - 1) : start] in {b"-", b".", b"/", b","}
            and data[max(0, start - 2) : start - 1].isdigit()
        ):
            return
        valid = _stdnum(module).is_valid(match[0].decode("latin-1"))
        if valid and alone:
            yield start, end, SURE
        elif has_context(data, start, end, words + b"|" + _ANY if valid else words):
            yield start, end, SURE if valid else CONTEXT

    return judge


@cache
def _stdnum(module: str) -> Any:  # noqa: ANN401 - one of many modules
    return importlib.import_module(f"stdnum.{module}")


def _rule(module: str, pattern: bytes, words: bytes, *, alone: bool = False) -> Recogniser:
    return Recogniser(
        "NATIONAL_ID",
        module.replace(".", "-"),
        rb"\b(?:" + pattern + rb")\b",
        _by(module, words, alone=alone),
        context=b"" if alone else words + b"|" + _ANY,
    )


GATE = rb"(?:\d[ ./+-]{0,2}){6}|[A-Z]{5}\d{4}[A-Z]|[A-Z]{6}\d\d[A-Z]"
"""Six digits close together, or the letters and digits of a PAN or codice fiscale. Every finding matches this."""
RULES = (
    _rule("us.itin", rb"9\d\d[- ]?\d\d[- ]?\d{4}", rb"itin|taxpayer"),
    _rule("gb.nhs", rb"\d{3}[ -]?\d{3}[ -]?\d{4}", rb"nhs"),
    _rule("ca.sin", rb"\d{3}[ -]?\d{3}[ -]?\d{3}", rb"sin|social insurance|nas"),
    _rule("au.tfn", rb"\d{3} ?\d{3} ?\d{2,3}", rb"tfn|tax file"),
    _rule("de.idnr", rb"\d{2} ?\d{3} ?\d{3} ?\d{3}", rb"steuer-?id|idnr|steuerliche|steuernummer|steueridentifikationsnummer"),
    _rule("fr.nir", rb"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", rb"nir|insee|s\xffcurit\xff sociale", alone=True),
    _rule("es.dni", rb"\d{8}-?[A-Z]", rb"dni|nif", alone=True),
    _rule("es.nie", rb"[XYZ]-?\d{7}-?[A-Z]", rb"nie", alone=True),
    _rule("it.codicefiscale", rb"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]", rb"codice fiscale", alone=True),
    _rule("nl.bsn", rb"\d{9}|\d{4}\.\d\d\.\d{3}", rb"bsn|burgerservicenummer|sofi"),
    _rule("be.nn", rb"\d\d\.?\d\d\.?\d\d-?\d{3}\.?\d\d", rb"rijksregister|registre national|nrn"),
    _rule("pt.nif", rb"[1-9]\d{2} ?\d{3} ?\d{3}", rb"nif|contribuinte"),
    _rule("ch.ssn", rb"756\.?\d{4}\.?\d{4}\.?\d\d", rb"ahv|avs|oasi", alone=True),
    _rule("at.vnr", rb"\d{4} ?\d{6}", rb"sozialversicherung|svnr|vsnr"),
    _rule("pl.pesel", rb"\d{11}", rb"pesel"),
    _rule("se.personnummer", rb"(?:\d\d)?\d{6}[-+]\d{4}", rb"personnummer", alone=True),
    _rule("no.fodselsnummer", rb"\d{6} ?\d{5}", rb"f\xffdselsnummer|fodselsnummer|personnummer"),
    _rule("dk.cpr", rb"\d{6}-\d{4}", rb"cpr|personnummer"),
    _rule("fi.hetu", rb"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", rb"hetu|henkil\xfftunnus", alone=True),
    _rule("ie.pps", rb"\d{7}[A-W][ABHWTX]?", rb"pps|ppsn", alone=True),
    _rule("cz.rc", rb"\d{6}/\d{3,4}", rb"rodn\xff|birth number", alone=True),
    _rule("ro.cnp", rb"[1-9]\d{12}", rb"cnp|cod numeric"),
    _rule("bg.egn", rb"\d{10}", rb"egn|\xff{3}"),
    _rule("br.cpf", rb"\d{3}\.\d{3}\.\d{3}-\d\d", rb"cpf", alone=True),
    _rule("br.cpf", rb"\d{11}", rb"cpf"),
    _rule("mx.curp", rb"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", rb"curp", alone=True),
    _rule("cl.rut", rb"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", rb"rut|run", alone=True),
    _rule("ar.dni", rb"\d{1,2}\.\d{3}\.\d{3}", rb"dni|documento"),
    _rule("in_.aadhaar", rb"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", rb"aadhaar|aadhar|uidai"),
    _rule("in_.pan", rb"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", rb"pan", alone=True),
    _rule("cn.ric", rb"\d{6}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:[012]\d|3[01])\d{3}[0-9X]", rb"resident|\xff{3}", alone=True),
    _rule("kr.rrn", rb"\d{6}-[0-8]\d{6}", rb"rrn|resident registration", alone=True),
    _rule("za.idnr", rb"\d{13}", rb"south africa|id"),
    _rule("tr.tckimlik", rb"[1-9]\d{10}", rb"kimlik|tckn"),
    _rule("il.idnr", rb"\d{9}", rb"teudat|israeli"),
    _rule("th.pin", rb"\d-\d{4}-\d{5}-\d\d-\d", rb"thai", alone=True),
)  # fmt: skip
