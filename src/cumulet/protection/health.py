"""Numbers of patients, insurances, doctors and drugs."""

from cumulet.protection.checks import digits, luhn, weighted
from cumulet.protection.identifier import Identifier

# ISO/IEC 7812: the prefix of health care numbers of the United States, which a provider's number leaves out.
_NPI_PREFIX = "80840"
_NHS_WEIGHTS = (10, 9, 8, 7, 6, 5, 4, 3, 2)
_PHN_WEIGHTS = (0, 2, 4, 8, 5, 10, 9, 7, 3)
_ELEVEN = 11
_MBI_LETTER = "[AC-HJKMNP-RT-Yac-hjkmnp-rt-y]"
_MBI_EITHER = "[0-9AC-HJKMNP-RT-Yac-hjkmnp-rt-y]"


def _is_dea_number(text: str) -> bool:
    """First, third and fifth digit, and twice the others, add up to a number that ends in the seventh."""
    number = digits(text[2:])
    return weighted(number, (1, 2, 1, 2, 1, 2), 10) == int(number[6])


def _is_provider(text: str) -> bool:
    return luhn(_NPI_PREFIX + text)


def _is_nhs_number(text: str) -> bool:
    """Modulus 11; a remainder of 10 is never given out."""
    number = digits(text)
    return (_ELEVEN - weighted(number, _NHS_WEIGHTS, _ELEVEN)) % _ELEVEN == int(number[9])


def _is_personal_health_number(text: str) -> bool:
    """British Columbia: a 9, and modulus 11 over the eight digits after it. Other provinces: Luhn."""
    number = digits(text)
    if number[0] == "9":
        return (_ELEVEN - weighted(number, _PHN_WEIGHTS, _ELEVEN)) % _ELEVEN == int(number[9])
    return luhn(number)


def is_nir(text: str) -> bool:
    """France: the number modulo 97 and its key add up to 97; the departments 2A and 2B count as 19 and 18."""
    number = "".join(text.upper().split()).replace("2A", "19", 1).replace("2B", "18", 1)
    return 97 - int(number[:13]) % 97 == int(number[13:])


DEA_NUMBER = Identifier(
    name="DrugEnforcementAgencyNumber-US",
    category="Health",
    title="Registration number of the Drug Enforcement Administration, United States",
    patterns=(r"\b[A-HJ-MPRSTUXa-hj-mprstux][A-Za-z9]-?[0-9]{7}\b",),
    keywords=("dea number", "dea registration"),
    check=_is_dea_number,
    matches=(("DEA number BJ6125341", "BJ6125341"), ('{"deaRegistration": "AB1234563"}', "AB1234563")),
    misses=("dea number BJ6125342", "lot BJ6125341", "dea number BJ61253411"),
)

PROCEDURE_CODE = Identifier(
    name="HealthcareProcedureCode-US",
    category="Health",
    title="Code of the Healthcare Common Procedure Coding System (HCPCS), United States",
    patterns=(r"\b[A-Va-v][0-9]{4}\b", r"\b[0-9]{4}[0-9FTUftu]\b"),
    keywords=("current procedural terminology", "hcpcs", "healthcare common procedure coding system"),
    matches=(("HCPCS: J1100", "J1100"), ("current procedural terminology 99213", "99213")),
    misses=("code J1100", "hcpcs W1100", "hcpcs J110"),
)

INSURANCE_CARD = Identifier(
    name="HealthInsuranceCardNumber-EU",
    category="Health",
    title="European Health Insurance Card",
    patterns=(r"\b80(?:[ -]?[0-9]){18}\b",),
    keywords=(
        "assicurazione sanitaria numero", "carta assicurazione numero", "carte d’assurance maladie",
        "carte européenne d'assurance maladie", "ceam", "ehic", "ehic#", "finlandehicnumber#", "gesundheitskarte",
        "hälsokort", "health card", "health card number", "health insurance card", "health insurance number",
        "insurance card number", "krankenversicherungskarte", "krankenversicherungsnummer", "medical account number",
        "numero conto medico", "numéro d’assurance maladie", "numéro de carte d’assurance", "numéro de compte medical",
        "número de cuenta médica", "número de seguro de salud", "número de tarjeta de seguro", "sairaanhoitokortin",
        "sairausvakuutuskortti", "sairausvakuutusnumero", "sjukförsäkring nummer", "sjukförsäkringskort",
        "suomi ehic-numero", "tarjeta de salud", "terveyskortti", "tessera sanitaria assicurazione numero",
        "versicherungsnummer",
    ),
    matches=(
        ("EHIC 80276000011234567890", "80276000011234567890"),
        ("carte européenne d’assurance maladie: 80250 00001 1234567890", "80250 00001 1234567890"),
        ("hälsokort 80246 80248 1234567890", "80246 80248 1234567890"),
    ),
    misses=("parcel 80276000011234567890", "ehic 70276000011234567890", "ehic 8027600001123456789"),
)  # fmt: skip

