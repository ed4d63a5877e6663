"""Trouble that is not the client's: a bad configuration, a full disk, no descriptors, no user, no directory."""
import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
import time

import pytest

from attachment_table import MZ
from harness import archives, mails
from harness.posternd import Posternd, program, quote, render, strings
from harness.smtp import Smtp
from harness.tools import PROGRAMS, run, wait_until

# What is wrong, and in which line of the file (0: any) the message must be.
BAD = [
    ("unknown option", 'socket = "unix:/tmp/x.sock"\nnonsense = 1\n', 2, "nonsense"),
    ("unknown section", 'socket = "unix:/tmp/x.sock"\n\nnonsense {\n}\n', 3, "nonsense"),
    ("unknown option in a section", 'helo {\n  missing = yes\n  nonsense = yes\n}\n', 3, "nonsense"),
    ("wrong type", 'recipients {\n  max = many\n}\n', 2, "max"),
    ("wrong bool", 'helo {\n  missing = perhaps\n}\n', 2, "missing"),
    ("out of range", 'recipients {\n\n  max = 0\n}\n', 3, "max"),
    ("far out of range", 'recipients {\n  max = 99999999999999999999\n}\n', 2, "max"),
    ("bad size", 'message {\n  memory = 1X\n}\n', 2, "memory"),
    ("bad duration", 'drain_timeout = soon\n', 1, "drain_timeout"),
    ("bad word", 'mode = sometimes\n', 1, "mode"),
    ("bad CIDR", '\ntrusted_networks = { "192.0.2.0/33" }\n', 2, "192.0.2.0/33"),
    ("bad address", 'trusted_networks = { "not an address" }\n', 1, "not an address"),
    ("unreadable list", 'attachments {\n  extensions = { "/nonexistent/list" }\n}\n', 2, "/nonexistent/list"),
    ("bad placeholder", 'helo {\n  reply = "550 5.7.1 {nobody}"\n}\n', 2, "nobody"),
    ("bad reply code", 'helo {\n  reply = "250 2.0.0 fine"\n}\n', 2, "250"),
    ("codes disagree", 'helo {\n  reply = "550 4.7.1 no"\n}\n', 2, "4.7.1"),
    ("duplicate section", 'helo {\n}\n\nhelo {\n}\n', 4, "helo"),
    ("long socket path", f'socket = "unix:/tmp/{"x" * 120}"\n', 1, "x" * 20),
    ("bad socket", 'socket = "carrier pigeon"\n', 1, "carrier pigeon"),
    ("bad mode", 'socket_mode = "rw-"\n', 1, "rw-"),
    ("no end", 'helo {\n  missing = yes\n', 0, ""),
    ("no value", 'socket =\n', 0, ""),
    ("bytes", 'socket = "\x01\x02"\n\xff\xfe = {{{\n', 0, ""),
]


@pytest.mark.parametrize("name,text,line,word", BAD, ids=[entry[0] for entry in BAD])
def test_bad_configuration_is_named(tmp_path, name, text, line, word):
    path = tmp_path / "postern.conf"
    path.write_text(text, encoding="latin-1")
    for command in (["posternd", "-t", "-c", path], ["posternctl", "check", "-c", path], ["posternd", "-f", "-c", path]):
        done = run(program(command[0]), *command[1:], check=False, timeout=20)
        assert done.returncode == 78, (command, done)
        output = done.stdout + done.stderr
        assert f"{path}:{line}:" in output if line else str(path) in output, output
        assert word in output


def test_every_problem_is_listed(tmp_path):
    path = tmp_path / "postern.conf"
    path.write_text('mode = sometimes\nnonsense = 1\nhelo {\n  missing = perhaps\n  reply = "550 5.7.1 {x}"\n}\n'
                    'recipients {\n  max = 0\n}\n')
    output = run(program("posternd"), "-t", "-c", path, check=False).stderr
    for line in (1, 2, 4, 5, 8):
        assert f"{path}:{line}:" in output, output


def test_good_configuration_passes(tmp_path):
    path = tmp_path / "postern.conf"
    path.write_text(f'socket = "unix:{tmp_path}/x.sock"\ncontrol = "{tmp_path}/control"\nuser = ""\nstate_directory = "{tmp_path}"\n'
                    f'store = "sqlite:{tmp_path}/postern.db"\nmessage {{\n directory = "{tmp_path}"\n}}\n')
    for command in (["posternd", "-t"], ["posternctl", "check"]):
        done = run(program(command[0]), *command[1:], "-c", path)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: no problem found\n", "")


