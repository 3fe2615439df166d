/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/schema/schema.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Largest integer that a double, and so every JSON reader, holds exactly. */
#define INTEGER_MAX 9007199254740991.0
/* Linux's PATH_MAX without its end. */
#define PATH_BYTES_MAX 4095
/* Characters of a wrong value that are shown. */
enum { SHOWN_MAX = 60 };
/* Offset and size of a member of struct analysis. */
#define MEMBER(name) \
    .offset = offsetof(struct analysis, name), .size = sizeof(((struct analysis *)NULL)->name)

/* What a trainer is told, in its settings or in analysis.training: type, range and place. */
#define TRAINING_WINDOW                                 \
    .type = KEY_INTERVAL, .max = 100000, .unit = "GeV", \
    .help = "dijet masses trained on, half-open", MEMBER(training.window)
#define TRAINING_CLUSTERS \
    .type = KEY_INTEGER, .min = 2, .max = 4096, .help = "clusters k", MEMBER(training.clusters)
#define TRAINING_BATCH                                              \
    .type = KEY_INTEGER, .min = 1, .max = 10000000, .unit = "jets", \
    .help = "mini-batch of the k-means", MEMBER(training.batch)
#define TRAINING_ENSEMBLE                                          \
    .type = KEY_INTEGER, .min = 1, .max = 1000, .unit = "members", \
    .help = "independent trainings", MEMBER(training.ensemble)
#define TRAINING_SEED                        \
    .type = KEY_INTEGER, .max = INTEGER_MAX, \
    .help = "seed of every random number of the training", MEMBER(training.seed)
#define TRAINING_EVENTS                                                           \
    .type = KEY_INTEGER, .max = INTEGER_MAX, .unit = "events",                    \
    .help = "train on the first so many of the window; 0 means all of the input", \
    MEMBER(training.events)

const struct key schema_top[] = {
    {.path = "version",
     .type = KEY_INTEGER,
     .min = 1,
     .max = 1,
     .help = "version of this file format"},
    {.path = "name", .type = KEY_TEXT, .min = 1, .max = 64, .help = "name of the topology"},
    {.path = "transport",
     .type = KEY_CHOICE,
     .fallback = "ipc",
     .choices = "ipc|tcp",
     .help = "sockets between the stages: of one machine, or of the network"},
    {.path = "ports",
     .type = KEY_ROWS,
     .fallback = "[17000, 18000]",
     .min = 1024,
     .max = 32768,
     .help = "tcp ports to choose from: first and one past the last"},
    {.path = "security",
     .type = KEY_CHOICE,
     .fallback = "null",
     .choices = "none",
     .help = "none: tcp without keys, on 127.0.0.1 only"},
    {.path = "analysis",
     .type = KEY_BLOCK,
     .fallback = "null",
     .help = "the physics, once for all stages"},
    {.path = "stages", .type = KEY_BLOCK, .help = "what runs, by name, and what flows between"},
    {.path = NULL},
};

