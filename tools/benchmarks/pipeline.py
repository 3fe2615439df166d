# SPDX-License-Identifier: GPL-3.0-or-later
"""pipeline: a whole run with all its processes against its own arithmetic in one process."""
import json
import shutil
import subprocess

from data import ROOT, process, repeat_table, settings
from measure import row

RUNS = 3
TABLE_TIMES = 10


def topology(data, files, results):
    """lhco.yaml with as many copies of what can be copied as there are cores: the phases of a run
    (images, training, labels) then keep all of them at work."""
    return [ROOT / "topology/lhco.yaml", *settings({
        "stages.reader.settings.files": files,
        "stages.images.replicas": data.cores,
        "stages.trainer.replicas": data.cores,
        "stages.spectra.replicas": data.cores,
        "stages.score.settings.results": results})]


def run_once(data, files):
    """Wall seconds and core seconds of a run, and those of each step of its arithmetic."""
    state, results = data.work / "pipeline", data.work / "pipeline.h5"
    shutil.rmtree(state, ignore_errors=True)
    wall, used = data.command("run", *topology(data, files, results), "--quiet", "--state", state)
    shutil.rmtree(state)
    with process(data.program("bench_pipeline"), results, *files, stdout=subprocess.PIPE,
                 text=True) as child:
        answer = child.stdout.read()
        if child.wait() != 0:
            raise RuntimeError("bench_pipeline does not find what the run has found")
    return wall, used, json.loads(answer)


def measure(name, data, files, repeats):
    walls, used, steps = zip(*(run_once(data, files) for _ in range(min(repeats, RUNS))))
    alone = [sum(one["seconds"].values()) for one in steps]
    middle = sorted(range(len(alone)), key=lambda i: walls[i] / alone[i])[len(alone) // 2]
    shares = {step: seconds / alone[middle] for step, seconds in steps[middle]["seconds"].items()}
    events = steps[0]["events"]
    shown = ", ".join(f"{step} {100 * share:.0f} %" for step, share in shares.items()
                      if share >= 0.005)
    return row(name, "core s", [wall * data.cores for wall in walls], alone,
               "its own kernels one after the other in one thread", at_most=1.4,
               note=f"{events / walls[middle]:,.0f} events/s; the run used {used[middle]:.1f} core s "
                    f"({used[middle] / alone[middle]:.2f}); alone: {shown}",
               events=events, events_per_second=events / walls[middle],
               used_core_seconds=used[middle], shares=shares)


def pipeline(data, repeats):
    longer = repeat_table(data.table, TABLE_TIMES, data.work / "table-10.h5")
    yield measure("pipeline:table", data, [longer], repeats)
    longer.unlink()
    yield measure("pipeline:columns", data, data.mixed, repeats)
