"""Check digits: the published examples pass, a wrong digit doesn't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.protection.checks import digits, luhn, mod97, weighted


@pytest.mark.parametrize("number", ["79927398713", "4539 8944 5808 6459", "18", "0000000000000018"])
def test_luhn_takes_numbers_that_add_up(number):
    assert luhn(number)


@pytest.mark.parametrize("number", ["79927398710", "4539894458086458", "", "0", "0000000000000000"])
def test_luhn_refuses_others_and_nothing_but_zeros(number):
    assert not luhn(number)


@given(st.text("0123456789", min_size=2, max_size=19), st.data())
def test_one_wrong_digit_fails_luhn(number, data):
    valid = next(number + last for last in "0123456789" if luhn(number + last) or not (number + last).strip("0"))
    place = data.draw(st.integers(0, len(valid) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != valid[place]]))

    assert not luhn(valid[:place] + wrong + valid[place + 1 :])


@pytest.mark.parametrize("iban", ["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432", "NO9386011117947"])
def test_mod97_takes_ibans(iban):
    assert mod97(iban)


@pytest.mark.parametrize("iban", ["GB82 WEST 1234 5698 7654 33", "BG82 WEST 1234 5698 7654 32", "GB" + "1" * 40])
def test_mod97_refuses_others(iban):
    assert not mod97(iban)


def test_digits_leaves_out_all_but_ascii_digits():
    assert digits("1a-2 ٣४5") == "125"


def test_weighted_sums_modulo():
    assert weighted("1234", (1, 2, 3), 5) == 4
