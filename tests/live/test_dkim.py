"""DKIM over real SMTP: messages signed by dkimpy, keys from nsd, through Postfix and through Sendmail; and the field
Authentication-Results as it is delivered."""
import base64
import re
import subprocess

import dkim
import pytest

from harness import mails
from harness.dns import NameServer
from harness.posternd import strings
from harness.sendmail import PrivateSendmail
from harness.smtp import Smtp

NAMES = [b"from", b"to", b"subject", b"date", b"message-id"]
CANONS = ["simple/simple", "relaxed/relaxed", "simple/relaxed", "relaxed/simple"]
BODY = b"Hello,\n\n  two  blanks, a tab\tand a blank at the end \n.\n..dots\n\nBye.\n\n\n"


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout


class Keys:
    def __init__(self):
        self.rsa = openssl("genrsa", "-traditional", "2048")
        self.seed = base64.b64encode(bytes(range(32)))
        der = openssl("rsa", "-pubout", "-outform", "DER", data=self.rsa)
        self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
        import nacl.signing
        public = bytes(nacl.signing.SigningKey(bytes(range(32))).verify_key)
        self.ed_record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(public).decode()

    def sign(self, message, canon="relaxed/relaxed", selector="one", domain="sender.example", **more):
        wire = message.replace(b"\n", b"\r\n")
        key = self.seed if selector == "ed" else self.rsa
        kind = b"ed25519-sha256" if selector == "ed" else b"rsa-sha256"
        field = dkim.sign(wire, selector.encode(), domain.encode(), key, canonicalize=tuple(canon.encode().split(b"/")),
                          signature_algorithm=kind, include_headers=NAMES, **more)
        return field.replace(b"\r\n", b"\n") + message


def txt(text):
    return " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


@pytest.fixture(scope="module")
def keys():
    return Keys()


@pytest.fixture(scope="module")
def names(area, keys):
    zone = [f"one._domainkey TXT {txt(keys.record)}", f"ed._domainkey TXT {txt(keys.ed_record)}",
            'revoked._domainkey TXT "v=DKIM1; p="', f"alias._domainkey CNAME one._domainkey"]
    with NameServer(area + "/dkim-zones", {"sender.example": zone}) as server:
        yield server


@pytest.fixture(scope="module", params=["builtin", "libopendkim"])
def gate(request, area, mta, sockets, free_slots, names):
    from conftest import running_gate
    sections = {"dns": {"servers": strings(names.server)}, "": {"tag_subject": '"[suspicious]"'},
                "dkim": {"engine": request.param}}
    with running_gate(area, mta, sockets, free_slots, sections) as value:
        yield value


@pytest.fixture(scope="module")
def sendmail(area, gate, namespace):
    with PrivateSendmail(area, [("postern", gate.daemon.socket)], ("127.0.0.1", namespace.server)) as value:
        value.namespace = namespace
        yield value


def fields(content, name):
    """The values of the fields NAME, unfolded."""
    head = content.replace("\r\n", "\n").partition("\n\n")[0]
    return [re.sub(r"\n[ \t]+", " ", value).strip()
            for value in re.findall(rf"(?mi)^(?:H\?\?)?{name}:((?:.*)(?:\n[ \t].*)*)", head)]


class Ways:
    """The same message through one MTA or the other: what came out."""

    def __init__(self, gate, sendmail, sink):
        self.gate, self.server, self.sink = gate, sendmail, sink

    def postfix(self, message, tag, **more):
        outcome = self.gate.send(message, **more)
        assert outcome.end.code == 250, outcome
        return self.sink.wait_for(f"<{tag}@sender.example>")[-1].content.decode("latin-1")

    def sendmail(self, message, tag):
        with Smtp(self.server.port, self.server.namespace.server, opener=self.server.namespace.connect) as smtp:
            smtp.ehlo("mail.sender.example")
            end = smtp.transaction("sender@sender.example", ["user@example.net"], message).end
        assert end.code == 250, end
        return self.server.queued(end.text.split()[1])[0]


@pytest.fixture(params=["postfix", "sendmail"])
def through(request, gate, sendmail, sink):
    return getattr(Ways(gate, sendmail, sink), request.param)


def one_result(content):
    values = [v for v in fields(content, "Authentication-Results") if v.startswith("mx.example.net;")]
    assert len(values) == 1, content
    return values[0]


def tag_of(*words):
    return "-".join(re.sub(r"\W", "", str(word)) for word in words)


@pytest.mark.parametrize("canon", CANONS)
def test_a_signed_message_passes(keys, through, request, canon):
    tag = tag_of(request.node.name)
    content = through(keys.sign(mails.plain(tag, BODY), canon), tag)
    value = one_result(content)
    assert "dkim=pass header.d=sender.example" in value and "header.s=one" in value and "header.a=rsa-sha256" in value


def test_a_folded_header_passes_simple(keys, through, request):
    tag = tag_of(request.node.name)
    message = mails.plain(tag, BODY).replace(b"From: Sender", b"From:  Sender\n\t(folded,\n   twice)")
    assert "dkim=pass" in one_result(through(keys.sign(message, "simple/simple"), tag))


def test_ed25519(keys, through, request):
    tag = tag_of(request.node.name)
    assert "dkim=pass" in one_result(through(keys.sign(mails.plain(tag, BODY), selector="ed"), tag))


@pytest.mark.parametrize("canon", CANONS)
@pytest.mark.parametrize("old,new,why", [(b"Bye.", b"Bye!", "body hash did not verify"),
                                         (b"Sender <", b"Sander <", "signature did not verify")])
def test_one_byte_changed_fails(keys, through, request, canon, old, new, why):
    tag = tag_of(request.node.name)
    message = keys.sign(mails.plain(tag, BODY), canon).replace(old, new)
    assert f'dkim=fail reason="{why}"' in one_result(through(message, tag))


