# SPDX-License-Identifier: GPL-3.0-or-later
"""With the product's centres, a dense computation in numpy, scipy and scikit-learn gives the same
spectra, standardised spectra, labels of clusters and maximum local significance."""
import h5py
import numpy as np
from scipy.stats import norm, poisson, truncnorm
from sklearn.metrics.pairwise import euclidean_distances

from images import Jets, smear
from product import SHARED, SMALL, ProductCase, main, needs_shared, settings

NEAR = 1e-6  # relative: two centres as near as this may be told apart by rounding


def robust(x, fraction):
    """Mean and standard deviation of what is left when the share furthest from the median is cut."""
    distance = np.abs(x - np.median(x))
    kept = x[distance <= np.quantile(distance, 1 - fraction)]
    cut = norm.ppf(1 - fraction / 2)
    return kept.mean(), kept.std() / truncnorm(-cut, cut).std()


def standardise(counts, fraction):
    filled = counts.sum(axis=1) > 0
    z = np.zeros(counts.shape)
    share = counts[filled] / counts[filled].sum(axis=1, keepdims=True)
    for b in range(counts.shape[1]):
        mean, sd = robust(share[:, b], fraction)
        if sd > 0:
            z[filled, b] = (share[:, b] - mean) / sd
    return z


def significance(rich, depleted):
    """(MLS, bin) of one member."""
    if rich.sum() == 0 or depleted.sum() == 0:
        return 0.0, -1
    background = depleted * (rich.sum() / depleted.sum())
    takes_part = (background > 0) & (rich > background)
    if not takes_part.any():
        return 0.0, -1
    z = np.where(takes_part, norm.isf(poisson.sf(rich, np.where(background > 0, background, 1))),
                 0.0)
    return z.max(), int(z.argmax())


class Dense(ProductCase):
    def compare(self, topology, *arguments):
        self.command("run", topology, "--state", "state", "--quiet", *arguments)
        jets = Jets(self.folder / "state")
        with h5py.File(self.folder / "results.h5") as file:
            centres = file["codebook/centres"][()].astype(float)
            counts = file["spectra/counts"][()].astype(int)
            edges = file["edges"][()]
            z = file["selection/z"][()]
            rich_labels = file["selection/label"][()]
            mls = file["score/mls"][()]
            mls_bin = file["score/bin"][()]
        members, clusters, bins = counts.shape
        m_jj = np.repeat(jets.m_jj.astype(float), 2)
        inside = np.flatnonzero((m_jj >= edges[0]) & (m_jj < edges[-1]))
        self.assertEqual(counts.sum(), members * len(inside))
        dense = jets.dense(inside)
        bin_of = np.searchsorted(edges, m_jj[inside], side="right") - 1
        near = 0
        for member in range(members):
            distance = euclidean_distances(dense, smear(centres[member])) ** 2
            label = distance.argmin(axis=1)
            two = np.partition(distance, 1, axis=1)
            unsure = int((two[:, 1] - two[:, 0] < NEAR * two[:, 1]).sum())
            near += unsure
            expected = np.zeros((clusters, bins), int)
            np.add.at(expected, (label, bin_of), 1)
            moved = np.abs(expected - counts[member]).sum()
            self.assertLessEqual(moved, 2 * unsure, f"member {member}")
        self.assertLessEqual(near, members * len(inside) / 10000)
        for member in range(members):
            z_expected = standardise(counts[member], 0.2)
            np.testing.assert_allclose(z[member], z_expected, rtol=1e-9, atol=1e-9)
            rich = (z_expected > 3).any(axis=1)
            np.testing.assert_array_equal(rich_labels[member], rich)
            value, at = significance(counts[member][rich].sum(axis=0),
                                     counts[member][~rich].sum(axis=0))
            # scipy's own tail of the Poisson distribution is good to about 1e-9 here.
            np.testing.assert_allclose(mls[member], value, rtol=1e-7)
            self.assertEqual(mls_bin[member], at)

    def test_toy_events(self):
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 9000, 700)
        self.compare("small.yaml", *settings(analysis__training__ensemble=4))

    @needs_shared("data/stand-in/lhco-table.h5")
    def test_whole_events_of_the_stand_in_sample(self):
        table = SHARED / "data/stand-in/lhco-table.h5"
        topology = (self.folder / "lhco.yaml")
        topology.write_text(SMALL)
        self.compare("lhco.yaml", *settings(
            stages__reader__settings__files=f"[{table}]", analysis__training__clusters=50,
            analysis__training__ensemble=15))


if __name__ == "__main__":
    main()
