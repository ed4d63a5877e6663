"""The distribution's postsrsd (1.x) on loopback: two tcp_table(5) servers, one that rewrites and one that undoes."""
import os
import re
import socket
import urllib.parse

from .daemon import Daemon
from .tools import can_connect, free_port


class PostSrsd(Daemon):
    def __init__(self, directory, secrets, domain, *options, name="postsrsd"):
        super().__init__(os.path.join(directory, name))
        self.secrets, self.domain, self.options = secrets, domain, options
        self.ports = {"forward": free_port(), "reverse": free_port()}

    def start(self):
        return self.launch("/usr/sbin/postsrsd", "-4", "-l127.0.0.1", f"-s{self.secrets}", f"-d{self.domain}",
                           f"-f{self.ports['forward']}", f"-r{self.ports['reverse']}", *self.options,
                           is_up=lambda log: all(can_connect(port) for port in self.ports.values()))

    def ask(self, table, address):
        """What it answers; None: no such entry, which is also what it says to a forgery."""
        with socket.create_connection(("127.0.0.1", self.ports[table]), 5) as connection:
            connection.sendall(f"get {urllib.parse.quote(address, safe=SAFE)}\n".encode())
            answer = connection.makefile("r", encoding="utf-8").readline()
        match = re.fullmatch(r"(\d+) (.*)\n", answer)
        assert match, answer
        return urllib.parse.unquote(match[2]) if match[1] == "200" else None


SAFE = "".join(chr(c) for c in range(0x21, 0x7f) if chr(c) != "%")
