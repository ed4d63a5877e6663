"""The demonstration behind contrib/try: mails over real SMTP, what was answered, and why."""
import argparse
import email
import json
import os
import signal
import sys
import textwrap
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "live"))

from harness import archives, mails  # noqa: E402
from harness.archives import MZ  # noqa: E402
from harness.dns import NameServer  # noqa: E402
from harness.postfix import PrivatePostfix, Service  # noqa: E402
from harness.posternd import Posternd, quote, strings  # noqa: E402
from harness.sink import Sink  # noqa: E402
from harness.smtp import Smtp  # noqa: E402
from harness.tools import can_connect, make_directory, remove_directory  # noqa: E402

PORT = 2525
HELO = "mail.sender.example"
GOOD = mails.plain("Lunch?")
MANY = [f"member{i}@example.net" for i in range(1, 102)]


# What the name server of the demonstration says. The client 192.0.2.7, and this machine for mails of your own, may send
# for sender.example; bank.example wants what it has not sent itself to be refused.
ZONES = {"example": ['sender TXT "v=spf1 ip4:192.0.2.7 ip4:127.0.0.0/8 -all"', "mail.sender A 192.0.2.7",
                     '_dmarc.bank TXT "v=DMARC1; p=reject"', 'bank TXT "v=spf1 -all"']}


class Show:
    """One mail of the demonstration. EXPECTED: the start of each answer that counts, WHY: the token in the log.
    DELIVERED: the name of the field that is shown as it was delivered, and the only value that it may have. REPLY: the
    token of the automatic reply's silence, or "" if there must be one."""

    def __init__(self, title, message, expected, why, helo=HELO, to=("user@example.net",), login=None, client="192.0.2.7",
                 delivered=None, reply=None):
        self.title, self.message, self.expected, self.why, self.reply = title, message, expected, why, reply
        self.helo, self.to, self.login, self.client, self.delivered = helo, list(to), login, client, delivered


def bogus(helo, why, title):
    return Show(title, GOOD, f"550 5.7.1 <user@example.net>... Access denied - bogus HELO [{helo or ''}]", why, helo)


def attached(title, name, data, path=None, why="attachments.extension", kind="application/octet-stream"):
    return Show(title, mails.attached(name, data, "Your invoice", kind),
                f"554 5.7.0 <{path or name}> - attachment type not accepted" if why else "250 2.0.0", why)


