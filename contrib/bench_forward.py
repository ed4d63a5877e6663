"""What contrib/bench --forward measures: mail that travels on against mail that stays.

The same Postern in front of the same Postfix serves all, and Postfix throws everything away in the end. home@ is a
mailbox; alias@ is forwarded by Postfix's virtual_alias_maps, so that Postern rewrites the reverse-path; table@ by
Postern's own table, so that it changes the recipient, too; copy@ stays and is sent on, so that a copy goes through the
spool and enters Postfix a second time. The time of a measurement ends when the spool is empty.
"""
import os
import sqlite3
import time

from bench_table import measure_kinds, print_kinds
from harness.posternd import Posternd, cpu_seconds, strings
from harness.postfix import PrivatePostfix, Service
from harness.tools import build_directory, run, wait_until

GOALS = {"by an alias": 0.90, "by our table": 0.90, "split": 0.50}
RECIPIENTS = {"not forwarded": "home@example.net", "by an alias": "alias@example.net",
              "by our table": "table@example.net", "split": "copy@example.net"}


class Forwards:
    def __init__(self, area, sessions):
        self.area, self.sessions = area, sessions
        virtual, table = os.path.join(area, "virtual"), os.path.join(area, "forwards.csv")
        with open(virtual, "w", encoding="ascii") as file:
            file.write("alias@example.net x@remote.example\n")
        with open(table, "w", encoding="ascii") as file:
            file.write("table@example.net,x@remote.example,1\ncopy@example.net,x@remote.example,0\n")
        copies = Service("copies", [], {"receive_override_options": "no_address_mappings,no_milters"})
        milter = f"unix:{area}/forward.sock"
        self.postfix = PrivatePostfix(area, [Service("forward", [milter]), copies], main={
            "virtual_alias_maps": "inline:{ alias@example.net=x@remote.example }"})
        self.daemon = Posternd(area, "forward", socket_spec=milter, sections={
            "": {"trusted_networks": strings("198.51.100.0/24"), "local_domains": strings("example.net")},
            "aliases": {"tables": strings(f"virtual:{virtual}")}, "forwards": {"table": f'"csv:{table}"'},
            "srs": {"domain": '"srs.example.net"', "submit": f'"smtp://127.0.0.1:{self.postfix.ports["copies"]}"'},
            **{name: {"mode": "off"} for name in ("spf", "dkim", "dmarc", "authres")}})

    def __enter__(self):
        try:
            self.daemon.start()
            self.postfix.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.postfix.stop()
        self.daemon.stop()

    def spool_is_empty(self):
        """Read from the file, for a posternctl every 20 ms took more of the machine than half of what is measured."""
        queue = sqlite3.connect(f"file:{self.daemon.state}/spool.db?mode=ro", uri=True, timeout=10)
        try:
            return queue.execute("SELECT messages FROM total").fetchone() == (0,)
        finally:
            queue.close()

    def measure(self, name, count):
        """(messages a second, CPU milliseconds a message of Postern's)."""
        cpu, start = cpu_seconds([self.daemon.pid]), time.monotonic()
        run(os.path.join(build_directory(), "tests/bench/source"), "127.0.0.1", self.postfix.ports["forward"],
            self.sessions, count, "s@sender.example", RECIPIENTS[name], timeout=600)
        if name == "split":
            wait_until(self.spool_is_empty, 120, "an empty spool", step=0.02)
        seconds = time.monotonic() - start
        return count / seconds, (cpu_seconds([self.daemon.pid]) - cpu) / count * 1000

    def prove(self):
        """Each kind does what it is measured for."""
        before = len(self.daemon.events("forward"))
        for name in RECIPIENTS:
            self.measure(name, 1)
        if len(self.daemon.events("forward")) - before != len(GOALS):
            raise RuntimeError("not every kind of mail was forwarded as it should be")


def measure_forward(area, sessions, rounds, count, spread):
    """Prints the table; how many goals were missed."""
    with Forwards(area, sessions) as bench:
        bench.prove()
        bench.measure("not forwarded", 50)
        results = measure_kinds(bench, RECIPIENTS, "not forwarded", rounds, count)
    return print_kinds(results, "not forwarded", GOALS, spread)
