"""Mail that travels on, through a real Postfix set up with contrib/postfix: to the world with an SRS sender, to the
mailboxes here as it came, and bounces home."""
import re

from harness.forwarding import AWAY_IP, OUR_IP, SENDER, SENDER_IP, SRS0, desk, forwarder, make_desk  # noqa: F401


def body_of(message):
    return message.content.partition(b"\r\n\r\n")[2]


def expect_srs(forwarder, message, sender=SENDER):
    local, domain = sender.split("@")
    match = SRS0.fullmatch(message.sender)
    assert match and (match[1], match[2]) == (domain, local), message.sender
    assert forwarder.spf(message) == "pass"
    assert forwarder.spf(sender) == "fail"  # what it would have been
    assert forwarder.dkim_passes(message)


def test_an_alias_that_leads_away(desk, forwarder):
    desk.send("out@example.net")
    message = desk.wait_for(desk.world, "out@one.away.example")
    expect_srs(forwarder, message)
    desk.expect_at(world=["out@one.away.example"])
    # A bounce from there finds home.
    desk.bounce(message.sender, expect=250)
    bounce = desk.wait_for(desk.world, SENDER)
    assert bounce.sender == "" and bounce.recipients == [SENDER]
    desk.expect_at(world=[SENDER])


def test_split(desk, forwarder):
    desk.send("info@example.net")
    here = desk.wait_for(desk.home, "anna@example.net")
    there = desk.wait_for(desk.world, "info@one.away.example")
    desk.expect_at(home=["anna@example.net"], world=["info@one.away.example"])
    assert here.sender == SENDER and b"X-Postern-Forwarded" not in here.content
    expect_srs(forwarder, there)
    assert there.content.count(b"X-Postern-Forwarded: by=mx.example.net;") == 1
    assert body_of(here) == body_of(there)
    assert forwarder.dkim_passes(here)
