# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan events: the list is what the result counted, and each event is found where
the list says it is."""
import csv
import io
import pathlib
import shutil
import subprocess
import tempfile

import h5py
import numpy as np
from scipy import ndimage

import product
from product import CLUSTERSCAN, SMALL

TWO = SMALL.replace(
    "  reader:  {run: event_reader, settings: {files: [events.h5]}}\n"
    "  images:  {run: jet_image, from: reader}\n",
    "  left:    {run: event_reader, settings: {files: ['a-*.h5']}}\n"
    "  right:   {run: event_reader, settings: {files: ['b,\"x\".h5']}}\n"
    "  images:  {run: jet_image, from: [left, right]}\n")
FILES = {"a-1.h5": (2311, 97, 1), "a-2.h5": (1703, 61, 2), 'b,"x".h5': (1917, 83, 3)}
EDGES = np.linspace(3000, 4600, 17)


class Events(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        """One run of two readers, three files, serves all tests, which only read it."""
        cls.base = pathlib.Path(tempfile.mkdtemp(prefix="clusterscan-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        (cls.base / "two.yaml").write_text(TWO)
        for name, (events, signal, seed) in FILES.items():
            cls.made("generate", "--events", events, "--signal", signal, "--seed", seed,
                     "--out", name)
        cls.made("run", "two.yaml", "--quiet", "--state", "state")
        cls.results = cls.base / "results.h5"
        with h5py.File(cls.results) as file:
            cls.log_id = file.attrs["log_id"]
            cls.label = file["selection/label"][:]
            cls.rich = file["selection/rich"][:]
            cls.centres = file["codebook/centres"][:]
            cls.named = file["score/bin"][:]
        cls.rows = cls.table(cls.listed("--all"))

    @classmethod
    def made(cls, *arguments):
        return subprocess.run([CLUSTERSCAN, *map(str, arguments)], cwd=cls.base, check=True,
                              capture_output=True, text=True).stdout

    @classmethod
    def listed(cls, *arguments):
        return cls.made("events", "results.h5", "--state", "state", *arguments)

    @staticmethod
    def table(text):
        return list(csv.DictReader(io.StringIO(text)))

    @staticmethod
    def jets(row):
        return [int(row[f"jets_{m}"]) for m in range(3)]

    def most_named(self):
        named = self.named[self.named >= 0]
        self.assertGreater(len(named), 0)
        return int(np.argmax(np.bincount(named)))

    def test_rich_jets_of_all_events_add_up_to_those_of_the_result(self):
        summed = np.zeros_like(self.rich)
        for row in self.rows:
            summed[:, np.searchsorted(EDGES, float(row["m_jj"]), side="right") - 1] += \
                np.array(self.jets(row), "u8")
        self.assertGreater(summed.sum(), 0)
        np.testing.assert_array_equal(summed, self.rich)

    def test_every_jet_is_in_the_cluster_that_numpy_finds_nearest(self):
        """In the clustered space itself, image minus centre, both smeared."""
        smeared = np.array([[ndimage.gaussian_filter(c.astype("f8").reshape(40, 40), 1).ravel()
                             for c in of] for of in self.centres])
        wanted = {(row["m_jj"], row["label"]): self.jets(row) for row in self.rows}
        checked = 0
        for path in sorted((self.base / "state" / self.log_id).glob("segment-*.h5")):
            with h5py.File(path) as file:
                m_jj, label, offset = file["m_jj"][:], file["label"][:], file["offset"][:]
                pixel, value = file["pixel"][:], file["intensity"][:]
            inside = np.flatnonzero((m_jj >= 3000) & (m_jj < 4600))
            for event in inside[::17]:
                found = np.zeros(3, int)
                for jet in (2 * event, 2 * event + 1):
                    lit = slice(int(offset[jet]), int(offset[jet + 1]))
                    image = np.zeros(1600)
                    image[pixel[lit]] = np.sqrt(value[lit].astype("f8"))
                    image = ndimage.gaussian_filter((image / image.sum()).reshape(40, 40), 1)
                    near = ((smeared - image.ravel()) ** 2).sum(axis=2).argmin(axis=1)
                    found += self.label[range(3), near]
                key = ("%.9g" % m_jj[event], str(label[event]))
                self.assertEqual(wanted[key], list(found))
                checked += 1
        self.assertGreater(checked, 20)

    def test_the_list_holds_the_anomalous_events_of_the_named_bin_in_order(self):
        low, high = EDGES[self.most_named():][:2]
        wanted = [row for row in self.rows
                  if low <= float(row["m_jj"]) < high and row["members"] != "0"]
        listed = self.table(self.listed())
        self.assertGreater(len(listed), 3)
        self.assertEqual(listed, wanted)  # sorted alike: ties keep the order of the log
        keys = [(int(row["members"]), sum(self.jets(row))) for row in listed]
        self.assertEqual(keys, sorted(keys, reverse=True))
        self.assertTrue(all(int(row["members"]) == sum(n > 0 for n in self.jets(row))
                            for row in listed))
        self.assertEqual(self.table(self.listed("--top", 3)), wanted[:3])
        self.assertEqual(self.listed("--bin", self.most_named()), self.listed())

    def test_events_are_found_in_the_file_and_row_that_the_list_names(self):
        """What a run on that file alone makes of its row is the same event."""
        for number, name in enumerate(FILES):
            (self.folder / "one.yaml").write_text(SMALL)
            shutil.copy(self.base / name, self.folder / "events.h5")
            self.command("run", "one.yaml", "--quiet", "--state", f"state-{number}",
                         "--set", f"stages.score.settings.results=alone-{number}.h5")
            alone = {}
            for path in self.folder.glob(f"state-{number}/*/segment-*.h5"):
                with h5py.File(path) as file:
                    alone.update(zip(file["row"][:], zip(file["m_jj"][:], file["label"][:])))
            mine = [row for row in self.rows if row["file"].endswith("/" + name)
                    or row["file"] == name]
            self.assertGreater(len(mine), 100)
            self.assertEqual({row["source"] for row in mine},
                             {"left" if name.startswith("a") else "right"})
            for row in mine:
                m_jj, label = alone[int(row["row"])]
                self.assertEqual(row["m_jj"], "%.9g" % m_jj)
                self.assertEqual(row["label"], str(label))
        self.assertEqual(len(self.rows), sum(
            row["file"].split("/")[-1] in FILES for row in self.rows))

    def test_csv_and_hdf5_say_the_same(self):
        self.command("events", self.results, "--state", self.base / "state", "--all", "--out",
                     "list.csv")
        self.assertEqual(self.table((self.folder / "list.csv").read_text()), self.rows)
        self.command("events", self.results, "--state", self.base / "state", "--all", "--format",
                     "hdf5", "--out", "list.h5")
        with h5py.File(self.folder / "list.h5") as file:
            sources = [name.decode() for name in file["sources"][:]]
            files = [name.decode() for name in file["files"][:]]
            columns = [file[name][:] for name in ("source", "file", "row", "m_jj", "label",
                                                  "members", "jets")]
        self.assertEqual([(sources[s], files[f], str(r), "%.9g" % m, str(t), str(n), list(j))
                          for s, f, r, m, t, n, j in zip(*columns)],
                         [(row["source"], row["file"], row["row"], row["m_jj"], row["label"],
                           row["members"], self.jets(row)) for row in self.rows])

    def test_a_result_that_is_not_final_is_listed_too(self):
        shutil.copy(self.results, self.folder / "early.h5")
        with h5py.File(self.folder / "early.h5", "r+") as file:
            file.attrs.modify("final", np.uint64(0))
        said = self.command("events", "early.h5", "--state", self.base / "state", "--all").stdout
        self.assertEqual(self.table(said), self.rows)

    def test_where_no_record_names_the_input_rows_count_over_the_source(self):
        shutil.copytree(self.base / "state", self.folder / "state")
        (self.folder / "state" / self.log_id / "inputs.json").unlink()
        rows = self.table(self.command("events", self.results, "--all").stdout)
        self.assertEqual({row["file"] for row in rows}, {""})
        self.assertEqual({row["source"] for row in rows}, {"source 0", "source 1"})
        self.assertGreater(max(int(row["row"]) for row in rows if row["source"] == "source 0"),
                           FILES["a-1.h5"][0] + 97)

    def test_files_of_a_followed_folder_are_those_that_its_journal_says_were_taken(self):
        (self.folder / "in").mkdir()
        for name in ("a-1.h5", "a-2.h5"):
            shutil.copy(self.base / name, self.folder / "in" / name)
        (self.folder / "in/end-of-run").touch()
        (self.folder / "small.yaml").write_text(SMALL.replace(
            "{files: [events.h5]}", "{files: [in], follow: true}"))
        self.command("run", "small.yaml", "--quiet")
        rows = self.table(self.command("events", "results.h5", "--all").stdout)
        self.assertEqual({(row["source"], row["file"].split("/")[-1]) for row in rows},
                         {("reader", "a-1.h5"), ("reader", "a-2.h5")})
        static = {(row["file"].split("/")[-1], row["row"]): row["m_jj"] for row in self.rows}
        for row in rows:
            self.assertEqual(row["m_jj"], static[row["file"].split("/")[-1], row["row"]])

    def test_names_in_the_record_command_no_terminal(self):
        shutil.copytree(self.base / "state", self.folder / "state")
        (self.folder / "state" / self.log_id / "inputs.json").write_text(
            '{"topology": "t", "sources": [{"stage": "\\u001b[2J", "files": '
            '[{"path": "a\\nb", "events": 99999}]}]}')
        said = self.command("events", self.results, "--all").stdout
        self.assertNotIn("\x1b", said)
        self.assertIn("\\x1B[2J,a\\x0Ab,".lower(), said.lower())

    def test_what_is_missing_is_refused_by_name(self):
        self.assertIn("nowhere", self.command("events", self.results, "--state", "nowhere",
                                              code=2).stderr)
        shutil.copytree(self.base / "state", self.folder / "state")
        lost = sorted((self.folder / "state" / self.log_id).glob("segment-*.h5"))[1]
        lost.unlink()
        done = self.command("events", self.results, "--all", "--out", "list.csv", code=2)
        self.assertIn(lost.name, done.stderr)
        self.assertFalse((self.folder / "list.csv").exists())

    def test_a_log_of_another_run_under_the_name_is_refused(self):
        shutil.copytree(self.base / "state", self.folder / "state")
        shutil.copy(self.results, self.folder / "other.h5")
        with h5py.File(self.folder / "other.h5", "r+") as file:
            file.attrs.modify("log_id", "0f" * 16)
        (self.folder / "state" / self.log_id).rename(self.folder / "state" / ("0f" * 16))
        self.assertIn(self.log_id, self.command("events", "other.h5", code=2).stderr)

    def test_a_segment_that_was_changed_is_refused(self):
        shutil.copytree(self.base / "state", self.folder / "state")
        path = sorted((self.folder / "state" / self.log_id).glob("segment-*.h5"))[0]
        path.chmod(0o644)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
        self.assertIn(path.name, self.command("events", self.results, "--all", code=2).stderr)

    def test_options_that_make_no_sense_are_refused(self):
        for options, word in ((("--bin", "16"), "0 to 15"), (("--bin", "-1"), "--bin"),
                              (("--top", "0"), "--top"), (("--format", "xml"), "xml"),
                              (("--format", "hdf5"), "--out"), (("--all", "--bin", "1"), "--all"),
                              (("--out", "no/folder.csv"), "no/folder.csv")):
            done = self.command("events", self.results, "--state", self.base / "state", *options,
                                code=2)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    product.main()
