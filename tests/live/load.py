"""Parallel senders, and an account of what each message was answered."""
import threading
import time

from harness.smtp import Disconnected


class Load:
    """COUNT senders that send one message after the other until finish(). Each message has a subject of its own."""

    def __init__(self, gate, message, count=10, pause=0.0, per_connection=3):
        self.gate, self.message, self.pause, self.per_connection = gate, message, pause, per_connection
        self.lock = threading.Lock()
        self.accepted, self.deferred, self.broken, self.refused = [], [], [], []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads), "a sender hangs"

    @property
    def total(self):
        with self.lock:
            return len(self.accepted) + len(self.deferred) + len(self.broken) + len(self.refused)

    def _note(self, kind, subject, what):
        with self.lock:
            getattr(self, kind).append((subject, str(what)))

    def _run(self, number):
        serial = 0
        while not self.is_over.is_set():
            subject = f"load-{id(self):x}-{number}-{serial}-"
            try:
                with self.gate.client(timeout=40) as smtp:
                    for _ in range(self.per_connection):
                        serial += 1
                        subject = f"load-{id(self):x}-{number}-{serial}-"
                        self._one(smtp, subject)
                    smtp.quit()
            except (Disconnected, OSError, AssertionError) as error:
                self._note("broken", subject, error)

    def _one(self, smtp, subject):
        outcome = [smtp.mail("s@sender.example")]
        for step in (lambda: smtp.rcpt("user@example.net"), None):
            if outcome[-1].code != 250:
                break
            time.sleep(self.pause)
            if step:
                outcome.append(step())
            else:
                outcome += [r for r in smtp.data(self.message(subject)) if r]
        last = outcome[-1]
        kind = {2: "accepted", 4: "deferred"}.get(last.code // 100, "refused")
        self._note(kind, subject, last)
        if last.code != 250:
            smtp.command("RSET")
