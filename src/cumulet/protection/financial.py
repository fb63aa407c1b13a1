"""Payment cards and bank accounts."""

import re

from cumulet.protection.checks import digits, luhn, mod97
from cumulet.protection.identifier import Identifier
from cumulet.protection.reserved_cards import RESERVED_CARD_NUMBERS

_ACCOUNT_KEYWORDS = (
    "account code", "account number", "accountno#", "accountnumber#", "bban", "customer account id",
    "customer account number", "customer bank account id", "iban",
)  # fmt: skip
_IBAN_SEPARATOR = "[ -]?"
_MONTH = re.compile(r"(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[0-9]{2}|20[0-9]{2} ?[/-] ?(?:0[1-9]|1[0-2])")


def _is_card_number(text: str) -> bool:
    return luhn(text) and digits(text) not in RESERVED_CARD_NUMBERS


def _is_month(text: str) -> bool:
    return _MONTH.fullmatch(text) is not None


def _is_track(text: str) -> bool:
    """A magnetic stripe begins with a card number."""
    return luhn(text.lstrip("%;Bb").replace("^", "=").split("=")[0])


def _iban(country: str, *groups: str) -> str:
    """An IBAN as it is printed, in groups of four, or in one piece."""
    return rf"(?i)\b{country}[0-9]{{2}}" + "".join(_IBAN_SEPARATOR + group for group in groups) + r"\b"


CREDIT_CARD_NUMBER = Identifier(
    name="CreditCardNumber",
    category="Financial",
    title="Number of a payment card",
    patterns=(
        # Visa, Electron, Mastercard, Discover, JCB, UnionPay, Dankort and Maestro.
        r"\b(?:4[0-9]|5[0-8]|2[2-7]|6[0-9]|3[05689]|81)[0-9]{11,17}\b",
        r"\b(?:4[0-9]|5[0-8]|2[2-7]|6[0-9]|35|81)[0-9]{2}(?:-[0-9]{4}){3}\b",
        r"\b(?:4[0-9]|5[0-8]|2[2-7]|6[0-9]|35|81)[0-9]{2}(?: [0-9]{4}){3}(?: [0-9]{3})?\b",
        # American Express and Diners Club.
        r"\b3[47][0-9]{13}\b",
        r"\b3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5}\b",
        r"\b3[0689][0-9]{2}[ -][0-9]{6}[ -][0-9]{4}\b",
    ),
    keywords=(
        "account number", "american express", "amex", "bank card", "card", "card num", "card number", "cc #", "ccn",
        "check card", "credit", "credit card#", "dankort", "debit", "debit card", "diners club", "discover", "electron",
        "elo verification code", "japanese card bureau", "jcb", "mastercard", "mc", "pan", "payment account number",
        "payment card number", "pcn", "union pay", "visa",
    ),
    check=_is_card_number,
    matches=(
        ("My credit card number is 4539894458086459", "4539894458086459"),
        ('{"cardNumber": 4539894458086459}', "4539894458086459"),
        ("visa 4539 8944 5808 6459 (order 12)", "4539 8944 5808 6459"),
        ("amex 3714-496353-98456, thanks", "3714-496353-98456"),
    ),
    misses=(
        "order 4539894458086459",
        "card 4539894458086450",
        "card 4111111111111111 is a test number of its issuer",
        "card c0ffee-4539894458086459a",
    ),
)  # fmt: skip

CREDIT_CARD_EXPIRATION = Identifier(
    name="CreditCardExpiration",
    category="Financial",
    title="Expiration date of a payment card",
    # Longer dates match, too, and fail the check: sessions and links expire on those.
    patterns=(r"\b[0-9]{1,4} ?[/-] ?[0-9]{1,4}(?: ?[/-] ?[0-9]{1,4}(?:T[0-9:.]{1,20})?)?\b",),
    keywords=("exp d", "exp m", "exp y", "expiration", "expiry"),
    check=_is_month,
    is_whole=True,
    matches=(
        ("expiry: 09/27", "09/27"),
        ('{"expiration": "12-2029"}', "12-2029"),
        ('{"expiry": "2027-09"}', "2027-09"),
    ),
    misses=(
        "until 09/27",
        "expiration 13/27",
        "expiration 21/11/2026",
        '{"Expiration": "2026-11-21T10:00:00Z"}',
        "expiry in 3600 s",
    ),
)

CREDIT_CARD_MAGNETIC_STRIPE = Identifier(
    name="CreditCardMagneticStripe",
    category="Financial",
    title="Magnetic stripe of a payment card, track 1 or 2",
    patterns=(
        r"%[Bb][0-9]{13,19}\^[^\^\r\n?]{2,26}\^[0-9]{7}[^?\r\n]{0,60}\??",
        r";[0-9]{13,19}=[0-9]{7}[0-9=]{0,30}\??",
    ),
    keywords=("card data", "iso7813", "mag", "magstripe", "stripe", "swipe"),
    check=_is_track,
    matches=(
        ("swipe: ;4539894458086459=27091010000012300000?", ";4539894458086459=27091010000012300000?"),
        (
            "magstripe %B4539894458086459^DOE/JANE^27091010000000000000?",
            "%B4539894458086459^DOE/JANE^27091010000000000000?",
        ),
    ),
    misses=("track ;4539894458086459=27091010000012300000?", "swipe ;4539894458086450=27091010000012300000?"),
)