def test_a_body_of_two_megabytes(keys, through, request):
    tag = tag_of(request.node.name)
    body = b"The quick brown fox  jumps over the lazy dog.\n" * 45000
    assert "dkim=pass" in one_result(through(keys.sign(mails.plain(tag, body)), tag))


def test_two_signatures(keys, through, request):
    tag = tag_of(request.node.name)
    message = keys.sign(keys.sign(mails.plain(tag, BODY), selector="ed"), "simple/simple")
    value = one_result(through(message, tag))
    assert value.count("dkim=pass") == 2 and "header.s=ed" in value and "header.s=one" in value


@pytest.mark.parametrize("selector,why", [("revoked", "the key is revoked"), ("absent", "no key for signature")])
def test_no_key(keys, through, request, selector, why):
    tag = tag_of(request.node.name)
    value = one_result(through(keys.sign(mails.plain(tag, BODY), selector=selector), tag))
    assert f'dkim=permerror reason="{why}"' in value


def test_a_key_behind_an_alias(keys, through, request):
    tag = tag_of(request.node.name)
    assert "dkim=pass" in one_result(through(keys.sign(mails.plain(tag, BODY), selector="alias"), tag))


def test_unsigned(through, request):
    tag = tag_of(request.node.name)
    assert one_result(through(mails.plain(tag, BODY), tag)).endswith("dkim=none")


FORGED = ["mx.example.net; dkim=pass header.d=bank.example", "MX.Example.Net 1; dmarc=pass",
          "(comment) mx.example.net; spf=pass", '"mx.example.net"; dkim=pass', "mx.\n example.net; dkim=pass",
          "mx.example.net\n\t;dkim=pass", "(unclosed mx.example.net; dkim=pass"]


def test_forged_fields_are_gone(through, request):
    tag = tag_of(request.node.name)
    kept = ["other.example; dkim=pass header.d=bank.example", "spf=pass smtp.mailfrom=bank.example"]
    extra = "".join(f"Authentication-Results: {value}\n" for pair in zip(FORGED, kept * 4) for value in pair)
    content = through(extra.encode() + mails.plain(tag, BODY), tag)
    values = fields(content, "Authentication-Results")
    assert one_result(content).endswith("dkim=none")
    assert [v for v in values if "mx." in v] == [one_result(content)]
    assert len([v for v in values if v in kept]) == len(FORGED)
    if "Received:" in content and not content.startswith("V"):  # as delivered: ours is on top
        assert content.lower().startswith("authentication-results: mx.example.net;") or \
            content.lower().index("authentication-results: mx.example.net") < content.index("other.example")


def test_the_filter_keeps_its_hands_off_trusted_mail(gate, sink, request):
    tag = tag_of(request.node.name)
    forged = b"Authentication-Results: mx.example.net; dkim=pass\n"
    outcome = gate.send(forged + mails.plain(tag), addr=None)
    assert outcome.end.code == 250
    content = sink.wait_for(f"<{tag}@sender.example>")[-1].content.decode()
    assert fields(content, "Authentication-Results") == ["mx.example.net; dkim=pass"]


def test_a_tagged_message_gets_its_subject_marked(area, mta, sockets, free_slots, names, sink):
    from conftest import running_gate
    sections = {"dns": {"servers": strings(names.server)}, "": {"tag_subject": '"[verdächtig]"'}, "dkim": {"none": "tag"}}
    with running_gate(area, mta, sockets, free_slots, sections) as gate:
        assert gate.send(mails.plain("a-tagged-one")).end.code == 250
    content = sink.wait_for("<a-tagged-one@sender.example>")[-1].content.decode()
    assert fields(content, "Subject") == ["=?UTF-8?B?W3ZlcmTDpGNodGlnXSA=?= a-tagged-one"]
    assert fields(content, "X-Postern") == ["suspicious; why=dkim.none"]


def test_refused_if_told_so(area, mta, sockets, free_slots, names, keys):
    from conftest import running_gate
    sections = {"dns": {"servers": strings(names.server)}, "dkim": {"fail": "reject"}}
    with running_gate(area, mta, sockets, free_slots, sections) as gate:
        message = keys.sign(mails.plain("refused", BODY))
        assert gate.send(message).end.code == 250
        end = gate.send(message.replace(b"Bye.", b"Bye!")).end
        assert str(end) == "550 5.7.20 No passing DKIM signature found (fail sender.example body hash did not verify)"


def test_results_of_a_filter_before_us(area, mta, sockets, free_slots, sink):
    from conftest import running_gate
    sections = {"": {"trusted_authserv_ids": strings("filter.example.net")}, "dkim": {"source": "header"}}
    field = b"Authentication-Results: filter.example.net; dkim=pass header.d=sender.example header.s=x\n"
    with running_gate(area, mta, sockets, free_slots, sections) as gate:
        assert gate.send(field + mails.plain("before-us")).end.code == 250
    content = sink.wait_for("<before-us@sender.example>")[-1].content.decode()
    assert "dkim=pass header.d=sender.example header.s=x" in one_result(content)
    assert len(fields(content, "Authentication-Results")) == 2


def test_dead_name_server(area, mta, sockets, free_slots, keys, sink):
    from conftest import running_gate
    from harness.tools import free_port
    sections = {"dns": {"servers": strings(f"127.0.0.1@{free_port()}"), "timeout": "500ms"}}
    with running_gate(area, mta, sockets, free_slots, sections) as gate:
        assert gate.send(keys.sign(mails.plain("dead-server", BODY))).end.code == 250
    content = sink.wait_for("<dead-server@sender.example>")[-1].content.decode()
    assert "dkim=temperror" in one_result(content)
