"""Mail that travels on through a real Sendmail set up with contrib/sendmail/srs.mc: virtusertable, copies, the way
back."""
import os
import re

import pytest

from harness.forwarding import SENDER, SRS0, Desk
from harness.posternd import Posternd, quote, strings
from harness.sendmail import PrivateSendmail
from harness.smtp import Smtp
from harness.tools import free_port, source_directory, wait_until

VIRTUSERS = """\
out@example.net         out@one.away.example
info@example.net        info-list
"""
ALIASES = "info-list: anna, info@one.away.example\n"
FORWARDS = "bert@example.net,bert@one.away.example,1\ndora@example.net,dora@one.away.example,0\n"
# Local mail goes to the sink of the mailboxes, everything else to the world's.
BEFORE = """\
define(`LOCAL_MAILER_PATH', `[IPC]')dnl
define(`LOCAL_MAILER_ARGS', `TCP 127.0.0.1 {home}')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {world}')dnl
define(`LOCAL_MAILER_FLAGS', `PXmn9')dnl
define(`LOCAL_MAILER_EOL', `\\r\\n')dnl
define(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE', `SMTP')dnl
MODIFY_MAILER_FLAGS(`LOCAL', `-w')dnl
LOCAL_DOMAIN(`example.net')dnl
"""
ONE, OUT = "info@one.away.example", "out@one.away.example"


def recipe(ports):
    """The lines of srs.mc, its table being in the directory that Sendmail sees as /mnt, and its PORTS others."""
    with open(os.path.join(source_directory(), "contrib", "sendmail", "srs.mc"), encoding="ascii") as file:
        text = file.read()
    for old, new in {"hash -o /etc/mail/virtusertable": "text -k0 -v1 -o /mnt/virtusertable", **ports}.items():
        assert old in text
        text = text.replace(old, new)
    return text


class SendmailDesk(Desk):
    """The same questions, asked of Sendmail; every client is 127.0.0.1, who is a stranger here."""

    def __init__(self, forwarder, directory):  # pylint: disable=super-init-not-called
        self.forwarder, self.world, self.home = forwarder, forwarder.world, forwarder.home
        self.clock = os.path.join(directory, "clock")
        ports = {name: free_port() for name in ("copies", "map", "milter")}
        self.daemon = Posternd(directory, "for-sendmail", f"inet:{ports['milter']}@127.0.0.1", forwarder.sections(
            {"": {"trusted_networks": strings("192.0.2.254"),
                  "local_domains": strings("example.net", "mx.example.net", "fwd.example.net")},
             "srs": {"socketmap": quote(f"inet:{ports['map']}@127.0.0.1")},
             "forwards": {"table": quote(f"csv:{directory}/forwards.csv")},
             "aliases": {"tables": strings(f"virtual:{directory}/virtusertable", f"aliases:{directory}/aliases")}},
            f"smtp://127.0.0.1:{ports['copies']}"))
        self.mta = PrivateSendmail(
            directory, [("postern", f"inet:{ports['milter']}@127.0.0.1")], delivery="b",
            aliases=ALIASES, more="".join([
                BEFORE.format(home=self.home.port, world=self.world.port),
                recipe({"Port=10026": f"Port={ports['copies']}", "inet:10027@": f"inet:{ports['map']}@"}),
                "MAILER(`local')dnl\n"]))

    def client(self, addr=None, helo="mail.sender.example", **_):
        smtp = Smtp(self.mta.port, timeout=30)
        assert smtp.ehlo(helo).code == 250
        return smtp

    def queued(self):
        return [n for n in os.listdir(os.path.join(self.mta.directory, "queue")) if n.startswith("qf")]

    def settle(self):
        wait_until(lambda: self.daemon.ctl("queue", "list", "--json").stdout.strip() == "[]" and not self.queued(), 20,
                   "empty queues")


@pytest.fixture(scope="module")
def desk(forwarder, area):
    directory = os.path.join(area, "sendmail-forwarder")
    os.makedirs(directory)
    for name, text in (("virtusertable", VIRTUSERS), ("aliases", ALIASES), ("forwards.csv", FORWARDS)):
        with open(os.path.join(directory, name), "w", encoding="ascii") as file:
            file.write(text)
    value = SendmailDesk(forwarder, directory)
    try:
        value.daemon.start()
        value.mta.start()
        yield value
    finally:
        value.mta.stop()
        value.daemon.stop()


