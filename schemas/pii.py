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
