/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Topology files: what is read from good ones, and what is said of broken ones, to the letter. */
#include "common/topology/topology.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/topology/yaml/document.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

/* A small topology, line by line; a test replaces one of them. */
static const char *const lines[] = {
    /*  1 */ "version: 1",
    /*  2 */ "name: t",
    /*  3 */ "analysis:",
    /*  4 */ "  stream: {batch: 7, slice: 3}",
    /*  5 */ "  training: {window: [3000, 3100], ensemble: 3}",
    /*  6 */ "  spectra: {window: [3000, 4600], bins: 17}",
    /*  7 */ "stages:",
    /*  8 */ "  reader: {run: event_reader, settings: {files: [a.h5]}}",
    /*  9 */ "  images: {run: jet_image, from: reader}",
    /* 10 */ "  log: {run: image_log, from: images}",
    /* 11 */ "  trainer: {run: kmeans_trainer, from: log}",
    /* 12 */ "  spectra: {run: spectrum_accumulator, from: [log, trainer]}",
    /* 13 */ "  select: {run: robust_selector, from: spectra}",
    /* 14 */ "  score: {run: mls_scorer, from: [select, trainer]}",
};
enum { LINES = sizeof lines / sizeof *lines, TEXT_SIZE = 1 << 16 };

/* Every test works in an empty folder of its own, so that messages hold the short name t.yaml. */
static void enter_folder(void)
{
    scratch_make();
    ck_assert_int_eq(chdir(scratch), 0);
}

static void leave_folder(void)
{
    ck_assert_int_eq(chdir("/"), 0);
    scratch_remove();
}

static void write_file(const char *text)
{
    file_put("t.yaml", strlen(text), text);
}

/* Writes the small topology with `text` in place of line `number`; 0: as it is. */
static void write_with(int number, const char *text)
{
    char all[TEXT_SIZE] = "";
    for (int i = 0; i < LINES; i++) {
        strcat(all, i + 1 == number ? text : lines[i]);
        strcat(all, "\n");
    }
    write_file(all);
}

static topology *load_good(const char *path, size_t n, const char *const overrides[])
{
    topology *flow = NULL;
    ck_assert_int_eq(topology_load(&flow, path, n, overrides), STATUS_OK);
    ck_assert_ptr_nonnull(flow);
    return flow;
}

/* Loads t.yaml, which must be refused with just this on standard error. */
static void assert_refused(size_t n, const char *const overrides[], const char *expected)
{
    topology *flow = NULL;
    captured_begin();
    const status done = topology_load(&flow, "t.yaml", n, overrides);
    const char *text = captured_end();
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(done, STATUS_BAD_INPUT);
    ck_assert_ptr_null(flow);
}

static void assert_set_refused(const char *override, const char *message)
{
    char expected[1000];
    snprintf(expected, sizeof expected, "--set %s: error: %s\n", override, message);
    write_with(0, NULL);
    assert_refused(1, &override, expected);
}

static const struct topology_stage *stage_of(const topology *flow, const char *name)
{
    return topology_stage(flow, topology_find(flow, name));
}

