"""Clients for what SDKs would not send: any member, either protocol, long polls whose state a test can see.

`Wire` speaks json with plain dicts, or query through botocore's serializer on our query description, so one table of
inputs serves both. `LongPoll` is one request on a connection of its own.
"""

from __future__ import annotations

import select
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import orjson
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from cumulet.testing import Cumulet
from cumulet.wire.service import load

SECONDS_AT_ONCE = 5
"""A long poll of 20 seconds that answers within this has been woken."""


class Refused(Exception):
    """An error answer; `code` is the shape's name in json, the legacy code in query."""

    def __init__(self, code: str, status: int, message: str, legacy_code: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.status = status
        self.message = message
        self.legacy_code = legacy_code


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def texts(self, name: str) -> list[str | None]:
        """Return the texts of all XML elements of a name, wherever they are."""
        return [element.text for element in ElementTree.fromstring(self.body).iter() if _local(element.tag) == name]

    @property
    def error(self) -> tuple[int, str | None, str | None]:
        """Status, code and message of an XML error."""
        return self.status, next(iter(self.texts("Code")), None), next(iter(self.texts("Message")), None)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


class Wire:
    """A client of one account that sends what it is told."""

    def __init__(self, cumulet: Cumulet, protocol: str = "json", *, account: str | None = None) -> None:
        self.protocol = protocol
        self.netloc = urlsplit(cumulet.url).netloc
        self._account = account or cumulet.account
        self._connection = HTTPConnection(self.netloc, timeout=30)

    def close(self) -> None:
        self._connection.close()

    @property
    def authorization(self) -> dict[str, str]:
        scope = f"{self._account}/20260101/us-east-1/sqs/aws4_request"
        return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}

    def send(
        self, method: str, path: str, body: bytes | str = b"", headers: Mapping[str, str] | None = None, *, signed: bool
    ) -> Answer:
        """Send one request and return the answer."""
        own = self.authorization if signed else {}
        self._connection.request(method, path, body or None, {**own, **(headers or {})})
        response = self._connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def get(self, path: str, *, signed: bool = False, **parameters: Any) -> Answer:
        """Send a query request as GET."""
        return self.send("GET", f"{path}?{urlencode(parameters)}" if parameters else path, signed=signed)

    def post(self, path: str, *, signed: bool = True, **parameters: Any) -> Answer:
        """Send a query request as POST; names are spelled as on the wire."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(parameters), form, signed=signed)

    def json(self, operation: str, body: bytes, path: str = "/") -> Answer:
        """Send a json request with any body."""
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}"}
        return self.send("POST", path, body, headers, signed=True)

    def call(self, operation: str, **members: Any) -> dict[str, Any]:
        """Return the members of the answer; raises `Refused`."""
        if self.protocol == "query":
            return self._call_query(operation, members)
        answer = self.json(operation, orjson.dumps(members))
        if answer.status != 200:
            error = answer.json
            legacy_code, _, fault = answer.headers["x-amzn-query-error"].partition(";")
            assert fault == "Sender"
            raise Refused(error["__type"].partition("#")[2], answer.status, error.get("message", ""), legacy_code)
        result: dict[str, Any] = answer.json if answer.body else {}
        return result

    def _call_query(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        model = ServiceModel(load("sqs").description_for("query")).operation_model(operation)
        answer = self.post(
            "/", **create_serializer("query", include_validation=False).serialize_to_request(members, model)["body"]
        )
        if answer.status != 200:
            status, code, message = answer.error
            raise Refused(code or "", status, message or "", code or "")
        response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        parsed: dict[str, Any] = create_parser("query").parse(response, model.output_shape)
        parsed.pop("ResponseMetadata")
        return parsed


class LongPoll:
    """A ReceiveMessage that waits for up to 20 seconds, on a connection of its own."""

    def __init__(self, wire: Wire, queue_url: str, **members: Any) -> None:
        self._wire = wire
        self._connection = HTTPConnection(wire.netloc, timeout=SECONDS_AT_ONCE)
        body = orjson.dumps({"QueueUrl": queue_url, "WaitTimeSeconds": 20, **members})
        headers = {
            **wire.authorization,
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AmazonSQS.ReceiveMessage",
        }
        self._connection.request("POST", "/", body, headers)
        self._let_the_server_turn()

    def _let_the_server_turn(self) -> None:
        """Make round trips: what was sent before them has been looked at after them."""
        for _ in range(4):
            self._wire.send("GET", "/_cumulet/clock", signed=False)

    @property
    def is_waiting(self) -> bool:
        """Whether no answer has come, though the server had its turn."""
        self._let_the_server_turn()
        return not select.select([self._connection.sock], [], [], 0)[0]

    def answer(self) -> Answer:
        """Return the answer; TimeoutError when it doesn't come at once."""
        response = self._connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read())
        self._connection.close()
        return answer

    def bodies(self) -> list[str]:
        """Return the bodies of the messages that the poll got."""
        return [message["Body"] for message in self.answer().json.get("Messages", [])]

    def leave(self) -> None:
        """Hang up."""
        self._connection.close()
