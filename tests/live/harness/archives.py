"""Archives of every kind that Postern opens, made to order: by Python where it can, by a small writer of our own
where the format is simple (rar, cab, lzh, TNEF), by a tool of the distribution for the rest."""
import binascii
import bz2
import gzip as gzip_module
import io
import lzma
import os
import struct
import subprocess
import tarfile
import tempfile
import zipfile
import zlib

MZ = b"MZ\x90\x00 This is not a program but a test.\r\n"


def zip_of(members, compression=zipfile.ZIP_DEFLATED):
    """MEMBERS: {name: bytes}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def zip_two_names(local, central, data=MZ):
    """A zip whose local header and central directory disagree about the name; equally long names only."""
    assert len(local) == len(central)
    whole = zip_of({local: data}, zipfile.ZIP_STORED)
    head, mark, tail = whole.rpartition(local.encode())
    assert mark
    return head + central.encode() + tail


def zip_encrypted(members, password="secret"):
    return _tool(members, "zip", "-q", "-P", password, "-r", "{out}.zip", ".")


def sevenzip_of(members, *options):
    return _tool(members, "7z", "a", "-bso0", "-bsp0", *options, "{out}.7z", ".")


def sevenzip_hidden(members):
    """Names encrypted too."""
    return sevenzip_of(members, "-psecret", "-mhe=on")


def iso_of(members):
    return _tool(members, "genisoimage", "-quiet", "-J", "-R", "-o", "{out}.iso", ".")


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gzip_of(data, name=""):
    """NAME is the original name in the gzip header."""
    out = io.BytesIO()
    with gzip_module.GzipFile(filename=name, mode="wb", fileobj=out, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def bzip2_of(data):
    return bz2.compress(data)


def xz_of(data):
    return lzma.compress(data)


def zstd_of(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True, timeout=30).stdout


def _tool(members, *command):
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "in")
        for name, data in members.items():
            path = os.path.join(source, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
        out = os.path.join(directory, "out")
        subprocess.run([word.replace("{out}", out) for word in command], cwd=source, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        result = [name for name in os.listdir(directory) if name.startswith("out")]
        with open(os.path.join(directory, result[0]), "rb") as file:
            return file.read()


def rar4_of(members, is_encrypted=False):
    """RAR 4 with stored members; encrypted ones are only marked so."""
    out = b"Rar!\x1a\x07\x00" + _rar4_block(0x73, 0, b"\0" * 6)
    for name, data in members.items():
        raw = name.encode()
        fields = struct.pack("<IIBIIBBHI", len(data), len(data), 2, zlib.crc32(data), 0x5A210000, 20, 0x30, len(raw),
                             0x20) + raw
        out += _rar4_block(0x74, 0x8004 if is_encrypted else 0x8000, fields) + data
    return out + _rar4_block(0x7B, 0x4000, b"")


def _rar4_block(kind, flags, fields):
    head = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head


def _vint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def _rar5_block(fields):
    body = _vint(len(fields)) + fields
    return struct.pack("<I", zlib.crc32(body)) + body


def rar5_of(members, is_encrypted=False):
    """RAR 5 with stored members; encrypted ones are only marked so."""
    record = _vint(1) + _vint(0) + _vint(0) + bytes([15]) + bytes(32)  # type, version, flags, log2 of rounds, salt, IV
    extra = _vint(len(record)) + record if is_encrypted else b""
    out = b"Rar!\x1a\x07\x01\x00" + _rar5_block(_vint(1) + _vint(0) + _vint(0))
    for name, data in members.items():
        raw = name.encode()
        fields = _vint(2) + (_vint(3) + _vint(len(extra)) if extra else _vint(2)) + _vint(len(data)) + _vint(4)
        fields += _vint(len(data)) + _vint(0o644) + struct.pack("<I", zlib.crc32(data))
        out += _rar5_block(fields + _vint(0) + _vint(1) + _vint(len(raw)) + raw + extra) + data
    return out + _rar5_block(_vint(5) + _vint(0) + _vint(0))


def cab_of(members):
    """A cabinet without compression."""
    files, data = b"", b""
    for name, content in members.items():
        files += struct.pack("<IIHHHH", len(content), len(data), 0, 0x5A21, 0, 0x20) + name.encode() + b"\0"
        data += content
    folder_at = 36
    files_at = folder_at + 8
    data_at = files_at + len(files)
    blocks = b"".join(struct.pack("<IHH", 0, len(data[i:i + 32768]), len(data[i:i + 32768])) + data[i:i + 32768]
                      for i in range(0, max(len(data), 1), 32768))
    count = (max(len(data), 1) + 32767) // 32768
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, data_at + len(blocks), 0, files_at, 0, 3, 1, 1, len(members), 0,
                       1, 0)
    return head + struct.pack("<IHH", data_at, count, 0) + files + blocks


def lzh_of(members):
    """LHA, level 0 headers, stored (-lh0-)."""
    out = b""
    for name, data in members.items():
        raw = name.encode()
        body = b"-lh0-" + struct.pack("<IIIBBB", len(data), len(data), 0x5A210000, 0x20, 0, len(raw)) + raw
        body += struct.pack("<H", _crc16(data))
        out += bytes([len(body), sum(body) & 0xFF]) + body + data
    return out + b"\0"


def _crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def tnef_of(members):
    """winmail.dat with attachments; each has its title and its data."""
    out = struct.pack("<IH", 0x223E9F78, 1) + _tnef(1, 0x00089006, struct.pack("<I", 0x00010000))
    for name, data in members.items():
        out += _tnef(2, 0x00069002, struct.pack("<HIHHHHH", 1, 0xFFFFFFFF, 0, 0, 0, 0, 0))
        out += _tnef(2, 0x00018010, name.encode() + b"\0") + _tnef(2, 0x0006800F, data)
    return out


def _tnef(level, attribute, data):
    return struct.pack("<BII", level, attribute, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def uuencode(name, data):
    lines = [binascii.b2a_uu(data[i:i + 45]) for i in range(0, len(data), 45)]
    return b"begin 644 " + name.encode() + b"\n" + b"".join(lines) + b"`\nend\n"
