"""The alias tables mean to us what they mean to Postfix: the same files under a private Postfix, generated addresses sent
through it, and the final recipients in its log compared with our expansion."""
import os
import random
import re
import subprocess

import pytest

from harness.postfix import PrivatePostfix, Service
from harness.smtp import Smtp
from harness.tools import run, wait_until

BUILD = os.path.abspath(os.environ.get("POSTERN_BUILD", "build"))
ASK = os.path.join(BUILD, "tests/unit/aliases/ask_aliases")

# What is worth having in every table; generated entries follow.
VIRTUAL = """\
# comment
alice@example.net   alice@example.net, Alice.Home+Tag@Remote.example
Team@Example.NET    alice@example.net bob
    carol@example.net,
# in between
    dave@remote.example
"quoted user"@example.net   "other user"@remote.example, "plain"@remote.example
bare                bob@example.net
bare+tag            tagged@remote.example
bare2               aliased@example.net
tag+one@example.net one@remote.example
tag@example.net     all@remote.example  second@remote.example
special@example.org bob@remote.example
@example.org        @example.net
@catch.example      catcher@remote.example
@chain1.example     @chain2.example
@chain2.example     @remote.example
user@at.example     @remote.example
list(comment)@example.net  x@remote.example
angle@example.net   <angle@remote.example>
commented@example.net  c1@remote.example (a comment, with (another) in it), c2@remote.example
"""
ALIASES = """\
# comment
aliased:        bob, remote@remote.example
Root:           aliased,
    second@remote.example
# in between
    , carol
"quoted name":  bob
selfish:        selfish, other@remote.example
escaped:        \\aliased
command:        "|true a, b", bob
file:           /dev/null, carol
listed:         :include:{directory}/list
owner-listed:   bob
local+tag:      tagged@remote.example
local:          plain@remote.example
tovirtual:      team@example.net, info@example.org
"""
LIST = """\
# people
l1@remote.example, l2@remote.example
bob

"|true"
:include:{directory}/more
"""
MORE = "l3@remote.example\naliased\n"


def generate(seed):
    """Entries that cannot form a cycle: a target's number is higher than its key's."""
    chance = random.Random(seed)
    names = [f"u{i:02d}" for i in range(40)]

    def target(i, quoted=False):
        name = chance.choice(names[i + 1:])
        if chance.random() < .3:
            name += chance.choice(["+t", "+X.y"])
        if chance.random() < .15:
            name = name.upper()
        if quoted or chance.random() < .1:
            name = f'"{name}"'
        domain = chance.choice(["", "@example.net", "@Example.Net", "@example.org", "@remote.example", "@sub.catch.example",
                                "@catch.example", "@chain1.example"])
        return name + domain

    virtual, aliases = [], []
    for i, name in enumerate(names[:-1]):
        for domain in ("@example.net", "@example.org", "", "@remote.example", "@chain1.example"):
            if chance.random() > .2:
                continue
            key = name + chance.choice(["", "", "+t"]) + domain
            targets = [target(i) for _ in range(chance.randint(1, 4))]
            virtual.append(key + chance.choice([" ", "\t", "  "]) + chance.choice([", ", " ", ",", ",\n   "]).join(targets))
        if chance.random() < .3:
            targets = [target(i) for _ in range(chance.randint(1, 3))]
            aliases.append(name + chance.choice([":", ": ", " :\t"]) + chance.choice([", ", ",", ",\n\t"]).join(targets))
    return virtual, aliases


def addresses(seed):
    chance = random.Random(seed + 1000)
    fixed = ["alice", "Team", "team+t", '"quoted user"', '"Quoted User"', "bare", "bare+tag", "bare+other", "bare2", "tag",
             "tag+one", "tag+two", "aliased", "root", "ROOT+t", '"quoted name"', "selfish", "selfish+t", "escaped",
             "command", "file", "listed", "owner-listed", "local", "local+tag", "local+other", "tovirtual", "nobody",
             "nobody+t", "angle", "commented"]
    answer = [name + domain for name in fixed for domain in ("@example.net", "@example.org")]
    answer += ["special@example.org", "x@catch.example", "x+t@catch.example", "A.B+t@chain1.example", "user@at.example",
               "user+t@at.example", "x@sub.catch.example", "bare@remote.example", "aliased@remote.example"]
    for i in range(40):
        for tag in ("", "+t", "+u"):
            answer.append(f"u{i:02d}{tag}@" + chance.choice(["example.net", "example.net", "EXAMPLE.org", "remote.example",
                                                            "chain1.example"]))
    return answer


