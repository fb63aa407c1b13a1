"""The helper process that boxes are forked from: small, with one thread, gone when the server is.

A fork of the server would be slow, and unsafe with its threads. Started by path, with nothing but the standard library
and a Unix socket to the server on its standard input. It moves into the root folder of boxes (`sandbox`) and executes
the Python installation that it finds there with `bootstrap`; this one imports what functions need (`preload`), so that
a fork is a warm runtime. Where namespaces aren't permitted it stays where it is, and its forks execute what they are to
run. Each packet on the socket is a JSON object.

From the server: first `root`, `interpreter`, `executable`, `packages`, `variables` and `endpoint` (None for boxes that
share the machine's network); then `open` with an id, and descriptors: the socket of the box (`init`), files of control
groups; `kill` with an id.
To the server: `isolation`, None or why there is none, with `network` and `outside`, likewise, `first_user` and
`inherited_bytes`; `opened` with an id and `pid`, and a descriptor that stands for the process; `ended` with an id and
`status`, as wait(2) has it.

When the socket ends, every box is killed with all that it has started. If this process is killed, the kernel signals
the first process of each box.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ != "cumulet.compute.spawner":
    for name, folder in (("cumulet", Path(__file__).parents[1]), ("cumulet.compute", Path(__file__).parent)):
        package = ModuleType(name)  # the packages' own modules import more than this process should have
        package.__path__ = [str(folder)]
        sys.modules[name] = package

from cumulet.compute import init, privileges, sandbox, sdk_data
from cumulet.compute.box_network import make_doors, network_of_this_process, open_way_out
from cumulet.compute.preload import CLIENT, SDK, Preloaded
from cumulet.compute.process_tree import descendants
from cumulet.compute.syscalls import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS, clone

LARGEST_PACKET = 1 << 20
MOST_DESCRIPTORS = 8
SERVER = 0
"""The descriptor of the socket."""
NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
LOG_VARIABLES = ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL")
"""Those that the runtime interface client reads when it is imported."""
FACTS = 3
"""The descriptor of a pipe with what the spawner has found before it executed itself again."""


class Spawner:
    """The boxes that run, and the socket to the server."""

    def __init__(self, server: socket.socket, facts: Mapping[str, Any], chores: Iterator[None]) -> None:
        """`chores` are done one by one when there is nothing else to do."""
        self._server = server
        self._is_sandboxed = facts["isolation"] is None
        self._endpoint = facts["endpoint"]
        self._can_go_out = facts["endpoint"] is not None and facts["outside"] is None
        self._outside = network_of_this_process()
        self._chores: Iterator[None] | None = chores
        self._ids: dict[int, int] = {}
        """Of the boxes, by the process id of their first process."""
        self._lifeline, self._own_lifeline = os.pipe()
        self._child_ended, self._wakeup = socket.socketpair()
        for end in (self._child_ended, self._wakeup):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)

    def run(self) -> init.Beginning | None:
        """Serve until the server closes the socket or ends, then end everything; in a fork, return what it begins."""
        try:
            beginning = self._serve()
        except (BrokenPipeError, ConnectionResetError):
            beginning = None  # the server has ended
        except Exception as error:
            self._tell(crashed=repr(error))
            beginning = None
        if beginning is None:
            self._kill_everything()
        return beginning

    def _serve(self) -> init.Beginning | None:
        poll = select.poll()
        poll.register(self._server, select.POLLIN)
        poll.register(self._child_ended, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(None if self._chores is None else 0)]
            if not ready:
                self._do_chore()
            if self._child_ended.fileno() in ready:
                self._child_ended.recv(4096)
                self._reap()
            if self._server.fileno() in ready:
                packet, descriptors, _, _ = socket.recv_fds(
                    self._server, LARGEST_PACKET, MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
                )
                if not packet:
                    return None
                request = json.loads(packet)
                if "kill" in request:
                    self._kill(request["kill"])
                elif (beginning := self._open(request["open"], descriptors)) is not None:
                    return beginning

    def _do_chore(self) -> None:
        if self._chores is not None and next(self._chores, self) is self:
            self._chores = None

    def _open(self, number: int, descriptors: list[int]) -> init.Beginning | None:
        control, *groups = descriptors
        gc.freeze()  # forks have no reason to look at it, which would copy it
        try:
            pid = clone(self._namespaces()) if self._is_sandboxed else os.fork()
        except OSError:
            self._tell(ended=number, status=signal.SIGKILL)
            pid = -1
        if not pid:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for own in (self._server, self._child_ended, self._wakeup):
                own.close()  # not later, when its number belongs to something else
            return init.Beginning(
                control, self._lifeline, groups, self._is_sandboxed, self._endpoint, self._can_go_out, self._outside
            )
        if pid > 0:
            self._ids[pid] = number
            handle = os.pidfd_open(pid)
            socket.send_fds(self._server, [json.dumps({"opened": number, "pid": pid}).encode()], [handle])
            os.close(handle)
        for descriptor in descriptors:
            os.close(descriptor)
        return None

    def _namespaces(self) -> int:
        return NAMESPACES | (0 if self._endpoint is None else CLONE_NEWNET)

    def _reap(self) -> None:
        """Tell of the boxes that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self._ids:
                number = self._ids.pop(pid)
                if not self._is_sandboxed:
                    self._kill_strays()
                self._tell(ended=number, status=status)

    def _kill(self, number: int) -> None:
        for pid, box in self._ids.items():
            if box == number:
                os.kill(pid, signal.SIGKILL if self._is_sandboxed else signal.SIGTERM)

    def _kill_strays(self) -> None:
        """Kill what boxes have left behind, their first process having been killed by a function."""
        ours = set(self._ids)
        for pid in self._ids:
            ours |= descendants(pid)
        init.kill_all(descendants(os.getpid()) - ours)

    def _kill_everything(self) -> None:
        for number in self._ids.values():
            self._kill(number)
        for pid in self._ids:
            os.waitpid(pid, 0)
        if not self._is_sandboxed:
            init.kill_descendants()

    def _tell(self, **message: Any) -> None:
        self._server.send(json.dumps(message).encode())


