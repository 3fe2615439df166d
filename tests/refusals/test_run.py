# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are refused before they start, end with a reason, or wait until they can go on."""
import ctypes
import json
import os
import resource
import shutil
import subprocess
import unittest

import product
import refusals
from refusals import DIJET, write_columns


class RunCase(refusals.RefusalCase):
    def setUp(self):
        super().setUp()
        write_columns(self.folder / "events.h5", [DIJET] * 60)


class Physics(RunCase):
    def test_a_training_window_with_fewer_jets_than_clusters(self):
        self.refused("run", "t.yaml", "--set", "analysis.training.clusters=121", says=(
            "error: [trainer.0] analysis.training.window [3000, 3300) GeV holds 120 jets, fewer "
            "than the 121 clusters of analysis.training.clusters\n",
            "error: stage trainer.0 cannot go on: "))

    def test_jets_that_are_all_alike_cannot_be_searched_and_the_answer_says_so_first(self):
        # The other clusters stay empty: nobody knows what spread is usual.
        _, report = self.ran("--set", "analysis.training.clusters=4", "--set",
                             "analysis.training.ensemble=2")
        told = report.splitlines()
        self.assertTrue(told[2].startswith("BAD ("), report)
        self.assertRegex(report, r"BAD \(counts\): too few events for these settings: \d+ of "
                                 r"\d+ cluster-bins hold fewer than 20 jets")
        self.assertEqual(told[-1], "No conclusion can be drawn from these numbers: a check above is "
                                   "bad.")

    def test_settings_under_which_nothing_can_be_picked_are_refused_by_validate(self):
        for clusters, fraction, most in ((2, 0.2, "0.662"), (10, 0, "3"), (7, 0, "2.45"),
                                         (9, 0.9, "0")):
            self.refused("validate", "t.yaml", "--set", f"analysis.training.clusters={clusters}",
                         "--set", f"analysis.selection.outlier_fraction={fraction}", says=(
                             f"no cluster can be picked: with analysis.training.clusters {clusters} "
                             f"and analysis.selection.outlier_fraction {fraction} no deviation "
                             f"exceeds {most}, and analysis.selection.threshold is 3",))

    def test_a_run_with_such_settings_says_so_before_it_starts_and_before_its_answer(self):
        self.toy("events.h5", 900)
        warnings, report = self.ran("--set", "analysis.training.clusters=9", "--set",
                                    "analysis.selection.outlier_fraction=0")
        self.assertIn("no cluster can be picked: with analysis.training.clusters 9", warnings[0])
        self.assertIn("BAD (reachable): nothing can be picked", report)

    def test_no_cluster_selected_is_an_answer_of_0(self):
        self.toy("events.h5", 40000)
        warnings, report = self.ran("--set", "analysis.selection.threshold=100", "--set",
                                    "analysis.training.clusters=11", "--set",
                                    "stages.score.settings.few_bad=1")
        self.assertIn("In no mass bin do picked clusters hold more jets than expected.", report)
        self.assertEqual(report.splitlines()[-1], "This is ordinary: no sign of a resonance.")
        told = json.loads(self.command("report", "--json", "results.h5").stdout)
        self.assertEqual((told["mls"], told["mls_mean"], told["bin_gev"], told["selected"]),
                         ([0, 0, 0], 0, None, [[], [], []]))


