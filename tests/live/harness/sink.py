"""An SMTP server that takes every message and keeps it whole, for looking at what was delivered."""
import socketserver
import threading
from typing import NamedTuple

from .tools import wait_until


class Delivered(NamedTuple):
    sender: str
    recipients: list
    content: bytes
    parameters: str = ""    # of MAIL
    rcpt_parameters: list = []  # of each recipient


class Sink:
    """MESSAGES holds what came in, oldest first. OFFERS: keywords of EHLO. REFUSES: {recipient: reply to RCPT}."""

    def __init__(self, host="127.0.0.1", port=0, offers=("PIPELINING", "8BITMIME")):
        self.messages, self.lock = [], threading.Lock()
        self.offers, self.refuses = offers, {}
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    outer.talk(self.rfile, self.wfile)
                except OSError:
                    pass

        class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

        self.server = Server((host, port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def talk(self, rfile, wfile):
        wfile.write(b"220 sink ESMTP\r\n")
        sender, recipients, parameters, rcpt_parameters = "", [], "", []
        for line in rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                lines = ["sink", *self.offers]
                wfile.write("".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}\r\n"
                                    for i, text in enumerate(lines)).encode())
            elif verb == b"DATA":
                wfile.write(b"354 go on\r\n")
                content = []
                for text in rfile:
                    if text == b".\r\n":
                        break
                    content.append(text[1:] if text.startswith(b".") else text)
                with self.lock:
                    self.messages.append(Delivered(sender, recipients, b"".join(content), parameters, rcpt_parameters))
                wfile.write(b"250 2.0.0 kept\r\n")
            elif verb == b"QUIT":
                wfile.write(b"221 bye\r\n")
                return
            else:
                address, _, words = line.decode("utf-8", "replace").partition("<")[2].strip().rpartition(">")
                if verb == b"MAIL":
                    sender, recipients, parameters, rcpt_parameters = address, [], words.strip(), []
                elif verb == b"RCPT" and address in self.refuses:
                    wfile.write(self.refuses[address].encode() + b"\r\n")
                    continue
                elif verb == b"RCPT":
                    recipients.append(address)
                    rcpt_parameters.append(words.strip())
                wfile.write(b"250 2.0.0 ok\r\n")

    def find(self, text):
        """The delivered messages whose content holds TEXT."""
        text = text.encode() if isinstance(text, str) else text
        with self.lock:
            return [m for m in self.messages if text in m.content]

    def wait_for(self, text, timeout=15, count=1):
        """At least COUNT messages that hold TEXT, once they have come in."""
        return wait_until(lambda: len(self.find(text)) >= count and self.find(text), timeout, f"delivery of {text!r}")

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
