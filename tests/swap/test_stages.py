# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages of others take the place of ours by the topology file alone: in Python, in C built against
the installed library, beside ours; killed like ours."""
import os
import signal
import subprocess

import h5py
import numpy as np

from product import (BIN, CLUSTERSCAN, SMALL, SOURCE, ProductCase, main, settings, stage_processes,
                     wait_until)

SWAP = SOURCE / "topology" / "swap"
PYTHON = f"stages.select.run={SWAP / 'robust_selector.py'}"
SHADOW = """  select2: {run: %s, from: spectra, settings: {threshold: 2.0}}
  score2:  {run: mls_scorer, from: [select2, trainer], settings: {results: shadow.h5}}
"""


def datasets(path):
    """Every dataset of an HDF5 file by its name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name: node[()]})
                        if isinstance(node, h5py.Dataset) else None)
    return found


class SwapCase(ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 6000, 333)

    def run_small(self, results, *changes):
        self.command("run", "small.yaml", "--quiet",
                     *settings(stages__score__settings__results=results), *changes)
        return datasets(self.folder / results)

    def expect_same_answer(self, ours, theirs):
        """Labels and counts are equal; z and MLS to 1e-12 (sums in another order, no more)."""
        self.assertEqual(ours.keys(), theirs.keys())
        for name, value in ours.items():
            with self.subTest(name):
                if name == "selection/z" or name.startswith("score/mls") or "history/mls" in name:
                    np.testing.assert_allclose(theirs[name], value, rtol=1e-12, atol=1e-12)
                else:
                    np.testing.assert_array_equal(theirs[name], value)
        self.assertGreater(ours["selection/label"].sum(), 0)


class SelectorInPython(SwapCase):
    def test_the_selector_in_python_has_at_most_100_lines(self):
        self.assertLessEqual(len((SWAP / "robust_selector.py").read_text().splitlines()), 100)

    def test_the_topologies_are_valid_once_their_programs_are_there(self):
        for file in SWAP.glob("*.yaml"):
            text = file.read_text().replace("run: demo/", "run: /bin/true demo/")
            text = text.replace("./robust_selector", f"{SWAP}/robust_selector")
            (self.folder / file.name).write_text(text)
            with self.subTest(file.name):
                self.command("validate", file.name)

    def test_the_selector_in_python_gives_the_same(self):
        ours = self.run_small("ours.h5")
        for copies in (1, 3):
            self.expect_same_answer(ours, self.run_small(
                "theirs.h5", "--set", PYTHON, "--set", f"stages.spectra.replicas={copies}"))

    def test_a_stage_of_another_protocol_version_ends_the_run(self):
        old = self.folder / "old_selector.py"
        old.write_text((SWAP / "robust_selector.py").read_text().replace(" = 3, 4, 5,", " = 2, 4, 5,"))
        done = self.command("run", "small.yaml", "--set", f"stages.select.run=/usr/bin/python3 {old}",
                            code=2)
        self.assertIn("not protocol 2", done.stderr)
        self.assertFalse((self.folder / "results.h5").exists())

    def test_with_another_outlier_fraction_too(self):
        for fraction in (0, 0.35):
            change = settings(analysis__selection__outlier_fraction=fraction,
                              analysis__selection__threshold=2)
            self.expect_same_answer(self.run_small("ours.h5", *change),
                                    self.run_small("theirs.h5", "--set", PYTHON, *change))

    def test_the_selector_in_python_and_its_neighbours_killed_give_the_same(self):
        ours = self.run_small("ours.h5")
        run = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", "--state", "rough", "--set", PYTHON],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        self.addCleanup(run.kill)
        for name in ("select", "score", "spectra"):
            os.kill(wait_until(lambda: next(
                (pid for pid, setup in stage_processes(self.folder) if setup["name"] == name), None)),
                signal.SIGKILL)
        said, _ = run.communicate(timeout=600)
        self.assertEqual(run.returncode, 0, said)
        for name in ("select", "score", "spectra"):
            self.assertIn(f"stage {name}.0 was killed", said)
        self.expect_same_answer(ours, datasets(self.folder / "results.h5"))

    def test_a_shadow_answers_beside_the_one_and_leaves_it_as_it_is(self):
        ours = self.run_small("ours.h5")
        (self.folder / "shadow.yaml").write_text(SMALL + SHADOW % (SWAP / "robust_selector.py"))
        self.command("run", "shadow.yaml", "--quiet")
        for name, value in datasets(self.folder / "results.h5").items():
            np.testing.assert_array_equal(value, ours[name], name)
        shadow = datasets(self.folder / "shadow.h5")
        np.testing.assert_array_equal(shadow["spectra/counts"], ours["spectra/counts"])
        np.testing.assert_array_equal(shadow["selection/label"],
                                      (shadow["selection/z"] > 2.0).any(axis=2))
        self.assertGreater(shadow["selection/label"].sum(), ours["selection/label"].sum())


