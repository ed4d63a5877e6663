"""DMARC: `posternctl dmarc` against nsd, and the check behind a real Postfix with SPF by XCLIENT."""
import json
import subprocess

import pytest

from conftest import running_gate
from harness.dns import NameServer
from harness.posternd import program, strings

ZONES = {
    "example": [
        '_dmarc.reject TXT "v=DMARC1; p=reject"', 'reject TXT "v=spf1 ip4:192.0.2.7 -all"',
        'evil TXT "v=spf1 ip4:192.0.2.0/24 -all"', '_dmarc.evil TXT "v=DMARC1; p=none"',
        '_dmarc.quar TXT "v=DMARC1; p=quarantine"', 'quar TXT "v=spf1 -all"',
        '_dmarc.np TXT "v=DMARC1; p=none; sp=quarantine; np=reject"', "here.np A 192.0.2.1",
        '_dmarc.two TXT "v=DMARC1; p=reject"', '_dmarc.two TXT "v=DMARC1; p=none"',
        '_dmarc.bad TXT "v=DMARC1 p=reject"', '_dmarc.split TXT "v=DMARC1; p=re" "ject"',
        '_dmarc.test TXT "v=DMARC1; p=reject; t=y"', '_dmarc.deep TXT "v=DMARC1; p=quarantine"',
        '_dmarc.dept.reject TXT "v=DMARC1; p=none; psd=n"', "alias.np CNAME here.np",
        "_dmarc.cname CNAME _dmarc.reject",
    ],
    "psd": ['_dmarc TXT "v=DMARC1; p=reject; psd=y"'],
}


@pytest.fixture(scope="module")
def names(area):
    with NameServer(area + "/dmarc-zones", ZONES) as server:
        yield server


def ask(names, *args):
    done = subprocess.run([program("posternctl"), "dmarc", *args, "--dns", names.server, "--json"], capture_output=True,
                          text=True, timeout=60, check=True)
    return json.loads(done.stdout)


CASES = [
    (["a@reject.example"], ("fail", "reject", "reject"), ["_dmarc.reject.example", "_dmarc.example"]),
    (["A <a@reject.example>", "--spf", "pass:reject.example"], ("pass", "reject", "none"), None),
    (["a@reject.example", "--dkim", "pass:mail.reject.example"], ("pass", "reject", "none"),
     ["_dmarc.reject.example", "_dmarc.example", "_dmarc.mail.reject.example"]),
    (["a@reject.example", "--spf", "fail:reject.example", "--dkim", "pass:evil.example", "--dkim", "fail:reject.example"],
     ("fail", "reject", "reject"), None),
    (["a@dept.reject.example", "--spf", "pass:reject.example"], ("fail", "none", "none"), None),
    (["a@here.np.example"], ("fail", "quarantine", "quarantine"), None),
    (["a@alias.np.example"], ("fail", "quarantine", "quarantine"), None),
    (["a@gone.np.example"], ("fail", "reject", "reject"),
     ["_dmarc.gone.np.example", "_dmarc.np.example", "_dmarc.example", "gone.np.example"]),
    (["a@two.example"], ("permerror", "none", "none"), None),
    (["a@bad.example"], ("permerror", "none", "none"), None),
    (["a@split.example"], ("fail", "reject", "reject"), None),
    (["a@cname.example"], ("fail", "reject", "reject"), None),
    (["a@test.example"], ("fail", "reject", "quarantine"), None),
    (["a@giant.psd"], ("fail", "reject", "reject"), ["_dmarc.giant.psd", "_dmarc.psd"]),
    (["a@nothing.example"], ("none", "none", "none"), None),
    (["a@1.2.3.4.5.6.7.8.deep.example"], ("fail", "quarantine", "quarantine"),
     ["_dmarc.1.2.3.4.5.6.7.8.deep.example", "_dmarc.4.5.6.7.8.deep.example", "_dmarc.5.6.7.8.deep.example",
      "_dmarc.6.7.8.deep.example", "_dmarc.7.8.deep.example", "_dmarc.8.deep.example", "_dmarc.deep.example",
      "_dmarc.example"]),
    (["nobody"], ("permerror", "none", "none"), []),
]


@pytest.mark.parametrize("args,wanted,queries", CASES, ids=[" ".join(case[0]) for case in CASES])
def test_evaluate(names, args, wanted, queries):
    got = ask(names, "--evaluate", "--from", *args)
    assert set(got) == {"result", "policy", "disposition", "author_domains", "org_domain", "alignment", "queries"}
    assert (got["result"], got["policy"], got["disposition"]) == wanted
    if queries is not None:
        assert got["queries"] == queries


def test_the_strictest_author_decides(names):
    got = ask(names, "--evaluate", "--from", "a@none.example, b@reject.example", "--spf", "pass:none.example")
    assert got["author_domains"] == ["none.example", "reject.example"]
    assert (got["result"], got["disposition"], got["org_domain"]) == ("fail", "reject", "reject.example")


