"""How a client's operations reach the server: as raw JSON requests to queues, which is fast, or through boto3.

Both raise `Refused` for an error answer and `Cut` when there was none.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError
from victim import Victim

TIMEOUT_SECONDS = 30
CONNECTIONS = 20
"""To each service."""


class Refused(Exception):
    """The server said no; the message is the error's name."""


class Cut(Exception):
    """No answer came, or one that says that the server failed: nobody knows what happened."""


class Transport(Protocol):
    """One client's way to the server."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer."""

    def close(self) -> None:
        """Close the connections."""


class RawTransport:
    """A keep-alive connection for JSON requests."""

    def __init__(self, victim: Victim) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(victim.url).netloc, timeout=TIMEOUT_SECONDS)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer."""
        headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
        try:
            self._connection.request("POST", "/", orjson.dumps(request), headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Cut(repr(error)) from error
        answer: dict[str, Any] = orjson.loads(content) if content else {}
        if response.status >= 500:
            raise Cut(f"{response.status} {answer}")
        if response.status != 200:
            raise Refused(answer["__type"].partition("#")[2])
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class BotoTransport:
    """A boto3 client, as users have it, without retries."""

    def __init__(self, victim: Victim) -> None:
        self._client = victim.server.client("sqs", read_timeout=TIMEOUT_SECONDS)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer."""
        return _asked(self._client, operation, request)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class CloudTransport:
    """boto3 clients of several services, without retries. Operations have names like `iam:CreateRole`."""

    def __init__(self, victim: Victim, services: Iterable[str]) -> None:
        self._clients = {
            service: victim.server.client(service, read_timeout=TIMEOUT_SECONDS, max_pool_connections=CONNECTIONS)
            for service in services
        }

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer; its payload, if it has one, is bytes."""
        service, _, name = operation.partition(":")
        return _asked(self._clients[service], name, request)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


def _asked(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        if hasattr(answer.get("Payload"), "read"):
            answer["Payload"] = answer["Payload"].read()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise Cut(repr(error)) from error
        raise Refused(error.response["Error"]["Code"]) from error
    except (BotoCoreError, HTTPError) as error:
        raise Cut(repr(error)) from error
    return answer
