# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that cannot be used: dropped, counted under their reason, named; the run goes on."""
import os
import zlib

import h5py
import numpy as np

import product
import refusals
from refusals import DIJET, WIDTH, table, write_columns, write_table

WORDS = {
    "not_finite": "a momentum or angle is not a finite number",
    "negative_pt": "a transverse momentum is negative",
    "eta_range": "a particle lies beyond |eta| = 10",
    "too_many": "more than 40000 particles",
}
SOFT = (1.0, 0.0, 0.0)
# A jet whose two halves lie further from its axis than the image reaches.
HOLLOW = [(1500, 0.45, 0.0), (1500, -0.45, 0.0), (3000, 0.0, 3.1)]
BROKEN = [
    ("not_finite", DIJET + [(np.nan, 0, 0)]),
    ("not_finite", DIJET + [(np.inf, 0, 0)]),
    ("not_finite", DIJET + [(-np.inf, 0, 0)]),
    ("not_finite", DIJET + [(1, np.nan, 0)]),
    ("not_finite", DIJET + [(1, 0, np.inf)]),
    ("not_finite", [(3e38, 0, 0), (3e38, 0.1, 0), (3e38, 0, 3)]),  # a jet beyond float32
    ("negative_pt", DIJET + [(-1e-3, 0, 0)]),
    ("eta_range", DIJET + [(1, 10.01, 0)]),
    ("eta_range", DIJET + [(1, -11, 0)]),
    ("too_many", [SOFT] * 40001),
    ("too_many", DIJET + [SOFT] * 300000),
]
FEW = [("no_jet", []), ("no_jet", [SOFT]), ("no_jet", [(0, 0, 0)] * 3), ("one_jet", [(500, 0, 0)])]


