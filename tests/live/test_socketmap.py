"""The socketmap of srs { socketmap }: asked by Postfix's own postmap and by clients of all kinds, across reloads and crashes,
and the recipe contrib/postfix/srs-local.cf with a real local(8)."""
import contextlib
import os
import re
import shutil
import signal
import socket
import threading
import time

import dkim
import pytest
import spf

from harness import mails
from harness.postfix import PrivatePostfix, Service
from harness.posternd import quote, wait_gone
from harness.sink import Sink
from harness.smtp import Smtp
from harness.tools import free_port, run, source_directory, wait_until
from test_dkim import Keys

DOMAIN = "fwd.example.net"
SRS0 = re.compile(r"SRS0=[A-Za-z0-9_-]{4}=[A-Z2-7]{2}=sender\.example=a@fwd\.example\.net")


def srs(socket_spec, **more):
    return {"srs": {"domain": quote(DOMAIN), "socketmap": quote(socket_spec), **more}}


class Asked:
    """A client that keeps its connection and asks one thing at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(15)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, name, key):
        """The answer; EOFError if the server has closed the connection."""
        request = f"{name} {key}".encode()
        length = b""
        try:
            self.socket.sendall(b"%d:%s," % (len(request), request))
            while not length.endswith(b":"):
                byte = self.file.read(1)
                if not byte:
                    raise EOFError("closed")
                length += byte
            answer = self.file.read(int(length[:-1]) + 1)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError(str(error)) from None
        assert answer.endswith(b","), answer
        return answer[:-1].decode()

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def path(area):
    """Of a socket in a directory that is the daemon's user's."""
    path.count = getattr(path, "count", 0) + 1
    directory = os.path.join(area, f"srs{path.count}")
    os.mkdir(directory, 0o755)
    shutil.chown(directory, "nobody")
    return os.path.join(directory, "srs.sock")


def postmap(key, table, check=True):
    """(exit status, what it found, what it complained of)"""
    done = run("postmap", "-q", key, f"socketmap:{table}", check=False)
    if check:
        assert not done.stderr, done.stderr
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("kind", ["unix", "inet"])
def test_postmap(make_gate, path, kind):
    port = free_port()
    make_gate(srs(f"unix:{path}" if kind == "unix" else f"inet:{port}@127.0.0.1"))
    table = f"unix:{path}" if kind == "unix" else f"inet:127.0.0.1:{port}"
    status, address = postmap("a@sender.example", f"{table}:forward")
    assert status == 0 and SRS0.fullmatch(address)
    assert postmap(address, f"{table}:reverse") == (0, "a@sender.example")
    assert postmap(address.lower(), f"{table}:reverse") == (0, "a@sender.example")
    foreign = "SRS0=AAAA=BB=x.example=u@other.example"
    status, address = postmap(foreign, f"{table}:forward")
    assert status == 0 and re.fullmatch(r"SRS1=.{4}=other\.example==AAAA=BB=x\.example=u@" + DOMAIN, address)
    assert postmap(address, f"{table}:reverse") == (0, foreign)
    long = "a" * 60 + "@sender.example"  # kept in the store
    status, address = postmap(long, f"{table}:forward")
    assert status == 0 and len(address.split("@")[0]) <= 64
    assert postmap(address, f"{table}:reverse") == (0, long)
    nothing = (1, "")
    for key in ("a@example.net", "a@sub.example.net", f"a@{DOMAIN}", address, "a", "@sender.example", "MAILER-DAEMON"):
        assert postmap(key, f"{table}:forward") == nothing, key
    for key in ("a@sender.example", "a@example.net", f"a@{DOMAIN}", foreign, address.replace("SRS0=", "SRS0=x")):
        assert postmap(key, f"{table}:reverse") == nothing, key
    done = run("postmap", "-q", "a@sender.example", f"socketmap:{table}:other", check=False)
    assert done.returncode == 1 and "unknown map other" in done.stderr


def test_file(make_gate, path):
    gate = make_gate(srs(f"unix:{path}", socketmap_mode=quote("0640")))
    assert os.stat(path).st_mode & 0o7777 == 0o640
    assert os.listdir(os.path.dirname(path)) == ["srs.sock"]
    assert f"socketmap: forward and reverse are answered on unix:{path}" in gate.daemon.text()
    gate.daemon.stop()
    assert os.listdir(os.path.dirname(path)) == []


def test_hostile_clients(make_gate, path):
    gate = make_gate(srs(f"unix:{path}"))
    for octets in (b"get a@sender.example\n", b"99999:", b"024:forward a@sender.example,", b"\0" * 5000,
                   b"23:forward a@sender.example,", b"7:forward," * 100 + b"x"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.sendall(octets)
                while client.recv(65536):  # until it is closed
                    pass
    asked = Asked(path)
    assert asked.ask("forward", "a@sender.example").startswith("OK SRS0=")
    asked.close()
    assert gate.daemon.text().count("a client sent what is no request") == 1  # a minute


class Askers:
    """Threads that ask all the time, half of them by a new connection each time. What failed is in FAILURES."""

    def __init__(self, path, count=4):
        self.path, self.is_over, self.answers, self.failures = path, False, 0, []
        self.threads = [threading.Thread(target=self.run, args=(i % 2 == 0,)) for i in range(count)]

    def run(self, keeps):
        asked, retried = None, False
        while not self.is_over:
            try:
                asked = asked or Asked(self.path)
                answer = asked.ask("forward", "a@sender.example")
                assert answer.startswith("OK SRS0="), answer
                self.answers += 1
                retried = False
            except OSError as error:  # nobody listens
                self.failures.append(repr(error))
                asked = None
            except EOFError as error:  # the old worker ended; who asks anew must be answered, as Postfix expects
                if retried or not keeps:
                    self.failures.append(repr(error))
                asked, retried = None, True
                continue
            if not keeps and asked:
                asked.close()
                asked = None

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


@pytest.mark.seconds(120)
@pytest.mark.load
def test_reload(make_gate, path):
    """Nobody is refused while workers come and go, and who stays connected is answered by the old one."""
    sections = srs(f"unix:{path}")
    gate = make_gate(sections)
    old = gate.daemon.workers()
    with Askers(path) as askers:
        asked = Asked(path)
        assert asked.ask("forward", "a@sender.example").startswith("OK ")
        with gate.client() as smtp:  # keeps the first worker
            smtp.mail("s@sender.example")
            for _ in range(3):
                new = gate.daemon.reload(sections)
            assert asked.ask("forward", "a@sender.example").startswith("OK ")
            assert set(old + new) <= set(gate.daemon.workers())
            smtp.quit()
        wait_gone(old, 20)
        with pytest.raises(EOFError):
            asked.ask("forward", "a@sender.example")
        before = askers.answers
        wait_until(lambda: askers.answers > before + 100, 10, "answers by the new worker")
    assert not askers.failures, askers.failures[:5]
    assert os.listdir(os.path.dirname(path)) == ["srs.sock"]


def test_killed_worker(make_gate, path):
    """A worker that is killed leaves its file behind; the next one takes its place."""
    gate = make_gate(srs(f"unix:{path}"))
    for _ in range(2):
        worker = gate.daemon.workers()[-1]
        os.kill(worker, signal.SIGKILL)
        wait_gone([worker])
        wait_until(lambda: postmap("a@sender.example", f"unix:{path}:forward", check=False)[0] == 0, 15,
                   "answers by the next worker", step=0.2)
    assert os.listdir(os.path.dirname(path)) == ["srs.sock"]


def test_socketmap_comes_and_goes(make_gate, path):
    gate = make_gate({"srs": {"domain": quote(DOMAIN)}})
    assert not os.path.exists(path)
    gate.daemon.reload(srs(f"unix:{path}"))
    assert postmap("a@sender.example", f"unix:{path}:forward")[0] == 0
    gate.daemon.reload({"srs": {"domain": quote(DOMAIN)}})
    wait_until(lambda: not os.path.exists(path), 5, "the end of the socket")


@pytest.mark.parametrize("spec,text", [("unix:srs.sock", "neither unix:/PATH"), ("inet:0@127.0.0.1", "neither unix:/PATH"),
                                       ("unix:/nowhere/at/all/srs.sock", "No such file or directory")])
def test_bad_options(make_gate, path, spec, text):
    """The old worker stays, and its socket with it."""
    gate = make_gate(srs(f"unix:{path}"))
    gate.daemon.write(srs(spec))
    done = gate.daemon.ctl("reload", check=False)
    assert done.returncode != 0
    assert text in done.stdout + done.stderr + gate.daemon.text()
    assert postmap("a@sender.example", f"unix:{path}:forward")[0] == 0


# The recipe.

def recipe():
    """contrib/postfix/srs-local.cf: what belongs into main.cf as a dict, and the lines for master.cf by their service."""
    with open(os.path.join(source_directory(), "contrib/postfix/srs-local.cf"), encoding="ascii") as file:
        main, _, master = file.read().partition("# ---- master.cf ----\n")
    lines = [line for line in main.splitlines() if line and not line.startswith("#")]
    services = {}
    for line in master.splitlines():
        if line.startswith(" "):
            services[list(services)[-1]] += "\n" + line
        elif line and not line.startswith("#"):
            services[line.split()[0]] = line
    return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines), services


class PostfixWithRecipe(PrivatePostfix):
    """Real local(8), real users of this machine: games (who has a .forward), man and mail."""

    def __init__(self, directory, services, sink, namespace):
        home = os.path.join(directory, "postfix")
        self.mail, self.forward = os.path.join(home, "mail"), os.path.join(home, "forward")
        main, self.recipe_services = recipe()
        super().__init__(directory, services, transport=f"smtp:[{namespace.client}]:{sink.port}", main={
            "virtual_mailbox_domains": "", "virtual_alias_domains": "", "virtual_alias_maps": "",
            "local_transport": "local:$myhostname", "alias_maps": f"hash:{home}/aliases",
            "mail_spool_directory": f"{self.mail}/", "forward_path": f"{self.forward}/$user.forward",
            "smtpd_recipient_restrictions": "", **main})

    def _write_configuration(self):
        super()._write_configuration()
        os.makedirs(self.mail, exist_ok=True)
        os.chmod(self.mail, 0o1777)
        os.makedirs(self.forward, exist_ok=True)
        self.write("forward/games.forward", "\\games, far@remote.example\n")
        shutil.chown(f"{self.forward}/games.forward", "games")
        self.write("list", "far@remote.example\n")
        self.write("members", "far@remote.example\nmail\n")
        self.write("aliases", "away: far@remote.example\nteam: man, far@remote.example\n"
                              f"list: :include:{self.directory}/list\nmembers: :include:{self.directory}/members\n"
                              "owner-members: man\nnested: team, games\n")
        run("postalias", f"hash:{self.directory}/aliases")
        path = os.path.join(self.config, "master.cf")
        with open(path, encoding="ascii") as file:
            lines = [line for line in file.read().splitlines() if line.split()[:1] != ["local"]]
        lines += [line.replace(" - y - ", " - n - ") for line in self.recipe_services.values()]
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as file:
            file.write(text)

    def mailbox(self, user, subject):
        """The message of that subject in the maildir of USER."""
        def look():
            directory = os.path.join(self.mail, user, "new")
            for name in os.listdir(directory) if os.path.isdir(directory) else ():
                with open(os.path.join(directory, name), encoding="latin-1") as file:
                    text = file.read()
                if f"Subject: {subject}\n" in text:
                    return text
            return None
        return wait_until(look, 15, f"mail of {user}")


class Local:
    def __init__(self, gate, postfix, sink, keys, namespace):
        self.gate, self.postfix, self.sink, self.keys, self.namespace = gate, postfix, sink, keys, namespace

    def send(self, sender, recipient, subject):
        message = self.keys.sign(mails.plain(subject))
        with Smtp(self.postfix.ports["recipe"]) as smtp:
            smtp.ehlo("mail.sender.example")
            return smtp.transaction(sender, [recipient], message)

    def sent_on(self, subject):
        """The one copy that left."""
        found = self.sink.wait_for(f"Subject: {subject}\r\n")
        time.sleep(0.2)
        assert len(self.sink.find(f"Subject: {subject}\r\n")) == 1
        return found[0]


@pytest.fixture(scope="module")
def far(namespace):
    """A sink with an address of its own, so that what it gets comes from one, too."""
    sink = namespace.inside(lambda: Sink(namespace.client)).start()
    yield sink
    sink.stop()


@pytest.fixture
def local(area, make_gate, namespace, far):
    local.count = getattr(local, "count", 0) + 1
    directory = os.path.join(area, f"local{local.count}")
    os.makedirs(f"{directory}/postfix/queue/postern")
    for name in ("", "/postfix", "/postfix/queue"):
        os.chmod(directory + name, 0o755)
    shutil.chown(f"{directory}/postfix/queue/postern", "nobody")
    gate = make_gate({**srs(f"unix:{directory}/postfix/queue/postern/srs.sock", socketmap_mode=quote("0666")),
                      "": {"trusted_networks": "{}"}})
    with PostfixWithRecipe(directory, [Service("recipe", [gate.daemon.socket]), Service("bare", [])], far, namespace) as postfix:
        yield Local(gate, postfix, far, Keys(), namespace)


def spf_of(sender, address, monkeypatch):
    """What pyspf says of SENDER at a host that gets its mail from ADDRESS, and only ADDRESS may send for our domain."""
    records = {DOMAIN: f"v=spf1 ip4:{address} -all", "sender.example": "v=spf1 ip4:192.0.2.7 -all"}

    def look_up(name, kind, *_args, **_more):
        name = str(name).rstrip(".").lower()
        return [((name, kind), (records[name].encode(),))] if kind == "TXT" and name in records else []
    monkeypatch.setattr(spf, "DNSLookup", look_up)
    return spf.check2(i=address, s=sender, h="mx.example.net")[0]


@pytest.mark.seconds(120)
def test_recipe(local, monkeypatch):
    """What leaves has an SRS sender, passes SPF and DKIM, and its bounce comes back; what stays has the sender's own."""
    for recipient, users in (("away", []), ("team", ["man"]), ("list", []), ("games", ["games"]),
                             ("nested", ["man", "games"])):
        subject = f"to {recipient}"
        assert local.send("a@sender.example", f"{recipient}@example.net", subject).end.code == 250
        for user in users:
            assert "Return-Path: <a@sender.example>\n" in local.postfix.mailbox(user, subject)
    for recipient in ("away", "team", "list", "games"):
        copy = local.sent_on(f"to {recipient}")
        assert copy.recipients == ["far@remote.example"]
        assert SRS0.fullmatch(copy.sender), copy.sender
        assert spf_of(copy.sender, local.namespace.server, monkeypatch) == "pass"
        assert spf_of("a@sender.example", local.namespace.server, monkeypatch) == "fail"  # as it would be without
        assert dkim.verify(copy.content, dnsfunc=lambda *_, **__: local.keys.record.encode())
    for copy in local.sink.wait_for("Subject: to nested\r\n"):
        assert SRS0.fullmatch(copy.sender)
    assert local.send("", copy.sender, "bounce").end.code == 250
    assert local.sent_on("bounce").recipients == ["a@sender.example"]


