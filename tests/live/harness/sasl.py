"""A SASL server in the protocol of Dovecot's authentication client, so that a private Postfix can offer AUTH PLAIN
without any account on the machine. Knows the users it is given and nothing else."""
import base64
import os
import socketserver
import threading


class SaslServer:
    def __init__(self, path, users):
        self.path, self.users = path, users
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t%d\nCUID\t1\n" % os.getpid()
                                 + b"COOKIE\t00112233445566778899aabbccddeeff\nDONE\n")
                for line in self.rfile:
                    words = line.decode().rstrip("\n").split("\t")
                    if words[0] == "AUTH":
                        self.wfile.write(outer.answer(words[1], words[2:]).encode())

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(path, Handler)
        os.chmod(path, 0o666)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def answer(self, number, words):
        values = dict(word.split("=", 1) for word in words if "=" in word)
        try:
            _, login, password = base64.b64decode(values.get("resp", "")).decode().split("\0")
        except ValueError:
            return f"FAIL\t{number}\treason=malformed\n"
        if self.users.get(login) == password:
            return f"OK\t{number}\tuser={login}\n"
        return f"FAIL\t{number}\tuser={login}\n"

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
