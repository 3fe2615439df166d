# SPDX-License-Identifier: GPL-3.0-or-later
"""Two readers give the same answer through one log and through two, each with one of the readers."""
import json
import os
import re
import signal
import subprocess

import h5py
import numpy as np

from product import BIN, CLUSTERSCAN, ProductCase, main, settings, stage_processes, wait_until

HEAD = """version: 1
name: partitions
analysis:
  stream:   {batch: 100, slice: 8}
  training: {window: [3000, 3300], clusters: 20, batch: 500, ensemble: 3, seed: 1}
  spectra:  {window: [3000, 4600], bins: 16}
stages:
  reader_a: {run: event_reader, settings: {files: [a.h5]}}
  reader_b: {run: event_reader, settings: {files: [b.h5]}}
"""
ONE = HEAD + """  images:  {run: jet_image, from: [reader_a, reader_b]}
  log:     {run: image_log, from: images, settings: {segment: 8}}
  trainer: {run: kmeans_trainer, from: log}
  spectra: {run: spectrum_accumulator, from: [log, trainer]}
  select:  {run: robust_selector, from: spectra}
  score:   {run: mls_scorer, from: [select, trainer], settings: {results: one.h5}}
"""
RIGHT = """  trainer: {run: kmeans_trainer, from: [log_b, log_a]}
  spectra: {run: spectrum_accumulator, from: [log_a, trainer, log_b]}
  select:  {run: robust_selector, from: spectra}
  score:   {run: mls_scorer, from: [select, trainer], settings: {results: two.h5}}
"""
TWO = HEAD + """  images_a: {run: jet_image, from: reader_a}
  images_b: {run: jet_image, from: reader_b}
  log_a:   {run: image_log, from: images_a, settings: {segment: 8}}
  log_b:   {run: image_log, from: images_b, settings: {segment: 8}}
""" + RIGHT
REPLAY = re.sub(r"  (reader|images)_.*\n", "", TWO).replace("from: images_a, ", "").replace(
    "from: images_b, ", "")
SPREADS = {
    "as it is": {},
    "three accumulators, short segments of one log": {
        "stages__spectra__replicas": 3, "stages__log_b__settings__segment": 1},
    "three imagers of one log, two accumulators and trainers, a narrow window": {
        "stages__images_a__replicas": 3, "stages__spectra__replicas": 2,
        "stages__trainer__replicas": 2, "stages__log_a__settings__segment": 1,
        "stages__log_a__settings__window": 2},
    "tcp": {"transport": "tcp", "security": "none", "stages__spectra__replicas": 3},
}
# How much of each file is read: rows of a, rows of b.
LENGTHS = {"the second ends early": (None, [0, 950]), "the first ends early": ([0, 1234], None),
           "the second has one event": (None, [0, 1]), "the first is empty": ([0, 0], None),
           "equally long": ([0, 1600], [100, 1700])}


def content(path):
    """Every dataset as type, shape and bytes, and every attribute but the ids."""
    found = {}
    with h5py.File(path, "r") as file:
        names = []
        file.visit(names.append)
        for name in ["/", *names]:
            node = file[name]
            if isinstance(node, h5py.Dataset):
                found[name] = (str(node.dtype), node.shape, np.ascontiguousarray(node[()]).tobytes())
            for key, value in node.attrs.items():
                if key not in ("run_id", "log_id"):
                    found[name, key] = str(np.asarray(value).tolist())
    return found


