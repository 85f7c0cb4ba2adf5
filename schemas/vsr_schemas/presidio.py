"""Presidio's names of types of personal data, and ours.

Source: presidio-analyzer 2.2.366, predefined recognizers and conf/default.yaml, read 2026-12-02.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vsr_schemas.pii import type_of

_IDENTITIES = (
    "AU_MEDICARE",
    "AU_TFN",
    "CA_SIN",
    "DE_ID_CARD",
    "DE_SOCIAL_SECURITY",
    "DE_TAX_ID",
    "ES_NIE",
    "ES_NIF",
    "FI_PERSONAL_IDENTITY_CODE",
    "IN_AADHAAR",
    "IN_PAN",
    "IT_FISCAL_CODE",
    "IT_IDENTITY_CARD",
    "KR_FRN",
    "KR_RRN",
    "NG_NIN",
    "PH_TIN",
    "PL_PESEL",
    "SE_PERSONNUMMER",
    "SG_NRIC_FIN",
    "TH_TNIN",
    "TR_NATIONAL_ID",
    "UK_NHS",
    "UK_NINO",
    "US_ITIN",
    "ZA_ID_NUMBER",
)
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"GPE": ("LOCATION",), "NATIONAL_ID": _IDENTITIES, "ZIP_CODE": ("CA_POSTAL_CODE", "DE_PLZ", "UK_POSTCODE")}
)
"""Presidio's names of our types, where they differ."""
_OURS = {theirs: ours for ours, names in NAMES.items() for theirs in names}
DEFAULT_TYPES = frozenset(
    {
        "CREDIT_CARD",
        "CRYPTO",
        "DATE_TIME",
        "EMAIL_ADDRESS",
        "GPE",
        "IBAN_CODE",
        "IP_ADDRESS",
        "MAC_ADDRESS",
        "NATIONAL_ID",
        "NRP",
        "PERSON",
        "PHONE_NUMBER",
        "URL",
        "US_DRIVER_LICENSE",
        "US_SSN",
    }
)
"""Our types that an analyzer finds as it is shipped, for English. Its default configuration ignores organisations."""


def presidio_names(ours: str) -> tuple[str, ...]:
    """Return Presidio's names of one of our types."""
    return NAMES.get(ours, (ours,))


def from_presidio(theirs: str) -> str:
    """Return our name of one of Presidio's types; a name that says nothing to us stays as it is."""
    return _OURS.get(theirs) or type_of(theirs)
