# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that docs/wire-format.md is enough: a source, a worker and a sink written in Python after
that page alone take their places in a run."""
import json
import re
import subprocess

import h5py
import numpy as np
import zmq

import product

# What the three have in common. Everything here stands in wire-format.md.
COMMON = '''
import json, random, signal, sys, time
import lz4.frame, msgpack, xxhash, zmq

place = json.load(open(sys.argv[sys.argv.index("--stage") + 1]))
incarnation = random.getrandbits(63) + 1
context = zmq.Context()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def open_socket(kind, endpoint):
    socket = context.socket(kind)
    socket.set_hwm(0)
    socket.linger = 0
    socket.maxmsgsize = 1 << 28
    if kind == zmq.ROUTER:
        socket.router_mandatory = 1
        socket.bind(endpoint)
    else:
        socket.connect(endpoint)
    return socket


def control(kind, **fields):
    return [msgpack.packb([3, kind, place["run_id"], fields])]


def record(kind, fields, source, seq, attempt=1, events=0):
    raw = msgpack.packb(fields)
    digest = xxhash.xxh3_128_digest(raw)
    header = [3, kind, place["run_id"], source, seq, attempt, incarnation, events, len(raw), digest]
    return [msgpack.packb(header), lz4.frame.compress(raw, content_checksum=True)]


def unpack(payload):
    return msgpack.unpackb(lz4.frame.decompress(payload))


GRANT, ALIVE, PULL, END, READER, RECEIVED, DURABLE = range(64, 71)


class Handout:
    """The producer's end of an intake edge to one consumer."""
    def __init__(self):
        self.socket = open_socket(zmq.ROUTER, place["output"])
        self.route, self.total, self.sent = None, 0, 0

    def hear(self):
        while self.socket.poll(0):
            route, frame = self.socket.recv_multipart()
            grant = msgpack.unpackb(frame)[3]
            self.route = route
            self.socket.send_multipart([route, *control(ALIVE, epoch=incarnation)])
            if grant["epoch"] == incarnation:
                self.total = max(self.total, grant["total"])
                self.sent = max(self.sent, grant["received"])

    def room(self):
        return self.sent < self.total

    def send(self, frames):
        self.socket.send_multipart([self.route, *frames])
        self.sent += 1
