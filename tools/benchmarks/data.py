# SPDX-License-Identifier: GPL-3.0-or-later
"""data: the events that are measured on, the programs that are measured, and their processes.
Everything is made when it is first asked for, so a benchmark pays only for what it uses."""
import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.cluster import MiniBatchKMeans

SIDE = 40
ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared/data"
GENERATED_EVENTS = 300000
TABLE_EVENTS = 11000
TABLE_CHUNK = 100
STOP_SECONDS = 30


def smear(images):
    cube = gaussian_filter(images.reshape(-1, SIDE, SIDE), sigma=(0, 1, 1), truncate=4.0)
    flat = cube.reshape(len(images), SIDE * SIDE)
    return flat / flat.sum(axis=1, keepdims=True)


@contextlib.contextmanager
def process(*words, **options):
    """A child that is gone, in order if it can, whatever ends the block."""
    child = subprocess.Popen([*map(str, words)], **options)
    try:
        yield child
    finally:
        for way in (signal.SIGTERM, signal.SIGKILL):
            if child.poll() is None:
                child.send_signal(way)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(STOP_SECONDS)
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


class Ours:
    """bench_kernels: a process that answers one command a line, and lives as long as `stack`."""

    def __init__(self, stack, program, folder, results):
        self.process = stack.enter_context(process(program, folder, results, text=True,
                                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE))

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"bench_kernels ended at: {' '.join(map(str, words))}")
        return json.loads(answer)


class Images:
    """A sealed run: its images, sparse and dense, and its centres."""

    def __init__(self, folder, results, ours):
        self.folder = folder
        self.ours = ours
        offset, pixel, intensity, m_jj = [np.zeros(1, "u8")], [], [], []
        for path in sorted(folder.glob("segment-*.h5")):
            with h5py.File(path) as file:
                offset.append(file["offset"][1:] + offset[-1][-1])
                pixel.append(file["pixel"][()])
                intensity.append(file["intensity"][()])
                m_jj.append(np.repeat(file["m_jj"][()], 2))
        self.offset = np.concatenate(offset).astype(int)
        self.pixel = np.concatenate(pixel).astype(int)
        self.value = np.sqrt(np.concatenate(intensity))
        self.m_jj = np.concatenate(m_jj)
        with h5py.File(results) as file:
            self.centres = smear(file["codebook/centres"][()].reshape(-1, SIDE * SIDE)).reshape(
                file["codebook/centres"].shape)

    def window(self, low, high):
        return np.flatnonzero((self.m_jj >= low) & (self.m_jj < high))

    def dense(self, jets):
        """Images before smearing, float32."""
        images = np.zeros((len(jets), SIDE * SIDE), "f4")
        lengths = self.offset[jets + 1] - self.offset[jets]
        rows = np.repeat(np.arange(len(jets)), lengths)
        starts = np.repeat(self.offset[jets] - np.concatenate([[0], lengths.cumsum()[:-1]]), lengths)
        entries = starts + np.arange(lengths.sum())
        images[rows, self.pixel[entries]] = self.value[entries]
        return images

    def kmeans(self, member=0):
        """scikit-learn's object with the product's centres."""
        model = MiniBatchKMeans(n_clusters=self.centres.shape[1], n_init=1)
        model.cluster_centers_ = np.ascontiguousarray(self.centres[member], "f4")
        model._n_threads = 1
        return model


def tell(text):
    print(f"preparing: {text}", file=sys.stderr, flush=True)


def shorten(files, events, path):
    """The first events of `columns` files as one such file."""
    names = ("pt", "eta", "phi")
    parts, lengths = {name: [] for name in (*names, "label")}, []
    for file in files:
        with h5py.File(file) as from_:
            group = from_["events"]
            n = min(events, len(group["offset"]) - 1)
            offset = group["offset"][:n + 1].astype("u8")
            lengths.append(np.diff(offset))
            for name in names:
                parts[name].append(group[name][:offset[-1]])
            if "label" in group:
                parts["label"].append(group["label"][:n])
            events -= n
    with h5py.File(path, "w") as to:
        to["events/offset"] = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype("u8")
        for name, part in parts.items():
            if part:
                to[f"events/{name}"] = np.concatenate(part)
    return path


def _new_table(file, rows):
    return file.create_dataset("df/block0_values", (rows, 2101), "f8", chunks=(TABLE_CHUNK, 2101),
                               compression="gzip", shuffle=True)


