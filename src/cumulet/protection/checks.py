"""Checks that numbers carry: a wrong digit or two that changed places make them fail."""

from collections.abc import Sequence

_IBAN_CHARACTERS = 34


def digits(text: str) -> str:
    """The ASCII digits of a text, without what stands between them."""
    return "".join(character for character in text if "0" <= character <= "9")


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1: every second digit from the right is doubled; the sum of all digits is a multiple of ten."""
    number = digits(text)
    total = sum(map(int, number[::-2])) + sum(sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return total % 10 == 0 and number.strip("0") != ""


def mod97(text: str) -> bool:
    """ISO 13616: an IBAN whose first four characters go to its end is, with letters as 10 to 35, 1 modulo 97."""
    number = "".join(character for character in text if character.isascii() and character.isalnum())
    if len(number) > _IBAN_CHARACTERS:
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def weighted(number: str, weights: Sequence[int], modulus: int) -> int:
    """The weighted sum of a number's digits modulo `modulus`; digits beyond the weights don't count."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % modulus
