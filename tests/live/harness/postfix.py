"""A private Postfix: configuration, queue, data and log in one directory, nothing of the system's touched.

One smtpd service per way of putting milters in front of it. Every service lets 127.0.0.1 say XCLIENT, so that a test
can come from any address, offers STARTTLS with a certificate of its own, and AUTH PLAIN against harness.sasl.
All mail for example.net, and every bounce, goes to one sink. unknown*@example.net is refused by Postfix itself.
"""
import json
import os
import shutil
import subprocess
from typing import NamedTuple

from .sasl import USERS, SaslServer
from .tools import can_connect, free_port, run, wait_until


class Service(NamedTuple):
    """An smtpd: its name, the milters in front of it ("unix:/path", "inet:127.0.0.1:8891"), further options."""
    name: str
    milters: list
    options: dict = {}
    port: int = 0


# Without chroot, because the milters' sockets and the certificate lie in the test's directory.
MASTER = """\
{smtpd}
pickup    unix  n - n 60   1 pickup
cleanup   unix  n - n -    0 cleanup
qmgr      unix  n - n 300  1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -    - trivial-rewrite
bounce    unix  - - n -    0 bounce
defer     unix  - - n -    0 bounce
trace     unix  - - n -    0 bounce
verify    unix  - - n -    1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -    - proxymap
smtp      unix  - - n -    - smtp
local     unix  - n n -    - local
relay     unix  - - n -    - smtp
showq     unix  n - n -    - showq
error     unix  - - n -    - error
retry     unix  - - n -    - error
discard   unix  - - n -    - discard
anvil     unix  - - n -    1 anvil
scache    unix  - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# Limits are far above what the tests do, so that the refusals they see are the filter's.
MAIN = {
    "compatibility_level": "3.6",
    "myhostname": "mx.example.net",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8 [::1]/128",
    "inet_interfaces": "all",
    "inet_protocols": "all",
    "alias_maps": "",
    "alias_database": "",
    "local_transport": "error:no local users",
    "virtual_mailbox_domains": "example.net",
    "virtual_alias_domains": "alias.example",
    "virtual_alias_maps": "inline:{ { alias@alias.example = user@example.net } }",
    "recipient_delimiter": "",
    "disable_dns_lookups": "yes",
    "smtpd_peername_lookup": "no",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
    "smtpd_recipient_restrictions": "check_recipient_access regexp:{directory}/recipients",
    "smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated reject_unauth_destination",
    "smtpd_recipient_limit": "5000",
    "smtpd_recipient_overshoot_limit": "5000",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "5000",
    "smtpd_hard_error_limit": "10000",
    "smtpd_junk_command_limit": "1000",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
    "smtpd_forbid_bare_newline": "no",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "{directory}/sasl",
    "smtpd_sasl_security_options": "noanonymous",
    "smtpd_tls_security_level": "may",
    "smtpd_tls_cert_file": "{directory}/cert.pem",
    "smtpd_tls_key_file": "{directory}/key.pem",
    "smtp_tls_security_level": "none",
    "message_size_limit": "0",
    "mailbox_size_limit": "0",
    "header_size_limit": "104857600",
    "line_length_limit": "2048",
    "default_process_limit": "2000",
    "milter_default_action": "tempfail",
    "milter_protocol": "6",
    "minimal_backoff_time": "300s",
}


class PrivatePostfix:
    def __init__(self, directory, services, transport="discard:", hostname="mx.example.net", main=None,
                 non_smtpd_milters=()):
        """TRANSPORT: where all mail goes, such as "smtp:[127.0.0.1]:2599"."""
        self.directory = os.path.join(directory, "postfix")
        self.config = os.path.join(self.directory, "etc")
        self.queue = os.path.join(self.directory, "queue")
        self.log_path = os.path.join(self.directory, "maillog")
        self.transport, self.hostname = transport, hostname
        self.more = dict(main or {})
        self.non_smtpd_milters = list(non_smtpd_milters)
        self.services = list(services)
        self.ports = {s.name: s.port or free_port() for s in services}
        self.sasl = None
        self.is_started = False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for path in (self.directory, self.config, self.queue, os.path.join(self.directory, "data")):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o755)
        shutil.chown(os.path.join(self.directory, "data"), "postfix")
        self._write_certificate()
        self._write_configuration()
        self.sasl = SaslServer(os.path.join(self.directory, "sasl"), USERS).start()
        run("postfix", "-c", self.config, "start")
        self.is_started = True
        first = self.services[0]
        host = first.options.get("@host", "127.0.0.1")
        wait_until(lambda: can_connect(self.ports[first.name], host), 10, "the private Postfix")
        return self

    def stop(self):
        if self.is_started:
            run("postfix", "-c", self.config, "stop", check=False)
            self.is_started = False
        if self.sasl:
            self.sasl.stop()
            self.sasl = None

    def reload(self):
        run("postfix", "-c", self.config, "reload")

    def _write_certificate(self):
        key, cert = os.path.join(self.directory, "key.pem"), os.path.join(self.directory, "cert.pem")
        if not os.path.exists(cert):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "30", "-subj", f"/CN={self.hostname}", "-keyout", key, "-out", cert)

    def _write_configuration(self):
        own = {
            "config_directory": self.config,
            "queue_directory": self.queue,
            "data_directory": os.path.join(self.directory, "data"),
            "maillog_file": self.log_path,
            "maillog_file_prefixes": self.directory,
            "myhostname": self.hostname,
            "virtual_transport": self.transport,
            "default_transport": self.transport,
            "relay_transport": self.transport,
            "non_smtpd_milters": " ".join(self.non_smtpd_milters),
        }
        values = {**MAIN, **own, **self.more}
        with open(os.path.join(self.config, "main.cf"), "w", encoding="ascii") as file:
            for key, value in values.items():
                file.write(f"{key} = {value.replace('{directory}', self.directory)}\n")
        lines = []
        for service in self.services:
            lines.append(f"{service.options.get('@host', '127.0.0.1')}:{self.ports[service.name]} inet n - n - - smtpd")
            options = {"smtpd_milters": ",".join(service.milters), "syslog_name": f"postfix/{service.name}",
                       **service.options}
            lines += [f"  -o {{ {key} = {value} }}" for key, value in options.items() if not key.startswith("@")]
        with open(os.path.join(self.config, "master.cf"), "w", encoding="ascii") as file:
            file.write(MASTER.format(smtpd="\n".join(lines)))
        with open(os.path.join(self.directory, "recipients"), "w", encoding="ascii") as file:
            file.write("/^unknown.*@example\\.net$/ 550 5.1.1 User unknown\n")
        for name in ("postfix-files", "dynamicmaps.cf"):
            shutil.copy(os.path.join("/etc/postfix", name), self.config)
        for name in ("postfix-files.d", "dynamicmaps.cf.d"):
            if os.path.isdir(os.path.join("/etc/postfix", name)):
                shutil.copytree(os.path.join("/etc/postfix", name), os.path.join(self.config, name),
                                dirs_exist_ok=True)

    # What happened inside.
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    def submit(self, sender, recipients, message, check=True):
        """A local submission by sendmail(1)."""
        return subprocess.run(["sendmail", "-C", self.config, "-f", sender, "-i", *recipients], input=message,
                              check=check, timeout=30, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def queued(self):
        """The messages in the queue, as postqueue -j describes them."""
        text = run("postqueue", "-c", self.config, "-j").stdout
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def queued_content(self, queue_id):
        return run("postcat", "-c", self.config, "-q", queue_id).stdout

    def clear(self):
        run("postsuper", "-c", self.config, "-d", "ALL")