INSURANCE_CLAIM = Identifier(
    name="HealthInsuranceClaimNumber-US",
    category="Health",
    title="Health insurance claim number of Medicare (HICN), United States",
    patterns=(
        r"\b[0-9]{3}-?[0-9]{2}-?[0-9]{4}-?[A-HJKMTWa-hjkmtw][A-Za-z0-9]?\b",
        r"\b[ACHMPWachmpw][ADHadh]?[ADad]?-?(?:[0-9]{6}|[0-9]{3}-?[0-9]{2}-?[0-9]{4})\b",
    ),
    keywords=(
        "health insurance claim number", "hic no", "hic no.", "hic number", "hic#", "hicn", "hicn#.", "hicno#", "hicn#",
    ),
    matches=(("HICN 123-45-6789A", "123-45-6789A"), ("hic no. MA123-45-6789", "MA123-45-6789")),
    misses=("id 123-45-6789A", "hicn 123-45-6789", "hicn 12-345-6789A"),
)  # fmt: skip

INSURANCE_FR = Identifier(
    name="HealthInsuranceNumber-FR",
    category="Health",
    title="Health insurance number, France",
    patterns=(r"\b[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[ABab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",),
    keywords=("carte d'assuré social", "carte vitale", "insurance card"),
    check=is_nir,
    matches=(
        ("carte vitale 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
        ("carte d’assuré social : 255081416802538", "255081416802538"),
    ),
    misses=("carte vitale 255081416802539", "numéro 255081416802538"),
)

MEDICARE_BENEFICIARY = Identifier(
    name="MedicareBeneficiaryNumber-US",
    category="Health",
    title="Beneficiary number of Medicare (MBI), United States",
    patterns=(
        rf"\b[1-9]{_MBI_LETTER}{_MBI_EITHER}[0-9]-?{_MBI_LETTER}{_MBI_EITHER}[0-9]-?{_MBI_LETTER}{{2}}[0-9]{{2}}\b",
    ),
    keywords=("mbi", "medicare beneficiary"),
    matches=(("MBI 1EG4-TE5-MK73", "1EG4-TE5-MK73"), ('{"medicareBeneficiary":"1EG4TE5MK73"}', "1EG4TE5MK73")),
    misses=("part 1EG4-TE5-MK73", "mbi 0EG4-TE5-MK73", "mbi 1SG4-TE5-MK73"),
)

NATIONAL_DRUG_CODE = Identifier(
    name="NationalDrugCode-US",
    category="Health",
    title="National drug code, United States",
    patterns=(r"\b(?:[0-9]{4}-[0-9]{4}-[0-9]{2}|[0-9]{5}-[0-9]{3,4}-[0-9]{2}|[0-9]{5}-[0-9]{4}-[0-9])\b",),
    keywords=("national drug code", "ndc"),
    matches=(("NDC 0777-3105-02", "0777-3105-02"), ("national drug code: 50242-040-62", "50242-040-62")),
    misses=("part 0777-3105-02", "ndc 077731-05-02"),
)

NATIONAL_PROVIDER = Identifier(
    name="NationalProviderId-US",
    category="Health",
    title="National provider identifier (NPI), United States",
    patterns=(r"\b[12][0-9]{9}\b",),
    keywords=("hipaa", "n.p.i", "national provider", "npi"),
    check=_is_provider,
    matches=(("NPI: 1234567893", "1234567893"), ('{"nationalProviderId": 1234567893}', "1234567893")),
    misses=("npi 1234567894", "at 1234567893", "npi 3234567893"),
)

NHS_NUMBER = Identifier(
    name="NhsNumber-GB",
    category="Health",
    title="Number of the National Health Service, United Kingdom",
    patterns=(r"\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b",),
    keywords=("national health service", "nhs"),
    check=_is_nhs_number,
    matches=(("NHS number: 943 476 5919", "943 476 5919"), ('{"nhsNumber":"9434765919"}', "9434765919")),
    misses=("nhs 943 476 5918", "call 943 476 5919"),
)

PERSONAL_HEALTH_NUMBER = Identifier(
    name="PersonalHealthNumber-CA",
    category="Health",
    title="Personal health number, Canada",
    patterns=(r"\b[0-9]{4}[ -]?[0-9]{3}[ -]?[0-9]{3}\b",),
    keywords=("canada healthcare number", "msp number", "personal healthcare number", "phn", "soins de santé"),
    check=_is_personal_health_number,
    matches=(("PHN 9123 456 780", "9123 456 780"), ("soins de santé: 9123456780", "9123456780")),
    misses=("phn 9123 456 781", "id 9123456780"),
)

IDENTIFIERS = (
    DEA_NUMBER, PROCEDURE_CODE, INSURANCE_CARD, INSURANCE_CLAIM, INSURANCE_FR, MEDICARE_BENEFICIARY,
    NATIONAL_DRUG_CODE, NATIONAL_PROVIDER, NHS_NUMBER, PERSONAL_HEALTH_NUMBER,
)  # fmt: skip
