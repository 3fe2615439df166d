# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of the house: what a machine can see of the rules in CONTRIBUTING.md."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE_FOLDER"])
# Floors, lowest first; what stands on one includes only what stands below, and its own room.
FLOORS = (("common/base",), ("common/records",), ("common/kernels",),
          ("common/wire", "common/store", "common/topology"), ("common/flow",), ("common/stage",),
          ("common/training", "common/watch"), ("stages", "tools", "topology", "tests"))


def floor_of(name):
    return next(i for i, rooms in enumerate(FLOORS)
                if any(name.startswith(room + "/") for room in rooms))


def room_of(name):
    """common/store, stages/jet_image, tools/clusterscan: what may include one another, circles apart."""
    return "/".join(name.split("/")[:2])


def circle_in(graph):
    """A circle of a graph {node: nodes}, [] if there is none."""
    state = {}

    def visit(node, path):
        state[node] = "open"
        for other in sorted(graph.get(node, ())):
            if state.get(other) == "open":
                return path[path.index(other):] + [other]
            found = visit(other, path + [other]) if other not in state else []
            if found:
                return found
        state[node] = "done"
        return []

    return next(filter(None, (visit(node, [node]) for node in sorted(graph) if node not in state)),
                [])


def tracked(*patterns):
    listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", "-co", "--exclude-standard", "-z",
                             *patterns], capture_output=True, text=True, check=True).stdout
    return [SOURCE / name for name in listed.split("\0") if name and (SOURCE / name).exists()]


@unittest.skipUnless((SOURCE / ".git").exists(), "no git checkout")
class Form(unittest.TestCase):
    def test_every_c_file_is_formatted(self):
        program = shutil.which("clang-format-14") or shutil.which("clang-format")
        done = subprocess.run([program, "--dry-run", "--Werror",
                               *tracked("*.c", "*.h", "*.cc")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])

    def test_every_source_file_names_its_licence_on_top(self):
        for file in tracked("*.c", "*.h", "*.cc", "*.py", "CMakeLists.txt", "tools/*", ".ci/run"):
            with self.subTest(str(file.relative_to(SOURCE))):
                head = file.read_text().splitlines()[:2]
                self.assertTrue(any("SPDX-License-Identifier: GPL-3.0-or-later" in line
                                    for line in head), head)

    def includes(self):
        """{file: files it includes} of all our own C and C++, but for the example outside the tree."""
        return {str(file.relative_to(SOURCE)): re.findall(r'#include "([^"]+)"', file.read_text())
                for file in tracked("common/*", "stages/*", "tools/*", "tests/*")
                if file.suffix in (".c", ".h", ".cc")}

    def test_rooms_include_only_what_stands_below_them(self):
        for file, included in self.includes().items():
            for name in included:
                with self.subTest(f"{file}: {name}"):
                    self.assertTrue((SOURCE / name).exists(), "included by another path")
                    test = file.startswith("tests/")
                    self.assertTrue(floor_of(name) < floor_of(file) or test
                                    or room_of(name) == room_of(file))

    def test_no_includes_go_in_a_circle(self):
        self.assertEqual(circle_in({"a": {"b"}, "b": {"c", "d"}, "d": {"b"}}), ["b", "d", "b"])
        self.assertEqual(circle_in(self.includes()), [])

    def test_no_folders_include_one_another_in_a_circle(self):
        graph = {}
        for file, included in self.includes().items():
            for name in included:
                a, b = os.path.dirname(file), os.path.dirname(name)
                # A folder and what is inside it are one thing.
                if not (a + "/").startswith(b + "/") and not (b + "/").startswith(a + "/"):
                    graph.setdefault(a, set()).add(b)
        self.assertEqual(circle_in(graph), [])

    def test_every_c_file_has_its_header(self):
        """Apart from programs, subcommands (command.h), roles (role.h) and variants of one thing for
        an instruction set."""
        without = re.compile(r"/main$|^tools/(benchmarks|clusterscan/commands)/|^common/stage/roles/"
                             r"|_(plain|avx2|avx512)$")
        for file in tracked("common/*.c", "common/*.cc", "stages/*.c", "tools/*.c"):
            stem = str(file.relative_to(SOURCE).with_suffix(""))
            if without.search(stem):
                continue
            with self.subTest(stem):
                first = re.search(r'#include ["<](.*)[">]', file.read_text())[1]
                self.assertEqual(first, f"{stem}.h")

    def test_only_common_flow_and_the_watcher_of_runs_touch_sockets(self):
        allowed = re.compile(r"common/flow/|common/stage/(loop|roles/role)|tools/clusterscan/run/supervise"
                             r"|tools/benchmarks/wire|tests/")
        for file in tracked("*.c", "*.h"):
            name = str(file.relative_to(SOURCE))
            if not allowed.match(name):
                self.assertFalse("zmq_" in file.read_text(), name)

    def test_results_are_spelt_in_their_table_only(self):
        """A dataset's path stands in its row of result_schema.c, and datasets are reached by id."""
        room = SOURCE / "common/store/results"
        table = (room / "result_schema.c").read_text()
        paths = re.findall(r'\{RESULT_\w+,\s*"([^"]+)"', table)
        groups = re.findall(r'GROUP\("(\w+)"', table)
        self.assertGreater(len(paths), 30)
        self.assertEqual(set(groups), {path.split("/")[0] for path in paths if "/" in path})
        inner = "|".join(path for path in paths if "/" in path)
        outer = "|".join(path for path in paths if "/" not in path)
        spelt = re.compile(rf'(?<![\w/])/?(?:{inner})(?![\w/.])|"/?(?:{outer})"')
        by_hand = re.compile(rf'"/?(?:{"|".join(groups)})[/"]|\bhdf5_(?:find|read|write|make_group)\('
                             rf'|\bH5[DG](?:open|create)')
        for file in tracked("common/*", "stages/*", "tools/clusterscan/*"):
            if file.suffix not in (".c", ".h", ".cc") or file == room / "result_schema.c":
                continue
            with self.subTest(str(file.relative_to(SOURCE))):
                self.assertEqual(spelt.findall(file.read_text()), [])
                if file.parent == room and file.name != "result_dataset.c":
                    self.assertEqual(by_hand.findall(file.read_text()), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
