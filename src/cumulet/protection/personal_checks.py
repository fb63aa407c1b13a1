"""The published check digits of personal numbers: each function says whether a matched text is such a number.

Spaces, dots, slashes and hyphens are dropped, letters count in either case.
"""

import re
from datetime import date
from itertools import cycle

from cumulet.protection.checks import luhn, weighted

DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
KELVIN = "\N{KELVIN SIGN}"  # RE2 takes it for a k where case doesn't matter
BARE = str.maketrans({" ": "", ".": "", "-": "", "/": "", KELVIN: "K"})
CODICE_FISCALE_ODD = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2, strict=False)
) | dict(zip("KLMNOPQRSTUVWXYZ", [2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))
VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True))
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
NINO_PREFIXES_NEVER_USED = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
UTR_CHECK_DIGITS = "21987654321"
FIRST_YEAR, LAST_YEAR = 1850, 2100


def bare(text: str) -> str:
    """The number without its separators, in upper case."""
    return text.translate(BARE).upper()


def _icao(text: str) -> str:
    """ICAO 9303: the check digit of a travel document's number."""
    return str(sum(int(each, 36) * weight for each, weight in zip(text, cycle((7, 3, 1)), strict=False)) % 10)


def _is_repeated(number: str) -> bool:
    return len(set(number)) == 1


def is_cpf(text: str) -> bool:
    """Brazil, CPF: two check digits modulo 11; eleven times the same digit is never given out."""
    number = bare(text)
    first = weighted(number[:9], range(10, 1, -1), 11) * 10 % 11 % 10
    second = weighted(number[:10], range(11, 1, -1), 11) * 10 % 11 % 10
    return number[9:] == f"{first}{second}" and not _is_repeated(number)


def is_cnpj(text: str) -> bool:
    """Brazil, CNPJ: two check digits modulo 11; letters (since July 2026) count as ASCII code minus 48."""
    number = bare(text)
    values = [ord(each) - 48 for each in number]
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    for place in (12, 13):
        rest = sum(value * weight for value, weight in zip(values, weights[13 - place :], strict=False)) % 11
        if values[place] != (0 if rest < 2 else 11 - rest):
            return False
    return not _is_repeated(number)


def is_sin(text: str) -> bool:
    """Canada, social insurance number: Luhn; none begins with 0 or 8."""
    number = bare(text)
    return number[0] not in "08" and luhn(number)


def is_ssn(text: str) -> bool:
    """US, social security number: areas 000, 666 and 9xx, group 00 and serial 0000 are never given out."""
    number = bare(text)
    return (
        number[:3] not in ("000", "666")
        and number[0] != "9"
        and number[3:5] != "00"
        and number[5:] != "0000"
        and not _is_repeated(number)
    )


def is_vin(text: str) -> bool:
    """ISO 3779: ends in four digits; in North America (first character 1-5) the ninth is a check digit modulo 11."""
    number = bare(text)
    if not number[-4:].isdigit() or number.isdigit():
        return False
    rest = sum(int(VIN_VALUES[each]) * weight for each, weight in zip(number, VIN_WEIGHTS, strict=True)) % 11
    return number[0] not in "12345" or number[8] == ("X" if rest == 10 else str(rest))


def is_dni(text: str) -> bool:
    """Spain, DNI and NIE: the letter is the number modulo 23; X, Y, Z begin as 0, 1, 2."""
    number = bare(text)
    if number[0] in "KLM":
        return number[1:8].isdigit() and number[-1] == DNI_LETTERS[int(number[1:8]) % 23]
    if number[0] in "XYZ":
        number = str("XYZ".index(number[0])) + number[1:]
    return number[-1] == DNI_LETTERS[int(number[:-1]) % 23]


def is_cif(text: str) -> bool:
    """Spain, CIF: a control digit, or its letter, as Luhn over the seven digits."""
    number = bare(text)
    rest = sum(map(int, number[2:8:2])) + sum(sum(divmod(2 * int(digit), 10)) for digit in number[1:8:2])
    control = -rest % 10
    if number[0] in "PQRSNW":
        return number[8] == "JABCDEFGHI"[control]
    return number[8] in (str(control), "JABCDEFGHI"[control])


def is_spanish_ssn(text: str) -> bool:
    """Spain, affiliation number: the last two digits are the rest modulo 97."""
    number = bare(text)
    province, serial = int(number[:2]), int(number[2:10])
    whole = province * 10_000_000 + serial if serial < 10_000_000 else int(number[:10])
    return 0 < province < 67 and int(number[10:]) == whole % 97


