# SPDX-License-Identifier: GPL-3.0-or-later
"""scans: toys of the composition scan and fits of spectra, against numpy and SciPy."""
import pathlib
import tempfile

import numpy as np
from scipy.optimize import curve_fit

from measure import alternate, row, timed

TOYS, THEIR_TOYS = 100, 2
FITS, THEIR_FITS = 20000, 3
BINS, POOLED = 16, 16
X = np.arange(BINS, dtype=float)


class Scan:
    """The composition scan in numpy, by the definition of docs/physics.md, section 12."""

    def __init__(self, labels, bins, clusters):
        self.bins = bins
        self.events = np.bincount(bins, minlength=BINS).astype(float)
        self.classes = [self._classes(member, clusters) for member in labels]
        n = self.events
        mean = (n * X).sum() / n.sum()
        flow = np.outer(n, n) * (1 / n.sum() + np.outer(X - mean, X - mean)
                                 / (n * (X - mean) ** 2).sum())
        flow, scale = np.maximum(flow, 0), np.ones(BINS)
        for _ in range(200):
            scale *= np.sqrt(n / (flow @ scale * scale))
        self.cumulated = (flow * np.outer(scale, scale) / n[:, None]).cumsum(axis=1)
        self.cumulated[:, -1] = 1
        self.windows = [(first, width) for width in (2, 3, 4) for first in range(BINS - width + 1)]

    @staticmethod
    def _classes(label, clusters):
        pair = label.min(axis=1).astype(int) * clusters + label.max(axis=1)
        count = np.bincount(pair, minlength=clusters ** 2)
        kept = np.flatnonzero(count >= POOLED)
        index = np.full(clusters ** 2, len(kept))
        index[kept] = np.arange(len(kept))
        return index[pair], len(kept) + 1

    def toy(self, random):
        moved = (random.random(len(self.bins))[:, None] > self.cumulated[self.bins]).sum(axis=1)
        scale = self.events / np.bincount(moved, minlength=BINS)
        t = np.zeros(len(self.windows))
        for index, n in self.classes:
            counts = np.bincount(index * BINS + moved, minlength=n * BINS).reshape(n, BINS) * scale
            t += [self._statistic(counts, first, width) for first, width in self.windows]
        return t / len(self.classes)

    def _statistic(self, counts, first, width):
        inside = np.zeros(BINS, bool)
        inside[first:first + width] = True
        n, x = self.events[~inside], X[~inside]
        mean = (n * x).sum() / n.sum()
        squares = (n * (x - mean) ** 2).sum()
        events = self.events[inside].sum()
        lever = (self.events[inside] * (X[inside] - mean)).sum()
        outside = counts[:, ~inside]
        line = outside.sum(axis=1) * events / n.sum() \
            + (outside * (x - mean)).sum(axis=1) / squares * lever
        expected = np.maximum(np.maximum(line, 0.1 * counts.sum(axis=1) / self.events.sum()
                                         * events), 0.05)
        found = counts[:, inside].sum(axis=1)
        damping = events / (events + events ** 2 / n.sum() + lever ** 2 / squares)
        d = np.zeros(len(found))
        more = found > expected
        d[more] = 2 * (found[more] * np.log(found[more] / expected[more])
                       - found[more] + expected[more]) * damping
        return np.log1p(0.02 / 0.98 / np.sqrt(17) * np.exp(16 / 34 * d)).sum()


def composition(data, repeats):
    with tempfile.TemporaryDirectory() as folder:
        yield from _composition(data, repeats, pathlib.Path(folder) / "labels.bin")


def _composition(data, repeats, path):
    images = data.images
    images.ours("composition", 1, path)
    members, clusters = images.centres.shape[:2]
    jets = len(images.window(3000, 4600))
    labels = np.fromfile(path, "<u2", members * jets).reshape(members, -1, 2)
    bins = np.fromfile(path, "<i4", offset=2 * members * jets)
    scan, random = Scan(labels, bins, clusters), np.random.default_rng(1)

    def ours(_):
        return images.ours("composition", TOYS, path)["seconds"] / TOYS

    def theirs(_):
        return timed(lambda: [scan.toy(random) for _ in range(THEIR_TOYS)])[0] / THEIR_TOYS

    mine, peer = alternate(min(repeats, 3), ours, theirs)
    yield row("composition", "s/1000 toys", mine, peer,
              f"numpy, one thread; ours {data.cores} of them", at_least=10, scale=1000,
              note=f"{len(bins):,} events, {members} members; wanted at most 30 s on 2 cores")


def fit4(data, repeats):
    images = data.images
    counts = np.bincount(((images.m_jj[::2] - 3000) // 100).astype(int)[
        (images.m_jj[::2] >= 3000) & (images.m_jj[::2] < 4600)], minlength=BINS).astype(float)
    x, random = (3050 + 100 * X) / 13000, np.random.default_rng(1)

    def dijet(x, p1, p2, p3, p4):
        return p1 * (1 - x) ** p2 * x ** (p3 + p4 * np.log(x))

    def theirs(_):
        def fits():
            for _ in range(THEIR_FITS):
                curve_fit(dijet, x, random.poisson(counts), p0=(1, 1, -10, -1),
                          sigma=np.sqrt(counts), bounds=(-100, 100), maxfev=20000)
        return timed(fits)[0] / THEIR_FITS

    mine, peer = alternate(repeats, lambda i: images.ours("fits", FITS)["seconds"] / FITS, theirs)
    yield row("fit4", "us/fit", mine, peer, "scipy curve_fit, bounded trust region", at_least=8000,
              scale=1e6, note="wanted at most 50 us")