const struct key schema_analysis[] = {
    {.path = "analysis.stream.batch",
     .type = KEY_INTEGER,
     .fallback = "512",
     .min = 1,
     .max = 30000, /* rows of 700 particles fill a message then (MESSAGE_BYTES_MAX, 256 MiB) */
     .unit = "rows",
     .help = "consecutive rows of one file handed out together",
     MEMBER(stream.batch)},
    {.path = "analysis.stream.slice",
     .type = KEY_INTEGER,
     .fallback = "64",
     .min = 1,
     .max = 1000000,
     .unit = "batches",
     .help = "places of the log after which results are reported",
     MEMBER(stream.slice)},
    {.path = "analysis.jets.algorithm",
     .type = KEY_CHOICE,
     .fallback = "antikt",
     .choices = "antikt",
     .help = "jet algorithm"},
    {.path = "analysis.jets.radius",
     .type = KEY_NUMBER,
     .fallback = "1.0",
     .max = 1.5707963267948966, /* pi/2: beyond it FastJet's geometry no longer holds */
     .above_min = true,
     .unit = "rad",
     .help = "jet radius R",
     MEMBER(jets.radius)},
    {.path = "analysis.jets.pt_min",
     .type = KEY_NUMBER,
     .fallback = "20",
     .max = 100000,
     .unit = "GeV",
     .help = "inclusive jets above this transverse momentum",
     MEMBER(jets.pt_min)},
    {.path = "analysis.jets.engine",
     .type = KEY_CHOICE,
     .fallback = "native",
     .choices = "native|fastjet", /* in the order of enum jet_engine */
     .help = "what finds the jets: our own code, or FastJet, slower, with the same jets",
     MEMBER(jets.engine)},
    {.path = "analysis.image.pixels",
     .type = KEY_INTEGER,
     .fallback = "40",
     .min = 2,
     .max = 200,
     .unit = "pixels",
     .help = "side of the square jet image",
     MEMBER(image.pixels)},
    {.path = "analysis.image.half_width",
     .type = KEY_NUMBER,
     .fallback = "0.8",
     .max = 10,
     .above_min = true,
     .help = "the image reaches this far in eta and phi",
     MEMBER(image.half_width)},
    {.path = "analysis.image.power",
     .type = KEY_NUMBER,
     .fallback = "0.5",
     .max = 4,
     .help = "every pixel to this power; 0 means occupancy",
     MEMBER(image.power)},
    {.path = "analysis.image.smear",
     .type = KEY_NUMBER,
     .fallback = "1.0",
     .max = 10,
     .unit = "pixels",
     .help = "sigma of the Gaussian smearing; 0 means none",
     MEMBER(image.smear)},
    {.path = "analysis.training.window", .fallback = "[3000, 3100]", TRAINING_WINDOW},
    {.path = "analysis.training.clusters", .fallback = "50", TRAINING_CLUSTERS},
    {.path = "analysis.training.batch", .fallback = "2048", TRAINING_BATCH},
    {.path = "analysis.training.ensemble", .fallback = "15", TRAINING_ENSEMBLE},
    {.path = "analysis.training.seed", .fallback = "1", TRAINING_SEED},
    {.path = "analysis.training.events", .fallback = "0", TRAINING_EVENTS},
    {.path = "analysis.spectra.window",
     .type = KEY_INTERVAL,
     .fallback = "[3000, 4600]",
     .max = 100000,
     .unit = "GeV",
     .help = "dijet masses of the spectra, half-open",
     MEMBER(spectra.window)},
    {.path = "analysis.spectra.bins",
     .type = KEY_INTEGER,
     .fallback = "16",
     .min = 2,
     .max = 1000,
     .unit = "bins",
     .help = "mass bins of equal width",
     MEMBER(spectra.bins)},
    {.path = "analysis.selection.outlier_fraction",
     .type = KEY_NUMBER,
     .fallback = "0.2",
     .max = 0.9,
     .help = "share of the clusters the robust estimators leave out",
     MEMBER(selection.outlier_fraction)},
    {.path = "analysis.selection.threshold",
     .type = KEY_NUMBER,
     .fallback = "3.0",
     .max = 100,
     .unit = "standard deviations",
     .help = "a cluster with any bin above it is signal-rich",
     MEMBER(selection.threshold)},
    {.path = "analysis.selection.sd_factor",
     .type = KEY_NUMBER,
     .fallback = "0",
     .max = 100,
     .help = "factor of the robust standard deviation; 0 means the exact one",
     MEMBER(selection.sd_factor)},
    {.path = "analysis.score.approximation",
     .type = KEY_CHOICE,
     .fallback = "poisson",
     .choices = "poisson|gaussian|binomial", /* in the order of enum mls_approximation */
     .help = "form of the local significance",
     MEMBER(score.approximation)},
    {.path = "analysis.score.deviation",
     .type = KEY_CHOICE,
     .fallback = "positive",
     .choices = "positive|absolute", /* in the order of enum mls_deviation */
     .help = "count excesses only, or deficits too",
     MEMBER(score.deviation)},
    {.path = NULL},
};

