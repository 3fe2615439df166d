# SPDX-License-Identifier: GPL-3.0-or-later
"""A log that comes back with less, or loses a segment while others read it, gets it again."""
import os
import signal
import subprocess

import refusals
from product import (CLUSTERSCAN, SMALL, ProductCase, digest, main, settings, stage_processes,
                     wait_until)

# Segments of 4 batches, 7 of them; the last has fewer.
TOPOLOGY = SMALL.replace("segment: 8", "segment: 4")


class Damage(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(TOPOLOGY)
        self.toy("events.h5", 2599, 131, seed=9)

    def run_it(self, *arguments, code=0):
        return self.command("run", "small.yaml", *arguments, code=code).stderr

    def answer(self):
        found = digest(self.folder / "results.h5")
        (self.folder / "results.h5").unlink()
        return found

    def log(self):
        return next(path.parent for path in (self.folder / "state").glob("*/manifest.jsonl"))

    def finished(self):
        self.run_it()
        self.whole = self.answer()
        self.segments = sorted(self.log().glob("segment-*.h5"))
        self.assertEqual(len(self.segments), 7)
        self.bytes = [segment.read_bytes() for segment in self.segments]

    def check_again(self, *said):
        """The same answer and the same segments as before, by a run that says what it did."""
        told = self.run_it()
        self.assertEqual(self.answer(), self.whole)
        for words in said:
            self.assertIn(words, told)
        self.assertEqual([segment.read_bytes() for segment in self.segments], self.bytes)

    def test_a_flipped_bit_in_a_segment_makes_its_batches_be_read_again(self):
        self.finished()
        damaged = bytearray(self.bytes[3])
        damaged[len(damaged) // 3] ^= 16
        self.segments[3].write_bytes(damaged)
        self.check_again("segment-000003.h5 is damaged: it does not fit the digest it was sealed "
                         "with; moved aside to ", "segment-000003.h5.damaged; segments 4 to 6 are "
                         "moved aside (.aside): 16 batches are read again")
        self.assertEqual((self.log() / "segment-000003.h5.damaged").read_bytes(), damaged)
        for i in (4, 5, 6):
            self.assertEqual((self.log() / f"segment-00000{i}.h5.aside").read_bytes(),
                             self.bytes[i])

    def test_so_it_is_for_the_first_the_last_and_a_missing_one_and_again(self):
        self.finished()
        os.truncate(self.segments[0], 777)
        self.check_again("28 batches are read again")
        os.truncate(self.segments[6], 0)
        self.check_again("segment-000006.h5 is damaged", "4 batches are read again")
        self.segments[5].unlink()
        self.check_again("segment-000005.h5 is missing; segment 6 is moved aside (.aside): 8 "
                         "batches are read again")
        os.truncate(self.segments[6], 1)
        self.check_again()
        self.assertEqual((self.log() / "segment-000006.h5.damaged.1").stat().st_size, 1)

    def test_a_damaged_line_of_the_manifest_costs_what_stands_behind_it(self):
        self.finished()
        manifest = self.log() / "manifest.jsonl"
        lines = manifest.read_bytes().splitlines(keepends=True)
        lines[5] = lines[5].replace(b'"batches":4', b'"batches":5')
        manifest.write_bytes(b"".join(lines))
        self.check_again("manifest.jsonl: line 6 is damaged: 3 segments before it are kept")
        self.assertEqual((self.log() / "manifest.jsonl.damaged").read_bytes(), b"".join(lines))

    def test_files_taken_from_a_followed_folder_are_read_again(self):
        (self.folder / "coming").mkdir()
        for number, events in enumerate((1207, 13, 1111)):
            self.toy(f"coming/{number}.h5", events, 31, seed=number + 5)
        (self.folder / "coming" / "end").touch()
        (self.folder / "small.yaml").write_text(TOPOLOGY.replace(
            "files: [events.h5]", "files: [coming], follow: true, end: end"))
        self.finished()
        os.truncate(self.segments[1], 999)
        self.check_again("segment-000001.h5 is damaged", "moved aside")

    def test_events_that_are_gone_end_the_run_with_their_name(self):
        self.finished()
        os.truncate(self.segments[2], 5000)
        (self.folder / "events.h5").rename(self.folder / "gone.h5")
        told = self.run_it(code=2)
        self.assertIn("events.h5", told)
        self.assertFalse((self.folder / "results.h5").exists())
        (self.folder / "gone.h5").rename(self.folder / "events.h5")
        self.check_again()

    def test_all_segments_gone_is_no_new_beginning(self):
        self.finished()
        for segment in self.segments:
            segment.unlink()
        self.assertRegex(self.run_it(code=2), r"segment-000000\.h5 is missing, and none of 7 segments "
                         r"is usable; nothing was changed\. Restore the folder, or remove it")

    def test_a_pipe_or_a_folder_in_place_of_a_segment_ends_the_run_at_once(self):
        self.finished()
        self.segments[4].unlink()
        os.mkfifo(self.segments[4])
        self.assertIn("segment-000004.h5: found a named pipe, expected a regular file",
                      self.run_it(code=2))
        self.segments[4].unlink()
        self.segments[4].mkdir()
        told = self.run_it(code=2)
        self.assertIn("segment-000004.h5: found a folder, expected a regular file", told)
        self.assertNotIn("starting it again", told)

    def test_a_file_that_may_not_be_read_ends_the_run_at_once(self):
        # By a user who is not root, whom no mode keeps out.
        user = refusals.other_user()
        self.folder.chmod(0o777)
        self.command("run", "small.yaml", **user)
        manifest = self.log() / "manifest.jsonl"
        for file in (self.log() / "segment-000003.h5", manifest):
            (self.folder / "results.h5").unlink(missing_ok=True)
            file.chmod(0)
            told = self.command("run", "small.yaml", code=2, **user).stderr
            file.chmod(0o644)
            self.assertIn(f"{file.name}: cannot be opened: Permission denied", told)
            self.assertNotIn("starting it again", told)

    def test_a_segment_lost_while_readers_live_is_read_again(self):
        # Accumulators and trainer are killed when the log has all; they read it from the start, with
        # a segment gone.
        self.toy("events.h5", 40000, 131, seed=9)
        run = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", "--state", "live"],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.kill)
        late = wait_until(lambda: run.poll() is not None or
                          list((self.folder / "live").glob("*/segment-000020.h5")))
        self.assertIsInstance(late, list, "the run ended before it could be damaged")
        os.truncate(late[0].parent / "segment-000002.h5", 4321)
        for pid, setup in stage_processes(self.folder):
            if setup["name"] in ("trainer", "spectra"):
                os.kill(pid, signal.SIGKILL)
        said, _ = run.communicate(timeout=600)
        self.assertEqual(run.returncode, 0, said)
        found = self.answer()
        self.assertRegex(said, r"segment-000002\.h5 is damaged: .*; moved aside to .* batches are "
                               r"read again")
        self.run_it(*settings(stages__score__settings__results="calm.h5"), "--state", "calm")
        self.assertEqual(digest(self.folder / "calm.h5"), found)


if __name__ == "__main__":
    main()
