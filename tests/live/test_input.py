"""Bad input from clients: nothing crashes, hangs or grows, and the answer is defined."""
import time

import pytest

from attachment_table import MZ
from harness import archives, mails
from harness.smtp import stuff

pytestmark = pytest.mark.seconds(90)


def wire(message):
    return message.replace(b"\n", b"\r\n")


@pytest.fixture(autouse=True)
def same_worker(gate):
    """Whatever a test sends, the worker that was there before it answers the next client."""
    before = gate.daemon.workers()
    yield
    assert gate.send(mails.plain()).end.code == 250
    assert gate.daemon.workers() == before and len(before) == 1


def big_lines(size):
    return mails.plain("long-lines", b"x" * size + b"\n")


def header_of(size):
    """In fields of 1 kB: Postfix cuts a single one at 60 kB before anybody else sees it."""
    return mails.header("big-header", (b"X-Long: " + b"y" * 900 + b"\n") * (size // 909)) + b"\ntext\n"


def many_fields(count):
    return mails.header("many-fields", b"X-F: y\n" * count) + b"\ntext\n"


def many_parts(count):
    return mails.multipart([b"Content-Type: text/plain\n\nx\n"] * count, "many-parts")


def nested(levels):
    """multipart in multipart in ..."""
    head = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(levels))
    return mails.header("nested", b"MIME-Version: 1.0\n") + head + \
        b'Content-Type: application/octet-stream; name="run.exe"\n\nMZ\n'


def nested_messages(levels):
    return mails.header("nested-messages", b"MIME-Version: 1.0\n") + b"Content-Type: message/rfc822\n\n" * levels + \
        b'Content-Type: application/octet-stream; name="run.exe"\n\nMZ\n'


# Each with the codes that are a defined answer.
MESSAGES = [
    ("empty", b"", [250]),
    ("no-header", b"\nonly a body\n", [250]),
    ("no-body", mails.header(), [250]),
    ("no-empty-line", b"this is no header\nnor this\n", [250]),
    ("nul-in-body", mails.plain("nul", b"a\0b\n" * 10), [250]),
    ("nul-in-header", mails.header("nul", b"X-Nul: a\0b\n") + b"\ntext\n", [250]),
    ("nul-in-name", mails.with_part(b'Content-Type: application/octet-stream; name="run.exe\0.txt"\n', MZ), [250, 554]),
    ("eight-bit", mails.plain("eight", bytes(range(128, 256)) * 20 + b"\n"), [250]),
    ("eight-bit-header", mails.header("eight", b"X-Eight: " + bytes(range(128, 256)) + b"\n") + b"\ntext\n", [250]),
    ("eight-bit-name", mails.with_part(b'Content-Type: text/plain; name="\xff\xfe\x80run.exe"\n', MZ), [554]),
    ("line-of-10-MB", big_lines(10 << 20), [250]),
    ("header-of-10-MB", header_of(10 << 20), [554]),
    ("one-header-line-of-2-MB", mails.header("l", b"X-Long: " + b"z" * (2 << 20) + b"\n") + b"\n", [250, 554]),
    ("50000-header-fields", many_fields(50000), [250, 554]),
    ("100000-parts", many_parts(100000), [250, 554]),
    ("10000-nested-parts", nested(10000), [554]),
    ("10000-nested-messages", nested_messages(10000), [554]),
    ("no-final-boundary", mails.multipart([b"Content-Type: text/plain\n\nx\n"], is_closed=False), [250]),
    ("no-boundary", mails.header("b", b"Content-Type: multipart/mixed\n") + b"\n--x\n\ntext\n", [250]),
    ("empty-boundary", mails.header("b", b'Content-Type: multipart/mixed; boundary=""\n') + b"\n--\n\ntext\n", [250]),
    ("bad-base64", mails.with_part(b'Content-Type: application/pdf; name="a.pdf"\n', b"\xff!!=*\n=====\nAAA",
                                   encoding="8bit"), [250]),
    ("bad-type", mails.header("t", b"Content-Type: ;;;/=\"\\\n") + b"\ntext\n", [250]),
    ("long-name", mails.attached("a" * 50000 + ".exe", MZ), [554]),
    ("percent-name", mails.attached("%s%n%1$s.exe", MZ), [554]),
    ("uuencode-without-end", mails.plain("uu", archives.uuencode("run.exe", MZ)[:40]), [250, 554]),
    ("tnef-truncated", mails.attached("winmail.dat", archives.tnef_of({"r.txt": b"x" * 999})[:100]), [250, 554]),
    ("tnef-huge-length", mails.attached("winmail.dat", archives.tnef_of({})[:6] + b"\x02\x0f\x80\x06\x00\xff\xff\xff\xff"
                                        + b"x" * 50), [250, 554]),
]


@pytest.mark.parametrize("name,message,codes", MESSAGES, ids=[entry[0] for entry in MESSAGES])
def test_message(gate, name, message, codes):
    mark, start = gate.daemon.mark(), time.monotonic()
    with gate.client(timeout=60) as smtp:
        outcome = smtp.transaction("s@sender.example", ["user@example.net"], message)
        assert outcome.end.code in codes, outcome.end
        assert outcome.end.text.isascii()
        assert smtp.command("NOOP").code == 250
    assert time.monotonic() - start < 30
    line = gate.daemon.wait_event("message", mark)
    if outcome.end.code != 250:
        assert line["verdict"] == "reject" and line["why"] and line["reply"] == str(outcome.end)


def test_bare_cr_and_lf(gate):
    """Line ends that are none do not hide a part from us."""
    body = wire(mails.attached("run.exe", MZ))
    for bad in (body.replace(b"See the", b"See\rthe"), body.replace(b"See the", b"See\nthe"),
                body.replace(b"See the attachment.\r\n", b"See\r\r\nthe\n\r\n")):
        with gate.client() as smtp:
            smtp.mail("s@sender.example")
            smtp.rcpt("user@example.net")
            assert smtp.command("DATA").code == 354
            smtp.send(bad + b"\r\n.\r\n")
            assert smtp.reply().code == 554


def test_slow_sender(gate):
    """A byte now, a byte later."""
    with gate.client() as smtp:
        smtp.mail("s@sender.example")
        smtp.rcpt("user@example.net")
        smtp.command("DATA")
        data = stuff(mails.attached("run.exe", MZ))
        for i in range(0, 60, 3):
            smtp.send(data[i:i + 3])
            time.sleep(0.02)
        smtp.send(data[60:])
        assert smtp.reply().code == 554


STEPS = ["connect", "helo", "mail", "rcpt", "data", "header", "body", "end"]


def go_to(smtp, step):
    """The dialogue up to and with STEP, its reply not read."""
    message = wire(mails.attached("run.exe", MZ))
    head, _, body = message.partition(b"\r\n\r\n")
    lines = {"helo": [b"EHLO mail.sender.example\r\n"], "mail": [b"MAIL FROM:<s@sender.example>\r\n"],
             "rcpt": [b"RCPT TO:<user@example.net>\r\n"], "data": [b"DATA\r\n"], "header": [head[:60]],
             "body": [head[60:] + b"\r\n\r\n" + body[:200]], "end": [body[200:] + b".\r\n"]}
    for name in STEPS[1:STEPS.index(step) + 1]:
        for line in lines[name]:
            smtp.send(line)
        if name in ("helo", "mail", "rcpt", "data") and name != step:
            smtp.reply()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("way", ["close", "abort", "quit", "reset"])
def test_client_leaves_in_every_phase(gate, step, way):
    for _ in range(5):
        smtp = gate.client(helo=None)
        go_to(smtp, step)
        if way == "abort":
            smtp.abort()
        elif way == "close":
            smtp.close()
        elif way == "quit" and step not in ("header", "body"):
            if step not in ("connect", "end"):
                smtp.reply()
            smtp.close() if step == "data" else smtp.quit()
        elif way == "reset" and step in ("helo", "mail", "rcpt"):
            smtp.reply()
            assert smtp.command("RSET").code == 250
            smtp.close()
        else:
            smtp.close()


def test_mail_after_mail_and_other_disorder(gate):
    with gate.client() as smtp:
        assert smtp.rcpt("user@example.net").code == 503
        assert smtp.command("DATA").code == 503
        assert smtp.mail("s@sender.example").code == 250
        assert smtp.mail("t@sender.example").code == 503
        assert smtp.rcpt("user@example.net").code == 250
        assert smtp.ehlo("other.sender.example").code == 250
        assert smtp.command("DATA").code == 503
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250


def test_hundred_messages_a_connection(gate):
    good, bad = mails.plain(), mails.attached("run.exe", MZ)
    with gate.client() as smtp:
        codes = [smtp.transaction("s@sender.example", ["user@example.net"], bad if i % 3 == 0 else good, True).end.code
                 for i in range(100)]
    assert codes == [554 if i % 3 == 0 else 250 for i in range(100)]


ADDRESSES = [b"", b"\"quoted string\"@sender.example", b"a" * 200 + b"@sender.example", b"\xff\xfe@sender.example",
             b"a@[192.0.2.1]", b"@hop.example:user@sender.example", b"no-domain", b"a\"b@sender.example",
             b"=?utf-8?Q?x?=@sender.example"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_strange_addresses(gate, address):
    with gate.client(helo="www") as smtp:
        reply = smtp.mail(address)
        if reply.code == 250:
            refused = smtp.rcpt(b"user+{rcpt}\\n@example.net")
            assert refused.code == 550 and "user+{rcpt}" in refused.text
            smtp.rcpt(b"\"a b\"@example.net")


def test_message_larger_than_max_size(make_gate):
    gate = make_gate({"message": {"max_size": "1M"}})
    mark = gate.daemon.mark()
    outcome = gate.send(mails.of_size(2 << 20))
    assert 400 <= outcome.end.code < 600, outcome.end
    assert gate.daemon.wait_event("message", mark)["why"] == "message.too-large"
    assert gate.send(mails.of_size(500000)).end.code == 250


def test_endless_ehlo_takes_no_memory(gate):
    with gate.client() as smtp:
        smtp.pipeline(["EHLO www", "EHLO mail.sender.example"] * 200)
        before = gate.daemon.memory_kb("VmRSS")
        for _ in range(20):
            smtp.pipeline(["EHLO www", "EHLO mail.sender.example"] * 200)
        assert gate.daemon.memory_kb("VmRSS") - before < 3000
