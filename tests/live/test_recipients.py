"""The check `recipients`: exactly 100 pass, what happens to number 101, and who gets which answer."""
import time

import pytest

from harness import mails
from harness.tools import wait_until

HUNDRED = [f"user{i}@example.net" for i in range(100)]
DEFER = "452 4.5.3 <{}>... Too many recipients, at most 100 a message"
REJECT = "550 5.5.3 <{}>... Too many recipients, at most 100 a message"
MESSAGE = "554 5.5.3 Too many recipients, at most 100 a message; nothing was sent"


def delivered_to(sink, subject, count):
    wait_until(lambda: sum(len(m.recipients) for m in sink.find(subject)) >= count, 30, f"{count} of {subject}")
    time.sleep(0.1)
    return sorted(r for m in sink.find(subject) for r in m.recipients)


@pytest.mark.parametrize("is_pipelined", [False, True])
def test_hundred_pass(gate, sink, is_pipelined):
    subject = f"hundred-{is_pipelined}"
    with gate.client() as smtp:
        outcome = smtp.transaction("s@sender.example", HUNDRED, mails.plain(subject), is_pipelined)
    assert [r.code for r in outcome.rcpts] == [250] * 100 and outcome.end.code == 250
    assert delivered_to(sink, subject, 100) == sorted(HUNDRED)


@pytest.mark.parametrize("is_pipelined", [False, True])
@pytest.mark.parametrize("addr", ["192.0.2.7", None])
def test_number_101_is_put_off_and_the_first_hundred_stand(gate, sink, is_pipelined, addr):
    subject, mark = f"excess-{is_pipelined}-{addr}", gate.daemon.mark()
    with gate.client(addr=addr) as smtp:
        outcome = smtp.transaction("s@sender.example", HUNDRED + ["late1@example.net", "late2@example.net"],
                                   mails.plain(subject), is_pipelined)
    assert [r.code for r in outcome.rcpts] == [250] * 100 + [452] * 2
    assert str(outcome.rcpts[100]) == DEFER.format("late1@example.net")
    assert outcome.end.code == 250
    assert delivered_to(sink, subject, 100) == sorted(HUNDRED)
    line = gate.daemon.wait_event("recipient", mark, rcpt="late2@example.net")
    assert (line["check"], line["why"], line["verdict"]) == ("recipients", "recipients.excess", "tempfail")


@pytest.mark.parametrize("is_pipelined", [False, True])
def test_authenticated_user_is_told_for_the_whole_message(gate, sink, is_pipelined):
    subject, mark = f"own-{is_pipelined}", gate.daemon.mark()
    with gate.client(login="alice") as smtp:
        outcome = smtp.transaction("alice@example.net", HUNDRED + ["late@example.net"], mails.plain(subject),
                                   is_pipelined)
        assert [r.code for r in outcome.rcpts] == [250] * 100 + [550]
        assert str(outcome.rcpts[100]) == REJECT.format("late@example.net")
        assert str(outcome.data) == MESSAGE and outcome.end is None
        # The session goes on, and the next message is a new one.
        outcome = smtp.transaction("alice@example.net", HUNDRED, mails.plain(subject + "-next"))
        assert outcome.end.code == 250
    delivered_to(sink, subject + "-next", 100)
    assert not sink.find(f"Subject: {subject}\r")
    assert gate.daemon.wait_event("message", mark, verdict="reject")["why"] == "recipients.message"


def test_authenticated_user_with_hundred(gate):
    with gate.client(login="alice") as smtp:
        assert smtp.transaction("alice@example.net", HUNDRED, mails.plain()).end.code == 250


def test_repeated_address_counts_once(gate):
    repeated = ["user0@example.net", "user0@EXAMPLE.NET", "user1@example.net"]
    with gate.client() as smtp:
        outcome = smtp.transaction("s@sender.example", HUNDRED + repeated + ["late@example.net"] + repeated,
                                   mails.plain())
    assert [r.code for r in outcome.rcpts] == [250] * 103 + [452] + [250] * 3


def test_refused_addresses_do_not_count(gate):
    unknown = [f"unknown{i}@example.net" for i in range(50)]
    with gate.client() as smtp:
        outcome = smtp.transaction("s@sender.example", unknown + HUNDRED + ["late@example.net"], mails.plain())
    assert [r.code for r in outcome.rcpts] == [550] * 50 + [250] * 100 + [452]


