"""Another real milter before and after ours: neither disturbs the other."""
import pytest

from attachment_table import MZ
from harness import archives, mails
from harness.opendkim import OpenDkim


@pytest.fixture(scope="module")
def dkim(area):
    with OpenDkim(area) as value:
        yield value


@pytest.fixture(scope="module")
def chain(area, mta, sockets, free_slots):
    from conftest import running_gate
    free_slots.remove("slot0")
    with running_gate(area, mta, sockets, free_slots, {"attachments": {"encrypted": "tag"}}, "slot0") as value:
        yield value
    free_slots.append("slot0")


@pytest.mark.parametrize("service", ["before", "after"])
def test_signature_survives(chain, dkim, sink, service):
    message = dkim.sign(mails.plain(f"signed-{service}"))
    assert b"DKIM-Signature" in message
    assert chain.send(message, service=service).end.code == 250
    assert b"dkim=pass" in sink.wait_for(f"signed-{service}")[0].content


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
