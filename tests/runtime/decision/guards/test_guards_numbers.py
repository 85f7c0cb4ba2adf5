# ruff: noqa: RUF001, S311 - Greek; seeds that repeat
"""Numbers of people and companies, by country."""

from __future__ import annotations

import importlib
import random

import pytest

from support.common import ROOT
from support.number_samples import entries, form, table, valid, word
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import personal, spans
from vsr_runtime.decision.guards.recogniser import SURE, compile_bytes, to_bytes
from vsr_runtime.decision.guards.rules import check_digits, companies, national
from vsr_runtime.decision.guards.rules.numbers_by_country import is_valid
from vsr_schemas.pii import ALL_TYPES, GROUPS, NAMED_TYPES, allowed_types, denied_types, type_of
from vsr_schemas.pii_numbers import COMPANIES, PEOPLE

ENTRIES = entries()
IDS = [f"{entry[0].type}-{entry[0].rule}-{number}" for number, entry in enumerate(ENTRIES)]


def found(types: list[str], text: str) -> list[tuple[str, str]]:
    """Type and text of what is found."""
    return [(span.type, text[span.start : span.end]) for span in spans([personal(types)], text, never)]


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_a_valid_number_is_found_whole_after_its_word(entry):
    """Every rule, also where the text has letters of other scripts."""
    recogniser, _, words, _ = entry
    number = valid(entry, random.Random(1))
    for text in (f"{word(words)}: {number}, ok", f"é {word(words)} {number}"):
        (kind, value) = found([recogniser.type], text)[0]
        assert kind == recogniser.type
        assert number in value


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_a_number_without_its_word_counts_only_if_its_form_says_enough(entry):
    """The column of the table."""
    recogniser, _, _, alone = entry
    number = valid(entry, random.Random(2))
    others = [rule for rule in (*national.RULES, *companies.RULES) if rule.type == recogniser.type and not rule.context]
    assert alone or others or not found([recogniser.type], f"so {number} is")
    assert not alone or found([recogniser.type], f"so {number} is")


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_the_gate_passes_every_form(entry):
    """A gate that saves time must pass whatever lies behind it."""
    gate = national.GATE if entry[0].type in PEOPLE else companies.GATE
    chance = random.Random(3)
    for _ in range(50):
        text = f"{word(entry[2])} {form(entry[0].pattern, chance)}"
        assert compile_bytes(gate).search(to_bytes(text)), text


def test_a_group_finds_what_its_types_find_under_its_own_name():
    """A narrower type that is listed besides keeps its name."""
    text = "Codice fiscale RSSMRA85T10A562S, DNI 12345678Z"
    assert {kind for kind, _ in found(["NATIONAL_ID"], text)} == {"NATIONAL_ID"}
    assert {kind for kind, _ in found(["IT_FISCAL_CODE"], text)} == {"IT_FISCAL_CODE"}
    assert {kind for kind, _ in found(["IT_FISCAL_CODE", "NATIONAL_ID"], text)} == {"IT_FISCAL_CODE", "NATIONAL_ID"}


def test_numbers_of_companies_are_found_only_where_a_policy_names_them():
    """They are public, and in every invoice."""
    text = "Our VAT number is BE0428759497."
    assert found(sorted(ALL_TYPES), text) == []
    assert found(["TAX_ID"], text) == [("TAX_ID", "BE0428759497")]
    assert found(["EU_VAT"], text) == [("EU_VAT", "BE0428759497")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("マイナンバーは 1234 5678 9018 です", "JP_MY_NUMBER"),
        ("个人 11010519491231002X", "CN_RIC"),
        ("统一社会信用代码:91110000600037341L", "CN_USCC"),
        ("ο αφμ μου είναι 094259216", "GR_AFM"),
        ("CNPJ 12.ABC.345/01DE-35", "BR_CNPJ"),
        ("NI number QQ123456C", "UK_NINO"),
    ],
)
def test_words_of_other_scripts_are_context(text, kind):
    """Also the number of 2026 with letters."""
    expected = [] if "QQ" in text else [kind]
    assert [name for name, _ in found([kind], text)] == expected


