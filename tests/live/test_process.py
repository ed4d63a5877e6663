"""The process tree: reload, crash, drain, sockets, posternctl."""
import contextlib
import os
import re
import signal
import socket
import threading
import time

import pytest

from attachment_table import MZ
from harness import archives, mails
from harness.milter import Milter
from harness.posternd import strings, wait_gone
from harness.tools import can_connect, wait_until
from load import Load

pytestmark = pytest.mark.seconds(120)


def small(subject):
    return mails.plain(subject)


def with_archive(subject):
    return mails.attached("a.zip", archives.zip_of({"r.txt": b"text" * 5000}), subject)


def verdict_of(gate, helo):
    with gate.client(helo=helo) as smtp:
        smtp.mail("s@sender.example")
        return smtp.rcpt("user@example.net").code


@pytest.mark.parametrize("service", ["slot", "inet", "inet6"])
def test_every_kind_of_socket(make_gate, service):
    gate = make_gate(slot=None if service == "slot" else service)
    assert gate.send(mails.plain()).end.code == 250
    assert gate.send(mails.attached("run.exe", MZ)).end.code == 554
    assert gate.daemon.reload()
    assert gate.send(mails.plain()).end.code == 250


@pytest.mark.load
def test_reload_under_twenty_sessions(make_gate, sink):
    gate = make_gate()
    seen = set(gate.daemon.workers())
    with Load(gate, with_archive, 20, pause=0.02, per_connection=4) as load:
        wait_until(lambda: load.total > 40, 60, "some load")
        for _ in range(5):
            seen |= set(gate.daemon.reload())
            done = load.total
            wait_until(lambda: load.total > done + 40, 60, "load after a reload")
    assert not load.broken and not load.deferred and not load.refused, \
        (load.broken[:3], load.deferred[:3], load.refused[:3])
    assert len(seen) == 6
    wait_until(lambda: len(gate.daemon.workers()) == 1, 20, "the end of the old workers")
    wait_until(lambda: len(sink.find(f"load-{id(load):x}-")) == len(load.accepted), 60, "delivery")


@pytest.mark.load
@pytest.mark.parametrize("slot", [None, "inet"])
def test_open_session_finishes_on_the_old_configuration(make_gate, slot):
    gate = make_gate({"helo": {"banned": strings("old.example")}}, slot=slot)
    old = gate.daemon.workers()
    with gate.client(helo="old.example") as smtp:
        smtp.mail("s@sender.example")
        assert smtp.rcpt("user@example.net").code == 550
        gate.daemon.reload({"helo": {"banned": strings("new.example")}})
        assert verdict_of(gate, "old.example") == 250 and verdict_of(gate, "new.example") == 550
        # The same session, in the middle of its dialogue.
        assert smtp.rcpt("other@example.net").code == 550
        assert smtp.rcpt("postmaster@example.net").code == 250
        assert smtp.data(mails.attached("run.exe", MZ))[1].code == 554
        assert set(old) < set(gate.daemon.workers())
        smtp.quit()
    wait_gone(old)
    assert verdict_of(gate, "new.example") == 550


@pytest.mark.parametrize("slot", [None, "inet"])
def test_who_connects_after_a_reload_gets_the_new_configuration(make_gate, slot):
    """At once and every time, while others connect as fast as they can."""
    gate = make_gate(slot=slot)
    over = threading.Event()

    def hammer():
        while not over.is_set():
            with contextlib.suppress(OSError, EOFError), Milter(gate.daemon.socket):
                pass
    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    old = []
    try:
        for number in range(10):
            gate.daemon.write({"helo": {"banned": strings(f"new{number}.example")}})
            gate.daemon.ctl("reload")
            for _ in range(3):
                with Milter(gate.daemon.socket) as mta:
                    mta.connect()
                    mta.helo(f"new{number}.example")
                    mta.mail()
                    old += [number] if mta.rcpt().code != 550 else []
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not old
    assert "does not say that it takes no more" not in gate.daemon.text()


def test_reload_by_posternctl_and_status(make_gate):
    gate = make_gate()
    before = gate.daemon.status()
    assert before["process"] == str(gate.daemon.pid) and before["configuration"] == gate.daemon.config
    assert before["sessions open"] == "0"
    gate.daemon.write({"helo": {"banned": strings("new.example")}})
    gate.daemon.ctl("reload")
    assert verdict_of(gate, "new.example") == 550
    with gate.client() as smtp:
        smtp.mail("s@sender.example")
        after = gate.daemon.status()
    assert after["sessions open"] == "1" and after["why.helo.banned"] == "1"
    assert len(before["checksum"]) >= 16 and before["checksum"] != after["checksum"]


