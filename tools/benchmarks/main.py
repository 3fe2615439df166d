# SPDX-License-Identifier: GPL-3.0-or-later
"""main: runs the benchmarks: ours and the peer's side in turn, on the same data, in one run."""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np
import scipy
import sklearn
from scipy.ndimage import gaussian_filter
from scipy.stats import norm, poisson
from sklearn.cluster import MiniBatchKMeans

SIDE = 40
ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared/data"
JETS = 40000  # labelled per repeat


class Ours:
    """The C side: a process that answers one command a line."""

    def __init__(self, program, folder, results):
        self.process = subprocess.Popen([program, folder, results], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Data:
    """A sealed run: its images, sparse and dense, and its centres."""

    def __init__(self, binaries, work):
        self.binaries = pathlib.Path(binaries).resolve()
        self.work = pathlib.Path(work)
        self.state = self.work / "state"
        self.results = self.work / "results.h5"
        self.make()
        (self.folder,) = [entry for entry in self.state.iterdir() if entry.is_dir()]
        self.ours = Ours(self.binaries / "bench_kernels", self.folder, self.results)
        self.load()

    def command(self, *arguments):
        subprocess.run([self.binaries / "clusterscan", *map(str, arguments)], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.work)

    def make(self):
        files = sorted(SAMPLES.glob("stand-in/qcd-*.h5"))
        self.sample = "stand-in"
        if not files:
            self.sample = "generated"
            files = [self.work / "toy.h5"]
            self.command("generate", "--events", 300000, "--seed", 1, "--out", files[0])
        names = json.dumps([str(file) for file in files])
        print(f"preparing: images of the {self.sample} sample", file=sys.stderr)
        self.command("run", ROOT / "topology/lhco.yaml", "--quiet", "--state", self.state, "--set",
                     f"stages.reader.settings.files={names}", "--set",
                     f"stages.score.settings.results={self.results}")

    def load(self):
        offset, pixel, intensity, m_jj = [np.zeros(1, "u8")], [], [], []
        for path in sorted(self.folder.glob("segment-*.h5")):
            with h5py.File(path) as file:
                offset.append(file["offset"][1:] + offset[-1][-1])
                pixel.append(file["pixel"][()])
                intensity.append(file["intensity"][()])
                m_jj.append(np.repeat(file["m_jj"][()], 2))
        self.offset = np.concatenate(offset).astype(int)
        self.pixel = np.concatenate(pixel).astype(int)
        self.value = np.sqrt(np.concatenate(intensity))
        self.m_jj = np.concatenate(m_jj)
        with h5py.File(self.results) as file:
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


def smear(images):
    cube = gaussian_filter(images.reshape(-1, SIDE, SIDE), sigma=(0, 1, 1), truncate=4.0)
    flat = cube.reshape(len(images), SIDE * SIDE)
    return flat / flat.sum(axis=1, keepdims=True)


def timed(work):
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def alternate(repeats, ours, theirs):
    """Seconds of both sides, in turn."""
    pairs = [(ours(i), theirs(i)) for i in range(repeats)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def label_jets(data, repeats):
    model = data.kmeans()
    jets = data.window(3000, 4600)[:JETS]
    dense = smear(data.dense(jets))
    ours, theirs = alternate(repeats, lambda i: data.ours("label", JETS, 1)["seconds"],
                             lambda i: timed(lambda: model.predict(dense))[0])
    return {"unit": "ns/jet", "scale": 1e9 / len(jets), "ours": ours, "peer": theirs,
            "peer_name": "scikit-learn predict, dense images in memory", "reach": 40}


def label_jets_15(data, repeats):
    ours, theirs = alternate(
        repeats, lambda i: data.ours("label", JETS, 15)["seconds"] / 15,
        lambda i: data.ours("label", JETS, 1)["seconds"])
    return {"unit": "ns/jet", "scale": 1e9 / JETS, "ours": ours, "peer": theirs,
            "peer_name": "label_jets, per codebook", "reach": 1}


def image_to_label(data, repeats):
    model = data.kmeans()
    jets = data.window(3000, 4600)[:JETS // 4]
    dense = data.dense(jets)

    def theirs(_):
        batches = range(0, len(dense), 2048)
        return timed(lambda: [model.predict(smear(dense[b:b + 2048])) for b in batches])[0]

    ours, peer = alternate(repeats, lambda i: data.ours("image_label", len(jets))["seconds"], theirs)
    return {"unit": "ns/jet", "scale": 1e9 / len(jets), "ours": ours, "peer": peer,
            "peer_name": "scipy gaussian_filter, normalise, scikit-learn predict", "reach": 200}


def train(data, repeats):
    dense = smear(data.dense(data.window(3000, 3100)))
    inertia = {"ours": [], "peer": []}

    def ours(i):
        done = data.ours("train", i + 1)
        inertia["ours"].append(done["inertia"])
        return done["seconds"]

    def theirs(i):
        seconds, model = timed(lambda: MiniBatchKMeans(
            n_clusters=50, batch_size=2048, n_init=1, random_state=i, compute_labels=False)
            .fit(dense))
        inertia["peer"].append(-model.score(dense))
        return seconds

    ours, peer = alternate(max(repeats, 7), ours, theirs)
    excess = np.median(inertia["ours"]) / np.median(inertia["peer"]) - 1
    return {"unit": "s", "scale": 1, "ours": ours, "peer": peer, "reach": 12,
            "peer_name": "scikit-learn MiniBatchKMeans, dense images in memory",
            "note": f"median inertia {100 * excess:+.2f} % of the peer's"}


def their_scan(data, jets, seed):
    dense = smear(data.dense(data.window(3000, 3100)))
    model = MiniBatchKMeans(n_clusters=50, batch_size=2048, n_init=1, random_state=seed).fit(dense)
    label = np.concatenate([model.predict(smear(data.dense(jets[b:b + 4096])))
                            for b in range(0, len(jets), 4096)])
    bins = ((data.m_jj[jets] - 3000) // 100).astype(int)
    counts = np.bincount(label * 16 + bins, minlength=800).reshape(50, 16)
    share = counts / counts.sum(axis=1, keepdims=True)
    distance = np.abs(share - np.median(share, axis=0))
    kept = np.where(distance <= np.quantile(distance, 0.8, axis=0), share, np.nan)
    z = (share - np.nanmean(kept, axis=0)) / (np.nanstd(kept, axis=0) * 1.5114699778679388)
    rich = counts[(z > 3).any(axis=1)].sum(axis=0)
    depleted = counts.sum(axis=0) - rich
    background = depleted * rich.sum() / depleted.sum()
    return norm.isf(poisson.sf(rich, background)).max()


def cs_run(data, repeats):
    jets = data.window(3000, 4600)
    ours, peer = alternate(min(repeats, 3), lambda i: data.ours("cs_run", i + 1)["seconds"],
                           lambda i: timed(lambda: their_scan(data, jets, i))[0])
    return {"unit": "s", "scale": 1, "ours": ours, "peer": peer, "reach": 25,
            "peer_name": "the same with scikit-learn, scipy and numpy"}


def read(data, repeats):
    files = [SAMPLES / "stand-in/lhco-table.h5", SAMPLES / "events_anomalydetection_tiny.h5"]
    files = [file for file in files if file.exists()]
    if not files:
        return {"skipped": "no LHC Olympics table on this machine"}

    def theirs(_):
        def all_rows():
            for file in files:
                with h5py.File(file) as table:
                    values = table["df/block0_values"]
                    step = values.chunks[0]
                    for first in range(0, len(values), step):
                        values[first:first + step]
        return timed(all_rows)[0]

    ours, peer = alternate(repeats, lambda i: sum(data.ours("read", file)["seconds"]
                                                  for file in files), theirs)
    events = 12000 if len(files) == 2 else 11000
    return {"unit": "us/event", "scale": 1e6 / events, "ours": ours, "peer": peer, "reach": 0.95,
            "peer_name": "h5py, chunk by chunk"}


BENCHMARKS = {work.__name__: work for work in (label_jets, label_jets_15, image_to_label, train,
                                               cs_run, read)}


def summary(name, result):
    if "skipped" in result:
        return {"name": name, "skipped": result["skipped"]}
    ours, peer = np.array(result["ours"]), np.array(result["peer"])
    ratios = peer / ours
    return {"name": name, "unit": result["unit"],
            "ours": float(np.median(ours) * result["scale"]),
            "peer": float(np.median(peer) * result["scale"]), "peer_name": result["peer_name"],
            "ratio": float(np.median(ratios)), "must_reach": result["reach"],
            "ratio_spread": [float(ratios.min()), float(ratios.max())], "repeats": len(ours),
            "note": result.get("note", "")}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(),
            "numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="one line of JSON per benchmark")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory() as work:
        data = Data(options.bin, work)
        about = {**machine(), "sample": data.sample}
        if not options.json:
            print(", ".join(f"{key} {value}" for key, value in about.items()))
            print(f"{'name':16} {'ours':>10} {'peer':>10} {'unit':9} {'ratio':>7} {'must':>6}  spread")
        for name in options.names or BENCHMARKS:
            row = summary(name, BENCHMARKS[name](data, options.repeats))
            if options.json:
                print(json.dumps({**row, "machine": about}), flush=True)
            elif "skipped" in row:
                print(f"{name:16} skipped: {row['skipped']}")
            else:
                print(f"{name:16} {row['ours']:10.4g} {row['peer']:10.4g} {row['unit']:9} "
                      f"{row['ratio']:7.1f} {row['must_reach']:6}  {row['ratio_spread'][0]:.1f} to "
                      f"{row['ratio_spread'][1]:.1f}  {row['note']}", flush=True)


if __name__ == "__main__":
    main()
