"""Postfix and Sendmail in front of the same daemon give the same answers."""

import pytest

from attachment_table import MZ, TABLE
from harness import archives, mails
from harness.sendmail import PrivateSendmail
from harness.smtp import Smtp
from test_recipients import DEFER, HUNDRED, MESSAGE, REJECT

SECTIONS = {"helo": {"banned": '{ "fakedomain.xyz" }'}, "attachments": {"encrypted": "tag", "on_limit": "quarantine"}}
HELO = ["mail.sender.example", "www", "localhost", "127.0.0.1", "[127.0.0.1]", "fakedomain.xyz", "mx.example.net",
        "localhost.localdomain", "under_score.example", "mail.sender.example.", "a" * 63 + ".example"]


@pytest.fixture(scope="module")
def sendmail(area, gate, namespace):
    with PrivateSendmail(area, [("postern", gate.daemon.socket)], ("127.0.0.1", namespace.server)) as value:
        value.namespace = namespace
        yield value


def outside(sendmail, helo="mail.sender.example"):
    """A client with an address of its own."""
    smtp = Smtp(sendmail.port, sendmail.namespace.server, opener=sendmail.namespace.connect)
    if helo is not None:
        assert smtp.ehlo(helo).code == 250
    return smtp


def both(gate, sendmail, helo, sender, recipients, message, is_pipelined=False):
    outcomes = []
    for smtp in (gate.client(helo=helo), outside(sendmail, helo)):
        with smtp:
            outcomes.append(smtp.transaction(sender, recipients, message, is_pipelined))
            smtp.quit()
    return outcomes


def ours(reply):
    """A refusal word for word, an acceptance by its code: its text is the MTA's."""
    return reply if reply is None or reply.code >= 400 else reply.code


@pytest.mark.parametrize("name,message,path", TABLE, ids=[entry[0] for entry in TABLE])
def test_attachments(gate, sendmail, name, message, path):
    postfix, other = both(gate, sendmail, "mail.sender.example", "s@sender.example", ["user@example.net"], message)
    assert ours(postfix.end) == ours(other.end)
    assert other.end.code == (250 if path is None else 554)


@pytest.mark.parametrize("helo", HELO)
def test_helo(gate, sendmail, helo):
    postfix, other = both(gate, sendmail, helo, "s@sender.example", ["user@example.net", "postmaster@example.net"],
                          mails.plain())
    assert [ours(r) for r in postfix.rcpts] == [ours(r) for r in other.rcpts]
    assert postfix.end.code == other.end.code == 250


def test_missing_helo(gate, sendmail):
    replies = []
    for smtp in (gate.client(helo=None), outside(sendmail, None)):
        with smtp:
            smtp.mail("s@sender.example")
            replies.append(smtp.rcpt("user@example.net"))
    assert replies[0] == replies[1] and replies[0].code == 550


@pytest.mark.parametrize("is_pipelined", [False, True])
def test_recipients(gate, sendmail, is_pipelined):
    recipients = ["unknown@example.net", *HUNDRED, "user0@example.net", "late1@example.net", "late2@example.net"]
    postfix, other = both(gate, sendmail, "mail.sender.example", "s@sender.example", recipients, mails.plain(),
                          is_pipelined)
    assert [r.code for r in other.rcpts] == [550] + [250] * 101 + [452] * 2
    assert [r.code for r in postfix.rcpts] == [r.code for r in other.rcpts]
    assert str(other.rcpts[-1]) == str(postfix.rcpts[-1]) == DEFER.format("late2@example.net")
    assert postfix.end.code == other.end.code == 250


def test_log_line_through_sendmail(gate, sendmail):
    mark = gate.daemon.mark()
    with outside(sendmail) as smtp:
        outcome = smtp.transaction("s@sender.example", ["user@example.net"], mails.plain())
    line = gate.daemon.wait_event("message", mark)
    assert line["id"] == outcome.end.text.split()[1]
    assert (line["client"], line["helo"], line["class"]) == (sendmail.namespace.client, "mail.sender.example", "outside")
    assert (line["from"], line["to"], line["verdict"]) == ("s@sender.example", "user@example.net", "accept")


def test_trusted_through_sendmail(gate, sendmail):
    mark = gate.daemon.mark()
    with Smtp(sendmail.port) as smtp:
        smtp.ehlo("www")
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250
    assert gate.daemon.wait_event("message", mark)["class"] == "trusted"


