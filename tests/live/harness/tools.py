"""Small things that several harness modules need."""
import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import time


def free_port(host="127.0.0.1"):
    """A TCP port that nobody used a moment ago; each call gives another one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        with socket.socket(family) as sock:
            sock.bind((host, 0))
            port = sock.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port
    raise RuntimeError("no free port")


_given = set()


def wait_until(condition, timeout=10, what="condition", step=0.02):
    """The first true value of CONDITION(); TimeoutError after TIMEOUT seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(step)


def can_connect(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), 1):
            return True
    except OSError:
        return False


def run(*command, check=True, timeout=60, **more):
    """A finished command with its output as text; the output is part of the error."""
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="backslashreplace", timeout=timeout, **more)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def make_directory(parent=None, prefix="postern-"):
    """A directory that the unprivileged users of the servers may pass through."""
    path = tempfile.mkdtemp(prefix=prefix, dir=parent)
    os.chmod(path, 0o755)
    return path


def remove_directory(path):
    shutil.rmtree(path, ignore_errors=True)


def stop_process(process, timeout=10):
    """Ask, wait, insist. The exit status, negative for a signal."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout)
        process.kill()
    return process.wait()


def source_directory():
    """The root of the source tree."""
    return os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def build_directory():
    """Where the programs were built: $POSTERN_BUILD, else build/ in the source tree."""
    return os.path.abspath(os.environ.get("POSTERN_BUILD") or os.path.join(source_directory(), "build"))


PROGRAMS = ("posternd", "postern-worker", "posternctl")


def program(name):
    """A program of the build, or of an installed tree ($POSTERN_BUILD/sbin), where users without privileges may run it."""
    for path in (os.path.join(open_build(build_directory()), name), os.path.join(build_directory(), "sbin", name)):
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"{name} is not built below {build_directory()}")


@functools.cache
def open_build(build):
    """BUILD, or, if not everybody may enter it (a clone in /root) or it is not root's, a directory with copies of its
    programs that goes when we do: posternd runs its worker as another user, and as root none out of somebody's hands."""
    own = os.stat(build)
    if os.geteuid() != 0 or (own.st_uid == 0 and not own.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and all(
            os.stat(path).st_mode & stat.S_IXOTH for path in (build, *pathlib.Path(build).parents))):
        return build
    copies = make_directory(prefix="postern-programs-")
    atexit.register(remove_directory, copies)
    for name in PROGRAMS:
        if os.path.exists(os.path.join(build, name)):
            shutil.copy(os.path.join(build, name), copies)
    return copies
