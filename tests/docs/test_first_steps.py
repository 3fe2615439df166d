# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that README and swapping.md can be followed: after tools/demo their commands are run as they
stand there, in a copy of what they need of the source tree."""
import os
import re
import shutil
import subprocess
import tempfile
import pathlib

import h5py

import product
from product import BIN, CLUSTERSCAN, SOURCE

# Commands of the system that a test must not run; they do nothing.
NOT_RUN = ("sudo", "cmake")


def blocks(page):
    """The commands of a page, a text per block."""
    return re.findall(r"^```\n(.*?)^```$", (SOURCE / page).read_text(encoding="utf-8"),
                      re.DOTALL | re.MULTILINE)


def blocks_with(page, word):
    return [block for block in blocks(page) if word in block]


class FirstSteps(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        """One demo serves all tests; each of them writes files of its own."""
        cls.tree = pathlib.Path(tempfile.mkdtemp(prefix="clusterscan-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.tree, ignore_errors=True)
        for name in ("topology", "tools"):
            shutil.copytree(SOURCE / name, cls.tree / name)
        (cls.tree / "build/release").mkdir(parents=True)
        (cls.tree / "build/release/bin").symlink_to(BIN)
        (cls.tree / "fakes").mkdir()
        for name in NOT_RUN:
            (cls.tree / "fakes" / name).symlink_to("/bin/true")
        cls.environment = {**os.environ, "DEMO_BIN": str(BIN), "PATH": ":".join(
            [str(cls.tree / "fakes"), str(BIN), os.environ["PATH"]])}
        cls.environment.pop("CLUSTERSCAN_STATE", None)
        cls.demo = subprocess.run(["tools/demo"], cwd=cls.tree, env=cls.environment, check=True,
                                  capture_output=True, text=True)

    def follow(self, text):
        """Runs a block as a reader would, each line after the one before."""
        done = subprocess.run(["bash", "-euc", text + "\nwait\n"], cwd=self.tree,
                              env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300)
        self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}\n{done.stderr}")
        return done

    def logs(self):
        """The folders of images in the demo's state folder."""
        return [path for path in (self.tree / "demo/state").iterdir()
                if (path / "manifest.jsonl").exists()]

    def scores(self, name):
        with h5py.File(self.tree / "demo" / name) as file:
            return file["score/mls"][:].tolist(), file["score/bin"][:].tolist()

    def test_the_demo_draws_its_figures_and_says_where_its_images_are(self):
        self.assertTrue((self.tree / "demo/figures/summary.pdf").exists())
        self.assertIn("demo/state", self.demo.stdout)

    def test_a_replay_and_a_selector_in_python_use_the_images_of_the_demo(self):
        said = ""
        for word in ("python-selector", "replay.yaml"):
            for block in blocks_with("README.md", word):
                said += self.follow(block).stdout
        self.assertIn("The results are equal.", said)
        self.assertEqual(len(self.logs()), 1)
        for name in ("replay.h5", "python.h5"):
            self.assertEqual(self.scores(name), self.scores("results.h5"))

    def test_the_page_about_swapping_can_be_followed(self):
        before = product.digest(self.tree / "demo/results.h5")
        for word in ("python-selector", "shadow", "replay.yaml"):
            found = blocks_with("docs/swapping.md", word)
            self.assertTrue(found, word)
            for block in found:
                # compare ends with 1, as a shadow is another answer
                self.follow(re.sub(r"^(clusterscan compare .*)$", r"\1 || [ $? = 1 ]", block,
                                   flags=re.MULTILINE))
        self.assertEqual(len(self.logs()), 1)
        self.assertEqual(self.scores("usual.h5"), self.scores("results.h5"))
        self.assertNotEqual(self.scores("shadow.h5"), self.scores("results.h5"))
        self.assertEqual(product.digest(self.tree / "demo/results.h5"), before)

    def test_what_the_topologies_say_of_themselves_can_be_followed(self):
        for name in ("replay.yaml", "swap/python-selector.yaml", "swap/shadow.yaml"):
            text = (SOURCE / "topology" / name).read_text()
            commands = re.findall(r"^#   (clusterscan run (?:[^\\\n]|\\\n)*)", text, re.MULTILINE)
            self.assertTrue(commands, name)
            for command in commands:
                [log] = self.logs()
                self.follow(command.replace("\n#", "\n").replace("LOG_ID", log.name))
        self.assertFalse((self.tree / "state").exists() and
                         len(list((self.tree / "state").glob("*/segment-*.h5"))) > 0)

    def test_own_events_and_near_online_running_work_as_written(self):
        """With a small file under the published one's name."""
        tree, self.tree = self.tree, self.folder
        shutil.copytree(tree / "topology", self.folder / "topology")
        (self.folder / "build").symlink_to(tree / "build")
        self.toy("events_anomalydetection_v2.h5", 6000, 333)
        for block in blocks_with("README.md", "events_anomalydetection_v2.h5"):
            self.follow(block)
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(file.attrs["events_read"], 6333)


if __name__ == "__main__":
    product.main()
