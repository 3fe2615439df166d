# SPDX-License-Identifier: GPL-3.0-or-later
"""jets: anti-kT of our own against FastJet called directly, on whole and on drawn events."""
import json
import subprocess

from data import process
from measure import row, skipped

DRAWN = (100, 200, 300, 500, 2000)


def wanted(particles):
    """How many times faster, by the particles an event has."""
    if particles <= 300:
        return 4
    return 2 if particles <= 500 else 1


def jets(data, repeats):
    files = [file for file in (data.table, data.real) if file is not None]
    names = {data.table.name: "lhco-table", **({data.real.name: "real"} if data.real else {})}
    with process(data.program("bench_jets"), "--repeats", repeats, *files, "--drawn", *DRAWN,
                 stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            one = json.loads(line)
            name = names.get(one["set"], one["set"].replace(" ", "-"))
            unlike = one.get("unlike", 0)
            yield row(f"jets:{name}", "us/event", one["ours"], one["peer"], "FastJet, called directly",
                      at_least=wanted(one["particles"]), scale=1e6 / one["events"],
                      note=f"{one['particles']:.0f} particles, {one['events']} events, "
                           f"{unlike or 'none'} with other jets", unlike=unlike)
        if child.wait() != 0:
            raise RuntimeError(f"bench_jets ended with exit code {child.returncode}")
    if data.real is None:
        yield skipped("jets:real", "the real events are not on this machine")
