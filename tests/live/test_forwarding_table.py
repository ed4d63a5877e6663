"""Postern's own forward table (forwards { table }), with a Postfix set up by contrib/postfix: Postern takes recipients out
and puts targets in, the MTA knows nothing of it."""
import os

import pytest

from harness.forwarding import SENDER, SRS0
from harness.posternd import strings

ROWS = """\
bert@example.net,bert@one.away.example,1
dora@example.net,dora@one.away.example,0
local@example.net,ben@example.net,1
pair@example.net,ben@example.net,1
pair@example.net,pair@one.away.example,1
chain@example.net,bert@example.net,1
info2@example.net,info@example.net,1
ring1@example.net,ring2@example.net,1
ring2@example.net,ring1@example.net,1
"""
BERT, DORA = "bert@one.away.example", "dora@one.away.example"


@pytest.fixture(scope="module")
def table(forwarder):
    path = os.path.join(forwarder.directory, "forwards.csv")
    with open(path, "w", encoding="ascii") as file:
        file.write(ROWS)
    return {"forwards": {"table": f'"csv:{path}"'}}


@pytest.fixture(scope="module")
def desk(forwarder, table):
    from harness.forwarding import running_desk
    with running_desk(forwarder, table) as value:
        yield value


def expect_welcome(desk, message):
    assert SRS0.fullmatch(message.sender), message.sender
    assert desk.forwarder.spf(message) == "pass" and desk.forwarder.spf(SENDER) == "fail"
    assert desk.forwarder.dkim_passes(message)
    assert message.content.count(b"X-Postern-Forwarded: by=mx.example.net;") == 1


def test_delete_after_forwarding(desk):
    desk.send("bert@example.net")
    there = desk.wait_for(desk.world, BERT)
    desk.expect_at(world=[BERT])
    expect_welcome(desk, there)
    desk.bounce(there.sender)
    desk.expect_at(world=[SENDER])


def test_keep(desk):
    desk.send("dora@example.net")
    desk.expect_at(home=["dora@example.net"], world=[DORA])
    here = desk.wait_for(desk.home, "dora@example.net")
    assert here.sender == SENDER and desk.forwarder.dkim_passes(here)
    there = desk.wait_for(desk.world, DORA)
    expect_welcome(desk, there)
    desk.bounce(there.sender)
    desk.expect_at(world=[SENDER])


def test_only_here(desk):
    """A target in our own domains: nothing is rewritten."""
    desk.send("local@example.net")
    desk.expect_at(home=["ben@example.net"])
    assert desk.wait_for(desk.home, "ben@example.net").sender == SENDER


def test_several_targets_and_recipients(desk):
    desk.send(["pair@example.net", "ben@example.net", "dora@example.net", "bert@example.net"])
    desk.expect_at(home=["ben@example.net", "dora@example.net"], world=["pair@one.away.example", BERT, DORA])


def test_one_behind_the_other(desk):
    """Entry, entry; entry, alias of the MTA; alias, entry."""
    desk.send("chain@example.net")
    desk.expect_at(world=[BERT])
    desk.send("info2@example.net")
    desk.expect_at(home=["anna@example.net"], world=["info@one.away.example"])


@pytest.mark.parametrize("address", ["ring1@example.net", "ring2@example.net"])
def test_a_circle(desk, address):
    """It leads nowhere: the message is not lost, its sender is told."""
    mark = desk.daemon.mark()
    assert "5.4.6" in desk.send(address, expect=554).text
    assert desk.daemon.wait_event("message", mark)["why"] == "srs.loop"
    desk.expect_at()


def test_delivery_status_parameters(desk):
    """The MTA is given them with the recipient that is put in."""
    desk.send("bert@example.net", mail=["RET=HDRS", "ENVID=abc"], rcpt=["NOTIFY=FAILURE", "ORCPT=rfc822;given@x.example"])
    there = desk.wait_for(desk.world, BERT)
    assert {"RET=HDRS", "ENVID=abc"} <= set(there.parameters.split())
    assert {"NOTIFY=FAILURE", "ORCPT=rfc822;given@x.example"} <= set(there.rcpt_parameters[0].split())


def test_without_srs(make_desk, table):
    """Forwarding is the table's, rewriting is another thing."""
    desk = make_desk({**table, "srs": {"domain": '""'}})
    desk.send(["bert@example.net", "dora@example.net"])
    desk.expect_at(home=["dora@example.net"], world=[BERT, DORA])
    assert {m.sender for m in desk.at(desk.world)} == {SENDER}


def test_domain_map(make_desk, table):
    desk = make_desk({**table, "srs": {"domain_map": strings("example.net=fwd.other.example")}})
    desk.send("bert@example.net")
    assert desk.wait_for(desk.world, BERT).sender.endswith("@fwd.other.example")


def test_rows_in_the_store(make_desk):
    """posternctl forwards add is heard at once."""
    desk = make_desk({"forwards": {"table": '"store"'}})
    desk.send("bert@example.net")
    desk.expect_at(home=["bert@example.net"])
    desk.ctl("forwards", "add", "bert@example.net", BERT, "--delete")
    desk.send("bert@example.net")
    desk.expect_at(world=[BERT])
    assert SRS0.fullmatch(desk.wait_for(desk.world, BERT).sender)
    desk.ctl("forwards", "delete", "bert@example.net")
    desk.send("bert@example.net")
    desk.expect_at(home=["bert@example.net"])
