"""The services of this platform, and how requests name them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cumulet.kernel.config import ConfigError
from cumulet.services.cloudwatch import CloudWatch
from cumulet.services.iam import Iam
from cumulet.services.lambda_ import Lambda
from cumulet.services.logs import Logs
from cumulet.services.service import Platform, Service
from cumulet.services.sns import Sns
from cumulet.services.sqs import Sqs
from cumulet.services.sts import Sts
from cumulet.store.schema import Schema
from cumulet.wire import uri
from cumulet.wire.service import WireService, load

ALL: tuple[type[Service], ...] = (Iam, Logs, Lambda, Sns, Sqs, Sts, CloudWatch)
"""In the order in which they start and stop: what a service measures until its end is written down."""
SCHEMAS = (
    "cumulet.delivery",
    "cumulet.gateway",
    "cumulet.services.cloudwatch",
    "cumulet.services.iam",
    "cumulet.services.lambda_",
    "cumulet.services.logs",
    "cumulet.services.sns",
    "cumulet.services.sqs",
)
"""The packages that have tables."""


def schemas() -> list[Schema]:
    """Return the tables of the gateway, of deliveries and of all services."""
    return [Schema.of_package(package) for package in SCHEMAS]


class RestService(NamedTuple):
    """A service that tells operations apart by their paths."""

    name: str
    signing_name: str
    protocol: str
    paths: uri.Router


class Registry:
    """The services by the names that requests give them."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services = {service.name: service for service in services}
        self.wires: dict[str, WireService] = {name: load(name) for name in self.services}
        self.by_target = {wire.target_prefix: name for name, wire in self.wires.items() if wire.target_prefix}
        self.by_version = {wire.api_version: name for name, wire in self.wires.items() if "query" in wire.protocols}
        self.signing_names: dict[str, str] = {name: wire.model.signing_name for name, wire in self.wires.items()}
        self.by_signing_name = {signing_name: name for name, signing_name in self.signing_names.items()}
        self.rest = [
            RestService(name, self.signing_names[name], protocol, uri.Router.of(wire))
            for name, wire in self.wires.items()
            for protocol in wire.protocols
            if protocol.startswith("rest-")
        ]

    @classmethod
    def of(cls, platform: Platform) -> Registry:
        """Return all services, made for a platform."""
        return cls([service(platform) for service in ALL])

    def check_quotas(self, names: Iterable[str]) -> None:
        """Raise ConfigError for a quota that limits nothing."""
        for quota in names:
            service, _, limited = quota.partition(":")
            known = (
                self.services[service].limits | self.wires[service].operation_names if service in self.services else ()
            )
            if limited not in known:
                raise ConfigError(
                    f"there is no quota {quota!r}: say SERVICE:OPERATION, or a limit of the documentation"
                )

    async def start(self) -> None:
        """Let every service go on with its own work."""
        for service in self.services.values():
            await service.start()

    def stop_waiting(self) -> None:
        """Let every service answer what waits."""
        for service in self.services.values():
            service.stop_waiting()

    async def stop(self) -> None:
        """Let every service end what it runs."""
        for service in self.services.values():
            await service.stop()
