#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trainer of somebody else, for tests: gives the models that a test has put into the file
`settings.models` (JSON, a list of the message's fields; arrays as hexadecimal texts of their bytes)
and asks for no images."""
import json
import os
import secrets
import signal
import sys

import lz4.frame
import msgpack
import xxhash
import zmq

VERSION, MODEL, ALIVE, PULL, END = 3, 3, 65, 66, 67
SETUP = json.load(open(sys.argv[sys.argv.index("--stage") + 1]))
RUN, ME = SETUP["run_id"], secrets.randbits(63) | 1
ARRAYS = ("window", "prototype", "scale", "bias", "map")


def frames(index, fields):
    raw = msgpack.packb({name: bytes.fromhex(value) if name in ARRAYS else value
                         for name, value in fields.items()})
    head = [VERSION, MODEL, RUN, SETUP["replica"], index, 1, ME, 0, len(raw)]
    return msgpack.packb([*head, xxhash.xxh3_128_digest(raw)]), lz4.frame.compress(raw)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    context = zmq.Context()
    context.linger = context.sndhwm = context.rcvhwm = 0
    outlet, monitor = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
    outlet.bind(SETUP["output"])
    monitor.connect(SETUP["monitor"])
    items = [frames(*each) for each in enumerate(json.load(open(SETUP["settings"]["models"])))]
    consumers = {}
    while True:
        while outlet.poll(0):
            route, frame = outlet.recv_multipart()
            *head, pull = msgpack.unpackb(frame)
            if head == [VERSION, PULL, RUN]:
                consumers[route] = [consumers.get(route, [pull["from"]])[0], pull["until"]]
                outlet.send_multipart([route, msgpack.packb([VERSION, ALIVE, RUN, {"epoch": ME}])])
        for route, (first, until) in list(consumers.items()):
            for index in range(first, min(until, len(items))):
                outlet.send_multipart([route, *items[index]])
                consumers[route][0] = index + 1
            if consumers[route][0] >= len(items):
                outlet.send_multipart(
                    [route, msgpack.packb([VERSION, END, RUN, {"total": len(items)}])])
                del consumers[route]
        monitor.send_json({"stage": SETUP["name"], "replica": SETUP["replica"], "pid": os.getpid(),
                           "finished": True, "items": len(items), "text": "from a file"})
        zmq.select([outlet], [], [], 0.2)


main()