def test_recipients_refused_for_helo_do_not_count(gate):
    exempt = ["postmaster@example.net"]
    with gate.client(helo="www") as smtp:
        outcome = smtp.transaction("s@sender.example", HUNDRED + ["user@example.net"] + exempt, mails.plain())
    assert [r.code for r in outcome.rcpts] == [550] * 101 + [250] and outcome.end.code == 250


def test_each_message_of_a_session_is_counted_anew(gate):
    with gate.client() as smtp:
        for _ in range(3):
            outcome = smtp.transaction("s@sender.example", HUNDRED + ["late@example.net"], mails.plain(), True)
            assert [r.code for r in outcome.rcpts] == [250] * 100 + [452] and outcome.end.code == 250


def test_reset_starts_anew(gate):
    with gate.client() as smtp:
        for _ in range(2):
            smtp.mail("s@sender.example")
            assert {r.code for r in smtp.pipeline([f"RCPT TO:<{a}>" for a in HUNDRED])} == {250}
            assert smtp.rcpt("late@example.net").code == 452
            assert smtp.command("RSET").code == 250


def test_thousand_recipients(gate, sink):
    many = [f"many{i}@example.net" for i in range(1000)]
    with gate.client() as smtp:
        outcome = smtp.transaction("s@sender.example", many, mails.plain("thousand"), True)
    assert [r.code for r in outcome.rcpts] == [250] * 100 + [452] * 900
    assert delivered_to(sink, "thousand", 100) == sorted(many[:100])


def test_bdat_is_refused_like_data(gate):
    with gate.client(login="alice") as smtp:
        smtp.pipeline(["MAIL FROM:<alice@example.net>"] + [f"RCPT TO:<{a}>" for a in HUNDRED + ["late@example.net"]])
        replies = smtp.bdat([b"Subject: bdat\r\n\r\n", b"text\r\n"])
    assert replies[-1].code == 554 or replies[0].code == 554


@pytest.mark.parametrize("action,codes,data", [
    ("defer", [250, 250, 452], 354), ("reject", [250, 250, 550], 354), ("reject-message", [250, 250, 550], 554)])
@pytest.mark.parametrize("login", [None, "alice"])
def test_every_action_for_everybody(make_gate, action, codes, data, login):
    option = "excess_authenticated" if login else "excess"
    gate = make_gate({"recipients": {"max": "2", option: action}})
    with gate.client(**({"login": login} if login else {})) as smtp:
        outcome = smtp.transaction("s@sender.example", ["a@example.net", "b@example.net", "c@example.net"],
                                   mails.plain())
    assert [r.code for r in outcome.rcpts] == codes and outcome.data.code == data


def test_max_header(make_gate):
    gate = make_gate({"recipients": {"max_header": "3"}})
    for field, code in [(b"To: a@example.net, \"B, C\" <b@example.net>\nCc: c@example.net\n", 250),
                        (b"To: a@example.net, b@example.net\nCc: c@example.net,\n d@example.net\n", 554),
                        (b"To: list: a@example.net, b@example.net, c@example.net, d@example.net;\n", 554)]:
        outcome = gate.send(b"From: s@sender.example\nSubject: x\n" + field + b"\ntext\n")
        assert outcome.last.code == code, (field, outcome.last)
    assert gate.daemon.wait_event("message", verdict="reject")["why"] == "recipients.header"


def test_local_submission_is_refused_at_the_end_and_bounced(make_gate, mta, sink):
    """At RCPT Postfix would keep the message for ever."""
    gate = make_gate({"recipients": {"max": "2"}}, slot="local")
    of_others = {message["queue_id"] for message in mta.queued()}
    mta.submit("root@example.net", ["a@example.net", "b@example.net"], mails.plain("local-fine"))
    sink.wait_for("local-fine")
    mta.submit("root@example.net", ["a@example.net", "b@example.net", "c@example.net"], mails.plain("local-excess"))
    bounce = sink.wait_for("5.5.3")[0]
    assert bounce.sender == "" and bounce.recipients == ["root@example.net"]
    line = gate.daemon.wait_event("message", verdict="reject")
    assert (line["class"], line["phase"] in ("rcpt", "data", "eom")) == ("local", True)
    wait_until(lambda: {message["queue_id"] for message in mta.queued()} <= of_others, 10, "nothing of ours queued")
