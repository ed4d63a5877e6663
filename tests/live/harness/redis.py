"""A private redis-server on loopback. What it holds is there again after a stop or a kill (append-only file)."""
import os

from .daemon import Daemon
from .tools import can_connect, free_port


class Redis(Daemon):
    def __init__(self, directory, name="redis"):
        super().__init__(os.path.join(directory, name))
        self.port = free_port()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        return self.launch("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory,
                           "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                           is_up=lambda log: can_connect(self.port))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None
