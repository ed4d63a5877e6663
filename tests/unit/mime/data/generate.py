#!/usr/bin/python3
"""Writes the archives that no free program of Debian writes, with stored members: rar, rar5, lzh, cab, and one rar5
whose member is encrypted. Run once, in this folder; the results are kept in the repository."""
import struct
import zlib


def rar4(names, encrypted=False):
    out = b"Rar!\x1a\x07\x00"
    body = struct.pack("<BHH", 0x73, 0, 13) + bytes(6)
    out += struct.pack("<H", zlib.crc32(body) & 0xffff) + body
    for name, data in names:
        flags = 0x8000 | (0x04 if encrypted else 0)
        body = struct.pack("<BHH", 0x74, flags, 32 + len(name))
        body += struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0x5a7a6a6a, 20, 0x30, len(name),
                            0o100644)
        body += name
        out += struct.pack("<H", zlib.crc32(body) & 0xffff) + body + data
    body = struct.pack("<BHH", 0x7b, 0x4000, 7)
    return out + struct.pack("<H", zlib.crc32(body) & 0xffff) + body


def vint(n):
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def block5(body):
    sized = vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(sized)) + sized


def rar5(names, encrypted=False):
    out = b"Rar!\x1a\x07\x01\x00" + block5(vint(1) + vint(0) + vint(0))
    for name, data in names:
        extra = b""
        if encrypted:  # record of type 1: version, flags, log2 of rounds, salt, IV
            record = vint(1) + vint(0) + vint(0) + bytes([15]) + bytes(16) + bytes(16)
            extra = vint(len(record)) + record
        body = vint(2) + vint(2 | (1 if extra else 0))
        if extra:
            body += vint(len(extra))
        body += vint(len(data)) + vint(4) + vint(len(data)) + vint(0o100644) + struct.pack("<I", zlib.crc32(data))
        body += vint(0) + vint(1) + vint(len(name)) + name + extra
        out += block5(body) + data
    return out + block5(vint(5) + vint(0) + vint(0))


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xa001 if crc & 1 else 0)
    return crc


def lzh(names):
    out = b""
    for name, data in names:
        body = b"-lh0-" + struct.pack("<IIIBBB", len(data), len(data), 0x5a7a6a6a, 0x20, 0, len(name)) + name
        body += struct.pack("<H", crc16(data))
        out += bytes([len(body), sum(body) & 0xff]) + body + data
    return out + b"\0"


def cab(names):
    files = b""
    offset = 0
    data = b"".join(d for _, d in names)
    for name, d in names:
        files += struct.pack("<IIHHHH", len(d), offset, 0, 0x5a7a, 0x6a6a, 0x20) + name + b"\0"
        offset += len(d)
    start_files = 36 + 8
    start_data = start_files + len(files)
    block = struct.pack("<IHH", 0, len(data), len(data)) + data
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, start_data + len(block), 0, start_files, 0, 3, 1, 1, len(names), 0,
                       0x1234, 0)
    return head + struct.pack("<IHH", start_data, 1, 0) + files + block


MEMBERS = [(b"readme.txt", b"hello\n"), (b"doc/run.exe", b"MZ not really\n")]
for file, content in {
        "stored.rar": rar4(MEMBERS), "stored5.rar": rar5(MEMBERS), "stored.lzh": lzh(MEMBERS), "stored.cab": cab(MEMBERS),
        "encrypted.rar": rar4(MEMBERS, True), "encrypted5.rar": rar5(MEMBERS, True)}.items():
    with open(file, "wb") as f:
        f.write(content)


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


with open("spin5.rar-head", "wb") as f:
    f.write(spin5())
