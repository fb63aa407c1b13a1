"""Zip files: which are refused, how they get on disk, and which are removed."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.kernel.errors import AwsError, ServiceUnavailable
from cumulet.services.lambda_ import zip_files
from cumulet.services.lambda_.functions import Package
from cumulet.services.lambda_.package_files import PackageFiles, inspect


def zip_of(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.py", content)
    return buffer.getvalue()


PACKAGE = zip_of(b"first" * 20, b"second" * 20)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packages_in_all_methods_of_packing_are_taken(method: int) -> None:
    zip_files.check(zip_of(b"x", method=method))


@given(st.integers(0, len(PACKAGE) - 1), st.integers(1, 255), st.integers(0, len(PACKAGE)))
def test_a_damaged_package_is_taken_or_refused_and_nothing_else(position: int, flip: int, length: int) -> None:
    damaged = bytearray(PACKAGE)
    damaged[position] ^= flip
    for package in (bytes(damaged), PACKAGE[:length], bytes(damaged[:length])):
        try:
            zip_files.check(package)
        except AwsError as error:
            assert error.message in (zip_files.BROKEN, zip_files.EMPTY, zip_files.TOO_LARGE)


def test_an_encrypted_package_is_refused() -> None:
    encrypted = bytearray(zip_of(b"x"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(mark) + offset] |= 1

    with pytest.raises(AwsError, match="Could not unzip uploaded file"):
        zip_files.check(bytes(encrypted))


def test_files_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_files, "MOST_UNZIPPED_BYTES", 20)

    zip_files.check(zip_of(b"x" * 10, b"y" * 10))
    with pytest.raises(AwsError, match="Unzipped size must be smaller"):
        zip_files.check(zip_of(b"x" * 10, b"y" * 11))


async def keep(packages: PackageFiles, content: bytes) -> Package:
    package = await packages.inspect(content)
    async with packages.kept(package, content):
        pass
    return package


def test_a_package_and_its_folder_are_synced_before_it_may_be_referred_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    sync = os.fsync

    def spy(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    folder = tmp_path / "functions"
    asyncio.run(keep(PackageFiles(folder, is_durable=True), PACKAGE))

    assert synced[0] == tmp_path
    assert synced[1].parent == folder
    assert synced[2:] == [folder]


def test_a_package_of_the_same_name_and_another_size_is_written_again(tmp_path: Path) -> None:
    packages = PackageFiles(tmp_path, is_durable=False)
    path = packages.path(inspect(PACKAGE))
    path.write_bytes(PACKAGE[:10])

    asyncio.run(keep(packages, PACKAGE))

    assert path.read_bytes() == PACKAGE


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    packages = PackageFiles(tmp_path, is_durable=True)
    packages.path(inspect(PACKAGE)).mkdir()

    with pytest.raises(ServiceUnavailable, match="the package could not be written"):
        asyncio.run(keep(packages, PACKAGE))

    assert [path.suffix for path in tmp_path.iterdir()] == [".zip"]


def test_what_is_held_while_a_removal_goes_on_is_spared(tmp_path: Path) -> None:
    async def remove_beside_holders() -> set[str]:
        packages = PackageFiles(tmp_path, is_durable=False)
        contents = [zip_of(content) for content in (b"unused", b"before", b"meanwhile", b"throughout")]
        unused, before, meanwhile, throughout = [await keep(packages, content) for content in contents]
        async with packages.kept(throughout, contents[3]):
            async with packages.kept(before, contents[1]):
                packages.begin_removal()
            found = await packages.all()
            assert found == {unused.digest, before.digest, meanwhile.digest, throughout.digest}
            async with packages.kept(meanwhile, contents[2]):
                pass
            packages.remove(found)
        return found - await packages.all() ^ {unused.digest}

    assert asyncio.run(remove_beside_holders()) == set()
