"""IP addresses in patterns: what looks like one is compared as an address, and `cidr` gives a range of them.

EventBridge: the range begins with the address that is named, not with its network's first one.
"""

from __future__ import annotations

import ipaddress
import re

_SHAPE = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
Address = tuple[int, int]
"""Version and number; they compare within one version only."""


class AddressError(ValueError):
    """A range that is refused; the message is EventBridge's."""


def address(text: str) -> Address | None:
    """Return the address that a text is, in whatever form, or None."""
    if not (text and text[-1] in "0123456789abcdefABCDEF:" and _SHAPE.fullmatch(text)):
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.version, int(found)


def block(text: str) -> tuple[Address, Address]:
    """Return the first and the last address of a range in CIDR notation; raises AddressError."""
    parts = text.split("/")
    if len(parts) != 2 or not parts[1]:
        raise AddressError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", parts[1], re.ASCII):
        raise AddressError("Malformed CIDR, mask bits must be an integer")
    mask_bits = int(parts[1])
    if mask_bits < 0:
        raise AddressError("Malformed CIDR, mask bits must not be negative")
    first = address(parts[0])
    if first is None:
        shaped = "Invalid" if _SHAPE.fullmatch(parts[0]) else "Nonstandard"
        raise AddressError(f"{shaped} IP address: {parts[0]}")
    version, number = first
    size = 32 if version == 4 else 128
    if mask_bits >= size:
        raise AddressError(f"IPv{version} mask bits must be < {size}")
    return first, (version, number | ((1 << (size - mask_bits)) - 1))
