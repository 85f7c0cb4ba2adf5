"""Types of personal data, by the names that the stock router's and Presidio's detectors use.

Two groups contain narrower types. ``NATIONAL_ID`` is what every list of types means that says nothing else;
``NAMED_TYPES`` are found only if a policy lists them, because their numbers are not personal by themselves or
because the group already covers them.
"""

from __future__ import annotations

from collections.abc import Collection

from vsr_schemas.pii_numbers import COMPANIES, PEOPLE

PATTERN_TYPES = frozenset(
    {
        "CREDIT_CARD",
        "CRYPTO",
        "DATE_TIME",
        "DOMAIN_NAME",
        "EMAIL_ADDRESS",
        "IBAN_CODE",
        "IP_ADDRESS",
        "MAC_ADDRESS",
        "NATIONAL_ID",
        "PHONE_NUMBER",
        "URL",
        "US_SSN",
    }
)
"""Types that have a shape or a checksum: patterns find them."""
MODEL_TYPES = frozenset(
    {
        "AGE",
        "GPE",
        "NRP",
        "ORGANIZATION",
        "PERSON",
        "STREET_ADDRESS",
        "TITLE",
        "US_DRIVER_LICENSE",
        "ZIP_CODE",
    }
)
"""Types that only a model which reads the sentence can find."""
ALL_TYPES = PATTERN_TYPES | MODEL_TYPES
"""Types that a list of allowed types leaves to be found, if it names none of the others."""
NAMED_TYPES = frozenset({"POSTAL_ADDRESS", "TAX_ID", *PEOPLE, *COMPANIES})
"""Types that patterns find only if they are named."""
POLICY_TYPES = ALL_TYPES | NAMED_TYPES
"""Every type that a policy can list."""
GROUPS = {**dict.fromkeys(PEOPLE, "NATIONAL_ID"), **dict.fromkeys(COMPANIES, "TAX_ID")}
"""The group of each narrower type."""
_ALL_NAMED = "NAMED_TYPES"
"""Entry of a list of allowed types without any of ``NAMED_TYPES``: all of them are to be found."""

_SPELLINGS = {
    "PERSON": "FIRSTNAME FIRST_NAME GIVENNAME LASTNAME LAST_NAME MIDDLENAME NAME PER PERSON_NAME SURNAME",
    "ORGANIZATION": "COMPANY COMPANYNAME ORG ORGANISATION",
    "GPE": "CITY COUNTRY COUNTY LOC LOCATION STATE",
    "NRP": "NATIONALITY NORP RELIGION",
    "STREET_ADDRESS": "ADDRESS BUILDINGNUMBER BUILDINGNUM STREET STREETADDRESS",
    "ZIP_CODE": "POSTCODE ZIP ZIPCODE",
    "TITLE": "JOBTITLE PREFIX",
    "US_DRIVER_LICENSE": "DRIVERLICENSE DRIVERLICENSENUM",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE PHONENUMBER TELEPHONENUM",
    "CREDIT_CARD": "CREDITCARD CREDITCARDNUMBER",
    "US_SSN": "SOCIALNUM SSN",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP IPADDRESS IPV4 IPV6",
    "MAC_ADDRESS": "MAC",
    "NATIONAL_ID": "IDCARDNUM NATIONALID",
    "TAX_ID": "TAXNUM TAXID",
    "DATE_TIME": "DATE DATEOFBIRTH TIME",
}
_OURS = {spelling: ours for ours, spellings in _SPELLINGS.items() for spelling in spellings.split()}


def type_of(name: str) -> str:
    """A checkpoint's name of a type as we spell it; a name that says nothing to us stays as it is.

    Known are Presidio's names, which the stock router's checkpoints use, and those of CoNLL, OntoNotes and ai4privacy.
    """
    plain = name.upper().replace("-", "_")
    return plain if plain in POLICY_TYPES else _OURS.get(plain, name)


def allowed_types(types: Collection[str]) -> list[str]:
    """Return the list of allowed types, in the stock router's format, that leaves these types to be found."""
    denied = frozenset(types)
    named = NAMED_TYPES - denied if denied & NAMED_TYPES else frozenset()
    whole = {_ALL_NAMED} if denied >= NAMED_TYPES else frozenset()
    return sorted((ALL_TYPES - denied) | named | whole)


def denied_types(allowed: Collection[str]) -> frozenset[str]:
    """Return the types that a list of allowed types leaves to be found."""
    named = NAMED_TYPES if any(name in NAMED_TYPES or name == _ALL_NAMED for name in allowed) else frozenset()
    return (ALL_TYPES | named) - frozenset(allowed)
