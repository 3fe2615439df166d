#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""robust_selector in Python: all that a feed stage does; docs/swapping.md goes through it."""
import json, math, os, secrets, signal, statistics, struct, sys, time
import lz4.frame, msgpack, numpy as np, xxhash, zmq
VERSION, SPECTRA, SELECTION, ALIVE, PULL, END = 3, 4, 5, 65, 66, 67  # docs/wire-format.md
SETUP = json.load(open(sys.argv[sys.argv.index("--stage") + 1]))  # `run` adds: --stage FILE
if SETUP["protocol"] != VERSION: print("not protocol", VERSION, file=sys.stderr), sys.exit(2)
RUN, ME = SETUP["run_id"], secrets.randbits(63) | 1  # ME: this life of the process

def control(kind, fields):
    return msgpack.packb([VERSION, kind, RUN, fields])

def item(index, fields):  # its two frames
    raw = msgpack.packb(fields)
    head = [VERSION, SELECTION, RUN, SETUP["replica"], index, 1, ME, 0, len(raw)]
    return msgpack.packb([*head, xxhash.xxh3_128_digest(raw)]), lz4.frame.compress(raw)

class Input:  # the items of one producer process, in order, each once
    def __init__(self, endpoint):
        self.next, self.total, self.until, self.said = 0, math.inf, 0, 0.0
        self.socket = context.socket(zmq.DEALER)  # finds the producer again when that restarts
        self.socket.connect(endpoint)
    def ask(self, until):  # at once for more items; every second anyway, which tells that we live
        if until > self.until or time.monotonic() - self.said > 1.0:
            self.until, self.said = max(until, self.until), time.monotonic()
            self.socket.send(control(PULL, {"name": SETUP["name"], "replica": SETUP["replica"],
                "incarnation": ME, "from": self.next, "until": self.until, "modulus": 1,
                "remainder": 0, "mass": struct.pack("<2d", -math.inf, math.inf)}))
    def receive(self):  # what has come; a damaged item raises: exit code 1, we are started again
        while self.socket.poll(0):
            head, *payload = self.socket.recv_multipart()
            head = msgpack.unpackb(head)
            if head[:3] == [VERSION, END, RUN]:
                self.total = head[3]["total"]
            elif head[:3] == [VERSION, SPECTRA, RUN] and head[4] == self.next:
                self.next += 1
                raw = lz4.frame.decompress(payload[0])
                assert xxhash.xxh3_128_digest(raw) == head[9], "a damaged item"
                yield msgpack.unpackb(raw)

def serve(complete):  # all our items, to everybody who pulls
    while outlet.poll(0):
        route, frame = outlet.recv_multipart()
        *head, pull = msgpack.unpackb(frame)
        if head == [VERSION, PULL, RUN]:  # a new connection starts at its `from`
            consumers[route] = [consumers.get(route, [pull["from"]])[0], pull["until"]]
            outlet.send_multipart([route, control(ALIVE, {"epoch": ME})])
    for route, (first, until) in list(consumers.items()):
        for index in range(first, min(until, len(items))):
            outlet.send_multipart([route, *items[index]])
            consumers[route][0] = index + 1
        if complete and consumers[route][0] >= len(items):
            outlet.send_multipart([route, control(END, {"total": len(items)})])
            del consumers[route]  # until it asks again

def select(counts, fraction, threshold, factor):  # counts[cluster, bin] of one member
    total, z = counts.sum(axis=1), np.zeros(counts.shape)
    if total.any():
        share = counts[total > 0] / total[total > 0, None]
        distance = abs(share - np.median(share, axis=0))
        near = distance <= np.quantile(distance, 1 - fraction, axis=0)
        mean, sd = share.mean(axis=0, where=near), factor * share.std(axis=0, where=near)
        z[total > 0] = np.divide(share - mean, sd, out=np.zeros_like(share), where=sd > 0)
    rich = (z > threshold).any(axis=1)
    most, rest = counts[rich].sum(axis=0), counts[~rich].sum(axis=0)
    return z, rich, most, rest, rest.astype(float) * float(most.sum()) / max(float(rest.sum()), 1.0)

def answer(parts, *chosen):  # one slice: the sum over all accumulators, and what we make of it
    out = {key: sum(part[key] for part in parts) % 2**64 if isinstance(one, int) else
           sum(np.frombuffer(part[key], "<u8") for part in parts) for key, one in parts[0].items()}
    out |= {key: parts[0][key] for key in ("generation", "members", "clusters", "bins", "slice")}
    counts = out["counts"].reshape(out["members"], out["clusters"], out["bins"])
    made = zip(*(select(member, *chosen) for member in counts))
    out |= zip(("z", "label", "rich", "depleted", "background"), map(np.array, made))
    return {key: v if isinstance(v, int) else v.tobytes() for key, v in out.items()}

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until then we serve
wish = {**SETUP["analysis"]["selection"], **SETUP["settings"]}  # `settings` has the last word
cut = -statistics.NormalDist().inv_cdf(max(wish["outlier_fraction"], 1e-300) / 2)
left = 1 - 2 * cut * statistics.NormalDist().pdf(cut) / (1 - wish["outlier_fraction"])
chosen = wish["outlier_fraction"], wish["threshold"], wish["sd_factor"] or 1 / math.sqrt(left)
context, slices, items, consumers = zmq.Context(), {}, [], {}
context.linger = context.sndhwm = context.rcvhwm = 0
outlet, monitor = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
outlet.bind(SETUP["output"]), monitor.connect(SETUP["monitor"])
inputs = [Input(endpoint) for one in SETUP["inputs"] for endpoint in one["endpoints"]]
while True:
    going = [one.next for one in inputs if one.next < one.total]
    for one in inputs:
        if going: one.ask(min(going) + 8)
        for part in one.receive():
            slices.setdefault(part["slice"], []).append(part)
    while len(slices.get(len(items), [])) == len(inputs):
        items.append(item(len(items), answer(slices.pop(len(items)), *chosen)))
    assert going or not slices, "the accumulators ended after different slices"
    serve(complete=not going)
    monitor.send_json({"stage": SETUP["name"], "replica": SETUP["replica"], "pid": os.getpid(),
                       "finished": not going, "items": len(items), "text": "in Python"})
    zmq.select([outlet, *(one.socket for one in inputs)], [], [], 0.2)