'''

SOURCE = '''
import h5py, numpy as np
events = h5py.File(place["settings"]["file"])["events"]
offset = events["offset"][:]
size = place["analysis"]["stream"]["batch"]
batches = -(-(len(offset) - 1) // size)


def read(seq):
    first = seq * size
    some = offset[first:first + size + 1]
    part = {"first_row": first, "events": len(some) - 1, "particles": int(some[-1] - some[0]),
            "offset": (some - some[0]).astype("<u4").tobytes()}
    for name in ("pt", "eta", "phi"):
        part[name] = events[name][some[0]:some[-1]].astype("<f4").tobytes()
    part["label"] = events["label"][first:first + size].astype("i1").tobytes()
    return part


out = Handout()
log = open_socket(zmq.DEALER, place["control"])
state, told, spoke, all_told = None, set(), 0, False
while True:
    out.hear()
    if time.monotonic() - spoke > 1 or all_told != (len(told) == batches):
        spoke, all_told = time.monotonic(), len(told) == batches
        log.send_multipart(control(READER, source=place["source"], incarnation=incarnation,
                                   batches=batches if all_told else 2**64 - 1,
                                   rows=len(offset) - 1))
    while log.poll(0):
        _, kind, _, fields = msgpack.unpackb(log.recv())
        if kind == DURABLE:
            state = fields
    waiting = [] if state is None else [
        seq for seq in range(state["watermark"], min(batches, state["watermark"] + place["window"]))
        if seq not in told]
    if waiting and out.room():
        batch = read(waiting[0])
        out.send(record(1, batch, place["source"], waiting[0], events=batch["events"]))
        told.add(waiting[0])
        continue
    zmq.select([out.socket, log], [], [], 0.1)
'''

# Drops every event, and says so in the rows' tally.
WORKER = '''
class Intake:
    def __init__(self, endpoint):
        self.socket = open_socket(zmq.DEALER, endpoint)
        self.epoch = self.received = self.spoke = 0
        self.granted = self.said = 0

    def tend(self):
        if self.epoch:
            self.granted = self.received + 2
        if self.granted != self.said or time.monotonic() - self.spoke > 1:
            self.spoke, self.said = time.monotonic(), self.granted
            self.socket.send_multipart(control(
                GRANT, name=place["name"], replica=place["replica"], incarnation=incarnation,
                epoch=self.epoch, received=self.received, total=self.granted))

    def receive(self):
        while self.socket.poll(0):
            frames = self.socket.recv_multipart()
            header = msgpack.unpackb(frames[0])
            epoch = header[3]["epoch"] if len(frames) == 1 else header[6]
            if epoch != self.epoch:
                self.epoch, self.received, self.granted = epoch, 0, 0
            if len(frames) == 2:
                self.received += 1
                return header, unpack(frames[1])
        return None


out = Handout()
inlets = [Intake(endpoint) for each in place["inputs"] for endpoint in each["endpoints"]]
while True:
    out.hear()
    for inlet in inlets:
        if out.room():
            inlet.tend()
            arrived = inlet.receive()
            if arrived:
                header, batch = arrived
                n = batch["events"]
                fields = {"first_row": batch["first_row"], "read": n, "quarantined": 0,
                          "events": 0, "lit": 0,
                          "dropped": b"".join((n if i == 3 else 0).to_bytes(4, "little")
                                              for i in range(REASONS))}
                for name in ("row", "m_jj", "label", "pt", "eta", "phi", "mass", "tau1", "tau2",
                             "tau3", "constituents"):
                    fields[name] = b""
                fields.update(offset=bytes(4), pixel=b"", intensity=b"")
                out.send(record(2, fields, header[3], header[4], attempt=header[5]))
    zmq.select([out.socket] + [inlet.socket for inlet in inlets], [], [], 0.05)
'''

# Pulls every second place and writes down what came.
SINK = '''
import struct
feed = open_socket(zmq.DEALER, place["inputs"][0]["endpoints"][0])
following, total, spoke, until, found = 1, None, 0, 0, []
while total is None or following < total:
    if following + 16 != until or time.monotonic() - spoke > 1:
        spoke, until = time.monotonic(), following + 16
        feed.send_multipart(control(
            PULL, name=place["name"], replica=place["replica"], incarnation=incarnation,
            **{"from": following}, until=until, modulus=2, remainder=1,
            mass=struct.pack("<2d", 3000, 3500)))
    if not feed.poll(100):
        continue
    frames = feed.recv_multipart()
    header = msgpack.unpackb(frames[0])
    if len(frames) == 1 and header[1] == END:
        total = header[3]["total"]
    elif len(frames) == 2 and header[4] == following:
        batch = unpack(frames[1])
        found.append([header[3], header[4], batch["read"], batch["events"], list(
            struct.unpack(f"<{batch['events']}f", batch["m_jj"]))])
        following += 2
json.dump({"total": total, "items": found}, open(place["settings"]["out"], "w"))
'''


class InPython(product.ProductCase):
    def program(self, name, text):
        path = self.folder / name
        path.write_text("#!/usr/bin/python3 -B\n" + COMMON + text)
        path.chmod(0o755)

    def run_with(self, **replaced):
        lines = [line if line.strip().split(":")[0] not in replaced else
                 f"  {replaced[line.strip().split(':')[0]]}" for line in product.SMALL.splitlines()]
        (self.folder / "small.yaml").write_text("\n".join(lines) + "\n")
        self.command("run", "small.yaml", "--state", "-".join(["state", *replaced]))

    def datasets(self):
        with h5py.File(self.folder / "results.h5") as file:
            found = {}
            file.visititems(lambda name, node: found.update({name: node[()]})
                            if isinstance(node, h5py.Dataset) else None)
        return found

    def test_a_source_gives_the_same_results_as_ours(self):
        self.toy("events.h5", 4030, signal=100)
        self.run_with()
        ours = self.datasets()
        self.program("source", SOURCE)
        self.run_with(reader="reader:  {run: ./source, settings: {file: events.h5}}")
        theirs = self.datasets()
        self.assertEqual(list(ours), list(theirs))
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name], name)

    def test_a_worker_and_a_sink_take_their_places(self):
        self.toy("events.h5", 1230)
        self.program("worker", f"REASONS = {reasons()}\n" + WORKER)
        self.program("sink", SINK)
        base = product.SMALL.split("  trainer:")[0]
        sink = "  sink: {run: ./sink, from: log, settings: {out: OUT}}\n"
        for name, text in (("ours", base), ("theirs", base.replace("run: jet_image",
                                                                   "run: ./worker"))):
            (self.folder / f"{name}.yaml").write_text(text + sink.replace("OUT", f"{name}.json"))
            self.command("run", f"{name}.yaml", "--state", name)
        ours, theirs = (json.loads((self.folder / f"{name}.json").read_text())
                        for name in ("ours", "theirs"))
        for told in (ours, theirs):
            self.assertEqual(told["total"], 13)
            self.assertEqual([item[:3] for item in told["items"]],
                             [[0, place, 100] for place in range(1, 12, 2)])
        self.assertTrue(all(item[3] == 0 for item in theirs["items"]))
        masses = [mass for item in ours["items"] for mass in item[4]]
        self.assertTrue(masses and all(3000 <= mass < 3500 for mass in masses))


class Heartbeat(product.ProductCase):
    def setup_of(self, monitor):
        """Of the page's example a source's setup, whose heartbeats come to us."""
        page = (product.SOURCE / "docs/wire-format.md").read_text(encoding="utf-8")
        examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        setup = json.loads(examples[0])
        setup.update(name="reader", settings={"files": ["events.h5"], "rows": None,
                                              "masterkey": None, "follow": False, "end": "end"},
                     folder=str(self.folder), source=0, inputs=[], monitor=monitor,
                     output=f"ipc://{self.folder}/out", control=f"ipc://{self.folder}/control")
        return setup, json.loads(examples[1])

    def test_it_has_the_keys_that_are_told_and_sigterm_ends_in_order(self):
        self.toy("events.h5", 30)
        context = zmq.Context()
        self.addCleanup(context.destroy, 0)
        socket = context.socket(zmq.SUB)
        self.addCleanup(socket.close, 0)
        setup, told = self.setup_of(f"ipc://{self.folder}/monitor")
        socket.subscribe(b"")
        socket.bind(setup["monitor"])
        (self.folder / "setup.json").write_text(json.dumps(setup))
        with subprocess.Popen([product.BIN / "event_reader", "--stage", "setup.json"],
                              cwd=self.folder, stderr=subprocess.DEVNULL) as reader:
            self.assertTrue(socket.poll(60000))
            found = json.loads(socket.recv())
            reader.terminate()
            self.assertEqual(reader.wait(60), 0)
        self.assertEqual(list(found), list(told))
        self.assertEqual(list(found["flow"]), list(told["flow"]))
        self.assertEqual((found["stage"], found["rows"]), ("reader", 30))


def reasons():
    """How many reasons to drop an event there are, as the page's table has it."""
    page = (product.SOURCE / "docs/wire-format.md").read_text(encoding="utf-8")
    return int(page.split("[reasons = ")[1].split("]")[0])


if __name__ == "__main__":
    product.main()
