# SPDX-License-Identifier: GPL-3.0-or-later
"""A topology without its left half reads what an earlier run has sealed, and gives the same bytes."""
import re
import signal
import subprocess

import h5py

from product import CLUSTERSCAN, SMALL, ProductCase, digest, main, settings, wait_until

# The lines of the reader and the imager are gone, and the log takes from nobody.
REPLAY = re.sub(r"  (reader|images): .*\n", "", SMALL).replace("from: images, ", "")


def listing(folder):
    """Every file below, with what changes when it is written."""
    return {path.relative_to(folder): (path.stat().st_mtime_ns, path.stat().st_size)
            for path in sorted(folder.rglob("*"))}


class Replay(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        (self.folder / "replay.yaml").write_text(REPLAY)
        self.toy("events.h5", 3333, 333)

    def log(self, state="state"):
        logs = list((self.folder / state).glob("*/manifest.jsonl"))
        self.assertEqual(len(logs), 1)
        return logs[0].parent

    def full(self, *arguments, topology="small.yaml", results="full.h5"):
        self.command("run", topology, "--quiet",
                     *settings(stages__score__settings__results=results), *arguments)
        return digest(self.folder / results)

    def refused(self, *arguments):
        said = self.command("run", "replay.yaml", *arguments, code=2).stderr
        self.assertFalse((self.folder / "results.h5").exists())
        return said

    def replay(self, *arguments):
        self.command("run", "replay.yaml", "--quiet", *arguments)
        found = digest(self.folder / "results.h5")
        (self.folder / "results.h5").unlink()
        return found

    def test_a_replay_gives_the_same_bytes_without_the_events(self):
        full = self.full()
        (self.folder / "events.h5").unlink()
        before = listing(self.log())
        self.assertEqual(self.replay(), full)
        self.assertEqual(self.replay(*settings(stages__spectra__replicas=3, transport="tcp",
                                               security="none")), full)
        self.assertEqual(listing(self.log()), before)

    def test_so_it_does_for_two_readers(self):
        self.toy("more.h5", 1111, 77, seed=5)
        (self.folder / "two.yaml").write_text(
            SMALL.replace("  images:", "  other:   {run: event_reader, settings: {files: [more.h5]}}"
                          "\n  images:").replace("from: reader", "from: [reader, other]"))
        self.assertEqual(self.full(topology="two.yaml"), self.replay())

    def test_another_training_gives_what_a_full_run_with_it_gives(self):
        self.full()
        for change in (settings(analysis__training__seed=2), settings(analysis__stream__slice=5)):
            self.assertEqual(self.replay(*change), self.full(*change))

    def test_the_log_is_found_by_its_path_from_another_state_folder(self):
        full = self.full()
        path = str(self.log())
        self.assertEqual(self.replay("--state", "mine", "--set", f"stages.log.settings.folder={path}"),
                         full)
        with h5py.File(self.folder / "full.h5") as file:
            run_id = file.attrs["run_id"]
        run_id = run_id.decode() if isinstance(run_id, bytes) else run_id
        self.assertEqual([p.name for p in (self.folder / "mine").iterdir()], [f"replay-{run_id}"])

    def test_of_two_logs_one_must_be_named(self):
        full = self.full()
        path = self.log()
        self.full(*settings(analysis__image__pixels=30), results="other.h5")
        said = self.refused()
        for log in (self.folder / "state").glob("*/manifest.jsonl"):
            self.assertIn(f"state/{log.parent.name}", said)
        self.assertIn("settings.folder", said)
        self.assertEqual(self.replay("--set", f"stages.log.settings.folder={path}"), full)

    def test_an_analysis_with_other_images_is_refused_key_by_key(self):
        self.full()
        said = self.refused(*settings(analysis__stream__batch=99, analysis__jets__radius=0.8,
                                      analysis__image__pixels=30))
        for words in ("analysis.stream.batch is 99, ", "analysis.jets.radius is 0.8, ",
                      "analysis.image.pixels is 30, ", "were made with 100",
                      "were made with 1.0", "were made with 40"):
            self.assertIn(words, said)
        self.assertEqual(said.count("error: "), 3)

    def test_a_log_whose_run_was_interrupted_is_refused_until_it_is_complete(self):
        self.toy("events.h5", 20000, 333)
        run = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml"], cwd=self.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.kill)
        wait_until(lambda: list((self.folder / "state").glob("*/segment-000001.h5"))
                   or run.poll() is not None)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=300)
        self.assertEqual(run.returncode, 130, said)
        self.assertNotIn('"complete"', (self.log() / "manifest.jsonl").read_text())
        self.assertIn("not complete", self.refused())
        self.assertEqual(self.full(), self.replay())

    def test_a_damaged_segment_is_named_and_left_as_it_is(self):
        self.full()
        segment = self.log() / "segment-000001.h5"
        content = bytearray(segment.read_bytes())
        content[len(content) // 2] ^= 1
        segment.write_bytes(content)
        before = listing(self.log())
        self.assertIn("state/" + str(segment.relative_to(self.folder / "state")), self.refused())
        self.assertEqual(listing(self.log()), before)

    def test_where_there_is_no_log_there_is_nothing_to_replay(self):
        self.assertIn("state cannot be read", self.refused())
        (self.folder / "state").mkdir()
        self.assertIn("nothing to replay: no log folder in state", self.refused())
        self.assertIn("elsewhere/manifest.jsonl: there is no such file",
                      self.refused("--set", "stages.log.settings.folder=elsewhere"))

    def test_a_folder_to_read_is_only_for_a_replay(self):
        said = self.command("validate", "small.yaml", "--set", "stages.log.settings.folder=x", code=2)
        self.assertIn("stages.log.settings.folder is for a replay", said.stderr)

    def test_a_forgotten_from_is_no_replay(self):
        (self.folder / "forgotten.yaml").write_text(SMALL.replace("from: images, ", ""))
        said = self.command("validate", "forgotten.yaml", code=2)
        self.assertIn("'log' (image_log) lacks an input", said.stderr)


if __name__ == "__main__":
    main()
