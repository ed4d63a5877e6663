"""posternctl forwards as an administrator runs it, on SQLite and on Redis, and on a table that is a file."""
import json
import os
import subprocess

import pytest

from harness.posternd import Posternd, program, quote
from harness.redis import Redis


@pytest.fixture(scope="module")
def redis(area):
    with Redis(area, "redis-forwards") as server:
        yield server


def make_desk(area, name, table, more=None):
    desk = Posternd(area, name, sections={"": {}, "forwards": {"table": quote(table)}, **(more or {})})
    desk.said = lambda *args, **rest: desk.ctl("forwards", *args, **rest).stdout
    desk.refused = lambda *args, **rest: desk.ctl("forwards", *args, check=False, **rest)
    desk.rows = lambda: {row["address"]: (row["targets"], row["delete"]) for row in json.loads(desk.said("list", "--json"))}
    return desk


@pytest.fixture(params=["sqlite", "redis"])
def desk(request, area):
    desk.count = getattr(desk, "count", 0) + 1
    more = {"aliases": {"domains": '{ "alias.example=example.net" }'}}
    if request.param == "redis":
        redis = request.getfixturevalue("redis")
        more.update({"": {"store": quote(redis.url)}, "redis": {"prefix": quote(f"f{desk.count}:")}})
    return make_desk(area, f"forwards{desk.count}", "store", more)


def test_one_address(desk):
    assert desk.said("list", "--json") == "[]\n" and desk.said("list") == "the forward table is empty\n"
    assert desk.said("add", "Anna@Example.NET", "Home@Remote.Example") == \
        "anna@example.net: is sent on to Home@remote.example; a copy stays\n"
    added = json.loads(desk.said("add", "anna@example.net", "two@remote.example", "HOME@remote.example", "--delete",
                                 "--json"))
    assert added == {"address": "anna@example.net", "targets": ["Home@remote.example", "two@remote.example"], "delete": True}
    desk.said("add", "anna@example.net", "three@remote.example")  # what was said of the copy stays
    desk.said("add", "@example.net", "all@remote.example")
    assert desk.rows() == {"anna@example.net": (["Home@remote.example", "two@remote.example", "three@remote.example"], True),
                           "@example.net": (["all@remote.example"], False)}
    assert "anna@example.net                 none    Home@remote.example two@" in desk.said("list")
    desk.said("add", "anna@example.net", "two@remote.example", "--keep")
    assert desk.rows()["anna@example.net"][1] is False
    desk.said("delete", "anna@example.net", "home@remote.example", "three@remote.example")
    assert desk.rows()["anna@example.net"][0] == ["two@remote.example"]
    done = desk.refused("delete", "anna@example.net", "home@remote.example")
    assert done.returncode == 66 and "anna@example.net is not sent on to home@remote.example" in done.stderr
    assert json.loads(desk.said("delete", "anna@example.net", "two@remote.example", "--json"))["targets"] == []
    assert desk.said("delete", "@example.net") == "@example.net: is not sent on any more\n"
    assert desk.rows() == {}
    assert desk.refused("delete", "@example.net").returncode == 66


def test_what_is_refused(desk):
    for arguments, status, text in [
            ([], 64, "ADDRESS is missing"), (["a@example.net"], 64, "TARGET is missing"),
            (["a@example.net", "b@x.example", "--keep", "--delete"], 64, "exclude each other"),
            (["anna", "b@x.example"], 65, 'address: "anna" has no domain'),
            (["a@b@example.net", "b@x.example"], 65, "is no address"),
            (["a@example.net", "A@Example.net"], 65, "is the address itself"),
            (["a@example.net", "@x.example"], 65, "is a domain and no address"),
            (["a@example.net", "x" * 65 + "@x.example"], 65, "which SMTP does not carry"),
            (["a@example.net", *(f"{i}@x.example" for i in range(101))], 64, "is one argument too many"),
            (["anna+lists@example.net", "b@x.example"], 65, "is looked up as anna@example.net; name that"),
            (["anna@alias.example", "b@x.example"], 65, "is looked up as anna@example.net; name that"),
            (["@alias.example", "b@x.example"], 65, "is looked up as @example.net; name that")]:
        done = desk.refused("add", *arguments)
        assert (done.returncode, done.stdout) == (status, "") and text in done.stderr, (arguments, done)
    desk.said("add", "a@example.net", *(f"{i}@x.example" for i in range(100)))
    done = desk.refused("add", "a@example.net", "more@x.example")
    assert done.returncode == 65 and "has 100 already" in done.stderr
    assert len(desk.rows()["a@example.net"][0]) == 100


