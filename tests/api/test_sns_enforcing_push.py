"""Mobile push where signatures are checked: another account's applications and endpoints are out of reach."""

from __future__ import annotations

from pathlib import Path

from sns_outbox import refusal
from test_sns_enforcing import owner

from cumulet.testing import Cumulet

APPLICATION = "arn:aws:sns:us-east-1:111122223333:app/GCM/others"
ENDPOINT = "arn:aws:sns:us-east-1:111122223333:endpoint/GCM/others/5e3e9847-3183-3f18-a7e8-671c3a57d4b3"


def test_applications_and_endpoints_of_another_account_are_refused(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        sns = owner(server)
        enabled = {"Enabled": "true"}
        found = [
            refusal(sns.get_platform_application_attributes, PlatformApplicationArn=APPLICATION),
            refusal(sns.set_platform_application_attributes, PlatformApplicationArn=APPLICATION, Attributes=enabled),
            refusal(sns.delete_platform_application, PlatformApplicationArn=APPLICATION),
            refusal(sns.list_endpoints_by_platform_application, PlatformApplicationArn=APPLICATION),
            refusal(sns.create_platform_endpoint, PlatformApplicationArn=APPLICATION, Token="t"),
            refusal(sns.get_endpoint_attributes, EndpointArn=ENDPOINT),
            refusal(sns.set_endpoint_attributes, EndpointArn=ENDPOINT, Attributes=enabled),
            refusal(sns.delete_endpoint, EndpointArn=ENDPOINT),
            refusal(sns.publish, TargetArn=ENDPOINT, Message="hello"),
        ]

    assert {(code, status) for code, status, _ in found} == {("AuthorizationError", 403)}
    assert found[0][2].endswith(
        f" is not authorized to perform: SNS:GetPlatformApplicationAttributes on resource: {APPLICATION} "
        "because no resource-based policy allows the SNS:GetPlatformApplicationAttributes action"
    )
