"""What contrib/bench --auth measures with: signed mail of a domain with SPF and DMARC, from a client that is not on
loopback, and a name server behind a caching resolver, all private.

The domain's records let everything pass, so every message goes the whole way: two SPF identities, one signature over
the whole body, one DMARC record. prove() sends a message through each filter and looks at what was delivered: a filter
that did not say pass three times is not measured.
"""
import os
import re

import dkim

from harness import mails
from harness.dns import CachingResolver, NameServer
from harness.netns import Namespace
from harness.sink import Sink
from harness.tools import run, wait_until

DOMAIN = "sender.example"
SENDER = f"sender@{DOMAIN}"
PROOF = "user@proof.example"


class Surroundings:
    """Started before the filters, which need .resolver; .namespace has the client's address."""

    def __init__(self, area, wants_port_53):
        self.area = area
        self.namespace = Namespace()
        self.sink = Sink()
        self.key = os.path.join(area, "key.pem")
        self.wants_port_53 = wants_port_53
        self.names = self.resolver = None

    def start(self):
        run("openssl", "genrsa", "-traditional", "-out", self.key, "2048")
        public = run("openssl", "rsa", "-in", self.key, "-pubout").stdout
        record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        pieces = " ".join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
        self.namespace.start()
        spf = f'TXT "v=spf1 ip4:{self.namespace.client} -all"'
        self.names = NameServer(self.area, {"example": [
            f"sender {spf}", "sender A 192.0.2.1", f"mail.sender {spf}", "mail.sender A 192.0.2.1",
            f"test._domainkey.sender TXT {pieces}", '_dmarc.sender TXT "v=DMARC1; p=reject"']}).start()
        self.resolver = CachingResolver(self.area, {"example": self.names.server}, self.wants_port_53).start()
        self.sink.start()

    def stop(self):
        if self.sink.thread.is_alive():
            self.sink.stop()
        for part in (self.resolver, self.names, self.namespace):
            if part:
                part.stop()

    @property
    def postfix_options(self):
        """Mail for the proof goes to the sink, all other is thrown away."""
        return {"relay_domains": "proof.example", "default_process_limit": "200",
                "transport_maps": f"inline:{{ {{ proof.example = smtp:[127.0.0.1]:{self.sink.port} }} }}"}

    def message(self, size):
        """About SIZE bytes, signed as most large senders do: rsa-sha256, relaxed/relaxed, 2048 bits."""
        plain = mails.of_size(size).replace(b"\n", b"\r\n")
        with open(self.key, "rb") as file:
            field = dkim.sign(plain, b"test", DOMAIN.encode(), file.read(), canonicalize=(b"relaxed", b"relaxed"),
                              include_headers=[b"from", b"to", b"subject", b"date", b"message-id"])
        return (field + plain).replace(b"\r\n", b"\n")

    def prove(self, names, send):
        """SEND(filter, recipient) for each filter of NAMES; RuntimeError if a result is not pass."""
        for name in names:
            seen = len(self.sink.messages)
            send(name, PROOF)
            wait_until(lambda: len(self.sink.messages) > seen, 30, f"the proof message of {name}")
            header = self.sink.messages[-1].content.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
            missing = [check for check in ("spf", "dkim", "dmarc") if not has_pass(header, check)]
            if missing:
                raise RuntimeError(f"{name} does not say pass for {' '.join(missing)}:\n{header}")


def has_pass(header, check):
    if check == "spf" and re.search(r"^received-spf:\s+pass", header, re.M):
        return True
    return re.search(rf"\b{check}=pass\b", header) or f"r_{check}_allow" in header or f"{check}_policy_allow" in header
