# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan generate, inspect and report, as a user calls them."""
import json
import os
import pty
import signal
import subprocess

import h5py
import numpy as np

import product
from product import CLUSTERSCAN, SHARED, needs_shared

REASONS = ["not_finite", "negative_pt", "eta_range", "no_jet", "one_jet", "empty_image",
           "too_many"]


class Generate(product.ProductCase):
    def test_the_sample_holds_what_was_asked_for(self):
        self.toy("toy.h5", 3001, signal=997, seed=5)
        with h5py.File(self.folder / "toy.h5") as file:
            events = file["events"]
            offset, label, pt = events["offset"][:], events["label"][:], events["pt"][:]
        self.assertEqual(len(label), 3998)
        self.assertEqual(int(label.sum()), 997)
        self.assertEqual((offset[0], offset[-1]), (0, len(pt)))
        self.assertTrue((np.diff(offset.astype(np.int64)) > 0).all())
        self.assertTrue((pt > 0).all())

    def test_signal_is_spread_over_the_whole_sample(self):
        self.toy("toy.h5", 3000, signal=1000, seed=6)
        with h5py.File(self.folder / "toy.h5") as file:
            quarters = file["events/label"][:].reshape(4, 1000).sum(axis=1)
        # Hypergeometric: 250 expected, standard deviation 11.9; five of them.
        self.assertTrue((abs(quarters - 250) < 60).all(), quarters)

    def test_the_same_seed_gives_the_same_file_and_another_one_another(self):
        for name, seed in (("a.h5", 1), ("b.h5", 1), ("c.h5", 2)):
            self.toy(name, 600, signal=30, seed=seed)
        a, b, c = ((self.folder / name).read_bytes() for name in ("a.h5", "b.h5", "c.h5"))
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_an_empty_sample_is_a_file_too(self):
        self.toy("none.h5", 0)
        told = json.loads(self.command("inspect", "--json", "none.h5").stdout)
        self.assertEqual((told["events"], told["labels"]), (0, True))

    def test_ctrl_c_leaves_the_old_file_and_nothing_half_written(self):
        (self.folder / "toy.h5").write_text("old")
        ours, theirs = pty.openpty()
        with subprocess.Popen([CLUSTERSCAN, "generate", "--events", "100000000", "--seed", "1",
                               "--out", "toy.h5"], cwd=self.folder, stderr=theirs) as running:
            os.read(ours, 1)  # the progress line: it is at work
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(timeout=60), 130)
        os.close(ours)
        os.close(theirs)
        self.assertEqual([file.name for file in self.folder.iterdir()], ["toy.h5"])
        self.assertEqual((self.folder / "toy.h5").read_text(), "old")

    def test_wrong_usage_ends_with_2_and_says_why(self):
        for arguments, because in (
                (["--seed", 1, "--out", "x.h5"], "--events"),
                (["--events", -1, "--seed", 1, "--out", "x.h5"], "'-1'"),
                (["--events", "1e3", "--seed", 1, "--out", "x.h5"], "'1e3'"),
                (["--events", 5, "--seed", 1, "--out", "absent/x.h5"], "No such file"),
                (["--events", 5, "--seed", 1, "--out", "x.h5", "y.h5"], "'y.h5'")):
            done = self.command("generate", *arguments, code=2)
            self.assertIn(because, done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])