def test_import(desk, tmp_path):
    assert desk.said("import", input="address,target,delete\nanna@example.net,home@x.example,1\n"
                     "bert@example.net,one@x.example two@x.example,0\nbert@example.net,three@x.example,0\n") == \
        "2 addresses imported, 0 deleted\n"
    before = {"anna@example.net": (["home@x.example"], True),
              "bert@example.net": (["one@x.example", "two@x.example", "three@x.example"], False)}
    assert desk.rows() == before
    path = tmp_path / "forwards.csv"
    path.write_text("carl@example.net,c@x.example,1\nanna@example.net,anna@example.net,1\nbert@example.net,b,0\n"
                    "dora@example.net,d@x.example,yes\n")
    done = desk.refused("import", str(path))
    assert done.returncode == 65 and done.stdout == ""
    for text in (":2: 'anna@example.net' is the address itself", ":3: 'b' has no domain", ":4: 'yes' says neither 1",
                 "nothing was changed"):
        assert text in done.stderr, done.stderr
    done = desk.refused("import", input="anna@alias.example,x@x.example,1\ncarl@example.net,c@x.example,1\n")
    assert done.returncode == 65 and "anna@alias.example: mail to it is looked up as anna@example.net" in done.stderr
    assert desk.rows() == before
    path.write_bytes(b"\xef\xbb\xbfaddress;target;delete\r\n\"Bert@Example.NET\";b@x.example;1\r\nerna@example.net;e@x.example;0\r\n")
    assert "2 addresses imported, 0 deleted" in desk.said("import", str(path))
    assert desk.rows() == {**before, "bert@example.net": (["b@x.example"], True),
                           "erna@example.net": (["e@x.example"], False)}
    assert json.loads(desk.said("import", str(path), "--replace", "--json")) == {"imported": 2, "deleted": 1}
    assert sorted(desk.rows()) == ["bert@example.net", "erna@example.net"]
    assert json.loads(desk.said("import", "--replace", "--json", input="")) == {"imported": 0, "deleted": 2}
    assert desk.rows() == {}
    assert desk.refused("import", str(tmp_path / "missing")).returncode == 66


def test_changes_at_once(desk):
    """Neither undoes the other's."""
    command = [program("posternctl"), "forwards", "-c", desk.config]
    writers = [subprocess.Popen([*command, "add", "anna@example.net", f"t{i}@x.example"], stdout=subprocess.DEVNULL)
               for i in range(10)]
    assert [w.wait(30) for w in writers] == [0] * 10
    assert sorted(desk.rows()["anna@example.net"][0]) == [f"t{i}@x.example" for i in range(10)]


def test_ten_thousand(desk):
    text = "".join(f"u{i:05d}@example.net,t{i}@x.example,{i % 2}\n" for i in range(10000))
    assert "10000 addresses imported" in desk.said("import", input=text)
    rows = desk.rows()
    assert len(rows) == 10000 and rows["u00007@example.net"] == (["t7@x.example"], True)


def test_file(area):
    """A table that is a file is shown, and not changed from here."""
    path = os.path.join(area, "forwards.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("Anna@Example.NET,Home@X.example,1\n@example.net,all@x.example,0\n")
    os.chmod(path, 0o644)
    desk = make_desk(area, "forwards-file", f"csv:{path}")
    assert desk.rows() == {"anna@example.net": (["Home@x.example"], True), "@example.net": (["all@x.example"], False)}
    for arguments in (["add", "a@example.net", "b@x.example"], ["delete", "anna@example.net"], ["import", path]):
        done = desk.refused(*arguments)
        assert done.returncode == 78 and f"the forward table is csv:{path}, which is not changed from here" in done.stderr
    with open(path, "a", encoding="utf-8") as file:
        file.write("nonsense\n")
    done = desk.refused("list")
    assert done.returncode == 65 and f"{path}:3: there is no field target" in done.stderr and done.stdout == ""


def test_no_table(area):
    """Rows can be made ready before the configuration names them, and it is said that they do nothing yet."""
    desk = make_desk(area, "forwards-none", "")
    done = desk.ctl("forwards", "add", "anna@example.net", "b@x.example")
    assert "warning: forwards { table } is empty, so nothing is forwarded" in done.stderr
    assert list(desk.rows()) == ["anna@example.net"]
    done = make_desk(area, "forwards-bad", "forwards.csv").refused("list")
    assert done.returncode == 78 and "is neither store nor csv:/PATH" in done.stderr
    done = make_desk(area, "forwards-bad2", "virtual:/etc/x").refused("list")
    assert done.returncode == 78 and "is neither store nor csv:/PATH" in done.stderr