def checks(daemon):
    """(exit status, all that is said), of each way to check a configuration and change nothing by that."""
    commands = [["posternd", "-t"], ["posternctl", "check"], ["posternd", "-T", "plan"]]
    done = [run(program(name), *more, "-c", daemon.config, check=False) for name, *more in commands]
    return [(one.returncode, one.stdout + one.stderr) for one in done]


def snapshot(directory):
    """Of each file in DIRECTORY, and of itself, what a check might have changed."""
    paths = [directory, *(os.path.join(directory, name) for name in sorted(os.listdir(directory)))]
    return [(path, os.lstat(path)[:6], os.lstat(path).st_size, os.lstat(path).st_mtime_ns) for path in paths]


EVERYTHING = {"srs": {"domain": quote("fwd.example.net")}, "forwards": {"table": quote("store")}}


def test_check_changes_nothing(area):
    """Neither where nothing is yet, nor beside a daemon, nor what is none of ours."""
    daemon = Posternd(area, "check-only", sections=EVERYTHING)
    before = snapshot(daemon.state)
    assert {status for status, _ in checks(daemon)} == {0} and snapshot(daemon.state) == before and len(before) == 1
    with daemon:
        wait_until(lambda: {"postern.db", "spool.db", "srs-secrets"} <= set(os.listdir(daemon.state)), 10, "files are made")
        daemon.ctl("autoreply", "set", "anna@example.net", "away", "--body", "x")
    before = snapshot(daemon.state)
    for status, said in checks(daemon):
        assert status == 0 and "warning" not in said
    assert snapshot(daemon.state) == before
    for name in ("postern.db", "spool.db"):
        with open(os.path.join(daemon.state, name), "wb") as file:
            file.write(b"Dear diary\n")
    before = snapshot(daemon.state)
    for status, said in checks(daemon):
        assert status == 0
        for option, name in (("store", "postern.db"), ("state_directory", "spool.db")):
            assert f"{located(daemon, option)}: warning: {option}: {daemon.state}/{name}: is no SQLite database" in said
    assert snapshot(daemon.state) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_check_warns_of_files_that_the_user_cannot_use(area):
    """Mail flows without store and spool, so they do not keep the daemon from its start; -t tells of them."""
    daemon = Posternd(area, "check-files")
    elsewhere = os.path.join(daemon.directory, "elsewhere")

    def warnings():
        said = {(status, "\n".join(line for line in text.splitlines() if "warning: " in line))
                for status, text in checks(daemon)}
        assert len(said) == 1, said
        [(status, text)] = said
        assert status == 0
        return re.sub(f"^{re.escape(daemon.config)}:[0-9]+: warning: ", "", text, flags=re.M)

    assert warnings() == ""
    os.chown(daemon.state, 0, 0)
    assert warnings() == f"state_directory: {daemon.state}: Permission denied"
    shutil.chown(daemon.state, "nobody")
    with open(os.path.join(daemon.state, "spool.db"), "wb"):
        pass
    os.symlink("spool.db", os.path.join(daemon.state, "postern.db"))
    assert warnings() == (f"state_directory: {daemon.state}/spool.db: Permission denied\n"
                          f"store: {daemon.state}/postern.db: is no regular file")
    daemon.write({"": {"store": quote(f"sqlite:{elsewhere}/x.db"), "state_directory": quote(f"{daemon.config}/y")}})
    assert warnings() == (f"state_directory: {daemon.config}/y: Not a directory\n"
                          f"store: {elsewhere}: No such file or directory")
    assert "no problem found, but 2 warnings" in checks(daemon)[0][1]
    daemon.write({"": {"state_directory": quote(elsewhere)}, "autoreply": {"mode": "off"}})
    assert warnings() == ""  # nobody needs it
    assert not os.path.exists(elsewhere)
    os.chown(os.path.join(daemon.directory, "spool"), 0, 0)  # without this one no worker starts
    [*said, (status, _)] = checks(daemon)
    assert status == 78
    for status, text in said:
        where = located(daemon, "directory")
        assert status == 78 and f"{where}: message: directory: {daemon.directory}/spool: Permission denied" in text


def located(daemon, option, value=""):
    """FILE:LINE of the line with OPTION, as messages begin."""
    with open(daemon.config, encoding="utf-8") as file:
        [number] = [i for i, line in enumerate(file, 1) if line.split(" = ")[0].strip() == option and value in line]
    return f"{daemon.config}:{number}"


