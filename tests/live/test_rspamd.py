"""rspamd before us, and we take its word (source = header): what comes of a message is what comes of it when we
evaluate it ourselves."""
import re

import pytest

from conftest import running_gate
from harness.dns import NameServer
from harness.posternd import strings
from harness.rspamd import Rspamd
from test_auth import HELO, mail, sections, zone
from test_dkim import Keys, fields

# Two SPF records of one domain are not among them: rspamd 3.4 takes one of the two, where RFC 7208 4.5 has a permerror.
# (name, envelope sender, author, signed by, changed afterwards)
MESSAGES = [
    ("all-pass", "a@reject.example", "a@reject.example", "pass.example", False),
    ("signed", "a@pass.example", "a@pass.example", "pass.example", False),
    ("changed", "a@pass.example", "a@pass.example", "pass.example", True),
    ("spf-fail", "a@fail.example", "a@plain.example", None, False),
    ("spf-soft", "a@soft.example", "a@plain.example", None, False),
    ("spf-neutral", "a@neutral.example", "a@plain.example", None, False),
    ("spf-none", "a@none.example", "a@plain.example", None, False),
    ("bounce", "", "a@plain.example", None, False),
    ("rescued", "a@fwd.example", "a@fwd.example", "fwd.example", False),
    ("rescued-not", "a@fwd.example", "a@fwd.example", "fwd.example", True),
    ("p-none", "a@pass.example", "a@moderate.example", None, False),
    ("p-quarantine", "a@pass.example", "a@quarantine.example", None, False),
    ("p-reject", "a@pass.example", "a@reject.example", None, False),
    ("p-reject-below", "a@pass.example", "a@sub.reject.org", None, False),
    ("strict-below", "a@strict.org", "a@sub.strict.org", None, False),
]


@pytest.fixture(scope="module")
def keys():
    return Keys()


@pytest.fixture(scope="module")
def names(area, keys):
    """The same below org., because rspamd finds the organizational domain with the public suffix list."""
    records = zone(keys, ["192.0.2.7"])
    with NameServer(area + "/rspamd-zones", {"example": records, "org": records}) as server:
        yield server


@pytest.fixture(scope="module")
def rspamd(area, names):
    with Rspamd(area, names.server) as value:
        yield value


@pytest.fixture(scope="module")
def behind(area, mta, sockets, free_slots, rspamd):
    """Postern behind rspamd; it could not evaluate anything itself, for it has no name server."""
    free_slots.remove("slot0")
    source = {"source": "header"}
    # rspamd writes under the name of the MTA, which is ours as well.
    wanted = sections("127.0.0.1@1", general={"trusted_authserv_ids": strings("mx.example.net")}, spf=source, dkim=source,
                      dmarc=source)
    with running_gate(area, mta, sockets, free_slots, wanted, "slot0") as value:
        yield value
    free_slots.append("slot0")


@pytest.fixture(scope="module")
def own(area, mta, sockets, free_slots, names):
    with running_gate(area, mta, sockets, free_slots, sections(names.server)) as value:
        yield value


def results(line, content):
    """spf, dkim and dmarc of our field, on top, and what became of the message."""
    found = {}
    for part in fields(content, "Authentication-Results")[0].split("; ")[1:]:
        method, _, rest = part.partition("=")
        found.setdefault(method, re.split(r"\W", rest)[0])
    return found, (line["verdict"], line.get("check"), line.get("why"))


def send(gate, keys, sink, case, service=None):
    name, sender, author, signer, is_changed = case
    tag = f"{name}-{service or 'own'}"
    message = mail(tag, author)
    message = keys.sign(message, domain=signer) if signer else message
    message = message.replace(b"Bye.", b"Bye!") if is_changed else message
    mark = gate.daemon.mark()
    end = gate.send(message, sender=sender, helo=HELO, service=service).end
    line = gate.daemon.wait_event("message", mark)
    if end.code != 250:
        text = str(end).partition(" ask postmaster")[0]  # an explanation is in no Authentication-Results field
        text = re.sub("<.*> - DMARC", "DMARC", text)  # rspamd's header.from is where it found the record
        return None, (line["verdict"], line["check"], line["why"]), text
    if line["verdict"] == "quarantine":
        return None, (line["verdict"], line["check"], line["why"]), None
    content = sink.wait_for(f"<{tag}@sender.example>")[-1].content.decode("latin-1")
    assert not service or len(fields(content, "Authentication-Results")) == 2, content
    return *results(line, content), None


@pytest.mark.seconds(120)
@pytest.mark.parametrize("case", MESSAGES, ids=[case[0] for case in MESSAGES])
def test_its_word_and_our_own(behind, own, keys, sink, case):
    theirs, ours = send(behind, keys, sink, case, "scanned"), send(own, keys, sink, case)
    print(theirs, ours, sep="\n")
    assert theirs == ours
