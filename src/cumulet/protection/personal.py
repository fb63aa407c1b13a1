"""Personal data that belongs to no country: dates of birth, mail addresses, coordinates, names, vehicles.

AWS finds names by machine learning. Here a name is either a common given name with what follows it, or capitalised
words near words that announce a name; names of neither kind are missed.
"""

from cumulet.protection.identifier import Identifier
from cumulet.protection.personal_checks import is_date, is_latitude_longitude, is_vin
from cumulet.protection.personal_names import GIVEN_NAMES, is_name

MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?)"
)
DAY = "(?:0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
YEAR = "(?:(?:1[89]|20)[0-9]{2}|[0-9]{2})"
CAPITAL = "(?:\\b[A-Z]|[À-ÖØ-ÞĆČĎĐĘĚĞĢĪİĶŁĽĻŃŇŅŐŒŘŚŠŞŢŤŪŮŰŹŻŽ])"
SMALL = "[a-zß-öø-ɏ]"
WORD = f"{CAPITAL}{SMALL}+(?:['’-][A-ZÀ-Þ]?{SMALL}+)*"
PARTICLE = "(?:(?:van|von|der|den|de|del|della|di|da|dos|la|le|ter|zu|bin|al) ){0,3}"
INITIAL = "(?:[A-ZÀ-Þ]\\. ?)?"
SURNAME = f"{PARTICLE}(?:Mc|Mac|O['’]|D['’]|L['’])?{WORD}"

ROLES = (
    "customer",
    "patient",
    "employee",
    "cardholder",
    "contact",
    "person",
    "client",
    "applicant",
    "claimant",
    "beneficiary",
    "recipient",
    "passenger",
    "guest",
    "member",
    "student",
)

