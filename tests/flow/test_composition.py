# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition scan beside the search, in whole runs: its file has the same bytes however the run
is spread out, whatever is killed; it finds a signal, and says what its p-value is corrected for."""
import json
import math
import os
import signal
import subprocess

import h5py
import numpy as np

from product import (CLUSTERSCAN, SMALL, ProductCase, digest, main, settings, stage_processes,
                     wait_until)

SCAN = SMALL.replace("clusters: 20", "clusters: 8") + """\
  scan: {run: composition_scorer, from: [log, trainer],
         settings: {results: scan.h5, toys: 300, live_toys: 20}}
"""


class Composition(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "scan.yaml").write_text(SCAN)
        self.toy("events.h5", 6000, 60)

    def scan(self, name, *changes):
        self.command("run", "scan.yaml", "--state", f"state-{name}", "--quiet", *changes,
                     *settings(stages__scan__settings__results=name))
        return digest(self.folder / name)

    def test_cores_replicas_and_transport_do_not_count(self):
        first = self.scan("first.h5")
        self.assertEqual(self.scan("spread.h5", *settings(
            stages__images__replicas=2, stages__spectra__replicas=2, stages__trainer__replicas=2,
            stages__log__settings__segment=3, transport="tcp", security="none")), first)
        one = sorted(os.sched_getaffinity(0))[:1]
        done = subprocess.run(
            [CLUSTERSCAN, "run", "scan.yaml", "--state", "state-one", "--quiet", "--set",
             "stages.scan.settings.results=one.h5"], cwd=self.folder, capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, one), timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(digest(self.folder / "one.h5"), first)
        self.assertNotEqual(self.scan("seed.h5", "--set", "stages.scan.settings.seed=2"), first)

    def test_a_killed_scan_gives_the_same(self):
        first = self.scan("first.h5")
        run = subprocess.Popen([CLUSTERSCAN, "run", "scan.yaml", "--state", "rough", "--set",
                                "stages.scan.settings.results=rough.h5"], cwd=self.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.kill)
        seen = set()
        for _ in range(3):
            pid = wait_until(lambda: next(
                (pid for pid, setup in stage_processes(self.folder)
                 if setup["name"] == "scan" and pid not in seen), None))
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
        said, _ = run.communicate(timeout=600)
        self.assertEqual(run.returncode, 0, said)
        self.assertEqual(digest(self.folder / "rough.h5"), first)

    def test_the_last_slice_has_all_toys_and_p_is_their_share(self):
        self.scan("scan.h5")
        with h5py.File(self.folder / "scan.h5") as file:
            scan = {name: node[()] for name, node in file["scan"].items()}
            events = np.array(file["edges"]).size - 1, int(file.attrs["events_counted"])
        self.assertEqual(events, (16, 6060))
        self.assertEqual(scan["history_toys"].tolist(), 7 * [20] + [300])
        pull = (scan["statistic"] - scan["null_mean"]) / scan["null_sd"]
        self.assertEqual(int(pull.argmax()), int(scan["largest"]))
        self.assertAlmostEqual(pull.max(), float(scan["pull"]), places=12)
        self.assertEqual(int((scan["toy_pull"] >= scan["pull"]).sum()), int(scan["reached"]))
        self.assertEqual(scan["extrapolated"], 0)  # 300 toys are too few for that
        self.assertAlmostEqual(float(scan["ln_p"]), math.log((1 + int(scan["reached"])) / 301))
        self.assertEqual(float(scan["history_ln_p"][-1]), float(scan["ln_p"]))

    def test_a_signal_is_found_where_it_is_and_the_report_says_what_p_is_corrected_for(self):
        self.toy("events.h5", 20000, 400)
        done = self.command("run", "scan.yaml", *settings(
            analysis__training__clusters=25, stages__scan__settings__toys=600))
        self.assertIn("composition scan p", done.stderr)
        self.assertIn("The mean over 3 members of the maximum local significance", done.stdout)
        text = self.command("report", "scan.h5").stdout
        self.assertIn(text, done.stdout)
        self.assertIn("This is corrected for all windows, classes and members (look-elsewhere "
                      "effect), not for having looked after earlier slices too.", text)
        told = json.loads(self.command("report", "--json", "scan.h5").stdout)
        low, high = told["window_gev"]
        self.assertTrue(low <= 3500 < high, told["window_gev"])
        self.assertGreater(told["z"], 3)
        self.assertTrue(told["extrapolated"])
        self.assertIn("extrapolated by a gamma distribution", text)
        self.assertEqual(told["toys"], 600)

    def test_what_cannot_be_scanned_is_refused(self):
        for changes, says in (
                ({"analysis__training__clusters": 400}, "takes at most 361 clusters, not 400"),
                ({"analysis__spectra__bins": 300}, "takes at most 256 mass bins, not 300"),
                ({"stages__scan__settings__widest": 1}, "the widest window, 1 bins, is below"),
                ({"analysis__spectra__bins": 4}, "windows of 2 of 4 mass bins leave fewer than 3")):
            done = self.command("validate", "scan.yaml", *settings(**changes), code=2)
            self.assertIn("scan.yaml:15:15: error: stages.scan: ", done.stderr)
            self.assertIn(says, done.stderr)
        (self.folder / "scan.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(3000))
        done = self.command("report", "scan.h5", code=2)
        self.assertIn("scan.h5", done.stderr)

    def test_commands_for_other_results_name_the_kind_of_file(self):
        self.scan("scan.h5")
        self.command("run", "scan.yaml", "--quiet")
        for command in (("compare", "results.h5", "scan.h5"), ("events", "scan.h5")):
            self.assertIn("scan.h5: is the result of a composition scorer, which `clusterscan report` "
                          "shows", self.command(*command, code=2).stderr)

    def test_compare_names_what_differs_between_two_scans(self):
        self.scan("first.h5")
        self.scan("second.h5", *settings(stages__scan__settings__toys=200))
        same = self.command("compare", "first.h5", "first.h5").stdout
        self.assertTrue(same.endswith("The results are equal.\n"), same)
        other = self.command("compare", "first.h5", "second.h5", code=1).stdout
        self.assertIn("/scan/toy_pull: 300 numbers in A, 200 in B\n", other)
        self.assertRegex(other, r"/scan/null_mean: 42 of 42 numbers differ, at most by [0-9.e-]+\n")
        self.assertNotIn("/scan/statistic", other)
        self.assertRegex(other, r"A: p [0-9.]+, Z -?[0-9.]+, at \d+ to \d+ GeV, from 300 toys\n")
        told = json.loads(self.command("compare", "--json", "first.h5", "second.h5", code=1).stdout)
        with h5py.File(self.folder / "first.h5") as a, h5py.File(self.folder / "second.h5") as b:
            self.assertEqual(told["z"], [float(a["scan/z"][()]), float(b["scan/z"][()])])
            largest = abs(a["scan/null_mean"][:] - b["scan/null_mean"][:]).max()
        found = {entry["name"]: entry for entry in told["datasets"]}
        self.assertEqual(found["scan/null_mean"]["largest"], largest)
        self.assertEqual((told["equal"], told["toys"]), (False, [300, 200]))

    def test_plot_draws_what_the_file_holds(self):
        self.scan("scan.h5")
        done = self.command("plot", "scan.h5", "--out", "figures", "--data", "numbers")
        self.assertIn("figures/scan.pdf and .png", done.stdout)
        self.assertTrue((self.folder / "figures/scan.pdf").read_bytes().startswith(b"%PDF"))
        self.assertTrue((self.folder / "figures/scan.png").read_bytes().startswith(b"\x89PNG"))
        windows, toys, history = [
            np.loadtxt(block.splitlines(), ndmin=2)
            for block in (self.folder / "numbers/scan.txt").read_text().split("\n\n\n")]
        with h5py.File(self.folder / "scan.h5") as file:
            scan = {name: node[()] for name, node in file["scan"].items()}
        np.testing.assert_array_equal(windows[:, 0], scan["low"])
        np.testing.assert_array_equal(windows[:, 1], scan["high"])
        self.assertEqual(windows[:, 2].max(), float(scan["pull"]))
        self.assertEqual(toys[:, 1].sum(), 300)
        np.testing.assert_array_equal(history[:, 1], scan["history_z"])
        self.scan("none.h5", *settings(stages__scan__settings__toys=0))
        self.assertIn("this scan has no p-value, and no figure",
                      self.command("plot", "none.h5", code=2).stderr)
        self.assertIn("there is no p-value", self.command("report", "none.h5").stdout)

    def test_validate_says_what_grows_with_the_stream(self):
        done = self.command("validate", "scan.yaml").stdout
        cores = len(os.sched_getaffinity(0))
        self.assertIn("Growing with the stream:\n  composition     "
                      f"{1 + cores + 3 * 2} B an event with m_jj inside the spectrum", done)

    def test_a_damaged_file_is_refused_by_name(self):
        self.scan("scan.h5")
        for name, value in (("largest", 99), ("ln_p", 1.0), ("z", math.nan), ("reached", 301)):
            with self.subTest(name), h5py.File(self.folder / "scan.h5", "r+") as file:
                before = file["scan"][name][()]
                file["scan"][name][()] = value
                file.flush()
                done = self.command("report", "scan.h5", code=2)
                self.assertIn("scan.h5: damaged", done.stderr)
                file["scan"][name][()] = before


if __name__ == "__main__":
    main()
