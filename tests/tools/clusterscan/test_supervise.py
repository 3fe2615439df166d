# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run owes its stages, its terminal and the folders of others."""
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import h5py
import zmq

import product
from product import (CLUSTERSCAN, SMALL, SOURCE, ProductCase, open_files, settings, stage_processes,
                     wait_until)


class Supervised(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 1900)

    def script(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return json.dumps(["/usr/bin/python3", str(path)])

    def start(self, *changes, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.STDOUT)
        process = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", *changes], cwd=self.folder,
                                   stdin=subprocess.DEVNULL, text=True, **options)
        self.addCleanup(process.kill)
        return process

    def run_small(self, *changes, code=0, **options):
        return self.command("run", "small.yaml", *changes, code=code, **options)

    def running(self, name):
        return [pid for pid, setup in stage_processes(self.folder) if setup["name"] == name]

    def bytes_of_result(self):
        return (self.folder / "results.h5").read_bytes()


class Stages(Supervised):
    def test_a_stage_that_ends_well_before_it_is_asked_to_has_died(self):
        for stage in ("select", "spectra", "trainer", "images"):
            with self.subTest(stage):
                done = self.run_small("--set", f"stages.{stage}.run=/bin/true", code=1)
                self.assertIn(f"stage {stage}.0 ended with exit code 0, 5 times", done.stderr)

    def test_settings_of_foreign_stages_are_their_own_whatever_the_keys(self):
        selector = SOURCE / "topology/swap/robust_selector.py"
        self.run_small()
        ours = self.bytes_of_result()
        self.run_small(*settings(
            stages__select__run=json.dumps(["/usr/bin/python3", str(selector)]),
            stages__select__settings="{results: no/such/x.txt, files: 7, rows: a, window: [], follow: "
                                     "true, folder: 3, compression: zip, masterkey: {}}"))
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(int(file.attrs["events_counted"]), 1900)
        self.assertNotEqual(self.bytes_of_result(), ours)  # another run id

    def test_a_stage_finds_all_signals_as_they_should_be(self):
        probe = self.script("probe.py", "print('warning: ' + ' '.join(l.split()[1] for l in "
                                        "open('/proc/self/status') if l.startswith(('SigIgn', "
                                        "'SigBlk'))), flush=True); raise SystemExit(2)")
        said = self.run_small("--set", f"stages.select.run={probe}", code=2).stderr
        # Python itself ignores SIGPIPE and SIGXFSZ: bits 12 and 24, in a fresh interpreter as well.
        plain = subprocess.run(["/usr/bin/python3", "-c", "print([l.split()[1] for l in open("
                                "'/proc/self/status') if l.startswith(('SigIgn'))][0])"],
                               capture_output=True, text=True, restore_signals=True).stdout.strip()
        self.assertIn(f"warning: {'0' * 16} {plain}", said)

    def test_a_stage_may_close_its_output_and_costs_nothing_then(self):
        quiet = self.script("quiet.py", "import os, sys\nos.close(1), os.close(2)\nsys.argv = "
                                        "[sys.argv[0], *sys.argv[1:]]\nexec(open("
                                        f"{str(SOURCE / 'topology/swap/robust_selector.py')!r})"
                                        ".read())\n")
        process = self.start("--set", f"stages.select.run={quiet}", "--set",
                             "stages.images.run=/bin/cat")  # never imports anything: it only waits
        process.kill()
        process.communicate()
        before = os.times()
        self.run_small("--set", f"stages.select.run={quiet}")
        self.assertLess(os.times().children_user - before.children_user, 60)

    def test_a_stage_that_talks_without_end_fills_neither_disk_nor_terminal(self):
        noisy = self.script("noisy.py", "import sys\nfor i in range(400000): print('warning: \\x1b[2J"
                                        "\\xff line', i, 'x' * 40)\nsys.exit(2)\n")
        said = self.run_small("--set", f"stages.select.run={noisy}", code=2).stderr
        self.assertLess(said.count("line"), 30)
        self.assertIn("\\x1b[2J", said)
        self.assertNotIn("\x1b", said)
        logs = list((self.folder / "state").glob("*/logs/select.0.log*"))
        self.assertEqual(len(logs), 2)
        self.assertLess(sum(log.stat().st_size for log in logs), 20e6)

    def test_heartbeats_may_say_anything(self):
        text = (SOURCE / "topology/swap/robust_selector.py").read_text()
        self.assertIn('"text": "in Python"', text)
        odd = self.script("odd.py", text.replace('"in Python"', 'chr(233) * 150 + chr(27) + "[31m"'))
        self.run_small("--set", f"stages.select.run={odd}")
        status = next((self.folder / "state").glob("*/status.json")).read_text()
        self.assertIn("\\\\x1b[31m", status.replace("\u00e9", "") + "\\\\x1b[31m")
        json.loads(status)

    def test_heartbeats_without_end_do_not_keep_a_run_from_ending(self):
        flood = ("import json, os, sys, zmq\n"
                 "setup = json.load(open(sys.argv[sys.argv.index('--stage') + 1]))\n"
                 "beat = json.dumps({'stage': setup['name'], 'replica': 0, 'text': 'x' * 150})\n"
                 "for _ in range(3):\n"
                 "    if os.fork() == 0:\n"
                 "        socket = zmq.Context().socket(zmq.PUB)\n"
                 "        socket.connect(setup['monitor'])\n"
                 "        while True: socket.send_string(beat)\n")
        text = (SOURCE / "topology/swap/robust_selector.py").read_text()
        noisy = self.script("noisy.py", flood + text)
        self.run_small("--set", f"stages.select.run={noisy}")

    def test_any_number_may_watch_come_late_or_never_read(self):
        (self.folder / "incoming").mkdir()
        process = self.start(*settings(stages__reader__settings__follow="true",
                                       stages__reader__settings__files="[incoming]"))
        path = wait_until(lambda: next((self.folder / "state").glob("*/status.json"), None))
        endpoint = wait_until(lambda: json.loads(path.read_text()).get("watch"))
        context = zmq.Context()
        self.addCleanup(context.destroy, 0)

        def watcher(room=1000):
            one = context.socket(zmq.SUB)
            one.rcvtimeo, one.rcvhwm = 60000, room
            one.subscribe(b"")
            one.connect(endpoint)
            return one

        asleep = watcher(room=1)  # it never reads
        early = watcher()
        names = set()
        while len(names) < 7:
            names.add(json.loads(early.recv())["stage"])
        late = watcher()
        heard = [late.recv() for _ in range(30)]
        both = [early.recv() for _ in range(30)]
        while both[-30:] != heard:  # what both hear is the same, in the same order
            both.append(early.recv())
            self.assertLess(len(both), 3000)
        early.close(0), asleep.close(0)
        shutil.copy(self.folder / "events.h5", self.folder / "incoming/a.h5")
        (self.folder / "incoming/end-of-run").touch()
        scores = []
        while not scores or "1900 events" not in scores[-1]:
            beat = json.loads(late.recv())
            if beat["stage"] == "score" and beat["text"] and beat["text"] not in scores:
                scores.append(beat["text"])
        self.assertEqual([line.split(",")[0][-7:] for line in scores],
                         ["slice 1", "slice 2", "slice 3"])
        self.assertEqual(process.wait(timeout=300), 0)

    def test_kills_far_from_the_start_of_a_stage_are_no_crash_loop(self):
        (self.folder / "incoming").mkdir()
        process = self.start(*settings(stages__reader__settings__follow="true",
                                       stages__reader__settings__files="[incoming]"))
        for _ in range(7):  # more than a crash loop's five; nothing is done in between
            pid = wait_until(lambda: self.running("images"))[0]
            started = os.stat(f"/proc/{pid}").st_ctime
            wait_until(lambda: __import__("time").time() - started > 1.2)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.running("images") not in ([], [pid]))
        shutil.copy(self.folder / "events.h5", self.folder / "incoming/a.h5")
        (self.folder / "incoming/end-of-run").touch()
        said = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 0, said)

    def test_a_command_may_have_blanks_in_its_name(self):
        folder = self.folder / "my stages"
        folder.mkdir()
        shutil.copy(SOURCE / "topology/swap/robust_selector.py", folder / "a selector.py")
        run = json.dumps(["/usr/bin/python3", str(folder / "a selector.py")])
        self.run_small("--set", f"stages.select.run={run}")


