"""Messages to order, as bytes with LF line ends. They are put together by hand, not by the email package, because
most of them are not what a well-behaved program would write."""
import base64

HEADER = (b"From: Sender <sender@sender.example>\nTo: user@example.net\nSubject: %s\n"
          b"Date: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: <%s@sender.example>\n")


def header(subject="test", extra=b""):
    word = subject.encode()
    return HEADER % (word, word.replace(b" ", b".")) + extra


def plain(subject="test", body=b"Hello,\n\nthis is a plain text.\n"):
    return header(subject) + b"\n" + body


def base64_lines(data):
    return base64.encodebytes(data)


def attached(name, data, subject="test", kind="application/octet-stream"):
    """One text and one attachment, as any mail program writes it."""
    field = (f'Content-Type: {kind}; name="{name}"\n'
             f'Content-Disposition: attachment; filename="{name}"\n').encode()
    return with_part(field, data, subject)


def with_part(fields, data, subject="test", encoding="base64"):
    """One text and one part whose header FIELDS (bytes, whole lines) are given; DATA is encoded here."""
    body = base64_lines(data) if encoding == "base64" else data
    return multipart([b"Content-Type: text/plain\n\nSee the attachment.\n",
                      fields + b"Content-Transfer-Encoding: " + encoding.encode() + b"\n\n" + body], subject)


def multipart(parts, subject="test", boundary=b"=_boundary", kind=b"mixed", is_closed=True):
    """PARTS: header, empty line and body each."""
    head = header(subject, b"MIME-Version: 1.0\nContent-Type: multipart/%s; boundary=\"%s\"\n" % (kind, boundary))
    body = b"".join(b"--" + boundary + b"\n" + part + (b"" if part.endswith(b"\n") else b"\n") for part in parts)
    return head + b"\nThis is a message in several parts.\n" + body + (b"--" + boundary + b"--\n" if is_closed else b"")


def forwarded(message, subject="test"):
    """MESSAGE inside another one, as message/rfc822."""
    return multipart([b"Content-Type: text/plain\n\nSee below.\n", b"Content-Type: message/rfc822\n\n" + message],
                     subject, b"=_outer%d" % (len(message) % 9973))


def of_size(size, subject="test"):
    """A message of about SIZE bytes: text up to 10 kB, else a base64 attachment of harmless bytes."""
    if size <= 10000:
        line = b"The quick brown fox jumps over the lazy dog, and nobody minds.\n"
        head = plain(subject, b"")
        return head + line * max(1, (size - len(head)) // len(line))
    data = bytes((i * 2654435761 >> 13) & 0xFF for i in range(65536))
    wanted = int(size / 1.3512)
    return attached("figures.bin", (data * (wanted // 65536 + 1))[:wanted], subject)