def expect_welcome(desk, message):
    assert SRS0.fullmatch(message.sender), message.sender
    assert desk.forwarder.spf(message) == "pass" and desk.forwarder.spf(SENDER) == "fail"
    assert desk.forwarder.dkim_passes(message)
    assert message.content.count(b"X-Postern-Forwarded: by=mx.example.net;") == 1


def expect_bounce_home(desk, message):
    desk.bounce(message.sender)
    assert desk.wait_for(desk.world, SENDER).sender == ""
    desk.expect_at(world=[SENDER])


def test_virtusertable(desk):
    desk.send("out@example.net")
    there = desk.wait_for(desk.world, OUT)
    expect_welcome(desk, there)
    desk.expect_at(world=[OUT])
    expect_bounce_home(desk, there)


def test_split(desk):
    desk.send(["ben@example.net", "out@example.net"])
    desk.expect_at(home=["ben"], world=[OUT])
    assert desk.wait_for(desk.home, "ben").sender == SENDER
    there = desk.wait_for(desk.world, OUT)
    expect_welcome(desk, there)
    expect_bounce_home(desk, there)


def test_an_alias_with_two_targets(desk):
    desk.send("info@example.net")
    desk.expect_at(home=["anna"], world=[ONE])
    assert desk.wait_for(desk.home, "anna").sender == SENDER
    expect_welcome(desk, desk.wait_for(desk.world, ONE))


def test_refused_addresses(desk):
    genuine = desk.srs()
    for to in (genuine.replace("=writer@", "=victim@"), "SRS0=abcd=AA=x.example=y@fwd.example.net",
               "x@fwd.example.net"):
        assert "5.1.1" in desk.bounce(to, expect=550).text
    assert "5.7.1" in desk.bounce(genuine, sender="human@one.away.example", expect=550).text


def test_the_world_refuses(desk):
    """Sendmail's own report finds home."""
    desk.world.refuses[OUT] = "550 5.1.1 nobody of that name"
    try:
        desk.send("out@example.net")
        assert desk.wait_for(desk.world, SENDER).sender == ""
        desk.expect_at(world=[SENDER])
        desk.send(["out@example.net", "ben@example.net"])
        desk.expect_at(home=["ben"], world=[SENDER])
    finally:
        del desk.world.refuses[OUT]


def test_delivery_status_parameters(desk):
    rcpt = ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;given@sender.example"]
    for to in ("out@example.net", ["out@example.net", "ben@example.net"]):
        desk.send(to, mail=["RET=HDRS", "ENVID=abc"], rcpt=rcpt)
        there = desk.wait_for(desk.world, OUT)
        assert {"RET=HDRS", "ENVID=abc"} <= set(there.parameters.split()), there.parameters
        assert "ORCPT=rfc822;given@sender.example" in there.rcpt_parameters[0], there.rcpt_parameters
        assert re.search("NOTIFY=(FAILURE,DELAY|DELAY,FAILURE)", there.rcpt_parameters[0].upper())


def test_the_forward_table(desk):
    desk.send("bert@example.net", mail=["RET=HDRS"], rcpt=["NOTIFY=FAILURE", "ORCPT=rfc822;given@sender.example"])
    there = desk.wait_for(desk.world, "bert@one.away.example")
    expect_welcome(desk, there)
    assert {"NOTIFY=FAILURE", "ORCPT=rfc822;given@sender.example"} <= set(there.rcpt_parameters[0].split())
    desk.expect_at(world=["bert@one.away.example"])
    desk.send(["dora@example.net", "bert@example.net", "Ben@Example.NET"])
    desk.expect_at(home=["dora", "ben"], world=["dora@one.away.example", "bert@one.away.example"])
    assert {m.sender for m in desk.at(desk.home)} == {SENDER}
    assert all(SRS0.fullmatch(m.sender) for m in desk.at(desk.world))


def test_forms_of_recipients(desk):
    """What Postern takes out is what Sendmail has."""
    for form in ("Info@Example.NET", '"info"@example.net', "info@example.net.", "@relay.example:info@example.net"):
        desk.send([form, "ben@example.net"])
        desk.expect_at(home=["anna", "ben"], world=[ONE])
        assert {m.sender for m in desk.at(desk.home)} == {SENDER}
        assert SRS0.fullmatch(desk.wait_for(desk.world, ONE).sender)
    desk.send(["info@example.net", "info@example.net", "anna@example.net"])
    desk.expect_at(home=["anna"], world=[ONE])

