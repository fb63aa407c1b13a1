"""Operations on mobile push: platform applications and their endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulet.kernel.call import Call
from cumulet.kernel.errors import AwsError
from cumulet.services import list_tokens
from cumulet.services.sns import platform_applications, platform_endpoints
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.platform_applications import Application, ApplicationKey
from cumulet.services.sns.platform_endpoints import Endpoint
from cumulet.store import Tx

if TYPE_CHECKING:
    from types_boto3_sns import type_defs as t

PAGE = 100
"""SNS: applications and endpoints in one answer."""


class PushOperations(SnsBase):
    """Applications and endpoints."""

    async def create_platform_application(
        self, call: Call, request: t.CreatePlatformApplicationInputTypeDef
    ) -> dict[str, Any]:
        """Register an app. The credentials are kept, not tried: messages go to the outbox."""
        name, platform, attributes = request["Name"], request["Platform"], dict(request["Attributes"])
        platform_applications.check_name(name, platform)
        platform_applications.check_attributes(attributes)
        platform_applications.check_credentials(platform, attributes)
        key = ApplicationKey(call.account, call.region, platform, name)
        await self.store.transact(platform_applications.create, key, attributes)
        return {"PlatformApplicationArn": key.arn}

    async def get_platform_application_attributes(
        self, call: Call, request: t.GetPlatformApplicationAttributesInputTypeDef
    ) -> dict[str, Any]:
        """Return an application's attributes, without its secrets."""
        key = self._application_key(call, request["PlatformApplicationArn"])
        application = await self.store.read(platform_applications.load, key)
        return {"Attributes": application.shown}

    async def set_platform_application_attributes(
        self, call: Call, request: t.SetPlatformApplicationAttributesInputTypeDef
    ) -> None:
        """Change an application's attributes."""
        key = self._application_key(call, request["PlatformApplicationArn"])
        platform_applications.check_attributes(request["Attributes"])
        await self.store.transact(platform_applications.change, key, request["Attributes"])

    async def list_platform_applications(
        self, call: Call, request: t.ListPlatformApplicationsInputTypeDef
    ) -> dict[str, Any]:
        """Return a page of the account's applications."""
        after = _after(request.get("NextToken"), call.operation)
        found = await self.store.read(platform_applications.listed, call.account, call.region, after, PAGE + 1)
        shown = [
            {"PlatformApplicationArn": application.key.arn, "Attributes": application.shown}
            for application in found[:PAGE]
        ]
        return {"PlatformApplications": shown, **_rest(found, call.operation)}

    async def delete_platform_application(self, call: Call, request: t.DeletePlatformApplicationInputTypeDef) -> None:
        """Delete an application and its endpoints, in bounded steps: it is gone when the last has been made."""
        key = self._application_key(call, request["PlatformApplicationArn"])
        while await self.store.transact(_delete_step, key):
            pass

    async def create_platform_endpoint(
        self, call: Call, request: t.CreatePlatformEndpointInputTypeDef
    ) -> dict[str, Any]:
        """Register an app on a device. SNS: the same again is no error, CustomUserData in Attributes wins."""
        key = self._application_key(call, request["PlatformApplicationArn"])
        given = {"Token": request["Token"]}
        if (user_data := request.get("CustomUserData")) is not None:
            given["CustomUserData"] = user_data
        attributes = platform_endpoints.checked({**given, **request.get("Attributes", {})})
        endpoint = await self.store.transact(_create_endpoint, key, attributes, self.ids.uuid())
        return {"EndpointArn": endpoint.arn}

    async def get_endpoint_attributes(self, call: Call, request: t.GetEndpointAttributesInputTypeDef) -> dict[str, Any]:
        """Return an endpoint's attributes."""
        arn = self._endpoint_arn(call, request["EndpointArn"])
        endpoint = await self.store.read(platform_endpoints.load, arn)
        return {"Attributes": endpoint.shown}

    async def set_endpoint_attributes(self, call: Call, request: t.SetEndpointAttributesInputTypeDef) -> None:
        """Change an endpoint's attributes."""
        arn = self._endpoint_arn(call, request["EndpointArn"])
        attributes = platform_endpoints.checked(request["Attributes"])
        await self.store.transact(platform_endpoints.change, arn, attributes)

    async def delete_endpoint(self, call: Call, request: t.DeleteEndpointInputTypeDef) -> None:
        """Delete an endpoint."""
        arn = self._endpoint_arn(call, request["EndpointArn"])
        await self.store.transact(platform_endpoints.delete, arn)

    async def list_endpoints_by_platform_application(
        self, call: Call, request: t.ListEndpointsByPlatformApplicationInputTypeDef
    ) -> dict[str, Any]:
        """Return a page of an application's endpoints."""
        key = self._application_key(call, request["PlatformApplicationArn"])
        listing = [call.operation, key.arn]
        after = _after(request.get("NextToken"), listing)
        found = await self.store.read(_endpoints, key, after)
        shown = [{"EndpointArn": endpoint.arn, "Attributes": endpoint.shown} for endpoint in found[:PAGE]]
        return {"Endpoints": shown, **_rest(found, listing)}

    def _application_key(self, call: Call, arn: str) -> ApplicationKey:
        key = platform_applications.key_of(arn)
        self.check_owner(call, key.account, arn)
        return key

    def _endpoint_arn(self, call: Call, arn: str) -> str:
        self.check_owner(call, platform_endpoints.key_of(arn).account, arn)
        return arn


def _create_endpoint(tx: Tx, key: ApplicationKey, attributes: dict[str, str], new_id: str) -> Endpoint:
    return platform_endpoints.create(tx, platform_applications.load(tx, key), attributes, new_id)


def _endpoints(tx: Tx, key: ApplicationKey, after: int) -> list[Endpoint]:
    return platform_endpoints.listed(tx, platform_applications.load(tx, key), after, PAGE + 1)


def _delete_step(tx: Tx, key: ApplicationKey) -> bool:
    """Return whether there is more to delete."""
    application = platform_applications.find(tx, key)
    if application is None:
        return False
    if platform_endpoints.delete_some(tx, application):
        return True
    platform_applications.delete(tx, application)
    return False


def _after(token: str | None, listing: object) -> int:
    return list_tokens.position(token, listing, int, _bad_token) or 0


def _rest(found: list[Application] | list[Endpoint], listing: object) -> dict[str, str]:
    return {"NextToken": list_tokens.token(listing, found[PAGE - 1].id)} if len(found) > PAGE else {}


def _bad_token() -> AwsError:
    return invalid("NextToken")
