"""The filters that others use for what Postern does with --auth, each with a configuration of its own in the bench's
directory: pyspf-milter, opendkim and opendmarc as three milters in a row, and rspamd with the modules that match
(spf, dkim, dmarc, mime_types, milter_headers) and nothing that needs Redis or the network.
"""
import os
import shutil
import subprocess

from harness.tools import stop_process, wait_until

USER = "nobody"


class Rival:
    """SOCKETS: the milters that start() must bring up. Where one of them breaks off a conversation under load, Postfix
    goes on without it, for the measurement's sake; report() counts it."""

    postfix_options = {"milter_default_action": "accept"}

    def __init__(self, area, surroundings):
        self.directory = os.path.join(area, self.name.replace(" ", "-"))  # no blank in a path that Postfix reads
        self.surroundings, self.processes, self.sockets = surroundings, [], []
        os.makedirs(self.directory)
        shutil.chown(self.directory, USER)

    @property
    def milters(self):
        return [f"unix:{path}" for path in self.sockets]

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def socket(self, name):
        self.sockets.append(os.path.join(self.directory, name))
        return self.sockets[-1]

    def spawn(self, *command):
        """In a mount namespace whose resolv.conf names the bench's resolver."""
        resolv = self.write("resolv.conf", f"nameserver {self.surroundings.resolver.address_53}\n")
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.processes.append(subprocess.Popen(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && umask 0 && exec "$@"', resolv,
                 *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def wait(self):
        def are_up():
            if any(process.poll() is not None for process in self.processes):
                with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"{self.name} ended: {log.read()[-2000:]}")
            return all(os.path.exists(path) for path in self.sockets)
        wait_until(are_up, 20, self.name)

    def stop(self):
        for process in self.processes:
            stop_process(process)
        self.processes = []


class Chain(Rival):
    name = "three milters"

    def start(self):
        spf = self.write("pyspf.conf", "debugLevel = 1\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\n"
                         "PermError_reject = False\nTempError_Defer = False\nskip_addresses = 127.0.0.0/8\n"
                         "InternalHosts = 127.0.0.1\nAuthserv_Id = mx.example.net\nUMask = 0\n"
                         f"UserID = {USER}:nogroup\n"
                         f"Socket = local:{self.socket('spf')}\nPidFile = {self.directory}/spf.pid\n")
        common = "Syslog no\nUMask 000\nAuthservID mx.example.net\n"
        unbound = self.write("unbound.conf", "server:\n do-not-query-localhost: no\n")
        # Under load it has internal errors now and then, and answers 451; that would end the measurement.
        dkim = self.write("opendkim.conf", f"{common}Mode v\nOn-Default accept\nSocket local:{self.socket('dkim')}\n"
                          f"ResolverConfiguration {unbound}\nNameservers {self.surroundings.resolver.address_53}\n"
                          f"UserID {USER}\n")
        dmarc = self.write("opendmarc.conf", f"{common}TrustedAuthservIDs mx.example.net\nRejectFailures true\n"
                           f"Socket local:{self.socket('dmarc')}\nUserID {USER}\n"
                           "PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat\n")
        self.spawn("pyspf-milter", spf)
        self.spawn("opendkim", "-f", "-x", dkim)
        self.spawn("opendmarc", "-f", "-c", dmarc)
        self.wait()


RSPAMD = """\
lua = "$RULESDIR/rspamd.lua"
.include "$CONFDIR/metrics.conf"
.include "$CONFDIR/actions.conf"
.include "$CONFDIR/groups.conf"
modules { path = "${PLUGINSDIR}"; fallback_path = "${SHAREDIR}/lua"; }
spf { }
dkim { }
dmarc { }
mime_types { bad_extensions = { exe = 4, com = 4, scr = 4, js = 4 }; bad_archive_extensions = { exe = 4 };
    archive_extensions = { zip = 1, rar = 1, 7z = 1 }; }
milter_headers { use = ["authentication-results"]; skip_local = false; skip_authenticated = true; }
options {
    pidfile = "@/pid"; tempdir = "/tmp"; control_socket = "@/control mode=0600"; cache_file = "@/cache";
    stats_file = "@/stats"; hs_cache_dir = "@/"; history_file = "@/history"; dynamic_conf = "@/dynamic";
    url_tld = "${SHAREDIR}/effective_tld_names.dat"; filters = "dkim"; local_addrs = [192.0.2.0/24];
    dns { nameserver = ["SERVER"]; timeout = 1s; sockets = 16; retransmits = 5; }
    explicit_modules = ["spf", "dkim", "dmarc", "mime_types", "milter_headers"];
}
logging { type = "file"; filename = "@/rspamd.log"; level = "notice"; }
worker "rspamd_proxy" {
    bind_socket = "@/milter mode=0666"; milter = yes; timeout = 120s; count = 2;
    upstream "local" { default = yes; self_scan = yes; }
}
"""


class Rspamd(Rival):
    name = "rspamd"

    def start(self):
        resolver = self.surroundings.resolver
        self.socket("milter")
        path = self.write("rspamd.conf", RSPAMD.replace("@", self.directory).replace(
            "SERVER", f"127.0.0.1:{resolver.port}"))
        self.spawn("rspamd", "-f", "-u", USER, "-g", "nogroup", "-c", path)
        self.wait()


RIVALS = [Chain, Rspamd]
