# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages die at the worst moments; every event is still counted once, and nothing is left behind."""
import os
import pathlib
import signal
import subprocess

from product import (BIN, CLUSTERSCAN, SMALL, ProductCase, digest, main, same_in_h5diff, settings,
                     stage_processes, wait_until)


class KilledStages(ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 6000, 333)

    def start(self, *arguments):
        run = subprocess.Popen(
            [CLUSTERSCAN, "run", "small.yaml", *map(str, arguments)], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        return run

    def finish(self, run, code):
        out, err = run.communicate(timeout=600)
        self.assertEqual(run.returncode, code, out + err)
        self.assertEqual(stage_processes(self.folder), [])
        return out + err

    def sealed(self, state):
        return len(list((self.folder / state).glob("*/segment-*.h5")))

    def test_each_stage_killed_once_gives_the_same_bytes(self):
        names = ["reader", "images", "log", "trainer", "spectra", "select", "score"]
        self.command("run", "small.yaml", "--state", "calm", "--quiet")
        calm = self.folder / "results.h5"
        calm.rename(self.folder / "calm.h5")
        run = self.start("--state", "rough", *settings(stages__images__replicas=2))
        for name in names:
            # One more segment first, so that the deaths are spread over the run.
            if name in names[:4]:
                before = self.sealed("rough")
                wait_until(lambda: self.sealed("rough") > before or run.poll() is not None)
            pid = wait_until(lambda: next(
                (pid for pid, setup in stage_processes(self.folder) if setup["name"] == name),
                None))
            os.kill(pid, signal.SIGKILL)
        said = self.finish(run, 0)
        for name in names:
            self.assertIn(f"stage {name}.0 was killed", said.replace("images.1", "images.0"))
        self.assertTrue(same_in_h5diff(self.folder / "calm.h5", calm))
        self.assertEqual(digest(calm), digest(self.folder / "calm.h5"))

    def test_interrupted_it_keeps_what_is_sealed_and_goes_on(self):
        self.command("run", "small.yaml", "--state", "calm", "--quiet")
        calm = digest(self.folder / "results.h5")
        (self.folder / "results.h5").unlink()
        run = self.start("--state", "again")
        wait_until(lambda: self.sealed("again") >= 2 or run.poll() is not None)
        run.send_signal(signal.SIGINT)
        self.finish(run, 130)
        self.assertFalse((self.folder / "results.h5").exists())
        kept = self.sealed("again")
        self.assertGreaterEqual(kept, 2)
        self.command("run", "small.yaml", "--state", "again", "--quiet")
        self.assertEqual(digest(self.folder / "results.h5"), calm)

    def test_killing_the_run_leaves_no_process_and_it_can_go_on(self):
        run = self.start()
        wait_until(lambda: self.sealed("state") >= 1 or run.poll() is not None)
        run.kill()
        run.communicate(timeout=60)
        wait_until(lambda: stage_processes(self.folder) == [])
        self.command("run", "small.yaml", "--quiet")

    def test_a_stage_that_always_dies_ends_the_run_with_its_last_words(self):
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\necho 'the detector is on fire' >&2\nexit 7\n")
        broken.chmod(0o755)
        said = self.finish(self.start(*settings(stages__images__run="./broken")), 1)
        self.assertIn("stage images.0", said)
        self.assertIn("the detector is on fire", said)
        self.assertFalse((self.folder / "results.h5").exists())

    def test_what_a_foreign_command_forked_is_gone_after_the_run(self):
        forking = self.folder / "forking"
        forking.write_text("#!/bin/sh\nsleep 1000 &\necho $! > forked\n"
                           f"exec {BIN / 'jet_image'} \"$@\"\n")
        forking.chmod(0o755)
        self.finish(self.start(*settings(stages__images__run="./forking")), 0)
        forked = int((self.folder / "forked").read_text())
        self.assertFalse(pathlib.Path(f"/proc/{forked}").exists())

    def test_a_second_run_on_the_same_state_is_refused(self):
        run = self.start()
        wait_until(lambda: self.sealed("state") >= 1 or run.poll() is not None)
        second = self.command("run", "small.yaml", code=2)
        self.assertIn("another run", second.stderr)
        self.finish(run, 0)


if __name__ == "__main__":
    main()
