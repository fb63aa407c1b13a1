"""Functions that bring their own runtime: an executable called `bootstrap`, in the package or in a layer."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from rig import REGION, Rig, SharedRig, make_package

from cumulet.compute import Function

HTTP = (Path(__file__).parents[2] / "runtime_api.bash").read_text()
BASH = (
    HTTP
    + """count=0
while true; do
    request GET invocation/next ""
    echo "event $body"
    count=$((count + 1))
    case "$body" in
        '"exit"') exit 3 ;;
        '"error"') request POST "invocation/$id/error" '{"errorType": "Own.Error", "errorMessage": "own words"}' ;;
        *) request POST "invocation/$id/response" "[\\"$0\\", \\"$_HANDLER\\", \\"$PWD\\", $count, $body]" ;;
    esac
done
"""
)


def provided(rig: Rig, files: dict[str, str], runtime: str = "provided.al2023", **settings: Any) -> Function:
    return rig.function(files, **{"runtime": runtime, "handler": "any.thing", "timeout_seconds": 20, **settings})


@pytest.mark.parametrize("runtime", ["provided", "provided.al2", "provided.al2023"])
def test_a_bootstrap_is_run_and_serves_one_event_after_another(shared_rig: SharedRig, runtime: str) -> None:
    async def test(rig: Rig) -> None:
        function = provided(rig, {"bootstrap": BASH}, runtime)

        answers = [await rig.result(function, {"name": "Ben"}), await rig.result(function)]

        assert answers == [
            ["/var/task/bootstrap", "any.thing", "/var/task", 1, {"name": "Ben"}],
            ["/var/task/bootstrap", "any.thing", "/var/task", 2, None],
        ]
        assert 'event {"name":"Ben"}\n' in rig.logs.messages or 'event {"name": "Ben"}\n' in rig.logs.messages
        assert not any("[WARN]" in line for line in rig.logs.messages)
        assert any(line.startswith("INIT_START Runtime Version: provided:") for line in rig.logs.messages)

    shared_rig.run(test)


def test_a_bootstrap_in_a_layer_runs_where_the_package_has_none(shared_rig: SharedRig, tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        layer = make_package(tmp_path, {"bootstrap": BASH})
        both = {"bootstrap": BASH, "data": "1"}

        from_layer = await rig.result(provided(rig, {"data": "1"}, layers=(layer,)))
        from_package = await rig.result(provided(rig, both, layers=(layer,)))

        assert (from_layer[0], from_package[0]) == ("/opt/bootstrap", "/var/task/bootstrap")
        assert from_layer[2] == "/var/task"

    shared_rig.run(test)


def test_an_error_in_its_own_words_and_an_exit(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        function = provided(rig, {"bootstrap": BASH})

        error = await rig.invoke(function, "error")
        exited = await rig.invoke(function, "exit")
        fresh = await rig.result(function, 1)

        assert json.loads(error.payload) == {"errorType": "Own.Error", "errorMessage": "own words"}
        assert error.error == exited.error == "Unhandled"
        described = json.loads(exited.payload)
        assert described["errorType"] == "Runtime.ExitError"
        assert described["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
        assert fresh[3] == 1

    shared_rig.run(test)


def test_the_variables_are_those_of_a_runtime_without_a_language(shared_rig: SharedRig) -> None:
    script = "#!/bin/sh\nenv\nexit 1\n"

    async def test(rig: Rig) -> None:
        await rig.invoke(provided(rig, {"bootstrap": script}))

        found = dict(line.strip().split("=", 1) for line in rig.logs.messages if "=" in line)
        assert found["PATH"] == "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
        assert found["LD_LIBRARY_PATH"] == (
            "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
        )
        assert found["_HANDLER"] == "any.thing"
        assert found["AWS_REGION"] == REGION
        assert not {"AWS_EXECUTION_ENV", "PYTHONPATH", "NODE_PATH"} & set(found)

    shared_rig.run(test)


def test_go_1_runs_the_executable_that_the_handler_names(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        function = provided(rig, {"main": BASH}, "go1.x", handler="main")

        assert (await rig.result(function, 5))[0] == "/var/task/main"

    shared_rig.run(test)


@pytest.mark.parametrize(
    ("files", "runtime", "message"),
    [
        ({"other": BASH}, "provided.al2023", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ({"bootstrap": "no script"}, "provided.al2", "fork/exec /var/task/bootstrap: permission denied"),
        ({"other": BASH}, "go1.x", "fork/exec /var/task/main: no such file or directory"),
    ],
)
def test_a_function_without_anything_to_run_fails(
    shared_rig: SharedRig, files: dict[str, str], runtime: str, message: str
) -> None:
    async def test(rig: Rig) -> None:
        function = provided(rig, files, runtime, handler="main")

        for _ in range(2):
            invocation = rig.invocation()
            outcome = await rig.compute.invoke(function, invocation)

            assert outcome.error == "Unhandled"
            assert json.loads(outcome.payload) == {
                "errorType": "Runtime.InvalidEntrypoint",
                "errorMessage": f"RequestId: {invocation.request_id} Error: {message}",
            }
        assert rig.logs.text.count("Phase: init\tStatus: error\tError Type: Runtime.InvalidEntrypoint") == 1
        assert rig.logs.text.count("Phase: invoke\tStatus: error\tError Type: Runtime.InvalidEntrypoint") == 2
        assert rig.compute.environments() == 1

    shared_rig.run(test)


@pytest.mark.parametrize("script", ["#!/no/such/interpreter\n", "#!/bin/sh\nexit 0\n"])
def test_a_bootstrap_that_does_not_serve_fails(shared_rig: SharedRig, script: str) -> None:
    async def test(rig: Rig) -> None:
        outcome = await rig.invoke(provided(rig, {"bootstrap": script}))

        assert outcome.error == "Unhandled"
        assert json.loads(outcome.payload)["errorType"].startswith("Runtime.")

    shared_rig.run(test)


def test_a_bootstrap_may_be_a_link_within_the_package(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        function = provided(rig, {"bin/serve": BASH})
        with zipfile.ZipFile(function.package, "a") as archive:
            link = zipfile.ZipInfo("bootstrap")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, "bin/serve")

        assert (await rig.result(function))[0] == "/var/task/bootstrap"

    shared_rig.run(test)


def test_no_wrapper_script_is_run_before_a_bootstrap(shared_rig: SharedRig) -> None:
    async def test(rig: Rig) -> None:
        wrapper = (("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper"),)

        assert (await rig.result(provided(rig, {"bootstrap": BASH}, variables=wrapper), 1))[4] == 1

    shared_rig.run(test)


def test_nothing_is_left_open_for_a_bootstrap(shared_rig: SharedRig) -> None:
    script = "#!/bin/sh\nls -l /proc/self/fd\nexit 1\n"

    async def test(rig: Rig) -> None:
        await rig.invoke(provided(rig, {"bootstrap": script}))

        targets = {line.split(" -> ")[1].strip() for line in rig.logs.messages if " -> " in line}
        foreign = {target for target in targets if not target.startswith(("pipe:", "/proc/", "/dev/null"))}
        assert foreign == set()
        assert str(os.getpid()) not in "".join(targets)

    shared_rig.run(test)