def test_tables_that_cannot_be_read_are_named(area):
    """By -t, at a start and at a reload, each with option, file and line."""
    daemon = Posternd(area, "check-tables", sections={
        "aliases": {"tables": strings("virtual:/nonexistent/virtual", "aliases:/dev/null", "csv:/etc/passwd/csv")},
        "forwards": {"table": quote("csv:/nonexistent/forwards.csv")}})
    tables, table = located(daemon, "tables"), located(daemon, "table")
    started = run(*daemon.command(), check=False, timeout=20)
    for status, said in [*checks(daemon), (started.returncode, started.stderr.replace("posternd: ", ""))]:
        assert status == 78
        assert said.startswith(f"{tables}: aliases: tables: virtual:/nonexistent/virtual: No such file or directory\n"
                               f"{tables}: aliases: tables: aliases:/dev/null: is no regular file\n"
                               f"{tables}: aliases: tables: csv:/etc/passwd/csv: Not a directory\n"
                               f"{table}: forwards: table: csv:/nonexistent/forwards.csv: No such file or directory\n")
    daemon.write({})
    with daemon:
        daemon.write({"aliases": {"tables": strings("virtual:/nonexistent/virtual")}})
        done = daemon.ctl("reload", check=False)
        assert done.returncode == 78 and f"{tables}: aliases: tables: virtual:/nonexistent" in done.stderr


def test_check_looks_at_what_a_start_needs(area):
    """Names that nobody has are problems; a directory for a socket may still be made, so that is a warning."""
    daemon = Posternd(area, "check-names", "unix:/nonexistent/milter.sock", {"": {
        "user": quote("no-such-user"), "socket_owner": quote("no-such-owner"), "socket_group": quote("no-such-group"),
        "control": quote("/etc/passwd/control")}})
    names = [(option, kind, f"no-such-{option[-5:].lstrip('_')}") for option, kind in
             (("user", "user"), ("socket_owner", "user"), ("socket_group", "group"))]
    warned = [f"{located(daemon, option, value)}: warning: {option}: {directory}: {fault}; posternd does not start without it"
              for option, value, directory, fault in (
                  ("socket", "unix:", "/nonexistent", "No such file or directory"),
                  ("control", "", "/etc/passwd", "Not a directory"))]
    said = [f"{located(daemon, option)}: {option}: there is no {kind} \"{name}\" on this machine"
            for option, kind, name in names] + warned
    for status, text in checks(daemon):
        assert status == 78 and text.splitlines()[:len(said)] == said
    daemon.write({"": {"control": quote("/etc/passwd/control")}})
    for status, text in checks(daemon):
        assert status == 0 and [line for line in text.splitlines() if "warning: " in line] == warned
    daemon.socket = "inet:8891@127.0.0.1"
    daemon.write({})
    assert all(status == 0 and "warning: " not in text for status, text in checks(daemon))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_check_tells_of_secrets_that_the_user_cannot_read(area):
    """Root can read them all; the daemon's user is who must."""
    redis = {"": {"store": quote("redis://127.0.0.1:1/0")}}
    for name, option, sections in (("srs", "secrets_file", {"srs": {"domain": quote("fwd.example.net")}}),
                                   ("redis", "password_file", redis)):
        daemon = Posternd(area, f"check-{name}")
        secret = os.path.join(daemon.directory, "secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("0123456789abcdef0123456789abcdef\n")
        os.chmod(secret, 0o600)
        daemon.write({**sections, name: {**sections.get(name, {}), option: quote(secret)}})
        for status, text in checks(daemon):
            assert status == 78
            assert text.startswith(f"{located(daemon, option)}: {name}: {option}: {secret}: Permission denied\n"), text
        shutil.chown(secret, "nobody")
        assert {(status, "Permission" in text) for status, text in checks(daemon)} == {(0, False)}
    shutil.chown(secret, "daemon", "nogroup")  # his group may read the password, but secrets must be his own
    os.chmod(secret, 0o640)
    assert {status for status, _ in checks(daemon)} == {0}
    daemon.write({"srs": {"domain": quote("fwd.example.net"), "secrets_file": quote(secret)}})
    for status, text in checks(daemon):
        assert status == 78 and f"srs: {secret}: belongs to user" in text


def test_missing_file(tmp_path):
    done = run(program("posternd"), "-f", "-c", tmp_path / "nowhere.conf", check=False, timeout=20)
    assert done.returncode == 78 and "nowhere.conf" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody")
def test_build_that_only_root_may_enter(area, tmp_path, monkeypatch):
    """A clone in /root: posternd says which program the user cannot run, and these tests and contrib/try run a copy."""
    build = tmp_path / "build"
    build.mkdir()
    for name in PROGRAMS:
        shutil.copy(program(name), build)
    tmp_path.chmod(0o700)
    daemon = Posternd(area, "root-only")
    command = [build / "posternd", "-f", "-w", build / "postern-worker", "-c", daemon.config]
    done = run(*command, check=False, timeout=20)
    assert done.returncode == 77, done
    assert f"cannot run {build}/postern-worker as user nobody: Permission denied" in done.stderr, done
    monkeypatch.setenv("POSTERN_BUILD", str(build))
    with daemon:
        assert not daemon.command()[0].startswith(str(build))


def test_broken_reload_keeps_the_old_worker(make_gate):
    gate = make_gate({"helo": {"banned": strings("one.example")}})
    before, mark = gate.daemon.workers(), gate.daemon.mark()
    gate.daemon.write({"helo": {"banned": strings("two.example"), "nonsense": "1"}})
    done = gate.daemon.ctl("reload", check=False)
    assert done.returncode != 0 and "nonsense" in done.stdout + done.stderr
    os.kill(gate.daemon.pid, 1)
    gate.daemon.wait_text(r"postern\.conf:\d+:", mark)
    time.sleep(0.5)
    assert gate.daemon.workers() == before
    for helo, code in [("one.example", 550), ("two.example", 250)]:
        with gate.client(helo=helo) as smtp:
            smtp.mail("s@sender.example")
            assert smtp.rcpt("user@example.net").code == code
    assert gate.daemon.reload({"helo": {"banned": strings("two.example")}})
    with gate.client(helo="two.example") as smtp:
        smtp.mail("s@sender.example")
        assert smtp.rcpt("user@example.net").code == 550


@contextlib.contextmanager
def small_disk(path, size="700k"):
    os.makedirs(path, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "postern-test", path)
    try:
        yield path
    finally:
        run("umount", "-l", path)


def test_full_disk_is_4xx_for_that_message_alone(make_gate, area):
    with small_disk(os.path.join(area, "small-disk")) as path:
        gate = make_gate({"message": {"directory": quote(path), "memory": "64k"}})
        mark = gate.daemon.mark()
        with gate.client() as smtp:
            outcome = smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(3 << 20))
            assert str(outcome.end).startswith("452 4.3.1")
            assert smtp.transaction("s@sender.example", ["user@example.net"], mails.plain()).end.code == 250
            assert smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(300000)).end.code == 250
            assert smtp.transaction("s@sender.example", ["user@example.net"],
                                    mails.attached("run.exe", MZ)).end.code == 554
        assert gate.daemon.wait_event("message", mark)["verdict"] == "tempfail"
        assert path in gate.daemon.wait_event("error", mark)["error"]
        gate.daemon.stop()