const struct key schema_stage[] = {
    {.path = "run",
     .type = KEY_WORDS,
     .min = 1,
     .max = PATH_BYTES_MAX,
     .help = "a stage of ours by name, or any command: one text, split at blanks, or a list of "
             "its words"},
    {.path = "from",
     .type = KEY_TEXTS,
     .fallback = "null",
     .min = 1,
     .max = 64,
     .help = "the stages it takes from"},
    {.path = "replicas",
     .type = KEY_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 64,
     .unit = "processes",
     .help = "copies that run side by side"},
    {.path = "compression",
     .type = KEY_CHOICE,
     .fallback = "none",
     .choices = "none|lz4", /* in the order of enum payload_coding */
     .help = "of what it sends: LZ4 pays on links slower than about 250 MB/s"},
    {.path = "wait",
     .type = KEY_BOOLEAN,
     .fallback = "true",
     .help = "the run ends when this stage has; false is for one that only watches and that nobody "
             "takes from: it may come late, die and end as it likes, and changes no id"},
    {.path = "settings",
     .type = KEY_BLOCK,
     .fallback = "null",
     .help = "what this stage alone is told"},
    {.path = NULL},
};

static const struct key event_reader_settings[] = {
    {.path = "files",
     .type = KEY_TEXTS,
     .min = 1,
     .max = PATH_BYTES_MAX,
     .file_name = true,
     .help = "event files, FILE or (of several tables in one) FILE:KEY, in this order; globs are "
             "taken in byte order"},
    {.path = "rows",
     .type = KEY_ROWS,
     .fallback = "null",
     .max = INTEGER_MAX,
     .unit = "rows",
     .help = "only these rows over all files: first and one past the last"},
    {.path = "masterkey",
     .type = KEY_PATH,
     .fallback = "null",
     .min = 1,
     .max = PATH_BYTES_MAX,
     .file_name = true,
     .help = "text file with the label of each row of a table without labels"},
    {.path = "labels.background",
     .type = KEY_LABELS,
     .fallback = "[0]",
     .min = -128,
     .max = 127,
     .help = "labels in the files that mean background"},
    {.path = "labels.signal",
     .type = KEY_LABELS,
     .fallback = "[1]",
     .min = -128,
     .max = 127,
     .help = "labels in the files that mean signal"},
    {.path = "follow",
     .type = KEY_BOOLEAN,
     .fallback = "false",
     .help = "files is one folder; its files are taken in byte order of their names as they come"},
    {.path = "end",
     .type = KEY_TEXT,
     .fallback = "end-of-run",
     .min = 1,
     .max = 255,
     .file_name = true,
     .help = "a file of this name in a followed folder ends the input"},
    {.path = "pattern",
     .type = KEY_TEXTS,
     .fallback = "[\"*.h5\", \"*.hdf5\"]",
     .min = 1,
     .max = 255,
     .help = "with follow: names of the folder that belong to the input; others are left alone"},
    {.path = "patience",
     .type = KEY_NUMBER,
     .fallback = "10",
     .max = 86400,
     .unit = "s",
     .help = "with follow: a file that cannot be read is refused when it has not changed for so "
             "long"},
    {.path = NULL},
};

static const struct key image_log_settings[] = {
    {.path = "segment",
     .type = KEY_INTEGER,
     .fallback = "16",
     .min = 1,
     .max = 100000,
     .unit = "batches",
     .help = "a segment with so many is sealed"},
    {.path = "window",
     .type = KEY_INTEGER,
     .fallback = "null",
     .min = 2,
     .max = 1000000,
     .unit = "batches",
     .help = "room for each source's; max(128, 4 x segment) if not given"},
    {.path = "order",
     .type = KEY_CHOICE,
     .fallback = "rounds",
     .choices = "rounds|proportional", /* in the order of enum unsealed_order */
     .help = "of several sources: one batch of each in turn, or each evenly over the whole log; "
             "proportional needs sources that are there from the start"},
    {.path = "seal_after",
     .type = KEY_NUMBER,
     .fallback = "5",
     .max = 86400,
     .above_min = true,
     .unit = "s",
     .help = "a segment whose oldest batch has waited so long is sealed"},
    {.path = "folder",
     .type = KEY_PATH,
     .fallback = "null",
     .min = 1,
     .max = PATH_BYTES_MAX,
     .file_name = true,
     .help = "of a replay (no `from`): STATE/LOG_ID to read; if not given, the only one in the "
             "state folder"},
    {.path = NULL},
};

