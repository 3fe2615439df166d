# SPDX-License-Identifier: GPL-3.0-or-later
"""Topologies that are refused: `validate` and `run` name line and column of every mistake."""
import json
import random
import socket
import subprocess

import product
import refusals

# Line by line, so that a test knows where it stands; the number of a line is its index plus one.
LINES = """version: 1
name: broken
transport: ipc
analysis:
  stream: {batch: 100, slice: 8}
  jets: {radius: 1.0, pt_min: 20}
  image: {pixels: 40, half_width: 0.8, power: 0.5, smear: 1.0}
  training: {window: [3000, 3300], clusters: 20, ensemble: 3, seed: 1}
  spectra: {window: [3000, 4600], bins: 16}
  selection: {outlier_fraction: 0.2, threshold: 3.0}
stages:
  reader: {run: event_reader, settings: {files: [events.h5]}}
  images: {run: jet_image, from: reader}
  log: {run: image_log, from: images, settings: {segment: 8}}
  trainer: {run: kmeans_trainer, from: log}
  spectra: {run: spectrum_accumulator, from: [log, trainer]}
  select: {run: robust_selector, from: spectra}
  score: {run: mls_scorer, from: [select, trainer]}""".splitlines()

# (line, what of it is replaced, by what, column that is named, how the message begins)
BROKEN = [
    (1, "1", "2", 10, "version must be 1, not 2"),
    (1, "version: 1", "versions: 1", 1, "unknown key versions"),
    (2, "broken", "[a]", 1, "name must be a printable text"),
    (2, "broken", "'", 7, "wrongly indented single-quoted scalar"),
    (3, "ipc", "udp", 12, 'transport must be ipc or tcp, not the text "udp"'),
    (3, "ipc", "tcp", 12, "tcp needs keys"),
    (3, "transport: ipc", "ports: [2000, 1000]", 15, "ports must be [first, last]"),
    (3, "transport: ipc", "ports: [80, 1000]", 9, "ports must be [first, last]"),
    (3, "transport: ipc", "name: again", 1, "the key name stands here twice"),
    (4, "analysis", "analyses", 1, "unknown key analyses"),
    (5, "stream", "strem", 3, "unknown key analysis.strem"),
    (5, "batch", "bach", 12, "unknown key analysis.stream.bach"),
    (5, "100", "0", 19, "analysis.stream.batch must be an integer from 1 to 30000 (rows), not 0"),
    (5, "100", "30001", 19, "analysis.stream.batch must be an integer from 1 to 30000"),
    (5, "100", "1e2", 19, "analysis.stream.batch must be an integer"),
    (5, "8", "many", 31, "analysis.stream.slice must be an integer"),
    (5, "slice: 8", "batch: 8", 24, "the key batch stands here twice"),
    (6, "1.0", "2", 18, "analysis.jets.radius must be a number above 0"),
    (6, "1.0", "-1", 18, "analysis.jets.radius must be a number above 0"),
    (6, "20", "yes", 31, "analysis.jets.pt_min must be a number"),
    (6, "radius: 1.0", "algorithm: kt", 21, "analysis.jets.algorithm must be antikt"),
    (7, "40", "40.5", 19, "analysis.image.pixels must be an integer"),
    (7, "0.8", "0", 35, "analysis.image.half_width must be a number above 0"),
    (7, "0.5", "[0.5]", 40, "analysis.image.power must be a number"),
    (7, "1.0", "-1", 59, "analysis.image.smear must be a number"),
    (8, "[3000, 3300]", "[3300, 3000]", 14, "analysis.training.window must be [lo, hi]"),
    (8, "[3000, 3300]", "[3000, 3000]", 14, "analysis.training.window must be [lo, hi]"),
    (8, "[3000, 3300]", "3000", 22, "analysis.training.window must be [lo, hi]"),
    (8, "[3000, 3300]", "[1000, 2000]", 14, "analysis.training.window [1000, 2000) and "
     "analysis.spectra.window [3000, 4600) have no mass in common"),
    (8, "20", "1", 46, "analysis.training.clusters must be an integer from 2"),
    (8, "3,", "0,", 60, "analysis.training.ensemble must be an integer from 1"),
    (8, "seed: 1", "seed: -1", 69, "analysis.training.seed must be an integer from 0"),
    (9, "16", "0", 41, "analysis.spectra.bins must be an integer"),
    (9, "[3000, 4600]", "[a, b]", 22, "analysis.spectra.window must be [lo, hi]"),
    (10, "0.2", "1", 33, "analysis.selection.outlier_fraction must be a number from 0 to 0.9"),
    (10, "3.0", ".inf", 49, "analysis.selection.threshold must be a number"),
    (12, "run: event_reader, ", "", 3, "missing key stages.reader.run"),
    (12, "settings: {files: [events.h5]}", "", 3, "missing key stages.reader.settings.files"),
    (12, "[events.h5]", "[]", 42, "stages.reader.settings.files must be one or more"),
    (12, "files: [events.h5]", "files: [e.h5], row: 3", 57,
     "unknown key stages.reader.settings.row"),
    (12, "event_reader,", "event_reader, replicas: 2,", 41,
     "'reader' (event_reader) runs as a single copy"),
    (12, "event_reader", "no_such_program", 17,
     "stages.reader.run: 'no_such_program' is neither a stage of ours nor a program"),
    (12, "event_reader", "./plain.txt", 17,
     "stages.reader.run: './plain.txt' is neither a stage of ours nor a program"),
    (12, "event_reader", "/tmp", 17,
     "stages.reader.run: '/tmp' is neither a stage of ours nor a program"),
    (13, "from: reader", "from: nobody", 34, "stages.images.from: there is no stage 'nobody'"),
    (13, "from: reader", "from: images", 34, "stage 'images' takes from itself"),
    (13, "from: reader", "from: reader, host: a", 42, "unknown key stages.images.host"),
    (14, "from: images", "from: reader", 31,
     "'log' (image_log) takes image_batch, but 'reader' (event_reader) gives event_batch"),
    (14, "segment: 8", "segment: 8, window: 9", 70,
     "stages.log.settings.window must be at least twice the segment"),
    (14, "settings", "replicas: 2, settings", 49, "'log' (image_log) runs as a single copy"),
    (15, "from: log", "from: images", 40, "'trainer' (kmeans_trainer) follows a feed"),
    (15, "from: log", "from: select", 40,
     "'trainer' (kmeans_trainer) takes image_batch, but 'select' (robust_selector) gives"),
    (16, "[log, trainer]", "[log]", 3, "'spectra' (spectrum_accumulator) lacks an input"),
    (17, "from: spectra", "from: spectra, replicas: 2", 59,
     "'select' (robust_selector) runs as a single copy"),
    (18, "[select, trainer]", "[select, trainer], settings: {results: events.h5}", 73,
     "the result events.h5 would be among the files that 'reader' reads"),
]


