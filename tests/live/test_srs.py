"""posternctl srs next to the distribution's Mail::SRS and postsrsd, with the same secrets: what they write we undo, what we
write they undo. And the secrets file as an administrator has it: made, rotated, refused; long senders on SQLite and Redis."""
import concurrent.futures
import json
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import time

import pytest

from harness.posternd import Posternd, program, quote
from harness.postsrsd import PostSrsd
from harness.redis import Redis
from harness.tools import run, wait_until

OURS = "fwd.example.net"
SENDERS = [
    "joe@example.org", "joe.bloggs@mail.example.org", "Joe_Bloggs@Example.ORG", "joe+list@example.org",
    "joe=x.example=y@example.org", "joe-x-y@sub-domain.example.org", "bounces+123-joe=x.example@lists.example.org",
    "u%x!#$&*?^{|}~`'/@example.org", "=@example.org", "srs@example.org", "srs00@example.org", "0@x",
] + [f"user{i}@host{i}.example.com" for i in range(12)]
FOREIGN = [
    "SRS0=aaaa=BB=example.org=joe@other.example", "SRS0+a/+a=BB=example.org=joe@other.example",
    "SRS0-aaaa=BB=example.org=joe=x@other.example", "srs0=aaaa=bb=example.org=joe@other.example",
]
PERL = r"""
use Mail::SRS; use IO::Handle; STDOUT->autoflush(1);
my ($separator, $length, @secrets) = @ARGV;
my $srs = Mail::SRS->new(Secret => \@secrets, Separator => $separator, HashLength => $length, HashMin => 4, MaxAge => 21);
while (<STDIN>) {
    chomp; my ($verb, $address) = split / /, $_, 2;
    my $result = eval { $verb eq "forward" ? $srs->forward($address, "theirs.example") : $srs->reverse($address) };
    print defined $result ? "$result\n" : "\n";
}
"""


def their_perl(secrets, verb, addresses, separator="=", length=4):
    """What Mail::SRS makes of each address, "" where it refuses."""
    done = run("perl", "-e", PERL, separator, length, *secrets, input="".join(f"{verb} {a}\n" for a in addresses))
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(addresses), done
    return answers


def undoubtful(address):
    """With the alphabet of MIME in the hash: Mail::SRS and PostSRSd 1 know no other."""
    return re.sub(r"^(SRS\d.)([^=]+)", lambda m: m[1] + m[2].replace("-", "+").replace("_", "/"), address)


@pytest.fixture(scope="module")
def redis(area):
    with Redis(area, "redis-srs") as server:
        yield server


