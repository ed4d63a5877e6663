"""A server program of the distribution, run for a test in a directory of its own."""
import os
import subprocess

from .tools import stop_process, wait_until


class Daemon:
    """A subclass has start(), which writes a configuration and calls launch(). What the program prints is in log()."""

    def __init__(self, directory):
        self.directory = directory
        self.log_path = os.path.join(directory, "log")
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        raise NotImplementedError

    def launch(self, *command, is_up, timeout=10):
        """Returns this object once IS_UP(log of this start) is true; a program that ends before, or does not come up, is
        an error."""
        os.makedirs(self.directory, exist_ok=True)
        with open(self.log_path, "ab") as log:
            mark = log.tell()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def has_started():
            if self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {self.process.returncode}: {self.log(mark)}")
            return is_up(self.log(mark))
        try:
            wait_until(has_started, timeout, command[0])
        except (RuntimeError, TimeoutError):
            self.stop()
            raise
        return self

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None

    def log(self, mark=0):
        """Its text from the byte MARK on."""
        with open(self.log_path, "rb") as file:
            file.seek(mark)
            return file.read().decode("utf-8", "backslashreplace")

    def write(self, name, text):
        """A file in the directory; its path."""
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
