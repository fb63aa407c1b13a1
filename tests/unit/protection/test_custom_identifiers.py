"""Names and regular expressions that a policy brings along: what AWS takes, and what would cost too much."""

import time

import pytest

from cumulet.protection import Inspector, InvalidIdentifier, custom_identifier, managed_identifier


def least_seconds(inspector: Inspector, payload: str) -> float:
    """Return the processor time of an inspection; of three the least, since a busy machine only adds to it."""
    seconds = []
    for _ in range(3):
        began = time.process_time()
        inspector.find(payload)
        seconds.append(time.process_time() - began)
    return min(seconds)


@pytest.mark.parametrize("name", ["a", "Employee_Id-1", "x" * 128, "0"])
def test_a_name_has_letters_digits_underscores_and_hyphens(name):
    assert custom_identifier(name, "x").name == name


@pytest.mark.parametrize(
    "name", ["", "x" * 129, "a b", "é", "a.b", "a/b", "x\n", "CreditCardNumber", "BankAccountNumber-DE"]
)
def test_other_names_are_refused(name):
    with pytest.raises(InvalidIdentifier):
        custom_identifier(name, "x")


@pytest.mark.parametrize("regex", [r"EID-\d{9}-US", "x" * 200, "[a-z]+|[0-9]*", "^a$", r"\w\.\S", "a, b; #=@/_-"])
def test_a_regular_expression_has_the_characters_that_aws_lists(regex):
    assert custom_identifier("Employee", regex).patterns == (regex,)


@pytest.mark.parametrize(
    "regex",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 201, id="too long"),
        pytest.param("(a)", id="group"),
        pytest.param("(?=a)", id="lookahead"),
        pytest.param("a!", id="other sign"),
        pytest.param("é", id="other letter"),
        pytest.param("[a", id="no end"),
        pytest.param("*a", id="nothing to repeat"),
        pytest.param("a{1001}", id="too many repetitions"),
        pytest.param(r"\1", id="reference"),
        pytest.param(r"\C", id="half a character"),
        pytest.param(r"\p{L}{1000}", id="too large"),
        pytest.param(r"\w{1000}", id="too many instructions"),
        pytest.param("\\", id="lone backslash"),
    ],
)
def test_other_expressions_are_refused(regex):
    with pytest.raises(InvalidIdentifier):
        custom_identifier("Employee", regex)


@pytest.mark.parametrize("regex", ["a*a*a*a*a*a*a*b", "[a-z]*[a-z]*[a-z]*1", ".*.*.*x", "a*b|a", ".*b|a", "a{1,50}b"])
def test_no_expression_takes_more_than_linear_time(regex):
    inspector = Inspector([custom_identifier("Employee", regex)])

    short, long = (least_seconds(inspector, "a" * length) for length in (2_048, 16_384))

    assert long < 0.05 + 24 * short


@pytest.mark.parametrize("length", [100, 511, 512, 513, 1024, 5_000, 100_000])
def test_a_match_may_have_any_length(length):
    inspector = Inspector([custom_identifier("Employee", "x.*y|[0-9]+")])
    text = f"x{'.' * length}y 1234"

    assert [text[each.start : each.end] for each in inspector.find(text)] == [text[: length + 2], "1234"]


def test_a_shorter_match_never_hides_the_longer_one():
    inspector = Inspector([custom_identifier("Employee", "E[0-9]{3}|E[0-9]{3} of [a-z]*")])

    for padding in range(400, 600):
        text = f"{' ' * padding}E123 of sales"
        assert [(each.start, each.end) for each in inspector.find(text)] == [(padding, len(text))]


@pytest.mark.parametrize("regex", ["[0-9]{3}", ".{1,3}", "^[0-9]{3}"])
def test_many_values_take_no_more_than_linear_time(regex):
    inspector = Inspector([custom_identifier("Employee", regex)])
    few, many = (f"[{','.join(['123'] * count)}]" for count in (500, 4_000))

    assert [len(inspector.find(payload)) for payload in (few, many)] == [500, 4_000]
    assert least_seconds(inspector, many) < 0.05 + 24 * least_seconds(inspector, few)


@pytest.mark.parametrize(("text", "starts"), [("", []), ("aaaa", []), ("axxéx", [1, 4]), ('["", "aé", "xa", 7]', [12])])
def test_an_empty_match_is_none_and_hides_none(text, starts):
    assert [each.start for each in Inspector([custom_identifier("Employee", "x*")]).find(text)] == starts


def test_managed_identifiers_have_names_and_arns():
    assert managed_identifier("IpAddress") is managed_identifier(
        "arn:aws:dataprotection::aws:data-identifier/IpAddress"
    )
    assert managed_identifier("IpAddresses") is None
    assert managed_identifier("arn:aws:dataprotection::aws:data-identifier/Nothing") is None
    assert managed_identifier("arn:aws:dataprotection:us-east-1:aws:data-identifier/IpAddress") is None
