# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is what a run carries out, known before anything is made."""
import json
import subprocess

from product import CLUSTERSCAN, SMALL, ProductCase, main, settings, stage_processes, wait_until


class Plan(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 300)

    def plan(self, *options):
        return json.loads(self.command("plan", "small.yaml", "--json", *options).stdout)

    def test_nothing_is_made_or_bound_for_it(self):
        before = sorted(self.folder.rglob("*"))
        plan = self.plan(*settings(stages__images__replicas=2, stages__spectra__replicas=2))
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        self.assertEqual([process["process"] for process in plan["processes"]],
                         ["reader.0", "images.0", "images.1", "log.0", "trainer.0", "spectra.0",
                          "spectra.1", "select.0", "score.0"])
        self.assertEqual({process["host"] for process in plan["processes"]}, {"this"})
        self.assertEqual(plan["processes"][1]["command"], ["jet_image", "--stage", "{setup}"])
        self.assertIsNone(plan["processes"][-1]["output"])
        log = plan["processes"][3]["setup"]
        self.assertEqual([e for i in log["inputs"] for e in i["endpoints"]],
                         ["ipc://{sockets}/images.0", "ipc://{sockets}/images.1"])
        self.assertEqual(log["extents"], [[3, 300]])
        self.assertEqual(log["control"], plan["control"])

    def test_a_training_has_one_id_whichever_way_it_is_written(self):
        usual = self.plan("--set", "analysis.training.events=100")
        text = SMALL.replace("  training: {window: [3000, 3300], clusters: 20, batch: 500, "
                             "ensemble: 3, seed: 1}\n", "")
        other = text.replace("{run: kmeans_trainer, from: log}",
                             "{run: kmeans_trainer, from: log, settings: {window: [3000, 3300], "
                             "clusters: 20, batch: 500, ensemble: 3, seed: 1, events: 100}}")
        self.assertEqual(len({SMALL, text, other}), 3)
        (self.folder / "small.yaml").write_text(other)
        plan = self.plan()
        self.assertEqual(plan["run_id"], usual["run_id"])
        self.assertEqual(plan["processes"], usual["processes"])
        self.assertEqual(plan["processes"][4]["setup"]["settings"], {})
        changed = self.plan("--set", "stages.trainer.settings.seed=2")
        self.assertNotEqual(changed["run_id"], usual["run_id"])
        self.assertEqual(changed["processes"][-1]["setup"]["analysis"]["training"]["seed"], 2)

    def test_tcp_ports_and_commands_of_others_are_told_as_they_are(self):
        plan = self.plan("--set", "transport=tcp", "--set", "security=none", "--set",
                         'stages.select.run=["/usr/bin/env", "python3", "my selector.py"]')
        self.assertEqual(plan["processes"][0]["output"], "tcp://127.0.0.1:{port of reader.0}")
        self.assertEqual(plan["processes"][5]["command"],
                         ["/usr/bin/env", "python3", "my selector.py", "--stage", "{setup}"])

    def test_a_run_carries_it_out(self):
        plan = self.plan()
        run = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", "--quiet", *settings(
            analysis__training__window=[3000, 4600], analysis__training__clusters=5)],
            cwd=self.folder, stdout=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        setup = wait_until(lambda: run.poll() is not None or next(
            (setup for _, setup in stage_processes(self.folder) if setup["name"] == "log"), None))
        told = next(p["setup"] for p in plan["processes"] if p["process"] == "log.0")
        self.assertEqual(setup["log_id"], plan["log_id"])  # the other analysis has the same images
        # What a run fills in, and what the change of the analysis changes, apart.
        for key in ("inputs", "output", "control", "monitor", "watch", "run_id", "analysis",
                    "analysis_text"):
            del setup[key], told[key]
        self.assertEqual(setup, told)
        self.assertEqual(run.wait(timeout=120), 0)

    def test_mistakes_are_told_as_run_tells_them(self):
        done = self.command("plan", "small.yaml", *settings(
            stages__reader__settings__files="[absent.h5]"), code=2)
        self.assertIn("absent.h5: cannot be opened", done.stderr)
        self.command("plan", code=2)
        text = self.command("plan", "small.yaml").stdout
        self.assertIn("\n    takes image_batch from ipc://{sockets}/images.0\n", text)


if __name__ == "__main__":
    main()
