"""The way back: what Postfix, set up with contrib/postfix, and Postern make of mail to SRS addresses, of bounces that
nobody here has caused, and of the reverse-paths of our own users."""
import pytest

from harness.forwarding import AWAY_IP, SENDER, SRS0, running_desk
from harness.posternd import quote, strings

VICTIM = "victim@one.away.example"
DAY = 86400


def refused(desk, to, code, text, why=None, **more):
    mark = desk.daemon.mark()
    reply = desk.bounce(to, expect=code, **more)
    assert text in reply.text, reply
    if why:
        line = desk.daemon.wait_event("recipient", mark)
        assert (line["check"], line["why"], line["rcpt"]) == ("srs", why, to)
    desk.expect_at()


def test_ways_to_relay(desk):
    """An SRS address is no open relay, whatever is made of it. Nothing of this goes anywhere."""
    genuine = desk.srs()
    hash_, stamp = genuine.split("=")[1:3]
    other = "B" if hash_[0] in "aA" else "a"
    forged = genuine.replace(f"={hash_}=", f"={other}{hash_[1:]}=")
    # A sender of his own; genuine, but no bounce.
    refused(desk, genuine, 550, "5.7.1", "srs.not-a-bounce", sender="spammer@one.away.example")
    refused(desk, genuine, 550, "5.7.1", "srs.not-a-bounce", sender=SENDER)
    refused(desk, genuine, 550, "5.7.1", "srs.not-a-bounce", sender="postmaster-x@one.away.example")
    # Forged: another hash, another target, another domain, no hash, a hash that is too short.
    refused(desk, forged, 550, "5.1.1", "srs.forged")
    refused(desk, f"SRS0={hash_}={stamp}=one.away.example=victim@fwd.example.net", 550, "5.1.1", "srs.forged")
    refused(desk, genuine.replace("=writer@", "=victim@"), 550, "5.1.1", "srs.forged")
    refused(desk, genuine.replace("sender.example", "one.away.example"), 550, "5.1.1", "srs.forged")
    refused(desk, genuine.replace(f"={hash_}=", "=="), 550, "5.1.1")
    refused(desk, genuine.replace(f"={hash_}=", f"={hash_[:1]}="), 550, "5.1.1")
    # A time stamp that makes it younger.
    refused(desk, genuine.replace(f"={stamp}=", "=AA="), 550, "5.1.1")
    # SRS1 that leads anywhere.
    refused(desk, "SRS1=abcd=one.away.example==abcd=AA=x.example=victim@fwd.example.net", 550, "5.1.1", "srs.forged")
    refused(desk, f"SRS1={hash_}=one.away.example=={hash_}={stamp}=x.example=victim@fwd.example.net", 550, "5.1.1",
            "srs.forged")
    # A tag behind it, an address within the address, a percent hack, a route, a quoted local part, a bang path.
    refused(desk, genuine.replace("@", "+tag@"), 550, "5.1.1", "srs.forged")
    # (Postfix says 554 to what it takes for a route; from this machine it takes them, and Postern refuses.)
    for address, why in ((genuine.replace("writer@", "victim%one.away.example@"), "srs.forged"),
                         (genuine.replace("writer@", "one.away.example!victim@"), "srs.forged"),
                         ("victim%one.away.example@fwd.example.net", None),
                         ("one.away.example!victim@fwd.example.net", None),
                         ('"victim@one.away.example"@fwd.example.net', None)):
        refused(desk, address, 554, "5.7.1")
        refused(desk, address, 550, "5.1.1", why, addr=None)
    refused(desk, f'"{forged.split("@")[0]}"@fwd.example.net', 550, "5.1.1")
    refused(desk, f"@fwd.example.net:{VICTIM}", 554, "5.7.1")
    refused(desk, f"@one.away.example:{forged}", 550, "5.1.1")
    # The address of another forwarder is not ours: Postfix does not relay.
    refused(desk, genuine.replace("fwd.example.net", "one.away.example"), 554, "5.7.1")
    refused(desk, genuine.replace("fwd.example.net", "sub.fwd.example.net"), 554, "5.7.1")
    # Nonsense behind the prefix.
    for local in ("SRS0=", "SRS0=a", "SRS0=a=b=c", "SRS0==AA==", "SRS1=a==", "SRS0=abcd=AA==token"):
        refused(desk, f"{local}@fwd.example.net", 550, "5.1.1")


