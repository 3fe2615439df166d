# SPDX-License-Identifier: GPL-3.0-or-later
"""memory: peak resident memory of every stage for N and for 10 N events.

The trainer learns from the first events of its window, the same number in both runs: its training
set is set aside that way, and the rest of it must not grow either."""
import json
import pathlib
import shutil
import statistics
import subprocess
import time

from data import ROOT, few_of_window, process, settings
from measure import row

# More than five segments of the log, which keeps four in memory: what is there once has been there.
EVENTS = 64000
TIMES = 10
RUNS = 3        # of each length: a peak depends a little on what meets what
FILES_TIMES = 3  # the sample is read as often, if it is shorter than 10 x EVENTS
BATCH = 256      # events: whether one more is on its way for a moment then weighs little
TRAINING = 2000  # events
LOOK_SECONDS = 0.01


def descendants(pid):
    found, todo = [], [pid]
    while todo:
        for task in pathlib.Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            children = [int(word) for word in task.read_text().split()]
            found += children
            todo += children
    return found


def stage_of(pid):
    """Name and number of the stage process, None if it is none (yet)."""
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    if b"--stage" not in words:
        return None
    setup = json.loads(pathlib.Path(words[words.index(b"--stage") + 1].decode()).read_text())
    return setup["name"] + (f".{setup['replica']}" if setup["replicas"] > 1 else "")


def peak_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")] or ["VmHWM: 0"]
    return 1024 * int(line.split()[1])


def watch(run):
    """Peak of each stage process of a run, looked at until the run has ended."""
    names, peaks = {}, {}
    while run.poll() is None:
        try:
            for pid in (run.pid, *descendants(run.pid)):
                names[pid] = names.get(pid) or (stage_of(pid) if pid != run.pid else "clusterscan")
                if names[pid]:
                    peaks[names[pid]] = max(peaks.get(names[pid], 0), peak_of(pid))
        except (OSError, ValueError):
            pass  # it ended while we looked
        time.sleep(LOOK_SECONDS)
    return peaks


def peaks_of_run(data, events, training):
    state, results = data.work / "memory", data.work / "memory.h5"
    arguments = settings({
        "stages.reader.settings.files": data.background * FILES_TIMES,
        "stages.reader.settings.rows": [0, events],
        "analysis.stream.batch": BATCH,
        "analysis.training.events": training,
        "stages.score.settings.results": results})
    with process(data.program("clusterscan"), "run", ROOT / "topology/lhco.yaml", "--quiet",
                 "--state", state, *arguments, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL) as run:
        peaks = watch(run)
        if run.returncode != 0:
            raise RuntimeError(f"the run ended with exit code {run.returncode}")
    shutil.rmtree(state)
    return peaks


def median_of(runs):
    return {name: statistics.median(peaks[name] for peaks in runs) for name in runs[0]}


def memory(data, repeats):
    few_events = EVENTS if not data.events else data.events // TIMES
    training = few_of_window(few_events, TRAINING)
    few, many = (median_of([peaks_of_run(data, events, training)
                            for _ in range(min(repeats, RUNS))])
                 for events in (few_events, TIMES * few_events))
    worst = max(few, key=lambda name: many[name] / few[name])
    shown = ", ".join(f"{name} {few[name] / 1e6:.1f} -> {many[name] / 1e6:.1f}" for name in sorted(few))
    yield row("memory", "MB", [many[worst]], [few[worst]],
              f"the same stage with {few_events:,} instead of {TIMES * few_events:,} events", at_most=1.10,
              scale=1e-6, note=f"the worst: {worst}; all: {shown}",
              peaks={name: [few[name], many[name]] for name in sorted(few)})
