# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that the documents say what the programs do. What fails here names what to write."""
import copy
import json
import os
import re
import subprocess
import unittest

import h5py
import jsonschema
import lz4.frame
import msgpack
import numpy as np
import xxhash
import yaml

import product
from product import BIN, CLUSTERSCAN, SOURCE

DOCS = SOURCE / "docs"
TOPOLOGIES = sorted((SOURCE / "topology").rglob("*.yaml"))


def told_by(*arguments):
    environment = {**os.environ, "ARGP_HELP_FMT": "rmargin=2000"}
    return subprocess.run([CLUSTERSCAN, *arguments], env=environment, capture_output=True,
                          text=True, check=True).stdout


def subcommands():
    return re.findall(r"^  ([a-z]+) ", told_by("--help").split("\n\n")[1], re.MULTILINE)


def options(command):
    """Long options in the first block of --help that has any; examples stand below it."""
    for block in told_by(command, "--help").split("\n\n"):
        found = re.findall(r"^ {2,6}(?:-\S, )?(--[a-z-]+)", block, re.MULTILINE)
        if found:
            return found
    return []


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def changed(path, value):
    """The small topology with one value replaced; ... takes the key out."""
    topology = yaml.safe_load(product.SMALL)
    *parents, last = path.split("/")
    at = topology
    for key in parents:
        at = at.setdefault(key, {})
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return topology


# What an editor can find out: the file's shape, not what flows between its stages.
BROKEN = [
    ("version", ...), ("version", 2), ("version", "1"), ("name", ...), ("name", ""),
    ("name", 7), ("name", "x" * 65), ("transport", "udp"), ("ports", [17000]),
    ("ports", [17000, 40000]), ("ports", [17000.5, 18000]), ("security", "keys"),
    ("surprise", 1), ("analysis/surprise", 1), ("analysis", 3), ("analysis", [1]),
    ("analysis/stream", 512), ("analysis/stream/batch", 0), ("analysis/stream/batch", 512.5),
    ("analysis/stream/batch", 30001), ("analysis/stream/batch", "512"),
    ("analysis/stream/batch", None), ("analysis/jets/radius", 0), ("analysis/jets/radius", 2),
    ("analysis/jets/algorithm", "kt"), ("analysis/image/power", -0.5),
    ("analysis/training/window", 3000), ("analysis/training/window", [3000, 3100, 3200]),
    ("analysis/training/window", ["3000", 3100]), ("analysis/training/clusters", 1),
    ("analysis/score/deviation", "negative"), ("stages", ...), ("stages", {}), ("stages", None),
    ("stages/Reader", {"run": "event_reader", "settings": {"files": "x.h5"}}),
    ("stages/reader/run", ...), ("stages/reader/run", 5), ("stages/reader/settings", ...),
    ("stages/reader/settings/files", []), ("stages/reader/settings/files", 3),
    ("stages/reader/settings/rows", [0, "all"]), ("stages/reader/settings/surprise", 1),
    ("stages/reader/replicas", 2), ("stages/images/from", ...), ("stages/images/replicas", 0),
    ("stages/images/replicas", 65), ("stages/images/settings", {"surprise": 1}),
    ("stages/log/settings/segment", -16), ("stages/log/settings/seal_after", 0),
    ("stages/log/surprise", 1), ("stages/select/replicas", 2),
    ("stages/score/settings/results", ""),
]


