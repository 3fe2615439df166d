# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan graph, as a user calls it."""
import re
import shutil
import subprocess
import unittest

import product
from product import SMALL, SOURCE

TOPOLOGIES = sorted((SOURCE / "topology").rglob("*.yaml"))


class Graph(product.ProductCase):
    def setUp(self):
        super().setUp()
        # The programs of users that the topologies name must be there to be executed.
        for path in TOPOLOGIES:
            for program in re.findall(r"run: *([^ ,}]+/[^ ,}]+)", path.read_text()):
                file = self.folder / program
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("#!/bin/sh\n")
                file.chmod(0o755)

    def test_mermaid_shows_stages_messages_replicas_and_files(self):
        text = self.command("graph", SOURCE / "topology/lhco.yaml").stdout
        self.assertEqual(text.splitlines()[0], "flowchart LR")
        for part in ('s0["reader<br/>event_reader"]', 's1["images x 2<br/>jet_image"]',
                     's2[("log<br/>image_log")]', "s0 -->|event_batch| s1",
                     "s1 -->|image_batch| s2", "s3 -->|model| s4", "s4 -->|spectra| s5",
                     "s5 -->|selection| s6", '[/"events/*.h5"/]', '[/"results.h5"/]'):
            self.assertIn(part, text)

    def test_set_reaches_the_picture(self):
        text = self.command("graph", SOURCE / "topology/lhco.yaml", "--set",
                            "stages.images.replicas=7").stdout
        self.assertIn("images x 7", text)

    def test_every_edge_joins_two_boxes_that_are_there(self):
        self.assertGreater(len(TOPOLOGIES), 2)
        for path in TOPOLOGIES:
            with self.subTest(path.name):
                text = self.command("graph", path).stdout
                boxes = set(re.findall(r"^    (\w+)[\[(]", text, re.M))
                edges = re.findall(r"^    (\w+) -(?:->\|\w+\||\.->) (\w+)$", text, re.M)
                self.assertGreater(len(edges), 1)
                self.assertLessEqual({end for edge in edges for end in edge}, boxes)
                self.assertEqual({end for edge in edges for end in edge}, boxes)

    @unittest.skipUnless(shutil.which("dot"), "graphviz is not on this machine")
    def test_graphviz_draws_every_topology(self):
        for path in TOPOLOGIES:
            with self.subTest(path.name):
                text = self.command("graph", "--dot", path).stdout
                drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True,
                                       text=True, check=True)
                self.assertEqual(drawn.stderr, "")
                self.assertIn("</svg>", drawn.stdout)
                self.assertEqual(drawn.stdout.count('class="edge"'), text.count(" -> "))

    @unittest.skipUnless(shutil.which("dot"), "graphviz is not on this machine")
    def test_odd_file_names_stay_text(self):
        (self.folder / "odd.yaml").write_text(
            SMALL.replace("results: results.h5", "results: 'a \"b\\ <c>#1`.h5'"))
        text = self.command("graph", "--dot", "odd.yaml").stdout
        drawn = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True)
        self.assertEqual((drawn.returncode, drawn.stderr), (0, ""))
        self.assertIn('a \\"b\\\\ <c>#1`.h5', drawn.stdout)
        mermaid = self.command("graph", "odd.yaml").stdout
        self.assertIn('[/"a #34;b\\ #60;c#62;#35;1#96;.h5"/]', mermaid)

    def test_a_broken_topology_and_wrong_usage_end_with_2(self):
        (self.folder / "broken.yaml").write_text(SMALL.replace("from: log}", "from: logg}"))
        for arguments, because in ((["broken.yaml"], "broken.yaml:"), ([], "which topology"),
                                   (["a.yaml", "b.yaml"], "'b.yaml'")):
            done = self.command("graph", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    product.main()
