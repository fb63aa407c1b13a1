"""The helper process that execution environments are forked from: small, with one thread, gone when the server is.

Started by path with nothing but the standard library and one descriptor, a Unix socket to the server on its standard
input. A fork of the server would be slow, and unsafe with its threads. Each packet on the socket is a JSON object.

From the server: first what `Sandbox` needs (`root`, `interpreter`, `packages`); then `start` with an id, `arguments`,
`variables`, `task` and `tmp_mb`, and the descriptor for the output; `kill` with an id.
To the server: `isolation`, None or why there is none; `started` with an id and `pid`; `ended` with an id and `status`,
as wait(2) has it, or `failure`, if the runtime could not be started at all.

When the socket ends, every environment is killed with all that it has started. If this process is killed, the kernel
signals the first process of each environment (`init`).
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":
    for name, folder in (("cumulet", Path(__file__).parents[1]), ("cumulet.compute", Path(__file__).parent)):
        package = ModuleType(name)  # the packages' own modules import more than this process should have
        package.__path__ = [str(folder)]
        sys.modules[name] = package

from cumulet.compute import init
from cumulet.compute.process_tree import descendants
from cumulet.compute.sandbox import Sandbox, adopt_orphans, clone, die_with_parent

LARGEST_PACKET = 1 << 20


class Spawner:
    """The environments that run, and the socket to the server."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._sandbox: Sandbox | None = None
        self._ids: dict[int, int] = {}
        """Of the environments, by the process id of their first process."""
        self._reports, self._reports_in = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._reports.setblocking(False)
        self._reported: dict[int, dict[str, Any]] = {}
        self._lifeline, self._own_lifeline = os.pipe()
        self._child_ended, wakeup = socket.socketpair()
        for end in (self._child_ended, wakeup):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup.detach(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Serve until the server closes the socket or ends; then end everything."""
        try:
            self._serve()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has ended
        except Exception as error:
            self._tell(crashed=repr(error))
        finally:
            self._kill_all()

    def _serve(self) -> None:
        self._prepare(json.loads(self._server.recv(LARGEST_PACKET)))
        poll = select.poll()
        poll.register(self._server, select.POLLIN)
        poll.register(self._child_ended, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._child_ended.fileno() in ready:
                self._child_ended.recv(4096)
                self._reap()
            if self._server.fileno() in ready:
                packet, descriptors, _, _ = socket.recv_fds(self._server, LARGEST_PACKET, 1, socket.MSG_CMSG_CLOEXEC)
                if not packet:
                    return
                self._heed(json.loads(packet), descriptors)

    def _prepare(self, request: dict[str, Any]) -> None:
        sandbox = Sandbox(request["root"])
        try:
            sandbox.prepare(request["interpreter"], request["packages"])
        except OSError as error:
            adopt_orphans()
            self._tell(isolation=f"no namespaces: {error}")
        else:
            die_with_parent(signal.SIGKILL)
            self._sandbox = sandbox
            self._tell(isolation=None)

    def _heed(self, request: dict[str, Any], descriptors: list[int]) -> None:
        if "start" in request:
            try:
                self._start(request, descriptors[0])
            except OSError as error:
                self._tell(ended=request["start"], failure=str(error))
            finally:
                os.close(descriptors[0])
        else:
            for pid, environment in self._ids.items():
                if environment == request["kill"]:
                    self._kill(pid)

    def _start(self, request: dict[str, Any], output: int) -> None:
        pid = clone() if self._sandbox else os.fork()
        if not pid:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                init.run(request, self._sandbox, output, self._reports_in, self._lifeline)
            finally:
                os._exit(1)
        self._ids[pid] = request["start"]
        self._tell(started=request["start"], pid=pid)

    def _reap(self) -> None:
        """Tell of the environments that have ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self._ids:
                environment = self._ids.pop(pid)
                report = self._report(environment)
                if self._sandbox is None:
                    self._kill_strays()
                self._tell(**({"ended": environment, "status": status} | report))

    def _report(self, environment: int) -> dict[str, Any]:
        """Return what the first process of an environment has said before it ended, if it has."""
        while True:
            try:
                report = json.loads(self._reports.recv(4096))
            except BlockingIOError:
                break
            self._reported[report.pop("id")] = report
        return self._reported.pop(environment, {})

    def _kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL if self._sandbox else signal.SIGTERM)

    def _kill_strays(self) -> None:
        """Kill what environments have left behind, their first process having been killed by the function."""
        ours = set(self._ids)
        for pid in ours:
            ours |= descendants(pid)
        init.kill_all(descendants(os.getpid()) - ours)

    def _kill_all(self) -> None:
        for pid in self._ids:
            self._kill(pid)
        for pid in self._ids:
            os.waitpid(pid, 0)
        if self._sandbox is None:
            init.kill_descendants()

    def _tell(self, **message: Any) -> None:
        self._server.send(json.dumps(message).encode())


if __name__ == "__main__":
    Spawner(socket.socket(fileno=os.dup(0))).run()
