# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows of which file become which batch, seen in the sealed segments."""
import shutil

import h5py
import numpy as np

from product import SMALL, ProductCase, main, settings

TWO_SOURCES = SMALL.replace(
    "  reader:  {run: event_reader, settings: {files: [events.h5]}}",
    "  first:   {run: event_reader, settings: {files: [a.h5]}}\n"
    "  second:  {run: event_reader, settings: {files: [b.h5]}}").replace(
    "from: reader", "from: [first, second]")


class Rows(ProductCase):
    def sealed(self, name):
        """A dataset of all segments of the one log, one after the other."""
        parts = []
        for path in sorted((self.folder / "state").glob("*/segment-*.h5")):
            with h5py.File(path) as file:
                parts.append(file[name][()])
        return np.concatenate(parts)

    def run_small(self, topology=SMALL, **changes):
        (self.folder / "small.yaml").write_text(topology)
        # The window of the training is wide, so that a few hundred events are enough.
        self.command("run", "small.yaml", "--quiet", *settings(
            analysis__training__window=[3000, 4600], analysis__training__clusters=5, **changes))

    def test_batches_lie_in_the_wanted_rows_and_never_across_files(self):
        for name, events, seed in (("a.h5", 250, 1), ("b.h5", 130, 2), ("c.h5", 10, 3)):
            self.toy(name, events, seed=seed)
        self.run_small(stages__reader__settings__files="['?.h5']",
                       stages__reader__settings__rows=[200, 385])
        np.testing.assert_array_equal(self.sealed("batch/first_row"), [200, 250, 350, 380])
        np.testing.assert_array_equal(self.sealed("batch/read"), [50, 100, 30, 5])
        np.testing.assert_array_equal(self.sealed("batch/seq"), [0, 1, 2, 3])
        np.testing.assert_array_equal(self.sealed("row"), np.arange(200, 385))

    def test_files_named_in_a_list_are_read_in_its_order(self):
        self.toy("a.h5", 120, seed=1)
        self.toy("b.h5", 80, seed=2)
        masses = []
        for order in ("[a.h5, b.h5]", "[b.h5, a.h5]"):
            self.run_small(stages__reader__settings__files=order)
            masses.append(self.sealed("m_jj"))
            shutil.rmtree(self.folder / "state")
        np.testing.assert_array_equal(masses[1], np.roll(masses[0], 80))

    def test_sources_take_turns_until_one_has_ended(self):
        self.toy("a.h5", 150, seed=1)
        self.toy("b.h5", 420, seed=2)
        self.run_small(TWO_SOURCES)
        np.testing.assert_array_equal(self.sealed("batch/source"), [0, 1, 0, 1, 1, 1, 1])
        np.testing.assert_array_equal(self.sealed("batch/seq"), [0, 0, 1, 1, 2, 3, 4])
        source = self.sealed("source")
        row = self.sealed("row")
        np.testing.assert_array_equal(row[source == 0], np.arange(150))
        np.testing.assert_array_equal(row[source == 1], np.arange(420))

    def test_tables_of_a_file_are_named_by_their_keys_and_are_other_inputs(self):
        rows = np.zeros((40, 2101))
        rows[:, 2100] = np.arange(40) % 2
        for particle, (pt, eta, phi) in enumerate([(1800, .2, .1), (1500, -.3, -3.1)]):
            rows[:, 3 * particle:3 * particle + 3] = pt, eta, phi
        for name, tables in (("one.h5", {"lhco/few": 7, "lhco/many": 40}), ("two.h5", {"lhco/few": 3})):
            with h5py.File(self.folder / name, "w") as file:
                for key, n in tables.items():
                    file[f"{key}/block0_values"] = rows[:n]
        for files, read in (("[one.h5:lhco/few]", [7]), ("[one.h5:/lhco/many]", [40]),
                            ("[two.h5]", [3]), ("['???.h5:lhco/few']", [7, 3])):
            (self.folder / "small.yaml").write_text(SMALL)
            self.command("run", "small.yaml", "--quiet", *settings(
                analysis__training__window=[0, 9000], analysis__training__clusters=2,
                stages__reader__settings__files=files))
            np.testing.assert_array_equal(self.sealed("batch/read"), read)
            shutil.rmtree(self.folder / "state")

    def test_a_name_with_brackets_is_a_file_if_there_is_one(self):
        self.toy("data[1].h5", 70)
        self.toy("data1.h5", 30)
        self.run_small(stages__reader__settings__files="['data[1].h5']")
        np.testing.assert_array_equal(self.sealed("batch/read"), [70])

    def test_events_that_count_twice_are_warned_of(self):
        self.toy("a.h5", 60)
        shutil.copy(self.folder / "a.h5", self.folder / "b.h5")
        (self.folder / "small.yaml").write_text(SMALL)
        done = self.command("run", "small.yaml", *settings(
            analysis__training__window=[3000, 4600], analysis__training__clusters=5,
            stages__reader__settings__files="[a.h5, 'a*.h5', b.h5]"))
        self.assertIn("warning: stages.reader.settings.files: a.h5 is named twice: its events count "
                      "twice", done.stderr)
        self.assertIn("b.h5 holds the same bytes as a.h5: the same events count twice", done.stderr)

    def test_angles_in_degrees_are_warned_of_wherever_they_are(self):
        self.toy("events.h5", 300)
        with h5py.File(self.folder / "events.h5", "r+") as file:
            first, last = (int(file["events/offset"][row]) for row in (211, 212))
            file["events/phi"][first:last] = np.degrees(file["events/phi"][first:last])
        (self.folder / "small.yaml").write_text(SMALL)
        done = self.command("run", "small.yaml", *settings(
            analysis__training__window=[3000, 4600], analysis__training__clusters=5))
        self.assertRegex(done.stderr, r"warning: \[reader.0\] events.h5: row 211: an azimuth phi of "
                                      r"-?\d+\.?\d*: angles are taken to be in radians")

    def test_labels_come_through_to_the_truth(self):
        self.toy("events.h5", 300, signal=45)
        self.run_small()
        with h5py.File(self.folder / "events.h5") as file:
            label = file["events/label"][()]
        np.testing.assert_array_equal(self.sealed("label"), label)
        signal = (label == 1) & (self.sealed("m_jj") >= 3000) & (self.sealed("m_jj") < 4600)
        with h5py.File(self.folder / "results.h5") as file:
            truth = file["truth/signal_counts"][()]
        np.testing.assert_array_equal(truth.sum(axis=(1, 2)), [2 * signal.sum()] * 3)

    def test_a_masterkey_gives_the_labels_that_a_table_lacks(self):
        rows = np.zeros((90, 2100), "f4")
        self.toy("toy.h5", 90, seed=4)
        with h5py.File(self.folder / "toy.h5") as toy:
            offset = toy["events/offset"][()].astype(int)
            for event in range(90):
                particles = slice(offset[event], offset[event + 1])
                for column, name in enumerate(("pt", "eta", "phi")):
                    values = toy[f"events/{name}"][particles]
                    rows[event, column:3 * len(values):3] = values
        with h5py.File(self.folder / "events.h5", "w") as file:
            file["df/block0_values"] = rows
        label = np.arange(90) % 3 == 0
        (self.folder / "key.txt").write_text("".join(f"{int(one)}\n" for one in label))
        self.run_small(stages__reader__settings__masterkey="key.txt")
        np.testing.assert_array_equal(self.sealed("label"), label)
        np.testing.assert_array_equal(self.sealed("batch/read"), [90])


if __name__ == "__main__":
    main()
