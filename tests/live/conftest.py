"""What every live test shares: one private Postfix with an smtpd per way of attaching a filter, one sink behind it,
and posternd processes that are started for a module or a test and must end cleanly."""
import contextlib
import os
import re
import shutil
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness.forwarding import desk, forwarder, make_desk  # noqa: E402, F401
from harness.netns import Namespace  # noqa: E402
from harness.postfix import PrivatePostfix, Service  # noqa: E402
from harness.posternd import Posternd, quote  # noqa: E402
from harness.sink import Sink  # noqa: E402
from harness.smtp import Smtp  # noqa: E402
from harness.tools import free_port, make_directory, remove_directory  # noqa: E402

SLOTS = 4
SLOW = 1 if not os.environ.get("POSTERN_SLOW") else int(os.environ["POSTERN_SLOW"])
SANITIZER = re.compile(r"Sanitizer|runtime error:")


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): how long the test may take instead of a minute")
    config.addinivalue_line("markers", "load: one of the tests that are run again with the thread sanitizer")


@pytest.fixture(autouse=True)
def limit(request):
    """No test may hang."""
    marker = request.node.get_closest_marker("seconds")

    def ring(*_):
        raise TimeoutError("the test took too long")
    signal.signal(signal.SIGALRM, ring)
    signal.alarm((marker.args[0] if marker else 60) * SLOW)
    yield
    signal.alarm(0)


@pytest.fixture(scope="session")
def area():
    """A directory for everything; kept with POSTERN_KEEP=1 to look at afterwards."""
    path = make_directory(prefix="postern-live-")
    yield path
    if os.environ.get("POSTERN_KEEP"):
        print(f"kept: {path}")
    else:
        remove_directory(path)


@pytest.fixture(scope="session")
def sink():
    server = Sink().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sockets(area):
    """The socket of each smtpd service, as postern.conf writes it."""
    directory = os.path.join(area, "sockets")
    os.mkdir(directory, 0o755)
    shutil.chown(directory, "nobody")  # like /run/postern, the user's own
    specs = {f"slot{i}": f"unix:{directory}/slot{i}.sock" for i in range(SLOTS)}
    specs["inet"] = f"inet:{free_port()}@127.0.0.1"
    specs["inet6"] = f"inet6:{free_port('::1')}@::1"
    specs["local"] = f"unix:{directory}/local.sock"
    specs["dkim"] = f"unix:{area}/dkim/milter.sock"
    specs["rspamd"] = f"unix:{area}/rspamd/milter.sock"
    return specs


@pytest.fixture(scope="session")
def mta(area, sink, sockets):
    """The private Postfix. Service names are those of `sockets`, and before/after/scanned for a chain with another milter."""
    as_milter = {name: Posternd.milter.fget(_Spec(spec)) for name, spec in sockets.items()}
    services = [Service(name, [spec]) for name, spec in as_milter.items() if name not in ("local", "dkim", "rspamd")]
    services += [Service("before", [as_milter["dkim"], as_milter["slot0"]]),
                 Service("after", [as_milter["slot0"], as_milter["dkim"]]),
                 Service("scanned", [as_milter["rspamd"], as_milter["slot0"]]),
                 Service("bare", [])]
    postfix = PrivatePostfix(area, services, transport=f"smtp:[127.0.0.1]:{sink.port}",
                             non_smtpd_milters=[as_milter["local"]])
    try:
        postfix.start()
        yield postfix
    finally:
        postfix.stop()


class _Spec:
    def __init__(self, spec):
        self.socket = spec


class Gate:
    """One posternd with the smtpd in front of it."""

    def __init__(self, daemon, mta, name):
        self.daemon, self.mta, self.name = daemon, mta, name
        self.port = mta.ports[name] if name in mta.ports else None

    def client(self, addr="192.0.2.7", helo="mail.sender.example", name="mail.sender.example", service=None,
               timeout=30, **xclient):
        """An SMTP client at ADDR (None: this machine itself) that has said EHLO (unless HELO is None)."""
        smtp = Smtp(self.mta.ports[service] if service else self.port, timeout=timeout)
        if addr:
            smtp.ehlo("harness.example")
            reply = smtp.xclient(addr, name, **xclient)
            assert reply.code == 220, reply
        if helo is not None:
            reply = smtp.ehlo(helo)
            assert reply.code == 250, reply
        return smtp

    def send(self, message, recipients=("user@example.net",), sender="sender@sender.example", **more):
        """One message by one client; the outcome."""
        with self.client(**more) as smtp:
            return smtp.transaction(sender, recipients, message)


@pytest.fixture(scope="session")
def free_slots():
    return [f"slot{i}" for i in range(SLOTS - 1, -1, -1)]


@contextlib.contextmanager
def running_gate(area, mta, sockets, free_slots, sections=None, slot=None, text=None, **more):
    name = slot or free_slots.pop()
    running_gate.count += 1
    daemon = Posternd(area, f"d{running_gate.count}-{name}", sockets[name], sections, **more)
    if text is not None:
        daemon.write_text(text)
    try:
        daemon.start()
        yield Gate(daemon, mta, name)
        status = daemon.stop()
        complaint = SANITIZER.search(daemon.text())
        assert not complaint, daemon.text()[max(0, complaint.start() - 200):][:8000]
        assert status in (0, None), daemon.text()[-4000:]
    finally:
        daemon.stop()
        if not slot:
            free_slots.append(name)


running_gate.count = 0


@pytest.fixture(scope="module")
def gate(request, area, mta, sockets, free_slots):
    """The module's posternd; its configuration is the module's SECTIONS."""
    with running_gate(area, mta, sockets, free_slots, getattr(request.module, "SECTIONS", {})) as value:
        yield value


@pytest.fixture
def make_gate(area, mta, sockets, free_slots):
    """make_gate(sections, slot=...): one more posternd, for this test alone."""
    with contextlib.ExitStack() as stack:
        yield lambda sections=None, **more: stack.enter_context(
            running_gate(area, mta, sockets, free_slots, sections, **more))


@pytest.fixture(scope="session")
def namespace():
    with Namespace() as value:
        yield value


@pytest.fixture
def list_file(area):
    """list_file(text): the quoted path of a file that the worker's user may read."""
    def make(text):
        list_file.count = getattr(list_file, "count", 0) + 1
        path = os.path.join(area, f"list{list_file.count}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return quote(path)
    return make
