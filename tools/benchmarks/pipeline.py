# SPDX-License-Identifier: GPL-3.0-or-later
"""pipeline: a whole run with all its processes against its own arithmetic in one process."""
import json
import os
import shutil
import subprocess

from data import ROOT, process, repeat_table, settings
from measure import row

RUNS = 3
TABLE_TIMES = 10


def topology(data, files, results):
    """lhco.yaml with as many imagers and accumulators as there are cores; the trainer has a thread
    for each. So all cores are at work in each phase of a run (images, training, labels)."""
    return [ROOT / "topology/lhco.yaml", *settings({
        "stages.reader.settings.files": files,
        "stages.images.replicas": data.cores,
        "stages.spectra.replicas": data.cores,
        "stages.score.settings.results": results})]


def busy():
    """Core seconds that all processes of the machine have used so far."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def run_once(data, files):
    """Wall seconds and core seconds of a run, those of each step of its arithmetic, and those of
    other processes meanwhile: they are in the wall seconds, too."""
    state, results = data.work / "pipeline", data.work / "pipeline.h5"
    shutil.rmtree(state, ignore_errors=True)
    before = busy()
    wall, used = data.command("run", *topology(data, files, results), "--quiet", "--state", state)
    others = max(0, busy() - before - used)
    shutil.rmtree(state)
    with process(data.program("bench_pipeline"), results, *files, stdout=subprocess.PIPE,
                 text=True) as child:
        answer = child.stdout.read()
        if child.wait() != 0:
            raise RuntimeError("bench_pipeline does not find what the run has found")
    return wall, used, json.loads(answer), others


def measure(name, data, files, repeats):
    walls, used, steps, others = zip(*(run_once(data, files) for _ in range(min(repeats, RUNS))))
    alone = [sum(one["seconds"].values()) for one in steps]
    middle = sorted(range(len(alone)), key=lambda i: walls[i] / alone[i])[len(alone) // 2]
    shares = {step: seconds / alone[middle] for step, seconds in steps[middle]["seconds"].items()}
    events = steps[0]["events"]
    shown = ", ".join(f"{step} {100 * share:.0f} %" for step, share in shares.items()
                      if share >= 0.005)
    disturbed = others[middle] > 0.05 * used[middle]
    return row(name, "core s", [wall * data.cores for wall in walls], alone,
               "its own kernels one after the other in one thread", at_most=1.4,
               note=f"{events / walls[middle]:,.0f} events/s; the run used {used[middle]:.1f} core s "
                    f"({used[middle] / alone[middle]:.2f})"
                    + (f", others {others[middle]:.1f}" if disturbed else "")
                    + f"; alone: {shown}",
               events=events, events_per_second=events / walls[middle],
               used_core_seconds=used[middle], others_core_seconds=others[middle], shares=shares)


def pipeline(data, repeats):
    longer = repeat_table(data.table, TABLE_TIMES, data.work / "table-10.h5")
    yield measure("pipeline:table", data, [longer], repeats)
    longer.unlink()
    yield measure("pipeline:columns", data, data.mixed, repeats)
