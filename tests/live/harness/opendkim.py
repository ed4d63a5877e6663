"""A real second milter for the chain: opendkim in verify mode, with a key of its own that needs no DNS."""
import os
import subprocess

from .tools import run, stop_process, wait_until


class OpenDkim:
    def __init__(self, directory, domain="sender.example"):
        self.directory, self.domain = os.path.join(directory, "dkim"), domain
        self.socket = os.path.join(self.directory, "milter.sock")
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        run("openssl", "genrsa", "-out", f"{self.directory}/key.pem", "2048")
        public = run("openssl", "rsa", "-in", f"{self.directory}/key.pem", "-pubout").stdout
        record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        with open(f"{self.directory}/keys", "w", encoding="ascii") as file:
            file.write(f"test._domainkey.{self.domain} {record}\n")
        with open(f"{self.directory}/opendkim.conf", "w", encoding="ascii") as file:
            file.write(f"Mode v\nSocket local:{self.socket}\nUMask 000\nSyslog no\nAlwaysAddARHeader yes\n"
                       f"AuthservID mx.example.net\nTestPublicKeys {self.directory}/keys\nInternalHosts 192.0.2.254\n")
        with open(f"{self.directory}/log", "wb") as log:
            self.process = subprocess.Popen(["opendkim", "-f", "-x", f"{self.directory}/opendkim.conf"], stdout=log,
                                            stderr=log)
        wait_until(lambda: os.path.exists(self.socket), 10, "opendkim")
        return self

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None

    def sign(self, message):
        """MESSAGE with a DKIM-Signature of our test domain in front."""
        done = subprocess.run(["opendkim-testmsg", "-d", self.domain, "-s", "test", "-k", f"{self.directory}/key.pem"],
                              input=message.replace(b"\n", b"\r\n"), stdout=subprocess.PIPE, check=True, timeout=20)
        return done.stdout.replace(b"\r\n", b"\n")
