# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan compare: two results made by hand, one of them changed in a known way."""
import json
import shutil
import subprocess

import h5py
import numpy as np

import product

ANALYSIS = "training:\n  clusters: 5\n  seed: 1\nselection:\n  threshold: 3\n"
REASONS = ["not_finite", "negative_pt", "eta_range", "no_jet", "one_jet", "empty_image"]
MEMBERS, CLUSTERS, BINS, PIXELS, SLICES = 3, 5, 7, 16, 2


def write_result(path):
    """A whole result file after its contract, made without our own code."""
    full, random = (MEMBERS, CLUSTERS, BINS), np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update(run_id="ab" * 16, log_id="cd" * 16, version="0.1.0", analysis=ANALYSIS)
        for name, n in (("read", 20), ("counted", 15), ("dropped", 4), ("quarantined", 1)):
            file.attrs["events_" + name] = np.uint64(n)
        file["dropped/reason"] = np.array(REASONS, dtype="S16")
        file["dropped/count"] = np.array([0, 0, 0, 1, 3, 0], dtype=np.uint64)
        file["edges"] = np.linspace(3000, 3700, BINS + 1)
        file["codebook/centres"] = random.random((MEMBERS, CLUSTERS, PIXELS), dtype=np.float32)
        file["codebook/inertia"] = random.random(MEMBERS)
        file["codebook/steps"] = np.arange(MEMBERS, dtype=np.uint64)
        # Beyond 2^53, where doubles no longer tell neighbours apart.
        file["codebook/seed"] = np.full(MEMBERS, 2**64 - 2, dtype=np.uint64)
        file["spectra/counts"] = random.integers(9, 99, full, dtype=np.uint64)
        file["selection/z"] = random.normal(size=full)
        file["selection/label"] = np.array([[0] * 5, [1, 0, 1, 0, 0], [0, 0, 0, 0, 1]], np.uint8)
        file["selection/rich"] = random.integers(9, 99, (MEMBERS, BINS), dtype=np.uint64)
        file["selection/depleted"] = random.integers(9, 99, (MEMBERS, BINS), dtype=np.uint64)
        file["selection/background"] = random.random((MEMBERS, BINS))
        file["score/mls"] = np.array([0, 4.25, 1.5])
        file["score/bin"] = np.array([-1, 4, 0], dtype=np.int32)
        for name in ("mean", "median", "max", "min"):
            file["score/mls_" + name] = np.float64(2)
        file["history/events"] = np.array([10, 20], dtype=np.uint64)
        file["history/mls_mean"] = np.array([0.5, 2])


def write_models(path, cutoff):
    """Gives a result models that are no k-means: five, six and seven prototypes."""
    random = np.random.default_rng(2)
    with h5py.File(path, "a") as file:
        file["model/prototypes"] = np.array([5, 6, 7], np.uint32)
        file["model/cutoff"] = np.array([np.inf, cutoff, np.inf])
        file["model/prototype"] = random.random((18, PIXELS), dtype=np.float32)
        file["model/scale"] = 1 + random.random(18)
        file["model/bias"] = random.normal(size=18)
        file["model/map"] = random.integers(0, CLUSTERS, 18).astype(np.uint16)


