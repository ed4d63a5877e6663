"""The table of messages that the attachment tests, the two MTAs, explain and the bench of answers share.

Each entry: name, message, and what the refusal must show of the path, True if anything will do, or None where the
message is fine."""
import base64

from harness import archives, mails
from harness.archives import MZ

PDF = b"%PDF-1.4\n% not really\n"
TEXT = b"Hello, this is a text.\n" * 20


def part(fields, data=MZ):
    return mails.with_part(fields.encode() + b"\n", data)


def disposition(text, kind="application/octet-stream"):
    return part(f"Content-Type: {kind}\nContent-Disposition: attachment; {text}")


def in_depth(levels, name="run.exe"):
    data, path = MZ, name
    for level in range(levels):
        data = archives.zip_of({path.split("/")[0]: data})
        path = f"l{level}.zip/{path}"
    return data, path


def _names():
    """Ways to write a name."""
    yield "filename", disposition('filename="run.exe"'), "run.exe"
    yield "filename-bare", disposition("filename=run.exe"), "run.exe"
    yield "filename-upper", disposition('filename="RUN.EXE"'), "RUN.EXE"
    yield "name", part('Content-Type: application/octet-stream; name="run.exe"'), "run.exe"
    yield "name-only-forbidden", part('Content-Type: application/pdf; name="run.exe"\n'
                                      'Content-Disposition: attachment; filename="fine.pdf"'), "run.exe"
    yield "filename-only-forbidden", part('Content-Type: application/pdf; name="fine.pdf"\n'
                                          'Content-Disposition: attachment; filename="run.exe"'), "run.exe"
    yield "rfc2231", disposition("filename*=utf-8''r%75n.ex%65"), "run.exe"
    yield "rfc2231-latin", disposition("filename*=iso-8859-1'de'rechn%fcng.exe"), True
    yield "rfc2231-name", part("Content-Type: application/octet-stream; name*=utf-8''run%2Eexe"), "run.exe"
    yield "rfc2231-pieces", disposition('filename*0="ru"; filename*1="n.e"; filename*2="xe"'), "run.exe"
    yield "rfc2231-coded-pieces", disposition("filename*0*=utf-8''ru; filename*1*=n%2E; filename*2=exe"), "run.exe"
    yield "rfc2231-unordered", disposition('filename*2="xe"; filename*0="ru"; filename*1="n.e"'), "run.exe"
    yield "rfc2047-b", disposition('filename="=?utf-8?B?%s?="' % base64.b64encode(b"run.exe").decode()), "run.exe"
    yield "rfc2047-q", disposition('filename="=?utf-8?Q?run=2Eexe?="'), "run.exe"
    yield "conflict-first", disposition('filename="run.exe"; filename="fine.txt"'), "run.exe"
    yield "conflict-second", disposition('filename="fine.txt"; filename="run.exe"'), "run.exe"
    yield "conflict-star", disposition("filename=\"fine.txt\"; filename*=utf-8''run.exe"), "run.exe"
    yield "two-dispositions", part('Content-Type: application/octet-stream\n'
                                   'Content-Disposition: attachment; filename="fine.txt"\n'
                                   'Content-Disposition: attachment; filename="run.exe"'), "run.exe"
    yield "description", part("Content-Type: application/octet-stream\nContent-Description: run.exe"), "run.exe"
    yield "folded", disposition('\n\tfilename="run.exe"'), "run.exe"
    yield "inline", part('Content-Type: image/png\nContent-Disposition: inline; filename="run.scr"'), "run.scr"
    yield "whole-message", (mails.header("w", b'MIME-Version: 1.0\nContent-Type: application/octet-stream; '
                                         b'name="run.exe"\nContent-Transfer-Encoding: base64\n')
                            + b"\n" + mails.base64_lines(MZ)), "run.exe"


def _disguises():
    """Ways to hide an extension."""
    for name, text in [("dot", "run.exe."), ("dots", "run.exe..."), ("space", "run.exe "), ("dot-space", "run.exe . "),
                       ("clsid", "run.exe.{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}"), ("double", "invoice.pdf.exe"),
                       ("spaces", "invoice.pdf                       .exe"), ("stream", "run.exe::$DATA"),
                       ("directory", "C:\\\\temp\\\\run.exe"), ("slash", "../run.exe")]:
        yield f"hidden-{name}", disposition(f'filename="{text}"'), True
    for name, text in [("bidi", "run\u202egpj.exe"), ("zero-width", "run.e\u200bxe"), ("full-width", "run．ｅｘｅ"),
                       ("soft-hyphen", "run.ex\u00ade"), ("nul", "run.exe\x00.txt")]:
        quoted = "".join(f"%{b:02X}" for b in text.encode())
        yield f"hidden-{name}", disposition(f"filename*=utf-8''{quoted}"), True


