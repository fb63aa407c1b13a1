"""The protocols by the name that models give them. A further one is a module here and a line in `PROTOCOLS`."""

from __future__ import annotations

from cumulet.wire.protocols.base import Decode, Encode, Protocol
from cumulet.wire.protocols.json_ import Json
from cumulet.wire.protocols.query import Query
from cumulet.wire.protocols.rest_json import RestJson

PROTOCOLS: dict[str, Protocol] = {"json": Json(), "query": Query(), "rest-json": RestJson()}

__all__ = ["PROTOCOLS", "Decode", "Encode", "Protocol"]
