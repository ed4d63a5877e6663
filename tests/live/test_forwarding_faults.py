"""What goes wrong while mail travels on: nothing is lost, nobody gets it twice, and the sender hears of what could not
be delivered."""
import contextlib
import email
import email.policy
import json
import os
import re

import pytest

from harness.forwarding import SENDER, SRS0
from harness.posternd import quote
from harness.sink import Sink
from harness.tools import free_port, run, wait_until

ONE, HERE = "info@one.away.example", "anna@example.net"


def queue(desk):
    return json.loads(desk.daemon.ctl("queue", "list", "--json").stdout)


def expect_nothing(desk):
    wait_until(lambda: not desk.mta.queued(), 10, "an empty queue of the MTA")
    assert not desk.at(desk.home) and not desk.at(desk.world)


@pytest.fixture
def refusing(forwarder):
    """refusing(address, reply): the world does not want ADDRESS."""
    sinks = []

    def refuse(address, reply, sink=forwarder.world):
        sink.refuses[address] = reply
        sinks.append((sink, address))
    yield refuse
    for sink, address in sinks:
        del sink.refuses[address]


# ---- nobody there who wants it ----

def report_in(message):
    """(fields of the recipients, header that was returned)"""
    mail = email.message_from_bytes(message.content, policy=email.policy.SMTP)
    parts = {part.get_content_type(): part for part in mail.walk()}
    return parts["message/delivery-status"].get_payload()[1:], mail, parts


def test_the_world_refuses(desk, refusing):
    """Postfix's own report, on a copy and on a message that was rewritten as a whole."""
    for to, address, home in (("info@example.net", ONE, [HERE]), ("out@example.net", "out@one.away.example", [])):
        refusing(address, "550 5.1.1 nobody of that name")
        desk.send(to)
        report = desk.wait_for(desk.world, SENDER)
        assert report.sender == "" and report.recipients == [SENDER]
        [fields], _, _ = report_in(report)
        assert fields["Final-Recipient"] == f"rfc822; {address}" and "nobody of that name" in fields["Diagnostic-Code"]
        desk.expect_at(home=home, world=[SENDER])


def test_the_port_refuses(make_desk):
    """The MTA does not take the copy: Postern tells the sender."""
    with_port = Sink(offers=("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN")).start()
    try:
        desk = make_desk({"srs": {"submit": quote(f"smtp://127.0.0.1:{with_port.port}")}})
        with_port.refuses[ONE] = "550 5.1.1 not here"
        desk.send("info@example.net", mail=["ENVID=abc"], rcpt=["ORCPT=rfc822;given@x.example"])
        [report] = with_port.wait_for(desk.mark)
        assert (report.sender, report.recipients) == ("", [SENDER])
        [fields], mail, parts = report_in(report)
        assert mail["To"] == SENDER and mail["Auto-Submitted"] == "auto-replied"
        assert fields["Action"] == "failed" and fields["Status"] == "5.1.1"
        assert fields["Final-Recipient"] == f"rfc822; {ONE}"
        assert fields["Original-Recipient"] == "rfc822;given@x.example"
        assert desk.mark in parts["text/rfc822-headers"].get_payload()
        desk.expect_at(home=[HERE])
        # NOTIFY=NEVER: he does not want to hear of it.
        mark = desk.daemon.mark()
        desk.send("info@example.net", rcpt=["NOTIFY=NEVER"])
        assert desk.daemon.wait_event("spool", mark)["end"] == "refused"
        desk.expect_at(home=[HERE])
        assert not with_port.find(desk.mark)
    finally:
        with_port.stop()


# ---- no room ----

def test_the_spool_is_full(make_desk):
    nobody = {"srs": {"submit": quote(f"smtp://127.0.0.1:{free_port()}")}, "spool": {"max_messages": "1"}}
    desk = make_desk(nobody)
    desk.send("info@example.net")
    assert desk.wait_for(desk.home, HERE)
    [waiting] = wait_until(lambda: [e for e in queue(desk) if e["attempts"]], 10, "the first copy")
    message = desk.message()
    mark = desk.daemon.mark()
    for _ in range(2):
        reply = desk.send("info@example.net", message=message, expect=452)
        assert "4.3.1" in reply.text
    assert desk.daemon.wait_event("message", mark)["why"] == "srs.spool-full"
    assert len(queue(desk)) == 1
    expect_nothing(desk)
    desk.send("out@example.net")  # needs no copy
    desk.wait_for(desk.world, "out@one.away.example")
    desk.daemon.ctl("queue", "delete", str(waiting["id"]))
    desk.reload({})
    desk.mark = re.search(rb"Message-ID: <(.*)>", message)[1].decode()
    desk.send("info@example.net", message=message)
    desk.expect_at(home=[HERE], world=[ONE])