class TwoLogs(ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        for name, text in (("one", ONE), ("two", TWO), ("replay", REPLAY)):
            (self.folder / f"{name}.yaml").write_text(text)
        self.toy("a.h5", 3333, 333)
        self.toy("b.h5", 2000, 100, seed=5)

    def answer(self, topology, state, *arguments, code=0):
        self.command("run", f"{topology}.yaml", "--state", state, "--quiet", *arguments, code=code)
        file = self.folder / ("one.h5" if topology == "one" else "two.h5")
        found = content(file)
        file.unlink()
        return found

    def logs(self, *arguments):
        """The two logs of the plan, by the names of their stages."""
        plan = json.loads(self.command("plan", "two.yaml", "--json", *arguments).stdout)
        return {log["stage"]: log for log in plan["logs"]}

    def test_how_they_are_spread_does_not_count(self):
        one = self.answer("one", "one")
        for number, (name, changes) in enumerate(SPREADS.items()):
            with self.subTest(name):
                self.assertEqual(self.answer("two", f"two-{number}", *settings(**changes)), one)

    def test_nor_which_source_ends_first(self):
        for number, (name, rows) in enumerate(LENGTHS.items()):
            short = settings(**{f"stages__reader_{reader}__settings__rows": some
                                for reader, some in zip("ab", rows) if some is not None})
            one = self.answer("one", f"one-{number}", *short)
            for copies in (1, 3):
                with self.subTest(name, accumulators=copies):
                    self.assertEqual(self.answer("two", f"two-{number}", *short, *settings(
                        stages__spectra__replicas=copies)), one)

    def test_nor_does_the_first_part_of_the_events_that_is_trained_on(self):
        early = settings(analysis__training__events=200)
        self.assertEqual(self.answer("two", "two", *early), self.answer("one", "one", *early))

    def test_a_kill_of_each_log_changes_nothing(self):
        one = self.answer("one", "one")
        short = settings(stages__log_a__settings__segment=1, stages__log_b__settings__segment=1,
                         stages__spectra__replicas=3)
        logs = self.logs("--state", "two", *short)
        run = subprocess.Popen([CLUSTERSCAN, "run", "two.yaml", "--state", "two", *short],
                               cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        for name in ("log_a", "log_b"):
            wait_until(lambda: list((self.folder / logs[name]["folder"]).glob("segment-*.h5"))
                       or run.poll() is not None)
            os.kill(wait_until(lambda: next(
                (pid for pid, setup in stage_processes(self.folder) if setup["name"] == name), None)),
                signal.SIGKILL)
        out, err = run.communicate(timeout=600)
        self.assertEqual(run.returncode, 0, out + err)
        for name in ("log_a", "log_b"):
            self.assertIn(f"stage {name}.0 was killed", err)
        self.assertEqual(content(self.folder / "two.h5"), one)

    def test_a_replay_of_both_gives_the_same(self):
        one = self.answer("one", "one")
        folders = settings(**{f"stages__{name}__settings__folder": log["folder"]
                              for name, log in self.logs("--state", "two").items()})
        self.answer("two", "two")
        os.remove(self.folder / "a.h5"), os.remove(self.folder / "b.h5")
        self.assertEqual(self.answer("replay", "mine", *folders), one)
        said = self.command("run", "replay.yaml", "--state", "two", code=2).stderr
        self.assertIn("error: stages.log_a.settings.folder is missing: of several logs", said)

    def test_followed_folders_and_what_was_refused_of_them(self):
        for topology in ("one", "two"):
            text = (self.folder / f"{topology}.yaml").read_text()
            (self.folder / f"{topology}.yaml").write_text(re.sub(
                r"files: \[(.)\.h5\]", r"files: [folder-\1], follow: true", text))
        for name in "ab":
            self.command("feed", f"{name}.h5", f"folder-{name}", "--rate", 10**9, "--batch", 250)
            (self.folder / f"folder-{name}/000{name}.h5").write_text(f"no events {name}")
        one = self.answer("one", "one", code=3)
        self.assertEqual(one["refused/file"][1], (2,))
        self.assertEqual(self.answer("two", "two", *settings(stages__spectra__replicas=3), code=3),
                         one)
        for log in self.logs("--state", "two").values():
            self.assertIn("because", (self.folder / log["folder"] / "files-0.jsonl").read_text())

    def test_a_log_is_named_by_its_own_images_and_the_run_by_all(self):
        logs = self.logs()
        alone = re.sub(r"  (reader|images|log)_b.*\n", "", TWO).replace("log_b, ", "").replace(
            ", log_b", "")
        (self.folder / "alone.yaml").write_text(alone)
        plan = json.loads(self.command("plan", "alone.yaml", "--json").stdout)
        self.assertEqual(plan["log_id"], logs["log_a"]["log_id"])
        self.assertNotEqual(logs["log_a"]["log_id"], logs["log_b"]["log_id"])
        (self.folder / "part.yaml").write_text(TWO.replace("from: [log_b, log_a]", "from: log_a"))
        runs = {json.loads(self.command("plan", f"{name}.yaml", "--json").stdout)["run_id"]
                for name in ("one", "two", "alone", "part")}
        self.assertEqual(len(runs), 4)
        self.answer("two", "state")
        before = {file: file.stat().st_mtime_ns for file in self.folder.glob("state/*/segment-*")}
        self.command("run", "alone.yaml", "--quiet")
        self.assertEqual({file: file.stat().st_mtime_ns
                          for file in self.folder.glob("state/*/segment-*")}, before)

    def test_what_reads_the_images_of_a_result_reads_both_logs(self):
        self.command("run", "one.yaml", "--state", "one", "--quiet")
        self.command("run", "two.yaml", "--quiet")
        logs = self.logs()
        ids = ",".join(logs[name]["log_id"] for name in ("log_a", "log_b"))
        report = json.loads(self.command("report", "two.h5", "--json").stdout)
        self.assertEqual(report["log_id"], ids)
        events = self.command("events", "two.h5", "--all").stdout
        self.assertGreater(events.count("reader_b,b.h5,"), 10)
        self.assertEqual(events, self.command("events", "one.h5", "--state", "one", "--all").stdout)
        # Only the first log's folder tells of the run.
        runs = json.loads(self.command("status", "--json", code=1).stdout)["runs"]
        self.assertEqual([run["log_id"] for run in runs], [ids])
        (self.folder / "state" / logs["log_b"]["log_id"]).rename(self.folder / "elsewhere")
        self.assertIn(f"error: state/{logs['log_b']['log_id']}: No such file or directory; name the "
                      "state folder", self.command("events", "two.h5", code=2).stderr)

    def test_an_answer_is_of_the_logs_that_it_counts(self):
        part = TWO.replace("from: [log_b, log_a]", "from: log_b").replace(
            "from: [log_a, trainer, log_b]", "from: [log_a, trainer]")
        (self.folder / "part.yaml").write_text(part)
        self.command("run", "part.yaml", "--quiet")
        logs = self.logs()
        with h5py.File(self.folder / "two.h5") as file:
            self.assertEqual(file.attrs["log_id"], logs["log_a"]["log_id"])
            self.assertEqual(file.attrs["events_read"], 3666)
        self.assertNotIn("reader_b", self.command("events", "two.h5", "--all").stdout)

    def test_two_logs_of_the_same_images_are_refused(self):
        said = self.command("run", "two.yaml", *settings(
            stages__reader_b__settings__files="[a.h5]"), code=2).stderr
        self.assertIn("error: stages.log_a and stages.log_b hold the same images", said)

    def test_a_stage_that_knows_no_order_of_logs_is_refused(self):
        spy = f"  spy: {{run: [{BIN / 'robust_selector'}], from: [log_a, log_b]}}\n"
        (self.folder / "spied.yaml").write_text(TWO + spy)
        said = self.command("run", "spied.yaml", code=2).stderr
        self.assertIn("error: stage spy.0 cannot go on: robust_selector cannot take from 2 logs: it "
                      "does not say that it merges them", said)

    def test_a_second_run_on_either_log_is_refused(self):
        alone = re.sub(r"  (reader|images|log)_a.*\n", "", TWO).replace("log_a, ", "").replace(
            ", log_a", "")
        (self.folder / "alone.yaml").write_text(alone)
        run = subprocess.Popen([CLUSTERSCAN, "run", "two.yaml", "--quiet", *settings(
            stages__images_a__run="sleep 1000")], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(run.communicate), self.addCleanup(run.kill)
        wait_until(lambda: any(setup["name"] == "log_b"
                               for _, setup in stage_processes(self.folder)))
        self.assertIn("another run is at work on the same events",
                      self.command("run", "alone.yaml", code=2).stderr)


if __name__ == "__main__":
    main()