@pytest.fixture(scope="module")
def postfix(area):
    directory = os.path.join(area, "aliases")
    os.mkdir(directory)
    os.chmod(directory, 0o755)
    for name in ("virtual", "aliases"):
        write(directory, name, "")
    run("postalias", "-c", "/etc/postfix", f"hash:{directory}/aliases")
    main = {"mydestination": "example.net", "myorigin": "example.net", "recipient_delimiter": "+",
            "virtual_mailbox_domains": "", "virtual_alias_domains": "", "virtual_alias_maps": f"texthash:{directory}/virtual",
            "alias_maps": f"hash:{directory}/aliases", "local_recipient_maps": "", "local_transport": "local",
            "mailbox_transport": "discard:", "allow_mail_to_commands": "alias, include",
            "allow_mail_to_files": "alias, include", "default_privs": "nobody",
            "local_destination_concurrency_limit": "20"}
    area = os.path.join(area, "aliases-mta")
    os.mkdir(area)
    os.chmod(area, 0o755)
    with PrivatePostfix(area, [Service("plain", [])], main=main) as value:
        value.tables = directory
        yield value


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("{directory}", directory))
    return path


def ours(directory, wanted):
    """What our own reading says of each address: (canonical, routes, is_cut)."""
    done = subprocess.run([ASK, "-t", f"virtual:{directory}/virtual", "-t", f"aliases:{directory}/aliases", "-d",
                           "example.net", "-l", "example.net", "-r", "+"], input="\n".join(wanted) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=50, check=True)
    answer = {}
    for address, line in zip(wanted, done.stdout.splitlines(), strict=True):
        canonical, routes, cut = line.split("\t")
        answer[address] = (canonical, {fold(r) for r in routes.split(",") if r}, cut == "cut")
    return answer


def fold(address):
    """Without case: of two ways to write a target one is kept, and it need not be the same one."""
    return address.lower()


DELIVERED = re.compile(r"postfix/\S+\[\d+\]: ([0-9A-F]+): to=<(.*?)>, (?:orig_to=<.*?>, )?relay=(\S+), .* status=(\S+) \((.*)\)$",
                       re.M)


def theirs(postfix, wanted):
    """Sends a message to each address alone; where each ended, as the log tells."""
    ids = {}
    before = len(postfix.log())
    with Smtp(postfix.ports["plain"]) as smtp:
        assert smtp.ehlo("test.example").code == 250
        for address in wanted:
            outcome = smtp.transaction("s@sender.example", [address], b"Subject: x\r\n\r\nx\r\n")
            assert outcome.end and outcome.end.code == 250, (address, outcome)
            ids[re.search(r"queued as (\w+)", outcome.end.text).group(1)] = address
        smtp.quit()
    wait_until(lambda: not postfix.queued(), 60, "an empty queue", .3)
    log = postfix.log()[before:]
    forwarded = dict(reversed(pair) for pair in
                     re.findall(r": ([0-9A-F]+): to=<.*status=sent \(forwarded as ([0-9A-F]+)\)", log))
    # A message to "a" whose alias names "b" of another alias is one delivery with several "forwarded as".
    answer = {address: set() for address in wanted}
    for queue_id, to, relay, status, text in DELIVERED.findall(log):
        if text.startswith(("forwarded as", "delivered to command", "delivered to file")):
            continue
        while queue_id in forwarded:
            queue_id = forwarded[queue_id]
        if queue_id not in ids:
            continue
        assert status == "sent", (ids[queue_id], to, relay, text)
        answer[ids[queue_id]].add(fold(to))
    return answer


@pytest.mark.seconds(240)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_same_as_postfix(postfix, seed):
    virtual, aliases = generate(seed)
    write(postfix.tables, "virtual", VIRTUAL + "\n".join(virtual) + "\n")
    write(postfix.tables, "aliases", ALIASES + "\n".join(aliases) + "\n")
    write(postfix.tables, "list", LIST)
    write(postfix.tables, "more", MORE)
    run("postalias", "-c", postfix.config, f"hash:{postfix.tables}/aliases")
    postfix.reload()
    wanted = addresses(seed)
    mine = ours(postfix.tables, wanted)
    wanted = [address for address in wanted if not mine[address][2]]
    assert len(wanted) > 150
    real = theirs(postfix, wanted)
    different = [f"{address}: {sorted(mine[address][1])}, Postfix: {sorted(real[address])}" for address in wanted
                 if mine[address][1] != real[address]]
    assert not different, "\n".join(different)


def test_same_keys_as_postmap(postfix):
    """Whatever key postmap finds in a table, we find, and no other."""
    virtual, _ = generate(7)
    path = write(postfix.tables, "keys", VIRTUAL + "\n".join(virtual) + "\n")
    keys = [line.split()[0] for line in virtual if not line[0].isspace()]
    keys += [f"{key}x" for key in keys] + ["team@example.net", "Team@Example.NET", "x@example.org", "@example.org"]
    found = {}
    for key in dict.fromkeys(keys):
        if "@" in key and not key.startswith("@"):
            found[key] = run("postmap", "-c", postfix.config, "-q", key, f"texthash:{path}", check=False).returncode == 0
    done = subprocess.run([ASK, "-t", f"virtual:{path}"], input="\n".join(found) + "\n", text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    for (key, is_there), line in zip(found.items(), done.stdout.splitlines(), strict=True):
        routes = line.split("\t")[1]
        domain = key.rpartition("@")[2].lower()
        if domain in ("example.net", "remote.example"):  # the others have an @domain entry
            assert is_there == (fold(routes) != fold(key)), (key, routes)
