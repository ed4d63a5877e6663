"""contrib/bench --socketmap: what tests/bench/socketmap_bench measures of Postern's socketmap and of postsrsd's TCP tables.

Both answer the same 1,000 senders with a hash of four characters, and undo their own addresses. The servers run all the time
and are measured in turns, in an order that shifts from round to round; a ratio is taken within a round. Postern is asked on
a unix socket, as its recipe says, and on an inet socket, which is what postsrsd has.
"""
import os
import subprocess
import time

from harness.posternd import Posternd, quote
from harness.tools import (build_directory, can_connect, free_port, make_directory, remove_directory, run, stop_process,
                           wait_until)

DOMAIN = "fwd.example.net"
RIVAL = "postsrsd"
GOAL = 1.0


class Servers:
    """The names of the servers and where socketmap_bench finds them."""

    def __init__(self, area):
        self.area, self.daemons, self.rival = area, [], None
        port, forward, reverse = free_port(), free_port(), free_port()
        self.ports = forward, reverse
        self.places = {RIVAL: f"tcp:{forward},{reverse}", "Postern inet": f"inet:{port}",
                       "Postern unix": f"unix:{area}/unix/srs.sock"}
        for name, spec in (("unix", f"unix:{area}/unix/srs.sock"), ("inet", f"inet:{port}@127.0.0.1")):
            self.daemons.append(Posternd(area, name, sections={"srs": {"domain": quote(DOMAIN), "socketmap": quote(spec)}}))

    def __enter__(self):
        try:
            for daemon in self.daemons:
                daemon.start()
            secret = os.path.join(self.area, "postsrsd.secret")
            with open(secret, "wb") as file:
                file.write(os.urandom(18).hex().encode() + b"\n")
            forward, reverse = self.ports
            self.rival = subprocess.Popen(["postsrsd", "-4", f"-s{secret}", f"-d{DOMAIN}", f"-f{forward}", f"-r{reverse}"],
                                          stdin=subprocess.DEVNULL)
            wait_until(lambda: can_connect(forward) and can_connect(reverse), 10, "postsrsd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for daemon in self.daemons:
            daemon.stop()
        if self.rival:
            stop_process(self.rival)

    def ask(self, name, way, connections, milliseconds):
        """(requests a second, how busy the asking program was)"""
        done = run(os.path.join(build_directory(), "tests/bench/socketmap_bench"), way, connections, milliseconds,
                   self.places[name])
        rate, busy = done.stdout.split()
        return float(rate), float(busy)


def measure_all(servers, rounds, milliseconds):
    names, results = list(servers.places), {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        for way in ("forward", "reverse"):
            for connections in (1, 8):
                for i in range(len(names)):
                    name = names[(i + number) % len(names)]
                    results.setdefault((way, connections, name), []).append(
                        servers.ask(name, way, connections, milliseconds))
                    time.sleep(0.05)
    return results


def report(results, names, spread):
    """Prints the table; how many goals were missed."""
    missed = 0
    print(f"\n{'':16}{'requests/s':>28}{'of postsrsd':>24}{'client busy':>14}")
    for way in ("forward", "reverse"):
        for connections in (1, 8):
            print(f"{way}, {connections} connection{'s' if connections > 1 else ''}")
            base = [rate for rate, _ in results[way, connections, RIVAL]]
            for name in names:
                rates = [rate for rate, _ in results[way, connections, name]]
                ratios = sorted(rate / other for rate, other in zip(rates, base))
                busy = [share for _, share in results[way, connections, name]]
                mark = ""
                if name != RIVAL:
                    met = ratios[len(ratios) // 2] >= GOAL
                    missed += not met
                    mark = f"  {'reaches' if met else 'MISSES'} {GOAL:.2f}"
                print(f"  {name:14}{spread(rates, '%.0f'):>28}{spread(ratios, '%.2f'):>24}"
                      f"{sum(busy) / len(busy):>14.2f}{mark}")
    return missed


def measure(rounds, quick, spread):
    """How many goals were missed."""
    area = make_directory(prefix="postern-bench-")
    try:
        with Servers(area) as servers:
            return report(measure_all(servers, rounds, 300 if quick else 1000), list(servers.places), spread)
    finally:
        remove_directory(area)
