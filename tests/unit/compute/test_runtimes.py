"""Which interpreter runs which runtime identifier, and what is said where that is another one or none."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from rig import Rig, run

from cumulet.compute import CannotRun
from cumulet.compute.identifiers import Version, parse
from cumulet.compute.installations import Installation, nearest, node_installations, python_installations
from cumulet.compute.runtimes import Runtime, Runtimes

OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"


def install(folder: Path, name: str, answer: str) -> None:
    """Put a program into `folder` that answers what an interpreter answers when it is asked for its version."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)


def installed(folder: Path, name: str, version: str) -> Path:
    install(folder, name, f'echo "{version} $0"')
    return folder / name


def found(path: Path | str, identifier: str) -> Runtime:
    return asyncio.run(Runtimes(str(path)).find(identifier))


@pytest.mark.parametrize(
    ("identifier", "parsed"),
    [
        ("python3.11", ("python", (3, 11))),
        ("python3.9", ("python", (3, 9))),
        ("nodejs", ("nodejs", ())),
        ("nodejs4.3-edge", ("nodejs", (4, 3))),
        ("nodejs20.x", ("nodejs", (20,))),
        ("provided", ("provided", ())),
        ("provided.al2023", ("provided", ())),
        ("go1.x", ("go", (1,))),
        ("java8.al2", ("java", (8,))),
        ("dotnetcore3.1", ("dotnetcore", (3, 1))),
        ("", ("", ())),
    ],
)
def test_identifiers_say_family_and_version(identifier: str, parsed: tuple[str, Version]) -> None:
    assert parse(identifier) == parsed


@pytest.mark.parametrize(
    ("wanted", "version"),
    [((3, 12), (3, 12, 4)), ((3, 6), (3, 10, 1)), ((3, 11), (3, 12, 4)), ((3, 13), (3, 14, 0)), ((3, 20), (3, 14, 0))],
)
def test_the_nearest_version_is_taken_and_the_newer_of_two(wanted: Version, version: Version) -> None:
    there = [Installation(each, Path("/"), Path("/p")) for each in ((3, 10, 1), (3, 12, 4), (3, 14, 0))]

    chosen = nearest(there, wanted)

    assert chosen is not None
    assert chosen.version == version


def test_nothing_is_nearest_to_nothing() -> None:
    assert nearest([], (3, 11)) is None