IDENTIFIERS = (
    Identifier(
        name="DateOfBirth",
        category="Personal",
        title="Birth date",
        patterns=(
            r"\b[0-9]{4}[-‐/. ][0-9]{1,2}[-‐/. ][0-9]{1,2}(?:T[0-9:.]+Z?)?\b",
            r"\b[0-9]{1,2}[-‐/. ][0-9]{1,2}[-‐/. ][0-9]{4}\b",
            r"\b[0-9]{1,2}[-‐/. ][0-9]{1,2}[-‐/. ][0-9]{2}\b",
            r"\b[0-9]{8}\b",
            r"\b[0-9]{6}\b",
            f"(?i)\\b{DAY}[-‐/. ]{{1,2}}{MONTH}[-‐/., ]{{1,2}}{YEAR}\\b",
            f"(?i)\\b{MONTH}[-‐/. ]{{1,2}}{DAY}[-‐/, ]{{1,2}}{YEAR}\\b",
        ),
        keywords=("dob", "date of birth", "birthdate", "birth date", "birthday", "b-day", "bday"),
        check=is_date,
        matches=(
            ("date of birth: 1985-04-12", "1985-04-12"),
            ('{"dob": "12/04/85"}', "12/04/85"),
            ('{"dateOfBirth": "1985-04-12T00:00:00Z"}', "1985-04-12T00:00:00Z"),
            ("birthday 19850412", "19850412"),
            ("Birth date: April 12th, 1985", "April 12th, 1985"),
            ("bday 12-apr-85", "12-apr-85"),
            ("dob 1985‐04‐12", "1985‐04‐12"),
        ),
        misses=("ordered on 1985-04-12", "date of birth: 1985-14-32", "date of birth: 12345678"),
    ),
    Identifier(
        name="EmailAddress",
        category="Personal",
        title="Electronic mail address",
        patterns=(
            r"[0-9A-Za-zÀ-ɏ_][0-9A-Za-zÀ-ɏ._%+'-]*"
            r"@[0-9A-Za-zÀ-ɏ](?:[0-9A-Za-zÀ-ɏ-]*\.)+(?:[A-Za-z]{2,}|xn--[0-9a-z-]+)\b",
        ),
        matches=(
            ("Write to jane.doe+news@example.co.uk.", "jane.doe+news@example.co.uk"),
            ('{"contact": "josé@bücher.example"}', "josé@bücher.example"),
            ("mailto:postmaster@xn--bcher-kva.xn--p1ai", "postmaster@xn--bcher-kva.xn--p1ai"),
        ),
        misses=("user@localhost", "package@1.2.3", "@mention of example.com", "jane at example.com"),
    ),
    Identifier(
        name="LatLong",
        category="Personal",
        title="Coordinates (GPS) in decimal degrees",
        patterns=(r"[+-]?\b[0-9]{1,3}\.[0-9]{2,}°?\s?[,;]\s?[+-]?[0-9]{1,3}\.[0-9]{2,}\b",),
        keywords=("coordinate", "coordinates", "lat long", "latitude longitude", "location", "position"),
        check=is_latitude_longitude,
        matches=(
            ("location: 41.948614,-87.655311", "41.948614,-87.655311"),
            ('{"coordinates": "-33.8568, 151.2153"}', "-33.8568, 151.2153"),
        ),
        misses=("41.948614,-87.655311", "position 91.948614,-87.655311", "location 41°56.9168'N 87°39.3187'W"),
    ),
    Identifier(
        name="Name",
        category="Personal",
        title="Full name",
        patterns=(f"{WORD} {INITIAL}(?:{WORD} )?{SURNAME}",),
        unaided=(
            f"\\b(?:{'|'.join(GIVEN_NAMES)})(?:-[A-ZÀ-Þ]{SMALL}+)? {INITIAL}(?:{WORD} )?{SURNAME}",
            f"\\b(?:Mrs?|Ms|Dr|Prof)\\.? {WORD} {INITIAL}(?:{WORD} )?{SURNAME}",
        ),
        keywords=(
            "full name",
            *(f"{role} name" for role in ROLES),
            "account holder",
            "name of the insured",
            "signed by",
            "dear",
            "herr",
            "frau",
            "monsieur",
            "madame",
            "señor",
            "señora",
            "signor",
            "signora",
        ),
        check=is_name,
        matches=(
            ("Approved by Jane Doe yesterday.", "Jane Doe"),
            ("Jean-Luc de la Tour was here", "Jean-Luc de la Tour"),
            ('{"fullName": "Xiomara Quintero de la Cruz"}', "Xiomara Quintero de la Cruz"),
            ("Dear Ambrus Őszi,", "Ambrus Őszi"),
            ("Ask Dr. Ambrus Őszi.", "Dr. Ambrus Őszi"),
            ("Signed by John P. O'Neill", "John P. O'Neill"),
        ),
        misses=(
            "Jane",
            "Duration: 3 ms Memory Size",
            "The Payment Service has started.",
            "Dear Customer",
            '{"customerName": "ACME"}',
        ),
    ),
    Identifier(
        name="VehicleIdentificationNumber",
        category="Personal",
        title="Vehicle identification number (ISO 3779)",
        patterns=(r"(?i)\b[A-HJ-NPR-Z0-9]{17}\b",),
        keywords=(
            "fahrgestellnummer",
            "niv",
            "numarul de identificare",
            "numarul seriei de sasiu",
            "serie sasiu",
            "numer vin",
            "número de identificação do veículo",
            "número de identificación de automóviles",
            "numéro d'identification du véhicule",
            "vehicle identification number",
            "vin",
            "vin numeris",
        ),
        check=is_vin,
        matches=(
            ("VIN: 1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
            ('{"vin": "WVWZZZ1JZ3W386752"}', "WVWZZZ1JZ3W386752"),
        ),
        misses=("1M8GDM9AXKP042788", "VIN: 1M8GDM9A0KP042788", "VIN: 1M8GDM9AXKPO42788", "vin 12345678901234567"),
    ),
)
