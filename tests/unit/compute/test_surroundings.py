"""What a function finds around it: variables, folders, packages, descriptors, and nothing of the server's."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from rig import ACCOUNT, REGION, URL, Rig, run

from cumulet.compute import CannotRun

VARIABLES = """
import os
def handler(event, context):
    return {**os.environ, "context stream": context.log_stream_name}
"""
EVAL = """
import glob, os, sys
def files():
    return {file for file in map(os.path.realpath, glob.glob("/proc/self/fd/*")) if not file.startswith("/proc/")}
def handler(event, context):
    try:
        return eval(event)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""


def test_variables_are_those_that_aws_documents_and_the_functions_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUMULET_SECRET", "of the server")
    own = (("TABLE", "orders"), ("LANG", "C.UTF-8"), ("AWS_REGION", "not mine to set"))

    async def test(rig: Rig) -> None:
        found = await rig.result(rig.function(VARIABLES, variables=own, memory_mb=256, version="7"))

        stream = found.pop("context stream")
        credentials = next(iter(rig.credentials.valid))
        assert rig.credentials.valid[credentials] == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/worker", "f")
        assert "/[7]" in stream
        assert found.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
        assert found.pop("_X_AMZN_TRACE_ID").startswith("Root=")
        assert found == {
            "_HANDLER": "index.handler",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_ACCESS_KEY_ID": credentials,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_ENDPOINT_URL": URL,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "TZ": ":UTC",
            "LANG": "C.UTF-8",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:"
            "/opt/lib",
            "PYTHONPATH": "/var/runtime",
            "TABLE": "orders",
        }

    run(tmp_path, test)


EXPECTED = {
    "os.getcwd()": "/var/task",
    "__file__": "/var/task/index.py",
    "os.listdir('/var/task')": ["index.py"],
    "os.listdir('/tmp')": [],
    "os.listdir('/opt')": [],
    "sorted(os.listdir('/var'))": ["lang", "runtime", "task"],
    "sys.path[:4]": ["/var/task", "/opt/python/lib/python3.11/site-packages", "/opt/python", "/var/runtime"],
    "sys.executable": "/var/lang/bin/python3.11",
    "sys.argv[0]": "/var/runtime/bootstrap.py",
    "sys.stdout.encoding": "utf-8",
    "open('/dev/stdin').read()": "",
    "sorted(os.listdir('/proc/self/fd'))[:4]": ["0", "1", "2", "3"],
    "files() == {'/dev/null'}": True,
    "os.readlink('/proc/self/fd/0')": "/dev/null",
    "__import__('time').tzname[0]": "UTC",
    "__import__('resource').getrlimit(7)": [1024, 1024],
    "__import__('boto3').client('sqs').meta.endpoint_url": URL,
    "__import__('boto3').client('sqs').meta.region_name": REGION,
    "__import__('importlib.metadata').metadata.version('boto3')[:2]": "1.",
    "__import__('subprocess').check_output(['/bin/sh', '-c', 'echo $$ >&2; echo fine']).decode()": "fine\n",
    "__import__('urllib.request') and __import__('ssl').OPENSSL_VERSION[:7]": "OpenSSL",
    "[pid for pid in os.listdir('/proc') if pid.isdigit()]": ["1", "2"],
    "exit.__class__.__name__": "Quitter",
}
REFUSED = {
    "open('/var/task/new', 'w')": "Read-only file system",
    "os.remove('/var/task/index.py')": "Read-only file system",
    "open('/var/runtime/new', 'w')": "Read-only file system",
    "open('/etc/new', 'w')": "Read-only file system",
    "open('/new', 'w')": "Read-only file system",
    "__import__('msgspec')": "No module named 'msgspec'",
    "__import__('cumulet')": "No module named 'cumulet'",
    "__import__('pip')": "No module named 'pip'",
    f"os.listdir({str(Path(__file__).parent)!r})": "No such file",
    "os.listdir(os.path.expanduser('~'))": "No such file",
    "os.kill(1, 9) or os.kill(3, 0)": "No such process",
    "open('/tmp/large', 'wb').write(b'x' * 20_000_000) and open('/tmp/large2', 'wb').write(b'x')": "No space left",
}


def test_a_function_sees_what_it_would_see_on_aws_and_nothing_of_the_machine(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(EVAL, memory_mb=512, tmp_mb=16, timeout_seconds=30)

        found = {text: await rig.result(function, text) for text in EXPECTED}
        refused = {text: await rig.result(function, text) for text in REFUSED}

        assert found == EXPECTED
        assert {text: error for text, error in refused.items() if REFUSED[text] not in str(error)} == {}

    run(tmp_path, test)


def test_each_environment_has_a_tmp_of_its_own_that_lasts(tmp_path: Path) -> None:
    code = """
import os, time
def handler(event, context):
    before = os.listdir("/tmp")
    open(f"/tmp/{event}", "w").close()
    time.sleep(0.2)
    return before
"""

    async def test(rig: Rig) -> None:
        function = rig.function(code)

        together = await asyncio.gather(rig.result(function, "a"), rig.result(function, "b"))
        later = await rig.result(function, "c")

        assert together == [[], []]
        assert later in (["a"], ["b"])
        assert not {"a", "b", "c"} & {path.name for path in Path("/tmp").iterdir()}

    run(tmp_path, test)


def test_the_package_comes_before_the_runtime_and_the_standard_library(tmp_path: Path) -> None:
    files = {
        "index.py": "import boto3, this\ndef handler(e, c): return [boto3.mine, this.mine]",
        "boto3.py": "mine = 1",
        "this/__init__.py": "mine = 2",
    }

    async def test(rig: Rig) -> None:
        assert await rig.result(rig.function(files)) == [1, 2]

    run(tmp_path, test)


def test_a_handler_may_lie_in_a_folder(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function({"app/jobs/work.py": "def go(e, c): return __name__"}, handler="app/jobs/work.go")

        assert await rig.result(function) == "app.jobs.work"

    run(tmp_path, test)


def test_a_folder_of_links_to_another_interpreter_is_no_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "python"))

    async def test(rig: Rig) -> None:
        for _ in range(2):
            with pytest.raises(CannotRun, match="python"):
                await rig.invoke(rig.function(VARIABLES))

    run(tmp_path, test)


def test_nothing_of_the_environments_is_mounted_on_the_machine(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        await rig.result(rig.function(VARIABLES))

        assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
        assert list((tmp_path / "compute" / "root").iterdir()) == []

    run(tmp_path, test)
