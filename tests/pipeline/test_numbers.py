# SPDX-License-Identifier: GPL-3.0-or-later
"""A second pipeline on the roles of common/stage: numbers 1 to N -> workers that square them -> a log,
or two logs with numbers each -> their sum. common/ knows nothing of its records but what the programs
add to the schema table."""
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


class Pipeline(ProductCase):
    parts = {"": LAST}  # behind the names of the stages left of a log: the last of its numbers

    def setUp(self):
        super().setUp()
        self.sockets = self.folder / "s"
        self.sockets.mkdir()
        for part in self.parts:
            (self.folder / f"state{part}").mkdir()
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

    def start(self, name, program, kind, givers, settings=None, sink=False, replica=0, part=""):
        inputs = [{"stage": giver, "type": kind, "endpoints": [
            self.endpoint(f"{giver}.{copy}") for copy in range(copies)]}
            for giver, copies in givers.items()]
        first = list(self.parts).index(part) if program == "pipeline_square_log" else 0
        acked = program in ("pipeline_echo_source", "pipeline_number_source", "pipeline_square_log")
        setup = {**self.common, "name": name, "replica": replica, "replicas": 3, "settings": settings or {},
                 "inputs": inputs, "output": None if sink else self.endpoint(f"{name}.{replica}"),
                 "control": self.endpoint(f"control{part}") if acked else None,
                 "monitor": None, "contents": None, "extents": None, "folder": f"state{part}",
                 "scratch": ".", "sources": 1, "source": first, "window": 32,
                 "started": str(self.sockets / f"{name}.{replica}.started")}
        setup["analysis"]["stream"]["batch"] = BATCH
        path = self.sockets / f"{name}.{replica}.json"
        path.write_text(json.dumps(setup))
        with open(self.folder / f"{name}.{replica}.log", "a") as log:
            self.process[name, replica] = subprocess.Popen(
                [BIN / program, "--stage", path], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT)

    def part_starters(self, part, last):
        numbers, squares, log = f"numbers{part}", f"squares{part}", f"log{part}"
        return {
            (numbers, 0): lambda: self.start(numbers, "pipeline_number_source", None, {},
                                             {"last": last}, part=part),
            **{(squares, copy): lambda copy=copy: self.start(
                squares, "pipeline_square_worker", "numbers", {numbers: 1}, replica=copy, part=part)
               for copy in range(3)},
            (log, 0): lambda: self.start(log, "pipeline_square_log", "squares", {squares: 3},
                                         part=part)}

    def start_all(self):
        self.starters = {("sum", 0): lambda: self.start(
            "sum", "pipeline_square_sum", "squares", {f"log{part}": 1 for part in self.parts},
            {"results": "sum.txt"}, sink=True)}
        for part, last in self.parts.items():
            self.starters |= self.part_starters(part, last)
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
        self.assertEqual((n, total), (sum(self.parts.values()), sum(
            last * (last + 1) * (2 * last + 1) // 6 for last in self.parts.values())))

    def said(self):
        return "\n".join(log.read_text()[-1000:] for log in self.folder.glob("*.log"))

    def batches_on_disk(self):
        return sum(file.stat().st_size // (8 * (BATCH + 2))
                   for file in self.folder.glob("state*/squares"))


class Server(Pipeline):
    def test_a_stage_may_have_a_server_of_its_own_in_the_loop(self):
        address = str(self.sockets / "echo")
        self.start("numbers", "pipeline_echo_source", None, {}, {"socket": address})
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


class Numbers(Pipeline):
    def test_the_sum_of_squares_is_that_of_the_formula(self):
        self.start_all()
        self.finish()

    def test_kills_of_any_of_them_change_nothing(self):
        chance = random.Random(7)
        marks = [int(share * sum(self.parts.values()) / BATCH)
                 for share in (.1, .2, .3, .4, .5, .6, .7, .8, .9)]
        logs = [(f"log{part}", 0) for part in self.parts]  # each of them once, before any other
        killed = []

        def disturb():
            # Whenever the log has come so far, one of the living is killed.
            if marks and self.batches_on_disk() >= marks[0]:
                marks.pop(0)
                key = logs.pop() if logs else chance.choice(list(self.starters))
                self.process[key].kill()
                self.process[key].wait()
                killed.append(key)
        self.start_all()
        self.finish(disturb=disturb)
        self.assertGreaterEqual(len(killed), 5)
        self.assertEqual(logs, [])

    def test_what_is_in_the_log_is_summed_without_its_left_half(self):
        self.start_all()
        self.finish()
        for key in list(self.process):
            if key[0].startswith(("numbers", "squares")):
                self.process[key].kill()
                self.process.pop(key).wait()
        (self.folder / "sum.txt").unlink()
        self.starters["sum", 0]()
        self.finish()


class TwoLogsOfNumbers(Numbers):
    parts = {"_a": LAST, "_b": LAST // 3}


class TwoLogsOneOfThemEmpty(Numbers):
    parts = {"_a": 0, "_b": LAST}


class PlacesInEveryCopy(Numbers):
    parts = {"_a": 5 * BATCH + 3, "_b": 17 * BATCH, "_c": 0, "_d": 16 * BATCH + 1}
    test_kills_of_any_of_them_change_nothing = None
    test_the_sum_of_squares_is_that_of_the_formula = None
    test_what_is_in_the_log_is_summed_without_its_left_half = None

    def test_each_of_three_copies_knows_the_place_of_its_items(self):
        lengths = [-(-last // BATCH) for last in self.parts.values()]
        order = sorted((index, log) for log, n in enumerate(lengths) for index in range(n))
        for part, last in self.parts.items():
            for starter in self.part_starters(part, last).values():
                starter()
        for copy in range(3):
            self.start("sum", "pipeline_square_sum", "squares",
                       {f"log{part}": 1 for part in self.parts},
                       {"results": f"sum-{copy}.txt", "partition": True}, sink=True, replica=copy)
        for copy in range(3):
            self.assertEqual(self.process["sum", copy].wait(120), 0, self.said())
            told = (self.folder / f"sum-{copy}.txt").read_text().splitlines()[1:]
            self.assertEqual([tuple(map(int, line.split())) for line in told],
                             [(index, log, place) for place, (index, log) in enumerate(order)
                              if index % 3 == copy])


if __name__ == "__main__":
    main()
