"""The check `attachments`: every way to write, hide and wrap a forbidden name, and the limits."""
import random
import time
import zipfile

import pytest

from attachment_table import EXTENSIONS, MZ, TABLE, in_depth
from harness import archives, mails


def refused(outcome):
    return outcome.end is not None and outcome.end.code == 554


@pytest.mark.parametrize("name,message,path", TABLE, ids=[entry[0] for entry in TABLE])
def test_table(gate, name, message, path):
    mark = gate.daemon.mark()
    outcome = gate.send(message)
    assert all(r.code == 250 for r in outcome.rcpts)
    if path is None:
        assert outcome.end.code == 250, outcome.end
        assert gate.daemon.wait_event("message", mark)["verdict"] == "accept"
        return
    assert refused(outcome), outcome.end
    assert outcome.end.text.startswith("5.7.0 <") and outcome.end.text.endswith("> - attachment type not accepted")
    assert outcome.end.text.isascii() and outcome.end.text.isprintable()
    if path is not True:
        assert path in outcome.end.text
    line = gate.daemon.wait_event("message", mark)
    assert (line["verdict"], line["check"], line["why"]) == ("reject", "attachments", "attachments.extension")
    assert line["reply"] == str(outcome.end)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_each_extension_of_the_default_list(gate, extension):
    assert str(gate.send(mails.attached(f"file.{extension}", MZ)).end) == \
        f"554 5.7.0 <file.{extension}> - attachment type not accepted"
    assert refused(gate.send(mails.attached("file.zip", archives.zip_of({f"FILE.{extension.upper()}": MZ}))))


def test_depth_limit(gate):
    data, _ = in_depth(4)
    assert refused(gate.send(mails.attached("deep.zip", data)))
    data, _ = in_depth(9, "fine.txt")
    mark = gate.daemon.mark()
    assert refused(gate.send(mails.attached("deeper.zip", data)))
    assert gate.daemon.wait_event("message", mark)["why"] == "attachments.limit"


def test_entries_limit(gate):
    many = archives.zip_of({f"f{i}.txt": b"" for i in range(10001)})
    mark = gate.daemon.mark()
    assert refused(gate.send(mails.attached("many.zip", many)))
    assert gate.daemon.wait_event("message", mark)["why"] == "attachments.limit"


@pytest.mark.seconds(120)
def test_expanded_limit_stops_a_bomb(gate):
    """150 MB of nothing in a zip in a gz: 100 kB on the wire."""
    inner = archives.zip_of({"zeros.txt": b"\0" * (150 << 20)}, zipfile.ZIP_STORED)
    mark, start = gate.daemon.mark(), time.monotonic()
    assert refused(gate.send(mails.attached("bomb.gz", archives.gzip_of(inner)), timeout=100))
    assert gate.daemon.wait_event("message", mark)["why"] == "attachments.limit"
    assert time.monotonic() - start < 15


NOISE = random.Random(1).randbytes(5000)
ACTIONS = [("reject", 554), ("quarantine", 250), ("tag", 250), ("accept", 250)]


@pytest.mark.parametrize("option,message,why", [
    ("encrypted", mails.attached("a.zip", archives.zip_encrypted({"r.txt": b"x" * 50})), "attachments.encrypted"),
    ("encrypted", mails.attached("a.7z", archives.sevenzip_hidden({"r.exe": MZ})), "attachments.encrypted"),
    ("unreadable", mails.attached("a.zip", archives.zip_of({"r.bin": NOISE})[:3000]), "attachments.unreadable"),
    ("on_limit", mails.attached("a.zip", in_depth(9, "r.txt")[0]), "attachments.limit"),
], ids=["encrypted-zip", "encrypted-7z", "truncated-zip", "too-deep"])
def test_actions(make_gate, sink, mta, option, message, why):
    gate = make_gate()
    for action, code in ACTIONS:
        subject = f"act-{option}-{action}-{len(message)}".encode()
        text = message.replace(b"Subject: test", b"Subject: " + subject)
        gate.daemon.reload({"attachments": {option: action}})
        mark = gate.daemon.mark()
        outcome = gate.send(text)
        assert outcome.end.code == code, (action, outcome.end)
        line = gate.daemon.wait_event("message", mark)
        assert line["verdict"] == action, line
        if action != "accept":
            assert line["why"] == why
        if action == "tag":
            assert b"X-Postern: suspicious; why=" + why.encode() in sink.wait_for(subject)[0].content
        if action == "accept":
            assert b"X-Postern" not in sink.wait_for(subject)[0].content
        if action == "quarantine":
            queue_id = outcome.end.text.split()[-1]
            assert [m["queue_name"] for m in mta.queued() if m["queue_id"] == queue_id] == ["hold"]
            assert not sink.find(subject)
    mta.clear()


