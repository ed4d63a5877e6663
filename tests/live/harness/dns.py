"""Name servers on loopback: nsd, which has the zones it is given, and unbound, which asks it and remembers."""
import os

from .daemon import Daemon
from .tools import free_port, run


class _Server(Daemon):
    def __init__(self, directory, zones):
        super().__init__(directory)
        self.port, self.zones = free_port(), zones

    @property
    def server(self):
        """As dns { servers } names it."""
        return f"127.0.0.1@{self.port}"


class NameServer(_Server):
    """ZONES: {"sender.example": ["mail A 192.0.2.7", "@ MX 10 mail"]}; SOA and NS are added."""

    def __init__(self, directory, zones):
        super().__init__(os.path.join(directory, "dns"), zones)

    def start(self):
        config = [f"server:\n ip-address: {self.server}\n server-count: 1\n username: \"\"\n chroot: \"\"",
                  f" zonesdir: \"{self.directory}\"\n database: \"\"\n zonelistfile: \"{self.directory}/zone.list\"",
                  f" xfrdfile: \"{self.directory}/xfrd.state\"\n pidfile: \"\"\n logfile: \"{self.log_path}\"",
                  " hide-version: yes\nremote-control:\n control-enable: no"]
        for name, records in self.zones.items():
            config.append(f"zone:\n name: {name}\n zonefile: {self._write_zone(name, records)}")
        path = self.write("nsd.conf", "\n".join(config) + "\n")
        return self.launch("nsd", "-d", "-c", path, is_up=lambda log: "nsd started" in log)

    def _write_zone(self, name, records):
        """The file's name. The zone "." is in the file root."""
        origin, name = (".", "root") if name == "." else (name + ".", name)
        self.write(name, f"$ORIGIN {origin}\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\n"
                         "ns A 127.0.0.1\n" + "".join(record + "\n" for record in records))
        return name


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


class CachingResolver(_Server):
    """unbound on a loopback port of its own, as a mail server has it beside itself. ZONES: the authoritative server of
    each, as {"example": "127.0.0.1@PORT"}; no other name exists. WANTS_PORT_53: listen there as well, at an address
    that few others take, for programs that can only be told by resolv.conf; RuntimeError if it is taken."""

    address_53 = "127.0.53.53"

    def __init__(self, directory, zones, wants_port_53=False):
        super().__init__(os.path.join(directory, "resolver"), zones)
        self.wants_port_53 = wants_port_53

    def start(self):
        lines = ["server:", f" interface: {self.server}", ' username: ""', ' chroot: ""', ' pidfile: ""',
                 f' directory: "{self.directory}"', " use-syslog: no", ' logfile: ""',
                 " do-not-query-localhost: no", ' module-config: "iterator"', " num-threads: 1"]
        if self.wants_port_53:
            lines.append(f" interface: {self.address_53}@53")
        for name, server in self.zones.items():
            lines += ["stub-zone:", f" name: {name}", f" stub-addr: {server}"]
        lines += ["remote-control:", " control-enable: no", "auth-zone:", " name: .", " for-downstream: no",
                  " fallback-enabled: no", f" zonefile: {self.directory}/root"]
        self.write("root", ". 3600 SOA . . 1 3600 600 86400 60\n. 3600 NS ns.example.\n")
        path = self.write("unbound.conf", "\n".join(lines) + "\n")
        return self.launch("unbound", "-d", "-c", path, is_up=lambda log: "start of service" in log)
