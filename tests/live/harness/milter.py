"""The MTA's side of the milter protocol, spoken by hand: every negotiation and every order of events that a real MTA
may or may not use."""
import re
import socket
import struct

# What an MTA can offer (libmilter/mfdef.h).
ALL_ACTIONS = 0x1FF
V2_ACTIONS, V2_STEPS = 0x3F, 0x7F
NO_CONNECT, NO_HELO, NO_MAIL, NO_RCPT, NO_BODY, NO_HEADERS, NO_EOH = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40
NR_HEADER, NO_UNKNOWN, NO_DATA, SKIP, RCPT_REJECTED = 0x80, 0x100, 0x200, 0x400, 0x800
NR_CONNECT, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA = 0x1000, 0x2000, 0x4000, 0x8000, 0x10000
NR_UNKNOWN, NR_EOH, NR_BODY, LEADING_SPACE = 0x20000, 0x40000, 0x80000, 0x100000
NO_REPLIES = NR_HEADER | NR_CONNECT | NR_HELO | NR_MAIL | NR_RCPT | NR_DATA | NR_UNKNOWN | NR_EOH | NR_BODY
ALL_STEPS = 0x1FFFFF
CHANGE_BODY, SYMBOL_LIST = 0x2, 0x100  # actions

# command: (the step that says "do not send it", the step that says "it gets no reply")
STEPS = {"C": (NO_CONNECT, NR_CONNECT), "H": (NO_HELO, NR_HELO), "M": (NO_MAIL, NR_MAIL), "R": (NO_RCPT, NR_RCPT),
         "T": (NO_DATA, NR_DATA), "L": (NO_HEADERS, NR_HEADER), "N": (NO_EOH, NR_EOH), "B": (NO_BODY, NR_BODY)}
EDITS = "h+i-mqbe2"  # what may come before the answer to the end of the message
GO_ON = "c"


class Answer(str):
    """The letter of the reply ("c" continue, "s" skip, "t" tempfail, "r" reject, "y" with a text); `text`."""
    def __new__(cls, letter, data=b""):
        self = super().__new__(cls, letter)
        self.text = data.rstrip(b"\0").decode("latin-1")
        return self

    @property
    def code(self):
        return int(self.text[:3]) if self == "y" else {"r": 550, "t": 451}.get(str(self), 250)


class Milter:
    """A connection to the filter at SPEC ("unix:PATH" or "inet:PORT@HOST")."""

    def __init__(self, spec, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS, timeout=20, negotiate=True):
        match = re.fullmatch(r"(inet6?):(\d+)@(.+)", spec)
        if match:
            self.socket = socket.create_connection((match[3], int(match[2])), timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(spec.partition(":")[2])
        self.edits = []
        if negotiate:
            self.negotiate(version, actions, steps)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command.encode() + data)

    def receive(self):
        head = self._read(4)
        body = self._read(struct.unpack(">I", head)[0])
        return Answer(chr(body[0]), body[1:]), body[1:]

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the filter has closed the connection")
            data += piece
        return data

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.send("O", struct.pack(">III", version, actions, steps))
        letter, data = self.receive()
        assert letter == "O", letter
        self.version, self.actions, self.steps = struct.unpack(">III", data[:12])
        assert self.steps & ~steps == 0 and self.actions & ~actions == 0, "asked for what was not offered"
        self.symbols, rest = {}, data[12:]
        while rest:
            end = rest.index(b"\0", 4)
            self.symbols[struct.unpack(">I", rest[:4])[0]] = rest[4:end].decode().split()
            rest = rest[end + 1:]

    def macros(self, command, **values):
        """Macros for COMMAND; a name with more than one letter gets its braces."""
        data = command.encode()
        for name, value in values.items():
            data += (name if len(name) == 1 else "{" + name + "}").encode() + b"\0" + value.encode("latin-1") + b"\0"
        if values:
            self.send("D", data)

    def command(self, command, data=b""):
        """COMMAND, if the filter wants to see it, and the answer, if it gives one."""
        unwanted, silent = STEPS.get(command, (0, 0))
        if self.steps & unwanted:
            return Answer(GO_ON)
        self.send(command, data)
        if self.steps & silent:
            return Answer(GO_ON)
        while True:
            answer, raw = self.receive()
            if command == "E" and answer in EDITS:
                self.edits.append((str(answer), raw))
                continue
            if answer != "p":  # progress
                return answer

    # The events, as an MTA would name them.
    def connect(self, name="mail.sender.example", address="192.0.2.7", port=4711, version="Postfix 3.7.11", **macros):
        self.macros("C", j="mx.example.net", v=version, **macros)
        family = b"U" if address is None else b"6" if ":" in address else b"4"
        tail = b"" if address is None else struct.pack(">H", port) + address.encode() + b"\0"
        return self.command("C", name.encode() + b"\0" + family + tail)

    def helo(self, name="mail.sender.example"):
        return self.command("H", name.encode("latin-1") + b"\0")

    def mail(self, sender="s@sender.example", **macros):
        self.macros("M", mail_addr=sender, **macros)
        return self.command("M", f"<{sender}>".encode("latin-1") + b"\0")

    def rcpt(self, recipient="user@example.net", **macros):
        self.macros("R", **{"rcpt_addr": recipient, **macros})
        return self.command("R", f"<{recipient}>".encode("latin-1") + b"\0")

    def data(self, **macros):
        self.macros("T", **macros)
        return self.command("T")

    def header(self, name, value):
        """VALUE as it stands behind the colon; an MTA takes a leading space away unless asked to leave it."""
        if not self.steps & LEADING_SPACE and value.startswith(" "):
            value = value[1:]
        return self.command("L", name.encode() + b"\0" + value.encode("latin-1") + b"\0")

    def end_of_header(self):
        return self.command("N")

    def body(self, data):
        """All of DATA; stops where the filter says that it has seen enough."""
        for at in range(0, len(data), 65535):
            answer = self.command("B", data[at:at + 65535])
            if answer != GO_ON:
                return answer
        return Answer(GO_ON)

    def end(self, **macros):
        self.edits = []
        self.macros("E", **macros)
        return self.command("E")

    def abort(self):
        self.send("A")

    def quit(self):
        self.send("Q")

    def message(self, data, recipients=("user@example.net",), sender="s@sender.example", **macros):
        """One message to its end, or to the first refusal of the whole of it: (answers to RCPT, the last answer)."""
        answer = self.mail(sender, **macros)
        rcpts = [self.rcpt(r) for r in recipients] if answer == GO_ON else []
        if GO_ON not in rcpts:
            return rcpts, answer
        head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
        fields = re.sub(rb"\n(?=[ \t])", b"\0", head).decode("latin-1").split("\n")
        steps = [self.data]
        steps += [lambda f=f: self.header(f.partition(":")[0], f.partition(":")[2].replace("\0", "\n"))
                  for f in fields]
        steps += [self.end_of_header, lambda: self.body(body.replace(b"\n", b"\r\n"))]
        for step in steps:
            answer = step()
            if answer not in (GO_ON, "s"):
                return rcpts, answer
        return rcpts, self.end()
