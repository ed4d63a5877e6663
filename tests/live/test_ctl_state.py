"""posternctl autoreply and queue as an administrator runs them: by root for a daemon with a user of its own, on SQLite and
on Redis, without a daemon and beside one."""
import contextlib
import email
import json
import os
import pwd
import re
import subprocess
import time

import pytest

from harness.posternd import Posternd, program, quote
from harness.redis import Redis
from harness.sink import Sink
from harness.tools import free_port, run, wait_until
from test_autoreply import SENDER, make_desk  # noqa: F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture(scope="module")
def redis(area):
    with Redis(area, "redis-ctl") as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
def desk(request, area):
    """A configuration whose daemon does not run; .said(...) is what `posternctl autoreply ...` printed."""
    desk.count = getattr(desk, "count", 0) + 1
    sections = {"": {}}
    if request.param == "redis":
        redis = request.getfixturevalue("redis")
        sections = {"": {"store": quote(redis.url)}, "redis": {"prefix": quote(f"ctl{desk.count}:")}}
    daemon = Posternd(area, f"ctl{desk.count}", sections=sections)
    daemon.said = lambda *args, **more: daemon.ctl("autoreply", *args, **more).stdout
    daemon.refused = lambda *args, **more: daemon.ctl("autoreply", *args, check=False, **more)
    return daemon


def test_one_mailbox(desk):
    assert desk.said("list", "--json") == "[]\n"
    assert "stored" in desk.said("set", "anna@example.net", "away", "--body-file", "-", "--end", "2030-01-01T00:00:00",
                                 "--zone", "Europe/Berlin", "--activate", input="Grüße\n")
    desk.said("set", "Anna+tag@Example.NET", "other", "--body", "x", "--exclude", "@y.example")
    shown = json.loads(desk.said("show", "anna@example.net", "--json"))
    assert shown["active"] == "away" and [m["name"] for m in shown["messages"]] == ["away", "other"]
    assert shown["messages"][0]["body"] == "Grüße\n" and shown["messages"][1]["excluded"] == ["@y.example"]
    [line] = json.loads(desk.said("list", "--json", "--now", "2029-12-31T22:59:59Z"))
    assert line["in_force"] and line["why"] is None
    [line] = json.loads(desk.said("list", "--json", "--now", "2029-12-31T23:00:00Z"))
    assert not line["in_force"] and "2030-01-01T00:00:00 Europe/Berlin" in line["why"]
    preview = email.message_from_string(desk.said("preview", "anna@example.net", "--from", SENDER))
    assert preview["Auto-Submitted"] == "auto-replied" and preview["To"] == SENDER
    desk.said("activate", "anna@example.net", "other")
    assert "autoreply.excluded" in desk.said("preview", "anna@example.net", "--from", "x@y.example")
    desk.said("off", "anna@example.net")
    desk.said("delete", "anna@example.net", "away")
    assert "no message is active" in desk.said("preview", "anna@example.net", "--from", SENDER)
    desk.said("reset", "anna@example.net")
    desk.said("delete", "anna@example.net")
    assert desk.refused("show", "anna@example.net").returncode == 66
    assert desk.said("list", "--json") == "[]\n"
    desk.said("set", "anna@example.net", "new", "--body", "x")
    assert json.loads(desk.said("show", "anna@example.net", "--json"))["generation"] == 1


def test_import_is_all_or_nothing(desk):
    many = [{"mailbox": f"m{i:03d}@example.net", "active": "a", "messages": [{"name": "a", "body": "x"}]}
            for i in range(200)]
    assert "200 mailboxes imported" in desk.said("import", "-", input=json.dumps(many))
    exported = desk.said("export")
    assert [r["mailbox"] for r in json.loads(exported)] == [r["mailbox"] for r in many]
    worse = [{**r, "messages": [{"name": "a", "body": "changed"}]} for r in many]
    worse[7]["messages"][0]["zone"] = "Nowhere"
    worse[150]["color"] = "red"
    done = desk.refused("import", "-", input=json.dumps(worse))
    assert done.returncode == 65 and done.stdout == ""
    assert "[7] m007@example.net: messages[0].zone: " in done.stderr
    assert "[150] m150@example.net: color: " in done.stderr
    assert desk.said("export") == exported
    desk.said("import", "-", input=exported)
    assert desk.said("export") == exported


