"""What keeps environments apart: from each other, from the machine, and from more than their share of it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from owner import UNABLE
from rig import ARN, Rig, run, until

from cumulet.compute import box_network
from cumulet.compute.boxes import Box, Boxes, BoxSpec, Program
from cumulet.compute.cgroups import NAME, Groups

EVAL = """
import getpass, glob, os, random, socket, sys, time
def read(pattern):
    found = []
    for path in glob.glob(pattern):
        try:
            found.append(open(path, "rb").read().decode("latin-1"))
        except OSError:
            continue
    return "".join(found)
def status(name):
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name + ":"))
def handler(event, context):
    try:
        return eval(event)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
LISTENER = """
import socket, time
def handler(event, context):
    with socket.create_server(("127.0.0.1", 9009)) as server:
        time.sleep(0.3)
        with socket.create_connection(("127.0.0.1", 9009)) as client:
            client.send(event.encode())
            return server.accept()[0].recv(100).decode()
"""
REACHER = """
import socket
def handler(event, context):
    try:
        with socket.create_connection(event, timeout=5) as connection:
            name = connection.getpeername()[0]
            connection.sendall(b"ask")
            connection.shutdown(socket.SHUT_WR)
            return [connection.makefile().read(), name]
    except OSError as error:
        return type(error).__name__ + " " + str(error)
"""


@pytest.fixture(scope="module")
def groups() -> Iterator[Groups]:
    groups = Groups()
    if groups.lacks is not None:
        pytest.skip(groups.lacks)
    yield groups
    groups.remove()


