"""The first process of a box: it makes the box, starts programs in it, and sees to the end of all that comes of them.

Runs in a fork of the spawner, imports the standard library only, and talks to the server over a socket of its own. In a
process namespace its end is the end of all others in there; without one it adopts the orphans among its descendants,
so that it can find and kill them. It has no rights when the first program starts. Python runtimes are forks of it, the
first one made ahead.

From the server, as JSON: `fill` with `folders`, `tmp_mb`, `network` and `user`, once; `run` with an id, `arguments`,
`variables`, `folder` and `is_runtime`, and the descriptor for the output; `signal` with an id and `number`; `clear`,
`stop`, `go`; `socket`. To the server: `doors` with sockets, if the box has a network; `ended` with an id and `status`,
as wait(2) has it, or `failure`; `cleared`, when nothing is left; `socket` with one; `failed`, before it gives up.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from cumulet.compute import privileges, sandbox
from cumulet.compute.box_network import make_doors, open_way_out
from cumulet.compute.process_tree import descendants

TELEMETRY = 3
"""The descriptor on which a runtime may write frames; the same pipe as its output."""
OPEN_FILES = 1024
"""AWS Lambda quota: file descriptors."""
FIRST_FREE = 64
"""No descriptor that a program is given is as high as this."""
LARGEST_PACKET = 1 << 20
KILLING_ROUNDS = 1000
EXEC_FAILED = 127


@dataclass(frozen=True)
class Beginning:
    """What a new box starts from."""

    control: int
    """The socket to the server."""
    lifeline: int
    """Ends when the spawner does."""
    groups: list[int]
    """Files of control groups: who writes 0 is in them."""
    is_sandboxed: bool
    """Whether this is the first process of new namespaces, with rights in them."""
    endpoint: tuple[str, int] | None
    """Where the platform listens outside; None if the box shares the machine's network."""
    can_go_out: bool
    outside: int
    """The machine's network, as `box_network` has it: never to be changed."""


