"""Expense reports: the payments see them whole, the reports without the data of cards and employees.

Each application subscribes its own function while it acts as its role, so that the topic knows who subscribed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import Deployed

from cumulet.testing import Cumulet

CARD, EMPLOYEE = "4539894458086459", "EID-123456789-US"
MASKED = "#" * 16
REPORT = """{
  "expense": {
    "currency": "USD",
    "amount": 175.99,
    "category": "Office Supplies",
    "status": "Approved",
    "created_at": "2023-10-17T20:03:44+0000",
    "updated_at": "2023-10-19T14:21:51+0000"
  },
  "payment": {
    "credit_card_network": "Visa",
    "credit_card_number": "4539894458086459"
  },
  "reviewer": {
    "employee_id": "EID-123456789-US",
    "employee_location": "Seattle, USA"
  },
  "contractor": {
    "employee_id": "CID-000012348-CA",
    "employee_location": "Vancouver, CAN"
  }
}"""
MASK: dict[str, Any] = {"Deidentify": {"MaskConfig": {"MaskWithCharacter": "#"}}}
REDACT: dict[str, Any] = {"Deidentify": {"RedactConfig": {}}}
DENY: dict[str, Any] = {"Deny": {}}
PRINTING = """
def handler(event, context):
    for record in event["Records"]:
        print("received", repr(record["Sns"]["Message"]))
"""
SUBSCRIBING = """
import boto3

def handler(event, context):
    return boto3.client("sns").subscribe(**event)["SubscriptionArn"]
"""


class Company:
    """A topic of approved reports, and the applications that subscribe to it under roles of their own."""

    def __init__(self, cumulet: Cumulet) -> None:
        self.cumulet = cumulet
        self.sns = cumulet.client("sns")
        self.topic: str = self.sns.create_topic(Name="ApprovalTopic")["TopicArn"]
        self.payment = self.application("Payment")
        self.reporting = self.application("Reporting")

    def role(self, application: str) -> str:
        return f"arn:aws:iam::{self.cumulet.account}:role/{application}ApplicationRole"

    def application(self, name: str) -> Deployed:
        """Deploy an application: its function, subscribed by what acts as its role."""
        function = Deployed(self.cumulet, f"{name}LambdaFunction", PRINTING)
        deployment = Deployed(self.cumulet, f"{name}Deployment", SUBSCRIBING, Role=self.role(name))
        deployment.invoke({"TopicArn": self.topic, "Protocol": "lambda", "Endpoint": function.arn})
        return function

    def protect(self, direction: str, principals: list[str], operation: dict[str, Any]) -> None:
        """Give the topic the data protection policy of the case."""
        identifiers = ["MyCompanyEmployeeId", "arn:aws:dataprotection::aws:data-identifier/CreditCardNumber"]
        policy = {
            "Name": "__example_data_protection_policy",
            "Description": "This policy protects sensitive data in expense reports",
            "Version": "2021-06-01",
            "Configuration": {"CustomDataIdentifier": [{"Name": "MyCompanyEmployeeId", "Regex": r"EID-\d{9}-US"}]},
            "Statement": [
                {
                    "Principal": principals,
                    "DataDirection": direction,
                    "DataIdentifier": identifiers,
                    "Operation": operation,
                }
            ],
        }
        self.sns.put_data_protection_policy(ResourceArn=self.topic, DataProtectionPolicy=json.dumps(policy))

    def publish(self) -> None:
        self.sns.publish(TopicArn=self.topic, Message=REPORT)
        self.cumulet.advance(seconds=0)

    def received(self, function: Deployed) -> list[str]:
        """Return the reports in the log of an application's function."""
        try:
            lines = function.log()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFoundException"
            return []
        return [line for line in lines if line.startswith("received")]


@pytest.fixture
def company(cumulet: Cumulet) -> Company:
    return Company(cumulet)


def printed(report: str) -> str:
    return f"received {report!r}\n"


def masked(report: str) -> str:
    return report.replace(CARD, MASKED).replace(EMPLOYEE, MASKED)


def redacted(report: str) -> str:
    return report.replace(CARD, "").replace(EMPLOYEE, "")


@pytest.mark.parametrize(("operation", "changed"), [(MASK, masked), (REDACT, redacted)])
def test_reports_are_shown_without_what_only_payments_need(
    company: Company, operation: dict[str, Any], changed: Callable[[str], str]
) -> None:
    company.protect("Outbound", [company.role("Reporting")], operation)

    company.publish()

    assert company.received(company.payment) == [printed(REPORT)]
    assert company.received(company.reporting) == [printed(changed(REPORT))]
    assert "CID-000012348-CA" in changed(REPORT)


def test_nobody_sees_what_is_masked_when_it_is_published(company: Company) -> None:
    company.protect("Inbound", ["*"], MASK)

    company.publish()

    assert company.received(company.payment) == [printed(masked(REPORT))]
    assert company.received(company.reporting) == [printed(masked(REPORT))]


def test_a_report_that_may_not_be_published_reaches_nobody(company: Company) -> None:
    company.protect("Inbound", [company.cumulet.account], DENY)

    with pytest.raises(ClientError) as refused:
        company.publish()

    company.cumulet.advance(seconds=0)
    assert refused.value.response["Error"]["Code"] == "AuthorizationError"
    assert company.received(company.payment) == company.received(company.reporting) == []


def test_a_report_that_may_not_be_delivered_reaches_the_others(company: Company) -> None:
    company.protect("Outbound", [company.role("Reporting")], DENY)

    company.publish()

    assert company.received(company.payment) == [printed(REPORT)]
    assert company.received(company.reporting) == []
