"""Which messages are rewritten and which are not: senders that stay, mail that this machine itself sends on, mail that is
only relayed, loops, marks and quarantine; and what posternctl explain says of it."""
import pytest

from harness import mails
from harness.forwarding import OUR_IP, SENDER, SRS0, running_desk
from harness.posternd import strings
from harness.tools import run, wait_until

OUT = "out@one.away.example"


def test_local_delivery_is_never_rewritten(desk):
    for to in ("ben@example.net", ["ben@example.net", "anna@example.net"]):
        desk.send(to)
        desk.settle()
        assert {m.sender for m in desk.at(desk.home)} == {SENDER} and not desk.at(desk.world)
        assert not desk.daemon.ctl("queue", "list").stdout.strip().startswith("forward")


@pytest.mark.parametrize("sender", ["", "anna@example.net", "x@other.example", "MAILER-DAEMON@fwd.example.net"])
def test_senders_that_stay(desk, sender):
    """Forwarded, with copies or not, as they are."""
    for to, home in (("out@example.net", []), ("info@example.net", ["anna@example.net"])):
        desk.send(to, sender=sender)
        desk.settle()
        [message] = desk.at(desk.world)
        assert message.sender == sender
        assert [m.sender for m in desk.at(desk.home)] == [sender] * len(home)


def test_a_sender_that_is_ours_already(desk):
    """No SRS of SRS."""
    mine = desk.srs()
    desk.send("out@example.net", sender=mine)
    assert desk.wait_for(desk.world, OUT).sender == mine


# ---- mail of this machine, and mail that passes through ----

def test_what_this_machine_redirects(desk):
    """A Sieve script sends on: local client, a stranger's reverse-path, a recipient elsewhere."""
    desk.send("friend@one.away.example", addr=None)
    there = desk.wait_for(desk.world, "friend@one.away.example")
    assert SRS0.fullmatch(there.sender) and desk.forwarder.spf(there) == "pass" and desk.forwarder.dkim_passes(there)
    desk.bounce(there.sender)
    desk.expect_at(world=[SENDER])


def test_what_this_machine_sends(desk):
    for sender in ("anna@example.net", ""):
        desk.send("friend@one.away.example", sender=sender, addr=None)
        assert desk.wait_for(desk.world, "friend@one.away.example").sender == sender
    desk.send("ben@example.net", addr=None)
    assert desk.wait_for(desk.home, "ben@example.net").sender == SENDER


def test_what_is_only_relayed(desk):
    """We are a backup MX of partner.example: the sender is not ours to change."""
    desk.send("user@partner.example")
    message = desk.wait_for(desk.world, "user@partner.example")
    assert message.sender == SENDER and b"X-Postern-Forwarded" not in message.content
    desk.send(["user@partner.example", "out@example.net"])
    assert desk.wait_for(desk.world, "user@partner.example").sender == SENDER
    assert SRS0.fullmatch(desk.wait_for(desk.world, OUT).sender)
    desk.expect_at(world=["user@partner.example", OUT])


def test_other_trusted_clients_relay(make_desk):
    """A machine of the network, or a user who is logged in, sends under his own name; only what leaves this host itself,
    by one of own_addresses for example, has come here before."""
    desk = make_desk({"": {"trusted_networks": strings("127.0.0.0/8", "198.51.100.0/24")},
                      "srs": {"own_addresses": strings(OUR_IP)}})
    for addr, is_rewritten in (("198.51.100.77", False), (OUR_IP, True), ("192.0.2.7", False)):
        desk.send("user@partner.example", addr=addr)
        message = desk.wait_for(desk.world, "user@partner.example")
        assert bool(SRS0.fullmatch(message.sender)) == is_rewritten, (addr, message.sender)
    with desk.client(addr="198.51.100.77") as smtp:
        assert smtp.auth("alice", "secret").code == 235
        desk.hand_in(smtp, "friend@one.away.example")
    assert desk.wait_for(desk.world, "friend@one.away.example").sender == SENDER


def test_sendmail(forwarder):
    """By sendmail(1) as Sieve's redirect does it: non_smtpd_milters."""
    with running_desk(forwarder, name="local") as desk:
        desk.mta.submit(SENDER, ["friend@one.away.example"], desk.message())
        assert SRS0.fullmatch(desk.wait_for(desk.world, "friend@one.away.example").sender)
        desk.mta.submit(SENDER, ["info@example.net", "friend@one.away.example"], desk.message())
        desk.expect_at(home=["anna@example.net"], world=["info@one.away.example", "friend@one.away.example"])
        assert desk.wait_for(desk.home, "anna@example.net").sender == SENDER
        assert all(SRS0.fullmatch(m.sender) for m in desk.at(desk.world))


# ---- loops ----

def lf(message):
    return message.content.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("to,there", [("out@example.net", OUT), ("info@example.net", "info@one.away.example")])
