# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan states: it lists what runs have left, and removes that and nothing else."""
import fcntl
import json
import os
import time

from product import SMALL, ProductCase, main

OLD = "0123456789abcdef" * 2


class States(ProductCase):
    def setUp(self):
        super().setUp()
        self.state = self.folder / "state"
        self.state.mkdir()

    def made(self, name=OLD, files=("manifest.json", "segment-000000.h5", "lock", "run.lock",
                                    "status.json", "files-0.jsonl", "inputs.json",
                                    "segment-000001.h5.damaged.1", "logs/reader.0.log")):
        folder = self.state / name
        (folder / "logs").mkdir(parents=True)
        for file in files:
            (folder / file).write_bytes(b"x" * 37)
        return folder

    def listed(self):
        return json.loads(self.command("states", "--json").stdout)

    def remove(self, *ids, code=0):
        return self.command("states", "--remove", *ids, code=code)

    def tree(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))

    def test_a_run_and_its_replay_are_listed_and_removed(self):
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 2713, 91)
        self.command("run", "small.yaml", "--quiet")
        log = next(path.name for path in self.state.iterdir() if path.is_dir())
        (self.state / ("replay-" + OLD)).mkdir()
        (self.state / "something else").mkdir()
        first, second = self.listed()
        if first["id"] != log:
            first, second = second, first
        self.assertEqual(second["id"], "replay-" + OLD)
        self.assertEqual((first["topology"], first["events"], first["complete"], first["in_use"]),
                         ("small", 2804, True, False))
        self.assertEqual([os.path.basename(path) for path in first["inputs"]], ["events.h5"])
        folder = self.state / log
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.assertEqual(first["bytes"], size)
        self.assertLess(abs(first["last_used"] - time.time()), 3600)
        said = self.command("states").stdout
        for word in (log, "small", "2,804", f"{size:,}", "events.h5"):
            self.assertIn(word, said)
        self.assertIn(f"{size:,} bytes freed", self.remove(log, "replay-" + OLD).stdout)
        self.assertEqual(sorted(path.name for path in self.state.iterdir() if path.is_dir()),
                         ["something else"])
        self.command("run", "small.yaml", "--quiet", "--set",
                     "stages.score.settings.results=again.h5")

    def test_all_that_runs_leave_is_removed(self):
        self.made()
        self.remove(OLD)
        self.assertEqual(self.tree(self.state), [])

    def test_names_that_are_no_ids_are_refused(self):
        outside = self.folder / "precious"
        outside.mkdir()
        (outside / "manifest.jsonl").write_text("kept")
        self.made()
        for name in ("../precious", "/", ".", "..", "", "0" * 31, "0" * 33, OLD.upper(),
                     OLD + "/", "replay-", "./" + OLD, "replay-replay-" + OLD):
            self.assertIn("no id", self.remove(name, code=2).stderr)
            self.assertTrue((self.state / OLD / "lock").exists())
        self.assertTrue((outside / "manifest.jsonl").exists())
        self.assertIn("No such file", self.remove("f" * 32, code=2).stderr)

    def test_a_folder_with_anything_of_others_stays_whole(self):
        makers = {
            "thesis.tex": lambda path: path.write_text("mine"),
            "segment-x.h5": lambda path: path.write_text("mine"),
            "sub": lambda path: path.mkdir(),
            "logs/notes": lambda path: path.write_text("mine"),
            "logs/deep": lambda path: path.mkdir(),
            "manifest.jsonl": lambda path: path.symlink_to(self.folder / "target"),
            "logs/a.log": lambda path: path.symlink_to(self.folder / "target"),
            "segment-000007.h5": lambda path: path.mkdir(),
            "status.json.tmp": os.mkfifo,
            "files-3.jsonl": os.mkfifo,
            "a\x1b[2Jb": lambda path: path.write_text("mine"),
        }
        (self.folder / "target").write_text("kept")
        for number, (name, make) in enumerate(makers.items()):
            folder = self.made(f"{number:032x}")
            make(folder / name)
            before = self.tree(folder)
            said = self.remove(folder.name, code=2).stderr
            self.assertIn("nothing was removed", said)
            self.assertIn(name.replace("\x1b", "\\x1B").lower(), said.lower())
            self.assertNotIn("\x1b", said)
            self.assertEqual(self.tree(folder), before)
        self.assertEqual((self.folder / "target").read_text(), "kept")
        self.assertEqual(sum("not_ours" in entry for entry in self.listed()), len(makers))
        done = self.command("states", "--older-than", 0, "--yes")
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(list(self.state.iterdir())), len(makers))

    def test_links_to_folders_are_never_followed(self):
        elsewhere = self.folder / "elsewhere"
        self.made().rename(elsewhere)
        (self.state / OLD).symlink_to(elsewhere)
        before = self.tree(elsewhere)
        self.assertIn("is no folder", self.remove(OLD, code=2).stderr)
        self.assertEqual(self.listed(), [])
        (self.state / OLD).unlink()
        folder = self.made()
        (folder / "logs/reader.0.log").unlink()
        (folder / "logs").rmdir()
        (folder / "logs").symlink_to(elsewhere / "logs")
        self.assertIn("logs", self.remove(OLD, code=2).stderr)
        self.assertEqual(self.tree(elsewhere), before)

    def test_a_named_pipe_for_a_lock_keeps_nobody_waiting(self):
        folder = self.made()
        for name in ("lock", "run.lock"):
            (folder / name).unlink()
            os.mkfifo(folder / name)
        self.assertIn("lock is no regular file", self.listed()[0]["not_ours"])
        self.remove(OLD, code=2)

    def test_what_is_in_use_stays(self):
        folder = self.made()
        before = self.tree(self.state)
        for name, take in (("run.lock", fcntl.lockf), ("lock", fcntl.flock)):
            for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH) if name == "lock" else (fcntl.LOCK_EX,):
                with open(folder / name, "r+b") as held:
                    take(held, kind)
                    self.assertTrue(self.listed()[0]["in_use"])
                    self.assertIn("in use", self.remove(OLD, code=2).stderr)
                    self.command("states", "--older-than", 0, "--yes")
                    self.assertEqual(self.tree(self.state), before)
        self.assertFalse(self.listed()[0]["in_use"])
        self.remove(OLD)

    def test_old_ones_are_told_before_they_are_removed(self):
        for days, name in ((40, "1" * 32), (3, "2" * 32), (70, "replay-" + "3" * 32)):
            folder = self.made(name)
            for path in folder.rglob("*"):
                os.utime(path, (time.time() - days * 86400 - 777,) * 2)
        said = self.command("states", "--older-than", 30).stdout
        self.assertIn("1" * 32, said)
        self.assertIn("--yes", said)
        self.assertEqual(len(self.listed()), 3)
        self.command("states", "--older-than", 30, "--yes")
        self.assertEqual([entry["id"] for entry in self.listed()], ["2" * 32])

    def test_a_removal_that_was_cut_short_is_finished(self):
        self.made("removing-" + OLD)
        self.made()
        self.assertIn("remove that first", self.remove(OLD, code=2).stderr)
        self.assertEqual(len(self.listed()), 2)
        self.remove("removing-" + OLD)
        self.remove(OLD)
        self.assertEqual(self.listed(), [])

    def test_one_that_is_refused_does_not_keep_the_others(self):
        self.made("a" * 32)
        self.made("b" * 32)
        self.remove("a" * 32, "c" * 32, "b" * 32, code=2)
        self.assertEqual(self.listed(), [])

    def test_options_that_make_no_sense_are_refused(self):
        for options, word in ((("--remove",), "which"), ((OLD,), "--remove"),
                              (("--older-than", "-1"), "--older-than"),
                              (("--older-than", "1e3"), "1e3"), (("--yes",), "--older-than"),
                              (("--remove", OLD, "--older-than", "3"), "one of them"),
                              (("--state", "nowhere"), "nowhere")):
            self.assertIn(word, self.command("states", *options, code=2).stderr)


if __name__ == "__main__":
    main()
