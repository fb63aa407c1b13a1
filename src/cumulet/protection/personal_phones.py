"""Telephone numbers. AWS: with a country code they are found anywhere, without one only near a keyword."""

from cumulet.protection.identifier import Identifier

KEYWORDS = (
    "cell",
    "contact",
    "fax",
    "fax number",
    "mobile",
    "phone",
    "phone number",
    "tel",
    "telephone",
    "telephone number",
)
BRAZILIAN_KEYWORDS = ("cel", "celular", "fone", "móvel", "número residencial", "numero residencial", "telefone")

GAP = "[ ./-]?"
NORTH_AMERICAN = r"(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-]?)[2-9][0-9]{2}[ .-]?[0-9]{4}\b"
NORTH_AMERICAN_NATIONAL = (
    r"(?:\b1[ .-]?)?\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-]?[0-9]{4}\b",
    r"\b(?:1[ .-]?)?[2-9][0-9]{2}[ .-]?[2-9][0-9]{2}[ .-]?[0-9]{4}\b",
)
BRAZILIAN_AREA = "0?[1-9]{2}"
BRAZILIAN_REST = r"[ -]?(?:9[ ]?[0-9]{4}|[2-9][0-9]{3})[ -]?[0-9]{4}\b"
FRENCH = r"[1-9](?:[ .-]?[0-9]{2}){4}\b"
SPANISH = r"[6-9](?:[ .-]?[0-9]){8}\b"
BRITISH = r"[1-9][0-9]{1,4}(?:[ -]?[0-9]){5,8}\b"
GERMAN = rf"[1-9][0-9]{{1,4}}(?:\){GAP}|{GAP})[0-9](?:[ -]?[0-9]){{3,9}}\b"
ITALIAN = r"(?:0[1-9][0-9]{0,3}|3[0-9]{2})[ ./-]?[0-9](?:[ .-]?[0-9]){4,7}\b"


def _identifier(
    country: str,
    title: str,
    international: str,
    national: tuple[str, ...],
    matches: tuple[tuple[str, str], ...],
    misses: tuple[str, ...],
    keywords: tuple[str, ...] = KEYWORDS,
) -> Identifier:
    return Identifier(
        name=f"PhoneNumber{country}",
        category="Personal",
        title=title,
        patterns=(*national, international.replace(r"\+", r"\b00", 1)),
        unaided=(international,),
        keywords=keywords,
        matches=matches,
        misses=misses,
    )


IDENTIFIERS = (
    _identifier(
        "",
        "Telephone number, any country",
        r"\+[1-9][0-9]{0,2}[ .-]?(?:\(0?[0-9]{1,4}\)[ .-]?)?[0-9](?:[ ./-]?[0-9]){5,11}\b",
        (
            *NORTH_AMERICAN_NATIONAL,
            rf"\(?\b0{GERMAN}",
            rf"\b0{FRENCH}",
            rf"\b{SPANISH}",
            rf"\b{ITALIAN}",
            rf"\({BRAZILIAN_AREA}\){BRAZILIAN_REST}",
        ),
        matches=(
            ("Call +44 20 7946 0958 today", "+44 20 7946 0958"),
            ('{"phone": "(206) 555-0123"}', "(206) 555-0123"),
            ('{"mobile": "030 901820"}', "030 901820"),
            ("phone (11) 91234-5678", "(11) 91234-5678"),
        ),
        misses=("2065550123", "1 + 2065550", "version 10.20.30"),
    ),
    _identifier(
        "-BR",
        "Telephone number, Brazil",
        rf"\+55[ .-]?(?:\({BRAZILIAN_AREA}\)|{BRAZILIAN_AREA}){BRAZILIAN_REST}",
        (rf"\({BRAZILIAN_AREA}\){BRAZILIAN_REST}", rf"\b{BRAZILIAN_AREA}{BRAZILIAN_REST}"),
        keywords=(*BRAZILIAN_KEYWORDS, *KEYWORDS),
        matches=(("+55 11 91234-5678", "+55 11 91234-5678"), ("celular: (11) 91234-5678", "(11) 91234-5678")),
        misses=("(11) 91234-5678", "celular: 1234"),
    ),
    _identifier(
        "-DE",
        "Telephone number, Germany",
        rf"\+49{GAP}(?:\(0\){GAP})?{GERMAN}",
        (rf"\(?\b0{GERMAN}",),
        matches=(("+49 30 901820", "+49 30 901820"), ("Tel. 0171/1234567", "0171/1234567")),
        misses=("0171/1234567", "Tel. +44 20 7946 0958"),
    ),
    _identifier(
        "-ES",
        "Telephone number, Spain",
        rf"\+34[ .-]?{SPANISH}",
        (rf"\b{SPANISH}",),
        matches=(("+34 612 345 678", "+34 612 345 678"), ("phone: 912345678", "912345678")),
        misses=("912345678", "phone: 512345678"),
    ),
    _identifier(
        "-FR",
        "Telephone number, France",
        rf"\+33[ .-]?(?:\(0\)[ ]?)?{FRENCH}",
        (rf"\b0{FRENCH}",),
        matches=(("+33 1 23 45 67 89", "+33 1 23 45 67 89"), ("tel: 06.12.34.56.78", "06.12.34.56.78")),
        misses=("06.12.34.56.78", "tel: 00.12.34.56.78"),
    ),
    _identifier(
        "-GB",
        "Telephone number, UK",
        rf"\+44[ -]?(?:\(0\)[ ]?)?{BRITISH}",
        (rf"\b0{BRITISH}", r"\(0[1-9][0-9]{1,4}\) ?[0-9](?:[ -]?[0-9]){4,7}\b"),
        matches=(("+44 20 7946 0958", "+44 20 7946 0958"), ("mobile 07700 900123", "07700 900123")),
        misses=("07700 900123", "mobile 07700"),
    ),
    _identifier(
        "-IT",
        "Telephone number, Italy",
        rf"\+39[ .-]?{ITALIAN}",
        (rf"\b{ITALIAN}",),
        matches=(("+39 06 698 12345", "+39 06 698 12345"), ("telephone: 333 1234567", "333 1234567")),
        misses=("333 1234567", "telephone: 812 1234567"),
    ),
    _identifier(
        "-US",
        "Telephone number, US",
        rf"\+1[ .-]?{NORTH_AMERICAN}",
        NORTH_AMERICAN_NATIONAL,
        matches=(
            ("+1 206-555-0123", "+1 206-555-0123"),
            ("phone: 206-555-0123", "206-555-0123"),
            ('{"fax": 18005550199}', "18005550199"),
        ),
        misses=("206-555-0123", "phone: 106-555-0123", "+49 30 901820"),
    ),
)
