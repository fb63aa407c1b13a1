"""Sensitive data in payloads: found, masked, redacted. Usable alone.

inspector = Inspector([managed_identifier("CreditCardNumber"), custom_identifier("EmployeeId", r"EID-\\d{9}-US")])
findings = inspector.find(payload)
masked = mask(payload, findings, "#")
"""

from cumulet.protection.catalogue import arn_of, managed_identifier
from cumulet.protection.custom import InvalidIdentifier, custom_identifier
from cumulet.protection.documents import Kind, Place
from cumulet.protection.findings import Finding, mask, redact
from cumulet.protection.identifier import Category, Identifier
from cumulet.protection.inspector import Inspector
from cumulet.protection.work import TooExpensive, Work

__all__ = [
    "Category",
    "Finding",
    "Identifier",
    "Inspector",
    "InvalidIdentifier",
    "Kind",
    "Place",
    "TooExpensive",
    "Work",
    "arn_of",
    "custom_identifier",
    "managed_identifier",
    "mask",
    "redact",
]