def main() -> None:
    """Begin: go to where boxes can be made, or stay."""
    server = socket.socket(fileno=os.dup(SERVER))
    request = json.loads(server.recv(LARGEST_PACKET))
    try:
        facts = _prepare(request)
    except OSError as error:
        privileges.adopt_orphans()
        facts = {
            "isolation": f"no namespaces: {error}",
            "network": "the machine's network is shared",
            "outside": None,
            "endpoint": None,
            "first_user": os.geteuid(),
            "inherited_bytes": 0,
        }
        _run(Spawner(server, facts, iter(())), server, facts, lambda: None)
        return
    arguments = [request["executable"], "-S", f"{sandbox.RUNTIME}/bootstrap.py", f"{sandbox.MACHINE}{__file__}"]
    found, found_in = os.pipe()
    os.write(found_in, json.dumps(facts).encode())
    os.dup2(found, FACTS)
    os.execve(arguments[0], arguments, request["variables"])


def serve_boxes(at_start: set[str], folders: list[str]) -> None:
    """Go on as the warm interpreter, until the server ends; return in a fork that is to be a Python runtime.

    `at_start` names the modules that a runtime begins with, `folders` are those of the function's modules.
    """
    with os.fdopen(FACTS) as pipe:
        facts = json.load(pipe)
    server = socket.socket(fileno=os.dup(SERVER))
    os.dup2(os.open(os.devnull, os.O_RDONLY), SERVER)
    privileges.die_with_parent(signal.SIGKILL)
    at_first = _resident_bytes()
    preloaded = Preloaded(at_start)
    if facts["endpoint"] is not None:  # otherwise each box has another address for the Runtime API
        preloaded.load(CLIENT)
    preloaded.load(SDK)
    gc.collect()
    gc.disable()
    facts["inherited_bytes"] = _resident_bytes() - at_first

    def warm_up() -> None:
        os.environ.clear()
        preloaded.hide()

    variables = _run(Spawner(server, facts, sdk_data.parse_ahead()), server, facts, warm_up)
    gc.enable()
    os.environ.update(variables)
    preloaded.offer(folders, is_client_fresh=any(name in variables for name in LOG_VARIABLES))


def _run(
    spawner: Spawner, server: socket.socket, facts: Mapping[str, Any], warm_up: Callable[[], None]
) -> Mapping[str, str]:
    """Serve; return the variables of a Python runtime in a process that is to be it."""
    told = ("isolation", "network", "outside", "first_user", "inherited_bytes")
    server.send(json.dumps({name: facts[name] for name in told}).encode())
    beginning = spawner.run()
    if beginning is None:
        os._exit(0)
    return init.Init(beginning, warm_up).run()


def _prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Move into the root of boxes, and return what boxes can have. Raises OSError where there can't be any."""
    privileges.own_mounts()
    first_user = privileges.first_user()
    _try(NAMESPACES, lambda: None)
    endpoint, network, outside = request["endpoint"], None, None
    machine = network_of_this_process()
    if endpoint is None:
        network = "the machine's network is shared"
    else:
        try:
            _try(NAMESPACES | CLONE_NEWNET, lambda: _open_doors(endpoint, False, machine))
        except OSError as error:
            network, endpoint = f"the machine's network is shared: {error}", None
    if endpoint is not None:
        try:
            _try(NAMESPACES | CLONE_NEWNET, lambda: _open_doors(endpoint, True, machine))
        except OSError as error:
            outside = f"no other machine can be reached: {error}"
    sandbox.move_into_root(request["root"], request["interpreter"], request["packages"], first_user)
    privileges.keep_capabilities()
    return {
        "isolation": None,
        "network": network,
        "outside": outside,
        "endpoint": endpoint,
        "first_user": first_user,
    }


def _open_doors(endpoint: tuple[str, int], can_go_out: bool, outside: int) -> None:
    make_doors(endpoint, can_go_out, outside)
    if can_go_out:
        open_way_out(outside)


def _try(namespaces: int, action: Callable[[], None]) -> None:
    """See whether something can be done in namespaces. Raises OSError."""
    failure, failure_in = os.pipe()
    pid = clone(namespaces)
    if not pid:
        try:
            action()
        except OSError as error:
            os.write(failure_in, str(error).encode())
        finally:
            os._exit(0)
    os.close(failure_in)
    with os.fdopen(failure, "rb") as pipe:
        reason = pipe.read()
    os.waitpid(pid, 0)
    if reason:
        raise OSError(reason.decode())


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