class Desk(Posternd):
    """A configuration whose daemon does not run."""

    @property
    def secrets(self):
        return os.path.join(self.state, "srs-secrets")

    def put(self, text, mode=0o600, owner="nobody"):
        with open(self.secrets, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.secrets, mode)
        if os.geteuid() == 0:
            shutil.chown(self.secrets, owner)

    def srs(self, verb, *args):
        """(exit status, the object printed, what is on stderr)"""
        done = self.ctl("srs", verb, "--json", *args, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def all(self, verb, addresses, *args):
        """The results for many addresses."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda address: self.srs(verb, address, *args)[1]["result"], addresses))


@pytest.fixture
def desk(area):
    desk.count = getattr(desk, "count", 0) + 1
    made = Desk(area, f"srs{desk.count}", sections={"srs": {"domain": quote(OURS)}})
    made.put("a secret of two\nan older one\n")
    return made


# ---- Mail::SRS and postsrsd ----

@pytest.mark.parametrize("separator", "=+-")
def test_mail_srs(desk, separator):
    secrets = ["a secret of two", "an older one"]
    theirs = their_perl(secrets, "forward", SENDERS, separator)
    assert desk.all("reverse", theirs) == SENDERS
    second = their_perl(secrets, "forward", [a.replace("@theirs.", "@first.") for a in theirs], separator)
    assert all(a.startswith("SRS1" + separator) for a in second)
    assert desk.all("reverse", second) == [a.replace("@theirs.", "@first.") for a in theirs]
    assert desk.all("reverse", their_perl(secrets[1:], "forward", SENDERS, separator)) == SENDERS
    assert desk.all("reverse", their_perl(["not ours"], "forward", SENDERS, separator)) == [None] * len(SENDERS)
    assert desk.all("reverse", their_perl(secrets, "forward", SENDERS, separator, 8)) == SENDERS
    assert desk.all("reverse", [a.lower() for a in theirs]) == [a.lower() for a in SENDERS]


def test_mail_srs_undoes_ours(desk):
    secrets = ["a secret of two"]
    ours = desk.all("forward", SENDERS)
    assert not any(is_kept(a) for a in ours) and [undoubtful(a) for a in ours] == [
        a.replace("@theirs.example", "@" + OURS) for s, a in zip(SENDERS, their_perl(secrets, "forward", SENDERS))]
    assert their_perl(secrets, "reverse", [undoubtful(a) for a in ours]) == SENDERS
    plain = [(s, a) for s, a in zip(SENDERS, ours) if undoubtful(a) == a]
    assert len(plain) > 10 and their_perl(secrets, "reverse", [a for _, a in plain]) == [s for s, _ in plain]
    twice = desk.all("forward", FOREIGN)
    assert [a.lower() for a in their_perl(secrets, "reverse", [undoubtful(a) for a in twice])] == \
        [a.lower() for a in FOREIGN]
    thrice = desk.all("forward", [a.replace(OURS, "between.example") for a in twice])
    assert their_perl(secrets, "reverse", [undoubtful(a) for a in thrice]) == desk.all("reverse", thrice)
    assert [a.lower() for a in desk.all("reverse", thrice)] == [a.lower() for a in FOREIGN]


def is_kept(address):
    return "==" in address.split("@")[0] and not address.startswith("SRS1") and address.count("=") == 4


@pytest.mark.parametrize("separator", "=+-")
def test_postsrsd(area, desk, separator):
    with PostSrsd(os.path.join(area, f"postsrsd{ord(separator)}"), desk.secrets, "theirs.example", f"-a{separator}") as server:
        senders = [s for s in SENDERS if "." in s.split("@")[1]]  # it leaves the others alone
        theirs = [server.ask("forward", sender) for sender in senders]
        assert all(a and a.startswith("SRS0" + separator) and a.endswith("@theirs.example") for a in theirs)
        assert desk.all("reverse", theirs) == senders
        twice = [server.ask("forward", address) for address in FOREIGN]
        assert all(a.startswith("SRS1" + separator) for a in twice)
        assert [a.lower() for a in desk.all("reverse", twice)] == [a.lower() for a in FOREIGN]
        ours = desk.all("forward", senders, "--domain", "theirs.example")
        assert [server.ask("reverse", undoubtful(a)) for a in ours] == senders
        plain = [(s, a) for s, a in zip(senders, ours) if undoubtful(a) == a]
        assert len(plain) > 10 and [server.ask("reverse", a) for _, a in plain] == [s for s, _ in plain]
        ours = [undoubtful(a) for a in desk.all("forward", FOREIGN, "--domain", "theirs.example")]
        assert [server.ask("reverse", a).lower() for a in ours] == [a.lower() for a in FOREIGN]
        forged = ours[0].replace("SRS1=", "SRS1=x", 1)
        assert server.ask("reverse", forged) is None and desk.srs("reverse", forged)[1]["outcome"] == "forged"


def test_postsrsd_on_a_file_of_ours(area, desk):
    """The secrets that rotate made and keeps serve it as they are: the first line signs, the others verify."""
    os.unlink(desk.secrets)
    assert desk.srs("rotate")[1]["is_new"]
    old = [undoubtful(a) for a in desk.all("forward", SENDERS[:4], "--domain", "theirs.example")]
    assert desk.srs("rotate")[1] == {"file": desk.secrets, "is_new": False, "old_secrets": 1}
    with PostSrsd(os.path.join(area, "postsrsd-ours"), desk.secrets, "theirs.example") as server:
        assert [server.ask("reverse", a) for a in old] == SENDERS[:4]
        theirs = [server.ask("forward", s) for s in SENDERS[:4]]
        assert not set(theirs) & set(old)
    assert desk.all("reverse", theirs) == SENDERS[:4]
    assert [undoubtful(a) for a in desk.all("forward", SENDERS[:4], "--domain", "theirs.example")] == theirs


# ---- the command ----

def test_what_is_said(desk):
    done = desk.ctl("srs", "forward", "joe@example.org", "--now", "1577836860")
    address = done.stdout.strip()
    assert re.fullmatch(r"SRS0=[\w-]{4}=2W=example\.org=joe@fwd\.example\.net", address)
    assert desk.ctl("srs", "forward", "joe@example.org").stdout.strip() != address

    def reverse(what, now="2020-01-01T12:00:00Z"):
        done = desk.ctl("srs", "reverse", what, "--now", now, check=False)
        return done.returncode, done.stdout, done.stderr
    assert reverse(address) == (0, "joe@example.org\n  written today, good for 21 days\n", "")
    assert reverse(address, "2020-01-22T23:59:59Z")[1].endswith("  written 21 days ago, good for 21 days\n")
    status, out, error = reverse(address, "2020-01-23T00:00:00Z")
    assert (status, out) == (67, "") and "expired; written 22 days ago, and good for 21 days" in error
    assert "tomorrow" in reverse(address, "2019-12-31T00:00:00Z")[1]
    assert reverse(address, "2019-12-30T23:59:59Z")[0] == 67
    assert reverse(address.replace("joe", "jim"))[::2] == (
        67, f"posternctl srs reverse: {address.replace('joe', 'jim')}: forged: none of the secrets makes this hash\n")
    assert reverse("SRS0=x@y.example")[0] == 65 and "its fields are not those" in reverse("SRS0=x@y.example")[2]
    assert reverse("joe@example.org")[0] == 65 and "is no SRS address" in reverse("joe@example.org")[2]
    assert desk.srs("reverse", address, "--now", "2020-01-23T00:00:00Z")[:2] == (
        67, {"address": address, "outcome": "expired", "result": None, "age_days": 22, "max_age_days": 21,
             "is_ours": True})
    second = desk.srs("forward", address, "--domain", "next.example")[1]["result"]
    assert reverse(second)[1] == (address + "\n  of another forwarder, who knows how old it is\n"
                                  "  in a domain that is not ours: Postern leaves mail to it alone\n")
    assert desk.srs("forward", "joe")[0] == 65
    assert desk.srs("forward", "joe@x.example", "--domain", "a b")[0] == 65
    assert desk.srs("forward")[0] == 64 and desk.srs("reverse")[0] == 64
    assert desk.srs("reverse", "\x1b[2J@x\x07")[2].isprintable() is False  # the line end
    assert "\x1b" not in desk.srs("reverse", "\x1b[2J@x\x07")[2]


def test_options(area, desk):
    elsewhere = os.path.join(desk.directory, "elsewhere")
    desk.write({"srs": {"domain": quote("a.example"), "domain_map": '{ "example.net=b.example" }', "hash_length": "8",
                        "hash_minimum": "6", "separator": quote("+"), "max_age": "2d", "secrets_file": quote(elsewhere)}})
    assert desk.srs("forward", "joe@example.org")[0] == 78
    assert desk.srs("rotate")[1] == {"file": elsewhere, "is_new": True, "old_secrets": 0}
    assert desk.srs("rotate", "--now", "2030-01-01T00:00:00Z")[1]["old_secrets"] == 1
    assert desk.srs("rotate", "--now", "2030-01-05T00:00:00Z")[1]["old_secrets"] == 1  # 2 days and one
    address = desk.srs("forward", "joe@example.org", "--now", "1577836860")[1]["result"]
    assert re.fullmatch(r"SRS0\+[\w-]{8}=2W=example\.org=joe@a\.example", address)

    def outcome(what, now=1577836860):
        return desk.srs("reverse", what, "--now", str(now))[1]["outcome"]
    assert outcome(address) == "ok" and outcome(re.sub(r"(?<=^.{11})..", "", address)) == "ok"
    assert outcome(re.sub(r"(?<=^.{10})...", "", address)) == "forged"
    assert outcome(address, 1577836860 + 2 * 86400) == "ok" and outcome(address, 1577836860 + 3 * 86400) == "expired"
    for domain, is_ours in (("a.example", True), ("B.Example", True), ("c.example", False)):
        assert desk.srs("reverse", address.replace("a.example", domain))[1]["is_ours"] == is_ours
    desk.write({})
    assert desk.srs("forward", "joe@example.org")[0] == 64  # no domain


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_long_senders(area, request, kind):
    desk.count += 1
    sections = {"srs": {"domain": quote(OURS)}}
    if kind == "redis":
        url = quote(request.getfixturevalue("redis").url)
        sections.update({"": {"store": url}, "redis": {"prefix": quote("srs:")}})
    one, two = (Desk(area, f"long{desk.count}{n}", sections=sections) for n in "ab")
    for machine in (one, two):
        machine.put("the same secret\n")
    sender = "a-list-with-a-long-name+bounces-1234567-joe=example.org@lists.department.example.com"
    _, said, _ = one.srs("forward", sender)
    assert is_kept(said["result"]) and len(said["result"].split("@")[0]) <= 64
    assert one.srs("reverse", said["result"])[1]["result"] == sender
    assert one.srs("reverse", said["result"].lower())[1]["result"] == sender
    status, other, error = two.srs("reverse", said["result"])
    if kind == "redis":  # every machine can undo it
        assert other["result"] == sender
        request.getfixturevalue("redis").kill()
        try:
            status, other, error = two.srs("reverse", said["result"])
            assert status == 75 and other["outcome"] == "down" and "does not answer" in error
            assert two.srs("forward", sender)[0] == 75
            short = two.srs("forward", "joe@example.org")[1]["result"]
            assert two.srs("reverse", short)[1]["result"] == "joe@example.org"
        finally:
            request.getfixturevalue("redis").start()
        assert two.srs("reverse", said["result"])[1]["result"] == sender
    else:
        assert status == 67 and other["outcome"] == "unknown" and "is not in the store" in error


# ---- the secrets ----

def test_rotation_by_an_administrator(desk):
    before = desk.srs("forward", "joe@example.org")[1]["result"]
    for day in range(3):
        assert desk.srs("rotate", "--now", f"2030-01-{day * 10 + 1:02}T12:00:00Z")[1]["old_secrets"] == day + 2
    assert desk.srs("reverse", before)[1]["result"] == "joe@example.org"
    assert "a new secret signs, 3 older ones verify" in desk.ctl("srs", "rotate", "--now", "2030-01-24T12:00:00Z").stdout
    assert desk.srs("reverse", before)[1]["outcome"] == "forged"
    status = os.stat(desk.secrets)
    assert stat.S_IMODE(status.st_mode) == 0o600
    if os.geteuid() == 0:
        assert status.st_uid == pwd.getpwnam("nobody").pw_uid
    assert not [name for name in os.listdir(desk.state) if name.startswith("srs-secrets.")]


def test_rotations_at_once(desk):
    command = [program("posternctl"), "srs", "rotate", "-c", desk.config]
    workers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(12)]
    assert [w.wait(60) for w in workers] == [0] * 12
    assert desk.srs("rotate")[1]["old_secrets"] == 14


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_secrets_of_root_s(desk):
    """Kept by root for the daemon's group: the daemon reads, root rotates, and they stay root's."""
    group = pwd.getpwnam("nobody").pw_gid
    desk.put("root's\n", owner="root")
    os.chown(desk.secrets, 0, group)
    assert desk.srs("forward", "joe@example.org")[0] == 78  # of root's alone
    os.chmod(desk.secrets, 0o640)
    assert desk.srs("forward", "joe@example.org")[0] == 0
    assert desk.srs("rotate")[1]["old_secrets"] == 1
    status = os.stat(desk.secrets)
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, group, 0o640)
    done = subprocess.run([program("posternctl"), "srs", "rotate", "-c", desk.config], user="nobody", group="nogroup",
                          extra_groups=[], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 78 and "cannot be given the owner" in done.stderr, done
    assert desk.srs("rotate")[1]["old_secrets"] == 2


def test_bad_secrets(desk):
    def said():
        code, _, error = desk.srs("forward", "joe@example.org")
        assert code == 78 and desk.secrets in error
        return error
    desk.put("")
    assert "holds no secret" in said()
    desk.put("x\n", 0o644)
    assert "its mode is 0644, and may be 0640 at most" in said()
    assert desk.srs("rotate")[0] == 78
    desk.put("x\n" + "y" * 1001 + "\n")
    assert "srs-secrets:2: the line is longer than 1000 octets" in said()
    os.unlink(desk.secrets)
    assert "No such file" in said() and not os.path.exists(desk.secrets)
    os.symlink("elsewhere", desk.secrets)
    assert "is a symbolic link" in said()
    assert "is a symbolic link" in desk.srs("rotate")[2]
    os.unlink(desk.secrets)
    os.mkfifo(desk.secrets, 0o600)
    if os.geteuid() == 0:
        shutil.chown(desk.secrets, "nobody")
    begun = time.monotonic()
    assert "is a FIFO" in said() and time.monotonic() - begun < 5
    os.unlink(desk.secrets)
    desk.put("\ufeffx\r\nold\r\n")
    assert desk.srs("forward", "joe@example.org")[0] == 0


def test_made_at_the_first_start(desk):
    os.unlink(desk.secrets)
    with desk:
        assert desk.secrets + ": there were no secrets for SRS, one was made" in desk.text()
        status = os.stat(desk.secrets)
        assert stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == os.stat(desk.state).st_uid
        address = desk.srs("forward", "joe@example.org")[1]["result"]
        desk.reload()
    with desk:
        assert desk.text().count("one was made") == 1
        assert desk.srs("reverse", address)[1]["result"] == "joe@example.org"


def test_the_daemon_takes_up_new_secrets(desk):
    """Asked over its socketmap. A bad file changes nothing and is said."""
    path = os.path.join(desk.directory, "srs.sock")
    desk.write({"srs": {"domain": quote(OURS), "socketmap": quote("unix:" + path)}})

    def ask(name, address):
        request = f"{name} {address}".encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"%d:%s," % (len(request), request))
            return re.fullmatch(r"\d+:(.*),", connection.recv(2000).decode())[1]
    with desk:
        old = ask("forward", "joe@example.org")
        assert re.fullmatch(r"OK SRS0=\S+=joe@fwd\.example\.net", old)
        desk.srs("rotate")
        rotated = time.monotonic()
        wait_until(lambda: ask("forward", "joe@example.org") != old, 5)
        assert time.monotonic() - rotated < 2.5
        new = ask("forward", "joe@example.org")
        assert ask("reverse", old[3:]) == ask("reverse", new[3:]) == "OK joe@example.org"
        good = open(desk.secrets, encoding="utf-8").read()
        mark = desk.mark()
        desk.put("", 0o600)

        def is_said():
            assert ask("forward", "joe@example.org") == new
            return "holds no secret; the secrets read before stay in use" in desk.text_since(mark)
        wait_until(is_said, 5)
        desk.put(good)
        assert ask("reverse", old[3:]) == "OK joe@example.org"
