"""What Lambda accepts as a deployment package: a zip file that can be unpacked, not empty and not too large."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from lzma import LZMAError
from pathlib import Path

from cumulet.services.lambda_.errors import invalid

MOST_UNZIPPED_BYTES = 262_144_000
"""Lambda: of a package's files together."""
CHUNK_BYTES = 1024 * 1024
BROKEN = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY = "Uploaded file must be a non-empty zip"
TOO_LARGE = f"Unzipped size must be smaller than {MOST_UNZIPPED_BYTES} bytes"
UNREADABLE = (zipfile.BadZipFile, struct.error, zlib.error, LZMAError, EOFError, OSError, RuntimeError, ValueError)
"""What reading a damaged, encrypted or exotic zip file raises."""


def check(content: bytes) -> None:
    """Read a package through to its end; raises InvalidParameterValueException for what can't be unpacked.

    What its directory says about sizes is not believed: no more than the limit is ever unpacked.
    """
    if not content:
        raise invalid(EMPTY)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            left_bytes = MOST_UNZIPPED_BYTES - sum(entry.file_size for entry in entries)
            unzipped = 0 if left_bytes < 0 else sum(_size(archive, entry) for entry in entries)
    except UNREADABLE:
        raise invalid(BROKEN) from None
    if left_bytes < 0 or unzipped > MOST_UNZIPPED_BYTES:
        raise invalid(TOO_LARGE)
    if not entries:
        raise invalid(EMPTY)


def check_together(package: Path | bytes, layers: Sequence[Path]) -> None:
    """Raise InvalidParameterValueException where a function's package and layers are too large together.

    All of them have passed `check` before.
    """
    sources = [io.BytesIO(package) if isinstance(package, bytes) else package, *layers]
    together = sum(_unzipped_bytes(source) for source in sources)
    if layers and together > MOST_UNZIPPED_BYTES:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {MOST_UNZIPPED_BYTES} bytes. "
            f"The actual size is {together} bytes."
        )


def _unzipped_bytes(source: Path | io.BytesIO) -> int:
    with zipfile.ZipFile(source) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return how many bytes an entry unpacks to, having compared them with its checksum."""
    size_bytes = 0
    with archive.open(entry) as file:
        while chunk := file.read(CHUNK_BYTES):
            size_bytes += len(chunk)
    return size_bytes
