"""Postern behind an MTA that is played by hand: every negotiation gets the same answers, and no order of events, however
odd, gets a wrong one."""
import random
import resource

import pytest

from attachment_table import MZ
from harness import archives, mails, milter
from harness.milter import ALL_ACTIONS, ALL_STEPS, GO_ON, Milter, V2_ACTIONS, V2_STEPS
from harness.posternd import Posternd, strings
from harness.tools import wait_until

pytestmark = pytest.mark.seconds(120)

SECTIONS = {"": {"local_domains": strings("example.net")},
            "recipients": {"max": 5, "max_header": 8},
            "attachments": {"encrypted": "tag", "max_size": "400k"}}

# version, actions, steps: what the MTA offers
OFFERS = {
    "everything": (6, ALL_ACTIONS, ALL_STEPS),
    "no leading space": (6, ALL_ACTIONS, ALL_STEPS & ~milter.LEADING_SPACE),
    "no skip": (6, ALL_ACTIONS, ALL_STEPS & ~milter.SKIP),
    "a reply to everything": (6, ALL_ACTIONS, ALL_STEPS & ~milter.NO_REPLIES),
    "no list of macros": (6, ALL_ACTIONS & ~milter.SYMBOL_LIST, ALL_STEPS),
    "nothing left out": (6, ALL_ACTIONS, milter.NO_REPLIES | milter.SKIP | milter.LEADING_SPACE),
    "no step at all": (6, ALL_ACTIONS, 0),
    "version 2": (2, V2_ACTIONS, V2_STEPS),
}


@pytest.fixture(scope="module")
def daemon(area):
    with Posternd(area, "protocol", sections=SECTIONS) as value:
        yield value
        assert "claimed not to reply" not in value.text()


@pytest.fixture(params=OFFERS, ids=lambda name: name.replace(" ", "-"))
def connect(request, daemon):
    version, actions, steps = OFFERS[request.param]
    opened = []

    def make(helo="mail.sender.example", **more):
        opened.append(Milter(daemon.socket, version, actions, steps))
        assert opened[-1].connect(**more) == GO_ON
        if helo is not None:
            assert opened[-1].helo(helo) == GO_ON
        return opened[-1]
    yield make
    for one in opened:
        one.socket.close()


def end_of(mta, message, recipients=("user@example.net",)):
    return mta.message(message, recipients)[1]


def test_same_answers_under_every_negotiation(connect, daemon):
    mta = connect()
    many = [f"u{i}@example.net" for i in range(6)]
    encrypted = mails.attached("a.zip", b"PK\x03\x04\x14\x00\x09\x00\x00\x00" + b"\0" * 40, kind="application/zip")
    for _ in range(2):  # several messages a connection, none of which leaves anything to the next
        assert end_of(mta, mails.plain()) == GO_ON
        answer = end_of(mta, mails.attached("run.exe", MZ))
        assert answer.text == "554 5.7.0 <run.exe> - attachment type not accepted"
        rcpts, answer = mta.message(mails.plain(), many)
        assert rcpts[:5] == [GO_ON] * 5 and answer == GO_ON
        assert rcpts[5].text == "452 4.5.3 <u5@example.net>... Too many recipients, at most 5 a message"
        answer = end_of(mta, mails.header(extra=b"Cc: " + b", ".join(b"a%d@b.example" % i for i in range(8)) + b"\n")
                        + b"\ntext\n")
        assert answer.text.startswith("554 5.5.3 Too many recipients in To and Cc: 9")
        assert end_of(mta, mails.attached("big.bin", b"x" * 500000)).text.startswith("552 5.3.4 <big.bin>")
        rcpts, answer = mta.message(mails.plain(), many, auth_authen="alice")
        assert answer.code == 554 and rcpts[5].code == 550
        assert end_of(mta, encrypted) == GO_ON
        added = [data for kind, data in mta.edits if kind in "ih"]
        # The last to be added stands on top.
        assert len(added) == 2 and b"X-Postern\0" in added[0] and b"Authentication-Results\0" in added[1]
        # With HDR_LEADSPC the space is ours to give, without it the MTA's.
        assert (b"X-Postern\0 suspicious" in added[0]) == bool(mta.steps & milter.LEADING_SPACE)


def test_content_is_the_same_under_every_negotiation(connect, daemon):
    """The size in the log is that of the message, the space behind each colon and the folds included."""
    mta, mark = connect(), daemon.mark()
    message = mails.header("fold", b"X-Folded: one\n\ttwo\n three\n") + b"\nbody\n"
    assert end_of(mta, message) == GO_ON
    assert int(daemon.wait_event("message", mark)["size"]) == len(message.replace(b"\n", b"\r\n"))


def test_forged_mark_is_removed(connect):
    mta = connect()
    assert end_of(mta, mails.header(extra=b"X-Postern: suspicious; why=forged\nX-postern: again\n") + b"\nx\n") == GO_ON
    assert [data[:4] for kind, data in mta.edits if kind == "m"] == [b"\0\0\0\2", b"\0\0\0\1"]


