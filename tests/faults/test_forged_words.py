# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of somebody who is not who he says he is."""
import json
import secrets
import shutil
import subprocess

import h5py
import msgpack
import zmq

from product import CLUSTERSCAN, SMALL, ProductCase, main, settings, stage_processes, wait_until

VERSION, READER, DURABLE = 3, 68, 70


class ForgedWords(ProductCase):
    def log_setup(self):
        return next((setup for _, setup in stage_processes(self.folder) if setup["name"] == "log"),
                    None)

    def sealed(self):
        return len(list((self.folder / "state").glob("*/segment-*.h5")))

    def say_end(self, setup, batches, rows):
        """As the reader of source 0; returns when the log has heard it."""
        context = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(setup["control"])
        socket.send(msgpack.packb([VERSION, READER, setup["run_id"], {
            "source": 0, "incarnation": secrets.randbits(63), "batches": batches, "rows": rows}]))
        self.assertTrue(socket.poll(60000))
        self.assertEqual(msgpack.unpackb(socket.recv())[1], DURABLE)
        socket.close()
        context.term()

    def test_a_forged_end_cuts_nothing_off_a_followed_folder(self):
        incoming = self.folder / "incoming"
        incoming.mkdir()
        (self.folder / "follow.yaml").write_text(
            SMALL.replace("files: [events.h5]", "files: [incoming], follow: true"))
        for seed, name in enumerate(("a.h5", "b.h5")):
            self.toy(name, 800, seed=seed)
        shutil.copy(self.folder / "a.h5", incoming / "a.h5")
        run = subprocess.Popen([CLUSTERSCAN, "run", "follow.yaml", *settings(
            analysis__training__window=[2000, 5000])], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(run.kill)
        wait_until(lambda: self.sealed() == 1 or run.poll() is not None)
        self.say_end(self.log_setup(), 8, 800)
        shutil.copy(self.folder / "b.h5", incoming / ".b.h5")
        (incoming / ".b.h5").rename(incoming / "b.h5")
        wait_until(lambda: self.sealed() == 2 or run.poll() is not None)
        (incoming / "end-of-run").touch()
        said, _ = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, said)
        self.assertIn("that source 0 ends after 8 batches with 800 rows: its reader has not noted "
                      "the end", said)
        with h5py.File(self.folder / "results.h5") as file:
            self.assertEqual(int(file.attrs["events_read"]), 1600)

    def test_the_log_is_told_where_its_sources_end(self):
        for name, events in (("a.h5", 250), ("b.h5", 130), ("c.h5", 10)):
            self.toy(name, events)
        (self.folder / "small.yaml").write_text(SMALL)
        run = subprocess.Popen([CLUSTERSCAN, "run", "small.yaml", "--quiet", *settings(
            stages__reader__settings__files="['?.h5']", stages__reader__settings__rows=[200, 385],
            stages__images__run="/usr/bin/cat")], cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        setup = wait_until(lambda: run.poll() is not None or self.log_setup())
        self.assertEqual(setup["extents"], [[4, 185]])


if __name__ == "__main__":
    main()
