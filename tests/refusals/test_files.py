# SPDX-License-Identifier: GPL-3.0-or-later
"""Event files that are refused, as a user sees it: by inspect, and by run before it starts."""
import json
import os
import random
import subprocess

import h5py
import numpy as np

import product
import refusals
from refusals import DIJET, WIDTH, table, write_columns, write_table


class FileCase(refusals.RefusalCase):
    def both(self, name, message, *options):
        """inspect and run refuse the file with the same line."""
        self.refused("inspect", name, *options, says=f"error: {message}")
        self.refused("run", "t.yaml", "--set", f"stages.reader.settings.files=[{name}]",
                     says=f"error: {message}")


class WhatIsNoEventFile(FileCase):
    def test_a_missing_file(self):
        self.both("absent.h5", "absent.h5: cannot be opened: No such file or directory")

    def test_a_pattern_that_nothing_matches(self):
        self.refused("run", "t.yaml", "--set", 'stages.reader.settings.files=["no*.h5"]',
                     says="error: stages.reader.settings.files: no file matches 'no*.h5'")

    def test_an_unreadable_file(self):
        write_columns(self.folder / "events.h5", [DIJET])
        (self.folder / "events.h5").chmod(0)
        self.folder.chmod(0o777)
        self.refused("inspect", "events.h5", **refusals.other_user(),
                     says="error: events.h5: cannot be opened: Permission denied")
        self.refused("run", "t.yaml", **refusals.other_user(),
                     says="error: events.h5: cannot be opened: Permission denied")

    def test_a_folder(self):
        (self.folder / "folder.h5").mkdir()
        self.both("folder.h5", "folder.h5: found a folder, expected an HDF5 file")

    def test_a_pipe_is_not_waited_for(self):
        os.mkfifo(self.folder / "pipe.h5")
        self.both("pipe.h5",
                  "pipe.h5: found something that is no regular file, expected an HDF5 file")

    def test_an_empty_file(self):
        (self.folder / "empty.h5").touch()
        self.both("empty.h5", "empty.h5: found an empty file, expected an HDF5 file")

    def test_a_text(self):
        (self.folder / "text.h5").write_text("pt,eta,phi\n" * 100)
        self.both("text.h5", "text.h5: not an HDF5 file")

    def test_hdf5_of_no_known_layout(self):
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["jets/pt"] = np.ones(3)
        self.both("other.h5", "other.h5: unknown layout, expected a table KEY/block0_values or "
                              "/events/offset: found /jets")

    def test_hdf5_without_anything(self):
        h5py.File(self.folder / "other.h5", "w").close()
        self.both("other.h5", "other.h5: unknown layout, expected a table KEY/block0_values or "
                              "/events/offset: found nothing")

    def test_a_name_that_would_command_the_terminal(self):
        with h5py.File(self.folder / "other.h5", "w") as file:
            file["\33[31mred\n"] = 1
        self.both("other.h5", "other.h5: unknown layout, expected a table KEY/block0_values or "
                              "/events/offset: found /\\x1b[31mred\\x0a")

    def test_two_tables(self):
        with h5py.File(self.folder / "two.h5", "w") as file:
            file["a/block0_values"] = table(1)
            file["b/block0_values"] = table(1)
        self.both("two.h5", "two.h5: holds more than one table of events: /a and /b. Name one of "
                            "them, as in two.h5:a")
        self.both("two.h5:c", "two.h5: there is no table /c/block0_values; tables of this file "
                              "are /a and /b")

    def test_a_frame_in_the_other_format_of_pandas(self):
        row = np.dtype([("index", "i8"), ("values_block_0", "f8", (WIDTH + 1,))])
        with h5py.File(self.folder / "frame.h5", "w") as file:
            file["lhco/df/table"] = np.zeros(3, row)
        self.both("frame.h5", "frame.h5: /lhco/df is in pandas' format='table', expected "
                              "format='fixed': write it anew with DataFrame.to_hdf(..., "
                              "format='fixed')")

    def test_a_file_that_its_writer_has_not_closed_or_has_left(self):
        with h5py.File(self.folder / "open.h5", "w", libver="latest") as file:
            file["df/block0_values"] = table(2)
            file.flush()
            self.both("open.h5", "open.h5: truncated or damaged HDF5 file; another program has it "
                                 "open for writing: wait until that one closes it")
            left = (self.folder / "open.h5").read_bytes()
        (self.folder / "left.h5").write_bytes(left)
        self.both("left.h5", "left.h5: truncated or damaged HDF5 file; it is marked as open for "
                             "writing: its writer has not closed it, or crashed. If nobody writes "
                             "it any more, clear the mark of a copy with h5clear -s")

    def test_a_name_that_only_a_shell_would_replace(self):
        for name in ("~/events.h5", "$HOME/events.h5"):
            self.refused("run", "t.yaml", "--set", f"stages.reader.settings.files=[{name}]", says=(
                f"error: stages.reader.settings.files: there is no file '{name}': '~' and '$NAME' "
                "are not replaced here, write the whole path\n"))