def test_changes_at_once(desk):
    """Neither undoes the other's."""
    desk.said("set", "anna@example.net", "m", "--body", "x")
    command = [program("posternctl"), "autoreply", "-c", desk.config]
    writers = [subprocess.Popen([*command, "set", "anna@example.net", f"m{i}", "--body", "x"], stdout=subprocess.DEVNULL)
               for i in range(8)]
    writers += [subprocess.Popen([*command, "reset", "anna@example.net"], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [w.wait(30) for w in writers] == [0] * 12
    shown = json.loads(desk.said("show", "anna@example.net", "--json"))
    assert len(shown["messages"]) == 9 and shown["generation"] == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_files_are_the_user_s(desk):
    """Root reads the input as root, and leaves nothing of root's behind."""
    secret = os.path.join(desk.directory, "root-only")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("Text of root's")
    os.chmod(secret, 0o600)
    desk.said("set", "anna@example.net", "away", "--body-file", secret)
    desk.ctl("queue", "list")
    nobody = pwd.getpwnam("nobody").pw_uid
    files = os.listdir(desk.state)
    assert files and {os.stat(os.path.join(desk.state, name)).st_uid for name in files} == {nobody}
    os.chown(desk.state, 0, 0)  # run by root it may do no more than that user
    os.chmod(desk.state, 0o700)
    done = desk.ctl("queue", "list", check=False)
    assert done.returncode == 75 and "the spool cannot be used" in done.stderr, done
    os.chown(desk.state, nobody, -1)
    done = subprocess.run([program("posternctl"), "autoreply", "list", "-c", desk.config], user="daemon", cwd="/",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 77 and 'user: only root can become "nobody"' in done.stderr, done
    done = subprocess.run([program("posternctl"), "autoreply", "list", "-c", desk.config], user="nobody", cwd="/",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and "anna@example.net" in done.stdout, done


def test_two_machines(area, redis):
    """What one stores, the other shows; with the server gone both say so and change nothing."""
    sections = {"": {"store": quote(redis.url)}, "redis": {"prefix": '"two:"', "timeout": "500ms"}}
    one, two = (Posternd(area, f"ctl-{name}", sections=sections) for name in ("one", "two"))
    one.ctl("autoreply", "set", "anna@example.net", "away", "--body", "x")
    assert "away" in two.ctl("autoreply", "show", "anna@example.net").stdout
    redis.kill()
    try:
        done = two.ctl("autoreply", "off", "anna@example.net", check=False)
        assert done.returncode == 75 and "the store does not answer; nothing was changed" in done.stderr
    finally:
        redis.start()
    assert "no message was active" in two.ctl("autoreply", "off", "anna@example.net").stdout


def ask_redis(redis, *words):
    done = run("redis-cli", "-h", "127.0.0.1", "-p", str(redis.port), *words)
    assert "ERR" not in done.stdout, done
    return done.stdout.strip()


UNKNOWN = "the store did not answer in time, so it is not known whether it was changed; look with"


def test_an_answer_is_lost(area, redis):
    """Reads are answered, writes are not: whether one was done nobody knows, and nothing else is said."""
    table = os.path.join(area, "lost.csv")
    with open(table, "w", encoding="ascii") as file:
        file.write("anna@example.net,anna@away.example,0\n")
    desk = Posternd(area, "ctl-lost", sections={"": {"store": quote(redis.url)},
                                                "redis": {"prefix": '"lost:"', "timeout": "300ms"},
                                                "forwards": {"table": '"store"'}})
    desk.ctl("autoreply", "set", "anna@example.net", "away", "--body", "x", "--activate")
    for words, look in ((("autoreply", "off", "anna@example.net"), "autoreply show anna@example.net"),
                        (("autoreply", "set", "anna@example.net", "b", "--body", "y"), "autoreply show anna@example.net"),
                        (("autoreply", "delete", "anna@example.net"), "autoreply show anna@example.net"),
                        (("autoreply", "reset", "anna@example.net"), "autoreply show anna@example.net"),
                        (("forwards", "add", "anna@example.net", "anna@away.example"), "forwards list")):
        ask_redis(redis, "CLIENT", "PAUSE", "700", "WRITE")
        done = desk.ctl(*words, check=False)
        assert done.returncode == 75 and f'{UNKNOWN} "posternctl {look}"' in done.stderr, (words, done)
        assert "nothing was changed" not in done.stderr
        ask_redis(redis, "CLIENT", "UNPAUSE")
    # An import is given more time than one row: this one waits, and is done.
    for words in (("autoreply", "import", "-"), ("forwards", "import", table)):
        ask_redis(redis, "CLIENT", "PAUSE", "700", "WRITE")
        said = desk.ctl(*words, input=json.dumps({"mailbox": "anna@example.net", "messages": []})).stdout
        assert "1 mailbox imported" in said or "1 address imported" in said
    ask_redis(redis, "CLIENT", "PAUSE", "9000", "WRITE")
    done = desk.ctl("autoreply", "import", "-", input=json.dumps({"mailbox": "anna@example.net", "messages": []}), check=False)
    ask_redis(redis, "CLIENT", "UNPAUSE")
    assert done.returncode == 75 and f'{UNKNOWN} "posternctl autoreply show anna@example.net"' in done.stderr, done


@pytest.mark.parametrize("make", [("SET", "nonsense"), ("RPUSH", "a list"), ("SET", "0:{}")], ids=["text", "list", "row"])
def test_what_is_no_responder_can_be_deleted(area, redis, make):
    desk = Posternd(area, "ctl-wrong", sections={"": {"store": quote(redis.url)}, "redis": {"prefix": '"wrong:"'}})
    key = "wrong:responder/anna@example.net"

    def spoil():
        ask_redis(redis, "DEL", key)
        ask_redis(redis, make[0], key, make[1])

    spoil()
    for words in (("show",), ("set", "away", "--body", "x"), ("off",), ("delete", "away")):
        done = desk.ctl("autoreply", words[0], "anna@example.net", *words[1:], check=False)
        assert done.returncode == 65, done
        assert '"posternctl autoreply delete anna@example.net" takes it away, and an import replaces it' in done.stderr
        assert "the store does not answer" not in done.stderr
    assert "all of it is deleted" in desk.ctl("autoreply", "delete", "anna@example.net").stdout
    assert ask_redis(redis, "EXISTS", key) == "0"
    assert desk.ctl("autoreply", "delete", "anna@example.net", check=False).returncode == 66
    spoil()
    done = desk.ctl("autoreply", "import", "-", input=json.dumps({"mailbox": "anna@example.net", "messages": []}))
    assert "1 mailbox imported" in done.stdout and "damaged, and replaced" in done.stderr
    assert desk.ctl("autoreply", "show", "anna@example.net").returncode == 0


def test_an_address_that_became_an_alias(desk, list_file):
    """Export leaves out what is never used, so that its import does what it says; and it can be got rid of."""
    for mailbox in ("old", "crowd", "anna"):
        desk.said("set", f"{mailbox}@example.net", "away", "--body", f"of {mailbox}", "--activate")
    table = list_file("old@example.net anna@example.net\ncrowd@example.net anna@example.net, bob@example.net\n").strip('"')
    desk.write({**desk.sections, "aliases": {"tables": f'{{ "virtual:{table}" }}'}})
    assert {r["mailbox"]: r["alias_of"] for r in json.loads(desk.said("list", "--json"))} == {
        "anna@example.net": None, "old@example.net": ["anna@example.net"],
        "crowd@example.net": ["anna@example.net", "bob@example.net"]}
    exported = desk.said("export")
    assert [r["mailbox"] for r in json.loads(exported)] == ["anna@example.net"]
    desk.said("import", "-", input=exported)
    assert "of old" in desk.said("show", "old@example.net")
    for mailbox in ("old@example.net", "crowd@example.net"):
        desk.said("off", mailbox)
        assert desk.said("delete", mailbox) == f"{mailbox}: all of it is deleted\n"
    [anna] = json.loads(desk.said("list", "--json"))
    assert anna["mailbox"] == "anna@example.net" and anna["in_force"]


def test_examples_of_the_manual(desk, tmp_path):
    """As printed, one after the other, in a directory with the files that they name."""
    with open(os.path.join(ROOT, "docs/man/posternctl.8"), encoding="utf-8") as file:
        examples = re.findall(r"^\.Dl (posternctl .*)$", file.read().split(".Sh EXAMPLES")[1].split(".Sh SEE ALSO")[0], re.M)
    assert len(examples) >= 10
    (tmp_path / "away.txt").write_text("I am away.\n")
    (tmp_path / "message.eml").write_text("To: list@example.com\nList-Id: <list.example.com>\nSubject: x\n\nx\n")
    (tmp_path / "forwards.csv").write_text("address,target,delete\nanna@example.net,anna@example.org,0\n")
    said = {}
    for line in examples:
        script = f'posternctl() {{ "{program("posternctl")}" -c "{desk.config}" "$@"; }}\n{line}'
        done = run("sh", "-c", script, cwd=tmp_path)
        said[line] = done.stdout
    assert any("Auto-Submitted: auto-replied" in text for text in said.values())
    assert any(text.startswith("no reply: autoreply.") for text in said.values())
    assert "bert@example.com was not remembered" in said["posternctl autoreply reset anna@example.net bert@example.com"]
    assert len(json.loads(desk.said("export"))[0]["messages"]) == 2


def test_examples_of_the_readme(desk, tmp_path):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"^ +(posternctl (?:autoreply|queue) .*)$", file.read(), re.M)
    assert len(examples) >= 2
    (tmp_path / "message.eml").write_text("To: anna@example.net\nSubject: x\n\nx\n")
    for line in examples:
        script = f'posternctl() {{ "{program("posternctl")}" -c "{desk.config}" "$@"; }}\n{line} && echo done'
        assert "done" in run("sh", "-c", script, cwd=tmp_path).stdout


def test_a_full_disk_is_no_backup(desk):
    desk.said("set", "anna@example.net", "away", "--body", "x")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program("posternctl"), "autoreply", "export", "-c", desk.config], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 74 and "cannot be written: No space left on device" in done.stderr, done


def test_ten_thousand_mailboxes(desk):
    many = [{"mailbox": f"m{i:05d}@example.net", "active": "a", "messages": [{"name": "a", "body": f"Away, {i}."}]}
            for i in range(10000)]
    assert "10000 mailboxes imported" in desk.said("import", "-", input=json.dumps(many))
    assert len(json.loads(desk.said("list", "--json"))) == 10000
    assert [r["mailbox"] for r in json.loads(desk.said("export"))] == [r["mailbox"] for r in many]


# ---- beside the daemon ----

@contextlib.contextmanager
def running(sink):
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


def test_a_change_is_seen_at_once(make_desk):  # noqa: F811
    desk = make_desk()
    desk.ctl("set", "anna@example.net", "away", "--body", "I am away.", "--activate")
    desk.write()
    desk.wait_replies(1)
    [seen] = json.loads(desk.ctl("seen", "anna@example.net", "--json").stdout)
    assert seen["sender"] == SENDER and seen["message"] == "away" and seen["confirmed"]
    assert "autoreply.remembered" in desk.ctl("preview", "anna@example.net", "--from", SENDER).stdout
    desk.ctl("set", "anna@example.net", "away", "--body", "I am still away.")  # another text: again
    desk.write()
    assert b"still away" in desk.wait_replies(2)[1].content
    desk.ctl("off", "anna@example.net")
    desk.write(sender="late@sender.example")
    time.sleep(.5)
    assert not desk.replies("late@sender.example")
    desk.ctl("activate", "anna@example.net", "away")
    desk.write(sender="late@sender.example")
    desk.wait_replies(1, "late@sender.example")


def test_preview_is_what_is_sent(make_desk, tmp_path):  # noqa: F811
    desk = make_desk()
    desk.ctl("set", "anna@example.net", "away", "--body", "Bin weg. Grüße", "--display-name", "Anna Müller", "--activate")
    message = (f"From: Writer <{SENDER}>\nTo: anna@example.net\nSubject: Question 1\n"
               f"Date: Sun, 22 Nov 2026 04:00:00 +0000\nMessage-ID: <1.q@sender.example>\n\nHello\n")
    (tmp_path / "message.eml").write_text(message)
    previewed = email.message_from_string(
        desk.ctl("preview", "anna@example.net", str(tmp_path / "message.eml"), "--from", SENDER).stdout)
    desk.write()
    sent = email.message_from_bytes(desk.wait_replies(1)[0].content)
    for name in ("From", "To", "Subject", "In-Reply-To", "References", "Auto-Submitted", "Precedence",
                 "X-Auto-Response-Suppress", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"):
        assert previewed[name] == sent[name], name
    assert previewed.get_payload(decode=True).strip() == sent.get_payload(decode=True).strip()


def test_queue_beside_the_daemon(make_desk):  # noqa: F811
    """The MTA that takes replies is away; what waits is shown, deleted, and sent when it is back."""
    port = free_port()
    desk = make_desk(sections={"spool": {"submit": f'"smtp://127.0.0.1:{port}"', "retry_first": "1h", "retry_most": "1h"}})
    desk.away("anna@example.net", body="Back on Monday")
    queue = lambda *args: desk.daemon.ctl("queue", *args)  # noqa: E731
    entries = lambda: json.loads(queue("list", "--json").stdout)  # noqa: E731
    desk.write(sender="one@sender.example")
    desk.write(sender="two@sender.example")
    wait_until(lambda: [e for e in entries() if e["attempts"]], 10, "a failed attempt")
    one, two = entries()
    assert (one["to"], two["to"], one["from"], one["kind"]) == ("one@sender.example", "two@sender.example", "", "autoreply")
    assert one["last_reply"] and not one["is_being_sent"] and one["next_attempt"] > one["added"]
    assert one["last_reply"] in queue("list").stdout
    shown = json.loads(queue("show", str(one["id"]), "--json").stdout)
    assert "Auto-Submitted: auto-replied\r\n" in shown["content"] and "Back on Monday" in shown["content"]
    desk.expect_silence("autoreply.remembered", sender="two@sender.example")
    assert "1 entry will be deleted" in queue("delete", str(two["id"])).stdout
    desk.daemon.wait_event("spool", end="deleted")
    assert [e["id"] for e in entries()] == [one["id"]]
    desk.write(sender="two@sender.example")  # counts as not answered: queued again
    wait_until(lambda: len(entries()) == 2, 10, "the new entry")
    with running(Sink(port=port)) as late:
        time.sleep(1.5)
        assert not late.messages  # not before an hour is over
        assert "1 entry will be tried now" in queue("flush", str(one["id"])).stdout
        wait_until(lambda: late.messages, 10, "the reply")
        queue("flush")
        wait_until(lambda: len(late.messages) == 2, 10, "the other one")
        assert [m.recipients for m in late.messages] == [["one@sender.example"], ["two@sender.example"]]
    wait_until(lambda: queue("list").stdout == "the queue is empty\n", 10, "an empty queue")
