"""What runs through queues and topics all day and is nobody's data: no identifier may find anything in it."""

import base64
import json
import uuid
from random import Random

import pytest

from cumulet.protection import Inspector
from cumulet.protection.catalogue import IDENTIFIERS

EVERYTHING = Inspector(IDENTIFIERS.values())
ID = "c2b7a1de-58c3-4a55-9d52-7e7d5a2c1b11"


def found(text: str) -> list[tuple[str, str]]:
    return [(each.identifier, text[each.start : each.end]) for each in EVERYTHING.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0\0\0",
        f"request {ID} took 12.345 ms, version 10.20.30, build 20240501.3",
        f"START RequestId: {ID} Version: $LATEST",
        f"REPORT RequestId: {ID}\tDuration: 3.02 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 9 MB",
        "2024-05-01T12:34:56.789Z INFO order 20240501123456 accepted in 12 ms (attempt 1/3)",
        "arn:aws:sns:eu-central-1:123456789012:orders.fifo",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/orders?page=2&size=100#top",
        "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709 (HEAD -> main, tag: v1.2.3)",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "GET /orders/4711?since=1714567890123 HTTP/1.1 200 5120 0.012",
        "Total: 1,234.56 EUR, 19.00 % VAT, due in 30 days; invoice INV-2024-00042",
        "The customer called on Monday. Order Service answered, and Payment Service was in the United States.",
        "Traceback (most recent call last):\n  File \"/var/task/app.py\", line 42, in handler\nKeyError: 'Item'",
        "SELECT count(*) FROM orders WHERE created_at > '2024-05-01' AND total > 1000",
        "0x7f3a5c 0b1010 1e-9 3.14159 -42 +7 1/2 50% #12 §3 ½ ×2 ✓ 日本語 العربية 😀",
        "<p class='x1'>Lorem ipsum dolor sit amet, consectetur adipiscing elit.</p>",
        "AAAA-BBBB-CCCC 12-34-56 9:00-17:00 4x4 A4 B12 MP3 H264 UTF-8 ISO-8859-1",
        "social media post, sin embargo, tin can, nie wieder, rg, cep, pan con tomate",
        "contact us; the phone is ringing; location: warehouse 7; position 12 of 40",
    ],
)
def test_nothing_is_found_in_common_texts(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "document",
    [
        {"orderId": ID, "status": "SHIPPED", "items": [{"sku": "AB-12-XY", "quantity": 2, "price": 19.99}]},
        {"id": 1714567890123, "sequence": 12345678, "createdAt": "2024-05-01T12:34:56Z", "ok": True, "none": None},
        {"version": "0", "id": ID, "detail-type": "Order Placed", "source": "shop.orders", "account": "123456789012",
         "time": "2024-05-01T12:34:56Z", "region": "eu-central-1", "resources": [], "detail": {"total": 1234.5}},
        {"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2024-05-01T12:34:56.000Z",
                      "s3": {"bucket": {"name": "invoices"}, "object": {"key": "2024/05/42.pdf", "size": 1048576,
                                                                        "eTag": "d41d8cd98f00b204e9800998ecf8427e"}}}]},
        {"productName": "Blue Shirt", "name": "Order Service", "city": "Paris", "street": "Main Street", "unit": 4},
        {"metric": {"p50": 0.012, "p99": 1.25}, "host": "web-17.internal", "pid": 4711, "level": "INFO"},
    ],
    ids=lambda document: ", ".join(document),
)  # fmt: skip
def test_nothing_is_found_in_common_documents(document):
    assert found(json.dumps(document)) == []
    assert found(json.dumps(json.dumps(document))) == []


@pytest.mark.parametrize(
    "made",
    [
        lambda random: str(uuid.UUID(int=random.getrandbits(128))),
        lambda random: base64.b64encode(random.randbytes(60)).decode(),
        lambda random: base64.urlsafe_b64encode(random.randbytes(30)).decode(),
        lambda random: random.randbytes(20).hex(),
        lambda random: random.randbytes(16).hex().upper(),
        lambda random: str(random.getrandbits(random.randrange(1, 70))),
        lambda random: f"ORD-{random.randrange(10**8):08} {random.randrange(10**10)} {random.random()}",
    ],
    ids=["uuid", "base64", "base64url", "hex", "HEX", "numbers", "orders"],
)
def test_nothing_is_found_in_random_identifiers(made):
    random = Random(2)  # one in some thousand texts in base64 has a postal code of Canada, by chance
    text = "\n".join(made(random) for _ in range(2_000))

    assert found(text) == []


def test_data_of_one_kind_is_found_among_common_data():
    report = {"orderId": ID, "total": 175.99, "customer": {"fullName": "Xiomara Quintero", "ssn": 123456789}}

    assert found(json.dumps(report)) == [("Name", "Xiomara Quintero"), ("Ssn-US", "123456789")]
