# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench measures what it says it does, on few events; how fast anything is, is not looked at."""
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

from product import BIN, SOURCE, ProductCase, main, stage_processes, wait_until

PROGRAM = ["/usr/bin/python3", "-B", str(SOURCE / "tools/benchmarks/main.py"), "--bin", str(BIN)]


@unittest.skipUnless((BIN / "bench_pipeline").exists(), "built without BENCHMARKS")
class Bench(ProductCase):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "TMPDIR": str(self.folder), "OMP_NUM_THREADS": "1",
                            "OPENBLAS_NUM_THREADS": "1"}

    def bench(self, *arguments, code=0):
        done = subprocess.run([*PROGRAM, *arguments], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def rows(self, *names, events):
        done = self.bench("--json", "--repeats", "1", "--events", str(events), *names)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_row_has_both_sides_their_ratio_what_is_wanted_and_the_machine(self):
        (row,) = self.rows("label_jets", events=3000)
        self.assertEqual((row["name"], row["direction"], row["must_reach"], row["repeats"]),
                         ("label_jets", ">=", 40, 1))
        self.assertAlmostEqual(row["ratio"], row["peer"] / row["ours"], places=9)
        self.assertEqual(row["ratio_spread"], [row["ratio"]] * 2)
        self.assertIn("scikit-learn", row["peer_name"])
        for key in ("cpu", "cores", "compiler", "path", "fastjet", "zmq", "lz4", "hdf5", "sklearn"):
            self.assertTrue(row["machine"][key], key)
        self.assertIn(row["machine"]["path"], ("plain", "avx2", "avx512"))

    def test_the_pipeline_finds_what_its_arithmetic_finds_and_compares_core_seconds(self):
        table, columns = self.rows("pipeline", events=2000)
        self.assertEqual([table["name"], columns["name"]], ["pipeline:table", "pipeline:columns"])
        self.assertEqual(table["events"], 20000)
        for row in table, columns:
            self.assertEqual((row["direction"], row["must_reach"]), ("<=", 1.4))
            self.assertAlmostEqual(row["ratio"], row["ours"] / row["peer"], places=9)
            self.assertEqual(set(row["shares"]), {"read", "jets", "image", "train", "label",
                                                  "select", "score"})
            self.assertAlmostEqual(sum(row["shares"].values()), 1, places=9)

    def test_another_result_than_that_of_the_events_is_noticed(self):
        self.toy("events.h5", 3000)
        self.toy("others.h5", 3000, seed=2)
        self.command("run", SOURCE / "topology/demo.yaml", "--quiet", "--set",
                     "stages.reader.settings.files=[events.h5]", "--set",
                     "stages.score.settings.results=results.h5")
        for file, code in ("events.h5", 0), ("others.h5", 1):
            done = subprocess.run([BIN / "bench_pipeline", "results.h5", file], cwd=self.folder,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("results.h5: spectra/counts is not what these events give", done.stderr)

    def test_the_latency_of_every_event_is_reported_and_bound_to_nothing(self):
        (latency,) = self.rows("latency", events=2000)
        self.assertEqual((latency["events"], latency["ratio"], latency["must_reach"]),
                         (2000, None, None))
        self.assertTrue(0 < latency["median_ms"] <= latency["p99_ms"] <= latency["most_ms"])

    def test_the_memory_of_every_process_is_compared_and_the_worst_is_the_figure(self):
        (memory,) = self.rows("memory", events=6000)
        self.assertEqual(set(memory["peaks"]),
                         {"clusterscan", "reader", "images.0", "images.1", "log", "trainer",
                          "spectra.0", "spectra.1", "select", "score"})
        worst = max(many / few for few, many in memory["peaks"].values())
        self.assertAlmostEqual(memory["ratio"], worst, places=9)

    def test_a_name_it_does_not_know_ends_it_with_2_and_the_names_there_are(self):
        done = self.bench("label_jets", "labels", code=2)
        self.assertIn("no benchmark labels; there are label_jets, ", done.stderr)

    def test_an_interrupt_leaves_neither_processes_nor_its_folder(self):
        bench = subprocess.Popen([*PROGRAM, "--events", "20000", "latency"], cwd=self.folder,
                                 env=self.environment, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        self.addCleanup(bench.stderr.close)
        wait_until(lambda: len(stage_processes(self.folder)) == 8)
        bench.send_signal(signal.SIGINT)
        self.assertEqual(bench.wait(timeout=100), 130, bench.stderr.read().decode())
        self.assertEqual(stage_processes(self.folder), [])
        self.assertEqual(list(self.folder.glob("clusterscan-bench-*")), [])

    def test_every_benchmark_is_explained(self):
        named = re.search(r"all of these if none is given: ([^)]+?)\n\s*--?", self.bench("--help")
                          .stdout + "\n--", re.DOTALL)
        names = re.split(r",\s+", named[1].split("\n\n")[0].strip())
        self.assertGreaterEqual(len(names), 10)
        told = pathlib.Path(SOURCE / "docs/performance.md").read_text()
        for name in names:
            self.assertIn(f"| `{name}` |", told)


if __name__ == "__main__":
    main()
