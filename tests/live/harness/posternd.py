"""Postern itself: a configuration, posternd in the foreground, its log, its workers, and posternctl."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from .tools import program, run, stop_process, wait_until

FIELD = re.compile(r'([A-Za-z_]+)=("(?:[^"\\]|\\.)*"|\S*)')
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}


def parse_kv(text):
    """A key=value line as a dict, escapes undone (bytes outside ASCII become the code points of the same number)."""
    fields = {}
    for key, value in FIELD.findall(text):
        if value.startswith('"'):
            value = ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3 else SIMPLE.get(m[1], m[1]),
                               value[1:-1])
        fields[key] = value
    return fields


def parse_line(line):
    """(level, fields) of one line that posternd wrote to stderr; fields is empty for a free text."""
    match = re.match(r"\S+ \S+\[(\d+)\] (\w+): (.*)", line)
    level, text = (match[2], match[3]) if match else ("", line)
    if text.startswith("{"):
        return level, json.loads(text)
    return level, parse_kv(text) if text.startswith("event=") else {}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def strings(*items):
    """A list of texts in the syntax of postern.conf."""
    return "{ " + ", ".join(quote(i) for i in items) + " }"


def render(sections):
    """{"": {"mode": "enforce"}, "helo": {...}} as postern.conf; values stand as they are given."""
    lines = [f"{key} = {value}" for key, value in sections.get("", {}).items()]
    for name, options in sections.items():
        if name:
            lines += [f"{name} {{", *[f"    {key} = {value}" for key, value in options.items()], "}"]
    return "\n".join(lines) + "\n"


class Posternd:
    """SECTIONS are merged over what every test needs. USER: who the worker becomes."""

    def __init__(self, directory, name="postern", socket_spec=None, sections=None, user="nobody", environment=None,
                 wrapper=()):
        self.directory = os.path.join(directory, name)
        # $POSTERN_WRAPPER: a command to run posternd under, such as "setarch -R" for the thread sanitizer.
        self.user, self.wrapper = user, list(wrapper) or os.environ.get("POSTERN_WRAPPER", "").split()
        self.environment = {**os.environ, **(environment or {})}
        self.state = os.path.join(self.directory, "state")
        os.makedirs(os.path.join(self.directory, "spool"), exist_ok=True)
        os.makedirs(self.state, exist_ok=True)
        os.chmod(self.directory, 0o755)
        self.socket = socket_spec or f"unix:{self.directory}/milter.sock"
        self.config = os.path.join(self.directory, "postern.conf")
        self.log_path = os.path.join(self.directory, "log")
        self.control = os.path.join(self.directory, "control")
        self.sections = sections or {}
        self.process = None
        if user and os.geteuid() == 0:
            shutil.chown(os.path.join(self.directory, "spool"), user)
            shutil.chown(self.state, user)
            shutil.chown(self.directory, user)
        self.write(self.sections)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def milter(self):
        """The socket as Postfix writes it."""
        match = re.fullmatch(r"(inet6?):(\d+)@(.+)", self.socket)
        if not match:
            return self.socket
        return f"inet:[{match[3]}]:{match[2]}" if match[1] == "inet6" else f"inet:{match[3]}:{match[2]}"

    def write(self, sections):
        """The configuration file, for the start or for the next reload."""
        base = {
            "": {"socket": quote(self.socket), "control": quote(self.control), "socket_mode": quote("0666"),
                 "user": quote(self.user or ""), "hostname": quote("mx.example.net"),
                 "local_domains": strings("example.net", ".example.net"),
                 "trusted_networks": strings("127.0.0.0/8", "::1"), "drain_timeout": "20s",
                 "state_directory": quote(self.state), "store": quote(f"sqlite:{self.state}/postern.db")},
            "log": {"target": "stderr", "format": "kv", "level": "info"},
            "spf": {"mode": "off"},  # spf and dmarc would ask the name servers of this machine
            "dmarc": {"mode": "off"},
            "message": {"directory": quote(os.path.join(self.directory, "spool"))},
        }
        for name, options in sections.items():
            base[name] = {**base.get(name, {}), **options}
        self.write_text(render(base))

    def write_text(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def command(self):
        return [*self.wrapper, program("posternd"), "-f", "-c", self.config]

    def start(self, timeout=20):
        """Ready when posternd says READY=1 to NOTIFY_SOCKET, as systemd would hear it."""
        notify_path = os.path.join(self.directory, "notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(notify_path)
        os.chmod(notify_path, 0o666)  # as systemd's is: the master has dropped its privileges by then
        notify.settimeout(0.1)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True,  # a Ctrl-C is for those who run us
                                            env={**self.environment, "NOTIFY_SOCKET": notify_path})
        end = time.monotonic() + timeout
        with notify:
            while time.monotonic() < end:
                try:
                    if b"READY=1" in notify.recv(4096).split(b"\n"):
                        return self
                except socket.timeout:
                    if self.process.poll() is not None:
                        raise RuntimeError(f"posternd ended with {self.process.returncode}:\n{self.text()}") from None
        self.stop()
        raise TimeoutError(f"posternd did not become ready:\n{self.text()}")

    def stop(self, timeout=30):
        """The master's exit status; None when it was not running."""
        if self.process is None:
            return None
        status = stop_process(self.process, timeout)
        self.process = None
        return status

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def reload(self, sections=None, timeout=20):
        """A reload by signal; returns once the new worker takes the connections. Its pid, in a list."""
        if sections is not None:
            self.write(sections)
        mark = self.mark()
        self.process.send_signal(signal.SIGHUP)
        return [int(self.wait_text(r"worker (\d+) is active", mark, timeout)[1])]

    # The processes.
    @property
    def pid(self):
        return self.process.pid

    def workers(self):
        """Pids of the master's children that are workers, the oldest first."""
        pids = []
        for pid in children(self.pid):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    if file.read().startswith("postern-worker"):
                        pids.append(pid)
            except OSError:
                pass
        return sorted(pids)

    def cpu_seconds(self):
        """User and system time of all processes of this posternd, ended children included."""
        return cpu_seconds([self.pid])

    def memory_kb(self, key="VmHWM"):
        """KEY of /proc/PID/status of the worker with the largest value: VmHWM is the peak, VmRSS is now."""
        values = []
        for pid in self.workers():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                values += [int(line.split()[1]) for line in file if line.startswith(key + ":")]
        return max(values, default=0)

    # The log.
    def text(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def mark(self):
        """A place in the log, for events(since=...) and text_since()."""
        return os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0

    def text_since(self, mark):
        with open(self.log_path, "rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "backslashreplace")

    def events(self, kind=None, since=0):
        """The log lines that are events, as dicts of their fields; whole lines only."""
        text = self.text_since(since)
        lines = text[:text.rfind("\n") + 1].splitlines()
        fields = [parse_line(line)[1] for line in lines]
        return [f for f in fields if f and (kind is None or f.get("event") == kind)]

    def wait_event(self, kind, since=0, timeout=10, **wanted):
        """The first event of KIND with the fields WANTED; the log line may come a moment after the SMTP reply."""
        def look():
            for fields in self.events(kind, since):
                if all(str(fields.get(k)) == str(v) for k, v in wanted.items()):
                    return fields
            return None
        try:
            return wait_until(look, timeout, f"log event {kind} {wanted}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; log:\n{self.text_since(since)[-4000:]}") from None

    def wait_text(self, pattern, since=0, timeout=10):
        try:
            return wait_until(lambda: re.search(pattern, self.text_since(since)), timeout, f"log text {pattern}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; log:\n{self.text_since(since)[-4000:]}") from None

    # posternctl.
    def ctl(self, *args, check=True, **more):
        return run(program("posternctl"), args[0], "-c", self.config, *args[1:], check=check, **more)

    def status(self):
        """posternctl status as {what: text}: "process", "checksum", "sessions open", and each counter by its name."""
        text = self.ctl("status").stdout
        values = {match[2]: match[1] for match in re.finditer(r"^ +(\d+)  (\S+)$", text, re.M)}
        values.update(re.findall(r"^([a-z]+(?: [a-z]+)*)  +(\S.*?)$", text, re.M))
        values["process"] = re.search(r"process (\d+)", text)[1]
        return values

    def explain(self, message, client, helo, sender, recipients, *more):
        """posternctl explain --json for MESSAGE (bytes)."""
        done = subprocess.run([program("posternctl"), "-c", self.config, "explain", "--client-ip", client, "--helo",
                               helo, "--from", sender, *[a for r in recipients for a in ("--to", r)], *more, "--json",
                               "-"], input=message, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if not done.stdout:
            raise RuntimeError(f"explain: exit {done.returncode}\n{done.stderr.decode()}")
        return json.loads(done.stdout)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def cpu_seconds(pids):
    """User and system time of PIDS and all below them, ended children included."""
    total = 0
    for pid in [found for top in pids for found in [top, *descendants(top)]]:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            total += sum(int(f) for f in fields[11:15])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def wait_gone(pids, timeout=10):
    """Until none of PIDS is alive."""
    def gone():
        return all(not os.path.exists(f"/proc/{pid}") or is_zombie(pid) for pid in pids)
    wait_until(gone, timeout, f"end of {pids}")


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
