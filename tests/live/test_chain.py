"""Another real milter before and after ours: neither disturbs the other."""
import re

import pytest

from attachment_table import MZ
from harness import archives, mails
from harness.dns import NameServer
from harness.opendkim import OpenDkim
from harness.posternd import strings
from test_dkim import Keys, one_result, openssl, txt


@pytest.fixture(scope="module")
def dkim(area):
    with OpenDkim(area) as value:
        yield value


@pytest.fixture(scope="module")
def chain(area, mta, sockets, free_slots):
    from conftest import running_gate
    free_slots.remove("slot0")
    # opendkim writes under the name of this machine, which is ours as well.
    sections = {"": {"trusted_authserv_ids": strings("mx.example.net")}, "attachments": {"encrypted": "tag"},
                "dkim": {"source": "header"}}
    with running_gate(area, mta, sockets, free_slots, sections, "slot0") as value:
        yield value
    free_slots.append("slot0")


@pytest.mark.parametrize("service", ["before", "after"])
def test_signature_survives(chain, dkim, sink, service):
    message = dkim.sign(mails.plain(f"signed-{service}"))
    assert b"DKIM-Signature" in message
    assert chain.send(message, service=service).end.code == 250
    content = sink.wait_for(f"signed-{service}")[0].content
    assert b"dkim=pass" in content
    if service == "before":  # its result is ours
        assert content.count(b"dkim=pass") == 2
        assert b"mx.example.net;\r\n\tdkim=pass header.d=sender.example" in content


@pytest.fixture(scope="module")
def own(area, mta, sockets, free_slots, dkim):
    """A gate that evaluates by itself, with the key that opendkim reads from its file."""
    from conftest import running_gate
    with open(f"{dkim.directory}/keys", encoding="ascii") as file:
        name, record = file.read().strip().split(" ", 1)
    zone = [f"{name.partition('.sender.example')[0]} TXT {txt(record)}"]
    with NameServer(f"{area}/chain-zones", {"sender.example": zone}) as server:
        with running_gate(area, mta, sockets, free_slots, {"dns": {"servers": strings(server.server)}}) as value:
            yield value


@pytest.mark.parametrize("kind,wanted", [("whole", "pass"), ("changed", "fail"), ("unsigned", "none")])
def test_its_result_agrees_with_our_own(chain, own, dkim, sink, kind, wanted):
    keys, results = Keys(), []  # opendkim-testmsg signs with SHA-1, on which we do not agree
    keys.rsa = openssl("rsa", "-traditional", "-in", f"{dkim.directory}/key.pem")
    for gate, service in ((chain, "before"), (own, None)):
        tag = f"agree-{kind}-{service}"
        message = mails.plain(tag) if kind == "unsigned" else keys.sign(mails.plain(tag), selector="test")
        if kind == "changed":
            message = message.replace(b"plain text", b"changed text")
        assert gate.send(message, service=service).end.code == 250
        content = sink.wait_for(f"<{tag}@sender.example>")[-1].content.decode()
        # opendkim's own field has the same name at its head; ours stands on top.
        value = content[content.index("Authentication-Results:"):] if service else one_result(content)
        results.append(re.search(r"dkim=(\w+)", value)[1])
    assert results == [wanted, wanted], content


@pytest.mark.parametrize("service", ["before", "after"])
def test_mark_and_result_come_together(chain, dkim, sink, service):
    zipped = archives.zip_encrypted({"r.txt": b"x" * 40})
    message = dkim.sign(mails.attached("a.zip", zipped, f"marked-{service}"))
    assert chain.send(message, service=service).end.code == 250
    content = sink.wait_for(f"marked-{service}")[0].content
    assert b"dkim=pass" in content and b"X-Postern: suspicious; why=attachments.encrypted" in content


@pytest.mark.parametrize("service", ["before", "after"])
def test_refusals(chain, dkim, sink, service):
    assert chain.send(mails.attached("run.exe", MZ), service=service).end.code == 554
    outcome = chain.send(mails.plain(), service=service, helo="www")
    assert outcome.rcpts[0].code == 550
    with chain.client(service=service) as smtp:
        for i in range(5):
            bad = i % 2
            outcome = smtp.transaction("s@sender.example", ["user@example.net"],
                                       mails.attached("run.exe", MZ) if bad else mails.plain())
            assert outcome.end.code == (554 if bad else 250)


@pytest.mark.parametrize("service", ["before", "after"])
def test_hundred_and_one(chain, dkim, service):
    many = [f"user{i}@example.net" for i in range(101)]
    outcome = chain.send(mails.plain(), many, service=service)
    assert [r.code for r in outcome.rcpts] == [250] * 100 + [452] and outcome.end.code == 250
