"""The services of this platform, and how requests name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

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
from cumulet.wire.facts import QUERY, facts
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


@dataclass(frozen=True)
class RestService:
    """A service that tells operations apart by their paths."""

    name: str
    signing_name: str
    protocol: str

    @cached_property
    def paths(self) -> uri.Router:
        """What finds its operations."""
        return uri.Router.of(load(self.name))


class Registry:
    """The services by the names that requests give them. A service's model is loaded when a request needs it."""

    def __init__(self, services: Iterable[Service]) -> None:
        self.services = {service.name: service for service in services}
        known = {name: facts(name) for name in self.services}
        self.by_target = {its.target_prefix: name for name, its in known.items() if its.target_prefix}
        self.by_version = {its.api_version: name for name, its in known.items() if QUERY in its.protocols}
        self.signing_names = {name: its.signing_name for name, its in known.items()}
        self.by_signing_name = {signing_name: name for name, signing_name in self.signing_names.items()}
        self.rest = [
            RestService(name, its.signing_name, protocol)
            for name, its in known.items()
            for protocol in its.protocols
            if protocol.startswith("rest-")
        ]

    @classmethod
    def of(cls, platform: Platform) -> Registry:
        """Return all services, made for a platform."""
        return cls([service(platform) for service in ALL])

    def wire(self, service: str) -> WireService:
        """Return how one of the services looks on the wire."""
        return load(service)

    def check_quotas(self, names: Iterable[str]) -> None:
        """Raise ConfigError for a quota that limits nothing."""
        for quota in names:
            service, _, limited = quota.partition(":")
            if service not in self.services or limited not in (
                self.services[service].limits | self.wire(service).operation_names
            ):
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
