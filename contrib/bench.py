"""The measurements behind contrib/bench: messages a second through a private Postfix, and what the filter costs.

Every round measures each filter once with each size, one after the other, in an order that shifts from round to
round; a ratio is taken within a round, so that what slows the machine for a while slows both sides of it. Every
message passes all checks: the client counts as outside, its HELO is valid; with --auth (bench_auth.py) it is signed
and its domain has SPF and DMARC, and beside --rivals (bench_rivals.py) stand the filters that others use for this.
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
from harness.posternd import Posternd, cpu_seconds, strings  # noqa: E402
from harness.tools import (build_directory, free_port, make_directory, remove_directory, run,  # noqa: E402
                           stop_process, wait_until)

# Name, bytes, messages a measurement, and the ratio to the no-op filter to reach without and with --auth.
SIZES = [("4 kB", 4096, 600, 0.95, 0.90), ("100 kB", 100 * 1024, 300, 0.95, 0.90), ("5 MB", 5 << 20, 16, 0.90, 0.85)]


class NoFilter:
    milters, pids = [], []

    def start(self):
        pass

    def stop(self):
        pass


class Noop:
    """The smallest filter that libmilter allows: what it costs is what any filter costs."""

    def __init__(self, area):
        self.path, self.process = f"{area}/noop.sock", None
        self.milters = [f"unix:{self.path}"]

    @property
    def pids(self):
        return [self.process.pid]

    def start(self):
        self.process = subprocess.Popen([os.path.join(build_directory(), "tests/bench/noop"), self.milters[0]])
        wait_until(lambda: os.path.exists(self.path), 10, "the no-op filter")

    def stop(self):
        if self.process:
            stop_process(self.process)


class Postern(Posternd):
    @property
    def milters(self):
        return [self.milter]

    @property
    def pids(self):
        return [self.pid]


def postern_sections(surroundings):
    sections = {"": {"trusted_networks": strings("198.51.100.0/24")}, "log": {"level": "info"}}
    if surroundings:
        sections.update({"spf": {"mode": "global"}, "dmarc": {"mode": "global"},
                         "dns": {"servers": strings(surroundings.resolver.server)}})
    else:  # the gate: helo, recipients and attachments
        sections.update({name: {"mode": "off"} for name in ("spf", "dkim", "dmarc", "authres", "autoreply")})
    return sections


class Bench:
    def __init__(self, area, sessions, surroundings=None, rivals=()):
        """RIVALS: classes like Noop whose constructor takes the area and the surroundings."""
        self.area, self.sessions, self.surroundings, self.rivals = area, sessions, surroundings, rivals
        self.filters, self.files, self.started = {}, {}, []
        self.postfix = self.host = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        if self.surroundings:
            self.started.append(self.surroundings)
            self.surroundings.start()
        sections = postern_sections(self.surroundings)
        self.filters = {"none": NoFilter(), "no-op": Noop(self.area),
                        "Postern unix": Postern(self.area, "unix", sections=sections),
                        "Postern inet": Postern(self.area, "inet", f"inet:{free_port()}@127.0.0.1", sections)}
        self.filters.update({rival.name: rival(self.area, self.surroundings) for rival in self.rivals})
        for each in self.filters.values():
            self.started.append(each)
            each.start()
        self.host = self.surroundings.namespace.server if self.surroundings else "127.0.0.1"
        self.postfix = PrivatePostfix(
            self.area, [Service(name.replace(" ", "-"), each.milters,
                                {"@host": self.host, **getattr(each, "postfix_options", {})})
                        for name, each in self.filters.items()],
            main=self.surroundings.postfix_options if self.surroundings else None)
        self.started.append(self.postfix)
        self.postfix.start()
        for name, size, *_ in SIZES:
            self.files[name] = os.path.join(self.area, name.replace(" ", ""))
            with open(self.files[name], "wb") as file:
                file.write(self.surroundings.message(size) if self.surroundings else mails.of_size(size))

    def __exit__(self, *_):
        while self.started:
            self.started.pop().stop()

    def send(self, name, size, count, recipient="user@example.net"):
        inside = ["ip", "netns", "exec", self.surroundings.namespace.name] if self.surroundings else []
        try:
            run(*inside, "smtp-source", "-s", min(self.sessions, count), "-m", count, "-M", "mail.sender.example", "-F",
                self.files[size], "-f", "sender@sender.example", "-t", recipient,
                f"{self.host}:{self.postfix.ports[name.replace(' ', '-')]}", timeout=600)
        except RuntimeError as error:
            log = [line for line in self.postfix.log().splitlines() if "milter" in line]
            raise RuntimeError("\n".join([f"{name} with {size}: {error}", *log[-5:]])) from None

    def measure(self, name, size, count):
        """(messages a second, the filter's CPU milliseconds a message)."""
        pids = self.filters[name].pids
        cpu, start = cpu_seconds(pids), time.monotonic()
        self.send(name, size, count)
        seconds = time.monotonic() - start
        self.let_queue_drain()
        return count / seconds, (cpu_seconds(pids) - cpu) / count * 1000

    def failures(self, name):
        """How often Postfix found a milter of this filter not to answer."""
        return sum(self.postfix.log().count(f"warning: milter {milter}") for milter in self.filters[name].milters)

    def let_queue_drain(self):
        """What Postfix still delivers must not be charged to the next filter."""
        active = os.path.join(self.postfix.queue, "active")
        incoming = os.path.join(self.postfix.queue, "incoming")
        wait_until(lambda: not any(files for path in (active, incoming) for _, _, files in os.walk(path)), 120,
                   "an empty queue")


def spread(values, form):
    return f"{form % statistics.median(values)} ({form % min(values)}-{form % max(values)})"


def report(results, sizes, bench):
    """Prints the table; how many goals were missed. SIZES: (name, goal)."""
    missed, filters = 0, bench.filters
    print(f"\n{'':14}{'messages/s':>24}{'of the no-op':>24}{'CPU ms/message':>24}")
    for size, wanted in sizes:
        print(f"{size} messages")
        for name in filters:
            rates = [rate for rate, _ in results[name, size]]
            ratios = [rate / base for rate, (base, _) in zip(rates, results["no-op", size])]
            cpus = [cpu for _, cpu in results[name, size]] if filters[name].pids else []
            mark = ""
            if name.startswith("Postern"):
                met = statistics.median(ratios) >= wanted
                missed += not met
                mark = f"  {'reaches' if met else 'MISSES'} {wanted:.2f}"
            print(f"  {name:12}{spread(rates, '%.1f'):>24}{spread(ratios, '%.3f'):>24}"
                  f"{spread(cpus, '%.2f') if cpus else '':>24}{mark}")
    for name, each in filters.items():
        if bench.failures(name):
            print(f"{name} broke off {bench.failures(name)} conversations")
        if isinstance(each, Posternd):
            print(f"Peak memory, {name}: {each.memory_kb() / 1024:.1f} MB")
    return missed


def read_options():
    parser = argparse.ArgumentParser(prog="contrib/bench", description="Measures, through a private Postfix that "
                                     "throws the mail away: no filter, a no-op libmilter filter on a unix socket, "
                                     "Postern on a unix and on an inet socket. Shown are the median and, in "
                                     "brackets, the least and the most of all rounds.")
    parser.add_argument("--rounds", type=int, default=7, help="how often everything is measured (default 7)")
    parser.add_argument("--quick", action="store_true", help="three rounds with a third of the messages")
    parser.add_argument("--sessions", type=int, default=4, help="SMTP clients at once (default 4)")
    parser.add_argument("--size", choices=[s[0].replace(" ", "") for s in SIZES], help="this size only: 4kB, ...")
    parser.add_argument("--auth", action="store_true", help="DKIM-signed mail from a client with an address of its "
                        "own, SPF, DMARC and a local caching resolver; needs root")
    parser.add_argument("--rivals", action="store_true", help="--auth, and in the same run pyspf-milter, opendkim and "
                        "opendmarc one after the other, and rspamd; installs them")
    parser.add_argument("--store", action="store_true", help="instead of all that: reservations and look-ups a second "
                        "of the store, in SQLite and in a redis-server of its own, at 1,000 and 1,000,000 rows")
    parser.add_argument("--aliases", action="store_true", help="instead: alias and forward tables of 1,000,000 lines: "
                        "reading, look-ups, memory, and look-ups while a table is read again")
    parser.add_argument("--socketmap", action="store_true", help="instead: look-ups a second of the socketmap of SRS, on a "
                        "unix and on an inet socket, next to postsrsd, which it installs")
    parser.add_argument("--replies", action="store_true", help="instead: mail to a mailbox with an active automatic "
                        "reply, from new and from known senders and with 1,000,000 remembered, against mail to one without")
    parser.add_argument("--forward", action="store_true", help="instead: mail that is forwarded, by an alias of the "
                        "MTA's, by Postern's own table, and as a copy beside one that stays, against mail that is not")
    options = parser.parse_args()
    options.auth |= options.rivals
    if options.auth and os.geteuid() != 0:
        parser.error("--auth makes a network namespace, which only root can")
    return options


def measure_all(bench, options, sizes):
    results = {(name, size[0]): [] for name in bench.filters for size in sizes}
    names = list(bench.filters)
    rounds = 3 if options.quick else options.rounds
    if bench.surroundings:
        bench.surroundings.prove(names[2:], lambda name, recipient: bench.send(name, sizes[0][0], 1, recipient))
    for name in names:
        bench.measure(name, sizes[0][0], 50)  # warm up
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        for size, _, count, *_ in sizes:
            count = max(4, count // 3) if options.quick else count
            for i in range(len(names)):
                name = names[(i + number) % len(names)]
                results[name, size].append(bench.measure(name, size, count))
    return results


def main():
    options = read_options()
    if options.store:
        import bench_store
        return bench_store.measure(3 if options.quick else options.rounds, options.quick)
    if options.aliases:
        import bench_aliases
        return bench_aliases.measure(3 if options.quick else options.rounds, options.quick)
    if options.socketmap:
        import bench_socketmap
        return 1 if bench_socketmap.measure(3 if options.quick else options.rounds, options.quick, spread) else 0
    sizes = [s for s in SIZES if not options.size or s[0].replace(" ", "") == options.size]
    area = make_directory(prefix="postern-bench-")
    surroundings, rivals = None, ()
    if options.replies:
        from bench_replies import measure_replies
        try:
            return 1 if measure_replies(area, options.sessions, 3 if options.quick else options.rounds, 1000, spread) else 0
        finally:
            remove_directory(area)
    if options.forward:
        from bench_forward import measure_forward
        try:
            return 1 if measure_forward(area, options.sessions, 3 if options.quick else options.rounds, 1200, spread) else 0
        finally:
            remove_directory(area)
    if options.auth:
        from bench_auth import Surroundings
        surroundings = Surroundings(area, options.rivals)
    if options.rivals:
        from bench_rivals import RIVALS
        rivals = RIVALS
    try:
        with Bench(area, options.sessions, surroundings, rivals) as bench:
            results = measure_all(bench, options, sizes)
            goals = [(size[0], size[4] if options.auth else size[3]) for size in sizes]
            missed = report(results, goals, bench)
    except KeyboardInterrupt:
        return 1
    finally:
        remove_directory(area)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
