"""The check `helo`: what is refused, what is not, who is exempt, and that the dialogue stays polite until RCPT."""
import pytest

from harness import mails
from harness.dns import NameServer
from harness.posternd import strings

SECTIONS = {"": {"trusted_networks": strings("127.0.0.0/8", "::1", "198.51.100.0/24", "2001:db8:7::/48")},
            "helo": {"banned": strings("fakedomain.xyz", ".bad.example")}}

LONG = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53 + ".example"])
assert len(LONG) == 253

REFUSED = [
    ("127.0.0.1", "bare-ip"), ("192.0.2.7", "bare-ip"), ("2001:db8::1", "bare-ip"),
    ("[127.0.0.1]", "literal"), ("[192.0.2.7]", "literal"), ("[IPv6:2001:db8::7]", "literal"),
    ("localhost", "localhost"), ("LocalHost", "localhost"), ("localhost.localdomain", "localhost"),
    ("mail.localhost", "localhost"), ("localhost.", "localhost"),
    ("www", "not-fqdn"), ("server", "not-fqdn"), ("WWW", "not-fqdn"), ("www.", "not-fqdn"), ("my_host", "not-fqdn"),
    ("fakedomain.xyz", "banned"), ("FakeDomain.XYZ", "banned"), ("fakedomain.xyz.", "banned"),
    ("a.bad.example", "banned"), ("a.b.BAD.example", "banned"),
    ("mx.example.net", "self"), ("MX.Example.Net.", "self"), ("example.net", "self"), ("a.example.net", "self"),
    ("foo..example", "syntax"), ("-foo.example", "syntax"), ("foo-.example", "syntax"), ("foo!.example", "syntax"),
    ("a" * 64 + ".example", "syntax"), ("x" + LONG, "syntax"), ("[300.1.2.3]", "syntax"), ("[192.0.2.7", "syntax"),
    (".example", "syntax"), ("<mail.sender.example>", "syntax"), ("mail.sender.example/x", "syntax"),
]
ACCEPTED = [
    "mail.sender.example", "MAIL.SENDER.EXAMPLE", "mail.sender.example.", "a.b.c.d.e.example", "under_score.example",
    "_dmarc.sender.example", "xn--mnchen-3ya.example", "münchen.example", "1-2-3-4.dynamic.example", "sender.example",
    LONG, "a" * 63 + ".example", "bad.example", "notfakedomain.xyz", "3com.example", "localhost.example",
]


@pytest.mark.parametrize("helo,why", REFUSED)
def test_is_refused_at_rcpt(gate, helo, why):
    mark = gate.daemon.mark()
    with gate.client(helo=helo) as smtp:
        assert smtp.mail("sender@sender.example").code == 250
        first, second = smtp.rcpt("user@example.net"), smtp.rcpt("other@example.net")
    assert str(first) == f"550 5.7.1 <user@example.net>... Access denied - bogus HELO [{helo}]"
    assert str(second) == f"550 5.7.1 <other@example.net>... Access denied - bogus HELO [{helo}]"
    line = gate.daemon.wait_event("recipient", mark, rcpt="other@example.net")
    assert (line["check"], line["why"], line["phase"]) == ("helo", f"helo.{why}", "rcpt")
    assert line["helo"] == helo and line["reply"] == str(second)


@pytest.mark.parametrize("helo", ACCEPTED)
def test_is_accepted(gate, helo):
    with gate.client(helo=helo) as smtp:
        assert smtp.mail("sender@sender.example").code == 250
        assert smtp.rcpt("user@example.net").code == 250


def test_helo_verb_is_judged_like_ehlo(gate):
    with gate.client(helo=None) as smtp:
        assert smtp.helo("www").code == 250
        assert smtp.mail("sender@sender.example").code == 250
        assert str(smtp.rcpt("user@example.net")).endswith("bogus HELO [www]")


def test_missing_helo(gate):
    mark = gate.daemon.mark()
    with gate.client(helo=None) as smtp:
        assert smtp.mail("sender@sender.example").code == 250
        assert str(smtp.rcpt("user@example.net")) == \
            "550 5.7.1 <user@example.net>... Access denied - bogus HELO []"
    assert gate.daemon.wait_event("recipient", mark)["why"] == "helo.missing"


@pytest.mark.parametrize("first,second,code", [("www", "mail.sender.example", 250), ("mail.sender.example", "www", 550)])
def test_second_ehlo_after_starttls_replaces_the_first(gate, first, second, code):
    with gate.client(helo=first) as smtp:
        assert smtp.starttls().code == 220
        assert smtp.ehlo(second).code == 250
        assert smtp.mail("sender@sender.example").code == 250
        assert smtp.rcpt("user@example.net").code == code


