"""Names, partial ARNs and ARNs of functions, as Lambda's model allows them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.lambda_.function_names import Locator, function_arn, parse
from cumulet.wire.model import description

SHAPES = description("lambda")["shapes"]


@pytest.mark.parametrize(
    ("text", "locator"),
    [
        ("f", Locator(None, None, "f", None)),
        ("f:1", Locator(None, None, "f", "1")),
        ("f:$LATEST", Locator(None, None, "f", "$LATEST")),
        ("function:f", Locator(None, None, "f", None)),
        ("123456789012:function:f", Locator(None, "123456789012", "f", None)),
        ("123456789012:f:live", Locator(None, "123456789012", "f", "live")),
        ("us-east-1:123456789012:function:f", Locator("us-east-1", "123456789012", "f", None)),
        ("arn:aws:lambda:us-east-1:123456789012:function:f", Locator("us-east-1", "123456789012", "f", None)),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:7",
            Locator("us-gov-west-1", "123456789012", "f", "7"),
        ),
        ("arn:aws:lambda:f", Locator(None, None, "f", None)),
        ("123456789012", Locator(None, None, "123456789012", None)),
    ],
)
def test_the_parts_of_a_name(text: str, locator: Locator) -> None:
    assert parse(text) == locator


@pytest.mark.parametrize("shape", ["FunctionName", "NamespacedFunctionName", "UnqualifiedFunctionName"])
def test_whatever_the_model_lets_through_is_understood(shape: str) -> None:
    expression = re.compile(SHAPES[shape]["pattern"].replace(r"\d", "[0-9]"))

    @given(st.from_regex(expression, fullmatch=True))
    def check(text: str) -> None:
        locator = parse(text)
        assert locator.name
        assert text.endswith(locator.name + (f":{locator.qualifier}" if locator.qualifier else ""))

    check()


@pytest.mark.parametrize("text", ["", "a b", "a:b:c", "f:", "f\n", "arn:aws:sqs:us-east-1:123456789012:q"])
def test_what_is_no_name_raises(text: str) -> None:
    with pytest.raises(ValueError, match="names no function"):
        parse(text)


def test_an_arn_has_the_partition_of_its_region() -> None:
    assert function_arn("1", "cn-north-1", "f") == "arn:aws-cn:lambda:cn-north-1:1:function:f"
