"""A forwarder: a private Postfix set up with the recipes in contrib/postfix, posternd in front of it, one sink that is its
users' mailboxes, one that is the rest of the world, and the names and keys of that world.

Who is who: sender.example sends (from 192.0.2.7, DKIM-signed), mx.example.net forwards (198.51.100.5), fwd.example.net is
its SRS domain, *.away.example is where mail is forwarded to.
"""
import contextlib
import os
import pwd
import re
import signal
import warnings

import dkim
import dns.resolver
import pytest
import spf

from .postfix import PrivatePostfix, Service
from .posternd import Posternd, descendants, quote, strings, wait_gone
from .sink import Sink
from .smtp import Smtp
from .tools import run, source_directory, wait_until
from .zones import Zones

SENDER = "writer@sender.example"
SENDER_IP, OUR_IP, AWAY_IP = "192.0.2.7", "198.51.100.5", "203.0.113.9"
SRS0 = re.compile(r"SRS0=[A-Za-z0-9_-]{4}=[A-Z2-7]{2}=([^=]+)=(.+)@fwd\.example\.net")
SLOTS = 3
SANITIZER = re.compile(r"Sanitizer|runtime error:")
VIRTUAL = """\
# /etc/postfix/virtual
info@example.net        anna@example.net, info@one.away.example
carol@example.net       carol@example.net, carol@one.away.example
out@example.net         out@one.away.example
both@example.net        both@one.away.example, both@two.away.example
team@example.net        out@example.net, anna@example.net, carol@example.net
second@other.example    second@one.away.example
loop@example.net        loop@one.away.example
"""


def recipe(name):
    with open(os.path.join(source_directory(), "contrib", "postfix", name), encoding="ascii") as file:
        return file.read()


def main_recipe(directory):
    """The settings of srs-main.cf, its tables being in DIRECTORY."""
    settings = {}
    for line in recipe("srs-main.cf").splitlines():
        if line and line[0] not in "# ":
            name, _, value = line.partition("=")
            settings[name.strip()] = value.strip().replace("hash:", "texthash:").replace(
                "/etc/postfix", directory).replace("unix:postern/", f"unix:{directory}/sockets/")
    return settings


def copies_recipe():
    """The smtpd of srs-master.cf as a Service; without chroot, and on a free port."""
    text = recipe("srs-master.cf")
    assert "\n127.0.0.1:10026 inet n - y - - smtpd\n" in text
    options = dict(line.split("-o ", 1)[1].split("=", 1) for line in text.splitlines() if line.startswith("  -o "))
    assert options.pop("smtpd_milters") == ""
    return Service("copies", [], options)