def test_domain(names):
    got = ask(names, "gone.np.example")
    assert (got["org_domain"], got["record_domain"], got["policy"]) == ("np.example", "np.example", "reject")
    assert [step["finding"] for step in got["walk"]] == ["no record", "record", "no record"]
    got = ask(names, "bad.example")
    assert got["policy"] is None and "semicolon" in got["error"]
    text = subprocess.run([program("posternctl"), "dmarc", "two.example", "--dns", names.server], capture_output=True,
                          text=True, timeout=60, check=True).stdout
    assert "more than one DMARC record" in text


@pytest.mark.parametrize("domain,lines", [
    ("np.example", ["_dmarc.np.example: record", "_dmarc.example: no record (nxdomain)",
                    "policy: none (p), from the record of np.example",
                    "    for its subdomains: quarantine; for those that do not exist: reject"]),
    ("here.np.example", ["policy: quarantine (sp: a subdomain), from the record of np.example"]),
    ("gone.np.example", ["policy: reject (np: the domain does not exist), from the record of np.example"]),
    ("a.reject.example", ["policy: reject (p), from the record of reject.example"]),
    ("test.example", ["policy: reject (p), from the record of test.example", "    quarantine for now, because of t=y"]),
    ("bad.example", ["policy: none in force: malformed DMARC record at _dmarc.bad.example: the semicolon behind v=DMARC1 "
                     "is missing"])])
def test_domain_in_plain_words(names, domain, lines):
    done = subprocess.run([program("posternctl"), "dmarc", domain, "--dns", names.server], capture_output=True, text=True,
                          timeout=60, check=True)
    said = done.stdout.splitlines()
    assert [line for line in lines if line not in said] == [], done.stdout


def test_which_author_decides(names):
    done = subprocess.run([program("posternctl"), "dmarc", "--evaluate", "--from", "a@none.example, b@reject.example",
                           "--dns", names.server], capture_output=True, text=True, timeout=60, check=True)
    assert "decides       reject.example" in done.stdout.splitlines()


@pytest.fixture(scope="module")
def gate(area, mta, sockets, free_slots, names):
    sections = {"dns": {"servers": strings(names.server)}, "spf": {"mode": "enforce"}, "dmarc": {"mode": "enforce"}}
    with running_gate(area, mta, sockets, free_slots, sections) as value:
        yield value


def send(gate, sender, author, client="192.0.2.7"):
    message = f"From: {author}\nTo: user@example.net\nSubject: t\nDate: Sun, 22 Nov 2026 04:00:00 +0000\n\nHello\n"
    with gate.client(addr=client) as smtp:
        assert smtp.mail(sender).code == 250
        assert smtp.rcpt("user@example.net").code == 250
        return smtp.data(message.encode())[-1]


def test_aligned_spf_passes(gate):
    assert send(gate, "a@reject.example", "a@reject.example").code == 250


def test_unaligned_spf_is_refused(gate):
    mark = gate.daemon.mark()
    answer = send(gate, "x@evil.example", "Boss <a@reject.example>")
    assert str(answer) == "550 5.7.1 <reject.example> - DMARC policy of reject.example: reject"
    line = gate.daemon.wait_event("message", mark)
    assert (line["check"], line["why"], line["phase"]) == ("dmarc", "dmarc.reject", "eom")


def test_spf_fail_waits_for_dmarc_and_is_refused(gate):
    mark = gate.daemon.mark()
    assert send(gate, "a@reject.example", "x@evil.example", client="198.51.100.9").code == 550
    line = gate.daemon.wait_event("message", mark)
    assert (line["check"], line["why"], line["phase"]) == ("spf", "spf.fail", "eom")


def test_spf_that_is_only_monitored(make_gate, names):
    """What enforcing it would do: nothing at RCPT, and a refusal at the end where DMARC does not pass."""
    gate = make_gate({"dns": {"servers": strings(names.server)}, "spf": {"mode": "monitor"}, "dmarc": {"mode": "enforce"}})
    mark = gate.daemon.mark()
    assert send(gate, "a@quar.example", "x@evil.example").code == 250
    line = gate.daemon.wait_event("monitor", mark)
    assert (line["check"], line["why"], line["phase"], line["verdict"]) == ("spf", "spf.fail", "eom", "reject")
    line = gate.daemon.wait_event("message", mark)
    assert line["verdict"] == "accept" and "check" not in line


def test_no_author(gate):
    answer = send(gate, "a@reject.example", "A <a@[192.0.2.1]>")
    assert str(answer) == "550 5.6.0 From field cannot be used for DMARC: an address literal instead of a domain name"


def test_several_authors(gate):
    assert send(gate, "x@evil.example", "x@evil.example, a@reject.example").code == 550
