"""The texts that SQS hands out and takes back: receipt handles, queue URLs, page tokens; and MD5s of attributes."""

from __future__ import annotations

import base64
import hashlib
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cumulet.kernel.errors import AwsError
from cumulet.services.sqs import handles, message_attributes, paging
from cumulet.services.sqs.handles import Handle
from cumulet.services.sqs.urls import is_queue_path, key_of_url, queue_url

NUMBERS = st.integers(0, 2**63 - 1)
NAMES = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=80)
ACCOUNTS = st.text(string.digits, min_size=12, max_size=12)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


@given(queue=NUMBERS, message=NUMBERS, receipt=NUMBERS)
def test_handle_names_its_receive(queue: int, message: int, receipt: int) -> None:
    text = handles.encode(queue, message, receipt)

    assert handles.decode(text, queue) == Handle(message, receipt, text)
    assert text.startswith("AQEB")
    assert text.isascii()


@given(queue=NUMBERS, other=NUMBERS, message=NUMBERS, receipt=NUMBERS)
def test_handle_is_valid_for_its_queue_alone(queue: int, other: int, message: int, receipt: int) -> None:
    assume(queue != other)
    text = handles.encode(queue, message, receipt)

    with pytest.raises(AwsError, match="is not valid for this queue"):
        handles.decode(text, other)


@given(message=NUMBERS, receipt=NUMBERS, position=st.integers(0, 39), letter=st.sampled_from(string.ascii_letters))
def test_handle_with_another_letter_is_refused(message: int, receipt: int, position: int, letter: str) -> None:
    text = handles.encode(7, message, receipt)
    assume(text[position] != letter)

    with pytest.raises(AwsError):
        handles.decode(text[:position] + letter + text[position + 1 :], 7)


@given(st.one_of(st.text(), st.binary().map(lambda data: base64.b64encode(data).decode())))
def test_any_other_text_is_no_handle(text: str) -> None:
    with pytest.raises(AwsError, match="is not a valid receipt handle"):
        handles.decode(text, 7)


@given(account=ACCOUNTS, region=NAMES, name=NAMES, host=st.sampled_from(["http://h:1", "https://a.b", ""]))
def test_url_leads_back_to_its_queue(account: str, region: str, name: str, host: str) -> None:
    url = queue_url(host, account, region, name)

    assert key_of_url(url, "000000000000", "elsewhere") == (account, region, name)
    assert key_of_url(f"{host}/{account}/{name}", "000000000000", region) == (account, region, name)
    assert key_of_url(name, account, region) == (account, region, name)
    assert is_queue_path(f"/queue/{region}/{account}/{name}".encode())


@given(st.text())
def test_no_text_breaks_the_reading_of_urls(text: str) -> None:
    key = key_of_url(text, "000000000000", "us-east-1")

    assert key is None or all(key)


def test_url_that_is_longer_than_any_queues_names_none() -> None:
    assert key_of_url(f"http://{'h' * 3000}/queue/us-east-1/000000000000/q", "000000000000", "us-east-1") is None


@given(names=st.lists(NAMES, unique=True, max_size=30), size=st.integers(1, 10))
def test_pages_join_to_the_whole_list(names: list[str], size: int) -> None:
    names.sort()
    shown: list[str] = []
    token: str | None = None

    while True:
        page = paging.page(size, token, "list")
        found = [name for name in names if name > page.after][: page.size + 1]
        shown += found[: page.size]
        token = page.next_token(found).get("NextToken")
        if token is None:
            break

    assert shown == names


@given(st.text(min_size=1))
def test_any_other_text_is_no_page_token(text: str) -> None:
    with pytest.raises(AwsError, match="Invalid or expired next token"):
        paging.page(1, text, "list")


@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            VALUES.map(lambda value: {"DataType": "String", "StringValue": value}),
            st.binary(min_size=1).map(lambda value: {"DataType": "Binary.x", "BinaryValue": value}),
        ),
        max_size=10,
    )
)
def test_md5_of_attributes_is_that_of_the_developer_guide(attributes: dict[str, dict[str, str | bytes]]) -> None:
    def part(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    expected = b""
    for name, attribute in sorted(attributes.items()):
        kind, value = attribute.values()
        assert isinstance(kind, str)
        expected += part(name.encode()) + part(kind.encode())
        expected += b"\x01" + part(value.encode()) if isinstance(value, str) else b"\x02" + part(value)

    assert message_attributes.md5_of(attributes) == hashlib.md5(expected).hexdigest()