class Places(RunCase):
    def result(self, path, message, **options):
        """Refused before any process starts or any state is made."""
        self.refused("run", "t.yaml", "--set", f"stages.score.settings.results={path}",
                     says=f"error: stages.score.settings.results: {message}", **options)
        self.assertFalse((self.folder / "state").exists())

    def test_a_result_in_a_folder_that_is_missing(self):
        self.result("absent/a.h5", "absent/a.h5 cannot be written to the folder absent: No such "
                                   "file or directory")

    def test_a_result_below_a_file(self):
        self.result("t.yaml/a.h5", "t.yaml/a.h5 cannot be written to the folder t.yaml: Not a "
                                   "directory")

    def test_a_result_that_is_a_folder(self):
        (self.folder / "out").mkdir()
        self.result("out", "out is a folder, expected the name of a file")

    def test_a_result_in_a_folder_of_somebody_else(self):
        (self.folder / "out").mkdir(mode=0o555)
        self.folder.chmod(0o777)
        self.result("out/a.h5", "out/a.h5 cannot be written to the folder out: Permission denied",
                    **refusals.other_user())

    def test_a_state_folder_that_is_a_file(self):
        told = self.refused("run", "t.yaml", "--state", "t.yaml", says=("error: t.yaml/",
                            ": the folder cannot be made: Not a directory"))
        self.assertEqual(told.count("\n"), 1)

    def test_a_state_folder_without_permission(self):
        (self.folder / "mine").mkdir(mode=0o555)
        self.folder.chmod(0o777)
        told = self.refused("run", "t.yaml", "--state", "mine", **refusals.other_user(),
                            says=("error: mine/", ": the folder cannot be made: Permission denied"))
        self.assertEqual(told.count("\n"), 1)

    def test_a_state_folder_of_too_long_a_name(self):
        self.refused("run", "t.yaml", "--state", "x/" * 2001,
                     says="error: the name of the state folder has 4002 bytes, at most 4000 are "
                          "possible")

    def logs(self):
        return {entry for entry in (self.folder / "state").iterdir() if entry.is_dir()}

    def state(self):
        """A finished run's state folder and its log id; its result is put away."""
        self.ran()
        (self.folder / "results.h5").unlink()
        folder, = self.logs()
        return folder, folder.name

    def test_a_state_folder_of_another_run(self):
        ours, log_id = self.state()
        write_columns(self.folder / "events.h5", [DIJET] * 61)
        self.ran("--set", "stages.score.settings.results=other.h5")
        other, = self.logs() - {ours}
        shutil.rmtree(other)
        ours.rename(other)
        self.refused("run", "t.yaml", says=(
            f"manifest.jsonl: of log {log_id}, expected log {other.name}\n",
            "error: stage log.0 cannot go on: "))

    def test_a_state_folder_without_its_manifest(self):
        ours, log_id = self.state()
        (ours / "manifest.jsonl").unlink()
        self.refused("run", "t.yaml", says=(
            f"error: [log.0] state/{log_id}: 1 segments that manifest.jsonl does not list; nothing "
            "was changed. Restore the folder, or remove it to begin anew\n",))
        self.assertTrue((ours / "segment-000000.h5").exists())

    def test_a_manifest_that_was_edited(self):
        ours, log_id = self.state()
        text = (ours / "manifest.jsonl").read_text()
        (ours / "manifest.jsonl").write_text(text.replace('"sources":1', '"sources":7'))
        self.refused("run", "t.yaml", says=(
            f"error: [log.0] state/{log_id}/manifest.jsonl: damaged: its first line does not fit "
            "its digest; nothing was changed\n",))

    def test_foreign_files_in_a_state_folder_are_left_alone(self):
        ours, _ = self.state()
        (ours / "notes.txt").write_text("mine")
        self.ran()
        self.assertEqual((ours / "notes.txt").read_text(), "mine")


CLONE_NEWNS, MS_PRIVATE_REC = 0x20000, 0x44000


class SmallDisk:
    """A file system of 16 MB for this process and its children; skips where that is not allowed."""

    def __init__(self, path, case, options=b"size=16m"):
        self.path = path
        self.libc = ctypes.CDLL(None, use_errno=True)
        path.mkdir()
        if (self.libc.unshare(CLONE_NEWNS) != 0
                or self.libc.mount(None, b"/", None, MS_PRIVATE_REC, None) != 0
                or self.libc.mount(b"tmpfs", bytes(path), b"tmpfs", 0, options) != 0):
            raise unittest.SkipTest(f"no small file system can be mounted here "
                                    f"({os.strerror(ctypes.get_errno())})")
        case.addCleanup(self.libc.umount2, bytes(path), 2)

    def fill(self, but):
        """Leaves `but` bytes free."""
        left = os.statvfs(self.path)
        (self.path / "filler").write_bytes(bytes(left.f_bavail * left.f_frsize - but))

    def clear(self):
        (self.path / "filler").unlink()


