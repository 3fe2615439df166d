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

    def test_the_resonance_is_where_and_as_wide_as_it_is_asked_for(self):
        means, widths = {}, {}
        for name, options in (("usual", []), ("heavy", ["--mass", 5200]),
                              ("wide", ["--width", 0.11, "--prongs", "70,210"])):
            self.command("generate", "--events", 0, "--signal", 900, "--seed", 3, "--out",
                         f"{name}.h5", *options)
            with h5py.File(self.folder / f"{name}.h5") as file:
                offset = file["events/offset"][:].astype(int)
                pt, eta, phi = (file[f"events/{key}"][:].astype(float)
                                for key in ("pt", "eta", "phi"))
            masses = []
            for first, last in zip(offset[:-1], offset[1:]):
                hard = slice(first, last)
                keep = pt[hard] > 4  # without the haze
                x, y, z, e = ((pt[hard] * f)[keep].sum() for f in (
                    np.cos(phi[hard]), np.sin(phi[hard]), np.sinh(eta[hard]), np.cosh(eta[hard])))
                masses.append(np.sqrt(e * e - x * x - y * y - z * z))
            means[name], widths[name] = np.median(masses), np.std(masses) / np.median(masses)
        # The cut takes a few percent of the mass away, from heavier ones less.
        self.assertAlmostEqual(means["heavy"] / means["usual"], 5200 / 3500, delta=0.06)
        self.assertAlmostEqual(means["wide"] / means["usual"], 1, delta=0.05)
        self.assertGreater(widths["wide"], 2 * widths["usual"])
        for options, because in ((["--mass", "600"], "cannot decay"), (["--width", "0.3"], "0.2"),
                                 (["--prongs", "100"], "2 numbers"), (["--mass", "1e3x"], "1e3x"),
                                 (["--prongs", "1,2,3"], "1,2,3"), (["--mass", "nan"], "nan")):
            said = self.command("generate", "--events", 1, "--seed", 1, "--out", "x.h5", *options,
                                code=2).stderr
            self.assertIn(because, said)

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
        expected = {
            "events_read": 20, "events_counted": 15, "events_dropped": 4, "events_quarantined": 1,
            "dropped": dict(zip(REASONS, [0, 0, 0, 1, 3, 0, 0])), "members": 3, "mls": mls,
            "mls_mean": float(np.mean(mls)), "mls_median": 4.1, "mls_max": 4.1, "mls_min": 1 / 3,
            "bin_gev": [3300.0, 3400.0], "selected": [[], [0], [0, 1]], "run_id": "ab" * 16,
            "log_id": None, "version": "0.1.0", "final": True, "verdicts": [], "refused": [],
            "quarantined": [], "bins": 4, "window_lo_gev": 3000.0, "window_hi_gev": 3400.0,
            "calibrated": False, "most_named_bin_gev": [3000.0, 3100.0]}
        self.assertEqual({key: told[key] for key in expected}, expected)
        self.assertEqual(told["per_member"][1], {"member": 1, "mls": 4.1, "selected": [0],
                                                 "bin_gev": [3300.0, 3400.0], "jets": 30,
                                                 "background": 12.5})

    def test_a_run_tells_as_json_what_it_tells_as_text(self):
        self.toy("events.h5", 9000, signal=200)
        (self.folder / "small.yaml").write_text(product.SMALL)
        text = self.command("run", "small.yaml", "-q").stdout
        told = json.loads(self.command("report", "--json", "results.h5").stdout)
        with h5py.File(self.folder / "results.h5") as file:
            verdicts = {name.decode(): (state.decode(), words.decode()) for name, state, words in
                        zip(*(file["verdict/" + key][:] for key in ("name", "state", "text")))}
            self.assertEqual(told["history"][-1], {"events_read": 9200,
                                                   "mls_mean": file["score/mls_mean"][()]})
        self.assertEqual({v["name"]: (v["state"], v["text"]) for v in told["verdicts"]}, verdicts)
        for name, (state, words) in verdicts.items():
            self.assertEqual(f"{state.upper()} ({name}): {words}." in text, state != "good", text)
        # What speaks against the number stands in front of it, also with --quiet.
        worst = {"bad": "BAD (", "doubtful": "DOUBTFUL (", "good": "All 8 checks"}[told["verdict"]]
        self.assertLess(text.index(worst), text.index("The mean over 3 members"))

    def test_text_gives_the_mean_first_and_never_speaks_of_sigma(self):
        write_results(self.folder / "results.h5", [1.5, 4.25], [0, 3], [[0, 1], [1, 0]])
        text = self.command("report", "results.h5").stdout
        for part in ("20 events read", "3 a single jet", "1 no jet above pt_min",
                     "1 quarantined"):
            self.assertIn(part, text)
        self.assertRegex(text, r"1 +4\.25 +3300 to 3400 +30 +12\.5 +1 of 2: 0\n")
        self.assertNotIn("sigma", text)
        mean = text.index("(MLS) is 2.88; background of this size gives about 2 to 3.")
        self.assertLess(mean, text.index("The largest of all is 4.25, in member 1 at 3300 to 3400"))
        self.assertIn("local numbers, of clusters picked for their excess", text)
        self.assertEqual(text.splitlines()[-1], "This is ordinary: no sign of a resonance.")

    def test_nothing_found_is_said_plainly(self):
        write_results(self.folder / "results.h5", [0.0, 0.0], [-1, -1], [[0, 0], [0, 0]])
        text = self.command("report", "results.h5").stdout
        self.assertIn("In no mass bin do picked clusters hold more jets than expected.", text)
        told = json.loads(self.command("report", "--json", "results.h5").stdout)
        self.assertIsNone(told["bin_gev"])

    def test_an_id_that_is_none_is_refused_and_texts_command_no_terminal(self):
        for name, value in (("run_id", "system('touch x') #" + "a" * 13), ("run_id", "AB" * 16),
                            ("log_id", "\33[2J" + "0" * 28), ("run_id", "")):
            write_results(self.folder / "results.h5", [1.5], [0], [[1, 0]])
            with h5py.File(self.folder / "results.h5", "r+") as file:
                file.attrs[name] = value
            done = self.command("report", "results.h5", code=2)
            self.assertIn(f"attribute {name} is '", done.stderr)
            self.assertIn("expected 32 hex digits", done.stderr)
            self.assertNotIn("\33", done.stderr)
        write_results(self.folder / "results.h5", [1.5], [0], [[1, 0]])
        with h5py.File(self.folder / "results.h5", "r+") as file:
            file.attrs["version"] = "9\33]0;owned\7\x9b1m"
        self.assertIn("clusterscan 9\\x1b]0;owned\\x07\\xc2\\x9b1m)",
                      self.command("report", "results.h5").stdout)

    def test_a_result_that_is_not_final_says_so(self):
        write_results(self.folder / "results.h5", [1.5], [0], [[1, 0]])
        with h5py.File(self.folder / "results.h5", "r+") as file:
            file.attrs["final"] = np.uint64(0)
        self.assertIn("NOT FINAL", self.command("report", "results.h5").stdout.splitlines()[0])
        self.assertFalse(json.loads(self.command("report", "--json", "results.h5").stdout)["final"])

    def test_another_runs_result_is_kept_under_a_number_and_the_same_runs_is_renewed(self):
        self.toy("events.h5", 2000)
        (self.folder / "small.yaml").write_text(product.SMALL)
        one = self.command("run", "small.yaml")
        first = (self.folder / "results.h5").read_bytes()
        self.command("run", "small.yaml")
        self.assertFalse((self.folder / "results.h5.1").exists())
        self.assertEqual((self.folder / "results.h5").read_bytes(), first)
        other = ["--set", "analysis.training.seed=77"]
        self.assertRegex(self.command("run", "small.yaml", *other).stderr,
                         "held the result of run [0-9a-f]{32}: it is kept as .*/results.h5.1")
        self.assertEqual((self.folder / "results.h5.1").read_bytes(), first)
        (self.folder / "results.h5").write_text("my notes\n")
        self.command("run", "small.yaml")
        self.assertEqual((self.folder / "results.h5.2").read_text(), "my notes\n")
        self.assertEqual((self.folder / "results.h5").read_bytes(), first)
        self.assertEqual(one.returncode, 0)

    def test_on_request_a_run_leaves_beside_its_result_what_it_was(self):
        self.toy("events.h5", 1500)
        (self.folder / "small.yaml").write_text(product.SMALL)
        self.command("run", "small.yaml")
        plain = (self.folder / "results.h5").read_bytes()
        self.assertFalse((self.folder / "results.h5.provenance.json").exists())
        self.command("run", "small.yaml", "--set", "stages.score.settings.provenance=true")
        self.assertEqual((self.folder / "results.h5").read_bytes(), plain)
        told = json.loads((self.folder / "results.h5.provenance.json").read_text())
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(told["run_id"], file.attrs["run_id"])
        self.assertEqual(told["topology"], "small.yaml")
        self.assertLessEqual(told["started"], told["finished"])
        reader = told["stages"][0]
        self.assertEqual((reader["run"], reader["files"][0]["path"], reader["files"][0]["events"]),
                         ("event_reader", "events.h5", 1500))

    def test_a_link_in_place_of_the_result_stays_a_link(self):
        self.toy("events.h5", 1500)
        (self.folder / "small.yaml").write_text(product.SMALL)
        (self.folder / "there.h5").touch()
        (self.folder / "results.h5").symlink_to("there.h5")
        self.command("run", "small.yaml")
        self.assertTrue((self.folder / "results.h5").is_symlink())
        self.command("report", "there.h5")

    def test_what_is_no_result_file_ends_with_2(self):
        self.toy("toy.h5", 3)
        for arguments, because in ((["toy.h5"], "no result file"), (["absent.h5"], "absent.h5"),
                                   ([], "RESULTS")):
            done = self.command("report", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    product.main()