class Events(refusals.RefusalCase):
    def tally(self):
        with h5py.File(self.folder / "results.h5") as file:
            counts = dict(zip((name.decode() for name in file["dropped/reason"][:]),
                              file["dropped/count"][:].tolist()))
            return int(file.attrs["events_read"]), int(file.attrs["events_counted"]), counts

    def expect(self, reasons):
        return {reason: reasons.count(reason) for reason in
                ("not_finite", "negative_pt", "eta_range", "no_jet", "one_jet", "empty_image",
                 "too_many")}

    def warnings_of(self, warnings):
        return [line for line in warnings if "dropped" in line]

    def test_every_reason_is_counted_and_broken_rows_are_named(self):
        bad = BROKEN + FEW
        write_columns(self.folder / "events.h5", [DIJET] * 40 + [event for _, event in bad]
                      + [DIJET] * 7)
        warnings, report = self.ran()
        reasons = [reason for reason, _ in bad]
        self.assertEqual(self.tally(), (47 + len(bad), 47, self.expect(reasons)))
        self.assertEqual(self.warnings_of(warnings), [
            f"warning: [images.0] source 0, row {40 + i}: dropped as {reason}: {WORDS[reason]}"
            for i, (reason, _) in enumerate(BROKEN)])
        for line in ("6 a momentum or angle is not a finite number", "3 no jet above pt_min",
                     "1 a single jet above pt_min", "2 more than 40000 particles"):
            self.assertIn(f" {line}\n", report)

    def tally_of_masks(self, values, masks, **filters):
        """The tally of a table in chunks of 17 rows, each written without the filters of its
        mask."""
        write_table(self.folder / "events.h5", values, chunks=(17, values.shape[1]), **filters)
        with h5py.File(self.folder / "events.h5", "r+") as file:
            rows = file["df/block0_values"]
            for i, mask in enumerate(masks):
                chunk = np.zeros((17, values.shape[1]))
                part = values[17 * i:17 * (i + 1)]
                chunk[:len(part)] = part
                packed = chunk.tobytes()
                if filters.get("shuffle") and not mask & 1:
                    packed = chunk.reshape(-1).view("u1").reshape(-1, 8).T.tobytes()
                if not mask & (2 if filters.get("shuffle") else 1):
                    packed = zlib.compress(packed)
                rows.id.write_direct_chunk((17 * i, 0), packed, filter_mask=mask)
            np.testing.assert_array_equal(rows[:], values)
        self.ran()
        return self.tally()

    def test_chunks_written_without_some_of_their_filters_are_read_as_hdf5_reads_them(self):
        values = table(17 * 4 + 5)
        values[:, 0] += np.arange(len(values))
        write_table(self.folder / "events.h5", values)
        self.ran()
        plain = self.tally()
        self.assertEqual(plain[0], 17 * 4 + 5)
        for shuffle, masks in ((True, (0, 1, 2, 3, 1)), (True, (3, 0, 0, 2, 2)),
                               (False, (1, 0, 1, 0, 1))):
            with self.subTest(shuffle=shuffle, masks=masks):
                self.assertEqual(self.tally_of_masks(values, masks, compression="gzip",
                                                     shuffle=shuffle), plain)

    def test_a_pattern_that_meets_a_name_in_another_encoding_names_it(self):
        (self.folder / "taken").mkdir()
        write_columns(self.folder / "taken" / "a.h5", [DIJET] * 20)
        os.link(self.folder / "taken" / "a.h5", os.fsencode(self.folder) + b"/taken/stra\xdfe.h5")
        self.refused("run", "t.yaml", "--set", 'stages.reader.settings.files=["taken/*.h5"]',
                     says=("settings.files", r"taken/stra\xdfe.h5 is not UTF-8"))

    def test_an_event_with_exactly_as_many_particles_as_are_allowed_is_counted(self):
        # Spread out: thousands of particles at one place are the worst case of every jet finder.
        rest = [(0.01, -4 + 8 * (i * 0.618034 % 1), 6.28 * i / 40000)
                for i in range(40000 - len(DIJET))]
        write_columns(self.folder / "events.h5", [DIJET] * 20 + [DIJET + rest])
        self.ran()
        self.assertEqual(self.tally(), (21, 21, self.expect([])))

    def test_a_jet_without_anything_inside_its_image(self):
        write_columns(self.folder / "events.h5", [DIJET] * 20 + [HOLLOW])
        warnings, report = self.ran("--set", "analysis.image.half_width=0.1")
        self.assertEqual(self.tally(), (21, 20, self.expect(["empty_image"])))
        self.assertEqual(self.warnings_of(warnings), [])
        self.assertIn(" 1 a jet without anything inside its image\n", report)

    def test_a_table_is_treated_alike(self):
        values = table(25)
        values[20, 12] = np.nan
        values[21, 12] = -1
        values[22, 12:14] = (1, 12)
        values[23, :WIDTH] = 0
        values[24, 3:WIDTH] = 0
        write_table(self.folder / "events.h5", values)
        warnings, _ = self.ran()
        reasons = ["not_finite", "negative_pt", "eta_range", "no_jet", "one_jet"]
        self.assertEqual(self.tally(), (25, 20, self.expect(reasons)))
        self.assertEqual(self.warnings_of(warnings), [
            f"warning: [images.0] source 0, row {20 + i}: dropped as {reason}: {WORDS[reason]}"
            for i, reason in enumerate(reasons[:3])])

    def test_after_twenty_rows_the_log_falls_silent_and_the_count_goes_on(self):
        write_columns(self.folder / "events.h5", [DIJET] * 20 + [DIJET + [(-1, 0, 0)]] * 33)
        warnings, _ = self.ran()
        told = self.warnings_of(warnings)
        self.assertEqual(len(told), 22)
        self.assertIn("row 39: dropped as negative_pt", told[19])
        self.assertEqual(told[20], "warning: [images.0] more broken events dropped: from here "
                                   "on this process only counts them")
        self.assertEqual(told[21], "warning: [images.0] 33 broken events dropped in all")
        self.assertEqual(self.tally(), (53, 20, self.expect(["negative_pt"] * 33)))

    def test_a_batch_that_no_message_holds_is_refused_with_its_rows(self):
        flat = {name: np.ones(600 * 40001, "f4") for name in ("pt", "eta", "phi")}
        write_columns(self.folder / "events.h5", [], **flat,
                      offset=np.arange(601, dtype="u8") * 40001)
        self.refused("run", "t.yaml", "--set", "analysis.stream.batch=600", says=(
            "error: [reader.0] events.h5: rows 0 to 599 hold more than the 22282240 particles that "
            "fit into a message: choose a smaller analysis.stream.batch\n",))


if __name__ == "__main__":
    product.main()