class Init:
    """A box."""

    def __init__(self, beginning: Beginning, warm_up: Callable[[], None]) -> None:
        """`warm_up` is called in forks that are to be Python runtimes, as soon as they are there."""
        self._beginning = beginning
        self._warm_up = warm_up
        self._user = os.geteuid()
        self._spare: tuple[int, socket.socket] | None = None
        """A fork that waits for what it is to run."""
        self._programs: dict[int, int] = {}
        """The ids of programs that run, by process id."""
        self._control = socket.socket(fileno=beginning.control)
        self._child_ended, wakeup = socket.socketpair()
        for end in (self._child_ended, wakeup):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wakeup = wakeup
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)

    def run(self) -> Mapping[str, str]:
        """Be the box until it is to end, with this process. Returns in forks alone, with a runtime's variables."""
        try:
            return self._begin() or self._serve()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._tell({"failed": str(error)})
            self._end()

    def _begin(self) -> Mapping[str, str] | None:
        beginning = self._beginning
        _close_all_but(
            beginning.control, beginning.lifeline, *beginning.groups, self._child_ended.fileno(), self._wakeup.fileno()
        )
        for group in beginning.groups:
            os.write(group, b"0")
            os.close(group)
        if not beginning.is_sandboxed:
            privileges.adopt_orphans()
            signal.signal(signal.SIGTERM, self._terminate)
        self._die_with_spawner()
        if beginning.is_sandboxed:
            sandbox.begin_box()
            socket.sethostname(sandbox.HOST_NAME)
        if beginning.endpoint is not None:
            doors = make_doors(beginning.endpoint, beginning.can_go_out, beginning.outside)
            if beginning.can_go_out:
                open_way_out(beginning.outside)
            self._tell({"doors": True}, *(door for door in doors if door is not None))
            for door in doors:
                if door is not None:
                    door.close()
        return self._make_spare() if beginning.is_sandboxed else None

    def _serve(self) -> Mapping[str, str]:
        poll = select.poll()
        for descriptor in (self._control.fileno(), self._child_ended.fileno(), self._beginning.lifeline):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._beginning.lifeline in ready:
                self._end()
            if self._child_ended.fileno() in ready:
                self._child_ended.recv(4096)
                self._reap()
            if self._control.fileno() in ready:
                packet, descriptors, _, _ = socket.recv_fds(self._control, LARGEST_PACKET, 1, socket.MSG_CMSG_CLOEXEC)
                if not packet:
                    self._end()
                variables = self._heed(json.loads(packet), descriptors)
                if variables is not None:
                    return variables

    def _heed(self, request: dict[str, Any], descriptors: list[int]) -> Mapping[str, str] | None:
        match request:
            case {"run": number}:
                return self._run(number, request, descriptors[0])
            case {"fill": _}:
                self._fill(request)
            case {"signal": wanted, "number": number}:
                for pid, program in self._programs.items():
                    if program == wanted:
                        _send_signal(pid, number)
            case {"clear": _}:
                self._kill_all()
                self._tell({"cleared": True})
            case {"stop": _}:
                self._send_all(signal.SIGSTOP)
            case {"go": _}:
                self._send_all(signal.SIGCONT)
            case {"socket": _}:
                with socket.socket() as made:
                    self._tell({"socket": True}, made)
        return None

    def _fill(self, request: dict[str, Any]) -> None:
        if not self._beginning.is_sandboxed:
            return
        if not request["network"] and self._beginning.endpoint is not None and self._beginning.can_go_out:
            open_way_out(self._beginning.outside, is_open=False)
        sandbox.fill_box(request["folders"], request["tmp_mb"])
        self._user = request["user"]
        privileges.give_up(request["user"])
        self._die_with_spawner()

    def _die_with_spawner(self) -> None:
        privileges.die_with_parent(signal.SIGKILL if self._beginning.is_sandboxed else signal.SIGTERM)
        if select.select([self._beginning.lifeline], [], [], 0)[0]:
            self._end()

    def _make_spare(self) -> Mapping[str, str] | None:
        """Fork a runtime; return in it, with its variables, once it is told them."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid:
            its.close()
            self._spare = pid, mine
            return None
        self._close_own()
        mine.close()
        self._warm_up()
        packet, descriptors, _, _ = socket.recv_fds(its, LARGEST_PACKET, 1)
        if not packet:
            os._exit(0)
        request = json.loads(packet)
        privileges.give_up(request["user"])
        its.close()
        _stand_alone(request["folder"], descriptors[0])
        privileges.be_open()
        return request["variables"]  # type: ignore[no-any-return]

    def _drop_spare(self) -> None:
        if self._spare is not None:
            pid, channel = self._spare
            self._spare = None
            channel.close()
            _send_signal(pid, signal.SIGKILL)

    def _run(self, number: int, request: dict[str, Any], output: int) -> Mapping[str, str] | None:
        if self._spare is not None and request["arguments"] is None:
            pid, channel = self._spare
            self._spare = None
            told = {"variables": request["variables"], "folder": request["folder"], "user": self._user}
            with channel, contextlib.suppress(OSError):  # it has ended: that is told
                socket.send_fds(channel, [json.dumps(told).encode()], [output])
                channel.recv(1)  # ends when it has given up its rights: before that no signal reaches it
            os.close(output)
            self._programs[pid] = number
            return None
        if request["is_runtime"]:
            self._drop_spare()
        return self._fork(number, request, output)

    def _fork(self, number: int, request: dict[str, Any], output: int) -> Mapping[str, str] | None:
        failure, failure_in = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(failure)
            self._become(request, output, failure_in)
            return request["variables"]  # type: ignore[no-any-return]
        os.close(failure_in)
        os.close(output)
        self._programs[pid] = number
        with os.fdopen(failure, "rb") as pipe:
            if reason := pipe.read():
                del self._programs[pid]
                self._tell({"ended": number, "failure": reason.decode()})
        return None

    def _become(self, request: dict[str, Any], output: int, failure: int) -> None:
        """Become a program in this process, a new one; return if that is a Python handler."""
        self._close_own()
        failure = fcntl.fcntl(failure, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE)
        try:
            _stand_alone(request["folder"], output, failure)
            if request["arguments"] is None:
                privileges.be_open()
                self._warm_up()
                os.close(failure)
                return
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execve(request["arguments"][0], request["arguments"], request["variables"])
        except OSError as error:
            if request["is_runtime"]:
                os.write(2, f"{request['arguments'][0]}: {error}\n".encode())
            os.write(failure, (error.strerror or str(error)).lower().encode())
            os._exit(EXEC_FAILED)

    def _close_own(self) -> None:
        """Close what a program has nothing to do with; not later, when the numbers belong to something else."""
        signal.set_wakeup_fd(-1)
        for own in (self._control, self._child_ended, self._wakeup):
            own.close()
        if self._spare is not None:
            self._spare[1].close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._has_ended(pid, status)

    def _has_ended(self, pid: int, status: int) -> None:
        if pid in self._programs:
            self._tell({"ended": self._programs.pop(pid), "status": status})

    def _tell(self, message: dict[str, Any], *sockets: socket.socket) -> None:
        try:
            socket.send_fds(self._control, [json.dumps(message).encode()], [each.fileno() for each in sockets])
        except (BrokenPipeError, ConnectionResetError):
            self._end()

    def _send_all(self, number: int) -> None:
        """Signal all others in the box."""
        if self._beginning.is_sandboxed:
            _send_signal(-1, number)
        else:
            for pid in descendants(os.getpid()):
                _send_signal(pid, number)

    def _kill_all(self) -> None:
        """End all others in the box."""
        if self._beginning.is_sandboxed:
            self._drop_spare()
            _send_signal(-1, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while True:
                    self._has_ended(*os.waitpid(-1, 0))
        for _ in range(KILLING_ROUNDS):
            processes = descendants(os.getpid())
            kill_all(processes)
            self._reap()
            if not processes:
                return

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._end()

    def _end(self) -> NoReturn:
        """End the box."""
        if not self._beginning.is_sandboxed:
            kill_descendants()
        os._exit(0)


def _stand_alone(folder: str, output: int, kept: int = TELEMETRY) -> None:
    """Have what a program has at its start, and the descriptor `kept`."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    sources = [fcntl.fcntl(source, fcntl.F_DUPFD, FIRST_FREE) for source in (nothing, output, output, output)]
    for descriptor, source in enumerate(sources):
        os.dup2(source, descriptor)
    if kept > TELEMETRY:
        os.closerange(TELEMETRY + 1, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(folder)


def kill_all(processes: Iterable[int]) -> None:
    """Kill processes."""
    for pid in processes:
        _send_signal(pid, signal.SIGKILL)


def kill_descendants() -> None:
    """Kill whatever this process has started, until nothing of it is left; for those that adopt orphans."""
    for _ in range(KILLING_ROUNDS):
        processes = descendants(os.getpid())
        if not processes:
            return
        kill_all(processes)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _send_signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _close_all_but(*kept: int) -> None:
    low = 3
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
