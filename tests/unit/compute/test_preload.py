"""A runtime that is a fork of a warm interpreter is like one that was started for the function."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from rig import ARN, Rig, SharedRig, run

LOOK = """
import sys
AT_IMPORT = sorted(sys.modules)
import os, random, time
%s
def handler(event, context):
    try:
        return eval(event)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
"""
FRESH = (("PYTHONHASHSEED", "1"),)
"""A variable with which a runtime can't be a fork."""
OURS = """[name for name in sys.modules if name.startswith(("cumulet", "spawner"))]"""


def test_what_a_function_finds_imported_is_what_a_fresh_interpreter_has(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        forked = rig.function(LOOK % "")
        fresh = rig.function(LOOK % "", variables=FRESH, arn=ARN + "2")

        at_import = [set(await rig.result(function, "AT_IMPORT")) for function in (forked, fresh)]
        paths = [await rig.result(function, "sys.path + sys.argv + [sys.executable]") for function in (forked, fresh)]

        assert "boto3" not in at_import[0]
        assert at_import[1] <= at_import[0]
        assert not {name for name in at_import[0] if name.startswith(("cumulet", "spawner", "boto", "urllib3"))}
        assert paths[0] == paths[1]
        assert await rig.result(forked, OURS) == []
        hooks = "[type(finder).__name__ for finder in sys.meta_path if isinstance(finder, type)]"
        assert await rig.result(forked, hooks) == await rig.result(fresh, hooks)
        for text in ("gc.isenabled()", "signal.getsignal(15)", "signal.getsignal(13)", "locale.setlocale(0)"):
            module = text.partition(".")[0]
            question = f"str(__import__({module!r}) and {text.replace(module + '.', f'__import__({module!r}).')})"
            assert await rig.result(forked, question) == await rig.result(fresh, question)

    run(tmp_path, test)


def test_imported_modules_are_whole_and_say_where_they_are_from(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function(LOOK % "import boto3, botocore.session, json, email.message, importlib.resources")

        assert await rig.result(function, "boto3.__file__") == "/var/runtime/boto3/__init__.py"
        assert await rig.result(function, "type(boto3.__spec__.loader).__name__") == "SourceFileLoader"
        assert await rig.result(function, "sys.modules['boto3'] is boto3 and 'botocore.httpsession' in sys.modules")
        assert await rig.result(function, "importlib.resources.files('boto3').joinpath('data').is_dir()")
        assert await rig.result(function, "boto3.client('sqs').meta.service_model.api_version") == "2012-11-05"
        assert await rig.result(function, "'sqs' in boto3.Session().get_available_services()")
        twice = "[sorted(boto3.client('dynamodb').meta.service_model.operation_names) for _ in range(2)]"
        first, second = await rig.result(function, twice)
        assert first == second
        assert "GetItem" in first

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("files", "question", "answer"),
    [
        ({"urllib3/__init__.py": "mine = 1"}, "__import__('urllib3').mine", 1),
        ({"urllib3/__init__.py": "mine = 1"}, "__import__('botocore.compat') and 'fine'", "ImportError"),
        ({"boto3/__init__.py": "mine = 2"}, "__import__('boto3').mine", 2),
        ({"six.py": "mine = 3"}, "__import__('six').mine", 3),
        ({"this/__init__.py": "mine = 4"}, "__import__('this').mine", 4),
        ({"calendar.py": "mine = 5"}, "__import__('calendar').mine", 5),
        (
            {"awscrt/__init__.py": "", "awscrt/auth.py": ""},
            "__import__('botocore.compat')",
            "AttributeError: module 'awscrt'",
        ),
    ],
)
def test_what_a_package_brings_is_what_it_gets(
    shared_rig: SharedRig, files: dict[str, str], question: str, answer: object
) -> None:
    async def test(rig: Rig) -> None:
        function = rig.function({"index.py": LOOK % "", **files})

        found = await rig.result(function, question)

        assert found == answer or (isinstance(answer, str) and str(found).startswith(answer))

    shared_rig.run(test)


def test_environments_share_no_randomness_and_no_variables(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        code = LOOK % "import uuid, secrets, tempfile; time.sleep(0.1)"
        functions = [rig.function(code, arn=f"{ARN}{n}", variables=(("MINE", str(n)),)) for n in range(4)]
        question = "[random.random(), str(uuid.uuid4()), secrets.token_hex(), next(tempfile._get_candidate_names())]"

        found = await asyncio.gather(*(rig.result(function, question) for function in functions))
        variables = [await rig.result(function, "os.environ['MINE']") for function in functions]
        environ = "open('/proc/self/environ').read()"

        assert len({value for values in found for value in values}) == 16
        assert variables == ["0", "1", "2", "3"]
        for function in functions:
            assert "MINE" not in await rig.result(function, environ)

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("variable", "question", "answer"),
    [
        (("PYTHONHASHSEED", "0"), "hash('a') == hash('a') and sys.flags.hash_randomization", 0),
        (("PYTHONOPTIMIZE", "2"), "sys.flags.optimize", 2),
        (("PYTHONUTF8", "0"), "sys.flags.utf8_mode", 0),
        (("TZ", "Asia/Tokyo"), "time.strftime('%H', time.localtime(0))", "09"),
        (("LD_LIBRARY_PATH", "/nowhere"), "'/nowhere' in open('/proc/self/environ').read()", True),
        (
            ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
            "__import__('awslambdaric.bootstrap').bootstrap._AWS_LAMBDA_LOG_LEVEL",
            "ERROR",
        ),
    ],
)
def test_variables_that_count_from_the_start_of_a_process_do(
    shared_rig: SharedRig, variable: tuple[str, str], question: str, answer: object
) -> None:
    async def test(rig: Rig) -> None:
        assert await rig.result(rig.function(LOOK % "", variables=(variable,)), question) == answer

    shared_rig.run(test)
