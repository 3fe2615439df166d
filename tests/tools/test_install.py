# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that what is installed is all a user needs: the examples run from there, and nothing in it
knows of the source tree or of where it was installed."""
import os
import re
import subprocess

import h5py

import product
from product import BIN, SOURCE

WANTED = """
bin/clusterscan
libexec/clusterscan/event_reader libexec/clusterscan/mls_scorer
lib/pkgconfig/clusterscan.pc include/clusterscan/common/stage/stage.h
share/clusterscan/topology.schema.json
share/clusterscan/topology/demo.yaml share/clusterscan/topology/lhco.yaml
share/clusterscan/topology/bump-hunt.yaml share/clusterscan/topology/replay.yaml
share/clusterscan/topology/two-logs.yaml
share/clusterscan/topology/swap/python-selector.yaml
share/clusterscan/topology/swap/robust_selector.py
share/clusterscan/topology/swap/c-stage/poisson_selector.c
share/clusterscan/topology/swap/c-stage/log_image.c
share/bash-completion/completions/clusterscan
share/man/man1/clusterscan.1 share/man/man5/clusterscan-topology.5
share/doc/clusterscan/README.md share/doc/clusterscan/LICENSE share/doc/clusterscan/CONTRIBUTING.md
share/doc/clusterscan/docs/physics.md share/doc/clusterscan/docs/swapping.md
""".split()


class Install(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        first = self.folder / "first"
        self.shell(["cmake", "--install", str(BIN.parent), "--prefix", str(first)])
        self.prefix = first.rename(self.folder / "moved")
        self.share = self.prefix / "share" / "clusterscan"

    def shell(self, command, **options):
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def installed(self, *arguments):
        return self.shell([str(self.prefix / "bin/clusterscan"), *map(str, arguments)])

    def test_everything_a_user_needs_is_there(self):
        for name in WANTED:
            found = self.prefix / name
            # Debian puts libraries into a folder of the architecture when told to.
            self.assertTrue(found.exists() or list(self.prefix.glob(
                name.replace("lib/", "lib/*/", 1))), name)

    def test_nothing_of_it_names_the_source_tree(self):
        for path in self.prefix.rglob("*"):
            if path.is_file() and path.suffix in (".yaml", ".py", ".md", ".json", ".pc", ".h", ".c"):
                text = path.read_text(encoding="utf-8")
                for word in (str(SOURCE), str(self.folder)):
                    self.assertNotIn(word, text, path)

    def test_the_links_of_the_documents_lead_somewhere(self):
        documents = self.prefix / "share/doc/clusterscan"
        for page in documents.glob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")

    def test_the_examples_run_from_there(self):
        (self.folder / "events").mkdir()
        self.toy("events/toy.h5", 6000, 333)
        topology = self.share / "topology"
        self.installed("validate", topology / "lhco.yaml")
        self.installed("run", topology / "lhco.yaml", "--quiet")
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(file.attrs["events_read"], 6333)

    def test_a_stage_in_python_is_found_beside_its_topology(self):
        (self.folder / "demo").mkdir()
        self.toy("demo/events.h5", 6000, 333)
        topology = self.share / "topology"
        self.installed("run", topology / "demo.yaml", "--quiet", "--state", "demo/state")
        self.installed("run", topology / "swap/python-selector.yaml", "--quiet", "--state",
                       "demo/state")
        with h5py.File(self.folder / "demo/results.h5") as ours, \
                h5py.File(self.folder / "demo/python.h5") as theirs:
            self.assertEqual(ours["selection/label"][:].tolist(),
                             theirs["selection/label"][:].tolist())

    def test_a_program_where_we_are_goes_before_one_beside_the_topology(self):
        (self.folder / "demo").mkdir()
        self.toy("demo/events.h5", 1000)
        own = self.folder / "robust_selector.py"
        own.write_text("#!/bin/sh\necho 'here I am'\nexit 2\n")
        own.chmod(0o755)
        done = subprocess.run([str(self.prefix / "bin/clusterscan"), "run",
                               str(self.share / "topology/swap/python-selector.yaml")],
                              cwd=self.folder, capture_output=True, text=True, timeout=300,
                              env=os.environ)
        self.assertEqual(done.returncode, 2)
        self.assertIn("here I am", done.stderr)


if __name__ == "__main__":
    product.main()
