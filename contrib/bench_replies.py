"""What contrib/bench --replies measures: mail to a mailbox whose owner is away against mail to one that is not.

The same Postern serves all but one: home@ has nothing stored, away@ has an active message and is written to by a new sender
each time, known@ likewise but every sender was answered before. The one that differs is a Postern that remembers 1,000,000
others besides. The replies go to Postfix's smtp-sink, because what an MTA spends on taking one more message is not
Postern's; the spool is empty again before the next measurement begins, outside the time measured but inside the CPU time.
"""
import json
import os
import subprocess
import time

from bench_table import measure_kinds, print_kinds
from harness.posternd import Posternd, strings
from harness.postfix import PrivatePostfix, Service
from harness.tools import build_directory, can_connect, free_port, run, stop_process, wait_until
from harness.posternd import cpu_seconds

GOALS = {"away, new senders": 0.85, "away, known senders": 0.95, "known among 1,000,000": 0.95}
MAILBOXES = {"not away": "home@example.net", "away, new senders": "away@example.net",
             "away, known senders": "known@example.net", "known among 1,000,000": "known@example.net"}
REMEMBERED = 1000000


def service_of(name):
    return "many" if name == "known among 1,000,000" else "few"


class Replies:
    def __init__(self, area, sessions):
        self.area, self.sessions, self.first = area, sessions, 0
        self.sink_port = free_port()
        sections = {
            "": {"trusted_networks": strings("198.51.100.0/24")}, "spool": {"submit": f'"smtp://127.0.0.1:{self.sink_port}"'},
            "autoreply": {"max_per_minute": "0", "max_per_sender_domain_per_hour": "0", "max_per_mailbox_per_hour": "0"},
            **{name: {"mode": "off"} for name in ("spf", "dkim", "dmarc", "authres")}}
        self.daemons = {name: Posternd(area, name, sections=sections) for name in ("few", "many")}
        self.postfix = PrivatePostfix(area, [Service(name, [daemon.milter]) for name, daemon in self.daemons.items()])
        self.sink = None

    def __enter__(self):
        try:
            self.sink = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{self.sink_port}", "128"],
                                         stdin=subprocess.DEVNULL)
            wait_until(lambda: can_connect(self.sink_port), 10, "smtp-sink")
            away = [{"mailbox": mailbox, "active": "a", "messages": [{"name": "a", "body": "I am away."}]}
                    for mailbox in ("away@example.net", "known@example.net")]
            for daemon in self.daemons.values():
                daemon.start()
                daemon.ctl("autoreply", "import", "-", input=json.dumps(away))
            print(f"Filling a store with {REMEMBERED} remembered senders", flush=True)
            run(os.path.join(build_directory(), "tests/bench/store_bench"), "-f", REMEMBERED,
                f"sqlite:{self.daemons['many'].state}/postern.db", timeout=600)
            os.sync()  # what the disk still has to write of it would be part of the first rounds
            self.postfix.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.postfix.stop()
        for daemon in self.daemons.values():
            daemon.stop()
        if self.sink:
            stop_process(self.sink)

    def send(self, name, count, first):
        run(os.path.join(build_directory(), "tests/bench/source"), "127.0.0.1", self.postfix.ports[service_of(name)],
            self.sessions, count, "s%d@sender.example", MAILBOXES[name], first, timeout=600)

    def spool_is_empty(self, daemon):
        return json.loads(daemon.ctl("queue", "list", "--json").stdout) == []

    def measure(self, name, count):
        """(messages a second, CPU milliseconds a message of Postern's)."""
        known, daemon = "known" in name, self.daemons[service_of(name)]
        first = 0 if known else self.first
        self.first += 0 if known else count
        cpu, start = cpu_seconds([daemon.pid]), time.monotonic()
        self.send(name, count, first)
        seconds = time.monotonic() - start
        wait_until(lambda: self.spool_is_empty(daemon), 120, "an empty spool", step=0.2)
        return count / seconds, (cpu_seconds([daemon.pid]) - cpu) / count * 1000


def measure_replies(area, sessions, rounds, count, spread):
    """Prints the table; how many goals were missed."""
    with Replies(area, sessions) as bench:
        bench.send("away, known senders", count, 0)
        bench.send("known among 1,000,000", count, 0)
        bench.send("not away", 50, 0)
        bench.first = count
        results = measure_kinds(bench, MAILBOXES, "not away", rounds, count)
    missed = print_kinds(results, "not away", GOALS, spread)
    ratios = [many / many_base / (few / few_base) for (many, _, many_base), (few, _, few_base)
              in zip(results["known among 1,000,000"], results["away, known senders"])]
    print(f"known senders, with 1,000,000 others remembered against none: {spread(ratios, '%.3f')}")
    return missed