CREDIT_CARD_SECURITY_CODE = Identifier(
    name="CreditCardSecurityCode",
    category="Financial",
    title="Verification code of a payment card",
    patterns=(r"\b[0-9]{3,4}\b",),
    keywords=(
        "card id", "card identification code", "card identification number", "card security code",
        "card validation code", "card validation number", "card verification data", "card verification value", "cvc",
        "cvc2", "cvv", "cvv2", "elo verification code",
    ),
    matches=(("cvv: 123", "123"), ('{"cardSecurityCode": "4321"}', "4321")),
    misses=("room 123", "cvv 12", "cvv 12345"),
)  # fmt: skip

BANK_ACCOUNT_DE = Identifier(
    name="BankAccountNumber-DE",
    category="Financial",
    title="Bank account, Germany: IBAN",
    patterns=(_iban("DE", *["[0-9]{4}"] * 4, "[0-9]{2}"),),
    keywords=(
        *_ACCOUNT_KEYWORDS, "bankleitzahl", "geheimzahl", "kartennummer", "kontonummer", "kreditkartennummer", "sepa",
    ),
    check=mod97,
    matches=(
        ("IBAN DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("kontonummer: DE89370400440532013000.", "DE89370400440532013000"),
    ),
    misses=("iban DE89370400440532013001", "ref DE89370400440532013000", "iban FR1420041010050500013M02606"),
)  # fmt: skip

BANK_ACCOUNT_ES = Identifier(
    name="BankAccountNumber-ES",
    category="Financial",
    title="Bank account, Spain: IBAN",
    patterns=(_iban("ES", *["[0-9]{4}"] * 5),),
    keywords=(
        *_ACCOUNT_KEYWORDS, "código cuenta", "código cuenta bancaria", "cuenta cliente id",
        "número cuenta bancaria cliente", "número cuenta cliente",
    ),
    check=mod97,
    matches=(
        ("número cuenta cliente ES91 2100 0418 4502 0005 1332", "ES91 2100 0418 4502 0005 1332"),
        ('{"iban":"ES9121000418450200051332"}', "ES9121000418450200051332"),
    ),
    misses=("iban ES9121000418450200051333", "ES9121000418450200051332"),
)  # fmt: skip

BANK_ACCOUNT_FR = Identifier(
    name="BankAccountNumber-FR",
    category="Financial",
    title="Bank account, France: IBAN",
    patterns=(_iban("FR", "[0-9]{4}", "[0-9]{4}", "[0-9]{2}[0-9A-Z]{2}", *["[0-9A-Z]{4}"] * 2, "[0-9A-Z][0-9]{2}"),),
    keywords=(*_ACCOUNT_KEYWORDS, "code bancaire", "compte bancaire", "numéro de compte"),
    check=mod97,
    matches=(
        ("Numéro de compte FR14 2004 1010 0505 0001 3M02 606", "FR14 2004 1010 0505 0001 3M02 606"),
        ("iban fr1420041010050500013m02606", "fr1420041010050500013m02606"),
    ),
    misses=("iban FR1420041010050500013M02607", "FR1420041010050500013M02606"),
)

BANK_ACCOUNT_GB = Identifier(
    name="BankAccountNumber-GB",
    category="Financial",
    title="Bank account, United Kingdom: IBAN",
    patterns=(_iban("GB", "[A-Z]{4}", *["[0-9]{4}"] * 3, "[0-9]{2}"),),
    keywords=(*_ACCOUNT_KEYWORDS, "sepa"),
    check=mod97,
    matches=(
        ("account number GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 19"),
        ("SEPA transfer to GB29NWBK60161331926819", "GB29NWBK60161331926819"),
    ),
    misses=("iban GB29NWBK60161331926818", "GB29NWBK60161331926819"),
)

BANK_ACCOUNT_IT = Identifier(
    name="BankAccountNumber-IT",
    category="Financial",
    title="Bank account, Italy: IBAN",
    patterns=(_iban("IT", "[A-Z][0-9]{3}", "[0-9]{4}", "[0-9]{3}[0-9A-Z]", *["[0-9A-Z]{4}"] * 2, "[0-9A-Z]{3}"),),
    keywords=(*_ACCOUNT_KEYWORDS, "codice bancario", "conto bancario", "numero di conto"),
    check=mod97,
    matches=(
        ("numero di conto IT60 X054 2811 1010 0000 0123 456", "IT60 X054 2811 1010 0000 0123 456"),
        ("iban=IT60X0542811101000000123456", "IT60X0542811101000000123456"),
    ),
    misses=("iban IT60X0542811101000000123457", "IT60X0542811101000000123456"),
)

BANK_ACCOUNT_US = Identifier(
    name="BankAccountNumber-US",
    category="Financial",
    title="Bank account, United States",
    patterns=(r"\b[0-9]{6,17}\b",),
    keywords=(
        "bank account", "bank acct", "checking account", "checking acct", "deposit account", "deposit acct",
        "savings account", "savings acct", "chequing account", "chequing acct",
    ),
    matches=(("checking account 000123456789", "000123456789"), ('{"bank_account": 12345678}', "12345678")),
    misses=("account 000123456789", "bank account no. 12345", "savings account AB12345678"),
)  # fmt: skip

IDENTIFIERS = (
    BANK_ACCOUNT_DE, BANK_ACCOUNT_ES, BANK_ACCOUNT_FR, BANK_ACCOUNT_GB, BANK_ACCOUNT_IT, BANK_ACCOUNT_US,
    CREDIT_CARD_EXPIRATION, CREDIT_CARD_MAGNETIC_STRIPE, CREDIT_CARD_NUMBER, CREDIT_CARD_SECURITY_CODE,
)  # fmt: skip
