"""Packages are unpacked once, whole, and into their own folder only."""

from __future__ import annotations

import asyncio
import io
import stat
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from rig import make_package, until

from cumulet.compute import CannotRun, packages
from cumulet.compute.packages import Packages


def run(folder: Path, test: Callable[[Packages], Awaitable[None]], **settings: int) -> None:
    async def with_packages() -> None:
        await test(Packages(folder / "code", **settings))

    asyncio.run(with_packages())


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16 | 0x20  # a file of Windows has no more than that
    return info


def archive(folder: Path, *entries: tuple[zipfile.ZipInfo, str]) -> Path:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for info, data in entries:
            opened.writestr(info, data)
    package = folder / "package"
    package.write_bytes(content.getvalue())
    return package


def test_files_folders_and_links_are_kept_and_whoever_runs_them_may_read_them(tmp_path: Path) -> None:
    package = archive(
        tmp_path,
        (entry("bin/run.sh", stat.S_IFREG | 0o755), "#!/bin/sh"),
        (entry("data.txt", stat.S_IFREG | 0o640), "data"),
        (entry("windows.txt", 0), "no mode"),
        (entry("secret.txt", stat.S_IFREG | 0o200), "unreadable"),
        (entry("private.sh", stat.S_IFREG | 0o700), "#!/bin/sh"),
        (entry("empty/", stat.S_IFDIR | 0o700), ""),
        (entry("lib/link", stat.S_IFLNK | 0o777), "../data.txt"),
        (entry("lib/folder", stat.S_IFLNK | 0o777), "../bin"),
    )

    async def test(cache: Packages) -> None:
        folder = await cache.take(package)

        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
        assert modes["run.sh"] == 0o755
        assert modes["data.txt"] == 0o644
        assert modes["windows.txt"] == 0o644
        assert modes["secret.txt"] == 0o644
        assert modes["private.sh"] == 0o755
        assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_dir()} == {0o755}
        assert (folder / "empty").is_dir()
        assert (folder / "lib" / "link").read_text() == "data"
        assert (folder / "lib" / "folder" / "run.sh").read_text() == "#!/bin/sh"

    run(tmp_path, test)


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", ".", "a/../b"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    package = archive(tmp_path, (entry("fine.txt", 0), "fine"), (entry(name, 0), "evil"))

    async def test(cache: Packages) -> None:
        with pytest.raises(CannotRun, match="outside"):
            await cache.take(package)

        assert not (tmp_path / "evil").exists()
        assert list((tmp_path / "code").iterdir()) == []

    run(tmp_path, test)


@pytest.mark.parametrize("to", ["/etc/passwd", "../../etc/passwd", "..", "lib/../../..", "here/../.."])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, to: str) -> None:
    package = archive(
        tmp_path,
        (entry("lib/file", 0), "file"),
        (entry("here", stat.S_IFLNK | 0o777), "lib"),
        (entry("link", stat.S_IFLNK | 0o777), to),
    )

    async def test(cache: Packages) -> None:
        with pytest.raises(CannotRun, match="leads out"):
            await cache.take(package)

    run(tmp_path, test)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    package = archive(
        tmp_path, (entry("link", stat.S_IFLNK | 0o777), "other"), (entry("./link", stat.S_IFREG | 0o644), "both")
    )

    async def test(cache: Packages) -> None:
        with pytest.raises(CannotRun):
            await cache.take(package)

    run(tmp_path, test)


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MOST_UNPACKED_BYTES", 3_000_000)
    package = archive(tmp_path, (entry("a", 0), "0" * 2_000_000), (entry("b", 0), "0" * 1_000_001))

    async def test(cache: Packages) -> None:
        with pytest.raises(CannotRun, match="more than 3000000 bytes"):
            await cache.take(package)

    run(tmp_path, test)


@pytest.mark.parametrize("damage", ["missing", "empty", "no zip", "cut", "flipped", "folder"])
def test_a_damaged_package_is_refused_until_it_is_mended(tmp_path: Path, damage: str) -> None:
    package = archive(tmp_path, (entry("index.py", 0), "code" * 1000))
    whole = package.read_bytes()
    package.unlink()
    broken = {"empty": b"", "no zip": b"no zip", "cut": whole[:-30], "flipped": whole[:60] + b"\xff\xff" + whole[62:]}
    if damage == "folder":
        package.mkdir()
    elif damage != "missing":
        package.write_bytes(broken[damage])

    async def test(cache: Packages) -> None:
        for _ in range(2):
            with pytest.raises(CannotRun, match="can't be unpacked"):
                await cache.take(package)
        if damage == "folder":
            package.rmdir()
        package.write_bytes(whole)

        assert ((await cache.take(package)) / "index.py").read_text() == "code" * 1000

    run(tmp_path, test)


def test_several_who_ask_at_once_share_one(tmp_path: Path) -> None:
    package = make_package(tmp_path, {"index.py": "code"})

    async def test(cache: Packages) -> None:
        folders = await asyncio.gather(*(cache.take(package) for _ in range(5)))

        assert len(set(folders)) == 1
        assert len(list((tmp_path / "code").iterdir())) == 1

    run(tmp_path, test)


def test_what_nobody_uses_goes_when_it_becomes_too_much(tmp_path: Path) -> None:
    first, second, third = (make_package(tmp_path, {"data": letter * 400}) for letter in "abc")

    async def test(cache: Packages) -> None:
        folders = [await cache.take(package) for package in (first, second, third)]
        cache.release(first)
        cache.release(second)
        assert all(folder.exists() for folder in folders)

        cache.release(third)

        await until(lambda: not folders[0].exists())
        assert folders[1].exists()
        assert folders[2].exists()
        assert await cache.take(second) == folders[1]
        assert ((await cache.take(first)) / "data").read_text() == "a" * 400

    run(tmp_path, test, kept_bytes=1000)


def test_what_somebody_uses_stays(tmp_path: Path) -> None:
    package = make_package(tmp_path, {"data": "a" * 400})

    async def test(cache: Packages) -> None:
        folder = await cache.take(package)
        await cache.take(package)

        cache.release(package)
        assert folder.exists()
        cache.release(package)

        await until(lambda: not folder.exists())

    run(tmp_path, test, kept_bytes=100)