class Tables(FileCase):
    def test_objects_in_a_column(self):
        # What pandas makes of a frame with objects: pickled bytes of any length.
        with h5py.File(self.folder / "t.h5", "w") as file:
            data = file.create_dataset("df/block0_values", (1,), h5py.vlen_dtype("u1"))
            data[0] = np.frombuffer(b"pickle", "u1")
        self.both("t.h5", "t.h5: /df/block0_values has elements of objects (variable length), "
                          "expected float32 or float64")

    def test_text_in_a_column(self):
        with h5py.File(self.folder / "t.h5", "w") as file:
            file["df/block0_values"] = np.full((2, WIDTH), b"1.5")
        self.both("t.h5", "t.h5: /df/block0_values has elements of text, expected float32 or "
                          "float64")

    def test_whole_numbers_and_half_floats(self):
        write_table(self.folder / "t.h5", table(2).astype("i8"))
        self.both("t.h5", "t.h5: /df/block0_values has elements of 64-bit integer, expected "
                          "float32 or float64")
        write_table(self.folder / "t.h5", table(2).astype("f2"))
        self.both("t.h5", "t.h5: /df/block0_values has elements of 16-bit float, expected "
                          "float32 or float64")

    def test_columns_of_two_types(self):
        with h5py.File(self.folder / "t.h5", "w") as file:
            file["df/block0_values"] = table(2)[:, :WIDTH]
            file["df/block1_values"] = np.zeros((2, 1), "i8")
        self.both("t.h5", "t.h5: the columns of /df are of more than one type (there is a "
                          "/df/block1_values too), expected all float32 or all float64")

    def test_a_wrong_width(self):
        write_table(self.folder / "t.h5", np.zeros((3, 14)))
        self.both("t.h5", "t.h5: /df/block0_values has shape 3 x 14, expected N x 2101 (700 x "
                          "(pT, eta, phi) and a label) or N x 2100 (without label)")

    def test_a_wrong_number_of_dimensions(self):
        write_table(self.folder / "t.h5", np.zeros(2101))
        self.both("t.h5", "t.h5: /df/block0_values has 1 dimensions, expected 2")

    def test_an_empty_frame_is_not_one_event(self):
        # pandas writes 1 x 1 for a frame without rows, and the shape beside it.
        with h5py.File(self.folder / "t.h5", "w") as file:
            data = file.create_dataset("df/block0_values", data=np.empty((1, 1)))
            data.attrs["value_type"] = "float64"
            data.attrs["shape"] = (0, 2101)
        told = json.loads(self.command("inspect", "--json", "t.h5").stdout)
        self.assertEqual(told["events"], 0)
        self.refused("run", "t.yaml", "--set", "stages.reader.settings.files=[t.h5]",
                     says=("window [3000, 3300) GeV holds 0 jets, fewer than the 20 clusters",))

    def test_a_label_that_is_not_0_or_1(self):
        values = table(3)
        values[2, WIDTH] = 0.5
        write_table(self.folder / "t.h5", values)
        self.both("t.h5", "t.h5: row 2: label 0.5, expected an integer from -128 to 127")

    def test_rows_that_nobody_wrote(self):
        with h5py.File(self.folder / "t.h5", "w") as file:
            file.create_dataset("df/block0_values", (1 << 30, WIDTH + 1), "f4",
                                chunks=(1 << 10, WIDTH + 1))
        self.both("t.h5", "t.h5: /df/block0_values claims 1073741824 x 2101 numbers, but 0 of "
                          "1048576 pieces of it were written")

    def test_more_rows_than_any_file_has(self):
        with h5py.File(self.folder / "t.h5", "w") as file:
            file.create_dataset("df/block0_values", (1 << 52, WIDTH + 1), "f4",
                                chunks=(1, WIDTH + 1))
        self.both("t.h5", "t.h5: /df/block0_values claims 4503599627370496 x 2101 elements, at "
                          "most 1099511627776 rows are read")

    def test_more_columns_than_any_file_has(self):
        with h5py.File(self.folder / "t.h5", "w") as file:
            file.create_dataset("df/block0_values", (2, 1 << 60), "f4", chunks=(1, 1))
        self.both("t.h5", "t.h5: /df/block0_values claims 2 x 1152921504606846976 elements, at "
                          "most 1048576 columns are read")