def tabulate(columns, path):
    """A `columns` file as an LHC Olympics table: as many whole chunks as it fills."""
    with h5py.File(columns) as from_, h5py.File(path, "w") as to:
        group = from_["events"]
        offset = group["offset"][()].astype(int)
        rows = (len(offset) - 1) // TABLE_CHUNK * TABLE_CHUNK
        table = _new_table(to, rows)
        for first in range(0, rows, TABLE_CHUNK):
            block = np.zeros((TABLE_CHUNK, 2101))
            for i in range(TABLE_CHUNK):
                begin = offset[first + i]
                end = min(offset[first + i + 1], begin + 700)
                particles = [group[name][begin:end] for name in ("pt", "eta", "phi")]
                block[i, :3 * (end - begin)] = np.stack(particles, axis=1).ravel()
            if "label" in group:
                block[:, 2100] = group["label"][first:first + TABLE_CHUNK]
            table[first:first + TABLE_CHUNK] = block
    return path


def repeat_table(table, times, path, rows=None):
    """The first rows of a table, several times over, chunk by chunk as they are compressed."""
    with h5py.File(table) as from_, h5py.File(path, "w") as to:
        values = from_["df/block0_values"]
        chunk = values.chunks
        rows = (rows or len(values)) // chunk[0] * chunk[0]
        longer = to.create_dataset(
            "df/block0_values", (times * rows, chunk[1]), values.dtype, chunks=chunk,
            compression=values.compression, compression_opts=values.compression_opts,
            shuffle=values.shuffle)
        for first in range(0, times * rows, chunk[0]):
            mask, data = values.id.read_direct_chunk((first % rows, 0))
            longer.id.write_direct_chunk((first, 0), data, mask)
    return path


class Data:
    """What the benchmarks measure on: the stand-in sample where it stands beside the source tree,
    events of `clusterscan generate` elsewhere; of either only the first `events`, if given."""

    def __init__(self, binaries, work, stack, events=None):
        self.binaries = pathlib.Path(binaries).resolve()
        self.work = pathlib.Path(work)
        self.stack = stack
        self.events = events
        self.cores = len(os.sched_getaffinity(0))
        self.sample = "stand-in" if sorted(SAMPLES.glob("stand-in/qcd-*.h5")) else "generated"

    def program(self, name):
        return self.binaries / name

    def command(self, *arguments, cwd=None, **options):
        """Runs clusterscan to its end; returns its wall seconds and core seconds."""
        start = time.perf_counter()
        with process(self.program("clusterscan"), *arguments, cwd=cwd or self.work,
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options) as child:
            _, how, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(how)
        if child.returncode != 0:
            raise RuntimeError(f"clusterscan {' '.join(map(str, arguments))} ended with exit code "
                               f"{child.returncode}")
        return time.perf_counter() - start, usage.ru_utime + usage.ru_stime

    @functools.cached_property
    def generated(self):
        path = self.work / "generated.h5"
        events = self.events or GENERATED_EVENTS
        tell(f"{events} generated events")
        self.command("generate", "--events", events, "--signal", events // 12, "--seed", 1, "--out",
                     path)
        return path

    def _columns(self, pattern, name):
        files = sorted(SAMPLES.glob(pattern))
        if not self.events:
            return files
        return [shorten(files, self.events, self.work / name)]

    @functools.cached_property
    def background(self):
        """Files of events in the mass range of the search, nearly all of them background."""
        if self.sample == "generated":
            return [self.generated]
        return self._columns("stand-in/qcd-*.h5", "background.h5")

    @functools.cached_property
    def mixed(self):
        """The same with signal."""
        if self.sample == "generated":
            return [self.generated]
        return self.background + self._columns("stand-in/signal-*.h5", "signal.h5")

    @functools.cached_property
    def table(self):
        """Whole events in the LHC Olympics layout, gzip."""
        rows = self.events or TABLE_EVENTS
        if self.sample == "generated":
            few = shorten([self.generated], rows, self.work / "few.h5")
            return tabulate(few, self.work / "table.h5")
        table = SAMPLES / "stand-in/lhco-table.h5"
        return repeat_table(table, 1, self.work / "table.h5", rows) if self.events else table

    @functools.cached_property
    def real(self):
        """The real events, blosc; None where they are not."""
        path = SAMPLES / "events_anomalydetection_tiny.h5"
        return path if path.exists() else None

    @functools.cached_property
    def images(self):
        state, results = self.work / "images", self.work / "images.h5"
        tell(f"images and models of the {self.sample} sample")
        self.command("run", ROOT / "topology/lhco.yaml", "--quiet", "--state", state,
                     *settings({"stages.reader.settings.files": self.background,
                                "stages.score.settings.results": results}))
        (folder,) = [entry for entry in state.iterdir() if entry.is_dir()]
        return Images(folder, results, Ours(self.stack, self.program("bench_kernels"), folder,
                                            results))


def few_of_window(events, most):
    """How many events to train on, so that the first `events` hold as many in [3000, 3100) GeV (one
    in seven is there) and 50 clusters have enough."""
    return min(most, max(40, events // 20))


def settings(values):
    """--set arguments of clusterscan; lists and paths as JSON, which is YAML."""
    words = []
    for key, value in values.items():
        words += ["--set", f"{key}={json.dumps(value, default=str)}"]
    return words