def test_full_disk_while_unpacking_is_4xx(make_gate, area):
    """The nested archive is larger than the disk that it must be unpacked to."""
    inner = archives.zip_of({"noise.bin": os.urandom(3 << 20)})
    message = mails.attached("a.zip", archives.zip_of({"b.zip": inner}))
    with small_disk(os.path.join(area, "small-disk2"), "5m") as path:
        gate = make_gate({"message": {"directory": quote(path)}})
        outcome = gate.send(message)
        assert outcome.end.code // 100 == 4, outcome.end
        assert gate.send(mails.plain()).end.code == 250
        gate.daemon.stop()


def limit(pid, what):
    """As the worker's own user: root in a container may lack CAP_SYS_RESOURCE."""
    run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "prlimit", f"--pid={pid}", f"--{what}:")


def limit_descriptors(pid, count):
    limit(pid, f"nofile={count}")


def soft_limit(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return next(line.split()[3] for line in file if line.startswith("Max open files"))


def descriptors(pid):
    """The limit that leaves PID no descriptor to open. A thread of the worker's that begins or looks at something may have
    one for a moment: those that have been there for a while count."""
    seen = []
    while len(seen) < 8:
        taken = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        seen = seen + [taken] if not seen or taken == seen[0] else [taken]
        time.sleep(0.1)
    return next(fd for fd in range(len(taken) + 1) if fd not in taken)


def test_descriptors_used_up_is_4xx_and_passes(make_gate):
    gate = make_gate()
    worker = gate.daemon.workers()[0]
    before = soft_limit(worker)
    with gate.client() as smtp:
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(2 << 20)).end.code == 250
        limit_descriptors(worker, descriptors(worker))
        outcome = smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(2 << 20))
        assert outcome.last.code // 100 == 4, outcome
        limit_descriptors(worker, before)
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(2 << 20)).end.code == 250
    assert gate.send(mails.plain()).end.code == 250
    assert gate.daemon.workers() == [worker]