class DataElsewhere(FileCase):
    def test_an_external_dataset(self):
        (self.folder / "secret").write_bytes(bytes(8 * 2 * WIDTH))
        with h5py.File(self.folder / "t.h5", "w") as file:
            file.create_dataset("df/block0_values", (2, WIDTH), "f8",
                                external=[("secret", 0, 8 * 2 * WIDTH)])
        self.both("t.h5", "t.h5: the data of /df/block0_values lie in other files, expected all "
                          "in one")

    def test_a_virtual_dataset(self):
        write_table(self.folder / "a.h5", table(2))
        with h5py.File(self.folder / "t.h5", "w", libver="latest") as file:
            layout = h5py.VirtualLayout((2, WIDTH + 1), "f8")
            layout[:] = h5py.VirtualSource(self.folder / "a.h5", "df/block0_values",
                                           (2, WIDTH + 1))
            file.create_virtual_dataset("df/block0_values", layout)
        self.both("t.h5", "t.h5: the data of /df/block0_values lie in other files, expected all "
                          "in one")

    def test_soft_and_external_links(self):
        write_table(self.folder / "a.h5", table(2))
        for link in (h5py.ExternalLink("a.h5", "/df"), h5py.SoftLink("/deep/df")):
            with h5py.File(self.folder / "t.h5", "w") as file:
                file["df"] = link
            self.both("t.h5", "t.h5: /df is reached by a soft or external link, expected the "
                              "dataset itself")

    def test_a_link_to_a_column(self):
        write_columns(self.folder / "a.h5", [DIJET])
        write_columns(self.folder / "t.h5", [DIJET], pt=h5py.ExternalLink("a.h5", "events/pt"))
        self.both("t.h5", "t.h5: /events/pt is reached by a soft or external link, expected the "
                          "dataset itself")


class Columns(FileCase):
    def one(self, message, events=(DIJET, DIJET), **replaced):
        write_columns(self.folder / "c.h5", events, **replaced)
        self.both("c.h5", "c.h5: " + message)

    def test_a_missing_column(self):
        self.one("there is no dataset /events/phi", phi=None)

    def test_columns_of_different_lengths(self):
        self.one("/events/eta has 7 elements, expected 8", eta=np.zeros(7, "f4"))
        self.one("/events/label has 3 elements, expected 2", label=[0, 1, 0])

    def test_text_where_numbers_must_be(self):
        self.one("/events/pt has elements of text, expected float32 or float64",
                 pt=np.full(8, b"1"))
        self.one("/events/offset has elements of 64-bit float, expected integers",
                 offset=np.array([0.0, 4, 8]))

    def test_offsets_that_go_backwards(self):
        self.one("row 1: /events/offset goes from 5 to 4, expected a step forward within the 8 "
                 "particles", offset=np.array([0, 5, 4, 8], "u8"))

    def test_offsets_past_the_end(self):
        self.one("/events/offset runs from 0 to 9, expected 0 to 8, the length of /events/pt",
                 offset=np.array([0, 4, 9], "u8"))
        self.one("row 0: /events/offset goes from 0 to 1152921504606846976, expected a step "
                 "forward within the 8 particles", offset=np.array([0, 1 << 60, 8], "u8"))

    def test_offsets_that_do_not_begin_at_zero(self):
        self.one("/events/offset runs from 1 to 8, expected 0 to 8, the length of /events/pt",
                 offset=np.array([1, 4, 8], "u8"))

    def test_no_offset_at_all(self):
        self.one("/events/offset is empty, expected one element more than events",
                 offset=np.zeros(0, "u8"))

    def test_a_label_that_is_not_0_or_1(self):
        self.one("row 1: label 2, expected 0 or 1 (the reader's settings.labels say which mean "
                 "background and signal)", label=[1, 2])
        self.one("row 0: label 257, expected an integer from -128 to 127", label=np.array([257, 0], "i4"))

    def test_rows_that_nobody_wrote(self):
        write_columns(self.folder / "c.h5", [], offset=None)
        with h5py.File(self.folder / "c.h5", "a") as file:
            file.create_dataset("events/offset", (1 << 40,), "u8", chunks=(1 << 20,))
        self.both("c.h5", "c.h5: /events/offset claims 1099511627776 numbers, but 0 of 1048576 "
                          "pieces of it were written")

    def test_more_rows_than_any_file_has(self):
        write_columns(self.folder / "c.h5", [], offset=None)
        with h5py.File(self.folder / "c.h5", "a") as file:
            file.create_dataset("events/offset", (1 << 60,), "u8", chunks=(1 << 20,))
        self.both("c.h5", "c.h5: /events/offset claims 1152921504606846976 elements, at most "
                          "1099511627776 rows are read")


