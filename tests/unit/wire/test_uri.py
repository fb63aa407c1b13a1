"""Finding REST operations by method, path and query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.wire.service import load
from cumulet.wire.uri import Router, split

ROUTER = Router(
    [
        ("List", "GET", "/things"),
        ("Get", "GET", "/things/{Name}"),
        ("Special", "GET", "/things/special"),
        ("Part", "GET", "/things/{Name}/parts/{Part}"),
        ("Typed", "GET", "/things/{Name}?type=x"),
        ("Flagged", "GET", "/things/{Name}?flag"),
        ("Object", "PUT", "/{Bucket}/{Key+}"),
        ("Bucket", "PUT", "/{Bucket}"),
        ("Acl", "GET", "/deep/{Key+}/acl"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "query", "found"),
    [
        ("GET", b"/things", {}, ("List", {})),
        ("GET", b"/things/", {}, ("List", {})),
        ("GET", b"/things/a", {}, ("Get", {"Name": "a"})),
        ("GET", b"/things/special", {}, ("Special", {})),
        ("GET", b"/things/special/parts/1", {}, ("Part", {"Name": "special", "Part": "1"})),
        ("GET", b"/things/a", {"type": "x"}, ("Typed", {"Name": "a"})),
        ("GET", b"/things/a", {"type": "y"}, ("Get", {"Name": "a"})),
        ("GET", b"/things/a", {"flag": "", "more": "1"}, ("Flagged", {"Name": "a"})),
        ("GET", b"/things/arn%3Aaws%3Aa%2Fb%20c%C3%A9", {}, ("Get", {"Name": "arn:aws:a/b cé"})),
        ("GET", b"/things//parts/1", {}, None),
        ("GET", b"/things/%ff", {}, None),
        ("POST", b"/things", {}, None),
        ("GET", b"/nothing", {}, None),
        ("PUT", b"/b/k", {}, ("Object", {"Bucket": "b", "Key": "k"})),
        ("PUT", b"/b//k//l/", {}, ("Object", {"Bucket": "b", "Key": "/k//l/"})),
        ("PUT", b"/b/", {}, ("Bucket", {"Bucket": "b"})),
        ("GET", b"/deep/a/b/acl", {}, ("Acl", {"Key": "a/b"})),
    ],
)
def test_match(method: str, path: bytes, query: dict[str, str], found: tuple[str, dict[str, str]] | None) -> None:
    assert ROUTER.match(method, split(path), query) == found


def test_lambda() -> None:
    router = Router.of(load("lambda"))
    arn = b"arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af"
    assert router.match("POST", split(b"/2015-03-31/functions/" + arn + b"/invocations")) == (
        "Invoke",
        {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"},
    )
    assert router.match("GET", split(b"/2015-03-31/functions/")) == ("ListFunctions", {})


@given(st.binary(max_size=40), st.sampled_from(["GET", "PUT", ""]))
def test_any_path_is_routed_or_not(path: bytes, method: str) -> None:
    ROUTER.match(method, split(path), {})