def test_interpreters_are_found_on_the_path_by_what_they_answer(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "bin", tmp_path / "b" / "bin"
    node = installed(first, "node", "22.3.1")
    (first / "nodejs").symlink_to(node)
    installed(second, "node-18", "18.20.4")
    installed(second, "node_exporter", "1.0.0")
    installed(second, "python3.13", "3.13.2")
    installed(second, "python3.13-config", "3.13.2")
    installed(second, "python3.8", "3.8.2")
    path = f"{first}:{tmp_path / 'missing'}::{second}"

    nodes, pythons = node_installations(path), python_installations(path)

    assert [(each.version, each.prefix, each.place) for each in nodes] == [
        ((22, 3, 1), tmp_path / "a", "bin/node"),
        ((18, 20, 4), tmp_path / "b", "bin/node-18"),
    ]
    assert [each.version for each in pythons] == [(3, 13, 2)]


@pytest.mark.parametrize(
    "answer", ["exit 127", "echo nonsense", "echo 1.x.3 $0", "echo 20.1.1 /no/such/program", "true", "kill -9 $$"]
)
def test_a_program_that_is_no_interpreter_is_passed_over(tmp_path: Path, answer: str) -> None:
    install(tmp_path, "node", answer)

    assert node_installations(str(tmp_path)) == []
    with pytest.raises(CannotRun, match=r"nodejs20\.x needs Node\.js, which is not available here"):
        found(tmp_path, "nodejs20.x")


def test_the_servers_own_python_needs_no_look_at_the_path(tmp_path: Path) -> None:
    install(tmp_path, OWN, "touch was-run")

    runtime = found(tmp_path, OWN)

    assert (runtime.family, runtime.installation, runtime.warning) == ("python", None, None)
    assert not (tmp_path / "was-run").exists()


def test_another_python_is_taken_where_it_is_nearer(tmp_path: Path) -> None:
    installed(tmp_path / "bin", "python3.14", "3.14.2")

    exact, near, far = (found(tmp_path / "bin", identifier) for identifier in ("python3.14", "python3.15", "python3.6"))

    assert exact.warning is None
    assert exact.version == "python:3.14.v2"
    assert exact.language == str(tmp_path)
    assert near.warning == "[WARN] python3.15 is not available here: this function runs on python3.14\n"
    assert far.installation is None
    assert far.warning == f"[WARN] python3.6 is not available here: this function runs on {OWN}\n"


def test_the_nearest_node_is_taken_with_a_warning_where_the_major_differs(tmp_path: Path) -> None:
    for version in ("18.1.2", "22.3.4"):
        installed(tmp_path / version / "bin", "node", version)
    path = f"{tmp_path}/18.1.2/bin:{tmp_path}/22.3.4/bin"

    exact, newer, older = (found(path, identifier) for identifier in ("nodejs22.x", "nodejs24.x", "nodejs12.x"))

    assert (exact.version, exact.warning) == ("nodejs:22.v3", None)
    assert newer.warning == "[WARN] nodejs24.x is not available here: this function runs on nodejs22.x\n"
    assert older.warning == "[WARN] nodejs12.x is not available here: this function runs on nodejs18.x\n"


def test_many_who_ask_at_once_wait_for_one_look(tmp_path: Path) -> None:
    install(tmp_path, "node", f'echo asked >> {tmp_path}/asked; sleep 0.2; echo "20.1.1 $0"')

    async def test() -> set[Runtime]:
        runtimes = Runtimes(str(tmp_path))
        return set(await asyncio.gather(*(runtimes.find("nodejs20.x") for _ in range(5))))

    assert len(asyncio.run(test())) == 1
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_what_was_missing_is_found_once_it_is_there(tmp_path: Path) -> None:
    async def look() -> Runtime:
        runtimes = Runtimes(str(tmp_path / "bin"))
        with pytest.raises(CannotRun):
            await runtimes.find("nodejs22.x")
        installed(tmp_path / "bin", "node", "22.3.4")
        first = await runtimes.find("nodejs22.x")
        (tmp_path / "bin" / "node").unlink()
        assert await runtimes.find("nodejs22.x") is first
        return first

    assert asyncio.run(look()).language == str(tmp_path)


@pytest.mark.parametrize(
    ("identifier", "needed"),
    [
        ("java21", "a Java virtual machine"),
        ("java8.al2", "a Java virtual machine"),
        ("dotnet8", r"\.NET"),
        ("dotnetcore3.1", r"\.NET Core"),
        ("ruby3.3", "Ruby"),
        ("python2.7", "Python 2"),
        ("custom", "custom"),
    ],
)
def test_what_cannot_run_here_names_what_is_missing(tmp_path: Path, identifier: str, needed: str) -> None:
    with pytest.raises(CannotRun, match=rf"The runtime {identifier} needs {needed}, which is not available here"):
        found(tmp_path, identifier)


def other_pythons() -> list[Installation]:
    """Return the Pythons of PATH, and of the folder where the server's own is one of several."""
    siblings = [str(folder) for folder in Path(sys.base_prefix).parent.glob("*/bin")]
    every = python_installations(os.pathsep.join((*siblings, os.environ["PATH"])))
    return [each for each in every if each.version[:2] != sys.version_info[:2]]


def test_another_python_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = other_pythons()
    if not others:
        pytest.skip("there is one Python only")
    code = """
import sys, boto3
def handler(event, context):
    print("two\\nlines")
    if event is None:
        raise KeyError("nothing")
    return [event, sys.version_info[:2], sys.prefix, boto3.client("sqs").meta.region_name, context.aws_request_id]
"""
    monkeypatch.setenv("PATH", os.pathsep.join(str(each.executable.parent) for each in others))

    async def test(rig: Rig) -> None:
        for other in others:
            identifier = f"python{other.version[0]}.{other.version[1]}"
            function = rig.function(code, runtime=identifier, revision=identifier, timeout_seconds=20, memory_mb=512)

            first, second = await rig.result(function, "é"), await rig.result(function, 2)
            failed = await rig.invoke(function)

            assert first[:4] == ["é", list(other.version[:2]), "/var/lang", "eu-west-1"]
            assert second[0] == 2
            assert failed.error == "Unhandled"
            assert b'"errorType": "KeyError"' in failed.payload
        assert not any("[WARN]" in line for line in rig.logs.messages)

    run(tmp_path, test)
