"""The operations on function URLs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulet.kernel.call import Call
from cumulet.kernel.errors import ValidationException
from cumulet.services.lambda_ import function_urls, paging
from cumulet.services.lambda_.errors import not_found
from cumulet.services.lambda_.function_names import FunctionKey
from cumulet.services.lambda_.function_urls import Cors, FunctionUrl
from cumulet.services.lambda_.url_site import SITE, UrlSite
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_lambda import type_defs as t

ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"
ID_LENGTH = 32
NO_VERSION = r"((?!^\d+$)^[0-9a-zA-Z-_]+$)"
"""AWS: what a qualifier must be, also one that comes with the function's name: versions have no addresses."""
OWN = "\0"
"""What a marker says in place of the empty qualifier."""


class UrlOperations(UrlSite):
    """What is done to a function's addresses."""

    async def create_function_url_config(
        self, call: Call, request: t.CreateFunctionUrlConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Give a function, or one of its aliases, an address."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        if qualifier is not None and qualifier.isdecimal():
            raise ValidationException(
                f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {NO_VERSION}"
            )
        if not await self.exists(key, qualifier):
            raise not_found("Function does not exist")
        now_ms = self.clock.now_ms()
        url = FunctionUrl(
            url_id="".join(self.ids.random.choices(ID_CHARACTERS, k=ID_LENGTH)),
            account=key.account,
            region=key.region,
            function_name=key.name,
            qualifier=qualifier or "",
            auth_type=request["AuthType"],
            invoke_mode=request.get("InvokeMode", "BUFFERED"),
            cors=_cors(cast("dict[str, Any]", request)),
            created_ms=now_ms,
            modified_ms=now_ms,
        )
        await self.store.transact(function_urls.put, url)
        answer = _answer(call, url)
        del answer["LastModifiedTime"]
        return answer

    async def get_function_url_config(
        self, call: Call, request: t.GetFunctionUrlConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Return the address of a function or alias."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        return _answer(call, await self.store.read(function_urls.load, key, qualifier or ""))

    async def list_function_url_configs(
        self, call: Call, request: t.ListFunctionUrlConfigsRequestTypeDef
    ) -> dict[str, Any]:
        """List the addresses of a function and of its aliases."""
        key, _ = self.locate(call, request["FunctionName"])
        if not await self.exists(key):
            raise not_found("Function does not exist")
        page = paging.page(request.get("MaxItems"), request.get("Marker"))
        found = await self.store.read(function_urls.after, key, page.after, page.size + 1)
        keys = [url.qualifier or OWN for url in found]
        return {"FunctionUrlConfigs": [_answer(call, url) for url in found[: page.size]]} | page.next_marker(keys)

    async def update_function_url_config(
        self, call: Call, request: t.UpdateFunctionUrlConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Change how an address is used; what is not named stays."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        members = cast("dict[str, Any]", request)
        url = await self.store.transact(_change, key, qualifier or "", members, self.clock.now_ms())
        self.url_cache.pop(url.url_id, None)
        return _answer(call, url)

    async def delete_function_url_config(
        self, call: Call, request: t.DeleteFunctionUrlConfigRequestTypeDef
    ) -> dict[str, Any]:
        """Take a function's address away."""
        key, qualifier = self.locate(call, request["FunctionName"], request.get("Qualifier"))
        url = await self.store.transact(function_urls.delete, key, qualifier or "")
        self.url_cache.pop(url.url_id, None)
        return {}


def _change(tx: Tx, key: FunctionKey, qualifier: str, members: dict[str, Any], now_ms: int) -> FunctionUrl:
    before = function_urls.load(tx, key, qualifier)
    url = msgspec.structs.replace(
        before,
        auth_type=members.get("AuthType", before.auth_type),
        invoke_mode=members.get("InvokeMode", before.invoke_mode),
        cors=_cors(members) if "Cors" in members else before.cors,
        modified_ms=now_ms,
    )
    function_urls.change(tx, url)
    return url


def _cors(members: dict[str, Any]) -> Cors | None:
    """Return the settings of a request; an empty structure takes them away."""
    return msgspec.convert(members["Cors"], Cors) if members.get("Cors") else None


def _answer(call: Call, url: FunctionUrl) -> dict[str, Any]:
    return {
        # AWS gives an address of its own host; this one works without a name server that knows it.
        "FunctionUrl": f"{call.base_url}/_cumulet/{SITE.decode()}/{url.url_id}/",
        "FunctionArn": url.function_arn,
        "AuthType": url.auth_type,
        "Cors": None if url.cors is None else msgspec.to_builtins(url.cors),
        "CreationTime": _time(url.created_ms),
        "LastModifiedTime": _time(url.modified_ms),
        "InvokeMode": url.invoke_mode,
    }


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
