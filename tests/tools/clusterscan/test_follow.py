# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that is followed: fed, refused, killed, interrupted, it gives what its files would give
at once."""
import json
import os
import shutil
import signal
import subprocess

import h5py
import numpy as np

from product import CLUSTERSCAN, SMALL, ProductCase, main, settings, stage_processes, wait_until

FOLLOW = SMALL.replace("files: [events.h5]", "files: [incoming], follow: true")


def contents(path):
    """Every dataset's type, shape and bytes, and every attribute, but the ids and the list of refused
    files: other runs, read at once, do not meet these."""
    found = {}
    with h5py.File(path) as file:
        def add(name, node):
            if isinstance(node, h5py.Dataset):
                found[name] = (str(node.dtype), node.shape,
                               np.ascontiguousarray(node[()]).tobytes())
            for key in node.attrs:
                found[f"{name}@{key}"] = str(node.attrs[key])
        add("", file)
        file.visititems(add)
    del found["@run_id"], found["@log_id"]
    return {name: value for name, value in found.items() if not name.startswith("refused")}


class Followed(ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        self.incoming = self.folder / "incoming"
        (self.folder / "follow.yaml").write_text(FOLLOW)

    def feed(self, name="events.h5", *options):
        self.command("feed", name, "incoming", "--rate", 1000000000, "--batch", 250, *options)

    def start(self, *arguments, **options):
        run = subprocess.Popen(
            [CLUSTERSCAN, "run", "follow.yaml", *map(str, arguments)], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **options)
        self.addCleanup(run.kill)
        return run

    def finish(self, run, code=0):
        out, err = run.communicate(timeout=600)
        self.assertEqual(run.returncode, code, out + err)
        return out + err

    def journal(self, state="state"):
        lines = []
        for file in (self.folder / state).glob("*/files-0.jsonl"):
            lines += [json.loads(line) for line in file.read_text().splitlines(keepends=True)
                      if line.endswith("\n")]
        return lines

    def taken(self, state="state"):
        return [line["file"] for line in self.journal(state) if "file" in line]

    def at_once(self):
        """What the files that were taken give when they are all there."""
        files = ", ".join(f"incoming/{name}" for name in self.taken())
        (self.folder / "small.yaml").write_text(SMALL.replace("events.h5", files))
        self.command("run", "small.yaml", "--quiet", "--state", "at-once",
                     *settings(stages__score__settings__results="at-once.h5"))
        return contents(self.folder / "at-once.h5")

    def sealed(self):
        return len(list((self.folder / "state").glob("*/segment-*.h5")))

    def test_a_fed_folder_gives_what_its_files_give_at_once(self):
        self.toy("events.h5", 5000, 333)
        self.incoming.mkdir()
        run = self.start()
        wait_until(lambda: stage_processes(self.folder) or run.poll() is not None)
        self.feed()
        self.finish(run)
        self.assertEqual(self.taken(), [f"events-{i:08}.h5" for i in range(22)])
        self.assertEqual(self.journal()[-1], {"end": True})
        self.assertEqual(contents(self.folder / "results.h5"), self.at_once())

    def test_a_file_still_being_written_is_taken_when_it_is_closed_and_holds_up_no_other(self):
        self.toy("a.h5", 700)
        self.toy("b.h5", 300, seed=2)
        self.incoming.mkdir()
        a, b = ((self.folder / name).read_bytes() for name in ("a.h5", "b.h5"))
        run = self.start()
        with open(self.incoming / "a.h5", "wb") as file:
            file.write(a[:1000])
            file.flush()
            (self.incoming / "b.h5").write_bytes(b)
            (self.incoming / "end-of-run").touch()
            wait_until(lambda: self.taken() == ["b.h5"] or run.poll() is not None)
            wait_until(lambda: any("waiting for the writer" in text for text in self.log_lines())
                       or run.poll() is not None)
            file.write(a[1000:])
        self.finish(run)
        self.assertEqual(self.taken(), ["b.h5", "a.h5"])

    def test_a_writer_that_never_closes_is_given_up_by_name_some_time_after_the_end(self):
        self.follow_files("a.h5", "b.h5")
        self.drop(b"b.h5", "b.h5")
        with open(self.incoming / "a.h5", "wb") as file:
            file.write((self.folder / "sample-a.h5").read_bytes())
            file.flush()
            (self.incoming / "end-of-run").touch()
            said = self.finish(self.start(*self.WIDE, *self.HASTY), code=3)
        self.assertIn("refused: a.h5: somebody still has it open for writing", said)
        self.assertIn("300 counted", said)

    def test_a_clock_that_is_ahead_keeps_no_broken_file_waiting(self):
        self.follow_files("b.h5")
        self.drop(b"b.h5", "b.h5")
        (self.incoming / "a.h5").write_text("no events here\n")
        os.utime(self.incoming / "a.h5", (4e9, 4e9))
        run = self.start(*self.WIDE, *self.HASTY)
        wait_until(lambda: len(self.journal()) == 2 or run.poll() is not None)
        (self.incoming / "end-of-run").touch()
        self.assertIn("refused: a.h5: it is no event file", self.finish(run, code=3))

    def test_an_end_that_was_taken_away_again_is_told(self):
        self.follow_files("a.h5")
        self.drop(b"a.h5", "a.h5")
        (self.incoming / "end-of-run").touch()
        self.finish(self.start(*self.WIDE))
        (self.incoming / "end-of-run").unlink()
        said = self.finish(self.start(*self.WIDE), code=2)
        self.assertIn("the end of this input was seen before (end-of-run, after 1 files taken", said)
        self.assertIn("that file is gone", said)

    def log_lines(self):
        return [line for file in (self.folder / "state").glob("*/logs/reader.0.log")
                for line in file.read_text().splitlines()]

    def test_what_is_no_event_file_or_a_second_copy_is_refused_and_the_rest_goes_on(self):
        self.toy("events.h5", 3000, 333)
        self.incoming.mkdir()
        (self.incoming / "events-00000004x.h5").write_text("no events here\n")
        (self.incoming / ".hidden.h5").write_text("not looked at\n")
        (self.incoming / "events-00000005.h5.tmp").write_text("not looked at\n")
        self.feed("events.h5", "--no-end")
        self.break_middle(self.incoming / "events-00000002.h5")
        run = self.start()
        wait_until(lambda: len(self.taken()) == 13 or run.poll() is not None)
        (self.incoming / "events-00000000a.h5").write_bytes(
            (self.incoming / "events-00000000.h5").read_bytes())
        wait_until(lambda: len(self.journal()) == 16 or run.poll() is not None)
        (self.incoming / "end-of-run").touch()
        said = self.finish(run, code=3)
        refused = {line["refused"]: line["because"] for line in self.journal()
                   if "refused" in line}
        self.assertEqual(set(refused), {"events-00000002.h5", "events-00000004x.h5",
                                        "events-00000000a.h5"})
        for name, because in refused.items():
            self.assertIn(because, "it holds the same bytes as events-00000000.h5, which was taken"
                          if name.endswith("a.h5") else
                          "it is no event file that can be read from end to end")
            self.assertIn(f"refused {self.incoming}/{name}: {because}", said)
        self.assertEqual(contents(self.folder / "results.h5"), self.at_once())
        with h5py.File(self.folder / "results.h5") as file:
            told = {name.decode(): reason.decode() for name, reason in
                    zip(file["refused/file"][:], file["refused/reason"][:])}
        self.assertEqual(told, refused)
        report = self.command("report", "results.h5").stdout
        for name, because in refused.items():
            self.assertIn(f"refused: {name}: {because}", report)

    HASTY = ("--set", "stages.reader.settings.patience=2")
    WIDE = ("--set", "analysis.training.window=[2000, 5000]")

    def follow_files(self, *names):
        """Toy files of 300 events each, beside the folder."""
        self.incoming.mkdir()
        for seed, name in enumerate(names):
            self.toy(f"sample-{name}", 300, seed=seed + 1)

    def drop(self, name, source):
        """Whole under its name, as a transfer tool does at its end."""
        target = os.path.join(os.fsencode(self.incoming), name)
        shutil.copy(self.folder / f"sample-{source}", self.incoming / ".on-its-way")
        os.rename(self.incoming / ".on-its-way", target)

    def test_every_file_of_the_pattern_is_taken_whatever_its_name_and_turn(self):
        self.follow_files("m.h5", "a.h5", "odd.h5", "late.hdf5")
        self.drop(b"m.h5", "m.h5")
        run = self.start(*self.WIDE)
        wait_until(lambda: len(self.taken()) == 1)
        (self.incoming / "md5sums.txt").write_text("of no interest\n")
        (self.incoming / "zz.h5.part").write_text("half\n")
        (self.incoming / "sub.h5").mkdir()
        os.mkfifo(self.incoming / "pipe.h5")
        (self.incoming / "gone.h5").symlink_to("nowhere")
        self.drop(b"a.h5", "a.h5")  # sorts before one that is taken
        self.drop(b"\xe9v\xe9nements.h5", "odd.h5")  # Latin-1
        self.drop(b"late.hdf5", "late.hdf5")
        wait_until(lambda: len(self.taken()) == 4 or run.poll() is not None)
        (self.incoming / "end-of-run").touch()
        said = self.finish(run)
        self.assertEqual(sorted(self.taken()), sorted(["m.h5", "a.h5", "\\xe9v\\xe9nements.h5",
                                                       "late.hdf5"]))
        self.assertIn("1,200 counted", said)

    def test_a_file_that_may_not_be_read_is_waited_for_and_refused_alone(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to read as somebody else")
        self.follow_files("a.h5", "b.h5", "c.h5")
        for path in (self.folder, self.incoming):
            path.chmod(0o777)
        self.drop(b"a.h5", "a.h5"), self.drop(b"b.h5", "b.h5"), self.drop(b"c.h5", "c.h5")
        (self.incoming / "a.h5").chmod(0)
        (self.incoming / "b.h5").chmod(0)
        other = {"user": 65534, "group": 65534, "extra_groups": []}
        run = self.start(*self.WIDE, "--set", "stages.reader.settings.patience=12", **other)
        wait_until(lambda: self.taken() == ["c.h5"] or run.poll() is not None)
        (self.incoming / "b.h5").chmod(0o644)
        wait_until(lambda: "b.h5" in self.taken() or run.poll() is not None)
        (self.incoming / "end-of-run").touch()
        said = self.finish(run, code=3)
        self.assertIn("refused: a.h5: it cannot be opened: Permission denied", said)
        self.assertIn("600 counted", said)

    def test_a_taken_file_that_is_renamed_or_linked_is_neither_lost_nor_taken_twice(self):
        self.follow_files("a.h5", "b.h5")
        self.drop(b"a.h5", "a.h5")
        run = self.start(*self.WIDE)
        wait_until(lambda: self.taken() == ["a.h5"])
        os.link(self.incoming / "a.h5", self.incoming / "a-again.h5")
        os.rename(self.incoming / "a.h5", self.incoming / "z-renamed.h5")
        run.kill()
        run.communicate()
        run = self.start(*self.WIDE)  # reads it again, under another name
        self.drop(b"b.h5", "b.h5")
        wait_until(lambda: self.taken() == ["a.h5", "b.h5"] or run.poll() is not None)
        (self.incoming / "end-of-run").touch()
        self.assertIn("600 counted", self.finish(run))

    def test_a_second_data_taking_into_an_ended_folder_is_told_and_not_passed_over(self):
        self.follow_files("a.h5", "b.h5")
        self.drop(b"a.h5", "a.h5")
        (self.incoming / "end-of-run").touch()
        self.finish(self.start(*self.WIDE))
        self.finish(self.start(*self.WIDE))  # nothing has changed: the same answer
        self.drop(b"b.h5", "b.h5")
        said = self.finish(self.start(*self.WIDE), code=2)
        self.assertIn("the end of this input was seen before (end-of-run, after 1 files taken", said)
        self.assertIn("1 other files lie there now", said)
        self.assertIn("--state", said)

    @staticmethod
    def break_middle(path):
        """Offsets that go backwards, in a file that is fine at its beginning and its end."""
        with h5py.File(path, "r+") as file:
            offset = file["events/offset"]
            offset[120] = offset[130]

    def readers(self):
        """None for a moment where one was killed."""
        return [pid for pid, setup in stage_processes(self.folder) if setup["name"] == "reader"]

    def test_a_reader_killed_twice_gives_the_same_bytes(self):
        self.toy("events.h5", 6000, 333)
        self.incoming.mkdir()
        run = self.start()
        self.feed("events.h5", "--no-end")
        for least in (1, 3):
            wait_until(lambda: self.sealed() >= least or run.poll() is not None)
            wait_until(lambda: self.readers() or run.poll() is not None)
            os.kill(self.readers()[0], signal.SIGKILL)
        (self.incoming / "end-of-run").touch()
        said = self.finish(run)
        self.assertIn("stage reader.0 was killed", said)
        self.assertEqual(contents(self.folder / "results.h5"), self.at_once())

    def test_interrupted_it_goes_on_where_it_was_and_files_done_with_may_go(self):
        self.toy("events.h5", 4000, 333)
        self.incoming.mkdir()
        run = self.start()
        self.feed("events.h5", "--no-end")
        wait_until(lambda: self.sealed() >= 3 or run.poll() is not None)
        run.send_signal(signal.SIGINT)
        self.finish(run, 130)
        whole = self.folder / "whole"
        whole.mkdir()
        for file in sorted(self.incoming.iterdir()):
            (whole / file.name).write_bytes(file.read_bytes())
        (self.incoming / "events-00000000.h5").unlink()  # two batches and a half, long sealed
        self.toy("more.h5", 500, seed=3)
        self.feed("more.h5", "--prefix", "more")
        self.command("run", "follow.yaml", "--quiet")
        (self.incoming / "events-00000000.h5").write_bytes(
            (whole / "events-00000000.h5").read_bytes())
        self.assertEqual(len(self.taken()), 20)
        self.assertEqual(contents(self.folder / "results.h5"), self.at_once())

    def test_a_taken_file_that_changes_before_it_is_on_disk_ends_the_run_with_2(self):
        self.toy("events.h5", 3000)
        self.feed("events.h5", "--no-end")
        run = self.start(*settings(stages__log__settings__segment=64))
        wait_until(lambda: len(self.taken()) == 12 or run.poll() is not None)
        run.kill()
        run.communicate(timeout=60)
        wait_until(lambda: stage_processes(self.folder) == [])
        self.assertEqual(self.sealed(), 0)
        self.toy("incoming/events-00000003.h5", 250, seed=9)
        done = self.command("run", "follow.yaml", code=2)
        self.assertIn("events-00000003.h5: has changed since it was taken", done.stderr)
        self.assertFalse((self.folder / "results.h5").exists())

    def test_wrong_settings_are_refused_with_2(self):
        self.toy("events.h5", 10)
        self.incoming.mkdir()
        for change, because in (
                ({"files": "[absent]"}, "a folder to follow must be there"),
                ({"files": "[events.h5]"}, "events.h5 is no folder"),
                ({"files": "[incoming, .]"}, "must be one folder with follow: true"),
                ({"rows": "[0, 5]"}, "rows does not go with follow: true"),
                ({"masterkey": "key.txt"}, "masterkey does not go with follow: true"),
                ({"end": "../end"}, "without '/'"),
                ({"follow": "yes please"}, "true or false")):
            changes = {f"stages__reader__settings__{key}": value for key, value in change.items()}
            done = self.command("run", "follow.yaml", *settings(**changes), code=2)
            self.assertIn(because, done.stderr)
        done = self.command("run", "follow.yaml", *settings(
            stages__score__settings__results="incoming/results.h5"), code=2)
        self.assertIn("would be among the files that 'reader' reads", done.stderr)


class Feed(ProductCase):
    def test_files_of_so_many_events_hold_all_of_them_in_order(self):
        self.toy("events.h5", 730, 20)
        self.command("feed", "events.h5", "in", "--rate", 1000000, "--batch", 300, "--prefix", "x")
        names = sorted(file.name for file in (self.folder / "in").iterdir())
        self.assertEqual(names, ["end-of-run", "x-00000000.h5", "x-00000001.h5", "x-00000002.h5"])
        with h5py.File(self.folder / "events.h5") as file:
            whole = {key: file[f"events/{key}"][()] for key in ("pt", "eta", "phi", "label")}
        parts = {key: [] for key in whole}
        events = []
        for name in names[1:]:
            with h5py.File(self.folder / "in" / name) as file:
                events.append(len(file["events/offset"]) - 1)
                for key, values in parts.items():
                    values.append(file[f"events/{key}"][()])
        self.assertEqual(events, [300, 300, 150])
        for key, values in parts.items():
            np.testing.assert_array_equal(np.concatenate(values), whole[key])

    def test_what_it_makes_is_said_and_a_folder_that_was_there_is_not(self):
        self.toy("events.h5", 70)
        said = self.command("feed", "events.h5", "in", "--rate", 100000, "--batch", 30).stdout
        self.assertEqual(said, "made the folder in\n70 events are in in, in files of 30, and their "
                               "end: end-of-run\n")
        said = self.command("feed", "events.h5", "in", "--rate", 100000, "--prefix", "b", "--end",
                            "other", "--no-end").stdout
        self.assertEqual(said, "70 events are in in, in files of 512; no end yet\n")

    def test_a_hangup_that_is_ignored_stays_ignored(self):
        """As nohup has it."""
        self.toy("events.h5", 40)
        feeding = subprocess.Popen(
            ["nohup", CLUSTERSCAN, "feed", "events.h5", "in", "--rate", "100", "--batch", "10"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(feeding.kill)
        wait_until(lambda: len(list(self.folder.glob("in/*.h5"))) >= 1)
        feeding.send_signal(signal.SIGHUP)
        feeding.communicate(timeout=60)
        self.assertEqual(feeding.returncode, 0)
        self.assertTrue((self.folder / "in/end-of-run").exists())

    def test_interrupted_it_leaves_whole_files_and_no_end(self):
        self.toy("events.h5", 1000)
        feeding = subprocess.Popen(
            [CLUSTERSCAN, "feed", "events.h5", "in", "--rate", "100", "--batch", "10"],
            cwd=self.folder, stderr=subprocess.PIPE, text=True)
        self.addCleanup(feeding.kill)
        wait_until(lambda: len(list(self.folder.glob("in/*.h5"))) >= 2)
        feeding.send_signal(signal.SIGINT)
        _, said = feeding.communicate(timeout=60)
        self.assertEqual(feeding.returncode, 130)
        files = sorted((self.folder / "in").iterdir())
        self.assertEqual([file.suffix for file in files], [".h5"] * len(files))
        self.assertIn(f"{10 * len(files)} events are in in, and no end", said)

    def test_wrong_usage_ends_with_2_and_says_why(self):
        self.toy("events.h5", 10)
        for arguments, because in ((["events.h5", "in"], "--rate"),
                                   (["events.h5", "in", "--rate", "0"], "'0'"),
                                   (["events.h5", "in", "--rate", "5", "--end", "a/b"], "'a/b'"),
                                   (["absent.h5", "in", "--rate", "5"], "absent.h5"),
                                   (["events.h5", "a/b", "--rate", "5"], "a/b")):
            self.assertIn(because, self.command("feed", *arguments, code=2).stderr)
        self.command("feed", "events.h5", "in", "--rate", 100000)
        self.assertIn("is there already",
                      self.command("feed", "events.h5", "in", "--rate", 100000, code=2).stderr)


if __name__ == "__main__":
    main()