class Folders(Supervised):
    def test_only_what_a_run_made_is_removed_from_the_folder_of_sockets(self):
        base = pathlib.Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
        self.addCleanup(shutil.rmtree, base, ignore_errors=True)
        parent = base / f"clusterscan-{os.geteuid()}"
        kept = []
        for place in (base / "clusterscan-AbCdEf", parent / "precious", parent / "AbCdEf",
                      parent / "GhIjKl.old"):
            place.mkdir(parents=True, mode=0o700)
            for name in ("lock", "manifest.jsonl", "segment-000000.h5", "notes.json"):
                (place / name).write_text("mine\n")
                kept.append(place / name)
        parent.chmod(0o700)
        left = parent / "ZyXwVu"  # as a killed run leaves it
        left.mkdir(mode=0o700)
        (left / "lock").touch(), (left / "0.json").write_text("{}")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(left / "monitor"))
            self.run_small(env={**os.environ, "TMPDIR": str(base), "XDG_RUNTIME_DIR": ""})
        kept.remove(parent / "AbCdEf/lock")  # exact name, free lock: ours by all signs
        self.assertEqual([path for path in kept if not path.exists()], [])
        self.assertEqual(sorted(path.name for path in parent.iterdir()),
                         ["AbCdEf", "GhIjKl.old", "precious"])

    def test_a_folder_that_others_can_write_to_holds_no_sockets(self):
        base = pathlib.Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
        self.addCleanup(shutil.rmtree, base, ignore_errors=True)
        open_to_all = base / f"clusterscan-{os.geteuid()}"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        (base / "run").mkdir()
        self.run_small(env={**os.environ, "TMPDIR": str(base), "XDG_RUNTIME_DIR": str(base / "run")})
        self.assertEqual([p.name for p in (base / "run").iterdir()], ["clusterscan"])
        self.run_small(env={**os.environ, "TMPDIR": str(base), "XDG_RUNTIME_DIR": ""})  # /tmp
        self.assertEqual(list(open_to_all.iterdir()), [])

    def test_a_run_survives_a_cleaner_of_temporary_files(self):
        self.run_small()
        reference = self.bytes_of_result()
        (self.folder / "results.h5").unlink()
        shutil.rmtree(self.folder / "state")
        (self.folder / "incoming").mkdir()
        follow = settings(stages__reader__settings__follow="true",
                          stages__reader__settings__files="[incoming]")
        process = self.start(*follow)
        setup = wait_until(lambda: [s for _, s in stage_processes(self.folder)
                                    if s["name"] == "spectra"])[0]
        sockets = pathlib.Path(setup["monitor"][len("ipc://"):]).parent
        # Everybody has met everybody: all have bound, and the last one, a sink, has connected.
        def have_met():
            score = self.running("score")
            bound = [path for path in sockets.iterdir() if path.is_socket()]
            return (score and len(bound) == 9 and next((self.folder / "state").glob(
                "*/status.json"), None) is not None and
                    len(open_files(score[0])) > 12)
        wait_until(have_met)
        shutil.rmtree(sockets)

        def restarted():
            for file in (self.folder / "state").glob("*/status.json"):
                stages = json.loads(file.read_text())["stages"]
                return all(stage["restarts"] for stage in stages if stage["stage"] != "score")
            return False
        wait_until(lambda: restarted() or process.poll() is not None)
        context = zmq.Context()
        self.addCleanup(context.destroy, 0)
        with context.socket(zmq.SUB) as watcher:  # who comes now still hears
            watcher.subscribe(b"")
            watcher.connect(f"ipc://{sockets}/watch")
            self.assertTrue(watcher.poll(60000))
        shutil.copy(self.folder / "events.h5", self.folder / "incoming/a.h5")
        (self.folder / "incoming/end-of-run").touch()
        said = process.communicate(timeout=300)[0]
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("has vanished", said)
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(int(file.attrs["events_counted"]), 1900)
        self.assertGreater(len(reference), 0)

    def test_a_stage_that_is_not_waited_for_changes_nothing_however_it_ends(self):
        self.run_small()
        reference = self.bytes_of_result()
        for name, program in (("fails", "import sys\nsys.exit(2)\n"),
                              ("dies", "import os\nos.abort()\n"),
                              ("stays", "import signal\nwhile True: signal.pause()\n")):
            with self.subTest(name):
                (self.folder / "results.h5").unlink()
                (self.folder / "watch.py").write_text(program)
                topology = (self.folder / "small.yaml").read_text()
                (self.folder / "watched.yaml").write_text(
                    topology + "  watch:   {run: [/usr/bin/python3, watch.py], from: select, "
                               "wait: false}\n")
                done = subprocess.run([CLUSTERSCAN, "run", "watched.yaml"], cwd=self.folder,
                                      capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.bytes_of_result(), reference)
                self.assertEqual("the run goes on without it" in done.stderr, name == "fails",
                                 done.stderr)

    def test_a_run_waits_for_something(self):
        for stage in ("score", "select"):
            done = subprocess.run([CLUSTERSCAN, "validate", "small.yaml", "--set",
                                   f"stages.{stage}.wait=false"], cwd=self.folder,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("a run waits for one stage" if stage == "score" else
                          "is for a stage that nobody takes from", done.stderr)

    def test_too_few_descriptors_are_refused_before_anything_starts(self):
        for most in (20, 33, 64):
            done = subprocess.run(["bash", "-c", f"ulimit -n {most}; exec {CLUSTERSCAN} run "
                                   "small.yaml"], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(f"but only {most} may be open", done.stderr)
        self.assertEqual(stage_processes(self.folder), [])


class Ends(Supervised):
    STUBBORN = ("import signal, time\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\n"
                "print('warning: here', flush=True)\nwhile True: time.sleep(1)\n")

    def test_what_was_ignored_stays_ignored(self):
        for number in (signal.SIGHUP, signal.SIGINT):
            shutil.rmtree(self.folder / "state", ignore_errors=True)
            process = self.start(preexec_fn=lambda n=number: signal.signal(n, signal.SIG_IGN))
            wait_until(lambda: self.running("images") or process.poll() is not None)
            process.send_signal(number)
            said = process.communicate(timeout=300)[0]
            self.assertEqual(process.returncode, 0, said)

    def test_a_second_interrupt_ends_at_once(self):
        process = self.start("--set", f"stages.select.run={self.script('s.py', self.STUBBORN)}")
        lines = iter(process.stdout.readline, "")
        next(line for line in lines if "here" in line)
        process.send_signal(signal.SIGINT)
        next(line for line in lines if "stopping in order" in line)
        process.send_signal(signal.SIGINT)
        rest = "".join(lines)
        self.assertEqual(process.wait(60), 130)
        self.assertIn("killing what is left", rest)
        self.assertIn("the same command goes on", rest)

    def test_an_interrupt_while_a_failed_run_stops_ends_it_at_once(self):
        bad = self.script("bad.py", "import sys\nprint('error: no good', flush=True)\nsys.exit(2)\n")
        process = self.start("--set", f"stages.select.run={bad}", "--set",
                             f"stages.trainer.run={self.script('s.py', self.STUBBORN)}")
        lines = iter(process.stdout.readline, "")
        next(line for line in lines if "cannot go on" in line)
        process.send_signal(signal.SIGINT)
        self.assertIn("killing what is left", "".join(lines))
        self.assertEqual(process.wait(60), 2)

    def test_a_reader_of_the_output_that_leaves_or_stops_changes_no_result(self):
        self.run_small()
        reference = self.bytes_of_result()
        for command in ("{} run small.yaml 2>&1 | head -n 1", "{} run small.yaml -v >&- 2>&-"):
            shutil.rmtree(self.folder / "state")
            (self.folder / "results.h5").unlink()
            subprocess.run(["bash", "-c", command.format(shlex.quote(CLUSTERSCAN))],
                           cwd=self.folder, stdout=subprocess.DEVNULL)
            self.assertEqual(self.bytes_of_result(), reference)

    def test_what_cannot_be_written_is_an_exit_code(self):
        self.run_small()
        with open("/dev/full", "w") as full:
            for words in (["report", "results.h5"], ["validate", "small.yaml"], ["--version"],
                          ["status"], ["inspect", "--json", "events.h5"], ["report", "--help"],
                          ["graph", "small.yaml"], ["compare", "results.h5", "results.h5"],
                          ["reference", "topology"], ["run", "small.yaml", "-q"]):
                done = subprocess.run([CLUSTERSCAN, *words], cwd=self.folder, stdout=full,
                                      stderr=subprocess.PIPE, text=True)
                self.assertNotEqual(done.returncode, 0, words)
                self.assertIn("cannot be written", done.stderr, words)


class Help(unittest.TestCase):
    def test_every_example_can_be_copied(self):
        page = subprocess.run([CLUSTERSCAN, "--help"], capture_output=True, text=True).stdout
        names = [line.split()[0] for line in page.split("\n\n")[1].splitlines()]
        self.assertGreater(len(names), 10)
        for name in names:
            text = subprocess.run([CLUSTERSCAN, name, "--help"], capture_output=True,
                                  text=True).stdout
            examples = text.split("Examples:\n")[1] if "Examples:" in text else ""
            self.assertLess(max(map(len, examples.splitlines()), default=0), 79)
            for command in examples.split("\n\n")[0].replace("\\\n", " ").splitlines():
                with self.subTest(f"{name}: {command}"):
                    words = shlex.split(command)  # raises where a quote was torn
                    self.assertEqual(words[:1], ["clusterscan"])


if __name__ == "__main__":
    product.main()
