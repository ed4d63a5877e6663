"""Mail that travels on, through a real Postfix set up with contrib/postfix: to the world with an SRS sender, to the
mailboxes here as it came."""
import email
import re

from harness.forwarding import OUR_IP, SENDER, SENDER_IP, SRS0
from harness.posternd import strings
from harness.smtp import Smtp

ONE, TWO = "info@one.away.example", "both@two.away.example"


def body_of(message):
    return message.content.partition(b"\r\n\r\n")[2]


def expect_srs(forwarder, message, sender=SENDER):
    """Everything that makes it welcome elsewhere."""
    local, domain = sender.split("@")
    match = SRS0.fullmatch(message.sender)
    assert match and (match[1], match[2]) == (domain, local), message.sender
    assert forwarder.spf(message) == "pass"
    assert forwarder.spf(sender) == "fail"  # what it would have been
    assert forwarder.dkim_passes(message)


def expect_bounce_home(desk, message, sender=SENDER):
    desk.bounce(message.sender, expect=250)
    bounce = desk.wait_for(desk.world, sender)
    assert bounce.sender == "" and bounce.recipients == [sender]
    desk.expect_at(world=[sender])


def test_an_alias_that_leads_away(desk, forwarder):
    mark = desk.daemon.mark()
    desk.send("out@example.net")
    message = desk.wait_for(desk.world, "out@one.away.example")
    expect_srs(forwarder, message)
    assert message.content.count(b"\r\nX-Postern-Forwarded: by=mx.example.net;") + message.content.startswith(
        b"X-Postern-Forwarded: by=mx.example.net;") == 1
    desk.expect_at(world=["out@one.away.example"])
    line = desk.daemon.wait_event("forward", mark)
    assert (line["from"], line["copies"]) == (SENDER, "0") and message.sender in line["text"]
    expect_bounce_home(desk, message)


def test_split(desk, forwarder):
    mark = desk.daemon.mark()
    desk.send("info@example.net")
    here, there = desk.wait_for(desk.home, "anna@example.net"), desk.wait_for(desk.world, ONE)
    desk.expect_at(home=["anna@example.net"], world=[ONE])
    assert here.sender == SENDER and b"X-Postern-Forwarded" not in here.content
    expect_srs(forwarder, there)
    assert there.content.count(b"X-Postern-Forwarded: by=mx.example.net;") == 1
    assert body_of(here) == body_of(there) and forwarder.dkim_passes(here)
    line = desk.daemon.wait_event("forward", mark)
    assert line["copies"] == "1" and int(line["spool"]) > 0 and ONE in line["text"]
    assert desk.daemon.wait_event("spool", mark)["end"] == "sent"
    expect_bounce_home(desk, there)


def test_the_copy_is_byte_for_byte(desk, forwarder):
    """8-bit octets, long lines, odd fields, dots, and no line end at the end: only what stands in front is new."""
    header = b"X-Odd:\tone  two \n X-Not-A-Field\nX-Latin: \xe4\xf6\xfc\nComments: " + b"x" * 900 + b"\n"
    body = b".\n..two\n\xff\xfe\x80 8-bit\n" + b"y" * 990 + b"\n\n\n\nlast"
    message = desk.message(body, header, sign=False)
    desk.send("info@example.net", message=message, mail=["BODY=8BITMIME"])
    there = desk.wait_for(desk.world, ONE)
    wire = message.replace(b"\n", b"\r\n") + b"\r\n"
    assert there.content.endswith(wire)
    front = email.message_from_bytes(there.content[:-len(wire)])
    assert set(front.keys()) == {"X-Postern-Forwarded", "Received"}
    assert "BODY=8BITMIME" in there.parameters


def test_one_local_and_one_forwarded_recipient(desk, forwarder):
    desk.send(["ben@example.net", "out@example.net"])
    assert desk.wait_for(desk.home, "ben@example.net").sender == SENDER
    expect_srs(forwarder, desk.wait_for(desk.world, "out@one.away.example"))
    desk.expect_at(home=["ben@example.net"], world=["out@one.away.example"])


def test_an_alias_that_lists_itself(desk, forwarder):
    """Its copy for here passes the port that expands nothing: else there would be two of them elsewhere."""
    desk.send("carol@example.net")
    assert desk.wait_for(desk.home, "carol@example.net").sender == SENDER
    expect_srs(forwarder, desk.wait_for(desk.world, "carol@one.away.example"))
    desk.expect_at(home=["carol@example.net"], world=["carol@one.away.example"])


def test_aliases_of_aliases(desk, forwarder):
    desk.send(["team@example.net", "carol@example.net", "anna+tag@example.net"])
    desk.expect_at(home=["anna@example.net", "anna+tag@example.net", "carol@example.net"],
                   world=["out@one.away.example", "carol@one.away.example"])
    assert {m.sender for m in desk.at(desk.home)} == {SENDER}
    for message in desk.at(desk.world):
        expect_srs(forwarder, message)


def test_two_hosts(desk, forwarder):
    desk.send("both@example.net")
    desk.expect_at(world=["both@one.away.example", TWO])
    for message in desk.at(desk.world):
        expect_srs(forwarder, message)


def test_two_srs_domains(make_desk, forwarder):
    desk = make_desk({"srs": {"domain_map": strings("other.example=fwd.other.example")}})
    desk.send(["out@example.net", "second@other.example"])
    desk.expect_at(world=["out@one.away.example", "second@one.away.example"])
    first = desk.wait_for(desk.world, "out@one.away.example")
    second = desk.wait_for(desk.world, "second@one.away.example")
    expect_srs(forwarder, first)
    assert re.fullmatch(r"SRS0=.*=sender\.example=writer@fwd\.other\.example", second.sender)
    assert forwarder.spf(second) == "pass" and forwarder.dkim_passes(second)
    expect_bounce_home(desk, first)
    expect_bounce_home(desk, second)


