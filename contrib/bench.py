"""The measurements behind contrib/bench: messages a second through a private Postfix, and what the filter costs.

Every round measures each filter once with each size, one after the other, in an order that shifts from round to
round; a ratio is taken within a round, so that what slows the machine for a while slows both sides of it. Every
message passes all three checks: the client counts as outside, its HELO is valid.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "live"))

from harness import mails  # noqa: E402
from harness.postfix import PrivatePostfix, Service  # noqa: E402
from harness.posternd import Posternd, strings  # noqa: E402
from harness.tools import (build_directory, free_port, make_directory, remove_directory, run,  # noqa: E402
                           stop_process, wait_until)

SIZES = [("4 kB", 4096, 600, 0.95), ("100 kB", 100 * 1024, 300, 0.95), ("5 MB", 5 << 20, 16, 0.90)]
FILTERS = ["none", "no-op", "Postern unix", "Postern inet"]


class Bench:
    def __init__(self, area, sessions):
        self.area, self.sessions = area, sessions
        sections = {"": {"trusted_networks": strings("198.51.100.0/24")}, "log": {"level": "info"}}
        self.daemons = {"Postern unix": Posternd(area, "unix", sections=sections),
                        "Postern inet": Posternd(area, "inet", f"inet:{free_port()}@127.0.0.1", sections)}
        self.noop_socket = f"unix:{area}/noop.sock"
        milters = {"none": [], "no-op": [self.noop_socket],
                   **{name: [daemon.milter] for name, daemon in self.daemons.items()}}
        self.service = {name: name.replace(" ", "-") for name in FILTERS}
        self.postfix = PrivatePostfix(area, [Service(self.service[name], milters[name]) for name in FILTERS])
        self.noop = None
        self.files = {}

    def __enter__(self):
        for daemon in self.daemons.values():
            daemon.start()
        self.noop = subprocess.Popen([os.path.join(build_directory(), "tests/bench/noop"), self.noop_socket])
        wait_until(lambda: os.path.exists(self.noop_socket[5:]), 10, "the no-op filter")
        self.postfix.start()
        for name, size, _, _ in SIZES:
            self.files[name] = os.path.join(self.area, name.replace(" ", ""))
            with open(self.files[name], "wb") as file:
                file.write(mails.of_size(size))
        return self

    def __exit__(self, *_):
        self.postfix.stop()
        if self.noop:
            stop_process(self.noop)
        for daemon in self.daemons.values():
            daemon.stop()

    def measure(self, filter_name, size, count):
        """(messages a second, the filter's CPU milliseconds a message or None)."""
        daemon = self.daemons.get(filter_name)
        cpu = daemon.cpu_seconds() if daemon else 0
        start = time.monotonic()
        run("smtp-source", "-s", min(self.sessions, count), "-m", count, "-M", "mail.sender.example", "-F",
            self.files[size], "-f", "sender@sender.example", "-t", "user@example.net",
            f"127.0.0.1:{self.postfix.ports[self.service[filter_name]]}", timeout=600)
        seconds = time.monotonic() - start
        self.let_queue_drain()
        return count / seconds, (daemon.cpu_seconds() - cpu) / count * 1000 if daemon else None

    def let_queue_drain(self):
        """What Postfix still delivers must not be charged to the next filter."""
        active = os.path.join(self.postfix.queue, "active")
        incoming = os.path.join(self.postfix.queue, "incoming")
        wait_until(lambda: not any(files for path in (active, incoming) for _, _, files in os.walk(path)), 120,
                   "an empty queue")


def spread(values, form):
    return f"{form % statistics.median(values)} ({form % min(values)}-{form % max(values)})"


def report(results, sizes, daemons):
    missed = 0
    print(f"\n{'':14}{'messages/s':>24}{'of the no-op':>24}{'CPU ms/message':>24}")
    for size, _, _, wanted in sizes:
        print(f"{size} messages")
        for name in FILTERS:
            rates = [rate for rate, _ in results[name, size]]
            ratios = [rate / base for rate, (base, _) in zip(rates, results["no-op", size])]
            cpus = [cpu for _, cpu in results[name, size] if cpu is not None]
            mark = ""
            if name.startswith("Postern"):
                met = statistics.median(ratios) >= wanted
                missed += not met
                mark = f"  {'reaches' if met else 'MISSES'} {wanted:.2f}"
            print(f"  {name:12}{spread(rates, '%.1f'):>24}{spread(ratios, '%.3f'):>24}"
                  f"{spread(cpus, '%.2f') if cpus else '':>24}{mark}")
    for name, daemon in daemons.items():
        print(f"Peak memory, {name}: {daemon.memory_kb() / 1024:.1f} MB")
    return missed


def main():
    parser = argparse.ArgumentParser(prog="contrib/bench", description="Measures, through a private Postfix that "
                                     "throws the mail away: no filter, a no-op libmilter filter on a unix socket, "
                                     "Postern on a unix and on an inet socket. Shown are the median and, in "
                                     "brackets, the least and the most of all rounds.")
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (default 7)")
    parser.add_argument("--quick", action="store_true", help="three rounds with a third of the messages")
    parser.add_argument("--sessions", type=int, default=4, help="SMTP clients at once (default 4)")
    parser.add_argument("--size", choices=[s[0].replace(" ", "") for s in SIZES], help="this size only: 4kB, ...")
    options = parser.parse_args()
    rounds = 3 if options.quick else options.rounds
    sizes = [s for s in SIZES if not options.size or s[0].replace(" ", "") == options.size]
    results = {(name, size[0]): [] for name in FILTERS for size in SIZES}
    area = make_directory(prefix="postern-bench-")
    try:
        with Bench(area, options.sessions) as bench:
            for name in FILTERS:  # warm up
                bench.measure(name, sizes[0][0], 50)
            for number in range(rounds):
                print(f"round {number + 1} of {rounds}", flush=True)
                for size, _, count, _ in sizes:
                    count = max(4, count // 3) if options.quick else count
                    for i in range(len(FILTERS)):
                        name = FILTERS[(i + number) % len(FILTERS)]
                        results[name, size].append(bench.measure(name, size, count))
            missed = report(results, sizes, bench.daemons)
    except KeyboardInterrupt:
        return 1
    finally:
        remove_directory(area)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
