"""Automatic replies through a real Postfix: who gets one, when again, and what a crash at each step leaves behind.

The replies are submitted to the same Postfix, pass the same filter again, and arrive at the sink.
"""
import email
import email.policy
import json
import os
import re
import socketserver
import threading
import time

import pytest

from conftest import running_gate
from harness import archives, mails
from harness.posternd import Posternd
from harness.redis import Redis
from harness.sendmail import PrivateSendmail
from harness.smtp import Smtp
from harness.tools import free_port, wait_until

DAY = 86400
SENDER = "writer@sender.example"


class Desk:
    """A gate whose mailbox owners are away, and a clock that can be moved."""

    def __init__(self, gate, sink, clock):
        self.gate, self.sink, self.clock, self.number = gate, sink, clock, 0

    @property
    def daemon(self):
        return self.gate.daemon

    def move_clock(self, seconds):
        with open(self.clock + ".new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(self.clock + ".new", self.clock)

    def ctl(self, *args, **more):
        environment = {**os.environ, "POSTERN_TEST_CLOCK": self.clock}
        return self.daemon.ctl("autoreply", *args, env=environment, **more)

    def away(self, mailbox, body="I am away until Monday.", **fields):
        message = {"name": "away", "body": body, **fields}
        self.ctl("import", "-", input=json.dumps([{"mailbox": mailbox, "active": "away", "messages": [message]}]))

    def write(self, to="anna@example.net", sender=SENDER, header="", expect=250, mark=None, **more):
        """One message; the SMTP answer. TO: one or several recipients."""
        self.number += 1
        recipients = [to] if isinstance(to, str) else to
        text = (f"From: Writer <{sender or 'x@sender.example'}>\nTo: {recipients[0]}\nSubject: Question {self.number}\n"
                f"Date: Sun, 22 Nov 2026 04:00:00 +0000\nMessage-ID: <{self.number}.q@sender.example>\n{header}\nHello\n")
        outcome = self.gate.send(text.encode(), recipients, sender, **more)
        assert expect is None or outcome.last.code == expect, outcome
        return outcome.last

    def replies(self, to=SENDER):
        return [m for m in self.sink.find("auto-replied") if m.recipients == [to] and m.sender == ""]

    def wait_replies(self, count, to=SENDER):
        wait_until(lambda: len(self.replies(to)) >= count, 20, f"{count} replies to {to}")
        time.sleep(0.3)
        assert len(self.replies(to)) == count
        return self.replies(to)

    def expect_silence(self, why, to="anna@example.net", **more):
        mark = self.daemon.mark()
        self.write(to, **more)
        line = self.daemon.wait_event("autoreply", mark)
        assert (line["verdict"], line["why"]) == ("silence", why)


def sections_for(mta, slot, **top):
    return {"": {"hostname": '"mx.example.net"', **top},
            "spool": {"submit": f'"smtp://127.0.0.1:{mta.ports[slot]}"', "retry_first": "200ms", "retry_most": "1s"}}


@pytest.fixture
def make_desk(area, mta, sink, sockets, free_slots):
    """make_desk(): posternd with nothing stored; each desk has senders of its own to tell replies apart."""
    import contextlib
    with contextlib.ExitStack() as stack:
        def make(environment=None, sections=None, **top):
            slot = free_slots[-1]
            make_desk.count = getattr(make_desk, "count", 0) + 1
            clock = os.path.join(area, f"clock{make_desk.count}-{slot}")
            with open(clock, "w", encoding="ascii") as file:
                file.write("0")
            merged = {**sections_for(mta, slot, **top), **(sections or {})}
            gate = stack.enter_context(running_gate(area, mta, sockets, free_slots, merged,
                                                    environment={"POSTERN_TEST_CLOCK": clock, **(environment or {})}))
            return Desk(gate, sink, clock)
        sink.messages.clear()
        yield make


@pytest.fixture
def redis(area):
    with Redis(area, f"redis-{time.monotonic_ns()}") as server:
        yield server


class SendmailGate:
    """One posternd with a Sendmail in front of it; from outside mail comes out of the namespace."""

    def __init__(self, daemon, mta, namespace):
        self.daemon, self.mta, self.namespace = daemon, mta, namespace

    def send(self, message, recipients, sender, addr="192.0.2.7", helo="mail.sender.example"):
        far = {"host": self.namespace.server, "opener": self.namespace.connect} if addr else {}
        with Smtp(self.mta.port, **far) as smtp:
            assert smtp.ehlo(helo).code == 250
            return smtp.transaction(sender, recipients, message)


@pytest.fixture(scope="module")
def delivering_sendmail(area, namespace, sink):
    """It hands everything to the sink at once."""
    directory = os.path.join(area, "sendmail-delivers")
    os.mkdir(directory, 0o755)
    with PrivateSendmail(directory, [("postern", f"inet:{free_port()}@127.0.0.1")], ("127.0.0.1", namespace.server),
                         delivery="b", more=f"define(`RELAY_MAILER_ARGS', `TCP $h {sink.port}')dnl\n") as mta:
        yield mta


@pytest.fixture
def sendmail_desk(area, namespace, sink, delivering_sendmail, request):
    mta = delivering_sendmail
    clock = os.path.join(mta.base, f"clock-{request.node.name}")
    with open(clock, "w", encoding="ascii") as file:
        file.write("0")
    sections = {"spool": {"submit": f'"smtp://127.0.0.1:{mta.port}"', "retry_first": "200ms", "retry_most": "1s"}}
    daemon = Posternd(mta.base, request.node.name, mta.filters[0][1], sections, environment={"POSTERN_TEST_CLOCK": clock})
    sink.messages.clear()
    daemon.start()
    try:
        yield Desk(SendmailGate(daemon, mta, namespace), sink, clock)
    finally:
        assert daemon.stop() == 0


@pytest.fixture
def desk(request):
    """By what stands in front of posternd and what it remembers in: see `over`."""
    if request.param == "sendmail":
        return request.getfixturevalue("sendmail_desk")
    make = request.getfixturevalue("make_desk")
    return make(store=f'"{request.getfixturevalue("redis").url}"') if request.param == "redis" else make()


def over(*names):
    """The test is run over these: "postfix" and "sendmail" with SQLite, "redis" with Postfix."""
    return pytest.mark.parametrize("desk", names, indirect=True, scope="function")


@over("postfix", "sendmail")
def test_the_reply(desk):
    desk.away("anna@example.net", body="Ich bin nicht da. Grüße, Anna", subject=None)
    mark = desk.daemon.mark()
    desk.write()
    [reply] = desk.wait_replies(1)
    mail = email.message_from_bytes(reply.content, policy=email.policy.SMTP)
    assert mail["Subject"] == "Auto: Question 1"
    assert mail["From"].addresses[0].addr_spec == "anna@example.net"
    assert mail["To"].addresses[0].addr_spec == SENDER
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<1.q@sender.example>" and "<1.q@sender.example>" in mail["References"]
    assert mail["Precedence"] == "bulk" and mail["X-Auto-Response-Suppress"] == "All"
    assert mail.get_content().strip() == "Ich bin nicht da. Grüße, Anna"
    assert not mail.defects and all(len(line) <= 998 for line in reply.content.split(b"\r\n"))
    for name in ("Message-ID", "Date", "MIME-Version"):
        assert len(mail.get_all(name)) == 1
    # Our own instance let it pass untouched.
    assert "Authentication-Results" not in mail and "X-Postern" not in mail
    lines = desk.daemon.events("message", mark)
    assert [line["verdict"] for line in lines] == ["accept", "accept"]
    line = desk.daemon.wait_event("autoreply", mark)
    assert (line["mailbox"], line["to"], line["verdict"]) == ("anna@example.net", SENDER, "queued")
    desk.daemon.wait_event("spool", mark, end="sent")
    assert desk.daemon.ctl("queue", "list", "--json").stdout.strip() == "[]"


@over("postfix", "redis", "sendmail")
def test_seven_days(desk):
    desk.away("anna@example.net")
    start = time.time()
    desk.write()
    desk.wait_replies(1)
    desk.expect_silence("autoreply.remembered")
    desk.move_clock(7 * DAY - 1 - int(time.time() - start) - 2)
    desk.expect_silence("autoreply.remembered")
    desk.move_clock(7 * DAY)
    desk.write()
    desk.wait_replies(2)
    desk.move_clock(0)  # a clock that jumps back sends nothing twice
    desk.expect_silence("autoreply.remembered")
    desk.ctl("reset", "anna@example.net")
    desk.write()
    desk.wait_replies(3)


def test_reset_of_one_sender(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    desk.write(sender="one@sender.example")
    desk.write(sender="two@sender.example")
    desk.wait_replies(1, "one@sender.example")
    desk.wait_replies(1, "two@sender.example")
    desk.ctl("reset", "anna@example.net", "one@sender.example")
    desk.write(sender="one@sender.example")
    desk.wait_replies(2, "one@sender.example")
    desk.expect_silence("autoreply.remembered", sender="two@sender.example")


def test_the_memory_survives_a_restart(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    desk.write()
    desk.wait_replies(1)
    desk.daemon.stop()
    desk.daemon.start()
    desk.expect_silence("autoreply.remembered")
    desk.daemon.reload()
    desk.expect_silence("autoreply.remembered")
    assert len(desk.replies()) == 1


SILENT = [("autoreply.list", "List-Id: <l.example>\n"), ("autoreply.auto-submitted", "Auto-Submitted: auto-generated\n"),
          ("autoreply.precedence", "Precedence: bulk\n"), ("autoreply.suppressed", "X-Auto-Response-Suppress: OOF\n"),
          ("autoreply.spam", "X-Spam-Flag: YES\n"),
          ("autoreply.machine", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n")]


@over("postfix", "redis", "sendmail")
def test_silence(desk):
    desk.away("anna@example.net", excluded=["boss@sender.example", "@quiet.example"])
    for why, header in SILENT:
        desk.expect_silence(why, header=header)
    desk.expect_silence("autoreply.excluded", sender="boss@sender.example")
    desk.expect_silence("autoreply.excluded", sender="any@quiet.example")
    desk.expect_silence("autoreply.system-sender", sender="MAILER-DAEMON@sender.example")
    desk.expect_silence("autoreply.own-address", sender="anna@example.net", addr=None)
    desk.expect_silence("autoreply.not-addressed", to=["other@example.net", "anna@example.net"])
    desk.write(sender="")  # the null reverse-path is not even looked at
    status = desk.daemon.status()
    assert status["why.autoreply.excluded"] == "2"
    time.sleep(0.5)
    assert desk.sink.find("auto-replied") == []


def test_no_reply_to_what_is_refused_or_held(make_desk):
    desk = make_desk(sections={"attachments": {"action": "quarantine"}})
    desk.away("anna@example.net")
    held = mails.attached("run.exe", b"MZ")
    assert desk.gate.send(held.replace(b"user@example.net", b"anna@example.net"), ["anna@example.net"],
                          SENDER).last.code == 250
    refused = desk.gate.send(mails.plain(), ["unknown1@example.net"], SENDER)
    assert refused.rcpts[0].code >= 500
    time.sleep(0.5)
    assert desk.replies() == []


def test_monitor_mode_sends_nothing(make_desk):
    desk = make_desk(mode="monitor")
    desk.away("anna@example.net")
    for _ in range(2):  # nor is anybody remembered
        mark = desk.daemon.mark()
        desk.write()
        assert desk.daemon.wait_event("autoreply", mark)["verdict"] == "would-queue"
    assert desk.daemon.ctl("queue", "list", "--json").stdout.strip() == "[]"
    assert json.loads(desk.ctl("seen", "anna@example.net", "--json").stdout) == []


@over("postfix", "redis", "sendmail")
def test_two_who_are_away(desk):
    """No loop, and one reply each at most."""
    desk.away("anna@example.net")
    desk.away("ben@example.net")
    desk.write("ben@example.net", sender="anna@example.net", addr=None)
    desk.write("anna@example.net", sender="ben@example.net", addr=None)
    desk.wait_replies(1, "anna@example.net")
    desk.wait_replies(1, "ben@example.net")


def test_aliases_mean_one_mailbox(make_desk, list_file):
    table = list_file("info@example.net anna@example.net\nsales@example.net anna@example.net\n").strip('"')
    desk = make_desk(sections={"aliases": {"tables": f'{{ "virtual:{table}" }}'}})
    desk.away("anna@example.net")
    desk.write(["info@example.net", "anna@example.net", "sales@example.net", "anna+tag@example.net"])
    [reply] = desk.wait_replies(1)
    assert email.message_from_bytes(reply.content)["From"] == "info@example.net"
    desk.expect_silence("autoreply.remembered", to="sales@example.net")


def test_a_changed_text_is_sent_at_once(make_desk):
    desk = make_desk()
    desk.away("anna@example.net", body="Until Monday.")
    desk.write()
    desk.wait_replies(1)
    desk.away("anna@example.net", body="Until Tuesday.")
    desk.write()
    assert b"Tuesday" in desk.wait_replies(2)[1].content


def test_caps(make_desk):
    desk = make_desk(sections={"autoreply": {"max_per_sender_domain_per_hour": "2"}})
    desk.away("anna@example.net")
    for i in range(2):
        desk.write(sender=f"u{i}@flood.example")
    desk.expect_silence("autoreply.cap", sender="u2@flood.example")
    desk.write(sender="u2@calm.example")
    desk.wait_replies(1, "u2@calm.example")


def test_a_permanent_refusal_releases_the_memory(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    # Postfix refuses unknown* at example.net; from trusted, so that our own user is answered there.
    mark = desk.daemon.mark()
    desk.write(sender="unknown9@example.net", addr=None)
    desk.daemon.wait_event("spool", mark, end="refused")
    mark = desk.daemon.mark()
    desk.write(sender="unknown9@example.net", addr=None)
    assert desk.daemon.wait_event("autoreply", mark)["verdict"] == "queued"


STEPS = ["autoreply.reserved", "spool.added", "autoreply.spooled", "autoreply.confirmed", "spool.before", "spool.dot",
         "spool.accepted", "spool.recorded", "spool.after", "spool.removed"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(make_desk, step):
    """Nothing is sent twice; at worst it is a later message of the sender that is answered."""
    sender = f"{step.replace('.', '-')}@sender.example"
    desk = make_desk(environment={"POSTERN_TEST_CRASH": step})
    desk.away("anna@example.net")
    desk.write(sender=sender, expect=None)
    desk.daemon.wait_text("killed by signal 9|signal 9", timeout=15)
    desk.daemon.stop()
    desk.daemon.environment.pop("POSTERN_TEST_CRASH")
    desk.daemon.start()
    desk.write(sender=sender)  # the client comes back with the same message
    lost = step in ("autoreply.reserved", "spool.dot")
    if not lost:
        desk.wait_replies(1, sender)
    desk.write(sender=sender)
    time.sleep(1)
    assert len(desk.replies(sender)) <= 1
    if step == "autoreply.reserved":
        assert desk.replies(sender) == []
        desk.move_clock(901)
        desk.write(sender=sender)
        desk.wait_replies(1, sender)


def test_the_mta_is_down_for_a_while(make_desk, mta):
    desk = make_desk(sections={"spool": {"submit": '"smtp://127.0.0.1:9"', "retry_first": "200ms", "retry_most": "500ms"}})
    desk.away("anna@example.net")
    desk.write()
    entry = wait_until(lambda: [e for e in json.loads(desk.daemon.ctl("queue", "list", "--json").stdout) if e["attempts"]],
                       10, "a failed attempt")[0]
    assert entry["kind"] == "autoreply" and entry["last_reply"]
    desk.expect_silence("autoreply.remembered")
    # One that came later and was not tried yet holds no longer a mere reservation, which would be over now.
    desk.write(sender="later@sender.example")
    wait_until(lambda: all(e["last_reply"] for e in json.loads(desk.daemon.ctl("queue", "list", "--json").stdout)), 10,
               "the owner of the second entry is asked")
    desk.move_clock(901)
    desk.expect_silence("autoreply.remembered", sender="later@sender.example")
    sections = sections_for(mta, desk.gate.name)
    desk.daemon.reload(sections)
    desk.wait_replies(1)


def test_many_leave_together(make_desk, mta):
    """They leave in one conversation, in which each envelope goes out with the final dot before it."""
    desk = make_desk(sections={"spool": {"submit": '"smtp://127.0.0.1:9"', "retry_first": "1h", "retry_most": "1h"}})
    desk.away("anna@example.net")
    senders = [f"together{number}@sender.example" for number in range(12)]
    for sender in senders:
        desk.write(sender=sender)
    seen, mark = len(mta.log()), desk.daemon.mark()
    sections = sections_for(mta, desk.gate.name)
    sections["spool"].update(retry_first='"1h"', retry_most='"1h"')
    desk.daemon.reload(sections)
    desk.daemon.ctl("queue", "flush")
    for sender in senders:
        desk.wait_replies(1, sender)
    assert len([line for line in desk.daemon.events("spool", mark) if line["end"] == "sent"]) == 12
    said = mta.log()[seen:]
    assert not [line for line in said.splitlines() if "pipelining" in line or "lost connection" in line]


def test_an_internationalised_sender(make_desk, mta, sink):
    """The reply needs SMTPUTF8: where the MTA does not offer it there is silence, which the log explains."""
    desk = make_desk(sections={"spool": {"submit": f'"smtp://127.0.0.1:{sink.port}"'}})  # 8BITMIME is all it has
    desk.away("anna@example.net")

    def spooled():
        mark = desk.daemon.mark()
        with desk.gate.client() as smtp:
            assert smtp.mail("jörg@sender.example", "SMTPUTF8").code == 250
            assert smtp.rcpt("anna@example.net").code == 250
            assert smtp.data(b"From: j@sender.example\nTo: anna@example.net\nSubject: Hello\n\nx\n")[1].code == 250
        assert desk.daemon.wait_event("autoreply", mark)["verdict"] == "queued"
        return desk.daemon.wait_event("spool", mark)

    refused = spooled()
    assert refused["end"] == "refused" and "does not offer SMTPUTF8" in refused["reply"]
    assert not sink.find("auto-replied")
    desk.daemon.reload(sections_for(mta, desk.gate.name))
    assert spooled()["end"] == "sent"  # the refusal has released the memory


class SlowRefuser(socketserver.StreamRequestHandler):
    """An MTA that thinks for a while about what it was handed, and then does not want it."""

    def handle(self):
        self.wfile.write(b"220 slow\r\n")
        for line in self.rfile:
            self.wfile.write(b"354 go on\r\n" if line.startswith(b"DATA") else b"250 fine\r\n")
            if line.startswith(b"DATA"):
                while self.rfile.readline() != b".\r\n":
                    pass
                self.server.dots.append(time.monotonic())
                time.sleep(5)
                self.wfile.write(b"554 5.7.1 not here\r\n")


def test_a_reload_between_the_dot_and_its_answer(make_desk):
    """The worker that ends hears the answer: the refusal releases the memory."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SlowRefuser) as server:
        server.daemon_threads, server.block_on_close, server.dots = True, False, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        desk = make_desk(sections={"spool": {"submit": f'"smtp://127.0.0.1:{server.server_address[1]}"'}})
        desk.away("anna@example.net")
        mark = desk.daemon.mark()
        desk.write()
        wait_until(lambda: server.dots, 10, "the final dot")
        desk.daemon.reload()
        assert desk.daemon.wait_event("spool", mark)["end"] == "refused"
        mark = desk.daemon.mark()
        desk.write()
        assert desk.daemon.wait_event("autoreply", mark)["verdict"] == "queued"
        server.shutdown()


# ---- a store that machines share ----

def test_two_machines_share_the_memory(make_desk, redis):
    one = make_desk(store=f'"{redis.url}"')
    two = make_desk(store=f'"{redis.url}"')
    one.away("anna@example.net")
    two.number = 100
    one.write()
    one.wait_replies(1)
    two.expect_silence("autoreply.remembered")
    two.ctl("reset", "anna@example.net")
    two.write()
    two.wait_replies(2)
    one.expect_silence("autoreply.remembered")


def test_redis_is_killed_in_the_middle(make_desk, redis):
    desk = make_desk(store=f'"{redis.url}"')
    desk.away("anna@example.net")
    desk.write(sender="early@sender.example")
    desk.wait_replies(1, "early@sender.example")
    redis.kill()
    mark = desk.daemon.mark()
    for _ in range(5):
        desk.write(sender="late@sender.example")  # mail flows
    [told] = [e for e in desk.daemon.text_since(mark).splitlines() if " error: " in e]  # once a minute
    assert "event=store-down" in told
    assert int(desk.daemon.status()["store.failures"]) >= 5
    assert json.loads(desk.daemon.ctl("status", "--json").stdout)["counters"]["store.failures"] >= 5
    redis.start()
    wait_until(lambda: desk.write(sender="late@sender.example") and desk.replies("late@sender.example"), 15,
               "the reply after Redis came back", 1)
    desk.wait_replies(1, "late@sender.example")
    desk.expect_silence("autoreply.remembered", sender="early@sender.example")
    assert int(desk.daemon.status()["why.autoreply.trouble"]) >= 5


def test_a_reply_is_deleted_while_redis_is_down(make_desk, redis):
    """The sender counts as not answered when Redis is back, though a worker was restarted in between."""
    submit = {"submit": f'"smtp://127.0.0.1:{free_port()}"', "retry_first": "500ms", "retry_most": "1s"}
    desk = make_desk(store=f'"{redis.url}"', sections={"spool": submit})
    entries = lambda: json.loads(desk.daemon.ctl("queue", "list", "--json").stdout)  # noqa: E731
    desk.away("anna@example.net")
    desk.write()
    wait_until(lambda: [e for e in entries() if e["attempts"]], 10, "a failed attempt")
    desk.expect_silence("autoreply.remembered")
    assert not entries()[0]["is_decided"]
    redis.kill()
    mark = desk.daemon.mark()
    assert "1 entry will be deleted" in desk.daemon.ctl("queue", "delete", "--all").stdout
    assert desk.daemon.wait_event("spool-decided", mark)["end"] == "deleted"
    for _ in range(2):
        assert [e["is_decided"] for e in entries()] == [True]
        assert "is not sent any more" in desk.daemon.ctl("queue", "list").stdout
        desk.daemon.stop()
        desk.daemon.start()
    mark = desk.daemon.mark()
    redis.start()
    assert desk.daemon.wait_event("spool", mark, timeout=15)["end"] == "deleted"
    assert desk.daemon.ctl("queue", "list").stdout == "the queue is empty\n"
    mark = desk.daemon.mark()
    desk.write()
    assert desk.daemon.wait_event("autoreply", mark)["verdict"] == "queued"


def test_a_corrupt_store_is_moved_aside(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    desk.daemon.stop()
    path = os.path.join(desk.daemon.state, "postern.db")
    for name in (path + "-wal", path + "-shm"):
        if os.path.exists(name):
            os.unlink(name)
    with open(path, "r+b") as file:
        file.write(b"this is no database at all" * 100)
    desk.daemon.start()
    desk.write()
    aside = [n for n in os.listdir(desk.daemon.state) if ".corrupt-" in n]
    assert aside and "corrupt" in desk.daemon.text()
    desk.away("anna@example.net")
    desk.write()
    desk.wait_replies(1)


def put_garbage(path):
    """In the place of the database at PATH, which stays open under another name."""
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.rename(path + suffix, f"{path}.kept{suffix}")
    with open(path, "wb") as file:
        file.write(b"this is no database at all" * 100)
    os.chmod(path, 0o666)


def test_losses_are_told(make_desk):
    """To who asks for what is lost, and in the log of a daemon that found another file; mail flows."""
    desk = make_desk()
    store, spool = (os.path.join(desk.daemon.state, name) for name in ("postern.db", "spool.db"))
    desk.away("anna@example.net")
    desk.write()
    desk.wait_replies(1)
    mark = desk.daemon.mark()
    put_garbage(store)
    done = desk.daemon.ctl("autoreply", "export", check=False)
    assert done.returncode == 75 and done.stdout == "" and "moved aside to" in done.stderr
    assert desk.daemon.ctl("autoreply", "export").stdout == "[]\n"
    put_garbage(spool)
    desk.daemon.wait_text("THE QUEUE IS", mark)  # its sender looks each second
    desk.write()
    desk.daemon.wait_text("IS NOT THE FILE IT WAS", mark)
    desk.away("anna@example.net")
    desk.write(sender="second@sender.example")
    desk.wait_replies(1, "second@sender.example")
    assert desk.daemon.text_since(mark).count(f"{store} IS NOT THE FILE IT WAS") == 1
    desk.daemon.stop()
    put_garbage(spool)
    done = desk.daemon.ctl("queue", "list", check=False)
    assert done.returncode == 75 and done.stdout == "" and "moved aside" in done.stderr
    assert desk.daemon.ctl("queue", "list").stdout == "the queue is empty\n"
    os.truncate(store, 0)
    mark = desk.daemon.mark()
    desk.daemon.start()
    desk.write()
    assert f"{store} IS CORRUPT (it is empty" in desk.daemon.text_since(mark)  # beside it lay its log
    desk.away("anna@example.net")
    desk.write(sender="third@sender.example")
    desk.wait_replies(1, "third@sender.example")


def test_explain_says_why_not(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    message = b"From: w@sender.example\nTo: anna@example.net\nSubject: x\nPrecedence: list\n\nHello\n"
    told = desk.daemon.explain(message, "192.0.2.7", "mail.sender.example", SENDER, ["anna@example.net"])
    assert "autoreply.precedence" in told["facts"]["autoreply"]
    told = desk.daemon.explain(message.replace(b"Precedence: list\n", b""), "192.0.2.7", "mail.sender.example", SENDER,
                               ["anna@example.net"])
    assert "would be queued" in told["facts"]["autoreply"]
    told = desk.daemon.explain(message, "192.0.2.7", "mail.sender.example", "<>", ["anna@example.net"])
    assert "autoreply.null-sender" in told["facts"]["autoreply"]
    told = desk.daemon.explain(message, "192.0.2.7", "mail.sender.example", SENDER, ["nobody@example.net"])
    assert "something stored" in told["facts"]["autoreply"]
    desk.ctl("off", "anna@example.net")
    told = desk.daemon.explain(message, "192.0.2.7", "mail.sender.example", SENDER, ["anna@example.net"])
    assert "no message is active" in told["facts"]["autoreply"]
    time.sleep(0.5)
    assert desk.replies() == []


def test_explain_says_what_options_forbid(make_desk):
    desk = make_desk()
    desk.away("anna@example.net")
    header = b"From: w@sender.example\nTo: anna@example.net\nSubject: x\n"

    def explain(options=None, general=None, message=header + b"\nHello\n", client="192.0.2.7", more=None):
        desk.daemon.write({"": general or {}, "autoreply": options or {}, **(more or {})})
        told = desk.daemon.explain(message, client, "mail.sender.example", SENDER, ["anna@example.net"])
        [note] = [check for check in told["checks"] if check["check"] == "autoreply"] or [None]
        path = os.path.join(desk.daemon.directory, "explained")
        with open(path, "wb") as file:
            file.write(message)
        text = desk.daemon.ctl("explain", "--client-ip", client, "--helo", "mail.sender.example", "--from", SENDER,
                               "--to", "anna@example.net", path).stdout
        assert note is None or f"  autoreply: {'' if note['asked'] else 'not asked, '}{note['why']}\n" in text
        return note and (note["asked"], note["why"]), told["facts"]

    unknown = "; only the running daemon knows how many there were"
    caps = "max_per_minute = 600, max_per_sender_domain_per_hour = 500, max_per_mailbox_per_hour = 200"
    note, facts = explain()
    assert note is None and facts["autoreply"] == "anna@example.net: would be queued"
    assert facts["autoreply.caps"] == f"no reply past {caps}{unknown}"
    note, facts = explain({"max_per_minute": "0", "max_per_mailbox_per_hour": "1"})
    assert facts["autoreply.caps"] == \
        f"no reply past max_per_sender_domain_per_hour = 500, max_per_mailbox_per_hour = 1{unknown}"
    _, facts = explain({name: "0" for name in ("max_per_minute", "max_per_sender_domain_per_hour",
                                               "max_per_mailbox_per_hour")})
    assert "would be queued" in facts["autoreply"] and "autoreply.caps" not in facts
    assert "autoreply.caps" not in explain(message=header + b"Precedence: list\n\nHello\n")[1]
    note, facts = explain({"mode": "monitor"})
    assert note == (True, "mode = monitor: what it says is logged, not done")
    assert facts["autoreply"] == "anna@example.net: would be queued, were mode not monitor"
    note, facts = explain(general={"mode": "monitor"})
    assert note == (True, "mode = monitor at the top level: what it says is logged, not done")
    assert explain({"mode": "off"}, {"mode": "monitor"})[0] == (False, "mode = off")
    note, facts = explain(general={"mode": "off"})
    assert note == (False, "mode = off at the top level") and "autoreply" not in facts
    note, facts = explain({"applies_to": "{ trusted, local }"})
    assert note == (False, "applies_to does not name outside") and "autoreply" not in facts
    assert explain({"applies_to": "{ trusted, local }"}, client="127.0.0.1")[0] is None
    encrypted = mails.attached("a.zip", archives.zip_encrypted({"r.txt": b"x" * 40}))
    for answer, why in (("quarantine", "the message is held in quarantine"), ("reject", "the message is not accepted")):
        assert explain(message=encrypted, more={"attachments": {"encrypted": answer}})[0] == (False, why)
    told = desk.daemon.explain(encrypted, "192.0.2.7", "mail.sender.example", SENDER, ["anna@example.net"])
    assert {"check": "bounces", "asked": False, "why": "its options give it nothing to do"} in told["checks"]
    assert {"check": "spf", "asked": False, "why": "mode = off"} in told["checks"]


# ---- in Sendmail's queue: it queues everything and delivers nothing ----

def queued_replies(sendmail):
    """(control file, content) of each reply in Sendmail's queue."""
    directory = os.path.join(sendmail.directory, "queue")
    found = []
    for name in os.listdir(directory):
        queued = sendmail.queued(name[2:]) if name.startswith("qf") else None
        if queued and "auto-replied" in queued[0]:
            found.append(queued)
    return found


def test_many_leave_together_through_sendmail(area, namespace):
    directory = os.path.join(area, "sendmail-together")
    os.mkdir(directory, 0o755)
    sendmail = PrivateSendmail(directory, [("postern", f"inet:{free_port()}@127.0.0.1")],
                               ("127.0.0.1", namespace.server))
    spool = {"retry_first": "1h", "retry_most": "1h"}
    daemon = Posternd(directory, "daemon", sendmail.filters[0][1],
                      {"spool": {"submit": '"smtp://127.0.0.1:9"', **spool}})
    daemon.start()
    try:
        with sendmail:
            daemon.ctl("autoreply", "import", "-", input=json.dumps(
                [{"mailbox": "anna@example.net", "active": "a", "messages": [{"name": "a", "body": "Away."}]}]))
            for number in range(12):
                with Smtp(sendmail.port, namespace.server, opener=namespace.connect) as smtp:
                    smtp.ehlo("mail.sender.example")
                    text = f"From: s{number}@sender.example\nTo: anna@example.net\nSubject: Hello\n\nx\n"
                    outcome = smtp.transaction(f"s{number}@sender.example", ["anna@example.net"], text.encode())
                    assert outcome.end.code == 250
            mark = daemon.mark()
            daemon.reload({"spool": {"submit": f'"smtp://127.0.0.1:{sendmail.port}"', **spool}})
            daemon.ctl("queue", "flush")
            wait_until(lambda: len([e for e in daemon.events("spool", mark) if e["end"] == "sent"]) == 12, 20,
                       "twelve replies sent")
            assert len(wait_until(lambda: len(queued_replies(sendmail)) >= 12 and queued_replies(sendmail), 10,
                                  "twelve replies in Sendmail's queue")) == 12
    finally:
        assert daemon.stop() == 0


def test_through_sendmail(area, namespace):
    directory = os.path.join(area, "sendmail-replies")
    os.mkdir(directory, 0o755)
    sendmail = PrivateSendmail(directory, [("postern", f"inet:{free_port()}@127.0.0.1")],
                               ("127.0.0.1", namespace.server))
    daemon = Posternd(directory, "daemon", sendmail.filters[0][1],
                      {"spool": {"submit": f'"smtp://127.0.0.1:{sendmail.port}"'}})
    daemon.start()
    try:
        with sendmail:
            daemon.ctl("autoreply", "import", "-", input=json.dumps(
                [{"mailbox": "anna@example.net", "active": "a", "messages": [{"name": "a", "body": "Away."}]}]))
            for number in range(2):
                mark = daemon.mark()
                with Smtp(sendmail.port, namespace.server, opener=namespace.connect) as smtp:
                    smtp.ehlo("mail.sender.example")
                    text = f"From: {SENDER}\nTo: anna@example.net\nSubject: Hello\nMessage-ID: <s{number}@sender.example>\n\nx\n"
                    assert smtp.transaction(SENDER, ["anna@example.net"], text.encode()).end.code == 250
                line = daemon.wait_event("autoreply", mark)
                if number == 0:
                    assert line["verdict"] == "queued"
                    daemon.wait_event("spool", mark, end="sent")
                else:
                    assert line["why"] == "autoreply.remembered"
            [(control, _)] = wait_until(lambda: queued_replies(sendmail), 10, "the reply in Sendmail's queue")
            assert "\nS<>\n" in control
            [flags] = re.findall(rf"^R([^:]*):<{SENDER}>$", control, re.M)
            assert "N" in flags and not set("SFD") & set(flags)  # NOTIFY=NEVER
            assert "Auto: Hello" in control and "In-Reply-To: <s0@sender.example>" in control
    finally:
        assert daemon.stop() == 0