def _places():
    """Ways to put it somewhere else."""
    inner = mails.attached("run.exe", MZ)
    yield "forwarded", mails.forwarded(inner), True
    yield "forwarded-twice", mails.forwarded(mails.forwarded(inner)), True
    yield "eml", mails.attached("mail.eml", inner, kind="application/octet-stream"), True
    yield "uuencoded", mails.plain("uu", b"See this:\n\n" + archives.uuencode("run.exe", MZ) + b"\nBye\n"), "run.exe"
    yield "tnef", mails.attached("winmail.dat", archives.tnef_of({"run.exe": MZ}), kind="application/ms-tnef"), \
        "winmail.dat/run.exe"
    yield "no-final-boundary", mails.multipart(
        [b"Content-Type: text/plain\n\nHi\n", b'Content-Type: application/octet-stream; name="run.exe"\n\nMZ\n'],
        is_closed=False), "run.exe"
    yield "alternative", mails.multipart(
        [b"Content-Type: text/plain\n\nHi\n", b'Content-Type: application/octet-stream; name="run.exe"\n\nMZ\n'],
        kind=b"alternative"), "run.exe"


def _archives():
    members = {"doc/run.exe": MZ, "readme.txt": TEXT}
    for name, data in [("zip", archives.zip_of(members)), ("7z", archives.sevenzip_of(members)),
                       ("rar4", archives.rar4_of(members)), ("rar5", archives.rar5_of(members)),
                       ("tar", archives.tar_of(members)), ("cab", archives.cab_of(members)),
                       ("lzh", archives.lzh_of(members)), ("iso", archives.iso_of(members)),
                       ("tar.gz", archives.gzip_of(archives.tar_of(members))),
                       ("tar.bz2", archives.bzip2_of(archives.tar_of(members))),
                       ("tar.xz", archives.xz_of(archives.tar_of(members))),
                       ("tar.zst", archives.zstd_of(archives.tar_of(members)))]:
        yield f"in-{name}", mails.attached(f"invoice.{name}", data), "/doc/run.exe"
        yield f"in-{name}-called-pdf", mails.attached("invoice.pdf", data, kind="application/pdf"), "/doc/run.exe"
    yield "in-jar", mails.attached("x.jar", archives.zip_of(members)), "x.jar/doc/run.exe"
    yield "in-gz", mails.attached("x.gz", archives.gzip_of(MZ, "run.exe")), "run.exe"
    yield "in-gz-by-its-own-name", mails.attached("run.exe.gz", archives.gzip_of(MZ)), "run.exe"
    yield "zip-in-zip", mails.attached("a.zip", archives.zip_of({"b.zip": archives.zip_of(members)})), \
        "a.zip/b.zip/doc/run.exe"
    yield "zip-in-tar-gz", mails.attached("a.tgz", archives.gzip_of(archives.tar_of(
        {"b.dat": archives.zip_of(members)}))), "/b.dat/doc/run.exe"
    yield "zip-in-forwarded", mails.forwarded(mails.attached("a.zip", archives.zip_of(members))), \
        "a.zip/doc/run.exe"
    yield "zip-in-tnef", mails.attached("winmail.dat", archives.tnef_of({"a.zip": archives.zip_of(members)})), \
        "winmail.dat/a.zip/doc/run.exe"
    yield "zip-local-name", mails.attached("a.zip", archives.zip_two_names("run.exe", "run.txt")), True
    yield "zip-central-name", mails.attached("a.zip", archives.zip_two_names("run.txt", "run.exe")), True
    yield "zip-behind-junk", mails.attached("a.bin", b"junk" * 5000 + archives.zip_of(members)), True
    yield "zip-encrypted-visible-names", mails.attached("a.zip", archives.zip_encrypted(members)), True


def _fine():
    yield "plain", mails.plain(), None
    yield "pdf", mails.attached("invoice.pdf", PDF), None
    yield "exe-in-the-middle", mails.attached("setup.exe.pdf", PDF), None
    yield "ends-in-letters-exe", mails.attached("annexe", PDF), None
    yield "com-in-text", mails.plain("c", b"Visit www.example.com or run.exe today.\n"), None
    yield "zip", mails.attached("a.zip", archives.zip_of({"readme.txt": TEXT, "x/y.pdf": PDF})), None
    yield "zip-in-zip-fine", mails.attached("a.zip", archives.zip_of({"b.zip": archives.zip_of({"r.txt": TEXT})})), None
    yield "7z", mails.attached("a.7z", archives.sevenzip_of({"r.txt": TEXT})), None
    yield "tar-gz", mails.attached("a.tgz", archives.gzip_of(archives.tar_of({"r.txt": TEXT}))), None
    yield "tnef-fine", mails.attached("winmail.dat", archives.tnef_of({"r.txt": TEXT})), None
    yield "html", mails.with_part(b"Content-Type: text/html; charset=utf-8\n", b"<p>Hello</p>"), None
    yield "big", mails.of_size(200000), None


def _entries():
    for source in (_names, _disguises, _places, _archives, _fine):
        yield from source()


TABLE = list(_entries())
EXTENSIONS = ("exe com cmd cpl hta scf sct lnk bat js jse wsh ws wsf wsc vbe vb vbs shs pif scr").split()
