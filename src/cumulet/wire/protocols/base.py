"""What a protocol is: three functions that compile or write."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulet.kernel.errors import AwsError
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.shapes import OperationModel

if TYPE_CHECKING:
    from cumulet.wire.service import WireService

Decode = Callable[[HttpRequest, Mapping[str, str]], dict[str, Any]]
Encode = Callable[[Mapping[str, Any] | None, str], HttpResponse]

REQUEST_ID = b"x-amzn-requestid"


class Protocol(typing.Protocol):
    """Compiles an operation's codec and writes errors."""

    def decoder(self, service: WireService, operation: OperationModel) -> Decode:
        """Return what reads a request's members; it raises AwsError and nothing else."""

    def encoder(self, service: WireService, operation: OperationModel) -> Encode:
        """Return what writes a result under a request id."""

    def encode_error(
        self, service: WireService | None, error: AwsError, request_id: str, *, query_compatible: bool
    ) -> HttpResponse:
        """Return the answer that tells a client of this protocol about an error."""
