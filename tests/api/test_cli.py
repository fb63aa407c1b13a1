"""The `cumulet` command as a person uses it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import orjson
import pytest
from raw_http import exchange, head

from cumulet import __version__
from cumulet.kernel.clock import MACHINE
from cumulet.testing import Cumulet

CUMULET = Path(sys.executable).with_name("cumulet")


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CUMULET_", "AWS_"))}
    return subprocess.run(
        [str(CUMULET), *arguments],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@contextmanager
def started(*arguments: str, folder: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a server; yield the lines it greets with and its process."""
    command = [sys.executable, "-m", "cumulet", "start", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CUMULET_", "AWS_"))}
    with subprocess.Popen(
        command, cwd=folder, env={**clean, **environment}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        greeting = "".join(process.stderr.readline() for _ in range(3))
        try:
            yield greeting, process
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            assert (process.wait(10), "Traceback" in rest) == (0, False)


def url_of(greeting: str) -> str:
    found = re.search(r"http://\S+", greeting)
    assert found
    return found[0]


def health(greeting: str) -> dict[str, object]:
    return exchange(url_of(greeting), head(b"GET /_cumulet/health HTTP/1.1")).json()


def assert_one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code
    assert result.stdout == ""
    assert re.fullmatch(r"cumulet: [^\n]+\n", result.stderr)
    for word in words:
        assert word in result.stderr


def test_version_is_printed_by_the_command_and_by_the_module(tmp_path: Path) -> None:
    module = subprocess.run([sys.executable, "-m", "cumulet", "version"], capture_output=True, text=True, check=True)

    assert run("version", folder=tmp_path).stdout == module.stdout == f"{__version__}\n"
    assert run("--version", folder=tmp_path).stdout == f"{__version__}\n"


def test_start_says_where_it_listens_and_how_to_use_it(tmp_path: Path) -> None:
    with started("--port", "0", folder=tmp_path) as (greeting, _):
        assert f"Cumulet {__version__} is ready at http://127.0.0.1:" in greeting
        assert f"data {tmp_path}/cumulet-data, durability full, clock real" in greeting
        assert "auth open" in greeting
        assert (tmp_path / "cumulet-data").is_dir()


def test_start_in_enforce_mode_says_where_the_root_key_is(tmp_path: Path) -> None:
    with started("--port", "0", "--auth", "enforce", folder=tmp_path) as (greeting, _):
        assert f"the root key is in {tmp_path}/cumulet-data/root-credentials" in greeting


def test_the_network_is_let_in_when_told_so(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--host", "0.0.0.0", "--let-anyone-on-the-network-in")
    with started(*arguments, folder=tmp_path) as (greeting, _):
        assert "http://0.0.0.0:" in greeting


def test_ipv6_is_listened_to(tmp_path: Path) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    with started("--port", "0", "--host", "::1", folder=tmp_path) as (greeting, _):
        assert health(greeting)["status"] == "ok"


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "cumulet.toml").write_text('port = 0\ndata = "file"\nclock = "virtual"\ndurability = "relaxed"\n')
    with started("--data", "flag", folder=tmp_path, CUMULET_DATA="environment", CUMULET_CLOCK="real") as (greeting, _):
        assert health(greeting)["status"] == "ok"
        assert f"data {tmp_path}/flag, durability relaxed, clock real" in greeting


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--port", "70000"), {}, ("port", "65535", "70000")),
        (("--port", "http"), {}, ("port", "whole number", "'http'")),
        (("--auth", "maybe"), {}, ("auth", "open, enforce", "'maybe'")),
        (("--clock", "broken"), {}, ("clock", "real, virtual")),
        (("--host", "0.0.0.0"), {}, ("--auth enforce", "--let-anyone-on-the-network-in")),
        ((), {"CUMULET_PORT": "x"}, ("port", "'x'")),
        ((), {"CUMULET_DURABILITY": "some"}, ("durability", "full, relaxed", "'some'")),
        ((), {"CUMULET_REQUEST_DEADLINE_SECONDS": "0"}, ("request_deadline_seconds",)),
        ((), {"CUMULET_LET_ANYONE_ON_THE_NETWORK_IN": "perhaps"}, ("true or false", "'perhaps'")),
        ((), {"CUMULET_CONFIG": "missing.toml"}, ("missing.toml",)),
    ],
)
def test_a_setting_that_can_not_be_used_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], words: tuple[str, ...]
) -> None:
    assert_one_line(run("start", *arguments, folder=tmp_path, **environment), 2, *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ("unknown setting", "prot")),
        ("port = ", ("cumulet.toml",)),
        ("port = true", ("port", "whole number")),
        ("host = 1", ("host",)),
        ('[quotas]\n"sqs:SendMessage" = "many"', ("quotas", "numbers")),
        ('[quotas]\n"sqs:SendMessage" = -1', ("sqs:SendMessage", "-1")),
        ('port = 0\n[quotas]\n"sqs:SendMesage" = 1', ("no quota", "sqs:SendMesage")),
        ('port = 0\n[quotas]\n"sqss:SendMessage" = 1', ("no quota", "sqss:SendMessage")),
    ],
)
def test_a_file_that_can_not_be_used_is_one_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    (tmp_path / "cumulet.toml").write_text(text)

    assert_one_line(run("start", folder=tmp_path), 2, *words)