def test_second_ehlo_without_tls_replaces_the_first(gate):
    with gate.client(helo="www") as smtp:
        assert smtp.mail("sender@sender.example").code == 250
        assert smtp.rcpt("user@example.net").code == 550
        assert smtp.ehlo("mail.sender.example").code == 250
        assert smtp.mail("sender@sender.example").code == 250
        assert smtp.rcpt("user@example.net").code == 250


def test_every_message_of_a_session_is_judged(gate):
    with gate.client(helo="www") as smtp:
        for _ in range(3):
            assert smtp.mail("sender@sender.example").code == 250
            assert smtp.rcpt("user@example.net").code == 550
            assert smtp.command("RSET").code == 250


def test_authentication_after_a_bogus_ehlo_works_and_exempts(gate):
    mark = gate.daemon.mark()
    with gate.client(helo="www") as smtp:
        assert smtp.starttls().code == 220
        smtp.ehlo("www")
        assert smtp.auth("alice", "wrong").code == 535
        assert smtp.auth("alice", "secret").code == 235
        outcome = smtp.transaction("alice@example.net", ["user@example.net"], mails.plain())
    assert outcome.last.code == 250
    line = gate.daemon.wait_event("message", mark)
    assert (line["class"], line["login"], line["verdict"]) == ("authenticated", "alice", "accept")


def test_authenticated_through_xclient_is_exempt(gate):
    with gate.client(helo="www", login="alice") as smtp:
        assert smtp.mail("alice@example.net").code == 250
        assert smtp.rcpt("user@example.net").code == 250


@pytest.mark.parametrize("addr", [None, "198.51.100.77", "2001:db8:7::25"])
def test_trusted_clients_are_exempt(gate, addr):
    mark = gate.daemon.mark()
    with gate.client(addr=addr, helo="www") as smtp:
        assert smtp.transaction("sender@sender.example", ["user@example.net"], mails.plain()).last.code == 250
    assert gate.daemon.wait_event("message", mark)["class"] == "trusted"


def test_outside_ipv6_client_is_not(gate):
    with gate.client(addr="2001:db8:8::25", helo="www") as smtp:
        smtp.mail("sender@sender.example")
        assert smtp.rcpt("user@example.net").code == 550


def test_exempt_recipients_stand_beside_refused_ones(gate, sink):
    with gate.client(helo="www") as smtp:
        outcome = smtp.transaction("sender@sender.example", ["user@example.net", "Postmaster@example.net",
                                                             "abuse@EXAMPLE.net", "postmaster2@example.net"],
                                   mails.plain("exempt-ones"))
    assert [r.code for r in outcome.rcpts] == [550, 250, 250, 550]
    assert outcome.end.code == 250
    sink.wait_for("exempt-ones")
    delivered = sorted(r.lower() for m in sink.find("exempt-ones") for r in m.recipients)
    assert delivered == ["abuse@example.net", "postmaster@example.net"]


def test_recipients_that_postfix_refuses_are_not_ours(gate):
    mark = gate.daemon.mark()
    with gate.client(helo="www") as smtp:
        smtp.mail("sender@sender.example")
        assert str(smtp.rcpt("unknown1@example.net")).startswith("550 5.1.1")
        assert smtp.rcpt("user@example.net").code == 550
    gate.daemon.wait_event("recipient", mark, rcpt="user@example.net")
    assert len(gate.daemon.events("recipient", mark)) == 1


def test_pipelining(gate):
    with gate.client(helo="www") as smtp:
        replies = smtp.pipeline(["MAIL FROM:<sender@sender.example>", "RCPT TO:<a@example.net>",
                                 "RCPT TO:<postmaster@example.net>", "RCPT TO:<b@example.net>", "RSET"])
    assert [r.code for r in replies] == [250, 550, 250, 550, 250]


def test_bytes_of_the_client_are_shown_safely(gate):
    mark = gate.daemon.mark()
    helo = "ev\x1b[31mil\x07\u202e%s%n\".example"
    with gate.client(helo=None) as smtp:
        assert smtp.ehlo(helo).code == 250
        smtp.mail("sender@sender.example")
        reply = smtp.rcpt("user@example.net")
    assert reply.code == 550 and reply.text.isprintable() and reply.text.isascii()
    line = gate.daemon.wait_event("recipient", mark)
    assert line["why"] == "helo.syntax"
    raw = [text for text in gate.daemon.text_since(mark).splitlines() if "event=recipient" in text]
    assert raw and all(text.isprintable() and text.isascii() for text in raw)