def test_edits_that_were_not_offered(daemon):
    """The message passes without them, and the log says so."""
    mark = daemon.mark()
    encrypted = mails.attached("a.zip", archives.zip_encrypted({"r.txt": b"x" * 40}))
    with Milter(daemon.socket, actions=milter.CHANGE_BODY) as mta:  # libmilter takes 0 for those of version 1
        assert mta.connect() == GO_ON and mta.helo() == GO_ON
        assert end_of(mta, b"X-Postern: forged\n" + encrypted) == GO_ON
        assert mta.edits == []
    for edit in ("delete-header", "add-header"):
        daemon.wait_text(f"the MTA did not offer the edit {edit}", mark)


def test_helo(connect):
    mta = connect("www")
    assert mta.mail() == GO_ON
    assert mta.rcpt().text == "550 5.7.1 <user@example.net>... Access denied - bogus HELO [www]"
    assert mta.rcpt("postmaster@example.net") == GO_ON
    # Postfix names the mailer "error" for every recipient in a virtual alias domain, and takes the recipient.
    assert mta.rcpt("alias@example.net", rcpt_mailer="error", rcpt_addr="alias@example.net").code == 550
    mta.abort()
    assert mta.helo("mail.sender.example") == GO_ON  # as after STARTTLS: the second one counts
    assert end_of(mta, mails.plain()) == GO_ON
    assert mta.helo("localhost") == GO_ON
    assert mta.mail(auth_authen="alice") == GO_ON and mta.rcpt() == GO_ON
    mta.abort()
    # Not authenticated any more, and so a stranger again.
    assert mta.mail(i="4XYZ") == GO_ON and mta.rcpt().code == 550
    missing = connect(None)
    assert missing.mail() == GO_ON and missing.rcpt().code == 550


def test_excess_counts_those_that_stand(connect):
    mta = connect()
    assert mta.mail() == GO_ON
    for i in range(5):
        assert mta.rcpt(f"u{i}@example.net", rcpt_mailer="error") == GO_ON
        assert mta.rcpt(f"u{i}@EXAMPLE.net") == GO_ON  # the same one
    assert mta.rcpt("late@example.net").code == 452
    assert mta.rcpt("u0@example.net") == GO_ON
    mta.abort()
    assert mta.mail() == GO_ON and mta.rcpt("late@example.net") == GO_ON


@pytest.mark.parametrize("how", [{"port": 0, "address": "127.0.0.1"}, {"address": None},
                                 {"address": "127.0.0.1", "i": "4QUEUED"}])
def test_local_is_answered_at_the_end(connect, daemon, how):
    mta, mark = connect("localhost", name="localhost", **how), daemon.mark()
    rcpts, answer = mta.message(mails.plain(), [f"u{i}@example.net" for i in range(9)])
    assert rcpts == [GO_ON] * 9
    assert answer.code == 550 and answer.text.startswith("550 5.5.3 <u5@example.net>")
    assert daemon.wait_event("message", mark)["class"] == "local"
    assert end_of(mta, mails.plain()) == GO_ON


def test_message_without_an_end_of_header(connect):
    """DATA and end of header need not come; what they say is said at the end."""
    mta = connect()
    assert mta.mail(auth_authen="alice") == GO_ON
    assert [mta.rcpt(f"u{i}@example.net").code for i in range(6)] == [250] * 5 + [550]
    assert mta.end().code == 554
    assert end_of(mta, mails.plain()) == GO_ON
    assert mta.mail() == GO_ON and mta.rcpt() == GO_ON
    assert mta.body(b"no header\r\n") in (GO_ON, "s") and mta.end() == GO_ON


def test_abort_in_every_phase(connect):
    """An event after which abort comes, or none at all: the next message is judged by itself."""
    exe = mails.attached("run.exe", MZ)
    head, _, body = exe.partition(b"\n\n")
    mta = connect()
    phases = [mta.mail, mta.rcpt, mta.data, lambda: mta.header("Subject", " x"),
              lambda: mta.header("Content-Type", " " + head.partition(b"Content-Type: ")[2].decode()),
              mta.end_of_header, lambda: mta.body(body.replace(b"\n", b"\r\n"))]
    for is_told in (True, False):
        for last in range(1, len(phases) + 1):
            for phase in phases[:last]:
                assert phase() in (GO_ON, "s")
            if is_told:
                mta.abort()
            assert end_of(mta, mails.plain()) == GO_ON
    assert end_of(mta, exe).code == 554
    assert end_of(mta, mails.plain()) == GO_ON


