"""The operations on log groups, their retention and their tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cumulet.kernel.call import Call
from cumulet.services.logs import groups, paging, tags
from cumulet.services.logs.base import LogsBase
from cumulet.services.logs.errors import InvalidParameterException
from cumulet.services.logs.groups import Group, GroupKey
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_logs import type_defs as t

DESCRIBE_LIMIT = 50
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
RESERVED_PREFIX = "aws/"
STEP_GROUPS = 200
MOST_SCANNED = 2_000
"""Groups that one request looks at: a list that is filtered may end its page before it is full, as AWS's do."""
# DescribeLogGroups: either class gives the groups of both.
INFREQUENT = ("INFREQUENT_ACCESS", "ESSENTIALS")

Accepts = Callable[[Group], bool]


class GroupOperations(LogsBase):
    """What is done to log groups as a whole."""

    async def create_log_group(self, call: Call, request: t.CreateLogGroupRequestTypeDef) -> None:
        """Make a group. The key and the class are stored; they change nothing."""
        name = request["logGroupName"]
        if name.lower().startswith(RESERVED_PREFIX):
            raise InvalidParameterException("Log groups starting with AWS/ are reserved for AWS.")
        given = dict(request.get("tags", {}))
        tags.check_names(given)
        key = call.account, call.region, name
        await self.store.transact(self._create, key, dict(request), given, self.clock.now_ms())

    def _create(self, tx: Tx, key: GroupKey, request: Mapping[str, Any], given: dict[str, str], now_ms: int) -> None:
        group = groups.create(
            tx,
            key,
            now_ms,
            log_class=request.get("logGroupClass", "STANDARD"),
            kms_key_id=request.get("kmsKeyId"),
            tags=given,
            is_protected=request.get("deletionProtectionEnabled", False),
        )
        tx.after_commit(self.directory.keep, group)

    async def delete_log_group(self, call: Call, request: t.DeleteLogGroupRequestTypeDef) -> None:
        """Delete a group with all its streams and events."""
        await self.store.transact(self._delete, (call.account, call.region, request["logGroupName"]))
        self.upkeep.collect()

    def _delete(self, tx: Tx, key: GroupKey) -> None:
        tx.after_commit(self.directory.forget, groups.delete(tx, key))

    async def put_log_group_deletion_protection(
        self, call: Call, request: t.PutLogGroupDeletionProtectionRequestTypeDef
    ) -> None:
        """Say whether the group and its streams may be deleted."""
        key = self.key(call, request["logGroupIdentifier"])
        await self._change(key, lambda group: {"is_protected": request["deletionProtectionEnabled"]})

    async def put_retention_policy(self, call: Call, request: t.PutRetentionPolicyRequestTypeDef) -> None:
        """Let events expire when they are so many days old."""
        days = request["retentionInDays"]
        if days not in RETENTION_DAYS:
            # AWS documents no text for this.
            raise InvalidParameterException(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION_DAYS))}]"
            )
        key = call.account, call.region, request["logGroupName"]
        self.upkeep.look_again(await self._change(key, lambda group: {"retention_days": days}))

    async def delete_retention_policy(self, call: Call, request: t.DeleteRetentionPolicyRequestTypeDef) -> None:
        """Keep events for ever."""
        key = call.account, call.region, request["logGroupName"]
        await self._change(key, lambda group: {"retention_days": None})

    async def _change(self, key: GroupKey, change: Callable[[Group], Mapping[str, Any]]) -> Group:
        """Change members of a group, as `change` says from what they are; return the group."""
        return await self.store.transact(self._save, key, change)

    def _save(self, tx: Tx, key: GroupKey, change: Callable[[Group], Mapping[str, Any]]) -> Group:
        group = groups.load(tx, *key)
        changed = groups.save(tx, msgspec.structs.replace(group, **change(group)))
        tx.after_commit(self.directory.keep, changed)
        return changed

    async def describe_log_groups(self, call: Call, request: t.DescribeLogGroupsRequestTypeDef) -> dict[str, Any]:
        """List groups by name, whole or, when searched by a part of the name, in short."""
        prefix, part = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
        if prefix is not None and part is not None:
            raise InvalidParameterException(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        chosen = request.get("logGroupClass")
        if "logGroupIdentifiers" in request:
            if (prefix, part, chosen) != (None, None, None):
                # AWS documents no text for this.
                raise InvalidParameterException("logGroupIdentifiers can't be combined with other filters.")
            return {"logGroups": await self._described(call, request["logGroupIdentifiers"])}
        classes = INFREQUENT if chosen in INFREQUENT else (chosen,)

        def accepts(group: Group) -> bool:
            return (chosen is None or group.log_class in classes) and (part or "") in group.name

        listing = ["DescribeLogGroups", prefix, part, chosen]
        found, answer = await self._page(
            call, prefix or "", accepts, request.get("limit", DESCRIBE_LIMIT), listing, request.get("nextToken")
        )
        if part is not None:
            return {"logGroups": [_short(group) for group, _ in found]} | answer
        return {"logGroups": [_whole(group, stored_bytes) for group, stored_bytes in found]} | answer

    async def _described(self, call: Call, identifiers: Sequence[str]) -> list[dict[str, Any]]:
        found = []
        await self.writer.settled()
        for identifier in sorted(set(identifiers)):
            group = await self.store.read(groups.find, *self.key(call, identifier))
            if group is not None:
                found.append(_whole(group, await self.store.read(groups.stored_bytes, group)))
        return found

    async def list_log_groups(self, call: Call, request: t.ListLogGroupsRequestTypeDef) -> dict[str, Any]:
        """List groups by name, filtered by a pattern of up to five alternatives, class and tags.

        Field indexes and data sources, which groups can be filtered by as well, no group here has.
        """
        pattern, chosen = request.get("logGroupNamePattern"), request.get("logGroupClass")
        tag_filters = [(found["key"], tuple(found.get("values", ()))) for found in request.get("logGroupTags", ())]
        if request.get("fieldIndexNames") or request.get("dataSources"):
            return {"logGroups": []}
        alternatives = pattern.split("|") if pattern else []

        def accepts(group: Group) -> bool:
            return (
                chosen in (None, group.log_class)
                and (not alternatives or any(_is_in_name(group.name, part) for part in alternatives))
                and all(_has_tag(group.tags, key, values) for key, values in tag_filters)
            )

        listing = ["ListLogGroups", pattern, chosen, tag_filters]
        found, answer = await self._page(
            call, "", accepts, request.get("limit", DESCRIBE_LIMIT), listing, request.get("nextToken")
        )
        summaries = [
            {"logGroupName": group.name, "logGroupArn": group.arn, "logGroupClass": group.log_class}
            for group, _ in found
        ]
        return {"logGroups": summaries} | answer

    async def _page(
        self, call: Call, prefix: str, accepts: Accepts, limit: int, listing: list[Any], token: str | None
    ) -> tuple[list[tuple[Group, int]], dict[str, str]]:
        """Return groups with their stored bytes, and the answer's nextToken where there may be more."""
        after = paging.position(token, listing, str) or ""
        await self.writer.settled()
        found: list[tuple[Group, int]] = []
        for _ in range(0, MOST_SCANNED, STEP_GROUPS):
            step = await self.store.read(groups.page, call.account, call.region, prefix, after, STEP_GROUPS)
            for group, stored_bytes in step:
                if accepts(group):
                    if len(found) == limit:
                        return found, {"nextToken": paging.token(listing, after)}
                    found.append((group, stored_bytes))
                after = group.name
            if len(step) < STEP_GROUPS:
                return found, {}
        return found, {"nextToken": paging.token(listing, after)}

    async def tag_log_group(self, call: Call, request: t.TagLogGroupRequestTypeDef) -> None:
        """Set tags of a group."""
        await self._tag((call.account, call.region, request["logGroupName"]), request["tags"])

    async def untag_log_group(self, call: Call, request: t.UntagLogGroupRequestTypeDef) -> None:
        """Remove tags of a group; those that aren't there are no error."""
        await self._untag((call.account, call.region, request["logGroupName"]), request["tags"])

    async def list_tags_log_group(self, call: Call, request: t.ListTagsLogGroupRequestTypeDef) -> dict[str, Any]:
        """Return a group's tags."""
        return {"tags": (await self.group(call, request)).tags}

    async def tag_resource(self, call: Call, request: t.TagResourceRequestTypeDef) -> None:
        """Set tags of the group that an ARN names."""
        await self._tag(self.tagged_key(call, request["resourceArn"]), request["tags"])

    async def untag_resource(self, call: Call, request: t.UntagResourceRequestTypeDef) -> None:
        """Remove tags of the group that an ARN names; those that aren't there are no error."""
        await self._untag(self.tagged_key(call, request["resourceArn"]), request["tagKeys"])

    async def list_tags_for_resource(self, call: Call, request: t.ListTagsForResourceRequestTypeDef) -> dict[str, Any]:
        """Return the tags of the group that an ARN names."""
        return {"tags": (await self.known(self.tagged_key(call, request["resourceArn"]))).tags}

    async def _tag(self, key: GroupKey, given: Mapping[str, str]) -> None:
        tags.check_names(given)
        await self._change(key, lambda group: {"tags": tags.merged(group, given)})

    async def _untag(self, key: GroupKey, names: Sequence[str]) -> None:
        await self._change(
            key, lambda group: {"tags": {name: value for name, value in group.tags.items() if name not in names}}
        )


def _short(group: Group) -> dict[str, Any]:
    return {
        "logGroupName": group.name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupClass": group.log_class,
        "logGroupArn": group.arn,
    }


def _whole(group: Group, stored_bytes: int) -> dict[str, Any]:
    optional = {"retentionInDays": group.retention_days, "kmsKeyId": group.kms_key_id}
    return {
        **_short(group),
        "storedBytes": stored_bytes,
        "deletionProtectionEnabled": group.is_protected,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _is_in_name(name: str, part: str) -> bool:
    """Does a group's name contain a part of a pattern, or with `^` begin with it? The dot is any character."""
    return re.search(part, name) is not None


def _has_tag(group_tags: Mapping[str, str], key: str, values: tuple[str, ...]) -> bool:
    if key not in group_tags:
        return False
    return not values or any(_is_value(group_tags[key], wanted) for wanted in values)


def _is_value(value: str, wanted: str) -> bool:
    """Is a tag's value as a filter says? `!` negates; `*` at either end is any text, and then case doesn't count."""
    if wanted.startswith("!"):
        return not _is_value(value, wanted[1:])
    if "*" not in wanted:
        return value == wanted
    text, part = value.lower(), wanted.strip("*").lower()
    if wanted.startswith("*"):
        return part in text if wanted.endswith("*") else text.endswith(part)
    return text.startswith(part)
