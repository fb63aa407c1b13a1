"""The check digits of personal numbers, against numbers that authorities publish as examples."""

import re
from string import ascii_uppercase, digits

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulet.protection import personal_checks as checks
from cumulet.protection.catalogue import IDENTIFIERS

# Where one changed digit always makes the check fail; the UTR's table and dates don't promise that.
STRICT = [
    (checks.is_cpf, "529.982.247-25"),
    (checks.is_cnpj, "11.222.333/0001-81"),
    (checks.is_cnpj, "12.ABC.345/01DE-35"),
    (checks.is_sin, "130 692 544"),
    (checks.is_dni, "12345678Z"),
    (checks.is_dni, "X1234567L"),
    (checks.is_cif, "A58818501"),
    (checks.is_spanish_ssn, "28/12345678/40"),
    (checks.is_insee, "2 55 08 14 168 025 38"),
    (checks.is_french_tax_id, "30 23 217 600 053"),
    (checks.is_german_tax_id, "86 095 742 719"),
    (checks.is_german_tax_id, "47036892816"),
    (checks.is_german_document, "L01X00T471"),
    (checks.is_german_document, "C01X00T478"),
    (checks.is_german_license, "B072RRE2I55"),
    (checks.is_codice_fiscale, "RSSMRA85T10A562S"),
    (checks.is_hetu, "131052-308T"),
    (checks.is_swedish, "811218-9876"),
]
OTHERS = [
    (checks.is_utr, "1955839661", "1955839662"),
    (checks.is_utr, "11A12345", None),
    (checks.is_ssn, "123-45-6789", "666-45-6789"),
    (checks.is_insee, "285052A00401814", "285052B00401814"),
    (checks.is_nino, "AB123456C", "TN123456C"),
    (checks.is_vin, "1M8GDM9AXKP042788", "1M8GDM9A1KP042788"),
    (checks.is_vin, "WVWZZZ1JZ3W386752", "WVWZZZ1JZ3W38675Z"),
    (checks.is_cif, "P5881850A", "P58818501"),
    (checks.is_dni, "K0867756N", "K0867756X"),
    (checks.is_spanish_ssn, "280000000192", "280000000199"),
    (checks.is_german_document, "L01X00T47", "LFCXYZTFG"),
    (checks.is_hetu, "131052A308T", "131052A308U"),
    (checks.is_swedish, "19811218-9876", "811318-9876"),
    (checks.is_latitude_longitude, "-90.0, 180.0", "91.0, 18.0"),
    (checks.is_date, "31/12/1999", "31/13/1999"),
    (checks.is_date, "12-31-99", "32-12-99"),
    (checks.is_date, "19990228", "19990230"),
    (checks.is_date, "280299", "300299"),
    (checks.is_date, "2000 2 29", "1900 2 29"),
    (checks.is_date, "1TH MAY 1999", None),
]


def named(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("check", "number"), STRICT, ids=named)
def test_one_wrong_digit_is_noticed(check, number):
    assert check(number)
    payload = [
        index for index, each in enumerate(number) if each.isdigit() and index < len(number.rstrip(ascii_uppercase))
    ]
    if check is checks.is_german_license:
        payload = payload[:-1]  # the last character counts the copies
    for index in payload:
        for digit in set(digits) - {number[index]}:
            assert not check(number[:index] + digit + number[index + 1 :])


@pytest.mark.parametrize(("check", "right", "wrong"), OTHERS, ids=named)
def test_rules_beyond_check_digits(check, right, wrong):
    assert check(right)
    assert wrong is None or not check(wrong)


@pytest.mark.parametrize("digit", digits)
def test_one_digit_throughout_is_no_number_of_a_person(digit):
    assert not checks.is_cpf(digit * 11)
    assert not checks.is_cnpj(digit * 14)
    assert not checks.is_ssn(digit * 9)
    assert not checks.is_german_tax_id(digit * 11)


CHECKED = [
    pytest.param(each.check, pattern, id=f"{each.name} {number}")
    for each in IDENTIFIERS.values()
    if each.check and each.name != "Name"
    for number, pattern in enumerate(each.patterns + each.unaided)
]


@pytest.mark.parametrize(("check", "pattern"), CHECKED)
def test_no_check_stumbles_over_what_its_pattern_matches(check, pattern):
    @settings(max_examples=5, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    def stumbles(text: str) -> None:
        for spelling in (
            text,
            text.replace("K", "\N{KELVIN SIGN}"),
            text.replace("s", "\N{LATIN SMALL LETTER LONG S}"),
        ):
            assert check(spelling) in (True, False)

    stumbles()
