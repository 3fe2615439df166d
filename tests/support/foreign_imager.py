#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An imager of somebody else, for tests: true after docs/wire-format.md, but for what `settings.lie`
says it does to the batch that holds row 192 (or, with `settings.always`, to all). Its images are no
images of anything: four pixels a jet."""
import json
import os
import secrets
import signal
import sys
import time

import lz4.frame
import msgpack
import numpy as np
import xxhash
import zmq

VERSION, EVENTS, IMAGES, GRANT, ALIVE = 3, 1, 2, 64, 65
SETUP = json.load(open(sys.argv[sys.argv.index("--stage") + 1]))
RUN, ME = SETUP["run_id"], secrets.randbits(63) | 1
LIE, ALWAYS = SETUP["settings"].get("lie", "none"), SETUP["settings"].get("always", False)
PER_EVENT = ("row", "m_jj", "label")
PER_JET = ("pt", "eta", "phi", "mass", "tau1", "tau2", "tau3", "constituents")
COLUMNS = (*PER_EVENT, *PER_JET, "offset", "pixel", "intensity")
CONTEXT = zmq.Context()
CONTEXT.linger = CONTEXT.sndhwm = CONTEXT.rcvhwm = 0


def control(kind, fields):
    return msgpack.packb([VERSION, kind, RUN, fields])


def masses(batch):
    offset = np.frombuffer(batch["offset"], "<u4")
    pt, eta, phi = (np.frombuffer(batch[name], "<f4").astype(float) for name in ("pt", "eta", "phi"))
    found = []
    for first, last in zip(offset[:-1], offset[1:]):
        p, h, f = pt[first:last], eta[first:last], phi[first:last]
        momentum = [(p * part).sum() for part in (np.cos(f), np.sin(f), np.sinh(h))]
        found.append(max((p * np.cosh(h)).sum() ** 2 - np.square(momentum).sum(), 0) ** .5)
    return np.array(found, "<f4")


def true_images(batch):
    n = batch["events"]
    pixel = np.tile(np.array([3, 700, 801, 1200], "<u2"), (2 * n, 1))
    pixel[:, 0] += (np.arange(2 * n) % 40).astype("<u2")
    jets = np.ones(2 * n, "<f4")
    label = batch["label"]
    return {"first_row": batch["first_row"], "read": n, "quarantined": 0,
            "dropped": np.zeros(7, "<u4"), "row": batch["first_row"] + np.arange(n, dtype="<u8"),
            "m_jj": masses(batch), "label": None if label is None else np.frombuffer(label, "i1"),
            "pt": 1500 * jets, "eta": 0 * jets, "phi": jets, "mass": 50 * jets, "tau1": .1 * jets,
            "tau2": .05 * jets, "tau3": .02 * jets, "constituents": np.full(2 * n, 40, "<u2"),
            "offset": np.arange(0, 8 * n + 1, 4, dtype="<u4"), "pixel": pixel.reshape(-1),
            "intensity": np.tile(np.array([.1, .4, .3, .2], "<f4"), 2 * n)}


def leave_out(images, event):
    """The event vanishes, and no count says so."""
    for columns, times in ((PER_EVENT, 1), (PER_JET, 2), (("pixel", "intensity"), 8)):
        for name in columns:
            if images[name] is not None:
                images[name] = np.delete(images[name],
                                         slice(times * event, times * (event + 1)))
    images["offset"] = images["offset"][:-2]


def lie(images):
    if LIE in ("lose", "wrap", "read-less", "quarantine"):
        leave_out(images, 5)
    if LIE == "wrap":  # 2^32 + 1 in 32 bits is the one that is missing
        images["dropped"][:2] = 2**32 - 1, 2
    elif LIE == "read-less":
        images["read"] -= 1
    elif LIE == "quarantine":
        images["quarantined"] = 1
    elif LIE == "twice":
        images["row"][6] = images["row"][5]
    elif LIE == "another-row":
        images["row"][6] += 10**6
    elif LIE == "nan":
        images["m_jj"][3] = np.nan
    elif LIE == "infinite":
        images["intensity"][3] = np.inf
    elif LIE == "more":
        images["read"] += 50
        images["dropped"][3] = 50
    elif LIE == "pixel":
        images["pixel"][3] = 1600
    elif LIE == "raise":
        raise RuntimeError("this batch is too much for me")
    elif LIE == "abort":
        os.abort()


def image(batch):
    images = true_images(batch)
    if ALWAYS or 0 <= 192 - batch["first_row"] < batch["events"]:
        lie(images)
    counts = {"first_row": images["first_row"], "read": images["read"],
              "quarantined": images["quarantined"], "events": len(images["row"]),
              "lit": len(images["pixel"]), "dropped": images["dropped"].tobytes()}
    arrays = {name: None if images[name] is None else images[name].tobytes() for name in COLUMNS}
    raw = msgpack.packb({**counts, **arrays})
    return raw if LIE != "digest" else raw + b"x", counts["events"]


class Input:
    def __init__(self, endpoint):
        self.socket = CONTEXT.socket(zmq.DEALER)
        self.socket.connect(endpoint)
        self.epoch = self.received = self.total = 0
        self.said = 0.0

    def grant(self, room):
        total = self.received + (2 if room else 0)
        if self.epoch and total > self.total or time.monotonic() - self.said > 1:
            self.total, self.said = max(total if self.epoch else 0, self.total), time.monotonic()
            self.socket.send(control(GRANT, {
                "name": SETUP["name"], "replica": SETUP["replica"], "incarnation": ME,
                "epoch": self.epoch, "received": self.received, "total": self.total}))

    def batch(self):
        while self.socket.poll(0):
            head, *payload = self.socket.recv_multipart()
            head = msgpack.unpackb(head)
            epoch = head[3]["epoch"] if head[1] == ALIVE else head[6] if payload else self.epoch
            if epoch != self.epoch:
                self.epoch, self.received, self.total, self.said = epoch, 0, 0, 0.0
            if payload:
                self.received += 1
                return head, msgpack.unpackb(lz4.frame.decompress(payload[0]))
        return None


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    outlet, monitor = CONTEXT.socket(zmq.ROUTER), CONTEXT.socket(zmq.PUB)
    outlet.bind(SETUP["output"]), monitor.connect(SETUP["monitor"])
    inputs = [Input(endpoint) for one in SETUP["inputs"] for endpoint in one["endpoints"]]
    room, items = {}, 0  # batches that each consumer still takes
    sent = {}
    while True:
        while outlet.poll(0):
            route, frame = outlet.recv_multipart()
            head = msgpack.unpackb(frame)
            if head[1] == GRANT and head[3]["epoch"] == ME:
                room[route] = head[3]["total"] - sent.get(route, 0)
            outlet.send_multipart([route, control(ALIVE, {"epoch": ME})])
        for one in inputs:
            route = next((route for route, n in room.items() if n > 0), None)
            one.grant(route is not None)
            got = one.batch() if route is not None else None
            if got is None:
                continue
            head, batch = got
            raw, events = image(batch)
            digest = xxhash.xxh3_128_digest(raw if LIE != "digest" else b"another")
            mine = [VERSION, IMAGES, RUN, head[3], head[4], head[5], ME, events, len(raw), digest]
            outlet.send_multipart([route, msgpack.packb(mine), lz4.frame.compress(raw)])
            sent[route], room[route], items = sent.get(route, 0) + 1, room[route] - 1, items + 1
        monitor.send_json({"stage": SETUP["name"], "replica": SETUP["replica"], "pid": os.getpid(),
                           "finished": False, "items": items, "text": ""})
        zmq.select([outlet, *(one.socket for one in inputs)], [], [], 0.1)


main()
