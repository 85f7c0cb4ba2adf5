"""Types of personal data, by the names that the stock router's and Presidio's detectors use."""

from __future__ import annotations

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
    "DATE_TIME": "DATE DATEOFBIRTH TIME",
}
_OURS = {spelling: ours for ours, spellings in _SPELLINGS.items() for spelling in spellings.split()}


def type_of(name: str) -> str:
    """A checkpoint's name of a type as we spell it; a name that says nothing to us stays as it is.

    Known are Presidio's names, which the stock router's checkpoints use, and those of CoNLL, OntoNotes and ai4privacy.
    """
    plain = name.upper().replace("-", "_")
    return plain if plain in ALL_TYPES else _OURS.get(plain, name)
