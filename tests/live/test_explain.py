"""posternctl explain and the daemon cannot disagree: the same messages through both."""
import pytest

from attachment_table import TABLE
from harness import archives, mails
from harness.posternd import strings
from test_recipients import HUNDRED

SECTIONS = {"helo": {"banned": strings("fakedomain.xyz")}, "recipients": {"max_header": "3"},
            "attachments": {"encrypted": "tag"}}

# name, message, helo, recipients, client, more arguments of explain
CASES = [(name, message, "mail.sender.example", ["user@example.net"], "192.0.2.7", []) for name, message, _ in TABLE]
CASES += [(f"helo-{helo}", mails.plain(), helo, ["user@example.net", "postmaster@example.net"], "192.0.2.7", [])
          for helo in ("www", "localhost", "127.0.0.1", "[192.0.2.7]", "fakedomain.xyz", "mx.example.net", "foo..bar")]
CASES += [
    ("refused-for-all", mails.plain(), "www", ["user@example.net"], "192.0.2.7", []),
    ("trusted", mails.plain(), "www", ["user@example.net"], "127.0.0.1", []),
    ("outside-ipv6", mails.plain(), "www", ["user@example.net"], "2001:db8::25", []),
    ("excess", mails.plain(), "mail.sender.example", HUNDRED + ["a@example.net", "b@example.net"], "192.0.2.7", []),
    ("excess-own", mails.plain(), "mail.sender.example", HUNDRED + ["a@example.net"], "192.0.2.7", ["--auth", "alice"]),
    ("authenticated", mails.plain(), "www", ["user@example.net"], "192.0.2.7", ["--auth", "alice"]),
    ("many-in-header", mails.header("m", b"Cc: a@a.example, b@a.example, c@a.example\n") + b"\nx\n",
     "mail.sender.example", ["user@example.net"], "192.0.2.7", []),
    ("tagged", mails.attached("a.zip", archives.zip_encrypted({"r.txt": b"x" * 40})), "mail.sender.example",
     ["user@example.net"], "192.0.2.7", []),
    ("forged-mark", mails.header("m", b"X-Postern: forged\n") + b"\nx\n", "mail.sender.example",
     ["user@example.net"], "192.0.2.7", []),
]
assert len(CASES) >= 50


@pytest.mark.parametrize("name,message,helo,recipients,client,more", CASES, ids=[case[0] for case in CASES])
def test_agree(gate, name, message, helo, recipients, client, more):
    mark = gate.daemon.mark()
    login = {"login": more[1]} if more else {}
    with gate.client(addr=None if client == "127.0.0.1" else client, helo=helo, **login) as smtp:
        outcome = smtp.transaction("sender@sender.example", recipients, message)
    said = gate.daemon.explain(message, client, helo, "sender@sender.example", recipients, *more)
    for reply, entry in zip(outcome.rcpts, said["recipients"], strict=True):
        assert (entry["reply"] or "250")[:3] == str(reply.code), entry
        if reply.code != 250:
            assert entry["reply"] == str(reply)
    if all(r.code != 250 for r in outcome.rcpts):
        assert said["verdict"] == "reject"
        return
    last = outcome.end or outcome.data
    line = gate.daemon.wait_event("message", mark)
    daemon_verdict = {"tag": "accept"}.get(line["verdict"], line["verdict"])
    assert said["verdict"] == daemon_verdict
    for key in ("phase", "check", "why", "reply"):
        assert (said.get(key) or None) == line.get(key), key
    if last.code >= 400:
        assert said["reply"] == str(last)


def test_text_and_crlf(gate, tmp_path):
    path = tmp_path / "message"
    for text in (TABLE[0][1], TABLE[0][1].replace(b"\n", b"\r\n")):
        path.write_bytes(text)
        output = gate.daemon.ctl("explain", "--client-ip", "192.0.2.7", "--helo", "mail.sender.example", "--from",
                                 "s@sender.example", "--to", "user@example.net", str(path), check=False).stdout
        assert "attachments.extension" in output and "554 5.7.0 <run.exe> - attachment type not accepted" in output
