"""contrib/bench --store: tests/bench/store_bench on a new SQLite file and on a redis-server that saves nothing."""
import os
import shutil
import subprocess

from harness.tools import build_directory, make_directory, remove_directory, stop_process, wait_until


def measure(rounds, quick):
    """The exit status. Both stores lie in one directory, on the disk that holds temporary files."""
    area = make_directory(prefix="postern-bench-")
    socket = f"{area}/redis.sock"
    redis = None
    try:
        redis = subprocess.Popen([shutil.which("redis-server") or "redis-server", "--port", "0", "--unixsocket", socket,
                                  "--save", "", "--appendonly", "no", "--dir", area, "--logfile", "redis.log"])
        wait_until(lambda: os.path.exists(socket), 10, "redis-server")
        return subprocess.call([os.path.join(build_directory(), "tests/bench/store_bench"), "-n", str(rounds),
                                *(["-q"] if quick else []), f"sqlite:{area}/store.db", f"redis+unix:{socket}"])
    finally:
        if redis:
            stop_process(redis)
        remove_directory(area)
