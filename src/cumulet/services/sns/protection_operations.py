"""PutDataProtectionPolicy and GetDataProtectionPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.kernel.call import Call
from cumulet.kernel.errors import InvalidAction
from cumulet.services.sns import data_protection, topics
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.topics import TopicKey
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t


class ProtectionOperations(SnsBase):
    """What is done to a topic's data protection policy."""

    async def put_data_protection_policy(self, call: Call, request: t.PutDataProtectionPolicyInputTypeDef) -> None:
        """Give a topic a data protection policy instead of what it has; an empty document takes it away."""
        _check_kind(call, request["ResourceArn"])
        topic = await self.topic(call, request["ResourceArn"])
        policy = data_protection.checked(request["DataProtectionPolicy"], is_fifo=False)
        await self.store.transact(self._protect, topic.key, policy)

    def _protect(self, tx: Tx, key: TopicKey, policy: str) -> None:
        saved = topics.save(tx, msgspec.structs.replace(topics.load(tx, key), data_protection=policy))
        tx.after_commit(self.directory.keep, saved)

    async def get_data_protection_policy(
        self, call: Call, request: t.GetDataProtectionPolicyInputTypeDef
    ) -> dict[str, Any]:
        """Return a topic's data protection policy as it was given, empty where it has none."""
        _check_kind(call, request["ResourceArn"])
        topic = await self.topic(call, request["ResourceArn"])
        return {"DataProtectionPolicy": topic.data_protection}


def _check_kind(call: Call, arn: str) -> None:
    """SNS (recorded): FIFO topics are refused by their names, whether they are there or not."""
    if arn.endswith(".fifo"):
        raise InvalidAction(f"Operation ({call.operation}) is not supported on FIFO topics")