@pytest.fixture(scope="module")
def address() -> str:
    """An address of this machine that isn't loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("the machine has no network")
        return str(probe.getsockname()[0])


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read() + b"ed")
    await writer.drain()
    writer.close()


ALONE = {
    "os.getuid() == 0 or os.getgid() == 0": False,
    "status('CapEff'), status('CapPrm'), status('CapInh'), status('NoNewPrivs')": ["0" * 16] * 3 + ["1"],
    "getpass.getuser()": "sbx_user1051",
    "socket.gethostname()": "sandbox.localdomain",
    "socket.gethostbyname('sandbox.localdomain')": "127.0.0.1",
    "os.listdir('/mnt')": [],
    "open('/dev/stdout', 'w').write('direct')": 6,
    "'mine' in read('/proc/[0-9]*/environ') or 'secret' in read('/proc/[0-9]*/environ')": False,
    "read('/etc/shadow')": "",
    "read('/proc/1/environ') + read('/proc/1/maps')": "",
    "os.access('/proc/1/root', os.R_OK) or os.access('/proc/1/fd', os.R_OK)": False,
    "os.listdir('/sys') if os.path.exists('/sys') else []": [],
}
REFUSED = {
    "os.setuid(0)": "PermissionError",
    "os.chroot('/tmp')": "PermissionError",
    "os.sethostname('x') if hasattr(os, 'sethostname') else socket.sethostname('x')": "PermissionError",
    "open('/proc/sys/kernel/hostname', 'w')": "PermissionError",
    "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)": "PermissionError",
    "os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0))": "PermissionError",
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_function_has_no_rights_and_sees_nobody_else(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        first = rig.function(EVAL, variables=(("PASSWORD", "secret of the first"),))
        await rig.result(first, "open('/tmp/mine', 'w').write('mine')")
        second = rig.function(EVAL + "\n# the second", arn=ARN + "2")

        found = {text: await rig.result(second, text) for text in ALONE}
        refused = {text: await rig.result(second, text) for text in REFUSED}

        assert found == ALONE
        assert {text: answer for text, answer in refused.items() if REFUSED[text] not in str(answer)} == {}
        assert await rig.result(second, f"os.path.exists({str(tmp_path)!r})") is False
        assert await rig.result(second, "os.listdir('/tmp')") == []
        assert "direct" in rig.logs.text

    run(tmp_path, test)


def test_a_function_can_signal_nobody_outside(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(EVAL)
        pids = [bystander.pid, os.getpid(), os.getppid()]

        refused = [await rig.result(function, f"os.kill({pid}, 9)") for pid in pids if pid > 100]
        await rig.invoke(function, "os.kill(-1, 9)")

        assert all("ProcessLookupError" in answer for answer in refused)

    with subprocess.Popen(["/bin/sleep", "60"]) as bystander:
        run(tmp_path, test)
        assert bystander.poll() is None
        bystander.kill()


def test_environments_listen_on_the_same_port(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(LISTENER)

        answers = await asyncio.gather(*(rig.result(function, text) for text in ("one", "two", "three")))

        assert answers == ["one", "two", "three"]

    run(tmp_path, test)


def test_a_function_reaches_other_machines_unless_that_is_denied(tmp_path: Path, address: str) -> None:
    async def test(rig: Rig) -> None:
        async with await asyncio.start_server(serve, address, 0) as server:
            port = server.sockets[0].getsockname()[1]
            free = rig.function(REACHER, timeout_seconds=20)
            denied = rig.function(REACHER, timeout_seconds=20, has_network=False, revision="denied")

            assert await rig.result(free, [address, port]) == ["asked", address]
            assert "unreachable" in await rig.result(denied, [address, port])
            assert "unreachable" in await rig.result(denied, ["192.0.2.1", 80])

    run(tmp_path, test)


def test_a_connection_that_cannot_be_made_ends_and_the_secrets_of_clouds_are_out_of_reach(
    tmp_path: Path, address: str
) -> None:
    async def test(rig: Rig) -> None:
        with socket.socket() as nobody:
            nobody.bind((address, 0))
            function = rig.function(REACHER, timeout_seconds=20)

            for to in ([address, nobody.getsockname()[1]], ["169.254.169.254", 80]):
                answer = await rig.result(function, to)
                assert answer[0] == "" or not answer.startswith("TimeoutError")

    run(tmp_path, test)


def test_the_loopback_of_the_machine_is_out_of_reach_but_for_the_platform(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            served: list[socket.socket] = []

            async def serve_platform(listener: socket.socket) -> asyncio.Server:
                served.append(listener)
                return await asyncio.start_server(serve, sock=listener)

            for has_network in (True, False):
                boxes = Boxes(tmp_path / str(has_network), "http://127.0.0.1:4566", serve_platform)
                try:
                    box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path)), has_network=has_network))
                    answers = [await ask(boxes, box.new_socket, to) for to in (4566, port)]
                finally:
                    box.listener.close()
                    await boxes.stop()
                assert answers == ["asked", "ConnectionRefusedError"]
            assert served

    async def ask(boxes: Boxes, new_socket: Any, port: int) -> str:
        opened = await new_socket()
        opened.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", port))
        except OSError as error:
            opened.close()
            return type(error).__name__
        reader, writer = await asyncio.open_connection(sock=opened)
        writer.write(b"ask")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer.decode()

    run(tmp_path, test)


def routes() -> str:
    return Path("/proc/net/route").read_text() + Path("/proc/net/fib_trie").read_text()


def test_the_network_of_the_machine_is_never_changed(tmp_path: Path) -> None:
    before = routes()
    outside = box_network.network_of_this_process()
    for change in (
        lambda: box_network.open_way_out(outside),
        lambda: box_network.make_doors(("127.0.0.1", 4566), True, outside),
        lambda: box_network.make_doors(("127.0.0.1", 4566), False, outside),
    ):
        with pytest.raises(PermissionError):
            change()

    async def test(rig: Rig) -> None:
        for has_own_network in (True, False):
            boxes = Boxes(tmp_path / str(has_own_network), "http://127.0.0.1:4566", has_own_network=has_own_network)
            try:
                box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path))))
                nothing = os.open(os.devnull, os.O_WRONLY)
                process = await box.run(Program(arguments=["/bin/true"], variables={}), nothing)
                assert (await process.ended).status == 0
                assert ("network is shared" in boxes.isolation) is not has_own_network
            finally:
                box.listener.close()
                await boxes.stop()
            assert routes() == before

    run(tmp_path, test)


def test_a_function_that_takes_all_memory_at_once_is_killed_by_the_kernel(tmp_path: Path, groups: Groups) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(EVAL, timeout_seconds=20, tmp_mb=16)

        outcome = await rig.invoke(function, "len(bytearray(4_000_000_000))")

        error = json.loads(outcome.payload)
        assert error["errorType"] in ("Runtime.ExitError", "Runtime.OutOfMemory")
        assert "signal: killed" in error["errorMessage"]
        assert outcome.memory_used_mb == 128
        assert "Max Memory Used: 128 MB" in rig.logs.messages[-1]
        assert await rig.result(function, "1 + 1") == 2

    run(tmp_path, test)


def test_what_is_in_tmp_is_not_memory(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(EVAL + "\nblock = b'x' * 1_000_000", timeout_seconds=30)
        fill = "[open('/tmp/full', 'ab').write(block) for _ in range(400)] and os.stat('/tmp/full').st_size"

        assert await rig.result(function, fill) == 400_000_000
        assert "No space left" in await rig.result(function, fill)
        assert await rig.result(function, "1 + 1") == 2

    run(tmp_path, test)


def test_processes_and_threads_are_1024_at_most(tmp_path: Path, groups: Groups) -> None:
    code = """
