"""The tables of those parts of contrib/bench that compare kinds of mail through one Postern."""


def measure_kinds(bench, kinds, rounds, count):
    """{kind: [(messages a second, CPU ms a message)]}, one of each a round, in an order that shifts."""
    results = {name: [] for name in kinds}
    names = list(kinds)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        for i in range(len(names)):
            name = names[(i + number) % len(names)]
            results[name].append(bench.measure(name, count))
    return results


def print_kinds(results, base, goals, spread):
    """Prints the table; how many GOALS (ratios to BASE, taken within a round) were missed."""
    print(f"\n{'':22}{'messages/s':>24}{'of ' + base:>24}{'CPU ms/message':>24}")
    missed = 0
    for name, values in results.items():
        ratios = [rate / reference for (rate, _), (reference, _) in zip(values, results[base])]
        mark = ""
        if name in goals:
            met = sorted(ratios)[len(ratios) // 2] >= goals[name]
            missed += not met
            mark = f"  {'reaches' if met else 'MISSES'} {goals[name]:.2f}"
        print(f"{name:22}{spread([r for r, _ in values], '%.1f'):>24}{spread(ratios, '%.3f'):>24}"
              f"{spread([c for _, c in values], '%.2f'):>24}{mark}")
    return missed
