# SPDX-License-Identifier: GPL-3.0-or-later
"""A second pipeline on the roles of common/stage: numbers 1 to N -> workers that square them -> a log
-> their sum. common/ knows nothing of its records but what the programs add to the schema table."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import product
from product import BIN, SMALL, ProductCase, main

LAST, BATCH = 200_003, 64


class Numbers(ProductCase):
    def setUp(self):
        super().setUp()
        self.sockets = self.folder / "s"
        self.sockets.mkdir(), (self.folder / "state").mkdir()
        # What every process is told: taken from a plan of ours, so that only the stages are new.
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 10)
        plan = json.loads(self.command("plan", "small.yaml", "--json").stdout)
        self.common = plan["processes"][0]["setup"]
        self.process = {}
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for process in self.process.values():
            process.kill()
            process.wait()

    def endpoint(self, name):
        return f"ipc://{self.sockets}/{name}"

    def start(self, name, program, kind, giver, settings=None, sink=False, replica=0):
        inputs = [] if giver is None else [{"stage": giver[0], "type": kind, "endpoints": [
            self.endpoint(f"{giver[0]}.{copy}") for copy in range(giver[1])]}]
        setup = {**self.common, "name": name, "replica": replica, "replicas": 3, "settings": settings or {},
                 "inputs": inputs, "output": None if sink else self.endpoint(f"{name}.{replica}"),
                 "control": self.endpoint("control") if name in ("numbers", "log") else None,
                 "monitor": None, "contents": None, "extents": None, "folder": "state",
                 "scratch": "state", "sources": 1, "source": 0, "window": 32,
                 "started": str(self.sockets / f"{name}.{replica}.started")}
        setup["analysis"]["stream"]["batch"] = BATCH
        path = self.sockets / f"{name}.{replica}.json"
        path.write_text(json.dumps(setup))
        with open(self.folder / f"{name}.{replica}.log", "a") as log:
            self.process[name, replica] = subprocess.Popen(
                [BIN / program, "--stage", path], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT)

    def start_all(self):
        self.starters = {
            ("numbers", 0): lambda: self.start("numbers", "pipeline_number_source", None, None,
                                               {"last": LAST}),
            **{("squares", copy): lambda copy=copy: self.start(
                "squares", "pipeline_square_worker", "numbers", ("numbers", 1), replica=copy)
               for copy in range(3)},
            ("log", 0): lambda: self.start("log", "pipeline_square_log", "squares", ("squares", 3)),
            ("sum", 0): lambda: self.start("sum", "pipeline_square_sum", "squares", ("log", 1),
                                           {"results": "sum.txt"}, sink=True)}
        for starter in self.starters.values():
            starter()

    def finish(self, deadline_s=300, disturb=lambda: None):
        """Starts again what dies, until the sum is there."""
        end = time.monotonic() + deadline_s
        while not (self.folder / "sum.txt").exists():
            self.assertLess(time.monotonic(), end, self.said())
            disturb()
            for key, process in list(self.process.items()):
                if process.poll() is not None and not (key[0] == "sum" and process.returncode == 0):
                    self.assertEqual(process.returncode, -signal.SIGKILL, self.said())
                    self.starters[key]()
            os.sched_yield()
        n, total = map(int, (self.folder / "sum.txt").read_text().split())
        self.assertEqual((n, total), (LAST, LAST * (LAST + 1) * (2 * LAST + 1) // 6))

    def said(self):
        return "\n".join(log.read_text()[-1000:] for log in self.folder.glob("*.log"))

    def batches_on_disk(self):
        try:
            return (self.folder / "state/squares").stat().st_size // (8 * (BATCH + 2))
        except FileNotFoundError:
            return 0

    def test_a_stage_may_have_a_server_of_its_own_in_the_loop(self):
        address = str(self.sockets / "echo")
        self.start("numbers", "pipeline_echo_source", None, None, {"socket": address})
        clients = []
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            self.addCleanup(client.close)
            client.settimeout(60)
            product.wait_until(lambda: client.connect_ex(address) == 0)
            clients.append(client)
        clients[1].close()  # one leaves, the others are served on
        for client in (clients[2], clients[0], clients[2]):
            client.sendall(b"who is there?")
            self.assertEqual(client.recv(100), b"who is there?")
        process = self.process["numbers", 0]
        process.terminate()
        self.assertEqual(process.wait(60), 0, self.said())

    def test_the_sum_of_squares_is_that_of_the_formula(self):
        self.start_all()
        self.finish()

    def test_kills_of_any_of_them_change_nothing(self):
        chance = random.Random(7)
        marks = [int(share * LAST / BATCH) for share in (.1, .2, .3, .4, .5, .6, .7, .8, .9)]
        killed = []

        def disturb():
            # Whenever the log has come so far, one of the living is killed.
            if marks and self.batches_on_disk() >= marks[0]:
                marks.pop(0)
                key = chance.choice([("numbers", 0), ("squares", 0), ("squares", 1),
                                     ("squares", 2), ("log", 0), ("log", 0), ("sum", 0)])
                self.process[key].kill()
                self.process[key].wait()
                killed.append(key)
        self.start_all()
        self.finish(disturb=disturb)
        self.assertGreaterEqual(len(killed), 5)

    def test_what_is_in_the_log_is_summed_without_its_left_half(self):
        self.start_all()
        self.finish()
        for key in (("numbers", 0), ("squares", 0), ("squares", 1), ("squares", 2)):
            self.process.pop(key).kill()
        (self.folder / "sum.txt").unlink()
        self.starters["sum", 0]()
        self.finish()


if __name__ == "__main__":
    main()