@pytest.mark.parametrize("action,code", [("reject", 554), ("quarantine", 250), ("tag", 250)])
def test_action_for_a_forbidden_name(make_gate, sink, mta, action, code):
    gate = make_gate({"attachments": {"action": action}})
    outcome = gate.send(mails.attached("run.exe", MZ, f"forbidden-{action}"))
    assert outcome.end.code == code
    line = gate.daemon.wait_event("message")
    assert (line["verdict"], line["why"]) == (action, "attachments.extension")
    if action == "tag":
        assert b"X-Postern: suspicious; why=attachments.extension" in sink.wait_for(f"forbidden-{action}")[0].content
    mta.clear()


def test_forged_mark_is_removed(gate, sink):
    message = mails.header("forged-mark", b"X-Postern: suspicious; why=forged\nX-Postern: twice\n") + b"\ntext\n"
    assert gate.send(message).end.code == 250
    assert b"X-Postern" not in sink.wait_for("forged-mark")[0].content


def test_archives_can_be_left_closed(make_gate):
    gate = make_gate({"attachments": {"archives": "no"}})
    assert gate.send(mails.attached("a.zip", archives.zip_of({"run.exe": MZ}))).end.code == 250
    assert refused(gate.send(mails.attached("run.exe", MZ)))


def test_own_list_and_file(make_gate, list_file):
    path = list_file("# ours\ndocm\n\nXLSM\n")
    gate = make_gate({"attachments": {"extensions": '{ "iso", ' + path + " }"}})
    for name, code in [("a.docm", 554), ("a.xlsm", 554), ("a.iso", 554), ("a.exe", 250)]:
        assert gate.send(mails.attached(name, b"x")).end.code == code, name


def test_max_size(make_gate):
    gate = make_gate({"attachments": {"max_size": "100k"}})
    assert gate.send(mails.attached("a.bin", b"x" * 102400)).end.code == 250
    mark = gate.daemon.mark()
    assert gate.send(mails.attached("a.bin", b"x" * 102401)).end.code in (552, 554)
    assert gate.daemon.wait_event("message", mark)["why"] == "attachments.size"


def test_reply_is_the_administrators(make_gate):
    gate = make_gate({"attachments": {"reply": '"552 5.7.0 100% no {file}: see https://example.net/files"'}})
    assert str(gate.send(mails.attached("run.exe", MZ)).end) == \
        "552 5.7.0 100% no run.exe: see https://example.net/files"


@pytest.mark.seconds(120)
def test_large_message_takes_little_memory(make_gate):
    """50 MB, most of it one attachment."""
    gate = make_gate()
    gate.send(mails.of_size(100000))
    before = gate.daemon.memory_kb()
    assert gate.send(mails.of_size(50 << 20), timeout=90).end.code == 250
    assert gate.daemon.memory_kb() - before < 20 * 1024


def test_every_class_is_looked_at(gate):
    message = mails.attached("run.exe", MZ)
    assert refused(gate.send(message, addr=None))
    assert refused(gate.send(message, login="alice"))


def test_local_submission_bounces(make_gate, mta, sink):
    gate = make_gate(slot="local")
    mta.submit("root@example.net", ["user@example.net"], mails.attached("run.exe", MZ, "local-exe"))
    bounce = sink.wait_for("attachment type not accepted")[0]
    assert bounce.sender == "" and bounce.recipients == ["root@example.net"]
    assert gate.daemon.wait_event("message", verdict="reject")["class"] == "local"


def test_bdat(gate):
    wire = mails.attached("run.exe", MZ).replace(b"\n", b"\r\n")
    with gate.client() as smtp:
        smtp.mail("s@sender.example")
        smtp.rcpt("user@example.net")
        replies = smtp.bdat([wire[i:i + 100] for i in range(0, len(wire), 100)])
    assert str(replies[-1]) == "554 5.7.0 <run.exe> - attachment type not accepted"
