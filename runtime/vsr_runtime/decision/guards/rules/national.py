# ruff: noqa: RUF001 - words of other scripts
"""Numbers of people: national identification, social security and personal tax numbers."""

from __future__ import annotations

from vsr_runtime.decision.guards.rules.check_digits import (
    is_german_social_security,
    is_hungarian_tax_id,
    is_luxembourgish,
    is_medicare,
    is_nino,
    is_spaced,
    never_valid,
)
from vsr_runtime.decision.guards.rules.numbers_by_country import Check, rule


def _nino_in_groups(number: str) -> bool:
    return is_nino(number) and is_spaced(number)


_TABLE: tuple[tuple[str, Check, bytes, bytes, bool], ...] = (
    ("US_ITIN", "us.itin", rb"9\d\d[- ]?\d\d[- ]?\d{4}", rb"itin|taxpayer", False),
    ("UK_NHS", "gb.nhs", rb"\d{3}[ -]?\d{3}[ -]?\d{4}", rb"nhs", False),
    ("UK_NINO", _nino_in_groups, rb"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]", rb"nino|national insurance|ni number|ni no", True),
    ("UK_UTR", "gb.utr", rb"\d{5} ?\d{5}", rb"utr|unique taxpayer", False),
    ("CA_SIN", "ca.sin", rb"\d{3}[ -]?\d{3}[ -]?\d{3}", rb"sin|social insurance|nas", False),
    ("AU_TFN", "au.tfn", rb"\d{3} ?\d{3} ?\d{2,3}", rb"tfn|tax file", False),
    ("AU_MEDICARE", is_medicare, rb"[2-6]\d{3} ?\d{5} ?\d(?:[ /-]\d)?", rb"medicare", False),
    ("DE_TAX_ID", "de.idnr", rb"\d{2} ?\d{3} ?\d{3} ?\d{3}", rb"steuer-?id|idnr|steuerliche|steuernummer|steueridentifikationsnummer", False),
    ("DE_TAX_NUMBER", never_valid, rb"\d{2,3}[/ ]\d{3,4}[/ ]\d{4,5}", rb"steuernummer|steuer-?nr|st\.?-?nr", False),
    ("DE_SOCIAL_SECURITY", is_german_social_security, rb"\d{2} ?\d{6} ?[A-Z] ?\d{3}", rb"rentenversicherung|sozialversicherung|rvnr|svnr", True),
    ("FR_NIR", "fr.nir", rb"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", rb"nir|insee|s\xffcurit\xff sociale", True),
    ("FR_NIF", "fr.nif", rb"[0-3]\d ?\d\d ?\d{3} ?\d{3} ?\d{3}", rb"num\xffro fiscal|spi|nif", False),
    ("ES_NIF", "es.dni", rb"\d{8}-?[A-Z]", rb"dni|nif", True),
    ("ES_NIE", "es.nie", rb"[XYZ]-?\d{7}-?[A-Z]", rb"nie", True),
    ("IT_FISCAL_CODE", "it.codicefiscale", rb"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]", rb"codice fiscale", True),
    ("NL_BSN", "nl.bsn", rb"\d{9}|\d{4}\.\d\d\.\d{3}", rb"bsn|burgerservicenummer|sofi", False),
    ("BE_NN", "be.nn", rb"\d\d\.?\d\d\.?\d\d-?\d{3}\.?\d\d", rb"rijksregister|registre national|nrn", False),
    ("BE_NN", "be.bis", rb"\d\d\.?[2-5]\d\.?\d\d-?\d{3}\.?\d\d", rb"bis|rijksregister|registre national", False),
    ("PT_NIF", "pt.nif", rb"[1-9]\d{2} ?\d{3} ?\d{3}", rb"nif|contribuinte", False),
    ("PT_CC", "pt.cc", rb"\d{8} ?\d ?[A-Z0-9]{2}\d", rb"cart\xffo de cidad\xffo|cart\xffo do cidad\xffo|citizen card", False),
    ("CH_AHV", "ch.ssn", rb"756\.?\d{4}\.?\d{4}\.?\d\d", rb"ahv|avs|oasi", True),
    ("AT_SVNR", "at.vnr", rb"\d{4} ?\d{6}", rb"sozialversicherung|svnr|vsnr", False),
    ("AT_TIN", "at.tin", rb"\d{2}-?\d{3}/?\d{4}", rb"abgabenkonto|abgabenkontonummer|steuernummer", False),
    ("PL_PESEL", "pl.pesel", rb"\d{11}", rb"pesel", False),
    ("SE_PERSONNUMMER", "se.personnummer", rb"(?:\d\d)?\d{6}[-+]\d{4}", rb"personnummer", True),
    ("NO_FODSELSNUMMER", "no.fodselsnummer", rb"\d{6} ?\d{5}", rb"f\xffdselsnummer|fodselsnummer|personnummer", False),
    ("DK_CPR", "dk.cpr", rb"\d{6}-\d{4}", rb"cpr|personnummer", False),
    ("FI_PERSONAL_IDENTITY_CODE", "fi.hetu", rb"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", rb"hetu|henkil\xfftunnus", True),
    ("EE_IK", "ee.ik", rb"[1-8]\d{10}", rb"isikukood|personal code", False),
    ("LT_ASMENS", "lt.asmens", rb"[1-9]\d{10}", rb"asmens kodas|a\.k|personal code", False),
    ("LV_PK", "lv.pvn", rb"\d{6}-?\d{5}", rb"personas kod\w|p\.k|personal code", False),
    ("IE_PPS", "ie.pps", rb"\d{7}[A-W][ABHWTX]?", rb"pps|ppsn", True),
    ("CZ_RC", "cz.rc", rb"\d{6}/\d{3,4}", rb"rodn\xff|birth number", True),
    ("RO_CNP", "ro.cnp", rb"[1-9]\d{12}", rb"cnp|cod numeric", False),
    ("BG_EGN", "bg.egn", rb"\d{10}", rb"egn|\xff{3}", False),
    ("HR_OIB", "hr.oib", rb"\d{11}", rb"oib|osobni identifikacijski", False),
    ("HU_TAX_ID", is_hungarian_tax_id, rb"8\d{9}", rb"ad\xffazonos\xfft\xff|ad\xffsz\xffm|tax id", False),
    ("SI_EMSO", "si.emso", rb"\d{13}", rb"em\xffo|emso|jmbg", False),
    ("SI_TAX_ID", "si.ddv", rb"[1-9]\d{7}", rb"dav\xffna|davcna", False),
    ("GR_AFM", "gr.vat", rb"\d{9}", rb"afm", False),
    ("GR_AMKA", "gr.amka", rb"\d{11}", rb"amka", False),
    ("CY_TIC", "cy.vat", rb"\d{8}[A-Z]", rb"tic|tax identification code|tin", False),
    ("MT_ID", never_valid, rb"\d{3,7}[APMGLHBZ]", rb"identita|maltese id|malta id", False),
    ("LU_NIN", is_luxembourgish, rb"(?:1[89]|20)\d{2} ?[01]\d ?[0-3]\d ?\d{5}", rb"matricule|identifiant national", True),
    ("BR_CPF", "br.cpf", rb"\d{3}\.\d{3}\.\d{3}-\d\d", rb"cpf", True),
    ("BR_CPF", "br.cpf", rb"\d{11}", rb"cpf", False),
    ("MX_CURP", "mx.curp", rb"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", rb"curp", True),
    ("CL_RUT", "cl.rut", rb"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", rb"rut|run", True),
    ("AR_DNI", "ar.dni", rb"\d{1,2}\.\d{3}\.\d{3}", rb"dni|documento", False),
    ("IN_AADHAAR", "in_.aadhaar", rb"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", rb"aadhaar|aadhar|uidai", False),
    ("IN_PAN", "in_.pan", rb"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", rb"pan", True),
    ("IN_VOTER", "in_.epic", rb"[A-Z]{3}\d{7}", rb"epic|voter", False),
    ("JP_MY_NUMBER", "jp.in_", rb"\d{4}[ -]?\d{4}[ -]?\d{4}", rb"my ?number|individual number", False),
    ("CN_RIC", "cn.ric", rb"\d{6}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:[012]\d|3[01])\d{3}[0-9X]", rb"resident|\xff{3}", True),
    ("KR_RRN", "kr.rrn", rb"\d{6}-[0-8]\d{6}", rb"rrn|resident registration", True),
    ("ZA_ID", "za.idnr", rb"\d{13}", rb"south africa|south african id|rsa id|sa id|id number", False),
    ("TR_NATIONAL_ID", "tr.tckimlik", rb"[1-9]\d{10}", rb"kimlik|tckn", False),
    ("IL_ID", "il.idnr", rb"\d{9}", rb"teudat|israeli", False),
    ("TH_TNIN", "th.pin", rb"\d-\d{4}-\d{5}-\d\d-\d", rb"thai", True),
)  # fmt: skip
"""Type, check, form, context words, and whether a valid number counts without one."""
_TERMS = {
    "JP_MY_NUMBER": ("マイナンバー", "個人番号"),
    "IL_ID": ("תעודת זהות",),
    "GR_AFM": ("αφμ", "α.φ.μ"),
    "GR_AMKA": ("αμκα",),
    "LV_PK": ("personas kods",),
}
"""Context words by type that are not ASCII."""
GATE = rb"(?:\d[ ./+-]{0,2}){6}|[A-Z]{5}\d{4}[A-Z]|[A-Z]{6}\d\d[A-Z]|(?i:identita|malt(?:a|ese) id)"
"""Six digits close together, the letters and digits of a PAN or codice fiscale, or the words of Malta's short numbers."""
_FEWEST_DIGITS = 3
"""Digits of the shortest form, that of Malta."""
RULES = tuple(
    rule(type_, f"{check.replace('.', '-')}" if isinstance(check, str) else type_.lower().replace("_", "-"),
         check, pattern, words, alone=alone, terms=_TERMS.get(type_, ()), digits=_FEWEST_DIGITS)
    for type_, check, pattern, words, alone in _TABLE
)  # fmt: skip
