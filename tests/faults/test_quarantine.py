# SPDX-License-Identifier: GPL-3.0-or-later
"""The account can fail: an imager that lies is refused by name, and a batch that nobody can take is
given up, named and counted, while the run goes on."""
import json
import os
import pathlib
import shutil
import signal
import subprocess

import h5py

import product
from product import CLUSTERSCAN, SMALL, ProductCase, settings, stage_processes, wait_until

IMAGER = pathlib.Path(__file__).resolve().parent.parent / "support/foreign_imager.py"
EVENTS = 1130


class Quarantine(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", EVENTS)

    def run_imager(self, lie, *changes, code, always=False, replicas=1):
        run = json.dumps(["/usr/bin/python3", str(IMAGER)])
        return self.command("run", "small.yaml", *settings(
            stages__images__run=run, stages__images__replicas=replicas,
            analysis__training__window="[2000, 5000]",
            stages__images__settings=json.dumps({"lie": lie, "always": always})), *changes,
            code=code)

    def counts(self):
        with h5py.File(self.folder / "results.h5") as file:
            told = [(name.decode(), int(first), int(rows), reason.decode()) for name, first, rows,
                    reason in zip(*(file["quarantined/" + key][:] for key in
                                    ("file", "first_row", "rows", "reason")))] \
                if "quarantined" in file else []
            return {key: int(file.attrs["events_" + key]) for key in
                    ("read", "counted", "dropped", "quarantined")}, told

    def expect_one_batch_given_up(self, done, because):
        counts, told = self.counts()
        self.assertEqual(counts, {"read": EVENTS, "counted": EVENTS - 100, "dropped": 0,
                                  "quarantined": 100})
        self.assertEqual([row[:3] for row in told], [("events.h5", 100, 100)])
        self.assertIn(because, told[0][3])
        self.assertIn("quarantined: events.h5, rows 100 to 199: ", done.stdout)

    def test_an_imager_that_tells_the_truth_is_believed(self):
        self.run_imager("none", code=0)
        self.assertEqual(self.counts()[0]["counted"], EVENTS)

    def test_a_lie_about_one_batch_costs_that_batch_and_is_named(self):
        account = "kept, dropped and quarantined events are not the rows that were read"
        for lie, because in (("lose", account), ("wrap", "rows do not add up"), ("more", "rows"),
                             ("read-less", "rows"), ("twice", "rows are not ascending"),
                             ("another-row", "not the batch's own"), ("nan", "dijet mass"),
                             ("infinite", "intensities"), ("pixel", "pixels"),
                             ("quarantine", "only their reader"), ):
            with self.subTest(lie):
                done = self.run_imager(lie, code=3)
                self.assertRegex(done.stderr, r"refused batch 1 of source 0 from images\.0: ")
                self.expect_one_batch_given_up(done, because)
                self.assertIn(", 3 messages refused (see status)", done.stderr)
        status = json.loads(self.command("status", "--json", code=1).stdout)["runs"]
        for run in status:  # the log refused the batch three times, and said so to the reader
            self.assertEqual((run["refused"], run["stages"][2]["refused"]), (3, 3))

    def test_a_frame_that_cannot_be_read_counts_as_a_refusal_too(self):
        done = self.run_imager("digest", code=2, always=True)
        self.assertIn("8 batches one after the other could not be taken by anybody", done.stderr)

    def test_an_imager_that_lies_always_ends_the_run_by_its_name(self):
        done = self.run_imager("lose", code=2, always=True)
        self.assertIn("from images.0: kept, dropped and quarantined events are not the rows",
                      done.stderr)
        self.assertFalse((self.folder / "results.h5").exists())

    def test_a_batch_that_kills_three_workers_is_given_up(self):
        for lie, replicas in (("raise", 1), ("abort", 1), ("raise", 3)):
            with self.subTest(f"{lie}, {replicas} workers"):
                done = self.run_imager(lie, code=3, replicas=replicas)
                self.expect_one_batch_given_up(done, "the worker that had begun it died")

    def test_a_batch_that_kills_every_worker_each_time_ends_the_run(self):
        done = self.run_imager("raise", code=1, always=True)
        self.assertIn("this batch is too much for me", done.stderr)

    def test_kills_from_outside_accuse_no_batch(self):
        reference = self.command("run", "small.yaml")
        whole = (self.folder / "results.h5").read_bytes()
        (self.folder / "results.h5").unlink()
        shutil.rmtree(self.folder / "state")
        process = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", *settings(
            stages__images__replicas=1)], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.kill)
        for _ in range(4):
            pids = wait_until(lambda: [pid for pid, setup in stage_processes(self.folder)
                                       if setup["name"] == "images"] or process.poll() is not None)
            if process.poll() is not None:
                break
            try:
                os.kill(pids[0], signal.SIGKILL)
            except ProcessLookupError:
                pass
            wait_until(lambda: pids[0] not in [pid for pid, _ in stage_processes(self.folder)])
        said = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual((self.folder / "results.h5").read_bytes(), whole)
        self.assertEqual(reference.returncode, 0)


if __name__ == "__main__":
    product.main()
