"""What Lambda accepts as a deployment package: a zip file that can be unpacked, not empty and not too large."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from lzma import LZMAError

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


def _size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Return how many bytes an entry unpacks to, having compared them with its checksum."""
    size_bytes = 0
    with archive.open(entry) as file:
        while chunk := file.read(CHUNK_BYTES):
            size_bytes += len(chunk)
    return size_bytes
