"""What is found where: texts, JSON by value, keywords near the data."""

import json

import pytest

from cumulet.protection import Finding, Inspector, Kind, Place, custom_identifier, managed_identifier

CARD = "4539894458086459"


def inspector(*names: str, **custom: str) -> Inspector:
    managed = [identifier for name in names if (identifier := managed_identifier(name))]
    assert len(managed) == len(names)
    return Inspector([*managed, *(custom_identifier(name, regex) for name, regex in custom.items())])


def found(text: str, *names: str, **custom: str) -> list[str]:
    return [text[each.start : each.end] for each in inspector(*names, **custom).find(text)]


def test_a_finding_says_what_and_where():
    findings = inspector("CreditCardNumber").find(f"é card {CARD}")

    assert findings == [Finding(7, 23, "CreditCardNumber", Place(Kind.TEXT, 0, 0, 23))]


def test_findings_of_several_kinds_come_in_the_order_of_the_text():
    text = f"EID-1 from 10.1.2.3 with card {CARD} EID-2"

    findings = inspector("IpAddress", "CreditCardNumber", Employee="EID-[0-9]").find(text)

    assert [each.identifier for each in findings] == ["Employee", "IpAddress", "CreditCardNumber", "Employee"]


def test_identifiers_may_overlap():
    assert found("iban DE89370400440532013000", "BankAccountNumber-DE", Tail="[0-9]{3}000") == [
        "DE89370400440532013000",
        "013000",
    ]


def test_overlapping_patterns_of_one_identifier_are_one_finding():
    assert found("-----BEGIN PRIVATE KEY-----\nab\n-----END PRIVATE KEY-----", "PkcsPrivateKey") == [
        "-----BEGIN PRIVATE KEY-----\nab\n-----END PRIVATE KEY-----"
    ]


@pytest.mark.parametrize(
    "text", ["", " ", "{}", "[]", "null", '"text"', "{", "é" * 100, "\0", "\ud800", '{"a":"\\ud800"}']
)
def test_texts_without_anything(text):
    assert found(text, "CreditCardNumber", "IpAddress", "AwsSecretKey", Employee="EID-[0-9]") == []


def test_nothing_is_looked_for_without_identifiers():
    assert Inspector([]).find(f"card {CARD}") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{CARD} is a card", id="keyword after the data"),
        pytest.param(f"card{'.' * 30}{CARD}", id="30 characters before"),
        pytest.param(f"{CARD}{'.' * 30}card", id="30 characters after"),
        pytest.param(f"{'é' * 20} card {'é' * 28} {CARD}", id="characters, not bytes"),
        pytest.param(f"CARD {CARD}", id="upper case"),
        pytest.param(f"cards {CARD}", id="plural"),
        pytest.param(f"my_card_1={CARD}", id="underscores and digits end a word"),
        pytest.param(f"theCardHolder={CARD}", id="capitals begin a word"),
        pytest.param(f"diners-club {CARD}", id="hyphen for space"),
        pytest.param(f"dinersclub {CARD}", id="nothing for space"),
        pytest.param(f"card 1 card 2 {CARD}", id="twice"),
        pytest.param(f"cc #{CARD}", id="keyword that ends with a sign"),
    ],
)
def test_a_keyword_near_the_data_counts(text):
    assert found(text, "CreditCardNumber") == [CARD]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"order {CARD}", id="none"),
        pytest.param(f"card{'.' * 31}{CARD}", id="31 characters before"),
        pytest.param(f"{CARD}{'.' * 31}card", id="31 characters after"),
        pytest.param(f"discard {CARD}", id="part of a longer word"),
        pytest.param(f"cardboard {CARD}", id="beginning of a longer word"),
        pytest.param(f"écard {CARD}", id="after a letter that is not ASCII"),
        pytest.param(f"car d {CARD}", id="apart"),
    ],
)
def test_data_without_a_keyword_near_it_does_not_count(text):
    assert found(text, "CreditCardNumber") == []


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"card": CARD}, id="its name"),
        pytest.param({"cardNumber": int(CARD)}, id="a number"),
        pytest.param({"card": {"on": {"file": [{"n": "." * 50 + CARD}]}}}, id="a name far above"),
        pytest.param({"a": ["." * 40, "card", CARD]}, id="a value before it"),
        pytest.param({"numéro de carte": 1, "carte\tcard": "." * 50 + CARD}, id="a name with escapes"),
        pytest.param({"a": f"a\ncard\n{CARD}\n"}, id="escapes around"),
        pytest.param({"a": json.dumps({"card": CARD})}, id="a document in a string"),
        pytest.param([[f"card {CARD}"]], id="in arrays"),
        pytest.param([{"a": 1}, {"credit": CARD}], id="in one of several objects"),
    ],
)
def test_json_is_read_by_value(document):
    for text in (json.dumps(document), json.dumps(document, indent=2), json.dumps(document, ensure_ascii=False)):
        assert found(text, "CreditCardNumber") == [CARD]


