"""Payloads without what was found: masked, redacted, and JSON still."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.protection import Inspector, custom_identifier, managed_identifier, mask, redact

CARD = "4539894458086459"
CARDS = Inspector([identifier for name in ["CreditCardNumber"] if (identifier := managed_identifier(name))])
EMPLOYEES = Inspector([custom_identifier("Employee", "EID-[0-9]{3}"), custom_identifier("Any", "[0-9]{2,3}")])
DIGITS = Inspector([custom_identifier("Digits", "[0-9]+")])
FOUR_DIGITS = Inspector([custom_identifier("Digits", "[0-9]{4}")])
ESCAPED = '"ab \\u0031234"'


def masked(text: str, inspector: Inspector = CARDS, character: str = "#") -> str:
    return mask(text, inspector.find(text), character)


def redacted(text: str, inspector: Inspector = CARDS) -> str:
    return redact(text, inspector.find(text))


def test_each_character_of_a_text_is_masked():
    assert masked(f"My credit card number is {CARD}.") == f"My credit card number is {'#' * 16}."


def test_redacted_text_is_cut_out():
    assert redacted(f"My credit card number is {CARD}.") == "My credit card number is ."


def test_overlaps_are_masked_once():
    assert masked("EID-123 and 45", EMPLOYEES) == "####### and ##"
    assert redacted("EID-123 and 45", EMPLOYEES) == " and "


def test_neighbours_are_masked_both():
    assert masked("EID-123EID-456", EMPLOYEES) == "#" * 14


@pytest.mark.parametrize(
    ("document", "after_mask", "after_redact"),
    [
        ('{"card": "4539894458086459"}', '{"card": "################"}', '{"card": ""}'),
        ('{"card": 4539894458086459}', '{"card": "################"}', '{"card": ""}'),
        ('{ "card":[4539894458086459 ,1]}', '{ "card":["################" ,1]}', '{ "card":["" ,1]}'),
        ('{"card": -4539894458086459.5}', '{"card": "-################.5"}', '{"card": "-.5"}'),
        ('{"card":"a\\n4539894458086459\\tb"}', '{"card":"a\\n################\\tb"}', '{"card":"a\\n\\tb"}'),
        ('{"card":"\\u0034539894458086459"}', '{"card":"################"}', '{"card":""}'),
    ],
)
def test_json_stays_json(document, after_mask, after_redact):
    assert masked(document) == after_mask
    assert redacted(document) == after_redact
    json.loads(after_mask)


def test_a_number_with_several_findings_becomes_one_string():
    assert masked('{"a":[12.34,-5e6,true]}', DIGITS) == '{"a":["##.##","-#e#",true]}'
    assert redacted('{"a":[12.34,-5e6,true]}', DIGITS) == '{"a":[".","-e",true]}'


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("character", ["#", '"', "\\", "😀"])
def test_a_document_in_a_string_stays_one(depth, character):
    document = {"card": CARD, "number of card": int(CARD), "note": f"é\n{CARD}\tcard", "amount": 1.5}
    text = json.dumps(document, indent=1)
    for _ in range(depth):
        text = json.dumps({"n": 1, "Message": text})

    left = masked(text, character=character)
    for _ in range(depth):
        outer = json.loads(left)
        assert outer["n"] == 1
        left = outer["Message"]

    masked_number = character * 16
    assert json.loads(left) == {
        "card": masked_number,
        "number of card": masked_number,
        "note": f"é\n{masked_number}\tcard",
        "amount": 1.5,
    }


@pytest.mark.parametrize("character", ["*", '"', "\\", "é", "😀", "\n", "/"])
def test_any_character_masks_without_breaking_json(character):
    assert json.loads(masked(f'{{"card":"{CARD}","cards":{CARD}}}', character=character)) == {
        "card": character * 16,
        "cards": character * 16,
    }


def test_a_pair_of_surrogates_is_one_character():
    everything = Inspector([custom_identifier("Everything", ".+")])

    assert masked('{"a":"x\\ud83d\\ude00\\n"}', everything) == '{"a":"##\\n"}'


def test_nothing_found_changes_nothing():
    assert mask("a text", [], "#") == redact("a text", []) == "a text"


def test_the_rest_of_an_expense_report_stays_as_it_is():
    report = (
        '{\n  "expense": {"currency": "USD", "amount": 175.99, "created_at": "2023-10-17T20:03:44+0000"},\n'
        '  "payment": {"credit_card_network": "Visa", "credit_card_number": "%s"},\n'
        '  "reviewer": {"employee_id": "%s"}, "contractor": {"employee_id": "CID-000012348-CA"}\n}'
    )
    identifier = managed_identifier("arn:aws:dataprotection::aws:data-identifier/CreditCardNumber")
    assert identifier
    both = Inspector([identifier, custom_identifier("MyCompanyEmployeeId", r"EID-\d{9}-US")])

    assert masked(report % (CARD, "EID-123456789-US"), both) == report % ("#" * 16, "#" * 16)
    assert redacted(report % (CARD, "EID-123456789-US"), both) == report % ("", "")


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="utf-8"))
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(DOCUMENTS, st.booleans())
def test_masked_json_has_the_same_shape(document, is_ascii):
    text = json.dumps([document], ensure_ascii=is_ascii)

    def expected(value: object) -> object:
        match value:
            case dict():
                return {name: expected(each) for name, each in value.items()}
            case list():
                return [expected(each) for each in value]
            case str():
                return "".join("#" if "0" <= each <= "9" else each for each in value)
            case int() | float() if not isinstance(value, bool):
                return expected(json.dumps(value))
            case _:
                return value

    assert json.loads(masked(text, DIGITS)) == expected([document])


@given(DOCUMENTS)
def test_a_document_in_a_string_is_masked_as_it_is_alone(document):
    text = json.dumps([document])

    assert json.loads(masked(json.dumps([text]), DIGITS)) == [masked(text, DIGITS)]


@given(st.text())
def test_masked_text_keeps_its_length(text):
    assert masked("x" + text, DIGITS) == "".join("#" if "0" <= each <= "9" else each for each in "x" + text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3000 + ESCAPED + "]" * 3000,
        '{"a": ' * 3000 + ESCAPED + "}" * 3000,
        ESCAPED,
        f" {ESCAPED}\n",
        json.dumps(ESCAPED),
    ],
    ids=["deep array", "deep object", "string", "string and space", "string in a string"],
)
def test_escapes_hide_nothing(text):
    found = masked(text, FOUR_DIGITS)

    assert found.count("####") == 1
    assert found.replace("####", "") == text.replace("\\\\u0031", "").replace("\\u0031", "").replace("234", "")


@pytest.mark.parametrize("text", ["[" * 3000 + '"1234"', "[" * 3000 + "1234" + "]" * 3001, '"1234" "a"'])
def test_what_is_no_json_is_text(text):
    assert masked(text, FOUR_DIGITS) == text.replace("1234", "####")