class Inspect(product.ProductCase):
    def test_a_toy_sample_is_told(self):
        self.toy("toy.h5", 700, signal=43)
        told = json.loads(self.command("inspect", "--json", "toy.h5").stdout)
        self.assertEqual((told["layout"], told["events"], told["labels"]), ("columns", 743, True))
        self.assertEqual(told["first"]["signal"], 43)
        text = self.command("inspect", "toy.h5").stdout
        self.assertIn("events  743", text)
        self.assertIn("43 signal", text)

    @needs_shared("data/events_anomalydetection_tiny.h5")
    def test_the_real_events_are_told(self):
        path = SHARED / "data/events_anomalydetection_tiny.h5"
        told = json.loads(self.command("inspect", "--json", path).stdout)
        self.assertEqual((told["layout"], told["events"], told["labels"]),
                         ("lhco-table", 1000, True))
        self.assertEqual(told["shape"], "/df/block0_values 1000 x 2101 float64")
        # 169,742 particles with pT != 0 through h5py and numpy.
        self.assertEqual(told["first"], {"events": 1000, "particles_mean": 169.742, "signal": 93})

    def test_a_masterkey_labels_a_table_without(self):
        with h5py.File(self.folder / "box.h5", "w") as file:
            file["df/block0_values"] = np.full((3, 2100), 0.5)
        (self.folder / "key").write_text("0.0\n1.0\n1.0\n")
        told = json.loads(self.command("inspect", "--json", "box.h5").stdout)
        self.assertEqual((told["events"], told["labels"]), (3, False))
        told = json.loads(
            self.command("inspect", "--json", "box.h5", "--masterkey", "key").stdout)
        self.assertEqual((told["labels"], told["first"]["signal"]), (True, 2))

    def test_other_files_are_refused_with_2(self):
        (self.folder / "notes.txt").write_text("hello\n")
        for arguments, because in ((["notes.txt"], "notes.txt: not an HDF5 file"),
                                   (["absent.h5"], "absent.h5: cannot be opened"),
                                   ([], "FILE"), (["--bogus"], "bogus")):
            done = self.command("inspect", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_result_file_is_recognised(self):
        write_results(self.folder / "results.h5", [1.0], [2], [[1, 0]])
        done = self.command("inspect", "results.h5", code=2)
        self.assertIn("this is a result file", done.stderr)


def write_results(path, mls, bins, label):
    """A result file after its contract, made without our own code: 4 bins, 20 events read."""
    members = len(mls)
    with h5py.File(path, "w") as file:
        file.attrs.update(run_id="ab" * 16, version="0.1.0", analysis="stream: {}\n")
        for name, n in (("read", 20), ("counted", 15), ("dropped", 4), ("quarantined", 1)):
            file.attrs["events_" + name] = np.uint64(n)
        file["dropped/reason"] = np.array(REASONS, dtype="S16")
        file["dropped/count"] = np.array([0, 0, 0, 1, 3, 0, 0], dtype=np.uint64)
        file["edges"] = np.linspace(3000, 3400, 5)
        file["score/mls"] = np.array(mls)
        file["score/bin"] = np.array(bins, dtype=np.int32)
        for name, of in (("mean", np.mean), ("median", np.median), ("max", max), ("min", min)):
            file["score/mls_" + name] = np.float64(of(mls))
        file["selection/label"] = np.array(label, dtype=np.uint8)
        file["selection/rich"] = np.full((members, 4), 30, dtype=np.uint64)
        file["selection/background"] = np.full((members, 4), 12.5)
        file["history/events"] = np.array([10, 20], dtype=np.uint64)


class Report(product.ProductCase):
    def test_json_holds_every_number_to_the_last_digit(self):
        mls = [1 / 3, 4.1, 4.1]
        write_results(self.folder / "results.h5", mls, [0, 3, 1], [[0, 0], [1, 0], [1, 1]])
        told = json.loads(self.command("report", "--json", "results.h5").stdout)
        self.assertEqual(told, {
            "events_read": 20, "events_counted": 15, "events_dropped": 4, "events_quarantined": 1,
            "dropped": dict(zip(REASONS, [0, 0, 0, 1, 3, 0, 0])), "members": 3, "mls": mls,
            "mls_mean": float(np.mean(mls)), "bin_gev": [3300.0, 3400.0],
            "selected": [[], [0], [0, 1]]})

    def test_text_names_the_excess(self):
        write_results(self.folder / "results.h5", [1.5, 4.25], [0, 3], [[0, 1], [1, 0]])
        text = self.command("report", "results.h5").stdout
        for part in ("20 events read", "3 a single jet", "1 no jet above pt_min",
                     "30 jets where 12.5 are expected"):
            self.assertIn(part, text)
        answer = text.splitlines()[-1]
        self.assertIn("4.25 sigma (local) at 3300 to 3400 GeV", answer)
        self.assertIn("not corrected for looking at many bins", answer)

    def test_nothing_found_is_said_plainly(self):
        write_results(self.folder / "results.h5", [0.0, 0.0], [-1, -1], [[0, 0], [0, 0]])
        text = self.command("report", "results.h5").stdout
        self.assertTrue(text.splitlines()[-1].startswith("No cluster sticks out"), text)
        told = json.loads(self.command("report", "--json", "results.h5").stdout)
        self.assertIsNone(told["bin_gev"])

    def test_what_is_no_result_file_ends_with_2(self):
        self.toy("toy.h5", 3)
        for arguments, because in ((["toy.h5"], "no result file"), (["absent.h5"], "absent.h5"),
                                   ([], "RESULTS")):
            done = self.command("report", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    product.main()
