"""rspamd as the filter before us: spf, dkim and dmarc, an Authentication-Results field, no verdict of its own. Nothing of
the system's is touched, nothing is stored, and no name is asked but from the name server given."""
import os
import shutil
import socket
import subprocess

from .tools import stop_process, wait_until

CONFIG = """\
lua = "$RULESDIR/rspamd.lua"
.include "$CONFDIR/groups.conf"
modules { path = "${PLUGINSDIR}"; fallback_path = "${SHAREDIR}/lua"; }
actions { reject = 1000; add_header = 999; greylist = 998; }
spf { }
dkim { }
dmarc { }
milter_headers { use = ["authentication-results"]; skip_local = false; }
options {
    pidfile = "@/pid"; tempdir = "@"; control_socket = "@/control mode=0600"; cache_file = "@/cache";
    stats_file = "@/stats"; hs_cache_dir = "@/"; history_file = "@/history"; dynamic_conf = "@/dynamic";
    url_tld = "${SHAREDIR}/effective_tld_names.dat"; filters = "dkim"; local_addrs = ["127.0.0.0/8"];
    dns { nameserver = ["SERVER"]; timeout = 1s; retransmits = 3; }
    explicit_modules = ["spf", "dkim", "dmarc", "milter_headers"];
}
logging { type = "console"; level = "notice"; }
worker "rspamd_proxy" {
    bind_socket = "@/milter.sock mode=0666"; milter = yes; timeout = 60s; count = 1;
    upstream "local" { default = yes; self_scan = yes; }
}
"""


class Rspamd:
    """SERVER: a name server, as dns { servers } names it."""

    def __init__(self, directory, server, user="nobody", group="nogroup"):
        self.directory, self.server = os.path.join(directory, "rspamd"), server
        self.user, self.group = user, group
        self.socket = os.path.join(self.directory, "milter.sock")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        shutil.chown(self.directory, self.user)
        config = os.path.join(self.directory, "rspamd.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.replace("@", self.directory).replace("SERVER", self.server.replace("@", ":")))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["rspamd", "-f", "-u", self.user, "-g", self.group, "-c", config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"rspamd ended: {self.log()[-3000:]}")
            return self._answers()
        try:
            wait_until(is_up, 60, "rspamd", 0.2)  # its Lua takes long to load
        except (RuntimeError, TimeoutError):
            self.stop()
            raise
        return self

    def _answers(self):
        """Does it negotiate, as with an MTA? The socket is there long before somebody reads from it."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            try:
                sock.connect(self.socket)
                sock.sendall(b"\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")
                return sock.recv(5)[4:] == b"O"
            except OSError:
                return False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None