class FullDisk(RunCase):
    def setUp(self):
        super().setUp()
        self.disk = SmallDisk(self.folder / "small", self)
        self.toy("events.h5", 2000)

    def test_a_full_state_folder_makes_the_run_wait_until_there_is_room(self):
        self.disk.fill(but=64 << 10)  # enough for the manifest, not for a segment
        with subprocess.Popen([product.CLUSTERSCAN, "run", "t.yaml", "--state", "small"],
                              cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as running:
            told = ""
            for line in running.stderr:
                told += line
                if "waiting for room" in line:
                    break
            self.assertRegex(told, r"error: \[log\.0\] no space left in small/[0-9a-f]{32}: "
                                   r"waiting for room\n")
            self.assertEqual(list((self.folder / "small").rglob("*.tmp")), [])
            self.disk.clear()
            self.assertIn("2000 events read", running.stdout.read())
            told = running.stderr.read()
            self.assertEqual(running.wait(), 0, told)
        self.assertNotIn("starting it again", told)
        self.command("run", "t.yaml", "--state", "roomy", "--set",
                     "stages.score.settings.results=b.h5")
        self.assertEqual(product.digest(self.folder / "results.h5"),
                         product.digest(self.folder / "b.h5"))

    def test_no_room_for_the_first_line_of_the_log_makes_the_run_wait_too(self):
        self.disk.fill(but=0)
        with subprocess.Popen([product.CLUSTERSCAN, "run", "t.yaml", "--state", "small"],
                              cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as running:
            told = ""
            for line in running.stderr:
                told += line
                if "waiting for room" in line:
                    break
            self.assertRegex(told, r"error: \[log\.0\] no space left in small/[0-9a-f]{32}: "
                                   r"waiting for room\n")
            self.disk.clear()
            self.assertIn("2000 events read", running.stdout.read())
            told = running.stderr.read()
            self.assertEqual(running.wait(), 0, told)
        self.assertNotIn("starting it again", told)

    def test_a_limit_on_the_size_of_files_ends_the_run_with_2_and_the_file(self):
        told = self.refused("run", "t.yaml", says=("segment-000000.h5: cannot write the file: File "
                                                   "too large",),
                            preexec_fn=lambda: resource.setrlimit(
                                resource.RLIMIT_FSIZE, (70_001, resource.RLIM_INFINITY)))
        self.assertNotIn("starting it again", told)

    def test_no_inode_left_for_the_sockets_ends_the_run_at_once(self):
        SmallDisk(self.folder / "few", self, b"size=16m,nr_inodes=13")
        told = self.refused("run", "t.yaml", env={**os.environ, "XDG_RUNTIME_DIR": "", "TMPDIR":
                                                  str(self.folder / "few")}, says=(
            "cannot go on: cannot bind ipc://", "No space left on device"))
        self.assertNotIn("starting it again", told)

    def test_no_room_for_the_result_ends_the_run_with_1(self):
        self.disk.fill(but=64 << 10)
        self.refused("run", "t.yaml", "--set", "stages.score.settings.results=small/a.h5", code=1,
                     says=("error: [score.0] small/a.h5: cannot be written: no space left\n",
                           "5 times without any progress"))
        self.assertEqual([f.name for f in (self.folder / "small").iterdir()], ["filler"])


class LimitedFiles(RunCase):
    def test_a_command_that_may_not_write_so_much_says_so(self):
        told = self.refused("generate", "--events", 2000, "--seed", 5, "--out", "made.h5",
                            says=("error: made.h5: ", "File too large"),
                            preexec_fn=lambda: resource.setrlimit(
                                resource.RLIMIT_FSIZE, (30_001, resource.RLIM_INFINITY)))
        self.assertFalse((self.folder / "made.h5").exists(), told)


class CommandLines(RunCase):
    def test_wrong_words_end_with_2_and_a_hint(self):
        for arguments, because in (
                (["run"], "which topology? Name its file"),
                (["run", "t.yaml", "b.yaml"], "one topology at a time; 'b.yaml' is too many"),
                (["run", "t.yaml", "--bogus"], "unrecognized option '--bogus'"),
                (["run", "t.yaml", "--state"], "option '--state' requires an argument"),
                (["validate"], "which topology? Name its file"),
                (["validate", "t.yaml", "--set"], "option '--set' requires an argument"),
                (["inspect"], "which FILE?"),
                (["inspect", "a", "b"], "one FILE at a time, found also 'b'"),
                (["report"], "RESULTS"),
                (["bogus"], "bogus"),
                ([], "")):
            with self.subTest(arguments):
                told = self.refused(*arguments, says=(because,))
                self.assertNotEqual(told, "")

    def test_a_setting_that_is_none(self):
        for command in ("run", "validate"):
            for setting, because in (("name", "must be key.path=value"),
                                     ("=5", "must be key.path=value"),
                                     ("name=", "no value stands after '='"),
                                     ("nam=x", "unknown key nam "),
                                     ("analysis.stream.batch=x", "analysis.stream.batch must be")):
                self.refused(command, "t.yaml", "--set", setting,
                             says=(f"--set {setting}: error: {because}",))


if __name__ == "__main__":
    product.main()