import threading, time
def handler(event, context):
    stop = threading.Event()
    count = 0
    try:
        while count < 1100:
            threading.Thread(target=stop.wait, daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    stop.set()
    return count
"""

    async def test(rig: Rig) -> None:
        assert 900 < await rig.result(rig.function(code, memory_mb=1024, timeout_seconds=30)) < 1024

    run(tmp_path, test)


def test_a_frozen_box_stands_still_until_it_is_thawed(tmp_path: Path) -> None:
    ticking = "import time\nwhile True:\n    print('.', flush=True)\n    time.sleep(0.005)\n"

    async def test(rig: Rig) -> None:
        boxes = Boxes(tmp_path / "boxes", "http://127.0.0.1:4566")
        end, output = os.pipe()
        os.set_blocking(end, False)
        try:
            box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path))))
            arguments = [box.places.executable, "-S", "-c", ticking]
            process = await box.run(Program(arguments=arguments, variables={}), output)
            await until(lambda: ticks(end))

            box.freeze()
            await asyncio.sleep(0.1)
            ticks(end)
            await asyncio.sleep(0.1)
            assert ticks(end) == 0

            box.thaw()
            await until(lambda: ticks(end))
            box.freeze()
            box.kill()
            await asyncio.wait_for(box.ended, 5)
            assert process.ended.done()
        finally:
            box.listener.close()
            os.close(end)
            await boxes.stop()

    run(tmp_path, test)


def open_folder(parent: Path) -> Path:
    """Return a folder that everyone may read."""
    folder = parent / "task"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def ticks(end: int) -> int:
    try:
        return os.read(end, 65536).count(b".")
    except BlockingIOError:
        return 0


def test_programs_in_a_box_end_one_by_one_or_together(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        boxes = Boxes(tmp_path / "boxes", "http://127.0.0.1:4566")
        try:
            box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path))))

            async def start(*arguments: str) -> Any:
                nothing = os.open(os.devnull, os.O_WRONLY)
                return await box.run(Program(arguments=arguments, variables={}, name="x"), nothing)

            sleeps = [await start("/bin/sleep", "60") for _ in range(3)]
            assert (await (await start("/bin/missing")).ended).failure == "no such file or directory"
            assert (await (await start("/bin/false")).ended).message.endswith("exit status 1")

            sleeps[0].signal(15)
            assert (await sleeps[0].ended).message.endswith("signal: terminated")
            assert not sleeps[1].ended.done()
            box.clear()
            assert [(await each.ended).message[-6:] for each in sleeps[1:]] == ["killed", "killed"]

            assert not box.ended.done()
            assert (await (await start("/bin/true")).ended).status == 0
            box.kill()
            await box.ended
            assert (await (await start("/bin/true")).ended).status != 0
        finally:
            box.listener.close()
            await boxes.stop()

    run(tmp_path, test)


def test_a_runtime_is_killed_however_early(tmp_path: Path) -> None:
    """It may be a fork that waits, with rights that the box has given up."""
    (open_folder(tmp_path) / "index.py").write_text("def handler(event, context): pass\n")

    async def test(rig: Rig) -> None:
        boxes = Boxes(tmp_path / "boxes", "http://127.0.0.1:4566")
        try:
            box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path))))
            own = {"AWS_LAMBDA_RUNTIME_API": box.address, "LAMBDA_TASK_ROOT": "/var/task", "_HANDLER": "index.handler"}
            program = Program(variables={**box.variables_at_start, **own})

            process = await box.run(program, os.open(os.devnull, os.O_WRONLY))
            process.kill()

            await asyncio.wait([process.ended], timeout=5)
            assert process.ended.result().message.endswith("signal: killed")
        finally:
            box.listener.close()
            await boxes.stop()

    run(tmp_path, test)


def test_a_socket_that_nobody_waits_for_any_more_is_closed_and_the_box_ends(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        boxes = Boxes(tmp_path / "boxes", "http://127.0.0.1:4566")
        try:
            box = await boxes.open(BoxSpec(task=str(open_folder(tmp_path))))

            async def give_up() -> None:
                asked = asyncio.ensure_future(box.new_socket())
                await asyncio.sleep(0)
                asked.cancel()

            await give_up()
            (await box.new_socket()).close()  # the answers come in order
            await give_up()
            box.kill()

            assert await asyncio.wait([box.ended], timeout=5) == ({box.ended}, set())
        finally:
            box.listener.close()
            await boxes.stop()

    run(tmp_path, test)


CROWD = """
import os, time
def handler(event, context):
    kept = []
    for _ in range(event["processes"]):
        if not os.fork():
            kept.append(os.urandom(event["bytes"]))
            time.sleep(60)
    time.sleep(event["seconds"])
"""


def test_a_crowd_of_processes_does_not_hold_up_the_platform(
    tmp_path: Path, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    used_bytes, looked_seconds = Box.used_bytes, 0.0

    def timed(box: Box) -> int:
        nonlocal looked_seconds
        began_at = time.monotonic()
        try:
            return used_bytes(box)
        finally:
            looked_seconds += time.monotonic() - began_at

    monkeypatch.setattr(Box, "used_bytes", timed)

    async def test(rig: Rig) -> None:
        function = rig.function(CROWD, memory_mb=3000, timeout_seconds=30)
        began_at = time.monotonic()

        outcome = await rig.invoke(function, {"processes": 300, "bytes": 1, "seconds": 2})

        assert outcome.error is None
        assert looked_seconds < (time.monotonic() - began_at) / 5

    run(tmp_path, test)


def test_a_crowd_of_processes_keeps_to_the_memory_limit(tmp_path: Path, groups: Groups) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(CROWD, memory_mb=200, timeout_seconds=30)

        outcome = await rig.invoke(function, {"processes": 100, "bytes": 4_000_000, "seconds": 20})

        assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
        assert outcome.memory_used_mb == 200
        assert outcome.duration_ms < 15_000

    run(tmp_path, test)


def test_groups_of_a_killed_server_are_removed_by_the_next(tmp_path: Path, groups: Groups) -> None:
    owner = Path(__file__).with_name("owner.py")
    command = [sys.executable, str(owner), str(tmp_path), "own", "def handler(e, c): pass", "once"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() or process.wait() != UNABLE
        left = group_folders(process.pid)
        assert left
        process.kill()

    def are_gone() -> bool:
        Groups().remove()
        return not any(folder.exists() for folder in left)

    asyncio.run(until(are_gone))


def group_folders(pid: int) -> list[Path]:
    """Return the folders of a server's groups."""
    folders = (folder for mount in Path("/sys/fs/cgroup").glob("*") for folder in mount.glob(f"**/{NAME}/{pid}.*"))
    return [folder for folder in folders if folder.is_dir()]


def test_no_group_is_left_when_a_platform_has_stopped(tmp_path: Path, groups: Groups) -> None:
    async def test(rig: Rig) -> None:
        await rig.result(rig.function(EVAL), "1")

    run(tmp_path, test)

    assert [folder for folder in group_folders(os.getpid()) if list(folder.glob("box-*"))] == []
