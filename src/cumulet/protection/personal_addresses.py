"""Mailing addresses of the eight countries that AWS names.

AWS finds them by machine learning and asks for a city and a postal code. Here an address is a street with a number, a
city and the country's postal code, in the country's usual order; other addresses are missed.
"""

from cumulet.protection.identifier import Identifier

_UPPER = "[A-ZÀ-ÖØ-Þ]"
_LETTER = "[A-Za-zÀ-ɏ]"
_WORD = f"{_LETTER}(?:{_LETTER}|[.'’-])*"
_CITY = f"{_UPPER}(?:{_LETTER}|[.'’-])*(?: {_WORD}){{0,3}}"
_NUMBER = "[0-9]{1,5}(?:[-/][0-9]{1,4})? ?[A-Za-z]?"
_COMMA = r"(?:,\s*|\s*\n\s*)"
_BREAK = r"(?:,\s*|\s*\n\s*|\s{1,2})"
_CODE_AND_CITY = f"{_BREAK}(?:D-|F-|I-|E-)?[0-9]{{5}} {_CITY}"

_ENGLISH_STREETS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Way|Parkway"
    r"|Pkwy|Highway|Hwy|Close|Crescent|Cres|Gardens|Hill|Row|Mews|Circle|Cir|Trail|Trl|Parade|Broadway|Walk|Loop)\b\.?"
    r"(?: (?:N|S|E|W|NE|NW|SE|SW)\b\.?)?"
)
_STOREY = ", [0-9]{1,3}(?:st|nd|rd|th) [Ff]loor"
_UNIT_NUMBER = f"{_COMMA}?[ ]?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|#|No)\\.? ?#?[0-9A-Za-z-]{{1,6}}"
_UNIT = f"(?:{_STOREY}|{_UNIT_NUMBER})?"
_ENGLISH = (
    rf"\b{_NUMBER} (?:(?:{_LETTER}|[0-9]{{1,3}}[a-z])(?:{_LETTER}|[0-9.'’-])* ){{0,4}}{_ENGLISH_STREETS}{_UNIT}{_BREAK}"
)
_AUSTRALIAN_STATES = "(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)"
_PROVINCES = "(?:AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT)"
_STATES = (
    "(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[TAI]"
    "|W[AVIY])"
)
_GERMAN_STREETS = r"(?:str(?:aße|asse|\.)|weg|platz|allee|gasse|ring|damm|ufer|Straße|Strasse|Str\.)"
_GERMAN_STARTS = "(?:Am|An (?:der|den|dem)|Auf (?:der|dem)|Im|In (?:der|den)|Unter den|Zum|Zur)"
_FRENCH_STREETS = "(?i:rue|avenue|boulevard|place|chemin|allée|impasse|quai|route|cours)"
_ITALIAN_STREETS = "(?i:via|viale|piazza|piazzale|corso|largo|vicolo)"
_SPANISH_STREETS = r"(?i:calle|c/|avenida|avda\.?|plaza|paseo|carrera|ronda|camino)"

AMERICAN = rf"{_ENGLISH}{_CITY},? {_STATES},? [0-9]{{5}}(?:-[0-9]{{4}})?\b"
CANADIAN = rf"{_ENGLISH}{_CITY},? \(?{_PROVINCES}\)?,?{_BREAK}[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]\b"
AUSTRALIAN = rf"{_ENGLISH}{_CITY},? {_AUSTRALIAN_STATES},? [0-9]{{4}}\b"
BRITISH = rf"{_ENGLISH}(?:{_CITY}{_COMMA}){{0,2}}{_CITY}{_BREAK}[A-Z]{{1,2}}[0-9][A-Z0-9]? ?[0-9][A-Z]{{2}}\b"
GERMAN = rf"(?:\b[A-Za-z]|[ÄÖÜ])(?:{_LETTER}|[.-])*(?: ?{_GERMAN_STREETS}) {_NUMBER}{_CODE_AND_CITY}"
GERMAN_WITH_START = rf"\b{_GERMAN_STARTS} {_WORD}(?: {_WORD})? {_NUMBER}{_CODE_AND_CITY}"
FRENCH = rf"\b{_NUMBER}(?: bis| ter)?,? {_FRENCH_STREETS} (?:{_WORD} ?){{1,6}}{_CODE_AND_CITY}"
ITALIAN = rf"\b{_ITALIAN_STREETS} (?:{_WORD} ?){{1,5}},? ?{_NUMBER}{_CODE_AND_CITY}(?: \([A-Z]{{2}}\)|,? [A-Z]{{2}}\b)?"
_FLOOR = "(?:, ?[0-9A-Za-zº°ª. ]{1,12})?"
_SPANISH_STREET = f"(?:{_SPANISH_STREETS} ?(?:{_WORD} ?){{1,6}}|(?i:gran vía) )"
SPANISH = rf"\b{_SPANISH_STREET},? ?(?:n[º°.] ?)?{_NUMBER}{_FLOOR}{_CODE_AND_CITY}"

IDENTIFIERS = (
    Identifier(
        name="Address",
        category="Personal",
        title="Mailing address (Australia, Canada, France, Germany, Italy, Spain, UK, US)",
        patterns=(AMERICAN, CANADIAN, AUSTRALIAN, BRITISH, GERMAN, GERMAN_WITH_START, FRENCH, ITALIAN, SPANISH),
        matches=(
            ("Ship to 410 Terry Ave N, Seattle, WA 98109 today", "410 Terry Ave N, Seattle, WA 98109"),
            ("80 Wellington Street, Ottawa, ON K1A 0A2", "80 Wellington Street, Ottawa, ON K1A 0A2"),
            ("12 George Street, Sydney NSW 2000", "12 George Street, Sydney NSW 2000"),
            ("221B Baker Street, London, NW1 6XE", "221B Baker Street, London, NW1 6XE"),
            ("Adresse: Marienstraße 12a, 10117 Berlin", "Marienstraße 12a, 10117 Berlin"),
            ("Unter den Linden 77, 10117 Berlin", "Unter den Linden 77, 10117 Berlin"),
            ("500 W 2nd St, 34th floor, Austin, TX 78701", "500 W 2nd St, 34th floor, Austin, TX 78701"),
            ("Gran Vía 28, 28013 Madrid", "Gran Vía 28, 28013 Madrid"),
            ("Berliner Str. 5, D-60311 Frankfurt am Main", "Berliner Str. 5, D-60311 Frankfurt am Main"),
            ("5 bis, rue de la Paix, 75002 Paris", "5 bis, rue de la Paix, 75002 Paris"),
            ("Via Roma 10, 20121 Milano (MI)", "Via Roma 10, 20121 Milano (MI)"),
            ("Calle de Alcalá, 50, 28014 Madrid", "Calle de Alcalá, 50, 28014 Madrid"),
        ),
        misses=(
            "12 George Street",
            "Seattle, WA 98109",
            "order 410 shipped on Monday via express",
            "https://example.com/street/12/10117/Berlin",
        ),
    ),
)