PROGRAM = {"doc/run.exe": MZ}
SHOWS = [
    Show("A good mail", GOOD, "250 2.0.0", None),
    bogus("127.0.0.1", "helo.bare-ip", "HELO is a bare IP address"),
    bogus("[127.0.0.1]", "helo.literal", "HELO is an address literal"),
    bogus("localhost", "helo.localhost", "HELO is not a real name"),
    bogus("www", "helo.not-fqdn", "HELO is not fully qualified"),
    bogus("fakedomain.xyz", "helo.banned", "HELO is on the administrator's list"),
    bogus("mx.example.net", "helo.self", "HELO is our own name, said by a stranger"),
    bogus(None, "helo.missing", "No HELO at all"),
    Show("HELO is bogus, but the mail is for postmaster", GOOD, "250 2.0.0", None, "www", ["postmaster@example.net"]),
    Show("HELO is bogus, but the user has logged in", GOOD, "250 2.0.0", None, "laptop", login="alice"),
    Show("100 recipients", GOOD, "250 2.0.0", None, to=MANY[:100]),
    Show("101 recipients: the first hundred stand", GOOD,
         "452 4.5.3 <member101@example.net>... Too many recipients, at most 100 a message", "recipients.excess",
         to=MANY),
    Show("101 recipients from our own user: nothing is sent to half a list", GOOD,
         "554 5.5.3 Too many recipients, at most 100 a message; nothing was sent", "recipients.message", to=MANY,
         login="alice"),
    attached("A program attached", "run.exe", MZ),
    attached("A program called document", "document.pdf.exe", MZ),
    attached("A program in a zip", "invoice.zip", archives.zip_of(PROGRAM), "invoice.zip/doc/run.exe"),
    attached("A program in a zip in a zip", "invoice.zip", archives.zip_of({"inner.zip": archives.zip_of(PROGRAM)}),
             "invoice.zip/inner.zip/doc/run.exe"),
    attached("A program in a 7z that claims to be a PDF", "invoice.pdf", archives.sevenzip_of(PROGRAM),
             "invoice.pdf/doc/run.exe", kind="application/pdf"),
    attached("A program in Outlook's winmail.dat", "winmail.dat", archives.tnef_of({"run.exe": MZ}),
             "winmail.dat/run.exe", kind="application/ms-tnef"),
    Show("A program in a forwarded mail", mails.forwarded(mails.attached("run.scr", MZ)), "554 5.7.0 <",
         "attachments.extension"),
    attached("A zip with nothing to object to", "photos.zip", archives.zip_of({"sea.jpg": b"\xff\xd8\xff" * 500}),
             why=None),
    Show("SPF: a client that may not send for the sender's domain", GOOD,
         "550 5.7.23 <sender@sender.example> - SPF: not permitted to send for sender.example", "spf.fail",
         client="203.0.113.9"),
    Show("DMARC: a stranger writes in the name of a bank", GOOD.replace(b"sender@sender.example", b"service@bank.example"),
         "550 5.7.1 <bank.example> - DMARC policy of bank.example: reject", "dmarc.reject"),
    Show("A forged result of ours is taken away",
         b"Authentication-Results: mx.example.net; dmarc=pass header.from=bank.example\n" + mails.plain("Forged"),
         "250 2.0.0", None, delivered=("Authentication-Results",
         'mx.example.net; spf=pass smtp.mailfrom=sender.example; spf=none smtp.helo=mail.sender.example; '
         'dkim=none; dmarc=none reason="no DMARC record" '
         "header.from=sender.example")),
    Show("Anna is away: the sender is told so", mails.plain("Are you there?").replace(b"user@", b"anna@"), "250 2.0.0",
         None, to=["anna@example.net"], reply=""),
    Show("He writes again: once in seven days is enough", mails.plain("Hello?").replace(b"user@", b"anna@"), "250 2.0.0",
         None, to=["anna@example.net"], reply="autoreply.remembered"),
    Show("A mailing list gets no reply", mails.header("List", b"List-Id: <news.sender.example>\n").replace(
        b"user@", b"anna@") + b"\nNews\n", "250 2.0.0", None, to=["anna@example.net"], reply="autoreply.list"),
]
AWAY = [{"mailbox": "anna@example.net", "active": "holiday",
         "messages": [{"name": "holiday", "body": "I am at the sea until Monday. Anna"}]}]


def client_of(show, port):
    """The client as the outside world sees it: Postfix lets this machine say XCLIENT, so it can be anybody."""
    smtp = Smtp(port)
    smtp.ehlo("localhost.example")
    smtp.xclient(show.client, HELO, **({"login": show.login} if show.login else {}))
    if show.helo:
        smtp.ehlo(show.helo)
    return smtp


def delivered_field(sink, show):
    """The values of the field that SHOW wants to see, in the last mail that came to the sink, unfolded."""
    subject = show.message.partition(b"Message-ID: ")[2].partition(b"\n")[0]
    message = email.message_from_bytes(sink.wait_for(subject)[-1].content)
    return [" ".join(value.split()) for value in message.get_all(show.delivered[0], [])]


def play(show, port, daemon):
    """(the answer that counts, the log line that explains it, the one about the automatic reply)."""
    mark = daemon.mark()
    with client_of(show, port) as smtp:
        outcome = smtp.transaction("sender@sender.example", show.to, show.message)
        smtp.quit()
    if show.why == "recipients.excess" and outcome.end and outcome.end.code == 250:
        answer = outcome.rcpts[-1]
    else:
        answer = outcome.last
    kind = "recipient" if show.why and (show.why.startswith("helo.") or show.why == "recipients.excess") else "message"
    return answer, daemon.wait_event(kind, mark), daemon.wait_event("autoreply", mark) if show.reply is not None else None


def show_lines(title, text):
    print("\n".join(textwrap.wrap(text, 100, initial_indent=f"    {title:10}", subsequent_indent=" " * 14)))


def tell_reply(show, sink, event):
    """Shows the reply, or why there is none; is it as expected?"""
    if event["verdict"] != "queued":
        show_lines("no reply", f"{event['why']}: {event['text']}")
        return event["why"] == show.reply
    reply = email.message_from_bytes(sink.wait_for("auto-replied")[-1].content)
    show_lines("replied", f"{reply['Subject']} / {reply.get_payload().strip()}")
    return show.reply == ""


