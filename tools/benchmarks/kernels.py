# SPDX-License-Identifier: GPL-3.0-or-later
"""kernels: labels, trainings, whole scans and reading against scikit-learn, SciPy and h5py."""
import h5py
import numpy as np
from scipy.stats import norm, poisson
from sklearn.cluster import MiniBatchKMeans

from data import smear
from measure import alternate, row, timed

JETS = 40000  # labelled per repeat
TRAIN_PAIRS, SCAN_PAIRS = 7, 3


def label_jets(data, repeats):
    images = data.images
    model = images.kmeans()
    jets = images.window(3000, 4600)[:JETS]
    dense = smear(images.dense(jets))
    ours, theirs = alternate(repeats, lambda i: images.ours("label", len(jets), 1)["seconds"],
                             lambda i: timed(lambda: model.predict(dense))[0])
    yield row("label_jets", "ns/jet", ours, theirs, "scikit-learn predict, dense images in memory",
              at_least=40, scale=1e9 / len(jets))


def label_jets_15(data, repeats):
    images = data.images
    jets = len(images.window(3000, 4600)[:JETS])
    ours, theirs = alternate(repeats, lambda i: images.ours("label", jets, 15)["seconds"] / 15,
                             lambda i: images.ours("label", jets, 1)["seconds"])
    yield row("label_jets_15", "ns/jet", ours, theirs, "label_jets, per model", at_least=1,
              scale=1e9 / jets)


def image_to_label(data, repeats):
    images = data.images
    model = images.kmeans()
    jets = images.window(3000, 4600)[:JETS]
    dense = images.dense(jets)

    def theirs(_):
        batches = range(0, len(dense), 2048)
        return timed(lambda: [model.predict(smear(dense[b:b + 2048])) for b in batches])[0]

    ours, peer = alternate(repeats, lambda i: images.ours("image_label", len(jets))["seconds"],
                           theirs)
    yield row("image_to_label", "ns/jet", ours, peer,
              "scipy gaussian_filter, normalise, scikit-learn predict", at_least=200,
              scale=1e9 / len(jets))


def train(data, repeats):
    images = data.images
    dense = smear(images.dense(images.window(3000, 3100)))
    inertia = {"ours": [], "peer": []}

    def ours(i):
        done = images.ours("train", i + 1)
        inertia["ours"].append(done["inertia"])
        return done["seconds"]

    def theirs(i):
        seconds, model = timed(lambda: MiniBatchKMeans(
            n_clusters=50, batch_size=2048, n_init=1, random_state=i, compute_labels=False)
            .fit(dense))
        inertia["peer"].append(-model.score(dense))
        return seconds

    times, peer = alternate(max(repeats, TRAIN_PAIRS), ours, theirs)
    excess = np.median(inertia["ours"]) / np.median(inertia["peer"]) - 1
    yield row("train", "s", times, peer, "scikit-learn MiniBatchKMeans, dense images in memory",
              at_least=12, note=f"median inertia {100 * excess:+.2f} % of the peer's",
              inertia_excess=excess)


def their_scan(images, jets, seed):
    dense = smear(images.dense(images.window(3000, 3100)))
    model = MiniBatchKMeans(n_clusters=50, batch_size=2048, n_init=1, random_state=seed).fit(dense)
    label = np.concatenate([model.predict(smear(images.dense(jets[b:b + 4096])))
                            for b in range(0, len(jets), 4096)])
    bins = ((images.m_jj[jets] - 3000) // 100).astype(int)
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
    images = data.images
    jets = images.window(3000, 4600)
    ours, peer = alternate(min(repeats, SCAN_PAIRS), lambda i: images.ours("cs_run", i + 1)["seconds"],
                           lambda i: timed(lambda: their_scan(images, jets, i))[0])
    yield row("cs_run", "s", ours, peer, "the same with scikit-learn, scipy and numpy", at_least=25)


def read(data, repeats):
    files = [file for file in (data.table, data.real) if file is not None]
    events = 0
    for file in files:
        with h5py.File(file) as table:
            events += len(table["df/block0_values"])

    def theirs(_):
        def all_rows():
            for file in files:
                with h5py.File(file) as table:
                    values = table["df/block0_values"]
                    step = values.chunks[0]
                    for first in range(0, len(values), step):
                        values[first:first + step]
        return timed(all_rows)[0]

    ours, peer = alternate(repeats, lambda i: sum(data.images.ours("read", file)["seconds"]
                                                  for file in files), theirs)
    yield row("read", "us/event", ours, peer, "h5py, chunk by chunk", at_least=0.95,
              scale=1e6 / events)
