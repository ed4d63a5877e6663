"""Name servers on loopback: nsd, which has the zones it is given, and unbound, which asks it and remembers."""
import os
import subprocess

from .tools import free_port, run, stop_process, wait_until


class NameServer:
    """ZONES: {"sender.example": ["mail A 192.0.2.7", "@ MX 10 mail"]}; SOA and NS are added."""

    def __init__(self, directory, zones):
        self.directory = os.path.join(directory, "dns")
        self.port = free_port()
        self.zones, self.process = zones, None

    @property
    def server(self):
        """As dns { servers } names it."""
        return f"127.0.0.1@{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        config = [f"server:\n ip-address: {self.server}\n server-count: 1\n username: \"\"\n chroot: \"\"",
                  f" zonesdir: \"{self.directory}\"\n database: \"\"\n zonelistfile: \"{self.directory}/zone.list\"",
                  f" xfrdfile: \"{self.directory}/xfrd.state\"\n pidfile: \"\"\n logfile: \"{self.directory}/nsd.log\"",
                  " hide-version: yes\nremote-control:\n control-enable: no"]
        for name, records in self.zones.items():
            config.append(f"zone:\n name: {name}\n zonefile: {self._write_zone(name, records)}")
        path = os.path.join(self.directory, "nsd.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(config) + "\n")
        log = os.path.join(self.directory, "nsd.log")
        with open(os.path.join(self.directory, "nsd.out"), "wb") as out:
            self.process = subprocess.Popen(["nsd", "-d", "-c", path], stdout=out, stderr=out)

        def is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"nsd ended: {open(log, encoding='utf-8').read()}")
            return os.path.exists(log) and "nsd started" in open(log, encoding="utf-8").read()
        wait_until(is_up, 10, "nsd")
        return self

    def _write_zone(self, name, records):
        """The file's name. The zone "." is in the file root."""
        origin, path = (".", "root") if name == "." else (name + ".", name)
        with open(os.path.join(self.directory, path), "w", encoding="ascii") as file:
            file.write(f"$ORIGIN {origin}\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
                       "ns A 127.0.0.1\n" + "".join(record + "\n" for record in records))
        return path

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None


class SignedRoot(NameServer):
    """A root zone with RECORDS, signed with a key of its own that is in the file `anchor`. Afterwards each text
    "honest-forged" in it is made another one, so that the signature is none."""

    def __init__(self, directory, records):
        super().__init__(directory, {".": records})
        self.anchor = None

    def _write_zone(self, name, records):
        path = os.path.join(self.directory, super()._write_zone(name, records))
        key = run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", ".", cwd=self.directory).stdout.strip()
        run("ldns-signzone", "-o", ".", path, key, cwd=self.directory)
        self.anchor = os.path.join(self.directory, key + ".key")
        with open(path + ".signed", encoding="ascii") as file:
            text = file.read()
        assert "honest-forged" in text
        with open(path + ".signed", "w", encoding="ascii") as file:
            file.write(text.replace("honest-forged", "changed-later"))
        return "root.signed"


class CachingResolver:
    """unbound on a loopback port of its own, as a mail server has it beside itself. ZONES: the authoritative server of
    each, as {"example": "127.0.0.1@PORT"}; no other name exists. WANTS_PORT_53: listen there as well, at an address
    that few others take, for programs that can only be told by resolv.conf; RuntimeError if it is taken."""

    address_53 = "127.0.53.53"

    def __init__(self, directory, zones, wants_port_53=False):
        self.directory = os.path.join(directory, "resolver")
        self.port = free_port()
        self.zones, self.wants_port_53, self.process = zones, wants_port_53, None

    @property
    def server(self):
        """As dns { servers } names it."""
        return f"127.0.0.1@{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        lines = ["server:", f" interface: {self.server}", ' username: ""', ' chroot: ""', ' pidfile: ""',
                 f' directory: "{self.directory}"', " use-syslog: no", ' logfile: ""',
                 " do-not-query-localhost: no", ' module-config: "iterator"', " num-threads: 1"]
        if self.wants_port_53:
            lines.append(f" interface: {self.address_53}@53")
        for name, server in self.zones.items():
            lines += ["stub-zone:", f" name: {name}", f" stub-addr: {server}"]
        lines += ["remote-control:", " control-enable: no", "auth-zone:", " name: .", " for-downstream: no",
                  " fallback-enabled: no", f" zonefile: {self.directory}/root"]
        with open(os.path.join(self.directory, "root"), "w", encoding="ascii") as file:
            file.write(". 3600 SOA . . 1 3600 600 86400 60\n. 3600 NS ns.example.\n")
        path = os.path.join(self.directory, "unbound.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        log_path = os.path.join(self.directory, "log")
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(["unbound", "-d", "-c", path], stdout=log, stderr=log)

        def is_up():
            with open(log_path, encoding="utf-8") as log:
                text = log.read()
            if self.process.poll() is not None:
                raise RuntimeError(f"unbound ended: {text}")
            return "start of service" in text
        try:
            wait_until(is_up, 10, "unbound")
        except (RuntimeError, TimeoutError):
            self.stop()
            raise
        return self

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None
