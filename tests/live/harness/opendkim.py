"""A real second milter for the chain: opendkim in verify mode, with a key of its own that needs no DNS."""
import os
import subprocess

from .daemon import Daemon
from .tools import run


class OpenDkim(Daemon):
    def __init__(self, directory, domain="sender.example"):
        super().__init__(os.path.join(directory, "dkim"))
        self.domain = domain
        self.socket = os.path.join(self.directory, "milter.sock")

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        run("openssl", "genrsa", "-out", f"{self.directory}/key.pem", "2048")
        public = run("openssl", "rsa", "-in", f"{self.directory}/key.pem", "-pubout").stdout
        record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        self.write("keys", f"test._domainkey.{self.domain} {record}\n")
        config = self.write("opendkim.conf", f"Mode v\nSocket local:{self.socket}\nUMask 000\nSyslog no\n"
                            f"AlwaysAddARHeader yes\nAuthservID mx.example.net\nTestPublicKeys {self.directory}/keys\n"
                            "InternalHosts 192.0.2.254\n")
        return self.launch("opendkim", "-f", "-x", config, is_up=lambda _: os.path.exists(self.socket))

    def sign(self, message):
        """MESSAGE with a DKIM-Signature of our test domain in front."""
        done = subprocess.run(["opendkim-testmsg", "-d", self.domain, "-s", "test", "-k", f"{self.directory}/key.pem"],
                              input=message.replace(b"\n", b"\r\n"), stdout=subprocess.PIPE, check=True, timeout=20)
        return done.stdout.replace(b"\r\n", b"\n")