def broken_text(*changes):
    lines = list(LINES)
    for number, old, new in changes:
        assert old in lines[number - 1], (number, old)
        lines[number - 1] = lines[number - 1].replace(old, new, 1)
    return "\n".join(lines) + "\n"


class Topologies(refusals.RefusalCase):
    def setUp(self):
        super().setUp()
        (self.folder / "plain.txt").write_text("not executable\n")

    def put(self, text):
        (self.folder / "b.yaml").write_text(text)

    def test_the_unbroken_one_is_good(self):
        self.put(broken_text())
        self.command("validate", "b.yaml")

    def test_line_and_column_of_more_than_fifty_broken_ones_are_named(self):
        self.assertGreaterEqual(len(BROKEN), 50)
        for line, old, new, column, message in BROKEN:
            with self.subTest(f"{old} -> {new}"):
                self.put(broken_text((line, old, new)))
                told = self.refused("validate", "b.yaml", says=("",))
                self.assertIn(f"b.yaml:{line}:{column}: error: {message}", told)
                # The line itself and a caret under the place follow.
                said = told.splitlines()
                self.assertIn(LINES[line - 1].replace(old, new, 1), said)
                self.assertIn(" " * (column - 1) + "^", said)

    def test_run_says_the_same_and_starts_nothing(self):
        for line, old, new, column, message in BROKEN[::6]:
            with self.subTest(f"{old} -> {new}"):
                self.put(broken_text((line, old, new)))
                told = self.refused("run", "b.yaml", says=("",))
                self.assertIn(f"b.yaml:{line}:{column}: error: {message}", told)
                self.assertFalse((self.folder / "state").exists())

    def test_all_mistakes_of_a_file_are_told_in_one_go(self):
        pick = [b for b in BROKEN if b[4].startswith(("unknown key analysis", "analysis."))
                and "in common" not in b[4]]
        chosen = {b[0]: b for b in pick}.values()
        self.put(broken_text(*[b[:3] for b in chosen]))
        told = self.refused("validate", "b.yaml", says=("",))
        for line, _, _, column, message in chosen:
            self.assertIn(f"b.yaml:{line}:{column}: error: {message}", told)
        self.assertGreaterEqual(told.count("error: "), 6)

    def test_bytes_that_changed_are_refused_or_read_but_never_crash(self):
        draw = random.Random(5)
        whole = broken_text().encode()
        for _ in range(150):
            bad = bytearray(whole)
            for _ in range(draw.choice((1, 2, 5))):
                at = draw.randrange(len(bad))
                bad[at:at + draw.choice((0, 1, 9))] = draw.choice(
                    (b"[", b"}", b"\n", b" ", b"\0", b"\xff", b"*", b"&", b"9" * 30, b"'"))
            (self.folder / "b.yaml").write_bytes(bad)
            done = subprocess.run([product.CLUSTERSCAN, "validate", "b.yaml"], timeout=60,
                                  cwd=self.folder, capture_output=True, text=True,
                                  errors="replace")
            self.assertIn(done.returncode, (0, 2), (bytes(bad), done.stderr))
            if done.returncode == 2:
                self.assertRegex(done.stderr, r"(^|\n)(b\.yaml:\d+:\d+: )?error: ")

    def test_a_circle_is_told_along_the_flow(self):
        self.put(broken_text((15, "kmeans_trainer, from: log", "cat, from: spectra")))
        self.refused("validate", "b.yaml", says=(
            "error: stages feed each other in a circle: trainer -> spectra -> trainer\n",))

    def test_two_writers_of_one_result(self):
        self.put(broken_text() + "  score2: {run: mls_scorer, from: [select, trainer]}\n")
        self.refused("validate", "b.yaml", says=(
            "b.yaml:19:3: error: stages 'score' and 'score2' would both write results.h5\n",))

    def test_two_logs_would_keep_the_same_batches(self):
        self.put(broken_text() + "  log2: {run: image_log, from: images}\n")
        self.refused("validate", "b.yaml", says=(
            "b.yaml:19:32: error: the batches of 'images' (jet_image) go to one stage, but 'log' "
            "(image_log) and 'log2' (image_log) both take them\n",))

    def test_a_file_that_is_no_topology(self):
        for text, message in (("", "b.yaml:1:1: error: the file says nothing\n"),
                              ("- a\n", "b.yaml:1:1: error: a topology must be a mapping"),
                              ("a: [1\n", "b.yaml:2:1: error: flow sequence without a closing")):
            self.put(text)
            self.refused("validate", "b.yaml", says=(message,))
        self.refused("validate", "absent.yaml",
                     says="error: absent.yaml: No such file or directory")
        self.refused("validate", ".", says="error: .: is a folder")

    def test_a_program_that_cannot_be_started_ends_the_run(self):
        # A file with the right to run that nothing can run: seen when it is tried.
        script = self.folder / "broken.sh"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        self.toy("events.h5", 300)
        self.put(broken_text((17, "robust_selector", "./broken.sh")))
        self.refused("run", "b.yaml", says=(
            "error: cannot execute ./broken.sh: No such file or directory\n",
            "error: stage select.0 cannot go on: "))


