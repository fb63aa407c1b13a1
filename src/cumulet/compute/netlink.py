"""Messages to the kernel about routes and packet filters, as far as the network of a box needs them.

For the spawner and what it forks; imports the standard library only. The layouts are those of linux/rtnetlink.h and
linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
REQUEST, ACKNOWLEDGE, EXCLUSIVE, CREATE, APPEND = 1, 4, 0x200, 0x400, 0x800
ERROR = 2
NESTED = 0x8000

NEW_ROUTE, REMOVE_ROUTE = 24, 25
LOCAL_TABLE, BOOT_PROTOCOL, HOST_SCOPE, LOCAL_TYPE = 255, 3, 254, 2
OUT_INTERFACE, PREFERRED_SOURCE = 4, 7

BATCH_BEGIN, BATCH_END, NF_TABLES = 16, 17, 10
NEW_TABLE, NEW_CHAIN, NEW_RULE = NF_TABLES << 8, NF_TABLES << 8 | 3, NF_TABLES << 8 | 6
LOCAL_OUT, DESTINATION_NAT_PRIORITY = 3, -100
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
ACCEPT = 1
TABLE = b"box\0"
CHAIN = b"out\0"

Message = tuple[int, int, bytes]
"""Type, flags, body."""
Expression = tuple[str, bytes]


def everything_is_local(interface: int, is_so: bool) -> None:
    """Let packets to whatever IPv4 address end in this network namespace, on its loopback interface; or no more."""
    header = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, LOCAL_TABLE, BOOT_PROTOCOL, HOST_SCOPE, LOCAL_TYPE, 0)
    source = _attribute(PREFERRED_SOURCE, socket.inet_aton("127.0.0.1"))
    body = header + _attribute(OUT_INTERFACE, struct.pack("=I", interface)) + source
    kind, flags = (NEW_ROUTE, CREATE | EXCLUSIVE) if is_so else (REMOVE_ROUTE, 0)
    _send(NETLINK_ROUTE, [(kind, REQUEST | ACKNOWLEDGE | flags, body)])


def redirect(tcp_port: int, dns_port: int, own_address: str | None) -> None:
    """Send connections to other machines to a port of 127.0.0.1, and questions to name servers to another.

    `own_address` is one that isn't on another machine although it is no loopback address.
    """
    rules = [
        [*_protocol(socket.IPPROTO_UDP), *_equal(TRANSPORT_HEADER, 2, struct.pack(">H", 53)), *_redirected(dns_port)],
        [*_equal(NETWORK_HEADER, 16, b"\x7f"), _accepted()],
        [*_protocol(socket.IPPROTO_TCP), *_redirected(tcp_port)],
    ]
    if own_address is not None:
        rules.insert(2, [*_equal(NETWORK_HEADER, 16, socket.inet_aton(own_address)), _accepted()])
    hook = _attribute(1, _number(LOCAL_OUT)) + _attribute(2, _number(DESTINATION_NAT_PRIORITY))
    chain = _attribute(1, TABLE) + _attribute(3, CHAIN) + _attribute(NESTED | 4, hook) + _attribute(7, b"nat\0")
    made = REQUEST | ACKNOWLEDGE | CREATE
    messages: list[Message] = [
        (NEW_TABLE, made, _family() + _attribute(1, TABLE)),
        (NEW_CHAIN, made, _family() + chain),
        *((NEW_RULE, made | APPEND, _family() + _rule(rule)) for rule in rules),
    ]
    begin, end = (struct.pack(">BBH", socket.AF_UNSPEC, 0, NF_TABLES),) * 2
    _send(NETLINK_NETFILTER, [(BATCH_BEGIN, REQUEST, begin), *messages, (BATCH_END, REQUEST, end)])


def _rule(expressions: Sequence[Expression]) -> bytes:
    elements = b""
    for name, data in expressions:
        body = _attribute(1, name.encode() + b"\0") + _attribute(NESTED | 2, data)
        elements += _attribute(NESTED | 1, body)
    return _attribute(1, TABLE) + _attribute(2, CHAIN) + _attribute(NESTED | 4, elements)


def _protocol(number: int) -> list[Expression]:
    meta = _attribute(1, _number(1)) + _attribute(2, _number(16))
    return [("meta", meta), _compared(bytes([number]))]


def _equal(header: int, offset: int, value: bytes) -> list[Expression]:
    """Match packets that have `value` at this place of a header."""
    numbers = (1, header, offset, len(value))
    load = b"".join(_attribute(kind, _number(number)) for kind, number in enumerate(numbers, 1))
    return [("payload", load), _compared(value)]


def _compared(value: bytes) -> Expression:
    return "cmp", _attribute(1, _number(1)) + _attribute(2, _number(0)) + _value(3, value)


def _redirected(port: int) -> list[Expression]:
    load = _attribute(1, _number(1)) + _value(2, struct.pack(">H", port))
    return [("immediate", load), ("redir", _attribute(1, _number(1)))]


def _accepted() -> Expression:
    verdict = _attribute(NESTED | 2, _attribute(NESTED | 2, _attribute(1, _number(ACCEPT))))
    return "immediate", _attribute(1, _number(0)) + verdict


def _value(kind: int, value: bytes) -> bytes:
    return _attribute(NESTED | kind, _attribute(1, value))


def _number(number: int) -> bytes:
    return struct.pack(">i", number)


def _family() -> bytes:
    return struct.pack(">BBH", socket.AF_INET, 0, 0)


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", len(data) + 4, kind) + data + b"\0" * (-len(data) % 4)


def _send(protocol: int, messages: Sequence[Message]) -> None:
    """Send messages, and wait until those that ask for it are acknowledged. Raises OSError for the first that isn't."""
    packets = []
    for sequence, (kind, flags, body) in enumerate(messages):
        packets.append(struct.pack("=IHHII", len(body) + 16, kind, flags, sequence, 0) + body)
    waiting = sum(1 for _, flags, _ in messages if flags & ACKNOWLEDGE)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as kernel:
        kernel.settimeout(1.0)
        kernel.send(b"".join(packets))
        while waiting:
            data = kernel.recv(65536)
            while len(data) >= 16:
                length, kind, _, _, _ = struct.unpack_from("=IHHII", data)
                if kind == ERROR:
                    number = -struct.unpack_from("=i", data, 16)[0]
                    if number:
                        raise OSError(number, os.strerror(number))
                    waiting -= 1
                data = data[max(16, length + 3 & ~3) :]
