# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of several sources in the log: in rounds, or each evenly over the whole."""
import json
import signal
import subprocess

import h5py

from product import (CLUSTERSCAN, SMALL, SOURCE, ProductCase, digest, main, settings, wait_until)

TWO = SMALL.replace("  images:", "  signal:  {run: event_reader, settings: {files: [signal.h5]}}\n"
                    "  images:").replace("from: reader", "from: [reader, signal]")
EVEN = settings(stages__log__settings__order="proportional")


class Order(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "two.yaml").write_text(TWO)
        self.toy("events.h5", 2307)
        self.toy("signal.h5", 5, 295, seed=3)

    def sources(self, state):
        """The source of every batch, in the log's order."""
        found = ""
        for segment in sorted((self.folder / state).glob("*/segment-*.h5")):
            with h5py.File(segment) as file:
                found += "".join(str(source) for source in file["batch/source"][:])
        return found

    def log_id(self, *arguments):
        told = self.command("run", "two.yaml", *arguments).stderr
        return told.split("images in ")[1].split()[0].split("/")[-1]

    def test_in_rounds_by_default_and_in_proportion_if_asked(self):
        self.command("run", "two.yaml", "--state", "rounds")
        self.assertEqual(self.sources("rounds"), 3 * "01" + 21 * "0")
        self.command("run", "two.yaml", "--state", "even", *EVEN)
        # 24 and 3 batches: those of the signal at 1/6, 1/2, 5/6 of the way.
        self.assertEqual(self.sources("even"), "00001" + "00000000" + "1" + "00000000" + "1" + "0000")
        manifest = next((self.folder / "even").glob("*/manifest.jsonl")).read_text().splitlines()
        self.assertEqual([json.loads(line)["extents"] for line in manifest if "extents" in line],
                         [[24, 3]])

    def test_each_order_has_a_log_of_its_own(self):
        self.assertNotEqual(self.log_id(), self.log_id(*EVEN))

    def test_the_order_survives_an_interrupted_run(self):
        self.toy("events.h5", 20011)
        self.command("run", "two.yaml", "--state", "calm", *EVEN)
        calm = digest(self.folder / "results.h5")
        (self.folder / "results.h5").unlink()
        run = subprocess.Popen([CLUSTERSCAN, "run", "two.yaml", "--state", "cut", *EVEN],
                               cwd=self.folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        wait_until(lambda: list((self.folder / "cut").glob("*/segment-000003.h5"))
                   or run.poll() is not None)
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=300), 130)
        self.command("run", "two.yaml", "--state", "cut", *EVEN)
        self.assertEqual(self.sources("cut"), self.sources("calm"))
        self.assertEqual(digest(self.folder / "results.h5"), calm)

    def test_a_source_without_rows_takes_no_part(self):
        self.command("run", "two.yaml", "--state", "even", *EVEN, "--set",
                     "stages.signal.settings.rows=[0, 0]")
        self.assertEqual(self.sources("even"), 24 * "0")

    def test_a_followed_folder_has_no_proportion(self):
        said = self.command("validate", "two.yaml", *EVEN, "--set",
                            "stages.signal.settings.follow=true", "--set",
                            "stages.signal.settings.files=[coming]", code=2).stderr
        self.assertIn("stages.log.settings.order: proportional needs the number of batches of every "
                      "source at the start, but signal follows a folder", said)

    def test_the_search_with_own_files_mixes_background_and_signal(self):
        for folder in ("background", "signal"):
            (self.folder / folder).mkdir()
        self.toy("background/a.h5", 6007)
        self.toy("signal/a.h5", 5, 1500, seed=3)
        self.command("run", SOURCE / "topology" / "bump-hunt.yaml", "--set",
                     "stages.signal.settings.rows=[0, 1500]", *settings(
                         analysis__stream__batch=100, analysis__training__ensemble=2,
                         analysis__training__clusters=5,
                         analysis__training__window="[2000, 4000]"))
        found = self.sources("state")
        half = len(found) // 2
        self.assertLessEqual(abs(found[:half].count("1") - found[half:].count("1")), 1)


if __name__ == "__main__":
    main()
