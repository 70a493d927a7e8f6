# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks print: rows of the two programs side by side, and whether the goals are met.

A program's results are {scenario: {key: [number, ...]}}.
"""

import statistics
import sys

PROGRAMS = ["keepalived", "roost"]


def merge(trials):
    """The results of several trials as one."""
    merged = {}
    for results in trials:
        for name, result in results.items():
            for key, values in result.items():
                merged.setdefault(name, {}).setdefault(key, []).extend(values)
    return merged


def number(value):
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


def spread(values):
    return f"{statistics.median(values):.0f} / {max(values):.0f}" if values else "-"


def print_table(title, rows, results, out=sys.stdout):
    """rows: (title, scenario, key, how the numbers are shown or None, what the ratio compares)."""
    print(f"\n{title}\n{'':56}{'keepalived':>16}{'roost':>16}{'ratio':>9}", file=out)
    for name, scenario, key, show, compare in rows:
        cells, compared = [], []
        for program in PROGRAMS:
            values = results.get(program, {}).get(scenario, {}).get(key)
            compared.append(compare(values) if values else None)
            cells.append("-" if not values else show(values) if show else number(compared[-1]))
        if set(cells) == {"-"}:
            continue
        rival, ours = compared
        ratio = f"{ours / rival:.2g}" if rival and ours is not None else ""
        print(f"{name:56}{cells[0]:>16}{cells[1]:>16}{ratio:>9}", file=out)


def print_goals(goals, out=sys.stdout):
    """goals: (what, the number reached, the goal in words, whether it is met)."""
    if goals:
        print("\nWhat it must reach", file=out)
    for what, value, words, is_met in goals:
        print(f"{what:56}{number(value):>10}  {words:34}{'met' if is_met else 'MISSED'}", file=out)