def is_insee(text: str) -> bool:
    """France, NIR: the key is 97 minus the number modulo 97; Corsica's 2A and 2B count as 19 and 18."""
    number = bare(text).replace("2A", "19").replace("2B", "18")
    return int(number[13:]) == 97 - int(number[:13]) % 97


def is_french_tax_id(text: str) -> bool:
    """France, SPI: the last three of thirteen digits are the first ten modulo 511."""
    number = bare(text)
    return number[0] in "0123" and int(number[10:]) == int(number[:10]) % 511


def is_german_tax_id(text: str) -> bool:
    """Germany, Steuer-ID: ISO 7064 modulo 11, 10; of the first ten digits exactly one comes twice or three times."""
    number = bare(text)
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    repeated = [number[:10].count(digit) for digit in set(number[:10]) if number[:10].count(digit) > 1]
    return number[0] != "0" and repeated in ([2], [3]) and int(number[10]) == (11 - product) % 10


def is_german_document(text: str) -> bool:
    """Germany, passport and identity card: nine characters; a tenth is their ICAO 9303 check digit."""
    number = bare(text).removesuffix("D")
    return any(map(str.isdigit, number)) and (len(number) == 9 or number[9] == _icao(number[:9]))


def is_german_license(text: str) -> bool:
    """Germany, driving licence: the tenth character is the weighted sum of the first nine modulo 11, 10 as X."""
    number = bare(text)
    rest = sum(int(each, 36) * weight for each, weight in zip(number[:9], range(9, 0, -1), strict=True)) % 11
    return number[9] == ("X" if rest == 10 else str(rest))


def is_codice_fiscale(text: str) -> bool:
    """Italy, codice fiscale: the sixteenth character checks the others, odd places by a table of their own."""
    number = bare(text)
    even = sum(int(each) if each.isdigit() else ord(each) - ord("A") for each in number[1:15:2])
    return number[15] == chr((even + sum(CODICE_FISCALE_ODD[each] for each in number[:15:2])) % 26 + ord("A"))


def is_nino(text: str) -> bool:
    """UK, national insurance number: some prefixes are never given out."""
    return bare(text)[:2] not in NINO_PREFIXES_NEVER_USED


def is_utr(text: str) -> bool:
    """UK, unique taxpayer reference: the first of ten digits checks the others; a temporary one has no check."""
    number = bare(text).removesuffix("K")
    if not number.isdigit():
        return True
    return number[0] == UTR_CHECK_DIGITS[weighted(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2), 11)]


def is_hetu(text: str) -> bool:
    """Finland, personal identity code, which the driving licence bears: the last character is the rest modulo 31."""
    number = text.upper()
    return number[-1] == HETU_LETTERS[int(number[:6] + number[7:10]) % 31]


def is_swedish(text: str) -> bool:
    """Sweden, personal identity number, also the driving licence's: a date and Luhn over ten digits."""
    number = bare(text).replace("+", "")[-10:]
    return 1 <= int(number[2:4]) <= 12 and 1 <= int(number[4:6]) <= 91 and luhn(number)


def is_latitude_longitude(text: str) -> bool:
    """Decimal degrees: the first of the pair within 90, the second within 180."""
    latitude, longitude = (abs(float(part)) for part in text.replace("°", "").replace(";", ",").split(","))
    return latitude <= 90 and longitude <= 180


def is_date(text: str) -> bool:
    """A day that can be, read as year-month-day, day-month-year or month-day-year, or with a named month."""
    if any(each.isalpha() and each not in "TZ" for each in text):
        return True
    text = text.partition("T")[0]
    parts = [part for part in re.split(r"[-‐/. ]", text) if part]
    if len(parts) == 3:
        readings = [parts]
    elif len(text) == 8:
        readings = [[text[:4], text[4:6], text[6:]], [text[:2], text[2:4], text[4:]]]
    else:
        readings = [[text[:2], text[2:4], text[4:]], [text[4:], text[2:4], text[:2]]]
    return any(_is_day(*reading) for reading in readings)


def _is_day(first: str, second: str, third: str) -> bool:
    if len(first) == 4:
        return _exists(int(first), int(second), int(third))
    years = [int(third)] if len(third) == 4 else [1900 + int(third), 2000 + int(third)]
    pairs = [(int(second), int(first)), (int(first), int(second))]
    return any(_exists(year, month, day) for year in years for month, day in pairs)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return FIRST_YEAR <= date(year, month, day).year <= LAST_YEAR
    except ValueError:
        return False