@pytest.mark.load
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_crash_under_load_loses_nothing(make_gate, sink, number):
    gate = make_gate()
    with Load(gate, with_archive, 10, pause=0.01) as load:
        for _ in range(3):
            done = load.total
            wait_until(lambda: load.total > done + 20, 60, "load")
            workers = gate.daemon.workers()
            os.kill(workers[-1], number)
            start = time.monotonic()
            wait_until(lambda: set(gate.daemon.workers()) - set(workers), 10, "a new worker")
            assert time.monotonic() - start < 4
        done = len(load.accepted)
        wait_until(lambda: len(load.accepted) > done + 30, 60, "mail after the crashes")
    # At worst 4xx: Postfix's own, while its session's filter was gone.
    assert not load.refused, load.refused[:3]
    assert all("421" in what or "timed out" not in what for _, what in load.broken)
    assert all(what.startswith("4") for _, what in load.deferred)
    wait_until(lambda: len(sink.find(f"load-{id(load):x}-")) >= len(load.accepted), 60, "delivery")
    subjects = [subject for subject, _ in load.accepted]
    assert len(set(subjects)) == len(subjects) == len(sink.find(f"load-{id(load):x}-"))


def test_first_crash_is_repaired_within_a_second(make_gate):
    gate = make_gate()
    worker = gate.daemon.workers()[0]
    mark = gate.daemon.mark()
    os.kill(worker, signal.SIGSEGV)
    start = time.monotonic()
    assert gate.send(mails.plain()).end.code == 250
    assert time.monotonic() - start < 1.5
    assert gate.daemon.workers() != [worker]
    assert re.search(rf"{worker}|worker", gate.daemon.text_since(mark))


def test_repeated_crashes_back_off_and_recover(make_gate):
    gate = make_gate()
    end = time.monotonic() + 3
    crashes = 0
    while time.monotonic() < end:
        for pid in gate.daemon.workers():
            os.kill(pid, signal.SIGKILL)
            crashes += 1
        time.sleep(0.02)
    assert crashes < 60
    wait_until(lambda: gate.send(mails.plain()).last.code == 250, 40, "mail after repeated crashes", 0.5)


def socket_refuses(path):
    with socket.socket(socket.AF_UNIX) as sock:
        try:
            sock.connect(path)
            return False
        except OSError:
            return True


@pytest.mark.parametrize("slot", [None, "inet"])
def test_drain_finishes_open_sessions(make_gate, slot):
    gate = make_gate(slot=slot)
    smtp = gate.client()
    smtp.mail("s@sender.example")
    smtp.rcpt("user@example.net")
    gate.daemon.terminate()
    if slot:
        port = int(re.search(r":(\d+)@", gate.daemon.socket)[1])
        wait_until(lambda: not can_connect(port), 2, "refusal of new connections")
    else:
        wait_until(lambda: socket_refuses(gate.daemon.socket[5:]), 5, "refusal of new connections")
    time.sleep(0.3)
    assert gate.daemon.process.poll() is None
    assert smtp.data(mails.attached("run.exe", MZ))[1].code == 554
    assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250
    smtp.quit()
    assert gate.daemon.process.wait(10) == 0
    # Nobody filters: Postfix answers 4xx.
    with gate.client(helo=None) as late:
        assert late.command("EHLO x.example").code in (250, 451) and late.mail("s@sender.example").code // 100 == 4


def test_drain_ends_after_its_timeout(make_gate):
    gate = make_gate({"": {"drain_timeout": "2s"}})
    workers = gate.daemon.workers()
    with gate.client() as smtp:
        smtp.mail("s@sender.example")
        start = time.monotonic()
        gate.daemon.terminate()
        assert gate.daemon.process.wait(10) == 0
        assert 1.5 < time.monotonic() - start < 6
    wait_gone(workers)


def test_idle_stop_is_quick(make_gate):
    gate = make_gate()
    workers = gate.daemon.workers()
    start = time.monotonic()
    assert gate.daemon.stop() == 0
    assert time.monotonic() - start < 3
    wait_gone(workers)
    assert not os.path.exists(gate.daemon.socket[5:])


def test_interrupt_in_the_foreground_stops_too(make_gate):
    gate = make_gate()
    gate.daemon.process.send_signal(signal.SIGINT)
    assert gate.daemon.process.wait(10) == 0


def test_workers_end_when_the_master_dies(make_gate):
    gate = make_gate()
    workers = gate.daemon.workers()
    gate.daemon.process.kill()
    gate.daemon.process.wait()
    gate.daemon.process = None
    wait_gone(workers, 15)


def test_no_worker_dies_of_signals_meant_for_the_group(make_gate):
    """Ctrl-C in a terminal reaches the whole group; only the master acts on it."""
    gate = make_gate()
    worker = gate.daemon.workers()[0]
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        os.kill(worker, number)
    time.sleep(0.5)
    wait_until(lambda: gate.send(mails.plain()).last.code == 250, 10, "mail after signals")


