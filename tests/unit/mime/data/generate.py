#!/usr/bin/python3
"""Writes the archives that no free program of Debian writes, with stored members: rar, rar5, lzh, cab, rar and rar5 with
encrypted members, and one that keeps libarchive busy. Run once, in this folder; the results are kept in the
repository."""
import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../live"))

from harness.archives import cab_of, lzh_of, rar4_of, rar5_of  # noqa: E402

MEMBERS = {"readme.txt": b"hello\n", "doc/run.exe": b"MZ not really\n"}


def spin5(blocks=6000, size=2 * 1024 * 1024 - 64):
    """Main headers of 2 MB within each other, each with a right checksum: libarchive sums 12 GB before it gives up.
    The 2 MB of zeros that follow are added by the test."""
    length = 10
    out = bytearray(blocks * length) + bytes(2 * 1024 * 1024)
    view = memoryview(out)
    for i in reversed(range(blocks)):
        at = i * length
        out[at + 4:at + 10] = bytes([size & 0x7f | 0x80, size >> 7 & 0x7f | 0x80, size >> 14, 1, 0, 0])
        struct.pack_into("<I", out, at, zlib.crc32(view[at + 4:at + 7 + size]))
    return b"Rar!\x1a\x07\x01\x00" + bytes(out[:blocks * length])


for file, content in {
        "stored.rar": rar4_of(MEMBERS), "stored5.rar": rar5_of(MEMBERS), "stored.lzh": lzh_of(MEMBERS),
        "stored.cab": cab_of(MEMBERS), "encrypted.rar": rar4_of(MEMBERS, True),
        "encrypted5.rar": rar5_of(MEMBERS, True), "spin5.rar-head": spin5()}.items():
    with open(file, "wb") as f:
        f.write(content)
