"""A raw SMTP client: says exactly the bytes it is told to, and keeps every reply."""
import base64
import socket
import ssl
import struct
from typing import NamedTuple


class Reply(NamedTuple):
    """One SMTP reply; TEXT is that of all its lines, joined by line feeds."""
    code: int
    text: str

    def __str__(self):
        return f"{self.code} {self.text}"


class Disconnected(Exception):
    """The server closed the connection, or closed it in the middle of a reply."""


class Outcome(NamedTuple):
    """What one transaction was answered. DATA and END are None when the dialogue did not get there."""
    mail: Reply
    rcpts: list
    data: Reply
    end: Reply

    @property
    def last(self):
        """The answer that counts: the end of the message, else the first refusal on the way."""
        if self.end:
            return self.end
        refused = [r for r in [self.data, self.mail, *self.rcpts] if r and r.code >= 400]
        return refused[0] if refused else self.data or self.mail


def stuff(message):
    """MESSAGE as it goes over the wire behind DATA: CRLF, dots doubled, the final dot included. Only LF line ends are
    repaired; a bare CR stays what it is."""
    lines = message.replace(b"\r\n", b"\n").split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Smtp:
    """One connection. SOURCE binds the client's address; OPENER(address, timeout) makes the socket elsewhere, in a
    network namespace for example."""

    def __init__(self, port, host="127.0.0.1", timeout=30, source=None, opener=None, greet=True):
        if opener:
            self.sock = opener((host, port), timeout)
        else:
            self.sock = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.banner = self.reply() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Bytes.
    def send(self, data):
        self.sock.sendall(data)

    def _line(self):
        while b"\n" not in self.buffer:
            try:
                data = self.sock.recv(65536)
            except ConnectionError as error:
                raise Disconnected(str(error)) from error
            if not data:
                raise Disconnected(self.buffer.decode("latin-1"))
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "backslashreplace")

    def reply(self):
        texts = []
        while True:
            line = self._line()
            texts.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), "\n".join(texts))

    # Commands.
    def command(self, line):
        self.send(as_bytes(line) + b"\r\n")
        return self.reply()

    def pipeline(self, lines):
        """All LINES in one write, then all the replies."""
        self.send(b"".join(as_bytes(line) + b"\r\n" for line in lines))
        return [self.reply() for _ in lines]

    def ehlo(self, name):
        return self.command(b"EHLO " + as_bytes(name))

    def helo(self, name):
        return self.command(b"HELO " + as_bytes(name))

    def xclient(self, addr, name="[UNAVAILABLE]", **more):
        """Become somebody else (Postfix only). The session starts anew behind a second banner."""
        more = "".join(f" {key.upper()}={value}" for key, value in more.items())
        if ":" in addr:
            addr = "IPV6:" + addr
        return self.command(f"XCLIENT ADDR={addr} NAME={name}{more}")

    def mail(self, sender, *args):
        return self.command(b" ".join([b"MAIL FROM:<" + as_bytes(sender) + b">", *map(as_bytes, args)]))

    def rcpt(self, address, *args):
        return self.command(b" ".join([b"RCPT TO:<" + as_bytes(address) + b">", *map(as_bytes, args)]))

    def data(self, message):
        """(reply to DATA, reply to the final dot or None)"""
        first = self.command("DATA")
        if first.code != 354:
            return first, None
        self.send(stuff(message))
        return first, self.reply()

    def bdat(self, chunks):
        """The replies to each BDAT command; the last chunk is marked LAST."""
        replies = []
        for i, chunk in enumerate(chunks):
            last = b" LAST" if i == len(chunks) - 1 else b""
            self.send(b"BDAT %d%s\r\n" % (len(chunk), last) + chunk)
            replies.append(self.reply())
        return replies

    def transaction(self, sender, recipients, message, is_pipelined=False):
        """MAIL, RCPT..., and DATA if at least one recipient stands."""
        if is_pipelined:
            commands = [b"MAIL FROM:<%s>" % as_bytes(sender)] + [b"RCPT TO:<%s>" % as_bytes(r) for r in recipients]
            mail, *rcpts = self.pipeline(commands)
        else:
            mail = self.mail(sender)
            rcpts = [self.rcpt(r) for r in recipients] if mail.code == 250 else []
        if not any(r.code == 250 for r in rcpts):
            self.command("RSET")
            return Outcome(mail, rcpts, None, None)
        data, end = self.data(message)
        if end is None:
            self.command("RSET")
        return Outcome(mail, rcpts, data, end)

    def starttls(self):
        reply = self.command("STARTTLS")
        if reply.code == 220:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
            self.buffer = b""
        return reply

    def auth(self, login, password):
        token = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")

    # The end.
    def quit(self):
        try:
            reply = self.command("QUIT")
        except (Disconnected, OSError):
            reply = None
        self.close()
        return reply

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def abort(self):
        """Reset the connection: what a client does that loses its power."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
