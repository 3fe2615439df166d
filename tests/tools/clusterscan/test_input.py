# SPDX-License-Identifier: GPL-3.0-or-later
"""The input's name is its content: no run meets images of other bytes than those it was given."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import h5py
import numpy as np

from product import (CLUSTERSCAN, SMALL, SOURCE, ProductCase, main, open_files, settings,
                     stage_processes, wait_until)

EVENTS = 2300


class Input(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.file = self.folder / "events.h5"

    def run_small(self, *changes, code=0):
        return self.command("run", "small.yaml", *changes, code=code)

    def log_ids(self):
        return {p.name for p in (self.folder / "state").iterdir() if len(p.name) == 32}

    def write_table(self, path, events=EVENTS, scale=1.0):
        """A plain table, whose bytes can be changed in place: two hard jets of three particles."""
        rng = np.random.default_rng(5)
        rows = np.zeros((events, 2100), "f4")
        pt = 1450 * scale * (1 + 0.1 * rng.random(events))
        for jet, phi in enumerate((0.3, 0.3 + np.pi)):
            for k in range(3):
                column = 3 * (3 * jet + k)
                rows[:, column] = pt / 3 * (1 + 0.1 * k)
                rows[:, column + 1] = 0.2 * rng.standard_normal(events)
                rows[:, column + 2] = phi + 0.2 * rng.standard_normal(events)
        with h5py.File(path, "w") as file:
            file.create_group("df")["block0_values"] = rows

    def stopped_run(self):
        """A run whose imager was stopped before it could take more than its first batches."""
        process = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml"], cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.addCleanup(process.kill)

        def stages():
            found = {setup["name"]: pid for pid, setup in stage_processes(self.folder)}
            return found if {"images", "reader"} <= set(found) else None
        found = wait_until(stages)
        imager, reader = found["images"], found["reader"]
        os.kill(imager, signal.SIGSTOP)
        # The reader has opened the file and given out what it was granted.
        wait_until(lambda: any("events.h5" in name for name in open_files(reader)))
        return process, imager

    def expect_refusal_then_whole_answer(self, change, whole):
        reference = self.folder / "reference.h5"
        shutil.copy(self.file, whole)
        self.run_small(*settings(stages__reader__settings__files="[whole.h5]",
                                 stages__score__settings__results="reference.h5"))
        shutil.rmtree(self.folder / "state")
        process, imager = self.stopped_run()
        change()
        os.kill(imager, signal.SIGCONT)
        said = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 2, said)
        self.assertRegex(said, r"error: .*events\.h5")
        self.assertFalse((self.folder / "results.h5").exists())
        shutil.copy(whole, self.folder / "again.h5")
        os.replace(self.folder / "again.h5", self.file)
        self.run_small()
        self.assertEqual((self.folder / "results.h5").read_bytes(), reference.read_bytes())

    def test_a_file_cut_while_it_is_read_ends_the_run_by_name_and_leaves_nothing_behind(self):
        self.write_table(self.file)
        self.expect_refusal_then_whole_answer(
            lambda: os.truncate(self.file, self.file.stat().st_size // 5), self.folder / "whole.h5")

    def test_a_file_rewritten_in_place_while_it_is_read_ends_the_run_by_name(self):
        self.write_table(self.file)

        def rewrite():
            with h5py.File(self.file, "r+") as file:
                file["df/block0_values"][EVENTS - 31:] *= np.float32(1.001)
        self.expect_refusal_then_whole_answer(rewrite, self.folder / "whole.h5")

    def test_a_file_replaced_by_a_shorter_one_while_it_is_read_ends_the_run_by_name(self):
        self.write_table(self.file)
        self.write_table(self.folder / "new.h5", events=EVENTS // 7)
        self.expect_refusal_then_whole_answer(
            lambda: os.replace(self.folder / "new.h5", self.file), self.folder / "whole.h5")

    def test_a_file_replaced_by_one_of_the_same_size_while_it_is_read_ends_the_run(self):
        self.write_table(self.file)
        self.write_table(self.folder / "new.h5", scale=1.01)
        self.expect_refusal_then_whole_answer(
            lambda: os.replace(self.folder / "new.h5", self.file), self.folder / "whole.h5")

    def test_a_file_that_is_only_touched_or_copied_over_by_its_own_bytes_goes_on(self):
        self.write_table(self.file)
        process, imager = self.stopped_run()
        os.utime(self.file)
        shutil.copy(self.file, self.folder / "copy.h5")
        os.replace(self.folder / "copy.h5", self.file)
        os.kill(imager, signal.SIGCONT)
        self.assertEqual(process.wait(300), 0, process.stdout.read())
        process.stdout.close()

    def test_one_row_changed_between_two_runs_gives_new_images(self):
        self.write_table(self.file)
        self.run_small()
        first = (self.folder / "results.h5").read_bytes()
        stamp = self.file.stat()
        with h5py.File(self.file, "r+") as file:
            file["df/block0_values"][1217, 0] *= 1.5
        os.utime(self.file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        self.run_small()
        self.assertEqual(len(self.log_ids()), 2)
        self.assertNotEqual((self.folder / "results.h5").read_bytes(), first)

    def test_bytes_that_no_reader_looks_at_count_too(self):
        self.write_table(self.file)
        self.run_small()
        with open(self.file, "ab") as file:
            file.write(b"\0")
        self.run_small()
        self.assertEqual(len(self.log_ids()), 2)

    def test_the_same_bytes_under_another_name_have_the_same_images(self):
        self.write_table(self.file)
        self.run_small()
        shutil.copy(self.file, self.folder / "moved.h5")
        self.run_small(*settings(stages__reader__settings__files="[moved.h5]"))
        self.assertEqual(len(self.log_ids()), 1)

    def test_a_file_that_is_as_it_was_is_not_read_again_by_the_next_run(self):
        self.write_table(self.file)
        long_ago = 1_500_000_000 * 10**9  # mtime; ctime is now, so let that settle
        os.utime(self.file, ns=(long_ago, long_ago))
        wait_until(lambda: os.stat(self.file).st_ctime + 2.5 < __import__("time").time())
        self.run_small()
        lines = (self.folder / "state/inputs.jsonl").read_text().split()
        self.assertEqual(len([line for line in lines if line.startswith("{")]), 1)

        # The leak sanitizer does not work where strace does.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")

        def bytes_read():  # by run itself, while all stages have nothing to do
            done = subprocess.run(["strace", "-e", "trace=openat,read", "-y", CLUSTERSCAN, "run",
                                   "small.yaml"], cwd=self.folder, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, env=environment)
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
            return sum(int(line.rsplit("= ", 1)[1]) for line in done.stderr.splitlines()
                       if line.startswith("read(") and "events.h5>" in line)
        self.assertLess(bytes_read(), self.file.stat().st_size / 10)

    def test_a_masterkey_names_the_input_too(self):
        self.write_table(self.file)
        key = self.folder / "key.txt"
        key.write_text("0\n" * EVENTS)
        with_key = settings(stages__reader__settings__masterkey="key.txt")
        self.run_small(*with_key)
        key.write_text("0\n" * (EVENTS - 1) + "1\n")
        self.run_small(*with_key)
        self.assertEqual(len(self.log_ids()), 2)

    def test_a_fifo_or_folder_in_place_of_an_input_file_is_refused_by_name(self):
        os.mkfifo(self.folder / "pipe.h5")
        (self.folder / "folder.h5").mkdir()
        for name in ("pipe.h5", "folder.h5"):
            done = self.run_small(*settings(stages__reader__settings__files=f"[{name}]"), code=2)
            self.assertIn(name, done.stderr)

    def test_a_command_of_others_is_named_by_the_bytes_of_its_files(self):
        self.toy("events.h5", 1300)
        script = self.folder / "my selector.py"
        text = (SOURCE / "topology/swap/robust_selector.py").read_text()
        script.write_text(text)

        def run_id():
            self.run_small(*settings(stages__select__run=json.dumps(["/usr/bin/python3",
                                                                     script.name])))
            with h5py.File(self.folder / "results.h5") as file:
                return file.attrs["run_id"]
        first = run_id()
        self.assertEqual(run_id(), first)
        script.write_text(text + "\n# edited\n")
        self.assertNotEqual(run_id(), first)

    def test_a_pattern_that_finds_nothing_says_which_folder_is_to_blame(self):
        self.toy("events.h5", 300)
        (self.folder / "there").mkdir()
        (self.folder / "loop").symlink_to("loop")
        for pattern, words in (
                ("there/nope/deeper/*.h5", "the folder there/nope does not exist"),
                (f"{self.folder}/gone/*.h5", f"the folder {self.folder}/gone does not exist"),
                ("events.h5/*.h5", "the folder events.h5 is no folder"),
                ("loop/[ab]*.h5", "the folder loop cannot be used: Too many levels"),
                ("there/*.h5", "no file matches 'there/*.h5'")):
            said = self.run_small("--set", f"stages.reader.settings.files=['{pattern}']",
                                  code=2).stderr
            self.assertIn(words, said)
            self.assertIn("stages.reader.settings.files", said)

    def test_a_pattern_in_a_folder_that_may_not_be_entered_says_so(self):
        folder = self.folder / "closed"
        folder.mkdir()
        folder.chmod(0o000)
        self.addCleanup(folder.chmod, 0o755)
        self.folder.chmod(0o777)
        # The superuser may enter every folder.
        nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        for pattern in ("closed/*.h5", "*/x*.h5", "closed/in/*.h5"):
            said = self.command("run", "small.yaml", "--set",
                                f"stages.reader.settings.files=['{pattern}']", code=2,
                                **nobody).stderr
            self.assertRegex(said, "the folder closed.*: Permission denied")

    def test_a_pattern_passes_by_what_is_no_folder(self):
        (self.folder / "in").mkdir()
        self.toy("in/events.h5", 300)
        (self.folder / "dangling").symlink_to("nowhere")
        self.run_small("--set", "stages.reader.settings.files=['*/e*.h5']")


if __name__ == "__main__":
    main()
