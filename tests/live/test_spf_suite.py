"""posternctl spf against a name server on the loopback: every case of our own table, and of the RFC 7208 test suite where
it lies beside the project. The builtin engine must have all of them; libspf2's number is printed beside it."""
import concurrent.futures
import json
import os
import pathlib
import subprocess

import pytest
import yaml

from harness.zones import Zones

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("POSTERN_BUILD", ROOT / "build")).resolve()
SUITE = pathlib.Path(os.environ.get("POSTERN_SUITES", ROOT.parent / "shared" / "suites")) / "spf" / "rfc7208-tests.yml"
SOURCES = [HERE / "spf_cases.yml"] + ([SUITE] if SUITE.exists() else [])


def ask(case, server, engine):
    command = [str(BUILD / "posternctl"), "spf", "--json", "--engine", engine, "--dns", server, "--timeout", "0.7",
               "--client-ip", case["host"], "--helo", case.get("helo", ""), "--from", case.get("mailfrom") or "<>"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def objection(case, got, engine):
    """What is wrong with GOT; None: nothing. libspf2 counts nothing and names no terms."""
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    if got["result"] not in wanted:
        return f"{got['result']}, not {' or '.join(wanted)} ({got['reason']})"
    text = case.get("explanation")
    if got["result"] == "fail" and text == "DEFAULT" and got["explanation"] is not None:
        return f"explanation {got['explanation']!r}, but there should be none"
    if got["result"] == "fail" and text not in (None, "DEFAULT") and got["explanation"] != text:
        return f"explanation {got['explanation']!r}, not {text!r}"
    for key in ("lookups", "void_lookups", "mechanism") if engine == "builtin" else ():
        if key in case and got[key] != case[key]:
            return f"{key} is {got[key]}, not {case[key]}"
    return None


def run(source, engine):
    """(cases, {case: objection})"""
    jobs, wrong, count = {}, {}, 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        servers = []
        for scenario in yaml.safe_load_all(source.read_text(encoding="utf-8")):
            if not scenario:
                continue
            server = Zones(scenario["zonedata"])
            servers.append(server)
            for name, case in scenario["tests"].items():
                count += 1
                jobs[pool.submit(ask, case, server.address, engine)] = (name, case)
        for job in concurrent.futures.as_completed(jobs):
            name, case = jobs[job]
            text = objection(case, job.result(), engine)
            if text:
                wrong[name] = text
        assert not any(kind == "SPF" for server in servers for _, kind in server.asked), "type 99 was asked"
        for server in servers:
            server.close()
    return count, wrong


@pytest.mark.seconds(180)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_builtin(source):
    count, wrong = run(source, "builtin")
    print(f"\n{source.stem}: builtin {count - len(wrong)} of {count}")
    assert count >= 90 and not wrong, "\n".join(f"{name}: {text}" for name, text in sorted(wrong.items()))


@pytest.mark.seconds(180)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_libspf2(source):
    """It cannot have all of them, but it must neither crash nor fall behind what the manual says of it."""
    count, wrong = run(source, "libspf2")
    print(f"\n{source.stem}: libspf2 {count - len(wrong)} of {count}")
    for name, text in sorted(wrong.items()):
        print(f"  {name}: {text}")
    assert count - len(wrong) >= count * 0.75
