# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the bash completion: the function is called as readline calls it."""
import os
import re
import subprocess

import product
from product import BIN, CLUSTERSCAN, SOURCE

# Words as readline splits them: = stands alone.
CALL = """
compopt() { :; } # readline's own, which is not there
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_clusterscan clusterscan "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(product.ProductCase):
    def complete(self, *words):
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", CALL, "bash",
                               SOURCE / "tools/completion/clusterscan.bash", "clusterscan",
                               *words], cwd=self.folder, env=environment, capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_every_command_the_program_lists_is_offered(self):
        listed = re.findall(r"^  ([a-z]+) ", self.command("--help").stdout.split("\n\n")[1],
                            re.MULTILINE)
        self.assertEqual(self.complete("")[:len(listed)], listed)
        self.assertEqual(self.complete("vali"), ["validate"])

    def test_options_are_those_of_the_command(self):
        self.assertEqual(self.complete("run", "--st"), ["--state="])
        self.assertEqual(self.complete("report", "--j"), ["--json"])
        self.assertNotIn("--events=", self.complete("run", "--"))
        self.assertIn("--events=", self.complete("generate", "--"))

    def test_an_example_in_the_help_is_no_option(self):
        self.assertEqual(self.complete("run", "--set"), ["--set="])

    def test_topologies_come_first_where_one_is_wanted(self):
        for name in ("a.yaml", "a.h5", "notes.txt"):
            (self.folder / name).touch()
        (self.folder / "folder").mkdir()
        self.assertEqual(sorted(self.complete("run", "")), ["a.yaml", "folder"])
        self.assertEqual(sorted(self.complete("report", "")), ["a.h5", "folder"])
        self.assertEqual(self.complete("run", "not"), ["notes.txt"])

    def test_set_offers_the_keys_of_the_topology_on_the_line(self):
        (self.folder / "small.yaml").write_text(product.SMALL)
        self.assertEqual(self.complete("run", "--set", "analysis.jets.r"),
                         ["analysis.jets.radius="])
        self.assertEqual(self.complete("run", "small.yaml", "--set", "stages.score.settings.r"),
                         ["stages.score.settings.results="])
        # --set=analysis.jets.r
        self.assertEqual(self.complete("run", "--set", "=", "analysis.jets.r"),
                         ["analysis.jets.radius="])
        self.assertIn("transport=", self.complete("run", "--set", "="))

    def test_set_offers_the_values_of_a_key(self):
        (self.folder / "small.yaml").write_text(product.SMALL)
        for words, expected in (
                (["--set", "analysis.score.approximation", "="], ["poisson", "gaussian", "binomial"]),
                (["--set", "analysis.score.approximation", "=", "ga"], ["gaussian"]),
                (["--set", "=", "analysis.score.approximation", "=", "ga"], ["gaussian"]),
                (["--set", "stages.reader.settings.follow", "=", ""], ["true", "false"]),
                (["--set", "transport", "=", "t"], ["tcp"]),
                (["--set", "stages.select.run", "=", "rob"], ["robust_selector"]),
                (["--set", "stages.select.from", "=", "spe"], ["spectra"]),
                (["--set", "analysis.training.clusters", "="], ["50"])):
            self.assertEqual(self.complete("run", "small.yaml", *words), expected, words)
        (self.folder / "events.h5").touch()
        self.assertEqual(self.complete("run", "small.yaml", "--set", "stages.score.settings.results",
                                       "=", "ev"), ["events.h5"])

    def test_plot_offers_how_a_member_is_chosen(self):
        self.assertEqual(self.complete("plot", "--member", "l"), ["largest"])

    def test_the_state_folder_is_a_folder(self):
        (self.folder / "state").mkdir()
        (self.folder / "stated.txt").touch()
        self.assertEqual(self.complete("run", "--state", "sta"), ["state"])


class Reference(product.ProductCase):
    def test_the_keys_of_a_topology_can_be_set(self):
        (self.folder / "small.yaml").write_text(product.SMALL)
        keys = self.command("reference", "keys", "small.yaml").stdout.split()
        self.assertIn("stages.images.replicas", keys)
        for key in keys:
            done = subprocess.run([CLUSTERSCAN, "validate", "small.yaml", "--set",
                                   f"{key}=[bad, worse, worst]"], cwd=self.folder,
                                  capture_output=True, text=True)
            self.assertNotIn("unknown key", done.stderr)

    def test_a_broken_topology_has_no_keys(self):
        (self.folder / "broken.yaml").write_text("version: 2\n")
        done = self.command("reference", "keys", "broken.yaml", code=2)
        self.assertEqual(done.stdout, "")

    def test_an_unknown_page_is_refused_with_those_there_are(self):
        done = self.command("reference", "weather", code=2)
        self.assertIn("no reference of 'weather'; there are topology, messages", done.stderr)
        self.command("reference", code=2)
        self.command("reference", "schema", "small.yaml", code=2)


if __name__ == "__main__":
    product.main()
