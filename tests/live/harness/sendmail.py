"""A private Sendmail beside an installed Postfix: the packages conflict, so they are unpacked, never installed.

It queues everything and delivers nothing (-odq), unless it is told to: what is looked at are its answers and its queue.
However busy the machine is, it listens. /etc/hosts and /etc/resolv.conf are bind-mounted in a mount namespace of its own, because Sendmail sleeps for a minute on a
host without a fully qualified name. The tests' directory is seen as /mnt there: Sendmail takes no milter socket whose
path leads through a world-writable directory such as /tmp.

AUTH PLAIN is offered with the users of harness.sasl. libsasl2 looks for Sendmail.conf in a few directories only, one of
which is ours in that mount namespace; the password is asked of a server in the protocol of saslauthd.
"""
import fcntl
import glob
import os
import shutil
import socket

from .daemon import Daemon
from .sasl import USERS, SaslAuthd
from .tools import build_directory, can_connect, free_port, run

PACKAGES = ("sendmail-bin", "sendmail-base", "sendmail-cf")

MC = """\
divert(0)dnl
VERSIONID(`postern live test')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.example.net')dnl
define(`QUEUE_DIR', `{directory}/queue')dnl
define(`STATUS_FILE', `{directory}/statistics')dnl
define(`ALIAS_FILE', `{alias_file}')dnl
define(`confPID_FILE', `{directory}/pid')dnl
define(`HELP_FILE', `{root}/etc/mail/helpfile')dnl
define(`confCF_VERSION', `postern')dnl
define(`confSERVICE_SWITCH_FILE', `{directory}/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
define(`confTO_IDENT', `0')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confMAX_HEADERS_LENGTH', `0')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confQUEUE_LA', `10000')dnl
define(`confDELAY_LA', `0')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
RELAY_DOMAIN(`example.net')dnl
define(`confAUTH_MECHANISMS', `PLAIN')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
{daemons}
{filters}
{more}
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
MAILER(`smtp')dnl
LOCAL_RULESETS
SLocal_check_rcpt
R< unknown @ $* >	$#error $@ 5.1.1 $: "550 User unknown"
"""


def unpack():
    """The root of the unpacked packages; downloaded once into the build directory, by one test run at a time."""
    with open(os.path.join(build_directory(), "sendmail-root.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _unpack(os.path.join(build_directory(), "sendmail-root"))


def _unpack(root):
    if not os.path.exists(os.path.join(root, ".complete")):
        debs = os.path.join(build_directory(), "sendmail-debs")
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(debs, exist_ok=True)
        # As ourselves, not as _apt, who may not enter the build directory.
        fetch = ("apt-get", "-o", "APT::Sandbox::User=root", "download", *PACKAGES)
        if run(*fetch, cwd=debs, timeout=120, check=False).returncode:
            run("apt-get", "-q", "update", timeout=120)  # a machine may have every package and no list of them
            run(*fetch, cwd=debs, timeout=120)
        for deb in glob.glob(os.path.join(debs, "*.deb")):
            run("dpkg", "-x", deb, root)
        open(os.path.join(root, ".complete"), "wb").close()
    return root


class PrivateSendmail(Daemon):
    """FILTERS: the milters in order, as ("name", "unix:/path" or "inet:8891@127.0.0.1"). MORE: lines of the .mc in
    front of its mailers. ALIASES: the text of its alias file. DELIVERY: its -od option."""

    def __init__(self, directory, filters, addresses=("127.0.0.1",), more="", aliases=None, delivery="q"):
        super().__init__(os.path.join(directory, "sendmail"))
        self.more, self.aliases, self.delivery = more, aliases, delivery
        self.base = directory
        self.filters, self.addresses = filters, addresses
        self.port = free_port()
        self.passwords = None

    def start(self):
        root = unpack()
        os.makedirs(os.path.join(self.directory, "queue"), exist_ok=True)
        os.chmod(os.path.join(self.directory, "queue"), 0o700)
        self.write("aliases", self.aliases or "")
        self.write("service.switch", "hosts files\naliases files\n")
        self.write("hosts", f"127.0.0.1 mx.example.net localhost {socket.gethostname()}\n::1 localhost\n")
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        passwords = os.path.join(self.directory, "saslauthd")
        self.write("sasl2/Sendmail.conf", f"pwcheck_method: saslauthd\nsaslauthd_path: {passwords}\nmech_list: PLAIN\n")
        cf_directory = os.path.join(root, "usr/share/sendmail/cf")
        daemons = "\n".join(f"DAEMON_OPTIONS(`Name=MTA{i}, Port={self.port}, Addr={a}')dnl"
                            for i, a in enumerate(self.addresses))
        filters = "\n".join(f"INPUT_MAIL_FILTER(`{name}', `S={spec.replace(self.base, '/mnt')}, F=T,"
                            " T=C:10s;S:30s;R:30s;E:120s')dnl" for name, spec in self.filters)
        mc = self.write("sendmail.mc", MC.format(directory=self.directory, root=root, daemons=daemons, filters=filters,
                                                   more=self.more,
                                                   alias_file="/mnt/sendmail/aliases" if self.aliases else
                                                   f"{self.directory}/aliases"))
        cf = run("m4", f"-D_CF_DIR_={cf_directory}/", os.path.join(cf_directory, "m4/cf.m4"), mc)
        self.write("sendmail.cf", cf.stdout)
        mounts = {"hosts": "/etc/hosts", "resolv.conf": "/etc/resolv.conf", "sasl2": "/usr/lib/sasl2", "..": "/mnt"}
        script = [f"mount --bind {self.directory}/{ours} {theirs}" for ours, theirs in mounts.items()]
        if self.aliases:
            script.append(f"{root}/usr/libexec/sendmail/sendmail -C {self.directory}/sendmail.cf -bi")
        script.append(f"exec {root}/usr/libexec/sendmail/sendmail -C {self.directory}/sendmail.cf -bD -od{self.delivery}")
        self.passwords = SaslAuthd(passwords, USERS).start()
        return self.launch("unshare", "-m", "sh", "-c", " && ".join(script), timeout=20,
                           is_up=lambda _: can_connect(self.port, self.addresses[0]))

    def stop(self):
        super().stop()
        if self.passwords:
            self.passwords.stop()
            self.passwords = None

    def queued(self, queue_id):
        """(control file, data file) of a queued message as texts; None if it is not there."""
        texts = []
        for kind in ("qf", "df"):
            path = os.path.join(self.directory, "queue", kind + queue_id)
            held = os.path.join(self.directory, "queue", "hf" + queue_id)
            if kind == "qf" and not os.path.exists(path) and os.path.exists(held):
                path = held
            try:
                with open(path, encoding="utf-8", errors="backslashreplace") as file:
                    texts.append(file.read())
            except FileNotFoundError:
                return None
        return tuple(texts)
