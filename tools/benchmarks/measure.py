# SPDX-License-Identifier: GPL-3.0-or-later
"""measure: how two sides are timed in turn, and what a row of the table is made of."""
import math
import statistics
import time


def timed(work):
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def alternate(repeats, ours, theirs):
    """Seconds of both sides, in turn."""
    pairs = [(ours(i), theirs(i)) for i in range(repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def row(name, unit, ours, peer, peer_name, at_least=None, at_most=None, scale=1, note="", **more):
    """Both sides' figures of every repeat, in pairs, in a unit after `scale`. The ratio is how many
    times ours is better than the peer's, or, with at_most, how many times as much it takes."""
    ours, peer = list(ours), list(peer)
    ratios = [mine / other if at_most else other / mine for mine, other in zip(ours, peer)]
    return {"name": name, "unit": unit, "ours": scale * statistics.median(ours),
            "peer": scale * statistics.median(peer), "peer_name": peer_name,
            "ratio": statistics.median(ratios), "must_reach": at_most or at_least,
            "direction": "<=" if at_most else ">=", "ratio_spread": [min(ratios), max(ratios)],
            "repeats": len(ours), "note": note, **more}


def reported(name, unit, ours, note="", **more):
    """A figure that nothing is compared with."""
    return {"name": name, "unit": unit, "ours": ours, "peer": None, "peer_name": None,
            "ratio": None, "must_reach": None, "direction": None, "ratio_spread": None,
            "repeats": 1, "note": note, **more}


def skipped(name, why):
    return {"name": name, "skipped": why}


def quantile(values, share):
    """The smallest value that at least this share of them does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