class Sockets(refusals.RefusalCase):
    def test_no_free_tcp_port(self):
        self.toy("events.h5", 300)
        with socket.socket() as taken:
            for port in range(20011, 20900):
                try:
                    taken.bind(("127.0.0.1", port))
                    break
                except OSError:
                    continue
            self.refused("run", "t.yaml", "--set", "transport=tcp", "--set", "security=none",
                         "--set", f"ports=[{port}, {port + 1}]", says=(
                             f"error: ports: no free port of 127.0.0.1 is left in [{port}, "
                             f"{port + 1})\n",))

    def test_an_ipc_path_that_is_too_long(self):
        # `run` keeps its sockets in a short folder; who starts a stage himself is told.
        setup = {"protocol": 3, "name": "s", "replica": 0, "replicas": 1, "run_id": "0" * 32, "log_id": "0" * 32,
                 "analysis_text": "", "analysis": json.loads(
                     self.command("validate", "--json", "t.yaml").stdout)["analysis"],
                 "folder": ".", "scratch": ".", "source": 0, "sources": 1, "window": 8,
                 "settings": {}, "inputs": [], "output": "ipc:///tmp/" + 103 * "x", "control": None}
        (self.folder / "stage.json").write_text(json.dumps(setup))
        done = subprocess.run([str(product.BIN / "jet_image"), "--stage", "stage.json"],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "error: [jet_image] stage.json: endpoint ipc:///tmp/"
                         + 103 * "x" + ": expected tcp://HOST:PORT, or ipc://PATH with a path of "
                         "at most 107 bytes\n")

    def test_a_program_of_another_protocol_version(self):
        (self.folder / "stage.json").write_text(json.dumps({"protocol": 2, "name": "s"}))
        done = subprocess.run([str(product.BIN / "jet_image"), "--stage", "stage.json"],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("stage.json: protocol is 2, and this program speaks version 3", done.stderr)


if __name__ == "__main__":
    product.main()
