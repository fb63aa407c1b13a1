"""What all operations share: the groups, who writes into them, and what runs beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.services.logs.directory import Directory
from cumulet.services.logs.errors import InvalidParameterException, ValidationException, no_such_group
from cumulet.services.logs.groups import Group, GroupKey
from cumulet.services.logs.upkeep import Upkeep
from cumulet.services.logs.writing import Writer
from cumulet.services.service import Platform, Service

GROUP_RESOURCE = re.compile(r"log-group:([.\-_/#A-Za-z0-9]+)")


class LogsBase(Service):
    """The log groups, and the platform's sink for its own log lines."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.upkeep = Upkeep(platform.store, platform.clock, platform.activity)
        self.writer = Writer(platform.store, platform.clock, self.directory, self.upkeep)
        platform.delivery.logs = self.writer

    async def start(self) -> None:
        """Resume upkeep."""
        await self.upkeep.resume()

    async def group(self, call: Call, request: Mapping[str, Any]) -> Group:
        """Return the group that `logGroupName` or `logGroupIdentifier` names, once what is being written is there.

        Raises ResourceNotFoundException, and ValidationException when not just one of the two is given.
        """
        name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
        if name is not None and identifier is not None:
            raise ValidationException("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
        if name is None and identifier is None:
            # AWS documents no text for this.
            raise ValidationException("Either LogGroup name or LogGroup ARN must be specified.")
        key = self.key(call, str(identifier)) if name is None else (call.account, call.region, name)
        await self.writer.settled()
        return await self.directory.find(key)

    async def known(self, key: GroupKey) -> Group:
        """Return the group of that name, also one that is being made; raises ResourceNotFoundException."""
        group = self.directory.cached(key)
        if group is None:
            await self.writer.settled()
            group = await self.directory.find(key)
        return group

    def key(self, call: Call, identifier: str) -> GroupKey:
        """Return which group a name or an ARN stands for; raises ResourceNotFoundException for another account's."""
        arn = parse_arn(identifier)
        if arn is None:
            return call.account, call.region, identifier
        resource = GROUP_RESOURCE.fullmatch(arn.resource)
        if resource is None or (arn.service, arn.region, arn.account) != ("logs", call.region, call.account):
            raise no_such_group()
        return call.account, call.region, resource[1]

    def tagged_key(self, call: Call, arn_text: str) -> GroupKey:
        """Return which group the ARN of a tagged resource names."""
        if parse_arn(arn_text) is None:
            # AWS documents no text for this.
            raise InvalidParameterException(f"Invalid resource ARN: {arn_text}")
        return self.key(call, arn_text)