# One rule after the other, switched.
SWITCHES = [
    ({"literals": "match"}, "192.0.2.7", "[192.0.2.7]", 250),
    ({"literals": "match"}, "192.0.2.7", "[192.0.2.8]", 550),
    ({"literals": "match"}, "2001:db8::7", "[IPv6:2001:DB8:0::7]", 250),
    ({"literals": "accept"}, "192.0.2.7", "[192.0.2.8]", 250),
    ({"bare_ip": "no"}, "192.0.2.7", "192.0.2.7", 250),
    ({"localhost": "no"}, "192.0.2.7", "localhost", 250),
    ({"not_fqdn": "no"}, "192.0.2.7", "www", 250),
    ({"not_fqdn": "no"}, "192.0.2.7", "localhost", 550),
    ({"self": "no"}, "192.0.2.7", "mx.example.net", 250),
    ({"syntax": "no"}, "192.0.2.7", "foo!.example", 250),
    ({"missing": "no"}, "192.0.2.7", None, 250),
    ({"mode": "off"}, "192.0.2.7", "www", 250),
    ({"applies_to": "{ trusted }"}, "192.0.2.7", "www", 250),
    ({"applies_to": "{ outside, trusted }"}, None, "www", 550),
]


def test_each_rule_can_be_switched(make_gate):
    gate = make_gate()
    wrong = []
    for options, addr, helo, code in SWITCHES:
        gate.daemon.reload({"helo": options})
        with gate.client(addr=addr, helo=helo) as smtp:
            smtp.mail("sender@sender.example")
            reply = smtp.rcpt("user@example.net")
        if reply.code != code:
            wrong.append((options, addr, helo, str(reply)))
    assert not wrong


def test_banned_names_from_a_file(make_gate, list_file):
    path = list_file("# names from a file\n\nfrom-file.example\n.under-file.example\n")
    gate = make_gate({"helo": {"banned": '{ "direct.example", ' + path + " }"}})
    for helo, code in [("from-file.example", 550), ("a.under-file.example", 550), ("direct.example", 550),
                       ("a.from-file.example", 250)]:
        with gate.client(helo=helo) as smtp:
            smtp.mail("sender@sender.example")
            assert smtp.rcpt("user@example.net").code == code, helo


def test_monitor_lets_pass_and_tells(make_gate):
    gate = make_gate({"helo": {"mode": "monitor"}})
    assert gate.send(mails.plain(), helo="www").last.code == 250
    line = gate.daemon.wait_event("monitor")
    assert line["why"] == "helo.not-fqdn" and line["rcpt"] == "user@example.net"
    assert gate.daemon.wait_event("message")["verdict"] == "accept"


def test_global_mode_is_the_default_of_each_check(make_gate):
    gate = make_gate({"": {"mode": "monitor"}})
    assert gate.send(mails.plain(), helo="www").last.code == 250
    assert gate.daemon.wait_event("monitor")["check"] == "helo"


def test_reply_is_the_administrators(make_gate):
    gate = make_gate({"helo": {"reply": '"553 5.7.9 100% sure about {helo} from {client}: https://example.net/help"'}})
    with gate.client(helo="www") as smtp:
        smtp.mail("sender@sender.example")
        assert str(smtp.rcpt("user@example.net")) == \
            "553 5.7.9 100% sure about www from 192.0.2.7: https://example.net/help"


def test_unresolvable(make_gate, tmp_path):
    with NameServer(str(tmp_path), {"sender.example": ["mail A 192.0.2.7", "six AAAA 2001:db8::7",
                                                       "mx-only MX 10 mail", "text TXT none"]}) as dns:
        gate = make_gate({"helo": {"unresolvable": "yes", "on_error": "accept"},
                          "dns": {"servers": strings(dns.server), "timeout": "2s"}})
        for helo, code in [("mail.sender.example", 250), ("six.sender.example", 250), ("mx-only.sender.example", 250),
                           ("text.sender.example", 550), ("missing.sender.example", 550)]:
            with gate.client(helo=helo) as smtp:
                smtp.mail("sender@sender.example")
                assert smtp.rcpt("user@example.net").code == code, helo


@pytest.mark.parametrize("on_error,code", [("accept", 250), ("tempfail", 451)])
def test_dead_name_server_is_an_error_not_a_refusal(make_gate, on_error, code):
    gate = make_gate({"helo": {"unresolvable": "yes", "on_error": on_error},
                      "dns": {"servers": strings("127.0.0.1@9"), "timeout": "1s"}})
    with gate.client() as smtp:
        smtp.mail("sender@sender.example")
        assert smtp.rcpt("user@example.net").code == code
    assert gate.daemon.wait_event("error")["check"] == "helo"