class Masterkeys(FileCase):
    def one(self, text, message):
        write_table(self.folder / "box.h5", table(3)[:, :WIDTH])
        if text is not None:
            (self.folder / "key").write_text(text)
        self.refused("inspect", "box.h5", "--masterkey", "key", says=f"error: key: {message}")
        self.refused("run", "t.yaml", "--set", "stages.reader.settings.files=[box.h5]", "--set",
                     "stages.reader.settings.masterkey=key", says=f"error: key: {message}")

    def test_too_few_lines(self):
        self.one("0\n1\n", "holds 2 labels, expected 3, one for every event")

    def test_too_many_lines(self):
        self.one("0\n1\n0\n0\n", "holds 4 labels, expected 3, one for every event")

    def test_a_label_that_is_not_0_or_1(self):
        self.one("0\n1\nsignal\n", "label 3 is 'signal', expected an integer from -128 to 127")

    def test_a_label_that_the_settings_do_not_know_and_one_that_they_do(self):
        write_table(self.folder / "box.h5", table(3)[:, :WIDTH])
        (self.folder / "key").write_text("0\n2\n1\n")
        box = ["--set", "stages.reader.settings.files=[box.h5]", "--set",
               "stages.reader.settings.masterkey=key"]
        self.refused("run", "t.yaml", *box, says="error: box.h5: row 1: label 2, expected 0 or 1 (the "
                     "reader's settings.labels say which mean background and signal)")
        self.refused("validate", "t.yaml", *box, "--set",
                     "stages.reader.settings.labels={background: [0, 2], signal: [1, 2]}",
                     says=("stages.reader.settings.labels: 2 is both background and signal",))
        # Known labels go through; three events are too few to train on.
        self.refused("run", "t.yaml", *box, "--set",
                     "stages.reader.settings.labels={background: [0], signal: [1, 2]}",
                     says=("fewer than the 20 clusters",))

    def test_a_folder_or_nothing(self):
        self.one(None, "cannot be opened: No such file or directory")
        (self.folder / "key").mkdir()
        self.one(None, "found a folder, expected a text file with a label a line")

    def test_a_table_that_has_labels(self):
        write_table(self.folder / "box.h5", table(3))
        (self.folder / "key").write_text("0\n" * 3)
        self.refused("inspect", "box.h5", "--masterkey", "key",
                     says="error: box.h5: a masterkey (key) is for tables without labels only; "
                          "this file has labels")


