"""ARNs, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel.arns import Arn, parse_arn, partition_of

PART = st.text(st.characters(exclude_characters=":", codec="utf-8"), min_size=1)


@given(PART, PART, PART | st.just(""), PART | st.just(""), st.text(min_size=1))
def test_what_is_written_is_read(partition: str, service: str, region: str, account: str, resource: str) -> None:
    arn = Arn(partition, service, region, account, resource)

    assert parse_arn(str(arn)) == arn


@given(st.text())
def test_any_text_is_an_arn_that_is_written_the_same_or_none(text: str) -> None:
    arn = parse_arn(text)

    assert arn is None or str(arn) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn",
        "arn:aws:sqs:us-east-1:1",
        "arn:aws:sqs:us-east-1:1:",
        "arn::sqs:r:1:q",
        "arn:aws::r:1:q",
        "x:aws:sqs:r:1:q",
    ],
)
def test_what_lacks_a_part_is_none(text: str) -> None:
    assert parse_arn(text) is None


def test_a_resource_keeps_its_colons_and_slashes() -> None:
    assert parse_arn("arn:aws:lambda:us-east-1:1:function:a/b:2") == Arn(
        "aws", "lambda", "us-east-1", "1", "function:a/b:2"
    )


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_a_region_has_a_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