def tell(number, show, sink, answer, line, event):
    said = f"HELO {show.helo}" if show.helo else "no HELO"
    to = show.to[0] if len(show.to) == 1 else f"{len(show.to)} recipients"
    who = f", logged in as {show.login}" if show.login else ""
    why = line.get("why")
    reason = f"check {line['check']}, {why}" if why else f"nothing to object to (class {line.get('class')})"
    ok = str(answer).startswith(show.expected) and why == show.why
    print(f"{number:2}. {show.title}")
    print(f"    sent      {said}, from {show.client}{who}, to {to}, {len(show.message)} bytes")
    show_lines("answered", str(answer))
    print(f"    why       {reason}")
    if show.delivered:
        values = delivered_field(sink, show)
        ok = ok and values == [show.delivered[1]]
        for value in values:
            show_lines("delivered", f"{show.delivered[0]}: {value}")
    if event:
        ok = tell_reply(show, sink, event) and ok
    if not ok:
        print(f"    EXPECTED  {show.expected} ... ({show.why or 'accepted'})")
    print(flush=True)
    return ok


def invite(daemon, area):
    program = os.path.join(area, "run.exe")
    with open(program, "wb") as file:
        file.write(MZ)
    print(f"""\
Postfix listens on 127.0.0.1:{PORT}, and takes mail for example.net (which goes nowhere). Send one yourself,
from another terminal; this one passes:

    swaks --server 127.0.0.1:{PORT} --helo {HELO} --from you@sender.example --to user@example.net

Refused: the same with --helo www, with --attach @{program}, with --from you@bank.example

The configuration is {daemon.config}
Edit it, then: {os.environ.get('POSTERN_BUILD', 'build')}/posternctl reload -c {daemon.config}

Postern's log follows. Ctrl-C ends everything.
""", flush=True)


def follow(daemon):
    at = daemon.mark()
    while daemon.process.poll() is None:
        text = daemon.text_since(at)
        end = text.rfind("\n") + 1
        if end:
            print(text[:end], end="", flush=True)
            at += len(text[:end].encode("utf-8", "backslashreplace"))
        time.sleep(0.2)
    print("posternd has ended by itself.", file=sys.stderr)
    return 1


def stage(area, names, sink):
    """posternd and Postfix, not started. The mail of this machine is outside mail here, so that a visitor's own swaks
    meets all the checks. NAMES is asked instead of this machine's resolver: the demonstration needs no network."""
    daemon = Posternd(area, "postern", sections={
        "": {"trusted_networks": strings("198.51.100.0/24"), "socket_group": quote("postfix"),
             "socket_mode": quote("0660")},
        "helo": {"banned": strings("fakedomain.xyz")}, "dns": {"servers": strings(names.server)},
        "spf": {"mode": "global"}, "dmarc": {"mode": "global"}})
    postfix = PrivatePostfix(area, [Service("try", [daemon.milter], port=PORT), Service("out", [])],
                             f"smtp:[127.0.0.1]:{sink.port}")
    daemon.write({**daemon.sections, "spool": {"submit": quote(f"smtp://127.0.0.1:{postfix.ports['out']}")}})
    return daemon, postfix


def main():
    parser = argparse.ArgumentParser(prog="contrib/try", description=f"Builds Postern, starts a private Postfix on "
                                     f"127.0.0.1:{PORT} with posternd in front of it, sends demonstration mails and "
                                     "shows what each was answered and why. Then stays up for mails of your own. "
                                     "Leaves nothing running and touches nothing of the system's mail set-up.")
    parser.add_argument("--once", action="store_true", help="end after the demonstration; the exit status is 0 only "
                        "if every answer was the expected one")
    options = parser.parse_args()
    if can_connect(PORT):
        sys.exit(f"Port {PORT} of 127.0.0.1 is in use; is another contrib/try running?")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell had us ignore it
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    area = make_directory(prefix="postern-try-")
    names, sink = NameServer(area, ZONES), Sink()
    daemon, postfix = stage(area, names, sink)
    try:
        names.start()
        sink.start()
        daemon.start()
        postfix.start()
        daemon.ctl("autoreply", "import", "-", input=json.dumps(AWAY))
        print()
        results = [tell(i, show, sink, *play(show, PORT, daemon)) for i, show in enumerate(SHOWS, 1)]
        print(f"{sum(results)} of {len(results)} answers were the expected ones.\n", flush=True)
        if options.once:
            return 0 if all(results) else 1
        invite(daemon, area)
        return follow(daemon)
    except KeyboardInterrupt:
        print()
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        postfix.stop()
        daemon.stop()
        names.stop()
        remove_directory(area)


if __name__ == "__main__":
    sys.exit(main())
