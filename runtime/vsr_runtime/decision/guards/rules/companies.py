"""Numbers of companies and the self-employed: VAT and business numbers."""

from __future__ import annotations

from vsr_runtime.decision.guards.rules.numbers_by_country import Check, rule

_VAT = rb"vat|vat(?:in)? ?(?:id|no|number|reg)|ust-?id(?:nr|-nr)?|umsatzsteuer|uid|tva|iva|btw|moms|mwst|alv|dph|ddv|pvm|pvn|kmkr|\xfffa|tax|invoice"
_STRONG = frozenset({"AT", "BE", "FR", "NL"})
"""Countries whose VAT numbers have a letter in a fixed position, or two check digits."""


def _is_strong_vat(number: str) -> bool:
    return number[:2] in _STRONG and _is_vat(number)


def _is_vat(number: str) -> bool:
    from stdnum.eu import vat  # noqa: PLC0415 - needed only when a number has this form

    return bool(vat.is_valid(f"GB{number[2:]}" if number[:2] == "XI" else number))


def _has_letter(number: str) -> bool:
    return any(character.isalpha() for character in number)


def _is_lettered_uscc(number: str) -> bool:
    from stdnum.cn import uscc  # noqa: PLC0415 - as above

    return _has_letter(number[1:]) and bool(uscc.is_valid(number))


def _is_lettered_cnpj(number: str) -> bool:
    from stdnum.br import cnpj  # noqa: PLC0415 - as above

    return bool(cnpj.is_valid(number))


_PREFIX = rb"(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)"
_EU = _PREFIX + rb" ?[0-9A-Z](?:[ .-]?[0-9A-Z]){6,12}"
_CNPJ = rb"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d\d"
_USCC = rb"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}"
_TABLE: tuple[tuple[str, Check, bytes, bytes, bool], ...] = (
    ("EU_VAT", _is_strong_vat, _EU, _VAT, True),
    ("EU_VAT", _is_vat, _EU, _VAT, False),
    ("UK_VAT", "gb.vat", rb"(?:GB ?)?\d{3} ?\d{4} ?\d{2}(?: ?\d{3})?", rb"vat", False),
    ("IT_VAT_CODE", "it.iva", rb"\d{11}", rb"partita iva|p\. ?iva|p\.iva", False),
    ("ES_CIF", "es.cif", rb"[ABCDEFGHJNPQRSUVW]-?\d{7}-?[0-9A-J]", rb"cif|nif|iva", False),
    ("FR_SIREN", "fr.siret", rb"\d{3} ?\d{3} ?\d{3} ?\d{5}", rb"siret", False),
    ("FR_SIREN", "fr.siren", rb"\d{3} ?\d{3} ?\d{3}", rb"siren|rcs", False),
    ("PL_NIP", "pl.nip", rb"\d{3}-?\d{3}-?\d{2}-?\d{2}|\d{3}-\d{2}-\d{2}-\d{3}", rb"nip", False),
    ("SE_ORGANISATIONSNUMMER", "se.orgnr", rb"\d{6}-?\d{4}", rb"org\.?-?(?:nr|nummer)|organisationsnummer", False),
    ("US_EIN", "us.ein", rb"\d{2}-\d{7}", rb"f?ein|employer id|employer identification", False),
    ("CA_BN", "ca.bn", rb"\d{9} ?(?:RC|RM|RP|RT) ?\d{4}", rb"business number|gst|hst", True),
    ("CA_BN", "ca.bn", rb"\d{5} ?\d{4}|\d{3} \d{3} \d{3}", rb"business number|bn|cra", False),
    ("AU_ABN", "au.abn", rb"\d{2} ?\d{3} ?\d{3} ?\d{3}", rb"abn|business number", False),
    ("AU_ACN", "au.acn", rb"\d{3} ?\d{3} ?\d{3}", rb"acn|company number", False),
    ("IN_GSTIN", "in_.gstin", rb"\d{2}[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", rb"gst(?:in)?", True),
    ("BR_CNPJ", _is_lettered_cnpj, _CNPJ, rb"cnpj", True),
    ("BR_CNPJ", _is_lettered_cnpj, rb"[0-9A-Z]{12}\d\d", rb"cnpj", False),
    ("CN_USCC", _is_lettered_uscc, _USCC, rb"unified social credit|uscc", True),
    ("CN_USCC", "cn.uscc", _USCC, rb"unified social credit|uscc", False),
    ("JP_CORPORATE_NUMBER", "jp.cn", rb"[1-9][ -]?\d{4}[ -]?\d{4}[ -]?\d{4}", rb"corporate number", False),
    ("KR_BRN", "kr.brn", rb"\d{3}-?\d{2}-?\d{5}", rb"brn|business registration", False),
)  # fmt: skip
"""Type, check, form, context words, and whether a valid number counts without one."""
_TERMS = {
    "CN_USCC": ("统一社会信用代码", "信用代码"),
    "JP_CORPORATE_NUMBER": ("法人番号",),
    "KR_BRN": ("사업자등록번호", "사업자 등록번호"),
}
GATE = rb"(?:\d[ ./-]{0,2}){5}|[0-9A-Z]{3}/[0-9A-Z]{4}-\d\d|[0-9A-Z]{12}\d\d|[A-Z]{2} ?[0-9A-Z](?:[ .-]?[0-9A-Z]){6}"
"""Five digits close together, or the letters and digits of a CNPJ or VAT number."""
RULES = tuple(
    rule(type_, type_.lower().replace("_", "-"), check, pattern, words, alone=alone, terms=_TERMS.get(type_, ()))
    for type_, check, pattern, words, alone in _TABLE
)