def test_a_limit_on_files_is_4xx_and_passes(make_gate):
    """Past RLIMIT_FSIZE the kernel sends a signal that would end the worker."""
    gate = make_gate()
    worker = gate.daemon.workers()[0]
    with gate.client() as smtp:
        limit(worker, "fsize=1500000")
        outcome = smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(3 << 20))
        assert outcome.last.code // 100 == 4, outcome
        limit(worker, "fsize=unlimited")
        assert smtp.transaction("s@sender.example", ["user@example.net"], mails.of_size(3 << 20)).end.code == 250
    assert gate.daemon.workers() == [worker]


def test_no_descriptor_for_a_connection_delays_it_only(make_gate):
    gate = make_gate()
    worker = gate.daemon.workers()[0]
    before = soft_limit(worker)
    gate.send(mails.plain())
    limit_descriptors(worker, descriptors(worker))
    clients = [Smtp(gate.port, greet=False) for _ in range(4)]
    time.sleep(1.5)
    limit_descriptors(worker, before)
    for client in clients:
        client.close()
    wait_until(lambda: gate.send(mails.plain()).last.code == 250, 20, "mail after descriptors are back")
    assert gate.daemon.workers() == [worker]


START = [
    ("user missing", {"": {"user": quote("no-such-user")}}, "no-such-user"),
    ("group missing", {"": {"socket_group": quote("no-such-group")}}, "no-such-group"),
    ("owner missing", {"": {"socket_owner": quote("no-such-owner")}}, "no-such-owner"),
    ("socket directory missing", {"": {"socket": quote("unix:/nonexistent/dir/x.sock")}}, "/nonexistent/dir/x.sock"),
    ("socket is a file", {"": {"socket": quote("unix:/etc/passwd")}}, "/etc/passwd"),
    ("address not ours", {"": {"socket": quote("inet:8891@192.0.2.99")}}, "192.0.2.99"),
    ("spool missing", {"message": {"directory": quote("/nonexistent/spool")}}, "/nonexistent/spool"),
]


@pytest.mark.parametrize("name,sections,word", START, ids=[entry[0] for entry in START])
def test_cannot_start(area, name, sections, word):
    daemon = Posternd(area, "start-" + name.replace(" ", "-"), sections=sections)
    done = subprocess.run(daemon.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
    assert done.returncode != 0 and word in done.stdout, done
    assert os.path.getsize("/etc/passwd") > 0


def test_socket_owner_group_and_mode(make_gate):
    gate = make_gate({"": {"socket_group": quote("postfix"), "socket_owner": quote("nobody"),
                           "socket_mode": quote("0660")}})
    info = os.stat(gate.daemon.socket[5:])
    assert stat.S_IMODE(info.st_mode) == 0o660
    assert shutil._get_gid("postfix") == info.st_gid and shutil._get_uid("nobody") == info.st_uid
    assert gate.send(mails.plain()).end.code == 250


def test_privileges_are_dropped(make_gate):
    gate = make_gate()
    for pid in gate.daemon.workers():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            fields = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        uid = str(shutil._get_uid("nobody"))
        assert set(fields["Uid"].split()) == {uid}
        assert "0" not in fields["Groups"].split() and fields["CapEff"].strip("0") == ""


def test_stale_socket_is_replaced_and_a_live_one_is_not(sockets, area):
    path = os.path.join(area, "sockets", "stale.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    spec = f"unix:{path}"
    first = Posternd(area, "stale-first", spec).start()
    try:
        second = Posternd(area, "stale-second", spec)
        done = subprocess.run(second.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, text=True)
        assert done.returncode != 0 and path in done.stdout
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
    finally:
        assert first.stop() == 0
    assert not os.path.exists(path)


def test_options_plan_and_version(tmp_path):
    options = run(program("posternd"), "-T", "options").stdout
    for name in ("socket", "trusted_networks", "banned", "max_header", "max_expanded", "drain_timeout"):
        assert name in options
    path = tmp_path / "postern.conf"
    path.write_text(render({"": {"user": quote("")}, "message": {"directory": quote("/tmp")}, "recipients": {"mode": "off"}}))
    plan = run(program("posternd"), "-T", "plan", "-c", path).stdout
    assert "helo" in plan and "attachments" in plan and "eom" in plan
    assert "recipients" not in [line.split()[-1] for line in plan.splitlines() if line.split()]
    assert run(program("posternd"), "-V").stdout.startswith(("posternd", "postern"))