@pytest.mark.parametrize(
    ("check", "numbers"),
    [
        (check_digits.is_german_social_security, "15070649C103 65170839J003 12150785M041 53270139W032 13020281W025"),
        (check_digits.is_hungarian_tax_id, "8422780135"),
        (check_digits.is_luxembourgish, "1893120105732"),
        (check_digits.is_medicare, "2123456701 2622563151 4299844934 4300148487 4390255081 4900541786 5000370906"),
    ],
)
def test_check_digits_of_ours_are_those_of_public_validators(check, numbers):
    """Numbers that other validators have as valid samples (VKVV section 2; OECD's TIN page of Luxembourg).

    Every other check digit is wrong.
    """
    for number in numbers.split():
        place = 8 if check is check_digits.is_medicare else len(number) - 1
        accepted = [digit for digit in "0123456789" if check(f"{number[:place]}{digit}{number[place + 1 :]}")]
        assert accepted == [number[place]]


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if isinstance(entry[1], str)])
def test_numbers_of_python_stdnum_are_valid_exactly_if_it_says_so(entry):
    """Also with separators: what is found without a word is what the library accepts."""
    recogniser, check, _, _ = entry
    chance = random.Random(4)
    module = importlib.import_module(f"stdnum.{check}")
    for _ in range(50):
        number = form(recogniser.pattern, chance)
        try:
            expected = bool(module.is_valid(number))
        except LookupError:
            continue
        assert is_valid(check, number) == expected
        if not recogniser.context and expected:
            assert found([recogniser.type], f"so {number} is")


def test_wrong_check_digits_are_no_number():
    """Numbers of the right form, next to no word."""
    for number in ("12.ABC.345/01DE-36", "BE0428759498", "91110000600037341M", "27AAPFU0939F1ZW", "15070649C104"):
        assert found(sorted(NAMED_TYPES), f"so {number} is") == []


def test_a_number_that_the_library_cannot_judge_is_hidden():
    """python-stdnum raises KeyError for a county that is not in its table."""

    def unknown(number):
        raise KeyError(number)

    assert is_valid(unknown, "110105194912310021")
    assert found(["CN_RIC"], "resident 110105194912310021")


def test_random_digits_are_rarely_a_number():
    """Of numbers of 5 to 20 digits, plain and in groups of three and four, less than 1 % without a word."""
    chance = random.Random(4)
    finder = personal(["NATIONAL_ID", "TAX_ID"])
    wrong = 0
    for _ in range(2_000):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(5, 20)))
        size = chance.choice((3, 4, 20))
        groups = chance.choice(" -.").join(digits[at : at + size] for at in range(0, len(digits), size))
        found_spans = spans([finder], f"value {groups} of", never)
        wrong += bool(found_spans)
        assert all(span.score == SURE for span in found_spans)
    assert wrong < 20


@pytest.mark.parametrize("types", [["EMAIL_ADDRESS"], ["IT_FISCAL_CODE"], ["TAX_ID", "PERSON"], sorted(NAMED_TYPES)])
def test_lists_of_allowed_types_say_which_types_are_found(types):
    """The format of a signal lists what may be there. A list without a named type leaves none of them to be found."""
    assert denied_types(allowed_types(types)) == set(types)
    assert denied_types(sorted(ALL_TYPES - {"EMAIL_ADDRESS"})) == {"EMAIL_ADDRESS"}


def test_every_narrower_type_has_a_group_and_its_own_spelling():
    """Names of two tables that must agree."""
    assert {entry[0].type for entry in ENTRIES} == PEOPLE.keys() | COMPANIES.keys() == GROUPS.keys()
    assert all(type_of(name) == name for name in NAMED_TYPES)


def test_the_table_of_numbers_in_the_docs_is_true():
    """``python tests/support/number_samples.py`` prints it."""
    assert table() in (ROOT / "docs" / "reference" / "guards.md").read_text(encoding="utf-8")