class Compare(product.ProductCase):
    def setUp(self):
        super().setUp()
        write_result(self.folder / "a.h5")
        shutil.copy(self.folder / "a.h5", self.folder / "b.h5")

    def change(self, change):
        with h5py.File(self.folder / "b.h5", "a") as file:
            change(file)

    def test_models_that_are_no_k_means_are_compared_too(self):
        write_models(self.folder / "a.h5", 2.5)
        told, _ = self.compare(1)
        self.assertEqual({entry["name"] for entry in told["datasets"]},
                         {"/model/" + name for name in ("prototypes", "cutoff", "prototype", "scale",
                                                        "bias", "map")})
        write_models(self.folder / "b.h5", 2.5)
        self.compare(0)

        def change(file):
            file["model/cutoff"][1] = np.inf
            file["model/map"][17] = (file["model/map"][17] + 1) % CLUSTERS
        self.change(change)
        told, words = self.compare(1)
        found = {entry["name"]: entry for entry in told["datasets"]}
        self.assertEqual(set(found), {"/model/cutoff", "/model/map"})
        self.assertEqual(found["/model/map"]["at"], {"prototype": 17})
        self.assertIn("/model/cutoff", words)

    def compare(self, code):
        """What --json tells, and the words."""
        told = json.loads(self.command("compare", "--json", "a.h5", "b.h5", code=code).stdout)
        self.assertEqual(told["equal"], code == 0)
        return told, self.command("compare", "a.h5", "b.h5", code=code).stdout

    def test_equal_results_are_equal(self):
        told, text = self.compare(0)
        self.assertTrue(told.pop("answer")["agree"])
        self.assertEqual(told, {"equal": True, "final": [True, True], "names": {}, "analysis": {},
                                "tallies": {}, "clusters": "same", "selected": [], "matched": [],
                                "mls": [], "datasets": []})
        self.assertEqual(text, "A is a.h5, B is b.h5\nThe results are equal.\n")

    def test_names_are_told_but_do_not_count(self):
        def change(file):
            file.attrs["run_id"] = "00" * 16
            file.attrs["version"] = "0.2.0"
            del file.attrs["log_id"]
        self.change(change)
        told, text = self.compare(0)
        self.assertEqual(told["names"], {"run_id": ["ab" * 16, "00" * 16],
                                         "log_id": ["cd" * 16, None],
                                         "version": ["0.1.0", "0.2.0"]})
        self.assertIn("log_id: " + "cd" * 16 + " in A, nothing in B", text)

    def test_keys_of_the_analysis_are_named(self):
        def change(file):
            file.attrs["analysis"] = ANALYSIS.replace("3", "2.5").replace("seed", "origin")
        self.change(change)
        told, text = self.compare(0)
        self.assertEqual(told["analysis"], {"selection.threshold": [3, 2.5],
                                            "training.seed": [1, None],
                                            "training.origin": [None, 1]})
        self.assertIn("selection.threshold: 3 in A, 2.5 in B", text)
        self.assertIn("training.seed: 1 in A, nothing in B", text)
        self.assertTrue(text.endswith("All numbers are equal; what differs is training.seed, "
                                      "selection.threshold, training.origin.\n"), text)

    def test_tallies_are_named(self):
        def change(file):
            file.attrs["events_read"] = np.uint64(21)
            file.attrs["events_dropped"] = np.uint64(5)
            file["dropped/count"][4] = 4
        self.change(change)
        told, text = self.compare(1)
        self.assertEqual(told["tallies"], {"events_read": [20, 21], "events_dropped": [4, 5],
                                           "one_jet": [3, 4]})
        self.assertIn("events_read: 20 in A, 21 in B", text)

    def test_clusters_and_significances_are_told_per_member(self):
        def change(file):
            file["selection/label"][1] = [1, 1, 0, 1, 0]
            file["score/mls"][2] = 0
            file["score/bin"][2] = -1
        self.change(change)
        told, text = self.compare(1)
        self.assertEqual(told["selected"], [{"member": 1, "only_a": [2], "only_b": [1, 3]}])
        self.assertEqual(told["mls"], [{"member": 2, "a": 1.5, "b": 0.0, "bin_a": [3000, 3100],
                                        "bin_b": None}])
        self.assertIn("training 1: only in A: 2; only in B: 1, 3\n", text)
        self.assertIn("training 2: 1.5 (3000 to 3100 GeV) in A, 0 (no bin) in B", text)
        self.assertEqual([entry["name"] for entry in told["datasets"]],
                         ["/selection/label", "/score/mls", "/score/bin"])

    def test_the_largest_difference_of_every_dataset_is_placed(self):
        def change(file):
            file["selection/z"][2, 3, 5] += 0.5
            file["selection/z"][1, 1, 1] -= 0.25
            file["spectra/counts"][0, 4, 6] += np.uint64(3)
            file["codebook/seed"][1] = np.uint64(2**64 - 1)
            file["codebook/centres"][1, 2, 15] += np.float32(2)
            file["history/mls_mean"][1] = 2.125
        self.change(change)
        told, text = self.compare(1)
        found = {entry["name"]: entry for entry in told["datasets"]}
        self.assertEqual(set(found), {"/selection/z", "/spectra/counts", "/codebook/seed",
                                      "/codebook/centres", "/history/mls_mean"})
        z = found["/selection/z"]
        self.assertEqual((z["numbers"], z["differ"], z["at"]),
                         (105, 2, {"member": 2, "cluster": 3, "bin": 5}))
        self.assertAlmostEqual(z["largest"], 0.5, places=12)
        self.assertEqual(found["/spectra/counts"]["largest"], 3)
        self.assertEqual(found["/codebook/seed"]["largest"], 1)
        self.assertEqual(found["/codebook/centres"]["at"],
                         {"member": 1, "cluster": 2, "pixel": 15})
        self.assertEqual(found["/history/mls_mean"]["at"], {"slice": 1})
        self.assertIn("/selection/z: 2 of 105 numbers differ, at most by 0.5 "
                      "(member 2, cluster 3, bin 5)\n", text)

    def test_every_dataset_of_numbers_is_compared(self):
        """Those of the reference page, apart from counts that stand among the tallies and notes, and
        from the models of other algorithms, which a test of their own changes."""
        rows = [row.split("|") for row in
                self.command("reference", "results").stdout.splitlines()[2:]]
        numbers = {row[1].strip(" `") for row in rows if not row[2].strip().startswith("text")}
        for name in "ab":
            with h5py.File(self.folder / f"{name}.h5", "a") as file:
                file["truth/signal_counts"] = file["spectra/counts"][:]

        def change(file):
            found = []
            file.visititems(lambda name, here: found.append(name)
                            if isinstance(here, h5py.Dataset) and here.dtype.kind != "S"
                            and name != "dropped/count" else None)
            for name in found:
                values = np.array(file[name])
                values[(0,) * values.ndim] += values.dtype.type(1)
                file[name][...] = values
        self.change(change)
        told, _ = self.compare(1)
        self.assertEqual({entry["name"] for entry in told["datasets"]},
                         {name for name in numbers if not name.startswith(("/quarantined/", "/model/", "/scan/"))}
                         - {"/dropped/count"})

    def test_other_shapes_are_told_and_not_compared(self):
        def change(file):
            for name, shape in (("history/events", 4), ("history/mls_mean", 4)):
                dtype = file[name].dtype
                del file[name]
                file[name] = np.zeros(shape, dtype=dtype)
            file["truth/signal_counts"] = np.zeros((MEMBERS, CLUSTERS, BINS), dtype=np.uint64)
        self.change(change)
        told, text = self.compare(1)
        self.assertEqual(told["datasets"], [
            {"name": "/truth/signal_counts", "shape_a": None, "shape_b": [3, 5, 7]},
            {"name": "/history/events", "shape_a": [2], "shape_b": [4]},
            {"name": "/history/mls_mean", "shape_a": [2], "shape_b": [4]}])
        self.assertIn("/truth/signal_counts: missing in A, 3 x 5 x 7 in B", text)

    def test_clusters_in_another_order_are_matched_by_their_centres(self):
        order = [3, 0, 4, 1, 2]

        def change(file):
            for name in ("codebook/centres", "spectra/counts", "selection/z", "selection/label"):
                values = file[name][:]
                values[1] = values[1][order]
                file[name][:] = values
            file["selection/label"][1, 1] ^= 1  # number 0 of A
        self.change(change)
        told, text = self.compare(1)
        self.assertEqual((told["clusters"], told["selected"]), ("matched", []))
        [member] = told["matched"]
        self.assertEqual(member["member"], 1)
        pairs = {pair["a"]: pair for pair in member["pairs"]}
        self.assertEqual({a: pair["b"] for a, pair in pairs.items()},
                         {a: order.index(a) for a in range(5)})
        for pair in pairs.values():
            self.assertEqual((pair["distance"], pair["overlap"]), (0, 1))
        self.assertEqual(pairs[0]["rich"], [True, False])
        self.assertIn("training 1: in both 2-4; only in A 0-1; the spectra of a pair overlap by 100% "
                      "in the mean\n", text)

    def test_clusters_that_cannot_be_matched_are_not(self):
        def change(file):
            file.attrs["analysis"] = ANALYSIS + "image:\n  power: 1\n"
            file["codebook/centres"][0, 0, 0] += np.float32(1)
        self.change(change)
        told, text = self.compare(1)
        self.assertIn("analysis.image", told["clusters"])
        self.assertEqual((told["matched"], told["selected"]), ([], []))
        self.assertIn("clusters cannot be compared one by one: the images were made with other "
                      "settings", text)

    def test_the_answers_come_first_and_are_weighed_against_the_scatter(self):
        for shift, agree in ((0.5, True), (9.0, False)):
            def change(file):
                file["score/mls"][:] = np.array([0, 4.25, 1.5]) + shift
                file["score/mls_mean"][()] = 2 + shift
            self.change(change)
            told, text = self.compare(1)
            answer = told["answer"]
            spread = np.sqrt(((np.array([0, 4.25, 1.5]) - 2) ** 2).sum() / 2)
            self.assertAlmostEqual(answer["scatter"][0], spread)
            self.assertAlmostEqual(answer["ordinary"], 2 * np.sqrt(2 * spread ** 2 / 3))
            self.assertEqual((answer["agree"], answer["mean"]), (agree, [2, 2 + shift]))
            self.assertIn("the answers agree" if agree else "the answers do not agree",
                          text.splitlines()[3])

    def test_answers_at_far_apart_masses_do_not_agree(self):
        for bins, agree in (([0, 0, 6], True), ([5, 1, 1], True), ([2, 2, -1], False)):
            def change(file):
                file["score/bin"][:] = np.array(bins)
            self.change(change)
            self.assertEqual(self.compare(1)[0]["answer"]["agree"], agree, bins)

    def test_texts_of_a_file_command_no_terminal(self):
        def change(file):
            file.attrs["version"] = "\x1b]0;owned\x07 9.9"
            file.attrs["analysis"] = ANALYSIS + '"a\\eb": {"\\e[2Jkey": "\\e[31mred"}\n'
        self.change(change)
        done = subprocess.run([product.CLUSTERSCAN, "compare", "a.h5", "b.h5"], cwd=self.folder,
                              capture_output=True)
        self.assertIn(done.returncode, (0, 2))
        for byte in (b"\x1b", b"\x07"):
            self.assertNotIn(byte, done.stdout + done.stderr)

    def test_what_is_not_final_is_said(self):
        def change(file):
            file.attrs["final"] = np.uint64(0)
        self.change(change)
        told, text = self.compare(0)
        self.assertEqual(told["final"], [True, False])
        self.assertIn("B is not final", text)

    def test_what_is_no_result_file_ends_with_2(self):
        self.toy("toy.h5", 3)

        def change(file):
            del file["codebook/inertia"]
        self.change(change)
        for arguments, because in (
                (["a.h5", "toy.h5"], "toy.h5"), (["absent.h5", "a.h5"], "absent.h5"),
                (["a.h5", "b.h5"], "b.h5: dataset /codebook/inertia is missing"),
                (["a.h5"], "two result files"), (["a.h5", "b.h5", "c.h5"], "'c.h5'")):
            done = self.command("compare", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    product.main()
