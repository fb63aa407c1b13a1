"""Log groups as tests use them, and a client that sends what SDKs would not."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

from cumulet.testing import Cumulet

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Group:
    """One log group of an account."""

    def __init__(self, cumulet: Cumulet, name: str = "/app/web") -> None:
        self.cumulet = cumulet
        self.logs = cumulet.client("logs")
        self.name = name
        self.arn = f"arn:aws:logs:us-east-1:{cumulet.account}:log-group:{name}"

    def create(self, **members: Any) -> Group:
        """Make it, and return it."""
        self.logs.create_log_group(logGroupName=self.name, **members)
        return self

    def stream(self, *names: str) -> None:
        """Make streams."""
        for name in names:
            self.logs.create_log_stream(logGroupName=self.name, logStreamName=name)

    def put(self, stream: str, *messages: str, at_ms: int | None = None) -> dict[str, Any]:
        """Put messages into a stream, a millisecond after each other."""
        first_ms = self.cumulet.now_ms() if at_ms is None else at_ms
        return self.put_events(stream, [(first_ms + number, message) for number, message in enumerate(messages)])

    def put_events(self, stream: str, events: Iterable[tuple[int, str]]) -> dict[str, Any]:
        """Put events of given times into a stream."""
        batch = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
        answer: dict[str, Any] = self.logs.put_log_events(logGroupName=self.name, logStreamName=stream, logEvents=batch)
        return answer

    def get(self, stream: str, **members: Any) -> dict[str, Any]:
        """Return a page of a stream."""
        answer: dict[str, Any] = self.logs.get_log_events(logGroupName=self.name, logStreamName=stream, **members)
        return answer

    def messages(self, stream: str, **members: Any) -> list[str]:
        """Return the messages of a page of a stream."""
        return [event["message"] for event in self.get(stream, **members)["events"]]

    def filter(self, **members: Any) -> dict[str, Any]:
        """Return a page of a search."""
        answer: dict[str, Any] = self.logs.filter_log_events(logGroupName=self.name, **members)
        return answer

    def found(self, **members: Any) -> list[str]:
        """Return the messages of all pages of a search."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.name, **members)
        return [event["message"] for page in pages for event in page["events"]]

    def described(self) -> dict[str, Any]:
        """Return what DescribeLogGroups says about it."""
        [described] = self.logs.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]
        found: dict[str, Any] = described
        return found

    def streams(self, **members: Any) -> list[str]:
        """Return the names of a page of its streams."""
        answer = self.logs.describe_log_streams(logGroupName=self.name, **members)
        return [stream["logStreamName"] for stream in answer["logStreams"]]


class Refused(Exception):
    """An error answer."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.status = status
        self.message = message


class LogsWire:
    """A client of one account that sends what it is told."""

    def __init__(self, cumulet: Cumulet) -> None:
        self._account = cumulet.account
        self._connection = HTTPConnection(urlsplit(cumulet.url).netloc, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def send(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to any body."""
        scope = f"{self._account}/20260101/us-east-1/logs/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Logs_20140328.{operation}",
        }
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def call(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Return the members of the answer; raises `Refused`."""
        status, body = self.send(operation, orjson.dumps(members))
        answer: dict[str, Any] = orjson.loads(body) if body else {}
        if status != 200:
            raise Refused(answer["__type"].partition("#")[2] or answer["__type"], status, answer.get("message", ""))
        return answer
