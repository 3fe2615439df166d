# SPDX-License-Identifier: GPL-3.0-or-later
"""The final inertia of our trainings is distributed as that of scikit-learn's MiniBatchKMeans."""
import multiprocessing
import os

os.environ["OMP_NUM_THREADS"] = "1"  # a process per core instead; read when numpy is loaded

import h5py
import numpy as np
from scipy.stats import ks_2samp
from sklearn.cluster import MiniBatchKMeans

from images import Jets
from product import SMALL, ProductCase, main, settings

WINDOW = (3000, 3100)
BATCH = 1024


def their_inertia(work):
    dense, seed = work
    return MiniBatchKMeans(n_clusters=50, batch_size=BATCH, n_init=1,
                           random_state=seed).fit(dense).inertia_


class Training(ProductCase):
    def test_inertia_is_distributed_alike(self):
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 24000)
        ours = []
        for seed in range(1, 21):
            self.command("run", "small.yaml", "--quiet", *settings(
                analysis__training__window=list(WINDOW), analysis__training__clusters=50,
                analysis__training__batch=BATCH, analysis__training__ensemble=1,
                analysis__training__seed=seed))
            with h5py.File(self.folder / "results.h5") as file:
                ours.append(file["codebook/inertia"][0])
        jets = Jets(self.folder / "state")
        m_jj = np.repeat(jets.m_jj, 2)
        dense = jets.dense(np.flatnonzero((m_jj >= WINDOW[0]) & (m_jj < WINDOW[1])))
        self.assertGreater(len(dense), 4000)
        dense = dense.astype("f4")
        with multiprocessing.Pool() as pool:
            theirs = pool.map(their_inertia, [(dense, seed) for seed in range(100)])
        p = ks_2samp(ours, theirs).pvalue
        self.assertGreater(p, 0.01, f"ours {np.mean(ours)}, theirs {np.mean(theirs)}")


if __name__ == "__main__":
    main()