class JsonSchema(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads((DOCS / "topology.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft7Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def test_every_topology_of_the_tree_is_accepted(self):
        self.assertTrue(TOPOLOGIES)
        for path in TOPOLOGIES:
            with self.subTest(path.relative_to(SOURCE)):
                self.validator.validate(load(path))

    def test_broken_ones_are_refused_by_the_schema_and_by_validate(self):
        for path, value in BROKEN:
            with self.subTest(f"{path}: {value}"):
                topology = changed(path, value)
                self.assertFalse(self.validator.is_valid(topology))
                (self.folder / "broken.yaml").write_text(yaml.safe_dump(topology))
                self.command("validate", "broken.yaml", code=2)

    def test_what_is_left_empty_is_accepted_by_both(self):
        for path, value in (("analysis", None), ("analysis", ...), ("analysis/stream", None),
                            ("stages/images/settings", None), ("stages/log/settings", {}),
                            ("stages/reader/settings/rows", None), ("security", None),
                            ("stages/reader/settings/files", "one.h5"),
                            ("stages/images/from", "reader"), ("analysis/image/power", 1)):
            with self.subTest(f"{path}: {value}"):
                topology = changed(path, value)
                self.validator.validate(topology)
                (self.folder / "good.yaml").write_text(yaml.safe_dump(topology))
                self.command("validate", "good.yaml")

    def test_every_default_is_accepted(self):
        def walk(schema, path=""):
            for name, below in schema.get("properties", {}).items():
                if "default" in below:
                    with self.subTest(path + name):
                        jsonschema.validate(below["default"], below)
                walk(below, f"{path}{name}.")
        walk(copy.deepcopy(self.schema))


class Generated(unittest.TestCase):
    def test_what_is_committed_is_what_the_programs_say(self):
        done = subprocess.run([SOURCE / "tools/docs", "--check", "--bin", BIN],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stdout + done.stderr)

    def test_every_topology_key_is_in_the_reference(self):
        keys = (DOCS / "operating.md").read_text(encoding="utf-8")
        for key in told_by("reference", "keys").split():
            self.assertIn(f"`{key}`", keys)


SPY = """#!/bin/sh
# A sink that keeps its setup file and has finished.
cp "$2" "$(dirname "$0")/setup.json"
"""


class WireFormat(product.ProductCase):
    """wire-format.md, read as somebody would who writes a stage in Python."""

    def setUp(self):
        super().setUp()
        self.page = (DOCS / "wire-format.md").read_text(encoding="utf-8")

    def frame(self, title):
        """The bytes of a dump."""
        dump = re.search(rf"^{title}.*?```\n(.*?)```", self.page, re.MULTILINE | re.DOTALL)
        return bytes.fromhex("".join(line[4:54] for line in dump.group(1).splitlines()))

    def fields(self, message):
        table = re.search(rf"^#### \d+ `{message}`:.*?\n\n(.*?)\n\n", self.page,
                          re.MULTILINE | re.DOTALL)
        return re.findall(r"^\| `(\w+)` \| (\w+)", table.group(1), re.MULTILINE)

    def test_the_control_can_be_read_with_what_the_page_says(self):
        version, kind, run_id, fields = msgpack.unpackb(self.frame("A `pull`"))
        self.assertEqual((version, kind, run_id), (3, 66, "0123456789abcdef" * 2))
        self.assertIn(f"#### {kind} `pull`", self.page)
        self.assertEqual(list(fields), [name for name, _ in self.fields("pull")])
        self.assertEqual(np.frombuffer(fields.pop("mass"), "<f8").tolist(), [3000, 4600])
        self.assertEqual(fields, {"name": "select", "replica": 0,
                                  "incarnation": 0x1122334455667788, "from": 3, "until": 11,
                                  "modulus": 1, "remainder": 0})

    def test_the_record_can_be_read_with_what_the_page_says(self):
        header = msgpack.unpackb(self.frame("A `score`, first frame"))
        payload = self.frame("A `score`, second frame")
        version, kind, run_id, source, seq, attempt, epoch, events, length, digest = header
        self.assertEqual((version, kind, source, seq, attempt, events), (3, 6, 0, 3, 1, 0))
        self.assertIn(f"#### {kind} `score`", self.page)
        told = lz4.frame.get_frame_info(payload)
        self.assertFalse(told["block_linked"])
        self.assertEqual(told["content_size"], length)
        raw = lz4.frame.decompress(payload)
        self.assertEqual(xxhash.xxh3_128_digest(raw), digest)
        fields = msgpack.unpackb(raw)
        self.assertEqual(list(fields), [name for name, _ in self.fields("score")])
        self.assertEqual((fields["slice"], fields["read"], fields["mean"]),
                         (3, 131072, 4.2718281828459045))
        self.assertEqual(np.frombuffer(fields["mls"], "<f8").tolist(), [2.6651441426902252])
        self.assertEqual(np.frombuffer(fields["bin"], "<i4").tolist(), [5])

    def aloud(self, title):
        """The lines below a dump: offset, bytes, words."""
        lines = re.search(rf"^{title}.*?Read aloud:\n\n```\n(.*?)```", self.page,
                          re.MULTILINE | re.DOTALL).group(1).splitlines()
        return [(int(line[:4], 16), bytes.fromhex(line[5:33].strip()), line[33:].strip(". "))
                for line in lines]

    def said(self, value, name):
        """What is to be read where this value stands."""
        if isinstance(value, str):
            return f"a text of {len(value)} bytes: {value}"
        if isinstance(value, float):
            return f"float 64, big-endian: {value:.17g}"
        if isinstance(value, bytes):
            kind = {"mass": "<f8", "mls": "<f8", "bin": "<i4"}.get(name)
            numbers = np.frombuffer(value, kind).tolist() if kind else []
            return f"a bin of {len(value)} bytes" + (
                f", {'i32' if kind == '<i4' else 'f64'} little-endian: " + ", ".join(
                    f"{number:.17g}" for number in numbers) if numbers else "")
        size = len(msgpack.packb(value)) - 1
        return f"{value}, in {size} bytes, big-endian" if size else str(value)

    def expect_aloud(self, lines, item, frame, end):
        """The lines tell this item of msgpack, and their bytes stand in the frame at their offset."""
        words = []
        if isinstance(item, list):
            words.append(f"an array of {len(item)}")
            for value in item[:3] if isinstance(item[-1], dict) else item:
                words.append(self.said(value, ""))
            item = item[-1] if isinstance(item[-1], dict) else {}
        if item:
            words.append(f"a map of {len(item)}")
            for name, value in item.items():
                words += [f"{name}:", self.said(value, name)]
        self.assertEqual(len(lines), len(words))
        ends = [offset for offset, _, _ in lines[1:]] + [end]
        for (offset, shown, line), word, after in zip(lines, words, ends):
            self.assertEqual(re.sub(r"^(protocol version|type|run id|source|seq|attempt|epoch|events"
                                    r"|raw length|digest): ", "", line) if word != f"{line[:-1]}:"
                             else line, word)
            self.assertEqual(shown, frame[offset:after][:9])

    def test_what_is_read_aloud_stands_in_the_bytes(self):
        for title in ("A `pull`", "A `score`, first frame"):
            frame = self.frame(title)
            self.expect_aloud(self.aloud(title), msgpack.unpackb(frame), frame, len(frame))
        title = "A `score`, second frame"
        frame, lines = self.frame(title), self.aloud(title)
        told = lz4.frame.get_frame_info(frame)
        words = "\n".join(line for _, _, line in lines[:6])
        for word in (f"content size: {told['content_size']}",
                     f"a block of {told['content_size']} bytes; the top bit says: stored",
                     f"blocks of at most {told['block_size'] // 1024} KiB",
                     "linked" if told["block_linked"] else "independent",
                     ("with" if told["content_checksum"] else "no") + " content checksum",
                     ("with" if told["block_checksum"] else "no") + " block checksums"):
            self.assertIn(word, words)
        self.expect_aloud(lines[6:-1], msgpack.unpackb(lz4.frame.decompress(frame)), frame,
                          lines[-1][0])
        self.assertEqual(lines[-1][1:], (bytes(4), "no more blocks"))

    def test_the_setup_file_has_the_keys_that_are_told(self):
        self.toy("events.h5", 300)
        (self.folder / "small.yaml").write_text(
            product.SMALL.split("  trainer:")[0] +
            "  spy: {run: ./spy, from: log, settings: {colour: blue}}\n")
        (self.folder / "spy").write_text(SPY)
        (self.folder / "spy").chmod(0o755)
        self.command("run", "small.yaml")
        found = json.loads((self.folder / "setup.json").read_text())
        examples = re.findall(r"```json\n(.*?)```", self.page, re.DOTALL)
        self.assertEqual(shape(found), shape(json.loads(examples[0])))
        for key in found:
            self.assertIn(f"`{key}`", self.page)


def shape(value):
    """Keys and types; an endpoint may be null."""
    if isinstance(value, dict):
        return {key: shape(below) for key, below in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return "text" if value is None or isinstance(value, str) else type(value).__name__


class Physics(product.ProductCase):
    def test_every_attribute_and_dataset_of_a_result_is_explained(self):
        page = (DOCS / "physics.md").read_text(encoding="utf-8")
        self.toy("events.h5", 12000, signal=300)
        (self.folder / "small.yaml").write_text(product.SMALL)
        self.command("run", "small.yaml")
        names = []
        with h5py.File(self.folder / "results.h5") as file:
            names += list(file.attrs)
            file.visititems(lambda name, node: names.append("/" + name)
                            if isinstance(node, h5py.Dataset) else None)
            names += [reason.decode() for reason in file["dropped/reason"][:]]
        self.assertIn("/truth/signal_counts", names)
        for name in names:
            self.assertIn(f"`{name}`", page)


class ManPages(product.ProductCase):
    def test_every_subcommand_and_option_is_in_the_page(self):
        page = (DOCS / "man/clusterscan.1").read_text(encoding="utf-8").replace("\\-", "-")
        sections = dict(re.findall(r"^\.SS clusterscan ([a-z]+)$(.*?)(?=^\.S[SH])", page,
                                   re.MULTILINE | re.DOTALL))
        for command in subcommands():
            self.assertIn(command, sections, f"clusterscan(1) lacks {command}: run tools/docs")
            for option in options(command):
                self.assertIn(f"\\fB{option}\\fR", sections[command],
                              f"clusterscan(1) lacks {option} of {command}: run tools/docs")

    def test_every_key_is_in_the_page_of_topologies(self):
        page = (DOCS / "man/clusterscan-topology.5").read_text(encoding="utf-8")
        for key in told_by("reference", "keys").split():
            self.assertIn(f"\n.B {key}\n", page.replace("\\-", "-"))

    def test_the_pages_are_well_formed(self):
        for path in sorted((DOCS / "man").iterdir()):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                                  capture_output=True, text=True)
            lines = [line for line in done.stdout.splitlines() if "missing date" not in line]
            self.assertEqual(lines, [], path)

    def test_the_example_of_the_page_is_a_valid_topology(self):
        page = (DOCS / "man/clusterscan-topology.5").read_text(encoding="utf-8")
        example = re.search(r"\.SH EXAMPLE\n\.EX\n(.*?)\.EE", page, re.DOTALL).group(1)
        (self.folder / "example.yaml").write_text(example)
        self.command("validate", "example.yaml")


class Links(product.ProductCase):
    def pages(self):
        return [SOURCE / "README.md", SOURCE / "topology" / "README.md", *sorted(DOCS.rglob("*.md"))]

    def test_every_relative_link_points_to_a_file(self):
        for page in self.pages():
            text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"),
                          flags=re.MULTILINE | re.DOTALL)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                with self.subTest(f"{page.relative_to(SOURCE)}: {target}"):
                    file = (page.parent / name) if name else page
                    self.assertTrue(file.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(file))

    def test_every_topology_of_the_tree_has_its_row(self):
        folder = SOURCE / "topology"
        rows = re.findall(r"^\| `([\w/.-]+\.yaml)` \|", (folder / "README.md").read_text(),
                          re.MULTILINE)
        self.assertEqual(sorted(rows), sorted(str(file.relative_to(folder))
                                              for file in folder.rglob("*.yaml")))

    def test_every_topology_in_the_documents_is_valid(self):
        n = 0
        for page in self.pages():
            for example in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"),
                                      re.MULTILINE | re.DOTALL):
                n += 1
                (self.folder / "example.yaml").write_text(example)
                with self.subTest(f"{page.relative_to(SOURCE)}: {example[:60]}"):
                    self.command("validate", "example.yaml")
        self.assertGreater(n, 0)


def anchors(page):
    """The names GitHub gives to headings."""
    names = []
    for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        names.append(re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-"))
    return names


if __name__ == "__main__":
    product.main()
