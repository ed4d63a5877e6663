"""A name server on the loopback, UDP and TCP, that serves zone data as the SPF test suite writes it.

{name: [{TYPE: value}, "TIMEOUT"]}: an SPF entry stands also for a TXT with the same text unless the name has a TXT entry;
TXT: NONE is no TXT; TIMEOUT means that every type not listed is never answered; a name that is not there is NXDOMAIN.
"""
import socket
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset


def quote(strings):
    """TXT in presentation format, every byte that is not plain as an escape."""
    out = []
    for string in [strings] if isinstance(strings, str) else strings:
        data = string.encode("latin-1" if all(ord(c) < 256 for c in string) else "utf-8")
        for at in range(0, max(len(data), 1), 255):
            out.append('"' + "".join(f"\\{b:03d}" if b < 33 or b > 126 or b in b'"\\' else chr(b)
                                     for b in data[at:at + 255]) + '"')
    return " ".join(out) or '""'


def rdata_text(kind, value):
    if kind == "TXT":
        return quote(value)
    if kind == "MX":
        host = value[1].rstrip(".")
        return f"{value[0]} {host}." if host else f"{value[0]} ."
    if kind in ("PTR", "CNAME"):
        return value.rstrip(".") + "."
    return value


class Zones:
    def __init__(self, zonedata):
        self.names = {}
        self.asked = []
        for name, entries in zonedata.items():
            self.names[name.lower().rstrip(".")] = self._records(entries)
        self.tcp, self.udp, self.port = self._bind()
        for target in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=target, daemon=True).start()

    @staticmethod
    def _bind():
        """A TCP and a UDP socket on one port; a port that is free for the one may be taken for the other."""
        for _ in range(100):
            tcp = socket.create_server(("127.0.0.1", 0))
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind(tcp.getsockname())
                return tcp, udp, tcp.getsockname()[1]
            except OSError:
                tcp.close()
                udp.close()
        raise RuntimeError("no port that is free for TCP and UDP")

    @staticmethod
    def _records(entries):
        records, timeout = [], False
        has_txt = any(isinstance(e, dict) and "TXT" in e for e in entries)
        for entry in entries:
            if entry == "TIMEOUT":
                timeout = True
                continue
            for kind, value in entry.items():
                if kind == "SPF":
                    if has_txt:
                        continue
                    kind = "TXT"
                if value == "NONE":
                    continue
                records.append((kind, rdata_text(kind, value)))
        return records, timeout

    @property
    def address(self):
        return f"127.0.0.1@{self.port}"

    def close(self):
        self.udp.close()
        self.tcp.close()

    @staticmethod
    def _key(name):
        return b".".join(name.relativize(dns.name.root).labels).decode("latin-1").lower()

    def _add(self, answer, name, kind, text):
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)
        answer.answer.append(dns.rrset.from_rdata(name, 60, rdata))

    def reply(self, wire):
        """The answer, or None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        name = question.name
        self.asked.append((self._key(name), kind))
        for _ in range(8):
            key = self._key(name)
            if key not in self.names:
                is_parent = any(other.endswith("." + key) for other in self.names)
                if not is_parent:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                return answer
            records, timeout = self.names[key]
            found = [text for k, text in records if k == kind]
            alias = [text for k, text in records if k == "CNAME"]
            if found:
                for text in found:
                    self._add(answer, name, kind, text)
                return answer
            if alias:
                self._add(answer, name, "CNAME", alias[0])
                name = dns.name.from_text(alias[0])
                continue
            return None if timeout else answer
        return answer

    def _serve_udp(self):
        while True:
            try:
                wire, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            try:
                answer = self.reply(wire)
                if answer is not None:
                    self.udp.sendto(answer.to_wire(max_size=1232), peer)
            except dns.exception.TooBig:
                answer.answer.clear()
                answer.flags |= dns.flags.TC
                self.udp.sendto(answer.to_wire(), peer)
            except (OSError, dns.exception.DNSException, ValueError) as error:
                print(f"zones: {error!r}")

    def _serve_tcp(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_peer, args=(peer,), daemon=True).start()

    def _serve_peer(self, peer):
        with peer, peer.makefile("rb") as stream:
            while len(head := stream.read(2)) == 2:
                answer = self.reply(stream.read(int.from_bytes(head, "big")))
                if answer is None:
                    return
                wire = answer.to_wire(max_size=65535)
                peer.sendall(len(wire).to_bytes(2, "big") + wire)
