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


def make_doors(host: str, port: int, can_go_out: bool) -> Doors:
    """Bring the interface up and listen; `host` and `port` are the platform's outside. Raises OSError."""
    _refuse_a_used_network()
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


def open_way_out() -> None:
    """Let what is sent to other machines go to where it is redirected. Raises OSError."""
    _refuse_a_used_network()
    netlink.everything_is_local(socket.if_nametoindex(LOOPBACK_INTERFACE.decode()))


def _refuse_a_used_network() -> None:
    """Raise OSError where another interface than loopback is up: so it is the machine's network, not a box's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for _, name in socket.if_nameindex():
            request = struct.pack("16sh14x", name.encode(), 0)
            flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
            if flags & IFF_UP and name.encode() != LOOPBACK_INTERFACE:
                raise OSError(errno.EPERM, f"the network with {name} is not a box's own")


def _bring_up(control: socket.socket) -> None:
    request = struct.pack("16sh14x", LOOPBACK_INTERFACE, 0)
    flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", LOOPBACK_INTERFACE, flags | IFF_UP))


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