class Forwarder:
    """The Postfix and its surroundings; a posternd is started for each test or module (see Desk)."""

    def __init__(self, area):
        self.directory = os.path.join(area, "forwarder")
        os.makedirs(os.path.join(self.directory, "sockets"))
        for path in (self.directory, os.path.join(self.directory, "sockets")):
            os.chmod(path, 0o755)
        os.chown(os.path.join(self.directory, "sockets"), *_nobody())
        offers = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN")
        self.home, self.world = Sink(offers=offers).start(), Sink(offers=offers).start()
        self.key = run("openssl", "genrsa", "2048").stdout.encode()
        self._make_names()
        self.sockets = {f"mx{i}": f"unix:{self.directory}/sockets/mx{i}.sock" for i in range(SLOTS)}
        self.sockets["local"] = f"unix:{self.directory}/sockets/local.sock"
        self.free = [f"mx{i}" for i in range(SLOTS)]
        self._write("virtual", VIRTUAL)
        self._write("forwarded", "bert@example.net bert@example.net\n")
        self._write("srs-addresses", recipe("srs-addresses") + "/^(srs[01][-+=].*@fwd\\.other\\.example)$/ $1\n")
        main = main_recipe(self.directory)
        main["virtual_alias_domains"] += " other.example fwd.other.example"
        main["virtual_alias_maps"] += f" texthash:{self.directory}/forwarded"
        main.update({"relay_domains": "partner.example", "virtual_transport": f"smtp:[127.0.0.1]:{self.home.port}",
                     "smtputf8_enable": "yes", "queue_run_delay": "2s", "minimal_backoff_time": "2s",
                     "smtpd_recipient_restrictions": "", "recipient_delimiter": "+"})
        services = [Service(name, [spec]) for name, spec in self.sockets.items() if name != "local"]
        # A posternd that answers the socketmap's questions for all of them.
        self.secrets = self._write("secrets", "a secret that all of them share\n")
        os.chmod(self.secrets, 0o600)
        os.chown(self.secrets, *_nobody())
        self.reverser = Posternd(self.directory, "reverser", sections=self.sections(
            {"srs": {"socketmap": quote(f"unix:{self.directory}/sockets/srs.sock"), "socketmap_mode": '"0666"'}}))
        self.mta = PrivatePostfix(self.directory, [*services, copies_recipe()], main=main,
                                  transport=f"smtp:[127.0.0.1]:{self.world.port}",
                                  non_smtpd_milters=[self.sockets["local"]])

    def sections(self, more, submit="smtp://127.0.0.1:9"):
        """postern.conf."""
        base = {
            "": {"hostname": '"mx.example.net"',
                 "local_domains": strings("example.net", "other.example", "fwd.example.net", "fwd.other.example")},
            "dns": {"servers": strings(self.zones.address)},
            "srs": {"domain": '"fwd.example.net"', "secrets_file": quote(self.secrets), "submit": quote(submit)},
            "aliases": {"tables": strings(f"virtual:{self.directory}/virtual")},
            "spool": {"retry_first": "200ms", "retry_most": "1s"}}
        for section, options in (more or {}).items():
            base[section] = {**base.get(section, {}), **options}
        return base

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def _make_names(self):
        with open(self._write("key.pem", self.key.decode()), encoding="ascii"):
            public = run("openssl", "rsa", "-in", os.path.join(self.directory, "key.pem"), "-pubout").stdout
        self.zones = Zones({
            "sender.example": [{"SPF": f"v=spf1 ip4:{SENDER_IP} -all"}, {"A": SENDER_IP}],
            "s1._domainkey.sender.example": [{"TXT": "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])}],
            "fwd.example.net": [{"SPF": f"v=spf1 ip4:{OUR_IP} -all"}, {"MX": [10, "mx.example.net"]}],
            "fwd.other.example": [{"SPF": f"v=spf1 ip4:{OUR_IP} -all"}],
            "friend.example": [{"SPF": f"v=spf1 ip4:{OUR_IP} ip4:{SENDER_IP} -all"}],
            "mx.example.net": [{"A": OUR_IP}]})
        self.resolver = dns.resolver.Resolver(configure=False)
        self.resolver.nameservers, self.resolver.port = ["127.0.0.1"], self.zones.port

    def start(self):
        self.reverser.start()
        self.mta.start()
        return self

    def stop(self):
        self.mta.stop()
        self.reverser.stop()
        self.home.stop()
        self.world.stop()
        self.zones.close()

    # What the world thinks of a message.
    def spf(self, message, client=OUR_IP):
        """pyspf's result for MESSAGE (Delivered) or a reverse-path, handed over from CLIENT."""
        path = getattr(message, "sender", message)
        before, dns.resolver.default_resolver = dns.resolver.default_resolver, self.resolver
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pyspf asks dnspython in an old way
                return spf.check2(i=client, s=path, h="mx.example.net")[0]
        finally:
            dns.resolver.default_resolver = before

    def _txt(self, name, timeout=5):
        answer = self.resolver.resolve(name.decode() if isinstance(name, bytes) else name, "TXT", lifetime=timeout)
        return b"".join(answer[0].strings)

    def sign(self, message):
        wire = message.replace(b"\n", b"\r\n")
        names = [b"from", b"to", b"subject", b"date", b"message-id"]
        return (dkim.sign(wire, b"s1", b"sender.example", self.key, include_headers=names) + wire).replace(b"\r\n", b"\n")

    def dkim_passes(self, message):
        return dkim.verify(message.content, dnsfunc=self._txt)


def _nobody():
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


class Desk:
    """One posternd of the forwarder, with what a test asks of it."""

    def __init__(self, forwarder, name, sections, environment):
        Desk.count += 1
        self.forwarder, self.name = forwarder, name
        self.mta, self.world, self.home = forwarder.mta, forwarder.world, forwarder.home
        self.clock = os.path.join(forwarder.directory, f"clock{Desk.count}")
        self.move_clock(0)
        self.sections = sections or {}
        merged = forwarder.sections(self.sections, f"smtp://127.0.0.1:{self.mta.ports['copies']}")
        self.daemon = Posternd(forwarder.directory, f"d{Desk.count}-{name}", forwarder.sockets[name], merged,
                               environment={"POSTERN_TEST_CLOCK": self.clock, **(environment or {})})
        self.daemon.start()

    count = 0

    def move_clock(self, seconds):
        with open(self.clock + ".new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(self.clock + ".new", self.clock)

    def reload(self, sections=None):
        """With other sections than at the start."""
        self.daemon.reload(self.forwarder.sections(self.sections if sections is None else sections,
                                                   f"smtp://127.0.0.1:{self.mta.ports['copies']}"))

    def kill(self):
        """Master, workers and all: as if the power had failed."""
        self.daemon.process.send_signal(signal.SIGSTOP)  # so that it starts no other one
        pids = [*descendants(self.daemon.pid), self.daemon.pid]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.daemon.process.wait()
        wait_gone(pids)
        self.daemon.process = None

    # To the forwarder.
    def client(self, addr=SENDER_IP, helo="mail.sender.example", **xclient):
        """ADDR None: this machine itself."""
        smtp = Smtp(self.mta.ports[self.name], timeout=30)
        if addr:
            smtp.ehlo("harness.example")
            assert smtp.xclient(addr, helo, **xclient).code == 220
        assert smtp.ehlo(helo).code == 250
        return smtp

    def message(self, body=b"Hello,\n\nthis is a text.\n", header=b"", sign=True):
        """A message that no other is like; .mark is in its content."""
        self.mark = self.new_mark()
        text = (b"From: Writer <writer@sender.example>\nTo: info@example.net\nSubject: Question\n"
                b"Date: Sun, 22 Nov 2026 04:00:00 +0000\nMessage-ID: <" + self.mark.encode() + b">\n" + header
                + b"\n" + body)
        return self.forwarder.sign(text) if sign else text

    number = 0

    @staticmethod
    def new_mark():
        Desk.number += 1
        return f"m{Desk.number:05}.{os.getpid()}@sender.example"

    def send(self, to, sender=SENDER, message=None, expect=250, mail=(), rcpt=(), **client):
        """One message; the Outcome. TO: one or several recipients; MAIL, RCPT: parameters."""
        with self.client(**client) as smtp:
            return self.hand_in(smtp, to, sender, message, expect, mail, rcpt)

    def hand_in(self, smtp, to, sender=SENDER, message=None, expect=250, mail=(), rcpt=()):
        content = self.message() if message is None else message
        first = smtp.mail(sender, *mail)
        assert first.code == 250, first
        replies = [smtp.rcpt(address, *rcpt) for address in ([to] if isinstance(to, str) else to)]
        for reply in replies:
            if reply.code != 250:
                assert expect is None or reply.code == expect, reply
                smtp.command("RSET")
                return reply
        end = smtp.data(content)[1]
        assert expect is None or end.code == expect, end
        return end

    def bounce(self, to, **more):
        """A delivery report from the world, to one of our SRS addresses; its answer."""
        self.mark = self.new_mark()
        text = (f"From: MAILER-DAEMON@one.away.example\nTo: {to}\nSubject: Undelivered\n"
                f"Message-ID: <{self.mark}>\n\nIt could not be delivered.\n").encode()
        values = {"sender": "", "addr": AWAY_IP, "helo": "mx.one.away.example", **more}
        return self.send(to, message=text, **values)

    # What arrived, by recipient.
    def at(self, sink, address=None, mark=None):
        found = sink.find(mark or self.mark)
        return [m for m in found if address is None or address in m.recipients]

    def wait_for(self, sink, address, mark=None):
        """The one message for ADDRESS."""
        found = wait_until(lambda: self.at(sink, address, mark), 15, f"delivery to {address}")
        assert len(found) == 1
        return found[0]

    def settle(self):
        """Until nothing is on its way any more."""
        wait_until(lambda: self.daemon.ctl("queue", "list", "--json").stdout.strip() == "[]" and not self.mta.queued(),
                   20, "empty queues")

    def expect_at(self, home=(), world=()):
        """Exactly these recipients got the message, each once."""
        self.settle()
        for sink, wanted in ((self.home, home), (self.world, world)):
            got = sorted(address for m in self.at(sink) for address in m.recipients)
            assert got == sorted(wanted), (got, self.daemon.text()[-3000:])

    def ctl(self, *args, **more):
        return self.daemon.ctl(*args, env={**os.environ, "POSTERN_TEST_CLOCK": self.clock}, **more)

    def srs(self, address=SENDER):
        """The SRS address of ADDRESS, as posternctl writes it."""
        return self.ctl("srs", "forward", address).stdout.split()[-1]


@pytest.fixture(scope="session")
def forwarder(area):
    value = Forwarder(area)
    try:
        yield value.start()
    finally:
        value.stop()


@contextlib.contextmanager
def running_desk(forwarder, sections=None, environment=None, name=None):
    slot = name or forwarder.free.pop()
    desk = None
    try:
        desk = Desk(forwarder, slot, sections, environment)
        yield desk
        assert desk.daemon.stop() in (0, None), desk.daemon.text()[-4000:]
        assert not SANITIZER.search(desk.daemon.text()), desk.daemon.text()[-8000:]
    finally:
        if desk:
            desk.daemon.stop()
        if not name:
            forwarder.free.append(slot)


@pytest.fixture(scope="module")
def desk(request, forwarder):
    """The module's posternd; its configuration is the module's SECTIONS."""
    with running_desk(forwarder, getattr(request.module, "SECTIONS", {})) as value:
        yield value


@pytest.fixture
def make_desk(forwarder):
    """make_desk(sections, environment=...): one for this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda sections=None, **more: stack.enter_context(running_desk(forwarder, sections, **more))
