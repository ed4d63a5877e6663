"""A network namespace whose clients have an address of their own: not loopback, so from outside to any MTA."""
import ctypes
import os
import socket
import threading

from .tools import run

CLONE_NEWNET = 0x40000000


class Namespace:
    """SERVER is our end's address, CLIENT the other's. The pair and its subnet carry our pid, so that two test runs
    on one machine do not meet."""

    def __init__(self):
        pid = os.getpid()
        self.name = f"postern{pid}"
        self.link, self.peer = f"pst{pid % 100000}a", f"pst{pid % 100000}b"
        self.server = f"10.77.{pid // 60 % 256}.{pid % 60 * 4 + 1}"
        self.client = f"10.77.{pid // 60 % 256}.{pid % 60 * 4 + 2}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        run("ip", "netns", "add", self.name)
        try:
            run("ip", "link", "add", self.link, "type", "veth", "peer", "name", self.peer)
            run("ip", "link", "set", self.peer, "netns", self.name)
            run("ip", "addr", "add", f"{self.server}/30", "dev", self.link)
            run("ip", "link", "set", self.link, "up")
            run("ip", "-n", self.name, "addr", "add", f"{self.client}/30", "dev", self.peer)
            run("ip", "-n", self.name, "link", "set", self.peer, "up")
            run("ip", "-n", self.name, "link", "set", "lo", "up")
        except RuntimeError:
            self.stop()
            raise
        return self

    def stop(self):
        run("ip", "link", "del", self.link, check=False)
        run("ip", "netns", "del", self.name, check=False)

    def connect(self, address, timeout):
        """A socket made inside the namespace."""
        return self.inside(lambda: socket.create_connection(address, timeout))

    def inside(self, make):
        """What MAKE() returns, called inside the namespace; the thread that enters it ends with it."""
        result = []

        def work():
            try:
                with open(f"/run/netns/{self.name}", "rb") as file:
                    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(make())
            except OSError as error:
                result.append(error)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]
