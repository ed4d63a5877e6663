"""The tables of those parts of contrib/bench that compare kinds of mail through one Postern.

The machine's speed drifts by a fifth within ten seconds. So the base is measured before and behind each other kind, and a
ratio is one to the mean of these two. The ratio in the base's own row is one to the base before it: what the table
would show of two things that are the same.
"""
import statistics


def measure_kinds(bench, kinds, base, rounds, count):
    """{kind: [(messages a second, CPU ms a message, messages a second of the base meanwhile)]}, one of each a round, in an
    order that shifts."""
    results = {name: [] for name in kinds}
    others = [name for name in kinds if name != base]
    before, _ = bench.measure(base, count)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        for i in range(len(others)):
            name = others[(i + number) % len(others)]
            rate, cpu = bench.measure(name, count)
            behind, base_cpu = bench.measure(base, count)
            results[name].append((rate, cpu, (before + behind) / 2))
            results[base].append((behind, base_cpu, before))
            before = behind
    return results


def print_kinds(results, base, goals, spread):
    """Prints the table; how many GOALS (ratios to BASE) were missed."""
    print(f"\n{'':22}{'messages/s':>24}{'of ' + base:>24}{'CPU ms/message':>24}")
    missed = 0
    for name, values in results.items():
        ratios = [rate / reference for rate, _, reference in values]
        mark = ""
        if name in goals:
            met = statistics.median(ratios) >= goals[name]
            missed += not met
            mark = f"  {'reaches' if met else 'MISSES'} {goals[name]:.2f}"
        print(f"{name:22}{spread([rate for rate, _, _ in values], '%.1f'):>24}{spread(ratios, '%.3f'):>24}"
              f"{spread([cpu for _, cpu, _ in values], '%.2f'):>24}{mark}")
    return missed
