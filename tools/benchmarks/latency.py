# SPDX-License-Identifier: GPL-3.0-or-later
"""latency: how long after an event came the score has it, at 1,000 events a second.

A reader follows a folder, in which `clusterscan feed` drops a file with every BATCH events; a batch
is a file, a slice is a batch, and a segment of the log is sealed with every batch. `training` is
done on what was in the folder before. bench_stopwatch, last in the flow, notes when each score
comes; the time a file appeared is its change time, which the renaming sets."""
import shutil
import subprocess
import time

from data import few_of_window, process, shorten
from measure import quantile, reported

RATE = 1000    # events/s
BATCH = 100    # events a file
BEFORE = 20000 # events there from the start
FED = 20000
TRAINING = 1000
TRAINING_SECONDS = 120

TOPOLOGY = """version: 1
name: latency
analysis:
  stream:   {{batch: {batch}, slice: 1}}
  training: {{events: {training}, ensemble: 15, clusters: 50, seed: 1}}
stages:
  reader:    {{run: event_reader, settings: {{files: ["{incoming}"], follow: true}}}}
  images:    {{run: jet_image, from: reader}}
  log:       {{run: image_log, from: images, settings: {{segment: 1}}}}
  trainer:   {{run: kmeans_trainer, from: log}}
  spectra:   {{run: spectrum_accumulator, from: [log, trainer]}}
  select:    {{run: robust_selector, from: spectra}}
  score:     {{run: mls_scorer, from: [select, trainer], settings: {{results: "{results}"}}}}
  stopwatch: {{run: "{stopwatch}", from: score, settings: {{out: "{scores}"}}}}
"""


def scores(path):
    """(events read so far, seconds since the epoch) of every score that has come."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    return [(int(line.split()[0]), float(line.split()[1])) for line in lines]


def wait_for(path, events, run):
    """Until the score has so many events."""
    end = time.monotonic() + TRAINING_SECONDS
    while not any(read >= events for read, _ in scores(path)):
        if run.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the score has not reached {events} events")
        time.sleep(0.05)


def latency(data, _):
    before, fed = (min(n, data.events or n) // BATCH * BATCH for n in (BEFORE, FED))
    folder = data.work / "latency"
    incoming, seen = folder / "incoming", folder / "scores.txt"
    incoming.mkdir(parents=True)
    first = shorten(data.background, before, folder / "first.h5")
    second = shorten(list(reversed(data.background)), fed, folder / "second.h5")
    (folder / "latency.yaml").write_text(TOPOLOGY.format(
        batch=BATCH, training=few_of_window(before, TRAINING), incoming=incoming, scores=seen,
        results=folder / "results.h5", stopwatch=data.program("bench_stopwatch")))
    data.command("feed", first, incoming, "--rate", 10**9, "--batch", before, "--prefix", "a",
                 "--no-end")
    with process(data.program("clusterscan"), "run", folder / "latency.yaml", "--quiet", "--state",
                 folder / "state", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        wait_for(seen, before, run)
        data.command("feed", second, incoming, "--rate", RATE, "--batch", BATCH, "--prefix", "b")
        if run.wait() != 0:
            raise RuntimeError(f"the run ended with exit code {run.returncode}")
    came = {read: when for read, when in scores(seen)}
    files = sorted(incoming.glob("b-*.h5"))
    late = [came[before + (i + 1) * BATCH] - file.stat().st_ctime_ns * 1e-9
            for i, file in enumerate(files)]
    shutil.rmtree(folder)
    median, most = (1000 * quantile(late, share) for share in (0.5, 0.99))
    yield reported("latency", "ms", median,
                   f"99 % within {most:.0f} ms, all {len(late) * BATCH} events within "
                   f"{1000 * max(late):.0f} ms; {RATE} events/s in files of {BATCH}, one batch and "
                   f"slice each, sealed at once", median_ms=median, p99_ms=most,
                   most_ms=1000 * max(late), events=len(late) * BATCH)