def test_names_are_never_data():
    assert found(json.dumps({"card": {CARD: "x", f"card {CARD}": 1}}), "CreditCardNumber") == []


def test_a_name_says_nothing_about_values_beside_it():
    text = json.dumps({"card": {"n": "." * 50}, "other": "." * 50 + CARD})

    assert found(text, "CreditCardNumber") == []


def test_a_name_says_nothing_about_values_near_it_that_are_not_its_own():
    text = json.dumps({"cvv": 123, "amount": 1999, "card": True, "order": int(CARD)})

    assert found(text, "CreditCardSecurityCode", "CreditCardNumber") == ["123"]


def test_names_of_an_object_end_with_it():
    text = json.dumps([{"card": [{"a": ["." * 50]}]}, "." * 50 + CARD])

    assert found(text, "CreditCardNumber") == []


def test_lines_of_json_are_read_by_value():
    text = f'{{"card": {CARD}}}\n{{"{CARD}": 1}}\n[{CARD}, "visa"]\n'

    findings = inspector("CreditCardNumber").find(text)

    assert [each.place.kind for each in findings] == [Kind.NUMBER, Kind.NUMBER]


@pytest.mark.parametrize(
    "text", [f'{{"card": "{CARD}"', f'{{"card": "{CARD}"}} tail', f"[card {CARD}]", f"card: {CARD}}}"]
)
def test_what_only_begins_like_json_is_a_text(text):
    assert [each.place.kind for each in inspector("CreditCardNumber").find(text)] == [Kind.TEXT]


@pytest.mark.parametrize("text", ["[i] 255.255.255.255\\u0031", "{ 10.1.2.3\\n", "[i] \\u0031\\10.1.2.3"])
def test_what_is_no_json_has_no_escapes(text):
    assert len(found(text, "IpAddress")) == 1


def test_deeply_nested_json_is_read_all_the_same():
    text = "[" * 100_000 + f'"card {CARD}"' + "]" * 100_000

    assert found(text, "CreditCardNumber") == [CARD]


def test_escapes_hide_nothing():
    hidden = "".join(f"\\u{ord(character):04x}" for character in f"card {CARD}")
    text = f'{{"a": "{hidden}"}}'

    assert found(text, "CreditCardNumber") == ["".join(f"\\u{ord(character):04x}" for character in CARD)]


def test_data_after_an_escape_is_found_where_it_is():
    text = '{"a": "\\ud83d\\ude00\\ncard \\"4539894458086459\\"\\n"}'

    assert found(text, "CreditCardNumber") == [CARD]


def test_a_match_never_spans_two_values():
    assert found('["card 4539", "8944", "5808", "6459"]', "CreditCardNumber") == []
    assert found('["EID", "12"]', Employee="EID.*12") == []


@pytest.mark.parametrize("text", ['["EID-1", "x EID-1"]', '[1, "EID-1\\n"]', "EID-1"])
def test_a_custom_expression_may_ask_for_the_edges_of_a_value(text):
    assert found(text, Employee="^EID-[0-9]") == ["EID-1"]


def test_a_longer_blob_is_no_key():
    text = "credentials " + "aZ09" * 20_000

    assert found(text, "AwsSecretKey") == []


def test_what_fails_its_check_does_not_hide_what_follows():
    assert found("card 4539 8944 5808 6450 4539 8944 5808 6459", "CreditCardNumber") == ["4539 8944 5808 6459"]