class Damage(FileCase):
    def samples(self):
        write_columns(self.folder / "columns.h5", [DIJET] * 9, [0, 1, 0] * 3)
        write_table(self.folder / "table.h5", table(3))
        write_table(self.folder / "packed.h5", table(5), compression="gzip", chunks=(2, 2101))
        return "columns.h5", "table.h5", "packed.h5"

    def test_a_file_cut_at_any_point(self):
        for name in self.samples():
            whole = (self.folder / name).read_bytes()
            near = set(range(0, 700, 9)) | set(range(len(whole) - 20, len(whole)))
            for size in sorted(near | set(range(0, len(whole), len(whole) // 40))):
                (self.folder / "cut.h5").write_bytes(whole[:size])
                done = subprocess.run([product.CLUSTERSCAN, "inspect", "cut.h5"], timeout=60,
                                      cwd=self.folder, capture_output=True, text=True,
                                      errors="replace")
                self.assertEqual(done.returncode, 2, (name, size, done.stderr))
                self.assertRegex(done.stderr, r"^error: cut\.h5: (found an empty file, expected an "
                                 r"HDF5 file|not an HDF5 file|truncated or damaged HDF5 file)\n$")

    def test_bytes_that_changed_are_refused_or_read_but_never_crash(self):
        draw = random.Random(4)
        # HDF5 itself leaks where it gives up on a damaged file.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        for name in self.samples():
            whole = (self.folder / name).read_bytes()
            for _ in range(100):
                bad = bytearray(whole)
                for _ in range(draw.choice((1, 2, 8))):
                    at = draw.randrange(min(len(bad), draw.choice((1000, 3000, len(bad)))))
                    bad[at] = draw.choice((0, 1, 0x7f, 0x80, 0xff, draw.randrange(256)))
                (self.folder / "bad.h5").write_bytes(bad)
                done = subprocess.run([product.CLUSTERSCAN, "inspect", "bad.h5"], timeout=60,
                                      cwd=self.folder, capture_output=True, text=True,
                                      errors="replace", env=environment)
                self.assertIn(done.returncode, (0, 2), (name, done.stderr))
                if done.returncode == 2:
                    self.assertRegex(done.stderr, r"^error: bad\.h5: [^\n]+\n$")

    def test_a_file_whose_middle_is_bad_ends_the_run_with_its_name_and_rows(self):
        with h5py.File(self.folder / "events.h5", "w") as file:
            data = file.create_dataset("df/block0_values", data=table(1000), chunks=(10, 2101),
                                       compression="gzip")
            where = data.id.get_chunk_info(2)  # the digest of the input looks at rows 15 and 31
        with open(self.folder / "events.h5", "r+b") as file:
            file.seek(where.byte_offset + where.size // 2)
            file.write(b"\xff" * 16)
        told = self.refused("run", "t.yaml", says=(
            "error: [reader.0] events.h5: rows 0 to 31 cannot be read: truncated or damaged\n",
            "error: stage reader.0 cannot go on: "))
        self.assertNotIn("starting it again", told)

    def test_a_filter_that_is_missing_is_told_by_its_name_with_what_helps(self):
        for number, parts in ((305, ("with lzo ", "ptrepack")),
                              (307, ("with bzip2,", "package hdf5-filter-plugin\n")),
                              (32013, ("with zfp,", "package hdf5-filter-plugin-zfp-serial")),
                              (32015, ("with zstd ", "h5repack")),
                              (32026, ("with blosc2 ", "ptrepack")),
                              (31999, ("needs HDF5 filter 31999",))):
            with self.subTest(number=number):
                with h5py.File(self.folder / "packed.h5", "w") as file:
                    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                    made.set_chunk((3, 2101))
                    made.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
                    rows = h5py.h5d.create(
                        file.create_group("df").id, b"block0_values", h5py.h5t.IEEE_F64LE,
                        h5py.h5s.create_simple((7, 2101)), made)
                    for row in (0, 3, 6):
                        rows.write_direct_chunk((row, 0), bytes(3 * 2101 * 8))
                self.refused("inspect", "packed.h5", says=("packed.h5: /df/block0_values", *parts),
                             env={**os.environ, "HDF5_PLUGIN_PATH": str(self.folder)})

    def test_a_plug_in_that_is_installed_but_hidden_is_told_as_that(self):
        with h5py.File(self.folder / "packed.h5", "w") as file:
            made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            made.set_chunk((3, 2101))
            made.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
            rows = h5py.h5d.create(file.create_group("df").id, b"block0_values",
                                   h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((3, 2101)), made)
            rows.write_direct_chunk((0, 0), bytes(3 * 2101 * 8))
        self.refused("inspect", "packed.h5", env={**os.environ, "HDF5_PLUGIN_PATH": "/opt/conda"},
                     says=("with blosc, whose plug-in is installed in /",
                           "HDF5_PLUGIN_PATH=/opt/conda: unset that, or add the folder to it"))

    def test_truth_values_as_labels_are_read(self):
        write_columns(self.folder / "c.h5", [DIJET] * 8, label=np.arange(8) % 4 == 1)
        self.assertIn("2 signal", self.command("inspect", "c.h5").stdout)

    def test_a_masterkey_as_other_editors_write_it_is_read(self):
        write_table(self.folder / "events.h5", table(13)[:, :WIDTH])
        key = self.folder / "key.txt"
        key.write_bytes(b"\xef\xbb\xbf" + b"1\r\n" * 5 + b"0.0\r\n" * 8)
        done = self.command("inspect", "events.h5", "--masterkey", key)
        self.assertIn("5 signal", done.stdout)


if __name__ == "__main__":
    product.main()