def test_hostile_bytes(connect, daemon):
    mta, mark = connect("m\xe4il\x1b[31m.\"sender\r.example"), daemon.mark()
    assert mta.mail("s\xff\"x y@sender.example") == GO_ON
    answer = mta.rcpt("100%\xfc%s@example.net")
    assert answer.code == 550
    # Printable ASCII on one line, '%' doubled as libmilter's documents ask for.
    assert all(" " <= c <= "~" for c in answer.text) and "<100%%?%%s@example.net>" in answer.text
    event = daemon.wait_event("recipient", mark)
    assert event["rcpt"] == "100%\xfc%s@example.net" and event["helo"].startswith("m\xe4il\x1b[31m.\"")
    assert len(mta.rcpt("a" * 3000 + "@example.net").text) <= 1000


def test_events_at_random(daemon):
    """Whatever comes, in whatever order: the worker stays, and answers the next message as ever."""
    before, rng = daemon.workers(), random.Random(20260302)
    for _ in range(60):
        version, actions, steps = rng.choice(list(OFFERS.values()))
        with Milter(daemon.socket, version, actions, steps) as mta:
            for _ in range(40):
                command = rng.choice("CHMRTLNBEADUQK" if rng.random() < 0.02 else "CHMRTLNBEADU")
                data = {"C": b"x\x004\x10\x001.2.3.4\0", "H": b"h.example\0", "M": b"<a@b.example>\0", "L": b"To\0x\0",
                        "R": b"<c@example.net>\0", "B": b"text\r\n", "D": b"Mi\0QQ\0", "U": b"NOOP\0"}.get(command, b"")
                try:
                    mta.send(command, data)
                except OSError:  # it has had enough
                    break
    with Milter(daemon.socket) as mta:
        assert mta.connect() == GO_ON and mta.helo() == GO_ON
        assert end_of(mta, mails.plain()) == GO_ON
        assert end_of(mta, mails.attached("run.exe", MZ)).code == 554
    assert daemon.workers() == before


def test_repetition_takes_no_memory(daemon):
    """Ten thousand times the same in one connection, and what the worker keeps for it does not grow."""
    with Milter(daemon.socket) as mta:
        assert mta.connect() == GO_ON

        def repeat(count):
            for i in range(count):
                mta.helo(f"mail{i % 7}.sender.example")
                mta.mail(auth_authen=f"user{i % 5}", i="4XYZ")
                mta.rcpt(rcpt_mailer="smtp")
                mta.abort()
        repeat(1000)
        before = daemon.memory_kb("VmRSS")
        repeat(10000)
        assert daemon.memory_kb("VmRSS") - before < 1500


@pytest.mark.seconds(240)
def test_endless_header_and_endless_refusals(daemon):
    """What is refused or over the limit is not kept, with leading spaces of the MTA's or of ours."""
    for steps in (ALL_STEPS, ALL_STEPS & ~milter.LEADING_SPACE):
        with Milter(daemon.socket, steps=steps) as mta:
            assert mta.connect() == GO_ON and mta.helo("www") == GO_ON
            assert mta.mail() == GO_ON and mta.rcpt("postmaster@example.net") == GO_ON
            mta.header("X-Long", " " + "x" * 60000)
            before = daemon.memory_kb("VmRSS")
            for _ in range(1000):
                mta.header("X-Long", " " + "x" * 60000)
            assert mta.end_of_header() == GO_ON
            assert daemon.memory_kb("VmRSS") - before < 20000
            assert mta.end().text == "554 5.6.0 Message header is too large"
    with Milter(daemon.socket) as mta:
        assert mta.connect() == GO_ON and mta.helo("www") == GO_ON and mta.mail() == GO_ON
        codes = [mta.rcpt(f"u{i}@example.net").code for i in range(10001)]
        assert codes == [550] * 10000 + [452]


def test_thousand_connections(area):
    """Idle in the middle of a message, in every negotiation; the next one is answered all the same, and each is ended."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    opened, offers = [], list(OFFERS.values())
    with Posternd(area, "thousand", sections=SECTIONS) as daemon:
        try:
            for i in range(1000):
                mta = Milter(daemon.socket, *offers[i % len(offers)])
                opened.append(mta)
                assert mta.connect() == GO_ON and mta.helo() == GO_ON
                assert mta.mail() == GO_ON and mta.rcpt() == GO_ON and mta.data() == GO_ON
                mta.header("Subject", " half")
            assert daemon.memory_kb("VmRSS") < 100000
            assert daemon.status()["sessions open"] == "1000"
            with Milter(daemon.socket) as mta:
                assert mta.connect() == GO_ON and mta.helo() == GO_ON
                assert end_of(mta, mails.attached("run.exe", MZ)).code == 554
            for mta in opened:
                assert mta.end_of_header() == GO_ON and mta.body(b"text\r\n") in (GO_ON, "s") and mta.end() == GO_ON
        finally:
            for mta in opened:
                mta.socket.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        wait_until(lambda: daemon.status()["sessions open"] == "0", 20, "the end of all sessions")