def test_recipe_with_a_list_that_has_an_owner(local):
    """What local(8) sends on for it has the owner as its sender already."""
    assert local.send("a@sender.example", "members@example.net", "to all").end.code == 250
    sender = local.sent_on("to all").sender
    assert re.fullmatch(r"owner-members@(mx\.)?example\.net", sender)
    assert f"Return-Path: <{sender}>\n" in local.postfix.mailbox("mail", "to all")


def test_recipe_leaves_ours_alone(local):
    """Our own senders, bounces, and mail that only stays here."""
    for sender, subject in (("boss@example.net", "ours"), ("", "null"), (f"x@{DOMAIN}", "srs domain")):
        assert local.send(sender, "away@example.net", subject).end.code == 250
        assert local.sent_on(subject).sender == sender
    assert local.send("a@sender.example", "man@example.net", "stays").end.code == 250
    assert "Return-Path: <a@sender.example>\n" in local.postfix.mailbox("man", "stays")
    assert not local.sink.find("Subject: stays\r\n")


def test_recipe_refuses_what_is_not_ours(local):
    """Forged and unknown SRS addresses are refused in the conversation, other recipients as ever."""
    assert local.send("a@sender.example", "away@example.net", "for its address").end.code == 250
    address = local.sent_on("for its address").sender
    forged = address.replace("SRS0=", "SRS0=x")
    for recipient in (forged, address.replace("sender.example=a", "sender.example=b"), f"nobody-here@{DOMAIN}"):
        assert local.send("", recipient, "forged").rcpts[0].code == 550, recipient