/* Each of them stands here or in analysis.training; not given here: as there. */
static const struct key kmeans_trainer_settings[] = {
    {.path = "window", .fallback = "null", TRAINING_WINDOW},
    {.path = "clusters", .fallback = "null", TRAINING_CLUSTERS},
    {.path = "batch", .fallback = "null", TRAINING_BATCH},
    {.path = "ensemble", .fallback = "null", TRAINING_ENSEMBLE},
    {.path = "seed", .fallback = "null", TRAINING_SEED},
    {.path = "events", .fallback = "null", TRAINING_EVENTS},
    {.path = NULL},
};

static const struct key mls_scorer_settings[] = {
    {.path = "results",
     .type = KEY_PATH,
     .fallback = "results.h5",
     .min = 1,
     .max = PATH_BYTES_MAX,
     .file_name = true,
     .help = "result file to write"},
    {.path = "every",
     .type = KEY_NUMBER,
     .fallback = "5",
     .max = 86400,
     .file_name = true,
     .unit = "s",
     .help = "the file is renewed after a slice at most so often before the end"},
    {.path = "provenance",
     .type = KEY_BOOLEAN,
     .fallback = "false",
     .file_name = true,
     .help = "write RESULTS.provenance.json too: files, commands, host and times"},
    {.path = "few_counts",
     .type = KEY_INTEGER,
     .fallback = "20",
     .min = 1,
     .max = 1e6,
     .unit = "jets",
     .help = "verdict counts: what a cluster-bin should hold"},
    {.path = "few_doubtful",
     .type = KEY_NUMBER,
     .fallback = "0.01",
     .max = 1,
     .help = "verdict counts: doubtful above this share of cluster-bins with fewer"},
    {.path = "few_bad",
     .type = KEY_NUMBER,
     .fallback = "0.25",
     .max = 1,
     .help = "verdict counts: bad above this share"},
    {.path = "agreement",
     .type = KEY_NUMBER,
     .fallback = "0.5",
     .max = 1,
     .help = "verdict agreement: doubtful below this share of members that name the same bin"},
    {.path = "depleted_doubtful",
     .type = KEY_NUMBER,
     .fallback = "3",
     .max = 100,
     .unit = "standard deviations",
     .help = "verdict depleted_excess: doubtful from such an excess on"},
    {.path = "depleted_bad",
     .type = KEY_NUMBER,
     .fallback = "5",
     .max = 100,
     .unit = "standard deviations",
     .help = "verdict depleted_excess: bad from such an excess on"},
    {.path = NULL},
};

