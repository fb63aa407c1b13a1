"""The network of a box, seen from inside: a loopback interface of its own, and on it what the server serves.

For the first process of a network namespace, as long as it may change that; imports the standard library only. A
listening socket belongs to the namespace in which it was made, so the server itself accepts what connects here: to the
Runtime API, to the platform's endpoint on the host and port that it has outside, and, redirected, to other machines.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import socket
import struct
from pathlib import Path
from typing import NamedTuple

from cumulet.compute import netlink

RUNTIME_API = ("127.0.0.1", 9001)
"""AWS: what AWS_LAMBDA_RUNTIME_API is."""
LOOPBACK_INTERFACE = b"lo"
SIOCSIFADDR, SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFNETMASK = 0x8916, 0x8913, 0x8914, 0x891C
IFF_UP = 1
BACKLOG = 128


class Doors(NamedTuple):
    """The sockets that are served from outside."""

    runtime_api: socket.socket
    platform: socket.socket
    others: socket.socket | None
    """Connections to other machines."""
    names: socket.socket | None
    """Questions to name servers."""


def network_of_this_process() -> int:
    """Return what tells the network namespace of this process from others."""
    return Path("/proc/self/ns/net").stat().st_ino


def make_doors(endpoint: tuple[str, int], can_go_out: bool, outside: int) -> Doors:
    """Bring the interface up and listen; `endpoint` is the platform's outside, `outside` the machine's network.

    Raises OSError, also where this process is in the machine's network itself.
    """
    _refuse_to_change(outside)
    host, port = endpoint
    address = ipaddress.ip_address(host)
    own_address = None if address.is_loopback or address.version == 6 else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _bring_up(control)
        if own_address is not None:
            _add_address(control, own_address)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    runtime_api, platform = _listen(socket.AF_INET, *RUNTIME_API), _listen(family, host, port)
    if not can_go_out:
        return Doors(runtime_api, platform, None, None)
    others = _listen(socket.AF_INET, "127.0.0.1", 0)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 0))
    netlink.redirect(others.getsockname()[1], names.getsockname()[1], own_address)
    return Doors(runtime_api, platform, others, names)


def open_way_out(outside: int, *, is_open: bool = True) -> None:
    """Let what is sent to other machines go to where it is redirected, or no more.

    `outside` and errors are as for `make_doors`.
    """
    _refuse_to_change(outside)
    netlink.everything_is_local(socket.if_nametoindex(LOOPBACK_INTERFACE.decode()), is_open)


def _refuse_to_change(outside: int) -> None:
    """Raise OSError in the network `outside`, and where another interface than loopback is up: that is no box's."""
    if network_of_this_process() == outside:
        raise OSError(errno.EPERM, "this is the machine's network")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for _, name in socket.if_nameindex():
            if name.encode() != LOOPBACK_INTERFACE and _flags(control, name.encode()) & IFF_UP:
                raise OSError(errno.EPERM, f"the network with {name} is not a box's own")


def _bring_up(control: socket.socket) -> None:
    flags = _flags(control, LOOPBACK_INTERFACE) | IFF_UP
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", LOOPBACK_INTERFACE, flags))


def _flags(control: socket.socket, interface: bytes) -> int:
    answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", interface, 0))
    return int(struct.unpack("16sh14x", answer)[1])


def _add_address(control: socket.socket, address: str) -> None:
    for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
        family = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
        fcntl.ioctl(control, request, struct.pack("16s16s", LOOPBACK_INTERFACE + b":0", family))


def _listen(family: int, host: str, port: int) -> socket.socket:
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener
