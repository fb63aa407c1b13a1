"""Layers: merged into one folder in their order, shown as /opt, and on the search paths of each runtime."""

from __future__ import annotations

import asyncio
import shutil
import sys
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rig import Rig, SharedRig, make_package, run

from cumulet.compute import CannotRun
from cumulet.compute.packages import Packages

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
SITE = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def merge(folder: Path, test: Callable[[Packages], Awaitable[None]]) -> None:
    async def with_packages() -> None:
        await test(Packages(folder / "code"))

    asyncio.run(with_packages())


def with_link(archive: Path, name: str, to: str) -> Path:
    with zipfile.ZipFile(archive, "a") as opened:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        opened.writestr(link, to)
    return archive


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("layers", "merged"),
    [
        ([{"a": "1"}, {"b": "2"}], {"a": "1", "b": "2"}),
        ([{"a": "1"}, {"a": "2"}], {"a": "2"}),
        ([{"lib/a": "1", "lib/b": "1"}, {"lib/b": "2", "lib/c": "2"}], {"lib/a": "1", "lib/b": "2", "lib/c": "2"}),
        ([{"a": "file"}, {"a/b": "in a folder"}], {"a/b": "in a folder"}),
        ([{"a/b": "in a folder", "a/c/d": "deeper"}, {"a": "file"}], {"a": "file"}),
        ([{"a/": "", "b": "1"}, {"a": "file"}], {"a": "file", "b": "1"}),
        ([{"a": "file"}, {"a/": ""}], {}),
        ([{"a": "1"}, {"a": "2"}, {"a": "3"}, {"b": "4"}, {"c": "5"}], {"a": "3", "b": "4", "c": "5"}),
    ],
)
def test_later_layers_win(tmp_path: Path, layers: list[dict[str, str]], merged: dict[str, str]) -> None:
    archives = [make_package(tmp_path, layer) for layer in layers]

    async def test(cache: Packages) -> None:
        assert contents(await cache.take(*archives)) == merged

    merge(tmp_path, test)


def test_a_link_of_one_layer_is_never_written_through_by_another(tmp_path: Path) -> None:
    links = with_link(make_package(tmp_path, {"real/file": "real"}), "lib", "real")
    folder = make_package(tmp_path, {"lib/file": "of the second"})

    async def test(cache: Packages) -> None:
        after, before = await cache.take(links, folder), await cache.take(folder, links)

        assert contents(after) == {"real/file": "real", "lib/file": "of the second"}
        assert not (after / "lib").is_symlink()
        assert (before / "lib").is_symlink()
        assert (before / "real/file").read_text() == "real"

    merge(tmp_path, test)


@pytest.mark.parametrize("to", ["/opt/real/file", "/var/task/code.py", "/opt"])
def test_a_link_may_lead_to_where_the_function_is(tmp_path: Path, to: str) -> None:
    layer = with_link(make_package(tmp_path, {"real/file": "real"}), "link", to)

    async def test(cache: Packages) -> None:
        assert str(((await cache.take(layer)) / "link").readlink()) == to

    merge(tmp_path, test)


@pytest.mark.parametrize("to", ["/opt/../etc/passwd", "/optional", "/"])
def test_a_link_may_lead_nowhere_else(tmp_path: Path, to: str) -> None:
    layer = with_link(make_package(tmp_path, {"real/file": "real"}), "link", to)

    async def test(cache: Packages) -> None:
        with pytest.raises(CannotRun, match="leads out"):
            await cache.take(layer)

    merge(tmp_path, test)


def test_the_same_layers_in_the_same_order_are_unpacked_once(tmp_path: Path) -> None:
    first, second = make_package(tmp_path, {"a": "1"}), make_package(tmp_path, {"a": "2"})

    async def test(cache: Packages) -> None:
        folders = await asyncio.gather(
            cache.take(first, second), cache.take(first, second), cache.take(second, first), cache.take(first)
        )

        assert folders[0] == folders[1]
        assert len(set(folders)) == 3
        assert [contents(folder)["a"] for folder in folders] == ["2", "2", "1", "1"]

    merge(tmp_path, test)


def test_a_function_sees_its_layers_in_opt_read_only(tmp_path: Path) -> None:
    code = """
import os, subprocess
def handler(event, context):
    try:
        open("/opt/new", "w")
    except OSError as error:
        said = str(error)
    script = subprocess.check_output(["tool"]).decode()
    return [sorted(os.listdir("/opt")), script, said]
"""

    async def test(rig: Rig) -> None:
        tool = make_package(tmp_path, {"bin/tool": "#!/bin/sh\necho a tool\n", "data": "1"})
        other = make_package(tmp_path, {"other": "2"})

        found, script, said = await rig.result(rig.function(code, layers=(tool, other)))
        without = await rig.result(rig.function("import os\ndef handler(e, c): return os.listdir('/opt')"))

        assert (found, script) == (["bin", "data", "other"], "a tool\n")
        assert "Read-only" in said
        assert without == []

    run(tmp_path, test)


PYTHON_LAYER = {
    "python/both.py": "place = 'python'",
    "python/plain.py": "place = 'python'",
    "python/boto3.py": "place = 'layer'",
    "python/own.py": "place = 'layer'",
    f"{SITE}/both.py": "place = 'site'",
    f"{SITE}/site_only.py": "place = 'site'",
}


@pytest.mark.parametrize("wrapper", [False, True], ids=["forked", "by exec"])
def test_python_finds_modules_of_layers_behind_the_functions_own(tmp_path: Path, wrapper: bool) -> None:
    code = {
        "index.py": """
import importlib
def handler(event, context):
    return {name: importlib.import_module(name).place for name in event}
""",
        "own.py": "place = 'package'",
    }

    async def test(rig: Rig) -> None:
        files = {**PYTHON_LAYER, "wrapper": '#!/bin/sh\nexec "$@"\n'}
        variables = (("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper"),) if wrapper else ()
        function = rig.function(code, layers=(make_package(tmp_path, files),), variables=variables)

        found = await rig.result(function, ["both", "plain", "boto3", "own", "site_only"])

        assert found == {"both": "site", "plain": "python", "boto3": "layer", "own": "package", "site_only": "site"}

    run(tmp_path, test)


@needs_node
def test_node_finds_modules_of_layers_those_for_its_version_first(shared_rig: SharedRig, tmp_path: Path) -> None:
    def module(place: str) -> str:
        return f"exports.place = '{place}';"

    layer = {
        "nodejs/node_modules/both/index.js": module("any"),
        "nodejs/node_modules/any/index.js": module("any"),
        "nodejs/node_modules/own/index.js": module("layer"),
        "nodejs/node18/node_modules/both/index.js": module("18"),
        "nodejs/node20/node_modules/both/index.js": module("20"),
    }
    code = {
        "index.js": "exports.handler = async (names) => names.map((name) => require(name).place);",
        "node_modules/own/index.js": module("package"),
    }

    async def test(rig: Rig) -> None:
        function = rig.function(code, layers=(make_package(tmp_path, layer),), runtime="nodejs18.x", timeout_seconds=20)

        assert await rig.result(function, ["both", "any", "own"]) == ["18", "any", "package"]

    shared_rig.run(test)


WRAPPER = """#!/bin/sh
echo "wrapped: $*"
export ADDED=by-the-wrapper
exec "$@"
"""
RUNTIMES: list[Any] = [
    (
        "python3.11",
        {"index.py": "import os\ndef handler(e, c): return os.environ['ADDED']"},
        "/var/lang/bin/python3.11 -S /var/runtime/bootstrap.py",
    ),
    pytest.param(
        "nodejs20.x",
        {"index.js": "exports.handler = async () => process.env.ADDED;"},
        "/var/runtime/index.mjs",
        marks=needs_node,
    ),
]


@pytest.mark.parametrize(("runtime", "files", "command"), RUNTIMES)
def test_a_wrapper_script_starts_the_runtime(
    shared_rig: SharedRig, tmp_path: Path, runtime: str, files: dict[str, str], command: str
) -> None:
    async def test(rig: Rig) -> None:
        settings: dict[str, Any] = {
            "runtime": runtime,
            "layers": (make_package(tmp_path, {"wrapper": WRAPPER}),),
            "variables": (("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper"),),
            "timeout_seconds": 20,
        }

        assert await rig.result(rig.function(files, **settings)) == "by-the-wrapper"
        [line] = [line for line in rig.logs.messages if line.startswith("wrapped: /var/lang/bin/")]
        assert line.strip().endswith(command)

    shared_rig.run(test)


@pytest.mark.parametrize("wrapper", ["/opt/missing", "/opt/no-script"])
def test_a_wrapper_that_cannot_be_run_fails_the_init(shared_rig: SharedRig, tmp_path: Path, wrapper: str) -> None:
    async def test(rig: Rig) -> None:
        layer = make_package(tmp_path, {"no-script": "text"})
        variables = (("AWS_LAMBDA_EXEC_WRAPPER", wrapper),)
        function = rig.function("def handler(e, c): pass", layers=(layer,), variables=variables)

        outcome = await rig.invoke(function)

        assert outcome.error == "Unhandled"
        assert b"Runtime." in outcome.payload
        assert wrapper in rig.logs.text

    shared_rig.run(test)


def test_a_layer_that_cannot_be_unpacked_is_refused_and_its_package_let_go(tmp_path: Path) -> None:
    async def test(rig: Rig) -> None:
        broken = tmp_path / "broken"
        broken.write_bytes(b"no zip")
        function = rig.function("def handler(e, c): return 1", layers=(broken,))

        for _ in range(2):
            with pytest.raises(CannotRun, match="layers can't be unpacked"):
                await rig.invoke(function)
        broken.unlink()
        make_package(tmp_path, {"a": "1"}).rename(broken)

        assert await rig.result(function) == 1

    run(tmp_path, test)