DISK = 4 << 20


@pytest.fixture
def small_disk(area):
    path = os.path.join(area, "queue-disk")
    os.mkdir(path)
    run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0777", "tmpfs", path)
    yield path
    run("umount", "-l", path)


def test_the_disk_is_full(make_desk, small_disk):
    """The spool cannot grow; later it can."""
    desk = make_desk({"": {"state_directory": quote(small_disk)}})
    message = desk.message((b"z" * 75 + b"\n") * 8000, sign=False)
    filler = os.path.join(small_disk, "filler")
    with open(filler, "wb") as file, contextlib.suppress(OSError):
        file.write(bytes(DISK))
    mark = desk.daemon.mark()
    reply = desk.send("info@example.net", message=message, expect=None)
    assert reply.code in (451, 452), reply
    assert desk.daemon.wait_event("message", mark)["why"].startswith("srs.spool-")
    expect_nothing(desk)
    os.unlink(filler)
    assert queue(desk) == []
    desk.send("info@example.net", message=message)
    desk.expect_at(home=[HERE], world=[ONE])


def test_the_state_directory_is_gone(make_desk):
    desk = make_desk()
    message = desk.message()
    os.rename(desk.daemon.state, desk.daemon.state + ".away")
    reply = desk.send("info@example.net", message=message, expect=None)
    if reply.code != 250:  # a spool that is open already may go on
        assert 400 <= reply.code < 500
        expect_nothing(desk)
    os.rename(desk.daemon.state + ".away", desk.daemon.state)
    if reply.code != 250:
        desk.send("info@example.net", message=message)
    desk.expect_at(home=[HERE], world=[ONE])


# ---- killed ----

# How often it arrives here and elsewhere when posternd was killed there and the client tried again. srs.commit: nothing
# has happened yet. spool.added: the copies are on the disk and the client does not know; he comes back with all of it,
# which cannot be told from a second message: who is elsewhere gets it twice. spool.accepted: the MTA has it, and that is
# not written down.
STEPS = {"srs.commit": (1, 1), "spool.added": (1, 2), "srs.committed": (1, 2), "spool.before": (1, 1),
         "spool.dot": (1, 1), "spool.accepted": (1, 2), "spool.recorded": (1, 1), "spool.after": (1, 1),
         "spool.removed": (1, 1)}
FRONT = ("srs.commit", "spool.added", "srs.committed")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(make_desk, step):
    desk = make_desk(environment={"POSTERN_TEST_CRASH": step})
    message = desk.message()
    reply = desk.send("info@example.net", message=message, expect=None)
    desk.daemon.wait_text("killed by signal 9|signal 9", timeout=15)
    desk.kill()
    del desk.daemon.environment["POSTERN_TEST_CRASH"]
    assert reply.code in ((250, 451) if step.startswith("spool") else (451,)), reply
    desk.daemon.start()
    here, there = STEPS[step]
    if reply.code == 451:
        # He comes back. The spool may have been so quick that the answer to a message that is ours came too late.
        desk.send("info@example.net", message=message)
        there += step not in FRONT
    desk.expect_at(home=[HERE] * here, world=[ONE] * there)
    assert {m.sender for m in desk.at(desk.home)} == {SENDER}
    assert all(SRS0.fullmatch(m.sender) for m in desk.at(desk.world))


def test_the_copies_port_is_down_for_a_while(make_desk):
    """It is kept, over a power failure as well, and sent when somebody is there."""
    port = free_port()
    desk = make_desk({"srs": {"submit": quote(f"smtp://127.0.0.1:{port}")}})
    desk.send("info@example.net")
    desk.wait_for(desk.home, HERE)
    wait_until(lambda: queue(desk)[0]["attempts"], 10, "an attempt")
    desk.kill()
    desk.daemon.start()
    late = Sink(port=port).start()
    try:
        [message] = late.wait_for(desk.mark)
        assert message.recipients == [ONE] and SRS0.fullmatch(message.sender)
        desk.settle()
    finally:
        late.stop()
