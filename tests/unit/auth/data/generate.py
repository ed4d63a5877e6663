#!/usr/bin/python3
"""Signs the messages of this folder with dkimpy (Debian: python3-dkim python3-nacl), independently of libopendkim, and
writes the public keys to keys.txt. Run once, in this folder; the results are kept in the repository, the private keys
are not."""
import base64
import subprocess

import dkim
import nacl.encoding
import nacl.signing

NOW = 1700000000  # when all of it was signed, unless said otherwise
PLAIN = b"""From: Joe <joe@example.com>\r
To:  Suzie   <suzie@example.net>\r
Subject: Is dinner\r
\tready?\r
Date: Tue, 14 Nov 2023 22:13:20 +0000\r
Message-ID: <1@example.com>\r
\r
Hi.\r
\r
We  lost the game. \t Are you hungry yet?  \r
\r
Joe.\r
\r
\r
"""
EIGHT_BIT = PLAIN.replace(b"dinner", "Käse".encode()).replace(b"hungry", b"h\xfcngrig")
NAMES = [b"from", b"to", b"subject", b"date", b"message-id"]
keys = {}


def rsa(bits):
    pem = subprocess.run(["openssl", "genrsa", "-traditional", str(bits)], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=pem, check=True,
                         capture_output=True).stdout
    return pem, "k=rsa; p=" + base64.b64encode(der).decode()


def ed25519():
    key = nacl.signing.SigningKey.generate()
    public = key.verify_key.encode(encoder=nacl.encoding.Base64Encoder).decode()
    return key.encode(encoder=nacl.encoding.Base64Encoder), "k=ed25519; p=" + public


class Signer(dkim.DKIM):
    change = {}

    def gen_header(self, fields, *rest, **more):
        fields = [(name, self.change.get(name, value)) for name, value in fields]
        known = [name for name, _ in fields]
        fields[-1:-1] = [(name, value) for name, value in self.change.items() if name not in known]
        return super().gen_header([f for f in fields if f[1] is not None], *rest, **more)


def sign(message, selector, key, domain=b"example.com", canon=b"relaxed/relaxed", algorithm=b"rsa-sha256", names=NAMES,
         length=False, identity=None, **change):
    signer = Signer(message, signature_algorithm=algorithm)
    signer.should_not_sign = set()
    signer.change = {b"t": str(NOW).encode(), **{name.encode(): value for name, value in change.items()}}
    return signer.sign(selector, domain, key, canonicalize=tuple(canon.split(b"/")), include_headers=names,
                       length=length, identity=identity) + message


def write(name, message):
    with open(name + ".eml", "wb") as out:
        out.write(message)


def publish(selector, record, domain="example.com"):
    keys[f"{selector}._domainkey.{domain}"] = record


def main():
    big, big_record = rsa(2048)
    small, small_record = rsa(1024)
    tiny, tiny_record = rsa(512)
    edward, edward_record = ed25519()
    publish("big", "v=DKIM1; " + big_record)
    publish("small", small_record)
    publish("tiny", "v=DKIM1; " + tiny_record)
    publish("edward", "v=DKIM1; n=a note, with commas; " + edward_record)
    publish("strict", "v=DKIM1; t=y:s; " + big_record)
    publish("revoked", "v=DKIM1; p=")
    publish("notmail", "v=DKIM1; s=tlsrpt; " + big_record)
    publish("sha1only", "v=DKIM1; h=sha1; " + big_record)
    publish("spaced", "v = DKIM1 ; h=sha1:sha256; s=* ; " + big_record.replace("p=", "p = ").replace("MII", "MI I "))
    publish("wrong", "v=DKIM1; " + small_record)
    publish("notype", "v=DKIM1; k=dsa; " + big_record[7:])
    publish("nokey", "v=DKIM1; k=rsa; n=forgotten")
    publish("late", "k=rsa; v=DKIM1; " + big_record[7:])
    publish("swapped", edward_record)
    publish("big", "v=DKIM1; " + big_record, "other.example")
    publish("big", "v=DKIM1; " + big_record, "mail.example.com")
    for canon in ("simple/simple", "relaxed/relaxed", "simple/relaxed", "relaxed/simple"):
        write(canon.replace("/", "-"), sign(PLAIN, b"big", big, canon=canon.encode()))
    for canon in ("simple/simple", "relaxed/relaxed"):
        write("8bit-" + canon.split("/")[0], sign(EIGHT_BIT, b"big", big, canon=canon.encode()))
        head = PLAIN[:PLAIN.index(b"\r\n\r\n") + 4]
        write("empty-" + canon.split("/")[0], sign(head, b"big", big, canon=canon.encode()))
        write("length-" + canon.split("/")[0], sign(PLAIN, b"big", big, canon=canon.encode(), length=True))
    write("ed25519", sign(PLAIN, b"edward", edward, algorithm=b"ed25519-sha256"))
    write("two", sign(sign(PLAIN, b"big", big), b"edward", edward, algorithm=b"ed25519-sha256"))
    write("rsa1024", sign(PLAIN, b"small", small))
    write("rsa512", sign(PLAIN, b"tiny", tiny))
    write("sha1", sign(PLAIN, b"big", big, algorithm=b"rsa-sha1"))
    write("expired", sign(PLAIN, b"big", big, x=str(NOW + 60).encode()))
    write("expires", sign(PLAIN, b"big", big, x=str(NOW + 10 ** 10).encode()))
    write("future", sign(PLAIN, b"big", big, t=str(NOW + 10 ** 8).encode()))
    for selector in ("revoked", "notmail", "sha1only", "spaced", "wrong", "notype", "nokey", "late", "swapped", "absent",
                     "slow", "broken", "double", "mixed"):
        write("key-" + selector, sign(PLAIN, selector.encode(), big))
    write("strict-same", sign(PLAIN, b"strict", big))
    write("strict-sub", sign(PLAIN, b"strict", big, identity=b"joe@sub.example.com"))
    write("loose-sub", sign(PLAIN, b"big", big, identity=b"joe@sub.example.com"))
    write("oversigned", sign(PLAIN, b"big", big, names=NAMES + NAMES + [b"reply-to"]))
    write("self", sign(b"From: joe@example.com\r\n\r\nHi.\r\n", b"big", big, names=[b"from", b"dkim-signature", b"from",
                                                                                    b"from"]))
    write("outer", sign(sign(PLAIN, b"small", small), b"big", big, names=NAMES + [b"dkim-signature"]))
    write("foreign", sign(PLAIN, b"big", big, domain=b"other.example"))
    many = PLAIN
    for i in range(20):
        domain = b"example.com" if i == 0 else b"mail.example.com" if i == 1 else b"other.example"
        many = sign(many, b"big", big, domain=domain)
    write("twenty", many)
    three = PLAIN
    for _ in range(4):
        three = sign(three, b"big", big)
    write("four", three)
    with open("keys.txt", "w", encoding="ascii") as out:
        for name, record in keys.items():
            out.write(f"{name} {record}\n")


main()
