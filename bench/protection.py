"""Sensitive data in messages of 1 KB: what looking for twenty identifiers costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import re2

from rows import Row

IDENTIFIERS = (
    "Address", "AwsSecretKey", "BankAccountNumber-DE", "BankAccountNumber-US", "CreditCardExpiration",
    "CreditCardNumber", "CreditCardSecurityCode", "DateOfBirth", "DriversLicense-US", "EmailAddress", "IpAddress",
    "LatLong", "Name", "NhsNumber-GB", "OpenSshPrivateKey", "PassportNumber-US", "PhoneNumber-US", "PkcsPrivateKey",
    "Ssn-US", "VehicleIdentificationNumber",
)  # fmt: skip
SENTENCE = "the chair of oak goes to the customer as soon as the carpenter has oiled it, which takes a day or two; "
TEXT = (SENTENCE * 11)[:1024]
ORDERS = [{"at": "2026-11-21T20:03:44Z", "number": 1_000_000 + number, "note": "x" * 40} for number in range(10)]
NUMBERS = json.dumps({"orders": ORDERS})
HITS = json.dumps(
    {
        "customer": {"name": "Jane Doe", "email": "jane@example.com", "ssn": "536-22-1234"},
        "payment": {"creditCardNumber": 4539894458086459, "cvv": 123, "expiry": "09/27"},
        "from": "203.0.113.7",
        "note": SENTENCE * 7,
    }
)
ROUNDS = 2_000


class Protection:
    """The rows about sensitive data; nothing but the engine runs."""

    def inspect(self) -> Iterator[Row]:
        from cumulet.protection import Inspector, managed_identifier

        managed = [identifier for name in IDENTIFIERS if (identifier := managed_identifier(name))]
        assert len(managed) == len(IDENTIFIERS)
        inspector = Inspector(managed)
        word = re2.compile("carpenters")
        floor = f"{len(TEXT) / _microseconds(lambda: word.search(TEXT)):,.0f} MB/s for one word"
        for what, text, wanted in (
            ("20 identifiers, text without a hit", TEXT, "100"),
            ("20 identifiers, JSON with numbers, no hit", NUMBERS, ""),
            ("20 identifiers, JSON with 7 hits", HITS, ""),
        ):
            each = _microseconds(lambda: inspector.find(text))
            yield Row(f"inspect: {what}", f"{len(text) / each:,.0f} MB/s", wanted, f"{each / 1000:.3f} ms", floor=floor)


def _microseconds(work: Callable[[], object]) -> float:
    """The best of five rounds, for each call."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(ROUNDS):
            work()
        best = min(best, (time.perf_counter() - began) / ROUNDS)
    return best * 1e6