static void assert_settings(const topology *flow, const char *name, const char *expected)
{
    char *text = json_dumps(stage_of(flow, name)->settings, JSON_COMPACT);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* ---- broken files ---- */

/* One line of the small topology replaced, and the one mistake that makes. */
static const struct broken {
    int number;         /* of the line that is replaced */
    const char *text;   /* by this; told at its last line */
    int column;         /* where the caret stands, from 1 */
    const char *reason; /* what stands behind "error: " */
} broken[] = {
    /* the top of the file */
    {1, "version: 2", 10, "version must be 1, not 2"},
    {1, "version: \"1\"", 10, "version must be 1, not the text \"1\""},
    {1, "version: 1.0", 10, "version must be 1, not 1.0"},
    {2, "name: 7", 7, "name must be a printable text of 1 to 64 bytes, not 7"},
    {2, "name: ''", 7, "name must be a printable text of 1 to 64 bytes, not the text \"\""},
    {2, "name: \"a\\e[31mb\"", 7,
     "name must be a printable text of 1 to 64 bytes, not the text \"a?[31mb\""},
    {2, "name:", 1, "name must be a printable text of 1 to 64 bytes, not empty"},
    {2, "name: t\nhost: b", 1,
     "unknown key host (known here: version, name, transport, ports, security, analysis, stages)"},
    {2, "name: t\nname: u", 1, "the key name stands here twice"},
    {2, "name: t\ntransport: udp", 12, "transport must be ipc or tcp, not the text \"udp\""},
    {2, "name: t\ntransport: tcp", 12,
     "tcp needs keys, which this version has not: only 127.0.0.1 with security: none"},
    {2, "name: t\nsecurity: curve", 11, "security must be none, not the text \"curve\""},
    {2, "name: t\nports: [17000, 40000]", 16,
     "ports must be [first, last] with first <= last, both integers from 1024 to 32768, not "
     "40000"},
    {2, "name: t\nports: [17001, 17001]", 1, "ports [17001, 17001) holds no port"},
    {2, "name: @t", 7, "plain scalar cannot start with '@'"},
    /* analysis */
    {4, "  strem: {batch: 7}", 3,
     "unknown key analysis.strem (known here: stream, jets, image, training, spectra, selection, "
     "score)"},
    {4, "  stream.batch: 7", 3,
     "unknown key analysis.stream.batch (known here: stream, jets, image, training, spectra, "
     "selection, score)"},
    {4, "  stream: {size: 7}", 12, "unknown key analysis.stream.size (known here: batch, slice)"},
    {4, "  stream: 5", 11, "analysis.stream must be a mapping, not 5"},
    {4, "  stream: {batch: 0}", 19,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not 0"},
    {4, "  stream: {batch: 512.0}", 19,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not 512.0"},
    {4, "  stream: {batch: '512'}", 19,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not the text \"512\""},
    {4, "  stream: {batch: 0x10}", 19,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not the text \"0x10\""},
    {4, "  stream: {batch: true}", 19,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not true"},
    {4, "  stream: {batch: [7]}", 12,
     "analysis.stream.batch must be an integer from 1 to 30000 (rows), not [7]"},
    {4, "  stream: {batch: 99999999999999999999}", 19,
     "99999999999999999999 is too large a number"},
    {4, "  jets: {radius: .nan}", 18,
     "analysis.jets.radius must be a number above 0, at most 1.5707963267948966 (rad), not the "
     "text \".nan\""},
    {4, "  jets: {radius: -.inf}", 18,
     "analysis.jets.radius must be a number above 0, at most 1.5707963267948966 (rad), not the "
     "text \"-.inf\""},
    {4, "  jets: {radius: 0}", 18,
     "analysis.jets.radius must be a number above 0, at most 1.5707963267948966 (rad), not 0"},
    {4, "  jets: {radius: 1.5707963267948968}", 18,
     "analysis.jets.radius must be a number above 0, at most 1.5707963267948966 (rad), not "
     "1.5707963267948968"},
    {4, "  jets: {radius: 1e999}", 18, "1e999 is too large a number"},
    {4, "  jets: {algorithm: kt}", 21,
     "analysis.jets.algorithm must be antikt, not the text \"kt\""},
    {4, "  image: {pixels: 201}", 19,
     "analysis.image.pixels must be an integer from 2 to 200 (pixels), not 201"},
    {4, "  selection: {outlier_fraction: 0.91}", 33,
     "analysis.selection.outlier_fraction must be a number from 0 to 0.9, not 0.91"},
    {4, "  score: {approximation: exact}", 26,
     "analysis.score.approximation must be poisson or gaussian or binomial, not the text "
     "\"exact\""},
    {5, "  training: {window: [3100, 3000]}", 14,
     "analysis.training.window must be [lo, hi] with lo < hi, both numbers from 0 to 100000 (GeV), "
     "not [3100, 3000]"},
    {5, "  training: {window: [3000]}", 14,
     "analysis.training.window must be [lo, hi] with lo < hi, both numbers from 0 to 100000 (GeV), "
     "not [3000]"},
    {5, "  training: {window: [3000, 31oo]}", 29,
     "analysis.training.window must be [lo, hi] with lo < hi, both numbers from 0 to 100000 (GeV), "
     "not the text \"31oo\""},
    {5, "  training: {window: [2900, 3000]}", 14,
     "analysis.training.window [2900, 3000) and analysis.spectra.window [3000, 4600) have no mass "
     "in common"},
    {4, "  image: {pixels: 200}\n  selection: {sd_factor: -0.5}", 26,
     "analysis.selection.sd_factor must be a number from 0 to 100, not -0.5"},
    /* a stage's own keys */
    {9, "  images: {run: jet_image, from: reader, host: a}", 42,
     "unknown key stages.images.host (known here: run, from, replicas, compression, wait, "
     "settings)"},
    {9, "  images: {run: jet_image, from: reader, compression: zip}", 55,
     "stages.images.compression must be none or lz4, not the text \"zip\""},
    {9, "  images: {run: jet_image, from: reader, replicas: 65}", 52,
     "stages.images.replicas must be an integer from 1 to 64 (processes), not 65"},
    {9, "  images: {run: jet_image, from: reader, settings: {x: 1}}", 53,
     "unknown key stages.images.settings.x (known here: none)"},
    {9, "  images: {run: jet_image, from: reader, settings: [x]}", 42,
     "stages.images.settings must be a mapping, not [\"x\"]"},
    {8, "  reader: {settings: {files: [a.h5]}}", 3,
     "missing key stages.reader.run: a stage of ours by name, or any command: one text, split at "
     "blanks, or a list of its words"},
    {8, "  reader: {run: []}", 12,
     "stages.reader.run must be a printable text of 1 to 4095 bytes, or a list of such words, not "
     "[]"},
    {8, "  reader: {run: [sh, 5]}", 22,
     "stages.reader.run must be a printable text of 1 to 4095 bytes, or a list of such words, not "
     "5"},
    {8, "  reader: {run: [no such program, -x]}", 12,
     "stages.reader.run: ''no such program' -x' is neither a stage of ours nor a program that can "
     "be run"},
    {8, "  reader: {run: no-such-program -x}", 17,
     "stages.reader.run: 'no-such-program -x' is neither a stage of ours nor a program that can be "
     "run"},
    {8, "  reader: {run: /dev/null}", 17,
     "stages.reader.run: '/dev/null' is neither a stage of ours nor a program that can be run"},
    {8, "  reader: {run: cat, settings: 5}", 32, "stages.reader.settings must be a mapping, not 5"},
    {8, "  reader: {run: event_reader}", 3,
     "missing key stages.reader.settings.files: event files, FILE or (of several "
     "tables in one) FILE:KEY, in this order; globs are taken in "
     "byte "
     "order"},
    {8, "  reader: {run: event_reader, settings: {files: []}}", 42,
     "stages.reader.settings.files must be one or more printable texts of 1 to 4095 bytes, not []"},
    {8, "  reader: {run: event_reader, settings: {files: [a.h5, 5]}}", 56,
     "stages.reader.settings.files must be one or more printable texts of 1 to 4095 bytes, not 5"},
    {8, "  reader: {run: event_reader, settings: {files: [a.h5], rows: [5, 3]}}", 57,
     "stages.reader.settings.rows must be [first, last] with first <= last, both integers from 0 "
     "to 9007199254740991 (rows), not [5, 3]"},
    {8, "  reader: {run: event_reader, settings: {files: [a.h5], rows: [0, 5.5]}}", 67,
     "stages.reader.settings.rows must be [first, last] with first <= last, both integers from 0 "
     "to 9007199254740991 (rows), not 5.5"},
    {10, "  log: {run: image_log, from: images, settings: {segment: 100, window: 199}}", 72,
     "stages.log.settings.window must be at least twice the segment (2 x 100 batches), not 199"},
    /* what libfyaml knows and we do not */
    {8, "  reader: {run: event_reader, settings: {files: [*.h5]}}", 50,
     "aliases are not understood; put a text that starts with * in quotes"},
    {8, "  reader: {run: event_reader, settings: {files: [&b a.h5]}}", 53,
     "anchors are not understood; put a text that starts with & in quotes"},
    {8, "  reader: {run: event_reader, settings: {files: [!b a.h5]}}", 53,
     "tags are not understood; put a text that starts with ! in quotes"},
    {8, "  reader: {run: cat, settings: {a: \"b\\0c\"}}", 36, "a text must not hold a zero byte"},
    {8, "  reader: {run: cat, settings: {a: [[[[[[[[[[[[[[5]]]]]]]]]]]]]]}}", 33,
     "nested more than 16 deep"},
    {8, "  reader: {run: cat, settings: {a: b\xff}}", 1,
     "this line is not UTF-8, or holds control characters"},
    {8, "  reader: {run: cat, settings: {a: 1e400}}", 36, "1e400 is too large a number"},
    /* edges */
    {9, "  images: {run: jet_image, from: reder}", 34,
     "stages.images.from: there is no stage 'reder'"},
    {9, "  images: {run: jet_image, from: images}", 34, "stage 'images' takes from itself"},
    {9, "  images: {run: jet_image, from: [reader, reader]}", 43,
     "stages.images.from names 'reader' twice"},
    {9, "  images: {run: jet_image, from: 5}", 34,
     "stages.images.from must be one or more printable texts of 1 to 64 bytes, not 5"},
    {13, "  select: {run: robust_selector, from: }", 3,
     "'select' (robust_selector) lacks an input: no stage in its `from` gives spectra"},
    {12, "  spectra: {run: spectrum_accumulator, from: [log]}", 3,
     "'spectra' (spectrum_accumulator) lacks an input: no stage in its `from` gives model"},
    {13, "  select: {run: robust_selector, from: log}", 40,
     "'select' (robust_selector) takes spectra, but 'log' (image_log) gives image_batch"},
    {14, "  score: {run: mls_scorer, from: [select, log]}", 43,
     "'score' (mls_scorer) takes selection and model, but 'log' (image_log) gives image_batch"},
    {11, "  trainer: {run: kmeans_trainer, from: images}", 40,
     "'trainer' (kmeans_trainer) follows a feed, but 'images' (jet_image) hands out work: put an "
     "image_log between them"},
    {14,
     "  score: {run: mls_scorer, from: [select, trainer]}\n"
     "  more: {run: event_reader, settings: {files: [b.h5]}}",
     3, "nothing takes the batches of 'more' (event_reader)"},
    /* copies */
    {8, "  reader: {run: event_reader, replicas: 2, settings: {files: [a.h5]}}", 41,
     "'reader' (event_reader) runs as a single copy, so stages.reader.replicas must be 1, not 2"},
    {10, "  log: {run: image_log, from: images, replicas: 3}", 49,
     "'log' (image_log) runs as a single copy, so stages.log.replicas must be 1, not 3"},
    {13, "  select: {run: robust_selector, from: spectra, replicas: 2}", 59,
     "'select' (robust_selector) runs as a single copy, so stages.select.replicas must be 1, not "
     "2"},
    {13, "  select: {run: cat, from: spectra, replicas: 2}", 47,
     "'select' (cat) runs as a single copy, so stages.select.replicas must be 1, not 2"},
    {14, "  score: {run: mls_scorer, from: [select, trainer], replicas: 2}", 63,
     "'score' (mls_scorer) runs as a single copy, so stages.score.replicas must be 1, not 2"},
    {14,
     "  score: {run: mls_scorer, from: [select, trainer]}\n"
     "  score2: {run: mls_scorer, from: [select, trainer]}",
     3, "stages 'score' and 'score2' would both write results.h5"},
    {14, "  score: {run: mls_scorer, from: [select, trainer], settings: {results: ./a.h5}}", 73,
     "the result a.h5 would be among the files that 'reader' reads"},
};

START_TEST(a_broken_topology_is_refused_with_place_and_reason)
{
    const struct broken *const b = &broken[_i];
    const char *last = strrchr(b->text, '\n');
    last = last != NULL ? last + 1 : b->text;
    int line = b->number;
    for (const char *c = b->text; c < last; c++)
        line += *c == '\n';
    char expected[1000];
    snprintf(expected, sizeof expected, "t.yaml:%d:%d: error: %s\n%s\n%*s\n", line, b->column,
             b->reason, last, b->column, "^");
    write_with(b->number, b->text);
    assert_refused(0, NULL, expected);
}
END_TEST

START_TEST(all_mistakes_of_a_file_are_told_in_its_order)
{
    write_file("version: 3\n"
               "stages:\n"
               "  reader: {run: event_reader, replicas: 0}\n"
               "  images: {run: jet_image, from: reder}\n"
               "  log: {run: image_log, from: reader, settings: {segment: -1, sgment: 4}}\n"
               "  Score: 5\n"
               "analysis: {image: {smear: 11}}\n");
    assert_refused(
        0, NULL,
        "t.yaml:1:1: error: missing key name: name of the topology\n"
        "version: 3\n"
        "^\n"
        "t.yaml:1:10: error: version must be 1, not 3\n"
        "version: 3\n"
        "         ^\n"
        "t.yaml:3:3: error: missing key stages.reader.settings.files: event files, FILE or (of "
        "several "
        "tables in one) FILE:KEY, in this order; "
        "globs are taken in byte order\n"
        "  reader: {run: event_reader, replicas: 0}\n"
        "  ^\n"
        "t.yaml:3:41: error: stages.reader.replicas must be an integer from 1 to 64 (processes), "
        "not 0\n"
        "  reader: {run: event_reader, replicas: 0}\n"
        "                                        ^\n"
        "t.yaml:4:34: error: stages.images.from: there is no stage 'reder'\n"
        "  images: {run: jet_image, from: reder}\n"
        "                                 ^\n"
        "t.yaml:5:31: error: 'log' (image_log) takes image_batch, but 'reader' (event_reader) "
        "gives event_batch\n"
        "  log: {run: image_log, from: reader, settings: {segment: -1, sgment: 4}}\n"
        "                              ^\n"
        "t.yaml:5:59: error: stages.log.settings.segment must be an integer from 1 to 100000 "
        "(batches), not -1\n"
        "  log: {run: image_log, from: reader, settings: {segment: -1, sgment: 4}}\n"
        "                                                          ^\n"
        "t.yaml:5:63: error: unknown key stages.log.settings.sgment (known here: segment, window, "
        "order, seal_after, folder)\n"
        "  log: {run: image_log, from: reader, settings: {segment: -1, sgment: 4}}\n"
        "                                                              ^\n"
        "t.yaml:6:3: error: a stage's name is a small letter, then small letters, digits, - or _, "
        "at most 32 in all; 'Score' is not\n"
        "  Score: 5\n"
        "  ^\n"
        "t.yaml:6:10: error: stages.Score must be a mapping, not 5\n"
        "  Score: 5\n"
        "         ^\n"
        "t.yaml:7:27: error: analysis.image.smear must be a number from 0 to 10 (pixels), not 11\n"
        "analysis: {image: {smear: 11}}\n"
        "                          ^\n");
}
END_TEST

START_TEST(an_analysis_too_large_for_a_message_is_refused)
{
    /* 4096 x 200^2 x 4 B, and 3 columns x 1000 x 4096 x 17 x 8 B, against 256 MiB less 1 MiB */
    write_with(5, "  image: {pixels: 200}\n  training: {ensemble: 1000, clusters: 4096}");
    assert_refused(0, NULL,
                   "t.yaml:3:1: error: a model of 4096 clusters x 200 x 200 pixels has "
                   "655360000 bytes, but a message at most 267386880\n"
                   "analysis:\n"
                   "^\n"
                   "t.yaml:3:1: error: a selection of 1000 members x 4096 clusters x 17 bins has "
                   "1671168000 bytes, but a message at most 267386880\n"
                   "analysis:\n"
                   "^\n");
}
END_TEST

START_TEST(what_is_no_topology_at_all_is_refused)
{
    static const struct {
        const char *text;
        size_t length;
        const char *expected;
    } cases[] = {
        {"", 0, "t.yaml:1:1: error: the file says nothing\n"},
        {"# only\n", 7, "t.yaml:1:1: error: the file says nothing\n# only\n^\n"},
        {"- a\n", 4, "t.yaml:1:1: error: a topology must be a mapping, not [\"a\"]\n- a\n^\n"},
        {"a: [1\n", 6, "t.yaml:2:1: error: flow sequence without a closing bracket\n"},
        {"a:\n\tb: 1\n", 9,
         "t.yaml:2:1: error: tab character may not be used as indentation\n\tb: 1\n^\n"},
        {"a: 1\n---\nb: 2\n", 14,
         "t.yaml:1:1: error: the file holds more than one YAML document\na: 1\n^\n"},
        {"a: \x01\n", 5,
         "t.yaml:1:1: error: this line is not UTF-8, or holds control characters\na: ?\n^\n"},
        {"a\0b", 3, "error: t.yaml: holds a zero byte, so it is no YAML text\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_put("t.yaml", cases[i].length, cases[i].text);
        assert_refused(0, NULL, cases[i].expected);
    }
}
END_TEST

START_TEST(a_file_without_stages_is_refused)
{
    write_file("version: 1\nname: t\n");
    assert_refused(0, NULL,
                   "t.yaml:1:1: error: missing key stages: what runs, by name, and what flows "
                   "between\nversion: 1\n^\n");
    write_file("version: 1\nname: t\nstages: {}\n");
    assert_refused(0, NULL,
                   "t.yaml:3:1: error: stages must be a mapping of 1 to 256 stages\n"
                   "stages: {}\n^\n");
    write_file("version: 1\nname: t\nstages: [a]\n");
    assert_refused(0, NULL,
                   "t.yaml:3:1: error: stages must be a mapping of 1 to 256 stages\n"
                   "stages: [a]\n^\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_refused)
{
    assert_refused(0, NULL, "error: t.yaml: No such file or directory\n");
    ck_assert_int_eq(mkdir("t.yaml", 0700), 0);
    assert_refused(0, NULL, "error: t.yaml: is a folder\n");
    ck_assert_int_eq(rmdir("t.yaml"), 0);
}
END_TEST

START_TEST(a_file_larger_than_any_topology_is_refused)
{
    const size_t size = DOCUMENT_BYTES_MAX + 1;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    memset(text, '\n', size);
    file_put("t.yaml", size, text);
    free(text);
    assert_refused(0, NULL,
                   "error: t.yaml: is larger than 1048576 bytes, which no topology file is\n");
}
END_TEST

START_TEST(after_a_hundred_mistakes_the_rest_is_counted)
{
    char text[TEXT_SIZE] = "version: 1\nname: t\n";
    for (int i = 0; i < 123; i++)
        snprintf(text + strlen(text), 32, "k%d: 1\n", i);
    strcat(text, "stages: {images: {run: jet_image}}\n");
    write_file(text);
    topology *flow;
    captured_begin();
    const status done = topology_load(&flow, "t.yaml", 0, NULL);
    const char *told = captured_end();
    ck_assert_int_eq(done, STATUS_BAD_INPUT);
    /* 123 keys, the missing input and the missing taker of images; the last line is the count */
    const char *last = strstr(told, "t.yaml: ");
    ck_assert_ptr_nonnull(last);
    ck_assert_str_eq(last, "t.yaml: 25 more mistakes\n");
}
END_TEST

/* ---- broken edges that make more than one mistake ---- */

START_TEST(a_circle_is_told_from_its_first_member_along_the_flow)
{
    write_with(11, "  trainer: {run: cat, from: spectra}");
    assert_refused(0, NULL,
                   "t.yaml:11:29: error: stages feed each other in a circle: trainer -> spectra -> "
                   "trainer\n"
                   "  trainer: {run: cat, from: spectra}\n"
                   "                            ^\n");
}
END_TEST

START_TEST(two_circles_are_both_told)
{
    write_with(14, "  score: {run: mls_scorer, from: [select, trainer]}\n"
                   "  a: {run: cat, from: c}\n"
                   "  b: {run: cat, from: [log, a]}\n"
                   "  c: {run: cat, from: b}\n"
                   "  d: {run: cat, from: [c, e]}\n"
                   "  e: {run: cat, from: d}");
    assert_refused(0, NULL,
                   "t.yaml:15:23: error: stages feed each other in a circle: a -> b -> c -> a\n"
                   "  a: {run: cat, from: c}\n"
                   "                      ^\n"
                   "t.yaml:18:27: error: stages feed each other in a circle: d -> e -> d\n"
                   "  d: {run: cat, from: [c, e]}\n"
                   "                          ^\n");
}
END_TEST

START_TEST(two_logs_of_the_same_batches_are_refused)
{
    write_with(10, "  log: {run: image_log, from: images}\n"
                   "  log2: {run: image_log, from: images}");
    assert_refused(0, NULL,
                   "t.yaml:11:32: error: the batches of 'images' (jet_image) go to one stage, but "
                   "'log' (image_log) and 'log2' (image_log) both take them\n"
                   "  log2: {run: image_log, from: images}\n"
                   "                               ^\n");
}
END_TEST

/* The small topology with a second reader, imager and log, and `trainer` in place of line 11. */
static void write_two_logs(const char *trainer)
{
    char text[1000];
    snprintf(text, sizeof text,
             "  reader2: {run: event_reader, settings: {files: [b.h5]}}\n"
             "  images2: {run: jet_image, from: reader2}\n"
             "  log2: {run: image_log, from: images2}\n"
             "%s",
             trainer);
    write_with(11, text);
}

START_TEST(several_logs_have_a_part_of_the_sources_each)
{
    write_two_logs("  trainer: {run: kmeans_trainer, from: [log, log2]}");
    topology *flow = load_good("t.yaml", 0, NULL);
    ck_assert_uint_eq(topology_n_logs(flow), 2);
    ck_assert_uint_eq(topology_log(flow, 0), topology_find(flow, "log"));
    ck_assert_uint_eq(topology_log(flow, 1), topology_find(flow, "log2"));
    static const char *const of_log[2][3] = {{"reader", "images", "log"},
                                             {"reader2", "images2", "log2"}};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 3; i++)
            ck_assert_uint_eq(topology_log_of(flow, topology_find(flow, of_log[k][i])), k);
    ck_assert_uint_eq(topology_log_of(flow, topology_find(flow, "trainer")), 2);
    topology_destroy(&flow);
}
END_TEST

START_TEST(what_a_trainer_is_told_in_its_settings_is_told_to_all)
{
    write_with(11,
               "  trainer: {run: kmeans_trainer, from: log, settings: {clusters: 9, batch: 77,\n"
               "    seed: 5, events: 12, window: [3000, 3100], ensemble: 3}}");
    topology *flow = load_good("t.yaml", 0, NULL);
    const struct analysis *analysis = topology_analysis(flow);
    ck_assert_uint_eq(analysis->training.clusters, 9);
    ck_assert_uint_eq(analysis->training.batch, 77);
    ck_assert_uint_eq(analysis->training.seed, 5);
    ck_assert_uint_eq(analysis->training.events, 12);
    ck_assert_uint_eq(analysis->training.ensemble, 3); /* as line 5 says, too */
    ck_assert_double_eq(analysis->training.window[1], 3100);
    assert_settings(flow, "trainer", "{}");
    topology_destroy(&flow);
}
END_TEST

START_TEST(events_that_would_come_by_two_ways_are_refused)
{
    write_two_logs("  both: {run: cat, from: [log, log2], replicas: 2}\n"
                   "  other: {run: kmeans_trainer, from: both}\n"
                   "  trainer: {run: kmeans_trainer, from: [log2, both]}");
    assert_refused(
        0, NULL,
        "t.yaml:16:47: error: 'trainer' (kmeans_trainer) would take the events of 'log2' "
        "twice, from 'log2' (image_log) and from 'both' (cat)\n"
        "  trainer: {run: kmeans_trainer, from: [log2, both]}\n"
        "                                              ^\n"
        "t.yaml:16:47: error: 'trainer' (kmeans_trainer) takes image_batch from 'log2' "
        "(image_log) and 'both' (cat), so each must be one process, but 'both' (cat) has "
        "2\n"
        "  trainer: {run: kmeans_trainer, from: [log2, both]}\n"
        "                                              ^\n");
}
END_TEST

START_TEST(a_trainer_of_others_takes_from_several_logs_as_ours_does)
{
    write_two_logs("  trainer: {run: cat, from: [log, log2]}\n"
                   "  sink: {run: cat, from: trainer}");
    topology *flow = load_good("t.yaml", 0, NULL);
    ck_assert_int_eq(topology_stage(flow, topology_find(flow, "trainer"))->output, MESSAGE_MODEL);
    topology_destroy(&flow);
    write_two_logs("  other: {run: cat, from: [log, log2]}\n"
                   "  sink: {run: cat, from: other}\n"
                   "  trainer: {run: kmeans_trainer, from: log}");
    flow = load_good("t.yaml", 0, NULL);
    ck_assert_int_eq(topology_stage(flow, topology_find(flow, "other"))->output, MESSAGE_MODEL);
    topology_destroy(&flow);
}
END_TEST

START_TEST(a_training_told_in_two_ways_is_refused)
{
    write_with(11, "  trainer: {run: kmeans_trainer, from: log, settings: {ensemble: 4}}");
    assert_refused(0, NULL,
                   "t.yaml:11:66: error: stages.trainer.settings.ensemble is 4, but "
                   "analysis.training.ensemble is 3: give one of them\n"
                   "  trainer: {run: kmeans_trainer, from: log, settings: {ensemble: 4}}\n"
                   "                                                                 ^\n");
    write_with(11, "  trainer: {run: kmeans_trainer, from: log, settings: {seed: 4}}\n"
                   "  other: {run: kmeans_trainer, from: log, settings: {seed: 2}}");
    assert_refused(0, NULL,
                   "t.yaml:12:60: error: stages.other.settings.seed is 2, but "
                   "stages.trainer.settings.seed is 4: give one of them\n"
                   "  other: {run: kmeans_trainer, from: log, settings: {seed: 2}}\n"
                   "                                                           ^\n");
}
END_TEST

START_TEST(settings_of_a_trainer_are_checked_like_the_analysis)
{
    write_with(11, "  trainer: {run: kmeans_trainer, from: log, settings: {clusters: 1}}");
    assert_refused(0, NULL,
                   "t.yaml:11:66: error: stages.trainer.settings.clusters must be an integer from "
                   "2 to 4096, not 1\n"
                   "  trainer: {run: kmeans_trainer, from: log, settings: {clusters: 1}}\n"
                   "                                                                 ^\n");
    write_with(5, "  jets: {radius: 1.0}");
    const char *const window = "stages.trainer.settings.window=[1000, 1100]";
    assert_refused(1, &window,
                   "--set stages.trainer.settings.window=[1000, 1100]: error: "
                   "analysis.training.window [1000, 1100) and analysis.spectra.window [3000, 4600) "
                   "have no mass in common\n");
}
END_TEST

START_TEST(two_producers_of_one_model_are_refused)
{
    write_with(12, "  trainer2: {run: kmeans_trainer, from: log}\n"
                   "  spectra: {run: spectrum_accumulator, from: [log, trainer, trainer2]}");
    assert_refused(0, NULL,
                   "t.yaml:13:61: error: 'spectra' (spectrum_accumulator) takes one model, but "
                   "'trainer' (kmeans_trainer) and 'trainer2' (kmeans_trainer) both give it\n"
                   "  spectra: {run: spectrum_accumulator, from: [log, trainer, trainer2]}\n"
                   "                                                            ^\n");
}
END_TEST

START_TEST(a_worker_without_a_source_leaves_the_source_without_a_worker)
{
    write_with(9, "  images: {run: jet_image}");
    assert_refused(0, NULL,
                   "t.yaml:8:3: error: nothing takes the batches of 'reader' (event_reader)\n"
                   "  reader: {run: event_reader, settings: {files: [a.h5]}}\n"
                   "  ^\n"
                   "t.yaml:9:3: error: 'images' (jet_image) lacks an input: no stage in its `from` "
                   "gives event_batch\n"
                   "  images: {run: jet_image}\n"
                   "  ^\n");
}
END_TEST

START_TEST(a_feed_whose_output_nobody_can_tell_is_refused)
{
    write_with(14, "  score: {run: mls_scorer, from: [select, trainer]}\n"
                   "  odd: {run: cat, from: [log, select]}\n"
                   "  end: {run: cat, from: odd}");
    assert_refused(0, NULL,
                   "t.yaml:15:3: error: cannot tell which message 'odd' (cat) gives: no stage of "
                   "ours that takes from it lacks just one, and no stage of ours takes what it "
                   "takes\n"
                   "  odd: {run: cat, from: [log, select]}\n"
                   "  ^\n");
}
END_TEST

/* ---- --set ---- */

START_TEST(a_wrong_value_of_set_is_told_as_such)
{
    assert_set_refused("stages.log.settings.segment=0",
                       "stages.log.settings.segment must be an integer from 1 to 100000 (batches), "
                       "not 0");
    assert_set_refused("analysis.spectra.window=[4000, 4000]",
                       "analysis.spectra.window must be [lo, hi] with lo < hi, both numbers from 0 "
                       "to 100000 (GeV), not [4000, 4000]");
    assert_set_refused("stages.reader.settings.files=[]",
                       "stages.reader.settings.files must be one or more printable texts of 1 to "
                       "4095 bytes, not []");
    assert_set_refused("stages.reader.settings.files=[*.h5]",
                       "aliases are not understood; put a text that starts with * in quotes");
    assert_set_refused("stages.images.from=reder", "stages.images.from: there is no stage 'reder'");
    assert_set_refused("transport=tcp",
                       "tcp needs keys, which this version has not: only 127.0.0.1 with "
                       "security: none");
    assert_set_refused("analysis.spectra.window=[5000, 6000]",
                       "analysis.training.window [3000, 3100) and analysis.spectra.window [5000, "
                       "6000) have no mass in common");
    assert_set_refused("stages.log=5", "stages.log must be a mapping, not 5");
}
END_TEST

START_TEST(an_unknown_key_of_set_is_told_as_such)
{
    assert_set_refused("nam=u", "unknown key nam (known here: version, name, transport, ports, "
                                "security, analysis, stages)");
    assert_set_refused("stages.log.settings.segmnt=3",
                       "unknown key stages.log.settings.segmnt (known here: segment, window, "
                       "order, seal_after, folder)");
    assert_set_refused("analysis.training={evnts: 4}",
                       "unknown key analysis.training.evnts (known here: window, clusters, batch, "
                       "ensemble, seed, events)");
    assert_set_refused("stages.more.replicas=2",
                       "missing key stages.more.run: a stage of ours by name, or any command: one "
                       "text, split at blanks, or a list of its words");
}
END_TEST

START_TEST(what_is_no_setting_is_refused)
{
    assert_set_refused("analysis.training.events", "must be key.path=value");
    assert_set_refused("", "must be key.path=value");
    assert_set_refused("=3", "must be key.path=value");
    assert_set_refused("analysis..events=3", "must be key.path=value");
    assert_set_refused("analysis.=3", "must be key.path=value");
    assert_set_refused("name=", "no value stands after '='");
    assert_set_refused("name=[u", "flow sequence without a closing bracket");
    assert_set_refused("name=\xff", "is not UTF-8, or holds control characters");
    assert_set_refused("name=[u] v", "Did not find expected stream end");
    assert_set_refused("stages.log.settings={segment: 3, segment: 4}",
                       "the key segment stands here twice");
    assert_set_refused("name.first=u", "'name' is no mapping, so it has no keys");
}
END_TEST

START_TEST(mistakes_of_set_follow_those_of_the_file)
{
    static const char *const overrides[] = {"name=7", "stages.log.replicas=2"};
    write_with(1, "version: 0");
    assert_refused(2, overrides,
                   "t.yaml:1:10: error: version must be 1, not 0\n"
                   "version: 0\n"
                   "         ^\n"
                   "--set name=7: error: name must be a printable text of 1 to 64 bytes, not 7\n"
                   "--set stages.log.replicas=2: error: 'log' (image_log) runs as a single copy, "
                   "so stages.log.replicas must be 1, not 2\n");
}
END_TEST

START_TEST(set_replaces_and_adds_values)
{
    static const char *const overrides[] = {
        "name=u",
        "stages.reader.settings.files=[\"b/*.h5\", 'c d.h5']",
        "stages.reader.settings.rows=[3, 5]",
        "stages.log.settings.segment=100",
        "stages.trainer.replicas=3",
        "analysis.training.events=41",
        "analysis.jets.radius=0.7",
        "stages.watch={run: cat, from: [log, score]}",
        "name=v", /* the last one counts */
    };
    write_with(0, NULL);
    topology *flow = load_good("t.yaml", sizeof overrides / sizeof *overrides, overrides);
    ck_assert_str_eq(topology_name(flow), "v");
    assert_settings(flow, "reader",
                    "{\"files\":[\"b/*.h5\",\"c "
                    "d.h5\"],\"rows\":[3,5],\"masterkey\":null,\"labels.background\":[0],\"labels."
                    "signal\":[1],\"follow\":false,\"end\":\"end-of-"
                    "run\",\"pattern\":[\"*.h5\",\"*.hdf5\"],\"patience\":10.0}");
    assert_settings(
        flow, "log",
        "{\"segment\":100,\"window\":400,\"order\":\"rounds\",\"seal_after\":5.0,\"folder\":null}");
    ck_assert_uint_eq(stage_of(flow, "trainer")->replicas, 3);
    ck_assert_uint_eq(topology_analysis(flow)->training.events, 41);
    ck_assert_double_eq(topology_analysis(flow)->jets.radius, 0.7);
    ck_assert_double_eq(topology_analysis(flow)->training.window[1], 3100);
    ck_assert_uint_eq(topology_find(flow, "watch"), 7);
    ck_assert_int_eq(stage_of(flow, "watch")->line, 0);
    topology_destroy(&flow);
    ck_assert_ptr_null(flow);
}
END_TEST

START_TEST(set_mends_what_the_file_has_wrong)
{
    static const char *const overrides[] = {"version=1", "stages.reader.settings.files=[a.h5]"};
    write_with(1, "version: 2");
    topology *flow = load_good("t.yaml", 2, overrides);
    topology_destroy(&flow);
    write_with(8, "  reader:\n    run: event_reader\n    settings:");
    flow = load_good("t.yaml", 2, overrides);
    topology_destroy(&flow);
}
END_TEST

/* ---- good files ---- */

START_TEST(a_topology_is_read_as_it_stands)
{
    write_with(0, NULL);
    topology *flow = load_good("t.yaml", 0, NULL);
    ck_assert_str_eq(topology_path(flow), "t.yaml");
    ck_assert_str_eq(topology_name(flow), "t");
    ck_assert_int_eq(topology_transport(flow), TRANSPORT_IPC);
    uint32_t first;
    uint32_t last;
    topology_ports(flow, &first, &last);
    ck_assert_uint_eq(first, 17000);
    ck_assert_uint_eq(last, 18000);
    ck_assert_uint_eq(topology_n_stages(flow), 7);
    ck_assert_uint_eq(topology_find(flow, "nobody"), 7);
    static const struct {
        const char *name;
        const char *run;
        enum stage_role role;
        enum message_type output;
        bool sink;
    } expected[7] = {
        {"reader", "event_reader", ROLE_SOURCE, MESSAGE_EVENT_BATCH, false},
        {"images", "jet_image", ROLE_WORKER, MESSAGE_IMAGE_BATCH, false},
        {"log", "image_log", ROLE_LOG, MESSAGE_IMAGE_BATCH, false},
        {"trainer", "kmeans_trainer", ROLE_FEED, MESSAGE_MODEL, false},
        {"spectra", "spectrum_accumulator", ROLE_FEED, MESSAGE_SPECTRA, false},
        {"select", "robust_selector", ROLE_FEED, MESSAGE_SELECTION, false},
        {"score", "mls_scorer", ROLE_FEED, MESSAGE_SCORE, true},
    };
    for (size_t i = 0; i < 7; i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        ck_assert_str_eq(stage->name, expected[i].name);
        ck_assert_str_eq(stage->run, expected[i].run);
        ck_assert(stage->ours);
        ck_assert_int_eq(stage->role, expected[i].role);
        ck_assert_int_eq(stage->output, expected[i].output);
        ck_assert_uint_eq(stage->replicas, 1);
        ck_assert_int_eq(stage->line, (int)i + 8);
        ck_assert_int_eq(topology_is_sink(flow, i), expected[i].sink);
    }
    const struct topology_stage *score = stage_of(flow, "score");
    ck_assert_uint_eq(score->n_inputs, 2);
    ck_assert_uint_eq(score->inputs[0].stage, 5);
    ck_assert_int_eq(score->inputs[0].type, MESSAGE_SELECTION);
    ck_assert_uint_eq(score->inputs[1].stage, 3);
    ck_assert_int_eq(score->inputs[1].type, MESSAGE_MODEL);
    topology_destroy(&flow);
}
END_TEST

START_TEST(settings_are_complete_and_in_the_order_of_the_schema)
{
    write_with(8, "  reader: {run: event_reader, settings: {rows: ~, files: a.h5}}");
    topology *flow = load_good("t.yaml", 0, NULL);
    assert_settings(flow, "reader",
                    "{\"files\":[\"a.h5\"],\"rows\":null,\"masterkey\":null,\"labels.background\":["
                    "0],\"labels.signal\":[1],\"follow\":false,"
                    "\"end\":\"end-of-run\",\"pattern\":[\"*.h5\",\"*.hdf5\"],\"patience\":10.0}");
    assert_settings(flow, "images", "{}");
    assert_settings(
        flow, "log",
        "{\"segment\":16,\"window\":128,\"order\":\"rounds\",\"seal_after\":5.0,\"folder\":null}");
    assert_settings(
        flow, "score",
        "{\"results\":\"results.h5\""
        ",\"every\":5.0,\"provenance\":false,\"few_counts\":20,\"few_doubtful\":0.01,"
        "\"few_bad\":0.25,\"agreement\":0.5,\"depleted_doubtful\":3.0,\"depleted_bad\":5.0}");
    topology_destroy(&flow);
}
END_TEST

START_TEST(tcp_without_keys_is_taken_if_it_is_said)
{
    write_with(2, "name: t\ntransport: tcp\nsecurity: none\nports: [20011, 20013]");
    topology *flow = load_good("t.yaml", 0, NULL);
    ck_assert_int_eq(topology_transport(flow), TRANSPORT_TCP);
    uint32_t first;
    uint32_t last;
    topology_ports(flow, &first, &last);
    ck_assert_uint_eq(first, 20011);
    ck_assert_uint_eq(last, 20013);
    topology_destroy(&flow);
}
END_TEST

static void assert_foreign(int number, const char *line, const char *name, enum stage_role role,
                           enum message_type output)
{
    write_with(number, line);
    topology *flow = load_good("t.yaml", 0, NULL);
    const struct topology_stage *stage = stage_of(flow, name);
    ck_assert(!stage->ours);
    ck_assert_int_eq(stage->role, role);
    ck_assert_int_eq(stage->output, output);
    topology_destroy(&flow);
}

START_TEST(a_foreign_command_takes_the_place_of_any_stage)
{
    assert_foreign(8, "  reader: {run: cat}", "reader", ROLE_SOURCE, MESSAGE_EVENT_BATCH);
    assert_foreign(9, "  images: {run: cat -n, from: reader}", "images", ROLE_WORKER,
                   MESSAGE_IMAGE_BATCH);
    assert_foreign(11, "  trainer: {run: /bin/cat, from: log}", "trainer", ROLE_FEED,
                   MESSAGE_MODEL);
    assert_foreign(12, "  spectra: {run: cat, from: [log, trainer]}", "spectra", ROLE_FEED,
                   MESSAGE_SPECTRA);
    assert_foreign(13, "  select: {run: cat, from: spectra}", "select", ROLE_FEED,
                   MESSAGE_SELECTION);
    assert_foreign(14, "  score: {run: cat, from: [select, trainer]}", "score", ROLE_FEED,
                   MESSAGE_NONE);
}
END_TEST

START_TEST(foreign_commands_in_a_row_stand_for_our_stages_with_their_inputs)
{
    static const char *const overrides[] = {
        "stages.trainer={run: cat, from: log}",
        "stages.spectra={run: cat, from: [log, trainer]}",
        "stages.select={run: cat, from: spectra}",
    };
    write_with(0, NULL);
    topology *flow = load_good("t.yaml", 3, overrides);
    ck_assert_int_eq(stage_of(flow, "trainer")->output, MESSAGE_MODEL);
    ck_assert_int_eq(stage_of(flow, "spectra")->output, MESSAGE_SPECTRA);
    ck_assert_int_eq(stage_of(flow, "select")->output, MESSAGE_SELECTION);
    topology_destroy(&flow);
}
END_TEST

START_TEST(settings_of_a_foreign_command_pass_through_as_json)
{
    write_with(11, "  trainer: {run: cat, from: log, settings: {a: [1, {b: 1.5}], c: ~, d: yes,\n"
                   "    e: true, f: 0x10, g: '7', h: -3, i: .5, j: 1e3, 8: k, l: {}}}");
    topology *flow = load_good("t.yaml", 0, NULL);
    assert_settings(flow, "trainer",
                    "{\"a\":[1,{\"b\":1.5}],\"c\":null,\"d\":\"yes\",\"e\":true,\"f\":\"0x10\","
                    "\"g\":\"7\",\"h\":-3,\"i\":0.5,\"j\":1000.0,\"8\":\"k\",\"l\":{}}");
    topology_destroy(&flow);
}
END_TEST

START_TEST(message_types_have_names_and_are_found_by_them)
{
    for (unsigned type = 0; type < MESSAGE_TYPES; type++)
        ck_assert_uint_eq(message_type_find(message_type_name((enum message_type)type)), type);
    ck_assert_str_eq(message_type_name(MESSAGE_NONE), "none");
    ck_assert_int_eq(message_type_find("jets"), MESSAGE_TYPES);
}
END_TEST

/* ---- the files in topology/ ---- */

START_TEST(lhco_holds_the_defaults_of_the_schema)
{
    topology *flow = load_good(SOURCE_FOLDER "/topology/lhco.yaml", 0, NULL);
    char *given = analysis_to_yaml(topology_analysis(flow));
    ck_assert_str_eq(topology_name(flow), "lhco");
    ck_assert_uint_eq(stage_of(flow, "images")->replicas, 2);
    assert_settings(flow, "reader",
                    "{\"files\":[\"events/"
                    "*.h5\"],\"rows\":null,\"masterkey\":null,\"labels.background\":[0],\"labels."
                    "signal\":[1],\"follow\":false,\"end\":\"end-of-"
                    "run\",\"pattern\":[\"*.h5\",\"*.hdf5\"],\"patience\":10.0}");
    topology_destroy(&flow);
    write_file(
        "version: 1\nname: t\nstages: {reader: {run: cat}, images: {run: cat, from: reader}, "
        "log: {run: image_log, from: images}}\n");
    flow = load_good("t.yaml", 0, NULL);
    char *defaults = analysis_to_yaml(topology_analysis(flow));
    ck_assert_str_eq(given, defaults);
    topology_destroy(&flow);
    free(given);
    free(defaults);
}
END_TEST

START_TEST(demo_is_small_and_keeps_its_files_together)
{
    topology *flow = load_good(SOURCE_FOLDER "/topology/demo.yaml", 0, NULL);
    ck_assert_uint_eq(topology_analysis(flow)->training.ensemble, 5);
    assert_settings(flow, "reader",
                    "{\"files\":[\"demo/"
                    "events.h5\"],\"rows\":null,\"masterkey\":null,\"labels.background\":[0],"
                    "\"labels.signal\":[1],\"follow\":false,\"end\":\"end-"
                    "of-run\",\"pattern\":[\"*.h5\",\"*.hdf5\"],\"patience\":10.0}");
    assert_settings(
        flow, "score",
        "{\"results\":\"demo/results.h5\""
        ",\"every\":5.0,\"provenance\":false,\"few_counts\":20,\"few_doubtful\":0.01,"
        "\"few_bad\":0.25,\"agreement\":0.5,\"depleted_doubtful\":3.0,\"depleted_bad\":5.0}");
    topology_destroy(&flow);
}
END_TEST

START_TEST(bump_hunt_reads_background_and_signal_side_by_side)
{
    topology *flow = load_good(SOURCE_FOLDER "/topology/bump-hunt.yaml", 0, NULL);
    ck_assert_uint_eq(topology_analysis(flow)->training.ensemble, 15);
    assert_settings(flow, "signal",
                    "{\"files\":[\"signal/"
                    "*.h5\"],\"rows\":[0,5000],\"masterkey\":null,\"labels.background\":[0],"
                    "\"labels.signal\":[1],\"follow\":false,\"end\":\"end-"
                    "of-run\",\"pattern\":[\"*.h5\",\"*.hdf5\"],\"patience\":10.0}");
    ck_assert_uint_eq(stage_of(flow, "images")->n_inputs, 2);
    topology_destroy(&flow);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("topology");
    tcase_add_checked_fixture(cases, enter_folder, leave_folder);
    tcase_add_loop_test(cases, a_broken_topology_is_refused_with_place_and_reason, 0,
                        (int)(sizeof broken / sizeof *broken));
    tcase_add_test(cases, all_mistakes_of_a_file_are_told_in_its_order);
    tcase_add_test(cases, an_analysis_too_large_for_a_message_is_refused);
    tcase_add_test(cases, what_is_no_topology_at_all_is_refused);
    tcase_add_test(cases, a_file_without_stages_is_refused);
    tcase_add_test(cases, a_file_that_cannot_be_read_is_refused);
    tcase_add_test(cases, a_file_larger_than_any_topology_is_refused);
    tcase_add_test(cases, after_a_hundred_mistakes_the_rest_is_counted);
    tcase_add_test(cases, a_circle_is_told_from_its_first_member_along_the_flow);
    tcase_add_test(cases, two_circles_are_both_told);
    tcase_add_test(cases, two_logs_of_the_same_batches_are_refused);
    tcase_add_test(cases, several_logs_have_a_part_of_the_sources_each);
    tcase_add_test(cases, events_that_would_come_by_two_ways_are_refused);
    tcase_add_test(cases, a_trainer_of_others_takes_from_several_logs_as_ours_does);
    tcase_add_test(cases, what_a_trainer_is_told_in_its_settings_is_told_to_all);
    tcase_add_test(cases, a_training_told_in_two_ways_is_refused);
    tcase_add_test(cases, settings_of_a_trainer_are_checked_like_the_analysis);
    tcase_add_test(cases, two_producers_of_one_model_are_refused);
    tcase_add_test(cases, a_worker_without_a_source_leaves_the_source_without_a_worker);
    tcase_add_test(cases, a_feed_whose_output_nobody_can_tell_is_refused);
    tcase_add_test(cases, a_wrong_value_of_set_is_told_as_such);
    tcase_add_test(cases, an_unknown_key_of_set_is_told_as_such);
    tcase_add_test(cases, what_is_no_setting_is_refused);
    tcase_add_test(cases, mistakes_of_set_follow_those_of_the_file);
    tcase_add_test(cases, set_replaces_and_adds_values);
    tcase_add_test(cases, set_mends_what_the_file_has_wrong);
    tcase_add_test(cases, a_topology_is_read_as_it_stands);
    tcase_add_test(cases, settings_are_complete_and_in_the_order_of_the_schema);
    tcase_add_test(cases, tcp_without_keys_is_taken_if_it_is_said);
    tcase_add_test(cases, a_foreign_command_takes_the_place_of_any_stage);
    tcase_add_test(cases, foreign_commands_in_a_row_stand_for_our_stages_with_their_inputs);
    tcase_add_test(cases, settings_of_a_foreign_command_pass_through_as_json);
    tcase_add_test(cases, message_types_have_names_and_are_found_by_them);
    tcase_add_test(cases, lhco_holds_the_defaults_of_the_schema);
    tcase_add_test(cases, demo_is_small_and_keeps_its_files_together);
    tcase_add_test(cases, bump_hunt_reads_background_and_signal_side_by_side);
    return run_case(cases, "topology.topology");
}