def test_status_counts(make_gate):
    gate = make_gate()
    for _ in range(3):
        gate.send(mails.attached("run.exe", MZ))
    verdict_of(gate, "www")
    status = gate.daemon.status()
    assert (status["why.attachments.extension"], status["why.helo.not-fqdn"]) == ("3", "1")


def test_posternctl_without_a_daemon(make_gate):
    gate = make_gate()
    gate.daemon.stop()
    done = gate.daemon.ctl("status", check=False)
    assert done.returncode != 0 and gate.daemon.control in done.stderr
    done = gate.daemon.ctl("reload", check=False)
    assert done.returncode != 0 and done.stderr


def test_posternctl_with_a_bad_configuration(make_gate):
    """The problems and what came of them; where posternd listens is only told to who can do something with it."""
    gate = make_gate()
    gate.daemon.write({"helo": {"missing": "perhaps"}})
    problem = "helo: missing: 'perhaps' is neither yes nor no\n"
    for command, outcome in (("reload", "the configuration is bad, nothing was reloaded"),
                             ("status", "cannot find the control socket; --control PATH names it")):
        done = gate.daemon.ctl(command, check=False)
        assert done.returncode == 78 and done.stdout == "" and len(done.stderr.splitlines()) == 2, done
        assert done.stderr.endswith(problem + f"posternctl: {outcome}\n"), done
    assert gate.daemon.ctl("status", "--control", gate.daemon.control).returncode == 0
    done = gate.daemon.ctl("reload", "--control", gate.daemon.control, check=False)
    assert done.returncode == 78 and problem in done.stderr
    gate.daemon.write({})


def test_log_as_json(make_gate):
    gate = make_gate({"log": {"format": "json"}})
    gate.send(mails.attached("run.exe", MZ), sender='"a\\"b"@sender.example')
    line = gate.daemon.wait_event("message")
    assert line["why"] == "attachments.extension" and line["from"] == '"a\\"b"@sender.example'
    assert isinstance(line["size"], int)


def test_log_line_of_a_message(make_gate):
    gate = make_gate()
    message = mails.plain("line")
    outcome = gate.send(message, recipients=["user@example.net", "other@example.net"])
    line = gate.daemon.wait_event("message")
    assert line["id"] == outcome.end.text.split()[-1]
    assert (line["client"], line["client_name"], line["helo"]) == ("192.0.2.7", "mail.sender.example",
                                                                   "mail.sender.example")
    assert (line["from"], line["to"]) == ("sender@sender.example", "user@example.net,other@example.net")
    assert (line["class"], line["verdict"]) == ("outside", "accept")
    assert len(message) <= int(line["size"]) <= len(message) * 1.1 + 200
    assert re.search(r"attachments:\d+", line["us"])
    assert len(gate.daemon.events("message")) == 1


def test_level_warning_is_silent_about_mail(make_gate):
    gate = make_gate({"log": {"level": "warning"}})
    gate.send(mails.attached("run.exe", MZ))
    assert not gate.daemon.events()


def test_session_without_a_message_logs_nothing(make_gate):
    gate = make_gate()
    with gate.client() as smtp:
        smtp.quit()
    with gate.client() as smtp:
        smtp.mail("s@sender.example")
        smtp.quit()
    gate.send(mails.plain())
    gate.daemon.wait_event("message")
    assert len(gate.daemon.events()) == 1


@pytest.mark.seconds(200)
def test_thousand_idle_sessions(make_gate):
    """Each in the middle of a message; the next client is served as quickly as the first."""
    gate = make_gate()

    def time_of_one():
        start = time.monotonic()
        assert gate.send(mails.attached("run.exe", MZ)).end.code == 554
        return time.monotonic() - start
    first = min(time_of_one() for _ in range(3))
    clients = []
    try:
        for i in range(1000):
            smtp = gate.client(addr=None, helo="mail.sender.example", timeout=60)
            smtp.mail("s@sender.example")
            smtp.rcpt("user@example.net")
            assert smtp.command("DATA").code == 354
            smtp.send(mails.plain().replace(b"\n", b"\r\n"))
            clients.append(smtp)
        last = min(time_of_one() for _ in range(3))
        memory = gate.daemon.memory_kb()
        print(f"1000 sessions: worker peak {memory} kB, first {first * 1000:.1f} ms, next {last * 1000:.1f} ms")
        assert memory < 100 * 1024
        assert last < first * 3 + 0.1
        for smtp in clients[::50]:
            smtp.send(b".\r\n")
            assert smtp.reply().code == 250
    finally:
        for smtp in clients:
            smtp.close()
    wait_until(lambda: gate.daemon.status()["sessions open"] == "0", 60, "all sessions closed")