def test_the_key_of_another_machine(desk, make_desk):
    other = make_desk({"srs": {"secrets_file": '""'}})
    refused(desk, other.srs(), 550, "5.1.1", "srs.forged")


def test_several_recipients_of_a_bounce(desk):
    """Each for himself: who is not genuine is refused, and the others hear of it."""
    genuine, second = desk.srs(), desk.srs("second@sender.example")
    mark = desk.message(sign=False)
    with desk.client(addr=AWAY_IP, helo="mx.one.away.example") as smtp:
        smtp.mail("")
        answers = [smtp.rcpt(a).code for a in (genuine, VICTIM, genuine.replace("=writer@", "=victim@"), second,
                                               "unknown@fwd.example.net")]
        assert answers == [250, 554, 550, 250, 550]
        assert smtp.data(mark)[1].code == 250
    desk.expect_at(world=[SENDER, "second@sender.example"])


def test_any_case(desk):
    """Relays change the case; the address leads where it led."""
    genuine = desk.srs()
    for address in (genuine.lower(), genuine.upper(), genuine.swapcase()):
        desk.bounce(address)
        desk.settle()
        [message] = desk.at(desk.world)
        assert [a.lower() for a in message.recipients] == [SENDER]


def test_who_bounces(desk):
    for sender in ("", "MAILER-DAEMON@one.away.example", "mailer-daemon@x.example", "Postmaster@one.away.example"):
        desk.bounce(desk.srs(), sender=sender)
        message = desk.wait_for(desk.world, SENDER)
        assert message.sender == "" if not sender else SRS0.fullmatch(message.sender), message.sender


def test_odd_senders(desk):
    """The recipient delimiter, SRS's own separators, quotes."""
    for sender in ("a+b-c=d@sender.example", "=a=@sender.example", '"a b"@sender.example', "SRS0-list@sender.example"):
        desk.send("out@example.net", sender=sender)
        there = desk.wait_for(desk.world, "out@one.away.example")
        desk.bounce(there.sender)
        desk.expect_at(world=[sender])


def test_any_sender(make_desk):
    desk = make_desk({"srs": {"reverse_any_sender": "yes"}})
    desk.bounce(desk.srs(), sender="human@one.away.example")
    desk.expect_at(world=[SENDER])


def test_expired(make_desk):
    desk = make_desk({"srs": {"max_age": "21d"}})
    genuine = desk.srs()
    desk.move_clock(21 * DAY)
    desk.bounce(genuine)
    desk.expect_at(world=[SENDER])
    desk.move_clock(22 * DAY)
    refused(desk, genuine, 550, "5.7.1", "srs.expired")
    desk.move_clock(0)


def test_a_long_sender_that_is_unknown(make_desk, desk):
    """The token is in another machine's store, and the secret is shared."""
    sender = "a-very-long-local-part-that-some-mailing-list-made-for-one-reader@sender.example"
    other = make_desk()
    address = desk.srs(sender)
    assert "==" in address
    refused(other, address, 550, "5.1.1", "srs.unknown")
    desk.bounce(address)
    desk.expect_at(world=[sender])


def test_an_original_address_that_is_here(desk):
    """What our user's mail was rewritten to (it came from outside as his) leads into his mailbox, aliases and all."""
    for original, home in (("anna@example.net", "anna@example.net"), ("anna+tag@example.net", "anna+tag@example.net")):
        desk.bounce(desk.srs(original))
        desk.expect_at(home=[home])
    desk.bounce(desk.srs("info@example.net"))
    desk.expect_at(home=["anna@example.net"], world=["info@one.away.example"])