DSN_MAIL = ["RET=HDRS", "ENVID=env+2B42", "BODY=8BITMIME"]


def expect_dsn(message, orcpt="given@sender.example"):
    words = message.parameters.upper().split()
    assert "RET=HDRS" in words and "ENVID=ENV+2B42" in words and "BODY=8BITMIME" in words, message.parameters
    [words] = [words.upper().split() for words in message.rcpt_parameters]
    assert f"ORCPT=RFC822;{orcpt.upper()}" in words, words
    assert set(next(w for w in words if w.startswith("NOTIFY="))[7:].split(",")) == {"FAILURE", "DELAY"}


def test_delivery_status_parameters(desk):
    """Of a copy, of what stays, and of a message that is rewritten as a whole."""
    rcpt = ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;given@sender.example"]
    desk.send("info@example.net", mail=DSN_MAIL, rcpt=rcpt, message=desk.message(b"\xe4\n", sign=False))
    expect_dsn(desk.wait_for(desk.world, ONE))
    expect_dsn(desk.wait_for(desk.home, "anna@example.net"))
    desk.send("out@example.net", mail=DSN_MAIL, rcpt=rcpt, message=desk.message(b"\xe4\n", sign=False))
    expect_dsn(desk.wait_for(desk.world, "out@one.away.example"))


def test_no_reports(desk):
    """NOTIFY=NEVER travels."""
    desk.send("info@example.net", rcpt=["NOTIFY=NEVER"])
    assert "NOTIFY=NEVER" in desk.wait_for(desk.world, ONE).rcpt_parameters[0].split()


def test_smtputf8(desk):
    """An internationalised sender, on a copy and on a message that is rewritten as a whole."""
    sender = "schreiberin-ü@sender.example"
    for to, address in (("info@example.net", ONE), ("out@example.net", "out@one.away.example")):
        text = desk.message("Grüße\n".encode(), "X-Name: Jörg\n".encode(), sign=False)
        desk.send(to, sender=sender, mail=["SMTPUTF8", "BODY=8BITMIME"], message=text)
        there = desk.wait_for(desk.world, address)
        assert "SMTPUTF8" in there.parameters.split() and "sender.example=schreiberin-ü@fwd" in there.sender
        desk.bounce(there.sender, mail=["SMTPUTF8"])
        assert desk.wait_for(desk.world, sender).sender == ""


def test_a_long_sender(desk, forwarder):
    sender = "a-very-long-local-part-that-some-mailing-list-made-for-one-reader@sender.example"
    desk.send("info@example.net", sender=sender)
    there = desk.wait_for(desk.world, ONE)
    assert re.fullmatch(r"SRS0=\w{4}=\w\w==[a-z0-9]{24}@fwd\.example\.net", there.sender), there.sender
    assert forwarder.spf(there) == "pass"
    expect_bounce_home(desk, there, sender)


def test_mixed_rewrite(make_desk, forwarder):
    desk = make_desk({"srs": {"mixed": "rewrite"}})
    desk.send(["ben@example.net", "out@example.net"])
    desk.expect_at(home=["ben@example.net"], world=["out@one.away.example"])
    there = desk.wait_for(desk.world, "out@one.away.example")
    expect_srs(forwarder, there)
    assert desk.wait_for(desk.home, "ben@example.net").sender == there.sender
    desk.send("ben@example.net")  # nobody elsewhere
    assert desk.wait_for(desk.home, "ben@example.net").sender == SENDER


def test_spf_aware(make_desk, forwarder):
    desk = make_desk({"srs": {"spf_aware": "yes", "own_addresses": strings(OUR_IP)}})
    desk.send("info@example.net", sender="pal@friend.example")
    desk.expect_at(home=["anna@example.net"], world=[ONE])
    there = desk.wait_for(desk.world, ONE)
    assert there.sender == "pal@friend.example" and forwarder.spf(there) == "pass"
    desk.send("info@example.net")
    expect_srs(forwarder, desk.wait_for(desk.world, ONE))
    assert forwarder.spf(SENDER, SENDER_IP) == "pass"


def test_the_port_for_copies(desk):
    """Its recipients are final, its header is nobody's to change, and it is for this host alone."""
    def open_port(addr=None):
        smtp = Smtp(desk.mta.ports["copies"])
        smtp.ehlo("mx.example.net")
        if addr:
            assert smtp.xclient(addr, "mail.sender.example").code == 220
        return smtp, smtp.ehlo("mx.example.net").text
    smtp, words = open_port()
    with smtp:
        assert {"8BITMIME", "SMTPUTF8", "DSN"} <= set(words.split("\n"))
        text = desk.message(header=b"Cc: somebody, @x, nonsense <a@b\nReply-To: nobody\n", sign=False)
        text = text.replace(b"From: Writer <writer@sender.example>", b"From: writer").replace(b"Date: ", b"X-Date: ")
        desk.hand_in(smtp, ["carol@example.net", "friend@one.away.example"], sender="someone@elsewhere.example",
                     message=text)
    desk.expect_at(home=["carol@example.net"], world=["friend@one.away.example"])
    for message in (desk.at(desk.home) + desk.at(desk.world)):
        assert message.content.endswith(text.replace(b"\n", b"\r\n")) and message.sender == "someone@elsewhere.example"
        front = email.message_from_bytes(message.content[:-len(text.replace(b"\n", b"\r\n"))])
        assert set(front.keys()) == {"Received"}
    smtp, _ = open_port(SENDER_IP)
    with smtp:
        smtp.mail(SENDER)
        assert smtp.rcpt("ben@example.net").code == 554
