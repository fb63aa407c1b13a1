"""The operations on published versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulet.kernel.call import Call
from cumulet.services.lambda_ import configuration, function_answers, functions, paging, versions
from cumulet.services.lambda_.base import LambdaBase
from cumulet.services.lambda_.errors import invalid
from cumulet.services.lambda_.function_names import LATEST, FunctionKey, version_number
from cumulet.services.lambda_.functions import Function
from cumulet.services.lambda_.versions import Published, Wanted
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t


class VersionOperations(LambdaBase):
    """What is done to versions: they are published, listed and deleted, and never changed."""

    async def publish_version(self, call: Call, request: t.PublishVersionRequestTypeDef) -> dict[str, Any]:
        """Make a version of what the function is now; where nothing has changed, return the newest version."""
        members = cast("dict[str, Any]", request)
        configuration.refuse_unsupported(call.operation, members)
        key = self.locate_function(call, members["FunctionName"], LATEST)
        wanted = Wanted(
            code_sha256=members.get("CodeSha256"),
            revision=members.get("RevisionId"),
            description=members.get("Description"),
        )
        published = await self.store.transact(self.publish, key, wanted, self.new_revisions(), self.clock.now_ms())
        version = published.version
        return function_answers.whole(version, function_answers.READY, version.version)

    def new_revisions(self) -> tuple[str, str]:
        """Return what `publish` needs."""
        return self.ids.uuid(), self.ids.uuid()

    def publish(self, tx: Tx, key: FunctionKey, wanted: Wanted, revisions: tuple[str, str], now_ms: int) -> Published:
        """Publish a version in a transaction; raises CodeStorageExceededException and what `versions.publish` does."""
        published = versions.publish(tx, key, wanted, revisions=revisions, now_ms=now_ms)
        if published.is_new:
            functions.check_storage(tx, key.account, key.region, self.most_code_bytes)
            tx.after_commit(self.changed, published.latest)
        return published

    async def list_versions_by_function(
        self, call: Call, request: t.ListVersionsByFunctionRequestTypeDef
    ) -> dict[str, Any]:
        """List `$LATEST` and the published versions, the oldest first."""
        latest = await self.known(self.locate_function(call, request["FunctionName"], LATEST))
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(versions_from, latest, marked_number(page.after), page.size + 1)
        listed = [function_answers.listed(version, version.version) for version in found[: page.size]]
        return {"Versions": listed} | page.next_marker([mark(version) for version in found])


def versions_from(tx: Tx, latest: Function, after_number: int, limit: int) -> list[Function]:
    """Return up to `limit` versions behind a number, `$LATEST` among them where that is negative."""
    first = [latest] if after_number < 0 else []
    published = versions.after(tx, latest.key, max(after_number, 0), limit - len(first))
    return [*first, *(version.of(latest) for version in published)]


def mark(version: Function) -> str:
    """Return what a marker says of the last version of a page: its number, 0 for `$LATEST`."""
    return "0" if version.version == LATEST else version.version


def marked_number(text: str) -> int:
    """Return the number that `mark` has written, -1 for nothing; raises InvalidParameterValueException."""
    if not text:
        return -1
    number = 0 if text == "0" else version_number(text)
    if number is None:
        raise invalid("Invalid Marker")
    return number