class InstalledLibrary(SwapCase):
    """The stages of topology/swap/c-stage, built by nothing but what is installed."""

    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        self.shell(["cmake", "--install", str(BIN.parent), "--prefix", str(self.prefix)])
        self.moved = self.folder / "elsewhere"
        self.prefix.rename(self.moved)  # nothing in it may know where it was installed
        self.prefix = self.moved
        self.packages = {**os.environ, "PKG_CONFIG_PATH": str(self.prefix / "lib" / "pkgconfig")}

    def shell(self, command, **options):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True,
                              timeout=300, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")

    def build(self, name, *flags):
        source = SWAP / "c-stage" / f"{name}.c"
        self.shell(f"cc -std=c17 {' '.join(flags)} {source} "
                   f"$(pkg-config --cflags --libs clusterscan) -o {name}",
                   shell=True, env=self.packages)

    def run_installed(self, topology):
        """Not the programs of the build folder: the command finds its stages in libexec."""
        self.shell([str(self.prefix / "bin" / "clusterscan"), "run", topology, "--quiet"])

    def swapped(self, **programs):
        text = SMALL
        for ours, theirs in programs.items():
            self.assertIn(f"run: {ours}", text)
            text = text.replace(f"run: {ours}", f"run: ./{theirs}")
        (self.folder / "swapped.yaml").write_text(text)
        return "swapped.yaml"

    def test_a_selector_built_outside_the_tree_answers_by_its_own_statistic(self):
        self.build("poisson_selector")
        self.run_installed(self.swapped(robust_selector="poisson_selector"))
        found = datasets(self.folder / "results.h5")
        counts = found["spectra/counts"].astype(float)
        expected = (counts.sum(axis=2, keepdims=True) * counts.sum(axis=1, keepdims=True)
                    / counts.sum(axis=(1, 2), keepdims=True))
        z = np.divide(counts - expected, np.sqrt(expected), out=np.zeros_like(counts),
                      where=expected > 0)
        np.testing.assert_allclose(found["selection/z"], z, rtol=1e-12, atol=1e-12)
        label = (z > 3).any(axis=2)
        np.testing.assert_array_equal(found["selection/label"], label)
        rich = np.where(label[:, :, None], counts, 0).sum(axis=1)
        np.testing.assert_array_equal(found["selection/rich"], rich)
        np.testing.assert_array_equal(found["selection/depleted"], counts.sum(axis=1) - rich)
        ours = self.run_small("ours.h5")
        np.testing.assert_array_equal(found["spectra/counts"], ours["spectra/counts"])

    def test_an_imager_built_outside_the_tree_gives_the_same_events_and_other_images(self):
        self.build("log_image", "-ffp-contract=off")
        self.run_small("ours.h5")
        ours = [log for log in (self.folder / "state").iterdir() if log.is_dir()]
        self.run_installed(self.swapped(jet_image="log_image"))
        theirs = [log for log in (self.folder / "state").iterdir()
                  if log.is_dir() and log not in ours]
        self.assertEqual((len(ours), len(theirs)), (1, 1), "each imaging has a folder of its own")
        name = "segment-000000.h5"
        a, b = (datasets(log / name) for log in (ours[0], theirs[0]))
        for column in ("row", "m_jj", "label", "jet/pt", "jet/mass", "jet/tau2"):
            np.testing.assert_array_equal(a[column], b[column], column)
        first = slice(*b["offset"][:2].astype(int))
        self.assertAlmostEqual(float(b["intensity"][first].sum()), 1, places=5)
        # The logarithm evens out: the brightest pixel holds less of the sum.
        brightest = [np.maximum.reduceat(log["intensity"], log["offset"][:-1].astype(int)).mean()
                     for log in (a, b)]
        self.assertLess(brightest[1], 0.7 * brightest[0])

    def test_headers_are_found_by_the_name_of_the_project_too(self):
        (self.folder / "whole.c").write_text(
            '#include <clusterscan/common/stage/stage.h>\nint main(void) { return 0; }\n')
        self.shell(["cc", "-std=c17", "-Werror", "-Wall", f"-I{self.prefix}/include",
                    f"-I{self.prefix}/include/clusterscan", "-c", "whole.c"])


if __name__ == "__main__":
    main()
