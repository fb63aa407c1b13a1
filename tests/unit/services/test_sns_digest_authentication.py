"""Digest authentication: the examples of the standards, and challenges that ask for something else."""

from __future__ import annotations

import pytest

from cumulet.services.sns.digest_authentication import authorization

RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
NONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def test_the_example_of_rfc_2617() -> None:
    assert authorization(RFC_2617, "GET", "/dir/index.html", "Mufasa", "Circle Of Life", "0a4f113b") == (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", response="6629fae49393a05397450978507c4ef1", cnonce="0a4f113b", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41", qop=auth, nc=00000001'
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    challenge = RFC_7616.format(algorithm=algorithm)

    answer = authorization(challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", NONCE_7616)

    assert answer is not None
    assert f'response="{response}"' in answer
    assert f"algorithm={algorithm}" in answer


def test_a_challenge_without_quality_is_answered_as_the_first_standard_has_it() -> None:
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'

    answer = authorization(challenge, "GET", "/dir/index.html", "Mufasa", "Circle Of Life", "unused")

    assert answer is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in answer
    assert "cnonce" not in answer


def test_a_session_has_another_secret() -> None:
    plain, session = (
        authorization(RFC_7616.format(algorithm=algorithm), "POST", "/", "me", "pw", "n") or ""
        for algorithm in ("MD5", "MD5-sess")
    )

    assert plain.partition("response=")[2][:34] != session.partition("response=")[2][:34]
    assert "algorithm=MD5-sess" in session


def test_quotes_in_names_stay_inside() -> None:
    answer = authorization('Digest realm="a \\"b\\" c", nonce="n"', "POST", "/", 'm"e', "pw", "n")

    assert answer is not None
    assert 'username="m\\"e", realm="a \\"b\\" c"' in answer


@pytest.mark.parametrize("name", ["me\r\nX-More: 1", "me\n", "me\x00"])
def test_a_name_makes_no_headers(name: str) -> None:
    assert authorization(RFC_2617, "POST", "/", name, "pw", "n") is None


@pytest.mark.parametrize(
    "challenge",
    [
        "",
        "Digest",
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest nonce="x"',
        'Digest realm="x", nonce="y", algorithm=SHA-512-256',
        'Digest realm="x", nonce="y", qop="auth-int"',
    ],
)
def test_what_asks_for_something_else_is_not_answered(challenge: str) -> None:
    assert authorization(challenge, "POST", "/", "me", "pw", "n") is None