def test_recipe_while_the_server_is_away(local):
    """Mail waits, and nothing goes out with the wrong sender."""
    local.gate.daemon.stop()
    with Smtp(local.postfix.ports["bare"]) as smtp:
        smtp.ehlo("mail.sender.example")
        assert smtp.transaction("a@sender.example", ["away@example.net"], mails.plain("early")).rcpts[0].code == 451
    local.postfix.submit("a@sender.example", ["away@example.net"], mails.plain("late"))
    time.sleep(2)
    assert not local.sink.find("Subject: late\r\n")
    local.gate.daemon.start()
    local.postfix.reload()  # pickup(8) looks again at once, not in a minute
    run("postqueue", "-c", local.postfix.config, "-f")
    assert SRS0.fullmatch(local.sent_on("late").sender)


@pytest.mark.seconds(120)
def test_recipe_across_reloads(local):
    """Postfix's own clients keep their connections, are left by the old worker, and notice nothing."""
    old, stop, codes = local.gate.daemon.workers(), threading.Event(), []

    def send():
        while not stop.is_set():
            with Smtp(local.postfix.ports["bare"]) as smtp:
                smtp.ehlo("mail.sender.example")
                outcome = smtp.transaction("a@sender.example", ["away@example.net"], mails.plain("reloaded"))
                codes.append((outcome.rcpts[0].code, outcome.end and outcome.end.code))
            time.sleep(0.02)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        for _ in range(3):
            workers = local.gate.daemon.reload()
            wait_gone(old, 20)
            time.sleep(0.5)
            old = workers
    finally:
        stop.set()
        thread.join()
    assert len(codes) > 50 and set(codes) == {(250, 250)}
    copies = local.sink.wait_for("Subject: reloaded\r\n", count=len(codes))
    assert all(SRS0.fullmatch(copy.sender) for copy in copies)
    assert "socketmap" not in local.postfix.log()
