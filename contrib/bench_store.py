"""contrib/bench --store: tests/bench/store_bench on new SQLite files and on redis-servers that save nothing.

There are two stores of each kind, one with few rows and one with many, so that they can be measured in turns.
"""
import os
import subprocess

from harness.tools import build_directory, make_directory, remove_directory, stop_process, wait_until


def measure(rounds, quick):
    """The exit status. The stores lie on the disk that holds temporary files."""
    area = make_directory(prefix="postern-bench-")
    servers = []
    try:
        sockets = [f"{area}/few.sock", f"{area}/many.sock"]
        for socket in sockets:
            servers.append(subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", socket, "--save", "",
                                             "--appendonly", "no", "--dir", area, "--logfile", "redis.log"]))
            wait_until(lambda path=socket: os.path.exists(path), 10, "redis-server")
        urls = [f"sqlite:{area}/few.db", f"sqlite:{area}/many.db", *(f"redis+unix:{socket}" for socket in sockets)]
        return subprocess.call([os.path.join(build_directory(), "tests/bench/store_bench"), "-n", str(rounds),
                                *(["-q"] if quick else []), *urls])
    finally:
        for server in servers:
            stop_process(server)
        remove_directory(area)