const struct stage_kind schema_stages[] = {
    {.name = "event_reader",
     .help = "Reads event files and hands out batches of consecutive rows.",
     .role = ROLE_SOURCE,
     .output = MESSAGE_EVENT_BATCH,
     .single_copy = true,
     .settings = event_reader_settings},
    {.name = "jet_image",
     .help = "Finds the two leading jets of every event and makes their images.",
     .role = ROLE_WORKER,
     .inputs = {MESSAGE_EVENT_BATCH},
     .many_inputs = true,
     .output = MESSAGE_IMAGE_BATCH},
    {.name = "image_log",
     .help = "Keeps the image batches on disk, in one order, each once.",
     .role = ROLE_LOG,
     .inputs = {MESSAGE_IMAGE_BATCH},
     .many_inputs = true,
     .output = MESSAGE_IMAGE_BATCH,
     .single_copy = true,
     .settings = image_log_settings},
    {.name = "kmeans_trainer",
     .help =
         "Trains an ensemble of k-means models on the jets of the training window. A setting that "
         "is not given is that of analysis.training.",
     .role = ROLE_FEED,
     .inputs = {MESSAGE_IMAGE_BATCH},
     .many_inputs = true,
     .output = MESSAGE_MODEL,
     .settings = kmeans_trainer_settings},
    {.name = "spectrum_accumulator",
     .help = "Labels jets by the trained models and counts them per cluster and mass bin.",
     .role = ROLE_FEED,
     .inputs = {MESSAGE_IMAGE_BATCH, MESSAGE_MODEL},
     .many_inputs = true,
     .output = MESSAGE_SPECTRA},
    {.name = "robust_selector",
     .help = "Standardises the cluster spectra robustly and picks the signal-rich ones.",
     .role = ROLE_FEED,
     .inputs = {MESSAGE_SPECTRA},
     .output = MESSAGE_SELECTION,
     .single_copy = true},
    {.name = "mls_scorer",
     .help = "Scores each selection by its maximum local significance and writes the result.",
     .role = ROLE_FEED,
     .inputs = {MESSAGE_SELECTION, MESSAGE_MODEL},
     .output = MESSAGE_SCORE,
     .single_copy = true,
     .settings = mls_scorer_settings},
    {.name = NULL},
};

const struct stage_kind *schema_stage_find(const char *name)
{
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

const struct key *schema_find(const struct key *keys, const char *path)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++)
        if (strcmp(key->path, path) == 0)
            return key;
    return NULL;
}

json_t *schema_default(const struct key *key)
{
    if (key->fallback == NULL || strcmp(key->fallback, "null") == 0)
        return json_null();
    if (key->type == KEY_TEXT || key->type == KEY_CHOICE || key->type == KEY_PATH)
        return json_string(key->fallback);
    json_t *value = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
    json_t *normal = value != NULL ? schema_normal(key, value) : NULL;
    json_decref(value);
    return normal;
}

void schema_number_text(double value, size_t size, char out[])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* " from 1 to 16 (GeV)", " above 0, at most 10 (GeV)". */
static void describe_range(const struct key *key, size_t size, char out[])
{
    char min[32];
    char max[32];
    schema_number_text(key->min, sizeof min, min);
    schema_number_text(key->max, sizeof max, max);
    const bool unit = key->unit != NULL && key->unit[0] != '\0';
    snprintf(out, size, key->above_min ? " above %s, at most %s%s%s%s" : " from %s to %s%s%s%s",
             min, max, unit ? " (" : "", unit ? key->unit : "", unit ? ")" : "");
}

/* "ipc" or "tcp". */
static void describe_choices(const char *choices, size_t size, char out[])
{
    size_t n = 0;
    for (const char *c = choices; *c != '\0' && n + 5 < size; c++) {
        if (*c == '|')
            n += (size_t)snprintf(out + n, size - n, " or ");
        else
            out[n++] = *c;
    }
    out[n] = '\0';
}

void schema_expect(const struct key *key, size_t size, char out[])
{
    char range[128];
    describe_range(key, sizeof range, range);
    switch (key->type) {
    case KEY_INTEGER:
        if (key->min == key->max)
            schema_number_text(key->min, size, out);
        else
            snprintf(out, size, "an integer%s", range);
        return;
    case KEY_NUMBER:
        snprintf(out, size, "a number%s", range);
        return;
    case KEY_BOOLEAN:
        snprintf(out, size, "true or false");
        return;
    case KEY_TEXT:
    case KEY_PATH:
        snprintf(out, size, "a printable %s of 1 to %.0f bytes",
                 key->type == KEY_PATH ? "file name" : "text", key->max);
        return;
    case KEY_CHOICE:
        describe_choices(key->choices, size, out);
        return;
    case KEY_INTERVAL:
        snprintf(out, size, "[lo, hi] with lo < hi, both numbers%s", range);
        return;
    case KEY_ROWS:
        snprintf(out, size, "[first, last] with first <= last, both integers%s", range);
        return;
    case KEY_TEXTS:
        snprintf(out, size, "one or more printable texts of 1 to %.0f bytes", key->max);
        return;
    case KEY_LABELS:
        snprintf(out, size, "one or more integers%s", range);
        return;
    case KEY_WORDS:
        snprintf(out, size, "a printable text of 1 to %.0f bytes, or a list of such words",
                 key->max);
        return;
    case KEY_BLOCK:
        snprintf(out, size, "a mapping");
        return;
    }
}