def test_a_message_that_comes_back(desk, to, there):
    """Its recipient forwards here again: refused, and the sender's SRS address leads the report home."""
    desk.send(to)
    first = desk.wait_for(desk.world, there)
    desk.settle()
    mark = desk.daemon.mark()
    reply = desk.send(to, sender=first.sender, message=lf(first), expect=554)
    assert "5.4.6" in reply.text and to in reply.text
    line = desk.daemon.wait_event("message", mark)
    assert (line["check"], line["why"]) == ("srs", "srs.loop")
    # Another recipient may get it.
    desk.send("both@example.net", sender=first.sender, message=lf(first))
    desk.wait_for(desk.world, "both@one.away.example")


def test_delivered_to(desk):
    reply = desk.send("out@example.net", message=desk.message(header=b"Delivered-To: out@example.net\n"), expect=554)
    assert "5.4.6" in reply.text
    desk.send("out@example.net", message=desk.message(header=b"Delivered-To: x@example.net\n"))
    desk.send("ben@example.net", message=desk.message(header=b"Delivered-To: ben@example.net\n"))


def test_too_many_hops(desk):
    trace = b"".join(b"X-Postern-Forwarded: by=h%d.example; id=1; for=\n\t0123456789abcdef\n" % i for i in range(6))
    assert "5.4.6" in desk.send("out@example.net", message=desk.message(header=trace), expect=554).text
    desk.send("ben@example.net", message=desk.message(header=trace))  # does not travel on
    desk.send("out@example.net", message=desk.message(header=trace[trace.index(b"\nX-") + 1:]))
    desk.expect_at(world=[OUT])


# ---- what other checks think of the message ----

def exe(desk):
    text = mails.attached("run.exe", b"MZ")
    head, body = text.split(b"\n\n", 1)
    desk.mark = desk.new_mark()
    return head + f"\nX-Mark: {desk.mark}\n\n".encode() + body


def test_refused_is_not_forwarded(desk):
    desk.send("info@example.net", message=exe(desk), expect=554)
    desk.expect_at()


def test_suspicious_mail_stays_at_home(make_desk):
    desk = make_desk({"attachments": {"action": "tag"}, "srs": {"forward_tagged": "no"}})
    desk.send("info@example.net", message=exe(desk))
    desk.expect_at(home=["anna@example.net"])
    desk.send("info@example.net")
    desk.expect_at(home=["anna@example.net"], world=["info@one.away.example"])
    desk.send("out@example.net", message=exe(desk))  # nobody here would have it
    desk.expect_at(world=[OUT])
    assert SRS0.fullmatch(desk.wait_for(desk.world, OUT).sender)


def test_suspicious_mail_is_sent_on(make_desk):
    desk = make_desk({"attachments": {"action": "tag"}})
    desk.send("info@example.net", message=exe(desk))
    desk.expect_at(home=["anna@example.net"], world=["info@one.away.example"])
    assert b"X-Postern: suspicious" in desk.wait_for(desk.home, "anna@example.net").content


def test_quarantine(make_desk):
    """It goes nowhere, until the administrator lets it go: then it travels on with an SRS sender."""
    desk = make_desk({"attachments": {"action": "quarantine"}})
    for to, home, world in (("out@example.net", [], [OUT]),
                            ("info@example.net", ["anna@example.net"], ["info@one.away.example"])):
        mark = desk.daemon.mark()
        desk.send(to, message=exe(desk))
        assert desk.daemon.wait_event("forward", mark)["copies"] == "0"
        [held] = wait_until(desk.mta.queued, 10, "the message in the queue")
        assert held["queue_name"] == "hold"
        assert desk.daemon.ctl("queue", "list", "--json").stdout.strip() == "[]"
        assert not desk.at(desk.world) and not desk.at(desk.home)
        run("postsuper", "-c", desk.mta.config, "-H", held["queue_id"])
        run("postqueue", "-c", desk.mta.config, "-f")
        desk.expect_at(home=home, world=world)
        assert SRS0.fullmatch(desk.at(desk.world)[0].sender)


# ---- posternctl explain ----

def test_explain(desk):
    def explain(sender, *to):
        report = desk.daemon.explain(desk.message(sign=False), "192.0.2.7", "mail.sender.example", sender, to)
        return report["facts"].get("srs", ""), report
    before = desk.daemon.ctl("queue", "list", "--json").stdout
    text, report = explain(SENDER, "out@example.net")
    assert text.startswith("reverse-path SRS0=") and "the reverse-path is rewritten" in text
    text, _ = explain(SENDER, "info@example.net")
    assert "copy from <SRS0=" in text and "to info@one.away.example" in text and "without info@example.net" in text
    assert "also to anna@example.net" in text
    assert explain(SENDER, "ben@example.net")[0] == ""
    assert "the null reverse-path is never rewritten" in explain("", "out@example.net")[0]
    assert "in local_domains" in explain("anna@example.net", "out@example.net")[0]
    text, report = explain("", "SRS0=abcd=AA=x.example=y@fwd.example.net")
    assert "srs.forged" in str(report)
    assert desk.daemon.ctl("queue", "list", "--json").stdout == before
