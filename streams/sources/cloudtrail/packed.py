"""Records as CloudWatch Logs packs them: gzip, which may stand in base64."""

from __future__ import annotations

import base64
import binascii
import zlib

UNPACKED = 64 << 20  # bytes that a compressed record may become
GZIP = b"\x1f\x8b"


def unpacked(value: bytes) -> bytes:
    """Raises ValueError or zlib.error."""
    if value[:2] != GZIP:
        try:
            value = base64.b64decode(value.strip(), validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from error
    parts, room = [], UNPACKED
    while value:  # Firehose joins what is compressed one by one
        unpacker = zlib.decompressobj(wbits=31)
        parts.append(unpacker.decompress(value, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise ValueError(f"more than {UNPACKED:,} bytes unpacked")
        if not unpacker.eof:
            raise ValueError("the compressed data are cut short")
        value = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)