/* The list itself if it is short. */
static void describe_list(const json_t *value, size_t size, char out[])
{
    char *text = json_dumps(value, JSON_REAL_PRECISION(15));
    if (text != NULL && strlen(text) <= SHOWN_MAX)
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, "a list of %zu", json_array_size(value));
    free(text);
}

void schema_describe(const json_t *value, size_t size, char out[])
{
    if (json_is_object(value)) {
        snprintf(out, size, "a mapping");
    } else if (json_is_array(value)) {
        describe_list(value, size, out);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        const bool cut = strlen(text) > SHOWN_MAX;
        snprintf(out, size, "the text \"%.*s%s\"", SHOWN_MAX, text, cut ? "..." : "");
    } else if (json_is_real(value)) {
        const double number = json_real_value(value);
        char text[32];
        schema_number_text(number, sizeof text, text);
        /* Tells 512.0 from the integer, where that is what is wrong with it. */
        snprintf(out, size, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
    } else if (json_is_integer(value)) {
        snprintf(out, size, "%lld", (long long)json_integer_value(value));
    } else {
        snprintf(out, size, json_is_null(value) ? "empty" : json_is_true(value) ? "true" : "false");
    }
}

static bool number_fits(const struct key *key, const json_t *value)
{
    if (!json_is_number(value))
        return false;
    const double number = json_number_value(value);
    return isfinite(number) && number <= key->max &&
           (key->above_min ? number > key->min : number >= key->min);
}

static bool text_fits(const struct key *key, const json_t *value)
{
    if (!json_is_string(value))
        return false;
    const char *text = json_string_value(value);
    const size_t length = json_string_length(value);
    if ((double)length < key->min || (double)length > key->max)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

/* Index of the text among `a|b|c`, -1 if it is none of them. */
static int choice_index(const char *choices, const char *text)
{
    const size_t length = strlen(text);
    int index = 0;
    for (const char *c = choices; c != NULL; index++) {
        const char *end = strchr(c, '|');
        const size_t n = end != NULL ? (size_t)(end - c) : strlen(c);
        if (n == length && memcmp(c, text, n) == 0)
            return index;
        c = end != NULL ? end + 1 : NULL;
    }
    return -1;
}

static bool pair_fits(const struct key *key, const json_t *value, int *element)
{
    if (json_array_size(value) != 2) /* 0 for what is no list */
        return false;
    for (size_t i = 0; i < 2; i++) {
        const json_t *end = json_array_get(value, i);
        if (!number_fits(key, end) || (key->type == KEY_ROWS && !json_is_integer(end))) {
            *element = (int)i;
            return false;
        }
    }
    const double lo = json_number_value(json_array_get(value, 0));
    const double hi = json_number_value(json_array_get(value, 1));
    return key->type == KEY_ROWS ? lo <= hi : lo < hi;
}

static bool texts_fit(const struct key *key, const json_t *value, int *element)
{
    if (json_is_string(value))
        return text_fits(key, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!text_fits(key, json_array_get(value, i))) {
            *element = (int)i;
            return false;
        }
    }
    return json_array_size(value) > 0;
}

static bool labels_fit(const struct key *key, const json_t *value, int *element)
{
    if (json_is_integer(value))
        return number_fits(key, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *label = json_array_get(value, i);
        if (!json_is_integer(label) || !number_fits(key, label)) {
            *element = (int)i;
            return false;
        }
    }
    return json_array_size(value) > 0;
}

bool schema_fits(const struct key *key, const json_t *value, int *element)
{
    *element = -1;
    if (json_is_null(value))
        return key->fallback != NULL && strcmp(key->fallback, "null") == 0;
    switch (key->type) {
    case KEY_INTEGER:
        return json_is_integer(value) && number_fits(key, value);
    case KEY_NUMBER:
        return number_fits(key, value);
    case KEY_BOOLEAN:
        return json_is_boolean(value);
    case KEY_TEXT:
    case KEY_PATH:
        return text_fits(key, value);
    case KEY_CHOICE:
        return json_is_string(value) && choice_index(key->choices, json_string_value(value)) >= 0;
    case KEY_INTERVAL:
    case KEY_ROWS:
        return pair_fits(key, value, element);
    case KEY_TEXTS:
    case KEY_WORDS:
        return texts_fit(key, value, element);
    case KEY_LABELS:
        return labels_fit(key, value, element);
    case KEY_BLOCK:
        return json_is_object(value);
    }
    return false;
}

/* Adding 0 turns -0 into 0: one value, one text, one id. */
static json_t *normal_real(const json_t *value)
{
    return json_real(json_number_value(value) + 0.0);
}

json_t *schema_normal(const struct key *key, json_t *value)
{
    if (json_is_null(value))
        return json_null();
    if (key->type == KEY_NUMBER)
        return normal_real(value);
    if (key->type == KEY_INTERVAL)
        return json_pack("[o, o]", normal_real(json_array_get(value, 0)),
                         normal_real(json_array_get(value, 1)));
    if ((key->type == KEY_TEXTS && json_is_string(value)) ||
        (key->type == KEY_LABELS && json_is_integer(value)))
        return json_pack("[O]", value);
    return json_incref(value);
}

void schema_store(const struct key *key, const json_t *value, struct analysis *analysis)
{
    assert(key->size > 0);
    char *member = (char *)analysis + key->offset;
    if (key->type == KEY_INTERVAL) {
        const double ends[2] = {json_number_value(json_array_get(value, 0)),
                                json_number_value(json_array_get(value, 1))};
        assert(key->size == sizeof ends);
        memcpy(member, ends, sizeof ends);
    } else if (key->type == KEY_NUMBER) {
        const double number = json_number_value(value);
        assert(key->size == sizeof number);
        memcpy(member, &number, sizeof number);
    } else if (key->type == KEY_INTEGER && key->size == sizeof(uint64_t)) {
        const uint64_t number = (uint64_t)json_integer_value(value);
        memcpy(member, &number, sizeof number);
    } else {
        assert(key->size == sizeof(uint32_t)); /* as large as an enum */
        const uint32_t number = key->type == KEY_CHOICE
                                    ? (uint32_t)choice_index(key->choices, json_string_value(value))
                                    : (uint32_t)json_integer_value(value);
        memcpy(member, &number, sizeof number);
    }
}

/* Choice `index` of `a|b|c` as JSON. */
static json_t *choice_text(const char *choices, uint32_t index)
{
    const char *c = choices;
    for (; index > 0; index--)
        c = strchr(c, '|') + 1;
    return json_stringn(c, strcspn(c, "|"));
}

json_t *schema_fetch(const struct key *key, const struct analysis *analysis)
{
    if (key->size == 0)
        return schema_default(key);
    const char *member = (const char *)analysis + key->offset;
    if (key->type == KEY_INTERVAL) {
        double ends[2];
        memcpy(ends, member, sizeof ends);
        return json_pack("[f, f]", ends[0], ends[1]);
    }
    if (key->type == KEY_NUMBER) {
        double number;
        memcpy(&number, member, sizeof number);
        return json_real(number);
    }
    if (key->size == sizeof(uint64_t)) {
        uint64_t number;
        memcpy(&number, member, sizeof number);
        return json_integer((json_int_t)number);
    }
    uint32_t number;
    memcpy(&number, member, sizeof number);
    return key->type == KEY_CHOICE ? choice_text(key->choices, number) : json_integer(number);
}