def test_a_port_in_use_is_one_line(tmp_path: Path, cumulet: Cumulet) -> None:
    port = cumulet.url.rpartition(":")[2]

    assert_one_line(run("start", "--port", port, folder=tmp_path), 1, f"127.0.0.1:{port}", "in use", "running already")


def test_an_address_of_another_machine_is_one_line(tmp_path: Path) -> None:
    arguments = ("--host", "192.0.2.1", "--auth", "enforce")

    assert_one_line(run("start", *arguments, folder=tmp_path), 1, "192.0.2.1:4566")


def test_a_folder_in_use_is_one_line(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        assert server.process is not None
        result = run("start", "--port", "0", "--data", "data", folder=tmp_path)

        assert_one_line(result, 1, "in use", str(server.process.pid))


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        server.client("sqs").create_queue(QueueName="orders")
    file = tmp_path / "data" / "cumulet.db"
    damaged = b"\0" * 100 + file.read_bytes()[100:]
    file.write_bytes(damaged)

    assert_one_line(run("start", "--port", "0", "--data", "data", folder=tmp_path), 1, "damaged", "cumulet.db")
    assert file.read_bytes() == damaged


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert_one_line(run("start", "--port", "0", "--data", "file/data", folder=tmp_path), 1, "file/data")


@pytest.mark.parametrize("milliseconds", [0, 10, 30, 60])
def test_ctrl_c_while_starting_is_clean(tmp_path: Path, milliseconds: int) -> None:
    command = [sys.executable, "-m", "cumulet", "start", "--port", "0", "--data", str(tmp_path / "data")]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs ignore it
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        try:
            while not (tmp_path / "data").exists():
                MACHINE.pause(0.001)
            MACHINE.pause(milliseconds / 1000)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
        finally:
            process.kill()

    assert process.returncode in (0, 1, 130)
    assert "Traceback" not in said


def test_status_tells_people_what_runs(tmp_path: Path, cumulet: Cumulet) -> None:
    result = run("status", "--url", cumulet.url, folder=tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    assert f"Cumulet {__version__} at {cumulet.url} is ok, up " in result.stdout
    assert "services  cloudwatch, iam, lambda, logs, sns, sqs, sts" in result.stdout
    assert re.search(r"functions \d+ environments?, isolation \w+", result.stdout)
    assert "clock     virtual" in result.stdout


def test_status_tells_programs_what_runs(tmp_path: Path, cumulet: Cumulet) -> None:
    result = run("status", "--json", folder=tmp_path, AWS_ENDPOINT_URL=cumulet.url)

    assert result.returncode == 0
    assert orjson.loads(result.stdout)["services"] == dict.fromkeys(
        ("iam", "logs", "lambda", "sns", "sqs", "sts", "cloudwatch"), "available"
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://127.0.0.1:1/x y"])
def test_status_of_nothing_is_one_line(tmp_path: Path, url: str) -> None:
    assert_one_line(run("status", "--url", url, folder=tmp_path), 3, url)


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]", b"SSH-2.0-x\r\n", b""])
def test_status_of_something_else_is_one_line(tmp_path: Path, said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [str(CUMULET), "status", "--url", url]
        with subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as status:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(said)
            out, error = status.communicate(timeout=20)

    assert_one_line(subprocess.CompletedProcess(command, status.returncode, out, error), 3, url)


@pytest.mark.parametrize("command", [(), ("start",), ("invoke",), ("logs",), ("status",), ("simulate", "scaling")])
def test_help_is_plain_text(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(*command, "--help", folder=tmp_path)

    assert done.returncode == 0
    assert done.stdout.isascii()  # no frames
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not re.search("<(bool|int)", done.stdout)  # no types of Python
