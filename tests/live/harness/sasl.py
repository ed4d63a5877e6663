"""Password servers, so that a private mail server can offer AUTH PLAIN without any account on the machine: one in the
protocol of Dovecot's authentication client for Postfix, one in that of saslauthd for Sendmail. Each knows the users it is
given and nothing else."""
import base64
import os
import socketserver
import struct
import threading

USERS = {"alice": "secret"}


class PasswordServer:
    """Listens at PATH; USERS: {login: password}."""

    def __init__(self, path, users):
        self.users = users
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 1000  # a hundred smtpds that start at once do not try again

        self.server = Server(path, Handler)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def serve(self, requests, answers):
        """One connection."""
        raise NotImplementedError

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        os.unlink(self.server.server_address)


class SaslServer(PasswordServer):
    """As Postfix asks Dovecot."""

    def serve(self, requests, answers):
        answers.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t%d\nCUID\t1\n" % os.getpid()
                      + b"COOKIE\t00112233445566778899aabbccddeeff\nDONE\n")
        for line in requests:
            words = line.decode().rstrip("\n").split("\t")
            if words[0] == "AUTH":
                answers.write(self.answer(words[1], words[2:]).encode())

    def answer(self, number, words):
        values = dict(word.split("=", 1) for word in words if "=" in word)
        try:
            _, login, password = base64.b64decode(values.get("resp", "")).decode().split("\0")
        except ValueError:
            return f"FAIL\t{number}\treason=malformed\n"
        if self.users.get(login) == password:
            return f"OK\t{number}\tuser={login}\n"
        return f"FAIL\t{number}\tuser={login}\n"


class SaslAuthd(PasswordServer):
    """As libsasl2 asks saslauthd: login, password, service and realm, each behind its length; one question a
    connection."""

    def serve(self, requests, answers):
        login, password, _, _ = [requests.read(*struct.unpack(">H", requests.read(2))).decode() for _ in range(4)]
        answer = b"OK" if self.users.get(login) == password else b"NO"
        answers.write(struct.pack(">H", len(answer)) + answer)
