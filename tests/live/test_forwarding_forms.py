"""Recipients in all the forms that SMTP allows: what Postern takes out is what Postfix has, so that everybody gets the
message once, and the large and the many."""
import pytest

from harness.forwarding import SENDER, SRS0

ONE, HERE, OUT = "info@one.away.example", "anna@example.net", "out@one.away.example"


@pytest.mark.parametrize("form", ["Info@Example.NET", "INFO@EXAMPLE.NET", '"info"@example.net', "info@example.net.",
                                  "@relay.example:info@example.net", r'"in\fo"@example.net'])
def test_forms_of_a_split_recipient(desk, form):
    desk.send(form)
    desk.expect_at(home=[HERE], world=[ONE])
    assert desk.wait_for(desk.home, HERE).sender == SENDER
    assert SRS0.fullmatch(desk.wait_for(desk.world, ONE).sender)


@pytest.mark.parametrize("form", ["Out@Example.NET", '"out"@example.net', "out@example.net."])
def test_forms_of_a_rewritten_recipient(desk, form):
    desk.send(form)
    desk.expect_at(world=[OUT])
    assert SRS0.fullmatch(desk.wait_for(desk.world, OUT).sender)


def test_tags(desk):
    """The recipient delimiter; an address with a tag is looked up as it is and without it, as Postfix does."""
    desk.send("info+shop@example.net")
    desk.settle()
    assert [SENDER] == [m.sender for m in desk.at(desk.home)]
    assert all(SRS0.fullmatch(m.sender) for m in desk.at(desk.world)) and len(desk.at(desk.world)) == 1


def test_the_same_recipient_twice(desk):
    desk.send(["info@example.net", "info@example.net", "INFO@example.net"])
    desk.expect_at(home=[HERE], world=[ONE])
    desk.send(["out@example.net", "out@example.net"])
    desk.expect_at(world=[OUT])


def test_who_is_reached_twice(desk):
    """By an alias and by name; by two aliases."""
    desk.send(["info@example.net", "anna@example.net"])
    desk.expect_at(home=[HERE], world=[ONE])
    desk.send(["anna@example.net", "info@example.net"])
    desk.expect_at(home=[HERE], world=[ONE])
    desk.send(["team@example.net", "out@example.net", "info@example.net"])
    desk.expect_at(home=[HERE, "carol@example.net"], world=[ONE, OUT, "carol@one.away.example"])


def test_without_a_domain(desk):
    """Postfix appends its own name; to Postern it is somebody here."""
    desk.send(["ben@example.net", "postmaster"])
    desk.expect_at(home=["ben@example.net"], world=["postmaster@mx.example.net"])
    assert {m.sender for m in desk.at(desk.home) + desk.at(desk.world)} == {SENDER}


def test_a_large_message(desk):
    """It lies in a file, not in memory."""
    line = b"The quick brown fox jumps over the lazy dog, and nobody minds.\n"
    desk.send("info@example.net", message=desk.message(line * 50000))
    desk.expect_at(home=[HERE], world=[ONE])
    for message in (desk.wait_for(desk.home, HERE), desk.wait_for(desk.world, ONE)):
        assert desk.forwarder.dkim_passes(message)
        assert message.content.endswith(line.replace(b"\n", b"\r\n") * 50000)


def test_many_recipients(desk):
    local = [f"user{i}@example.net" for i in range(60)]
    desk.send([*local[:30], "info@example.net", *local[30:], "both@example.net"])
    desk.expect_at(home=[*local, HERE], world=[ONE, "both@one.away.example", "both@two.away.example"])
    assert {m.sender for m in desk.at(desk.home)} == {SENDER}


def test_several_messages_on_one_connection(desk):
    """What is kept of one is not seen in the next."""
    with desk.client() as smtp:
        for to, home, world in (("info@example.net", [HERE], [ONE]), ("ben@example.net", ["ben@example.net"], []),
                                ("out@example.net", [], [OUT]), ("info@example.net", [HERE], [ONE])):
            desk.hand_in(smtp, to)
            desk.expect_at(home=home, world=world)
            smtp.mail(SENDER)
            smtp.rcpt("info@example.net")
            smtp.command("RSET")
        desk.mark = "RSET"
        desk.expect_at()
