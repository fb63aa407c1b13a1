"""Addresses of machines."""

from ipaddress import ip_address

from cumulet.protection.identifier import Identifier

_GROUP = r"[0-9A-Fa-f]{1,4}"


def _is_address(text: str) -> bool:
    """Four numbers up to 255, or a valid IPv6 address that has a digit (`dead::beef` is code, not an address)."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.version == 4 or any(character.isdigit() for character in text)


IP_ADDRESS = Identifier(
    name="IpAddress",
    category="Device",
    title="IP address, version 4 or 6",
    patterns=(
        r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3,8}\b",
        rf"\b(?:{_GROUP}:){{7}}{_GROUP}\b",
        rf"\b(?:{_GROUP}:){{1,6}}:(?:{_GROUP}:){{0,5}}{_GROUP}\b",
    ),
    check=_is_address,
    is_whole=True,
    matches=(
        ("request from 203.0.113.7:443", "203.0.113.7"),
        ("peer 2001:db8::8a2e:370:7334 is up", "2001:db8::8a2e:370:7334"),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329", "2001:0db8:0000:0000:0000:ff00:0042:8329"),
    ),
    misses=(
        "at 20:03:44 on 2023.10.17",
        "version 1.2.3",
        "256.1.1.999",
        "version 1.2.3.4.5",
        "module abc::def",
        "00:1b:44:11:3a:b7",
    ),
)

IDENTIFIERS = (IP_ADDRESS,)