def test_through_another_forwarder(desk, make_desk):
    """SRS0 of another forwarder becomes SRS1 here, and its bounce finds home through both."""
    first = make_desk({"": {"local_domains": strings("third.example")}, "srs": {"domain": '"fwd.third.example"'},
                       "aliases": {"tables": "{ }"}})
    srs0 = first.srs()
    assert srs0.endswith("@fwd.third.example")
    desk.send("out@example.net", sender=srs0)
    there = desk.wait_for(desk.world, "out@one.away.example")
    assert there.sender.startswith("SRS1=") and "=fwd.third.example==" in there.sender
    assert desk.forwarder.spf(there) == "pass"
    desk.bounce(there.sender)
    assert desk.wait_for(desk.world, srs0).sender == ""
    first.bounce(srs0, addr=None)  # Postfix lets this machine send anywhere
    first.expect_at(world=[SENDER])
    # A third forwarder would have made SRS1 of it; that SRS1 is kept, not nested.
    desk.send("out@example.net", sender="SRS1=abcd=fwd.third.example==efgh=AA=sender.example=x@fwd.fourth.example")
    there = desk.wait_for(desk.world, "out@one.away.example")
    assert there.sender.count("SRS") == 1 and "=fwd.third.example==efgh=" in there.sender


SIGNING = {"srs": {"sign_outgoing": strings("example.net")}, "bounces": {"require_srs": "yes"}}


@pytest.fixture(scope="module")
def signing(forwarder):
    with running_desk(forwarder, SIGNING) as value:
        yield value


def send_as_alice(desk, to, sender="anna@example.net"):
    with desk.client(addr="198.51.100.77", helo="laptop.example.net") as smtp:
        assert smtp.auth("alice", "secret").code == 235
        desk.hand_in(smtp, to, sender=sender)


def test_signed_reverse_paths(signing):
    """What an authenticated user sends away is signed, what stays here is not; its bounce comes home."""
    desk = signing
    send_as_alice(desk, ["friend@one.away.example", "ben@example.net"])
    desk.expect_at(home=["ben@example.net"], world=["friend@one.away.example"])
    assert desk.wait_for(desk.home, "ben@example.net").sender == "anna@example.net"
    there = desk.wait_for(desk.world, "friend@one.away.example")
    assert SRS0.fullmatch(there.sender)[1] == "example.net" and desk.forwarder.spf(there) == "pass"
    assert b"X-Postern-Forwarded" not in there.content  # it was not forwarded
    desk.bounce(there.sender)
    desk.expect_at(home=["anna@example.net"])
    send_as_alice(desk, "friend@one.away.example")
    assert SRS0.fullmatch(desk.wait_for(desk.world, "friend@one.away.example").sender)


def test_backscatter(signing):
    desk = signing
    mark = desk.daemon.mark()
    reply = desk.bounce("anna@example.net", expect=550)
    assert "5.7.1" in reply.text and "this message was not sent from here" in reply.text
    line = desk.daemon.wait_event("recipient", mark)
    assert (line["check"], line["why"]) == ("bounces", "bounces.unsigned")
    desk.expect_at()
    desk.bounce("postmaster@example.net")
    desk.expect_at(home=["postmaster@example.net"])
    desk.bounce("anna@example.net", sender=SENDER)  # no bounce
    desk.expect_at(home=["anna@example.net"])
    desk.bounce("second@other.example")  # a domain that does not sign
    desk.expect_at(world=["second@one.away.example"])
    desk.bounce("anna@example.net", addr=None)  # this machine's own
    desk.expect_at(home=["anna@example.net"])


def test_not_signed(signing):
    """Strangers who claim to be one of us, and our users under another name."""
    desk = signing
    desk.send("ben@example.net", sender="anna@example.net")
    assert desk.wait_for(desk.home, "ben@example.net").sender == "anna@example.net"
    desk.send("out@example.net", sender="anna@example.net")
    assert desk.wait_for(desk.world, "out@one.away.example").sender == "anna@example.net"
    send_as_alice(desk, "friend@one.away.example", sender="alice@elsewhere.example")
    assert desk.wait_for(desk.world, "friend@one.away.example").sender == "alice@elsewhere.example"
