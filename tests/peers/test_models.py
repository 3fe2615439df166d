# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that are no k-means, from a trainer that is none of ours: a mixture of round Gaussians
fitted by scikit-learn, prototypes mapped to fewer clusters, jets beyond a cutoff. The spectra, the
result and the list of events agree with scores computed densely with numpy."""
import csv
import io
import json
import pathlib

import h5py
import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.mixture import GaussianMixture

from images import Jets, smear
from product import SMALL, ProductCase, main, settings

TRAINER = pathlib.Path(__file__).resolve().parent.parent / "support/foreign_trainer.py"
PIXELS = 1600
NEAR = 1e-9  # relative: scores as near as this may be told apart by rounding


def power(jets, which):
    """The images before smearing, as rows of float32."""
    return jets.dense(which, sigma=0).astype("<f4")


def fields(member, clusters, model):
    """The message of a model {prototype, scale, bias, map, cutoff}."""
    columns = {"prototype": "<f4", "scale": "<f8", "bias": "<f8", "map": "<u2"}
    arrays = {name: np.asarray(model[name]).astype(kind).tobytes().hex()
              for name, kind in columns.items()}
    return {"member": member, "generation": 1, "algorithm": "a_test", "clusters": clusters,
            "prototypes": len(model["prototype"]), "pixels": PIXELS, "jets": 1, "steps": 1,
            "seed": 1, "inertia": 0.0, "window": np.array([3000, 3300], "<f8").tobytes().hex(),
            "cutoff": float(model["cutoff"]), **arrays}


class Models(ProductCase):
    CLUSTERS = 9

    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 4000, 300)
        self.command("run", "small.yaml", "--quiet")
        self.jets = Jets(self.folder / "state")
        self.m_jj = np.repeat(self.jets.m_jj.astype(float), 2)

    def run_with(self, models):
        (self.folder / "models.json").write_text(json.dumps(
            [fields(m, self.CLUSTERS, model) for m, model in enumerate(models)]))
        self.command("run", "small.yaml", "--quiet", *settings(
            stages__trainer__run=TRAINER, stages__trainer__settings__models="models.json",
            analysis__training__clusters=self.CLUSTERS, analysis__training__ensemble=len(models),
            stages__score__settings__results="models.h5"))

    def labels(self, model, dense):
        """(labels, how many are too near to call) by the definition."""
        distance = euclidean_distances(dense, smear(np.asarray(model["prototype"], float))) ** 2
        score = model["scale"] * distance + model["bias"]
        two = np.partition(score, 1, axis=1)
        size = np.abs(two).max(axis=1)
        unsure = ((two[:, 1] - two[:, 0] < NEAR * size)
                  | (np.abs(two[:, 0] - model["cutoff"]) < NEAR * size)).sum()
        label = np.asarray(model["map"])[score.argmin(axis=1)]
        return np.where(two[:, 0] > model["cutoff"], self.CLUSTERS - 1, label), int(unsure)

    def check(self, *models):
        self.run_with(models)
        with h5py.File(self.folder / "models.h5") as file:
            counts = file["spectra/counts"][()].astype(int)
            centres = file["codebook/centres"][()]
            edges = file["edges"][()]
            picked = file["selection/label"][()].astype(bool)
            stored = np.split(file["model/prototype"][()],
                              np.cumsum(file["model/prototypes"][()])[:-1].astype(int))
            self.assertEqual(file["model/algorithm"][0], b"a_test")
            np.testing.assert_array_equal(file["model/cutoff"][()], [m["cutoff"] for m in models])
        inside = np.flatnonzero((self.m_jj >= edges[0]) & (self.m_jj < edges[-1]))
        dense = self.jets.dense(inside)
        bin_of = np.searchsorted(edges, self.m_jj[inside], side="right") - 1
        rich = np.zeros((len(models), len(inside)), bool)
        for m, model in enumerate(models):
            label, unsure = self.labels(model, dense)
            self.assertLess(unsure, 5)
            expected = np.zeros_like(counts[m])
            np.add.at(expected, (label, bin_of), 1)
            self.assertGreater((expected.sum(axis=1) > 0).sum(), 2)
            self.assertLessEqual(np.abs(expected - counts[m]).sum(), 2 * unsure)
            np.testing.assert_array_equal(stored[m], model["prototype"])
            for c in range(self.CLUSTERS):
                own = np.asarray(model["prototype"], float)[np.asarray(model["map"]) == c]
                mean = own.mean(axis=0) if len(own) else np.zeros(PIXELS)
                np.testing.assert_allclose(centres[m, c], mean, rtol=1e-6, atol=1e-12)
            rich[m] = picked[m][label]
        self.check_events(rich, inside)

    def check_events(self, rich, inside):
        """The list of events names as many jets of picked clusters."""
        listed = csv.DictReader(io.StringIO(self.command("events", "models.h5", "--state", "state",
                                                         "--all").stdout))
        jets = [f"jets_{m}" for m in range(len(rich))]
        found = {int(row["row"]): sum(int(row[name]) for name in jets) for row in listed}
        total = {}
        for j, jet in enumerate(inside):
            row = int(self.jets.row[jet // 2])
            total[row] = total.get(row, 0) + int(rich[:, j].sum())
        for row, jets in found.items():
            if row in total:
                self.assertEqual(jets, total[row], f"row {row}")
        self.assertTrue(set(found) & set(total))

    def training_jets(self):
        return np.flatnonzero((self.m_jj >= 3000) & (self.m_jj < 3300))

    def mixture(self, components, seed):
        """Round Gaussians in the space of the few directions in which the images differ most, each
        of its own width; a score of theirs is minus the logarithm of its share of the density."""
        train = self.training_jets()
        fit = GaussianMixture(components, covariance_type="spherical", random_state=seed,
                              reg_covar=1e-6, max_iter=50).fit(self.jets.dense(train))
        # Means in the space of the images: the same responsibilities take means before smearing.
        share = fit.predict_proba(self.jets.dense(train))
        means = (share.T @ power(self.jets, train).astype(float)) / share.sum(axis=0)[:, None]
        variance = fit.covariances_
        return {"prototype": means.astype("<f4"), "scale": 1 / (2 * variance),
                "bias": PIXELS / 2 * np.log(2 * np.pi * variance) - np.log(fit.weights_),
                "map": np.arange(components), "cutoff": np.inf}, fit

    def test_a_mixture_of_round_gaussians(self):
        model, fit = self.mixture(self.CLUSTERS, 3)
        other, _ = self.mixture(self.CLUSTERS, 4)
        self.assertGreater(np.ptp(model["scale"]), 0)
        # The labels are those that scikit-learn itself would give.
        dense = self.jets.dense(self.training_jets())
        label, _ = self.labels(model, dense)
        agree = np.mean(label == fit.predict(dense))
        self.assertGreater(agree, 0.99)
        self.check(model, other)

    def test_prototypes_mapped_to_fewer_clusters(self):
        rng = np.random.default_rng(1)
        train = self.training_jets()
        drawn = rng.choice(train, 60, replace=False)
        model = {"prototype": power(self.jets, drawn), "scale": np.ones(60), "bias": np.zeros(60),
                 "map": rng.integers(0, self.CLUSTERS, 60), "cutoff": np.inf}
        fewer = {**model, "prototype": model["prototype"][:33], "scale": np.ones(33),
                 "bias": np.zeros(33), "map": model["map"][:33]}
        self.check(model, fewer)

    def test_jets_beyond_the_cutoff_are_the_last_cluster(self):
        rng = np.random.default_rng(2)
        train = self.training_jets()
        drawn = rng.choice(train, 80, replace=False)
        core = power(self.jets, drawn)
        least = (euclidean_distances(self.jets.dense(train), smear(core.astype(float))) ** 2).min(
            axis=1)
        model = {"prototype": core, "scale": np.ones(80), "bias": np.zeros(80),
                 "map": rng.integers(0, self.CLUSTERS - 1, 80),
                 "cutoff": float(np.quantile(least[least > 0], 0.6))}
        uneven = {**model, "scale": rng.uniform(0.5, 2, 80), "bias": rng.normal(0, 1e-3, 80)}
        self.check(model, uneven)

    def test_a_model_with_a_fault_ends_the_run_by_name(self):
        model = {"prototype": np.ones((2, PIXELS)) / PIXELS, "scale": [1, 0], "bias": [0, 0],
                 "map": [0, 1], "cutoff": np.inf}
        (self.folder / "models.json").write_text(json.dumps([fields(0, 2, model)]))
        done = self.command("run", "small.yaml", "--quiet", *settings(
            stages__trainer__run=TRAINER, stages__trainer__settings__models="models.json",
            analysis__training__clusters=2, analysis__training__ensemble=1), code=2)
        self.assertIn("a scale is not finite or not above 0", done.stderr)


if __name__ == "__main__":
    main()