@pytest.mark.parametrize("is_pipelined", [False, True])
def test_own_users_of_sendmail_are_told_for_the_whole_message(gate, sendmail, is_pipelined):
    mark = gate.daemon.mark()
    with outside(sendmail) as smtp:
        assert smtp.auth("alice", "secret").code == 235
        outcome = smtp.transaction("alice@example.net", HUNDRED + ["late@example.net"], mails.plain(), is_pipelined)
        assert [r.code for r in outcome.rcpts] == [250] * 100 + [550]
        assert str(outcome.rcpts[100]) == REJECT.format("late@example.net")
        assert str(outcome.data) == MESSAGE and outcome.end is None
        smtp.command("RSET")
        assert smtp.transaction("alice@example.net", HUNDRED, mails.plain()).end.code == 250
    line = gate.daemon.wait_event("message", mark, verdict="reject")
    assert (line["class"], line["login"], line["why"]) == ("authenticated", "alice", "recipients.message")


def test_class_in_sendmail_changes_with_auth(gate, sendmail):
    mark = gate.daemon.mark()
    with outside(sendmail, "www") as smtp:
        smtp.mail("alice@example.net")
        assert smtp.rcpt("user@example.net").code == 550
        smtp.command("RSET")
        assert smtp.auth("alice", "wrong").code == 535
        smtp.mail("alice@example.net")
        assert smtp.rcpt("user@example.net").code == 550
        smtp.command("RSET")
        assert smtp.auth("alice", "secret").code == 235
        assert smtp.transaction("alice@example.net", ["user@example.net"], mails.plain()).end.code == 250
    assert gate.daemon.wait_event("recipient", mark)["class"] == "outside"
    line = gate.daemon.wait_event("message", mark, verdict="accept")
    assert (line["class"], line["login"], line["helo"]) == ("authenticated", "alice", "www")


def test_mark_is_in_sendmails_queue(gate, sendmail):
    message = mails.attached("a.zip", archives.zip_encrypted({"r.txt": b"x" * 40}))
    with outside(sendmail) as smtp:
        end = smtp.transaction("s@sender.example", ["user@example.net"], message).end
    assert end.code == 250
    assert "X-Postern: suspicious; why=attachments.encrypted" in sendmail.queued(end.text.split()[1])[0]


def test_quarantine_in_sendmail(gate, sendmail):
    data = MZ
    for level in range(9):
        data = archives.zip_of({f"l{level}.txt": data})
    with outside(sendmail) as smtp:
        end = smtp.transaction("s@sender.example", ["user@example.net"], mails.attached("a.zip", data)).end
    assert end.code == 250
    assert "attachments.limit" in sendmail.queued(end.text.split()[1])[0]


def test_several_messages_and_second_ehlo(gate, sendmail):
    with outside(sendmail, "www") as smtp:
        smtp.mail("s@sender.example")
        assert smtp.rcpt("user@example.net").code == 550
        smtp.ehlo("mail.sender.example")
        for i in range(6):
            message = mails.attached("run.exe", MZ) if i % 2 else mails.plain()
            assert smtp.transaction("s@sender.example", ["user@example.net"], message).end.code == \
                (554 if i % 2 else 250)


@pytest.mark.parametrize("step", range(6))
def test_client_of_sendmail_leaves(gate, sendmail, step):
    worker = gate.daemon.workers()
    for _ in range(3):
        smtp = outside(sendmail)
        for line in ["MAIL FROM:<s@sender.example>", "RCPT TO:<user@example.net>", "DATA", "Subject: x", "\r\nbody"][:step]:
            smtp.send(line.encode() + b"\r\n")
            if step < 4:
                smtp.reply()
        smtp.abort()
    with outside(sendmail) as smtp:
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250
    assert gate.daemon.workers() == worker


def test_open_session_survives_a_reload(gate, sendmail):
    with outside(sendmail) as smtp:
        smtp.mail("s@sender.example")
        smtp.rcpt("user@example.net")
        gate.daemon.reload()
        assert smtp.data(mails.attached("run.exe", MZ))[1].code == 554
    with outside(sendmail) as smtp:
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250


def test_without_the_daemon_sendmail_answers_4xx(gate, sendmail):
    gate.daemon.stop()
    with Smtp(sendmail.port, sendmail.namespace.server, opener=sendmail.namespace.connect, greet=False) as smtp:
        banner = smtp.reply()
        reply = banner if banner.code >= 400 else smtp.ehlo("mail.sender.example")
        if reply.code < 400:
            reply = smtp.mail("s@sender.example")
    assert reply.code // 100 == 4
    gate.daemon.start()
    with outside(sendmail) as smtp:
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250
