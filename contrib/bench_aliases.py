"""contrib/bench --aliases: tests/bench/alias_bench on tables of 1,000,000 lines, in processes of their own.

The tables are made anew: local parts of 4 to 12 letters and a number, in about a thousand domains, targets in five
thousand. The order of the forms shifts from round to round.
"""
import os
import random
import shutil
import statistics
import subprocess

from harness.tools import build_directory, make_directory, remove_directory

LINES = 1_000_000
SHORT = 10_000  # the same forms small: what the size costs

# Figure, what it is, the form of its numbers, and the goal: at most.
FIGURES = [("load_s", "read, s", "%.2f", 3.0), ("load_mb", "memory at the peak of that, MB", "%.0f", 200),
           ("reload_mb", "likewise with old and new at once", "%.0f", 200),
           ("hit_us", "look-up with a line, us", "%.2f", 2.0), ("miss_us", "look-up without, us", "%.2f", 2.0),
           ("cold_us", "first look-ups after reading, us", "%.2f", None),
           ("seen_s", "a new version is in force after, s", "%.2f", 2.0),
           ("during", "look-ups a second meanwhile, against before", "%.2f", None),
           ("longest_us", "the longest of them, us", "%.0f", None),
           ("longest_idle_us", "the longest of the same time before", "%.0f", None)]


def write_tables(area, lines):
    chance = random.Random(lines)
    paths = {form: os.path.join(area, f"{form}.{lines}") for form in ("virtual", "aliases", "csv", "forwards")}
    files = {form: open(path, "w", encoding="ascii") for form, path in paths.items()}
    for i in range(lines):
        name = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(4, 12))) + f".{i}"
        address, target = f"{name}@d{i % 997}.example.net", f"{name}@mail{i % 4999}.example.org"
        files["virtual"].write(f"{address} {target}\n")
        files["aliases"].write(f"{name}: {target}\n")
        files["csv"].write(f"{address},{target}\n")
        files["forwards"].write(f"{address},{target},{i % 2}\n")
    for file in files.values():
        file.close()
    return paths


def run(form, path):
    shutil.copyfile(path, f"{path}.run")  # which is changed
    done = subprocess.run([os.path.join(build_directory(), "tests/bench/alias_bench"), form, f"{path}.run"], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=120)
    return {name: float(number) for name, number in (word.split("=") for word in done.stdout.split())}


def spread(values, form):
    return f"{form % statistics.median(values)} ({form % min(values)}-{form % max(values)})"


def measure(rounds, quick):
    """The exit status: 1 if a goal was missed."""
    area, missed = make_directory(prefix="postern-bench-"), 0
    try:
        tables = {"large": write_tables(area, LINES // 10 if quick else LINES), "small": write_tables(area, SHORT)}
        forms, results = list(tables["large"]), {}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            for i in range(len(forms)):
                form = forms[(i + number) % len(forms)]
                for size in ("large", "small"):
                    results.setdefault((form, size), []).append(run(form, tables[size][form]))
        for form in forms:
            print(f"\n{form}: {LINES // 10 if quick else LINES:,} lines{'':22}{'':18}of {SHORT:,} lines")
            for name, title, shown, goal in FIGURES:
                large, small = ([each[name] for each in results[form, size]] for size in ("large", "small"))
                mark = ""
                if goal is not None and not quick:
                    met = statistics.median(large) <= goal
                    missed += not met
                    mark = f"{'reaches' if met else 'MISSES'} {goal:g}"
                few = "" if name.endswith("_mb") else spread(small, shown)
                print(f"  {title:46}{spread(large, shown):>22}{few:>22}  {mark}".rstrip())
            over = sum(each["over_ms"] for each in results[form, "large"])
            print(f"  {'look-ups of more than 1 ms meanwhile, in all':46}{over:>22.0f}")
    finally:
        remove_directory(area)
    return 1 if missed else 0
