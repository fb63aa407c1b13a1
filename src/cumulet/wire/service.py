"""A service and its operations as they look on the wire: the one entrance to the codecs.

Everything is compiled at its first use and kept: a process pays for the services, operations and protocols that
its clients use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from cumulet.kernel.errors import AwsError, NotImplementedFailure
from cumulet.wire.errors import ErrorTrait, modeled_traits
from cumulet.wire.facts import Facts
from cumulet.wire.http import HttpRequest, HttpResponse
from cumulet.wire.model import description
from cumulet.wire.overlays import Overlay, overlay
from cumulet.wire.protocols import PROTOCOLS, Decode, Encode, Protocol
from cumulet.wire.shapes import OperationModel, ServiceModel
from cumulet.wire.typed import Types
from cumulet.wire.violations import Violation

Compiler = TypeVar("Compiler")

NO_LABELS: Mapping[str, str] = MappingProxyType({})
NOT_BUILT = "Cumulet does not speak the protocol {protocol}."


class WireService:
    """A service's model with its overlay applied; `name` is botocore's folder name (`sqs`, `lambda`, `events`)."""

    def __init__(self, name: str, content: dict[str, Any], corrections: Overlay) -> None:
        self.name = name
        self.overlay = corrections
        self._content = corrections.correct(content)
        self._models: dict[str, ServiceModel] = {}
        self.facts = Facts.of(self._content["metadata"])
        self._operations: dict[str, WireOperation] = {}
        self._compilers: dict[type, Any] = {}
        self.model = ServiceModel(self._content)
        self.operation_names = self.model.operation_names

    def shared(self, compiler: type[Compiler]) -> Compiler:
        """Return the service's one instance of a compiler: operations share what they have in common."""
        if compiler not in self._compilers:
            self._compilers[compiler] = compiler()
        found: Compiler = self._compilers[compiler]
        return found

    @cached_property
    def types(self) -> Types:
        """The shapes as msgspec's types."""
        return Types(self.name)

    @cached_property
    def errors(self) -> dict[str, ErrorTrait]:
        """Modeled errors by the name of their shape."""
        traits: dict[str, ErrorTrait] = modeled_traits(self.model)
        return traits

    @cached_property
    def xmlns(self) -> str:
        """The namespace of XML answers; empty when the service never wrote XML."""
        namespace = self.model_for("query").metadata.get("xmlNamespace", "")
        found: str = namespace if isinstance(namespace, str) else namespace["uri"]
        return found

    def model_for(self, protocol: str) -> ServiceModel:
        """Return the model as one protocol sees it."""
        if protocol not in self.overlay.descriptions:
            return self.model
        if protocol not in self._models:
            self._models[protocol] = ServiceModel(self.description_for(protocol))
        return self._models[protocol]

    def description_for(self, protocol: str) -> dict[str, Any]:
        """Return what the model of `model_for` is made of."""
        describe = self.overlay.descriptions.get(protocol)
        return self._content if describe is None else describe(self._content)

    def operation(self, name: str) -> WireOperation:
        """Return an operation. KeyError when the service has none of this name."""
        found = self._operations.get(name)
        if found is None:
            if name not in self.operation_names:
                raise KeyError(f"{self.name} has no operation {name}")
            found = self._operations[name] = WireOperation(self, name)
        return found

    def refuse(self, protocol: str, operation: str, violations: Sequence[Violation]) -> AwsError:
        """Return the service's error for broken constraints."""
        return self.overlay.refuse(protocol, operation, violations)


class WireOperation:
    """Reads an operation's requests and writes its answers in each of the service's protocols."""

    def __init__(self, service: WireService, name: str) -> None:
        self.service = service
        self.name = name
        self._decoders: dict[str, Decode] = {}
        self._encoders: dict[str, Encode] = {}

    def decode(self, protocol: str, request: HttpRequest, labels: Mapping[str, str] = NO_LABELS) -> dict[str, Any]:
        """Return the request's members from all its parts, under AWS's names; an absent member has no key.

        `labels` are the parts of the path that the router found, percent-decoded; in the query protocol,
        parameters to assume where the request has none. Blobs are bytes, timestamps aware UTC datetimes.
        Raises AwsError and nothing else.
        """
        decoder = self._decoders.get(protocol)
        if decoder is None:
            decoder = self._decoders[protocol] = spoken(protocol).decoder(self.service, self._model(protocol))
        return decoder(request, labels)

    def encode(self, protocol: str, result: Mapping[str, Any] | None, request_id: str) -> HttpResponse:
        """Return the answer for a result that has members of the output shape only.

        A member that is None is left out. Timestamps are datetimes (a naive one is UTC) or seconds since 1970,
        blobs bytes.
        """
        encoder = self._encoders.get(protocol)
        if encoder is None:
            encoder = self._encoders[protocol] = spoken(protocol).encoder(self.service, self._model(protocol))
        return encoder(result, request_id)

    def _model(self, protocol: str) -> OperationModel:
        return self.service.model_for(protocol).operation_model(self.name)


@cache
def load(service: str) -> WireService:
    """Return a service by botocore's folder name. UnknownServiceError (a KeyError) when AWS has none such."""
    return WireService(service, description(service), overlay(service))


def encode_error(
    service: WireService | None, protocol: str, error: AwsError, request_id: str, *, query_compatible: bool = True
) -> HttpResponse:
    """Return an error as a client of `protocol` expects it; `service` is None when the request named none.

    Status, fault and code come from the model (its overlay first), otherwise from the error's class.
    `query_compatible=False` leaves out the header with the code of the query protocol.
    """
    return spoken(protocol).encode_error(service, error, request_id, query_compatible=query_compatible)


def spoken(protocol: str) -> Protocol:
    """Return a protocol. NotImplementedFailure for one of AWS's that is not built."""
    found = PROTOCOLS.get(protocol)
    if found is None:
        raise NotImplementedFailure(NOT_BUILT.format(protocol=protocol))
    return found
