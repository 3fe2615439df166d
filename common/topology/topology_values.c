/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_values: values that are right by themselves but not together, or not on this machine. */
#include "common/topology/topology_values.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/kernels/statistics/composition.h"
#include "common/topology/key_entry.h"
#include "common/topology/topology_draft.h"
#include "common/topology/topology_shared.h"

/* Bytes of the large columns of a record; the rest is room for the small ones. */
#define ITEM_BYTES_MAX (MESSAGE_BYTES_MAX - (1 << 20))

static void check_windows(struct draft *self)
{
    const double *training = self->topology->analysis.training.window;
    const double *spectra = self->topology->analysis.spectra.window;
    if (training[0] < spectra[1] && spectra[0] < training[1])
        return;
    char ends[4][32];
    for (size_t i = 0; i < 2; i++) {
        key_number_text(training[i], sizeof ends[i], ends[i]);
        key_number_text(spectra[i], sizeof ends[i + 2], ends[i + 2]);
    }
    /* One of the two stands in the file, since the defaults fit; the mistake is reported at the one
     * that was set last. */
    const struct key_entry first =
        draft_shared_entry(self, offsetof(struct analysis, training.window));
    const struct key_entry second =
        draft_shared_entry(self, offsetof(struct analysis, spectra.window));
    const bool use_second =
        first.key == NULL || (second.value != NULL && fy_node_get_meta(second.value) != NULL);
    const struct key_entry entry = use_second ? second : first;
    document_mistake(self->document, entry.value, entry.key,
                     "analysis.training.window [%s, %s) and analysis.spectra.window [%s, %s) have "
                     "no mass in common",
                     ends[0], ends[1], ends[2], ends[3]);
}

/* The largest thing of each kind that passes right of the log must be one message. */
static void check_sizes(struct draft *self)
{
    const struct analysis *a = &self->topology->analysis;
    const uint64_t clusters = a->training.clusters;
    const uint64_t centres = clusters * a->image.pixels * a->image.pixels * sizeof(float);
    /* Counts, signal counts and z of every cell. */
    const uint64_t selection =
        3 * sizeof(uint64_t) * a->training.ensemble * clusters * a->spectra.bins;
    const struct key_entry entry = key_entry_find(document_root(self->document), "analysis");
    if (centres > ITEM_BYTES_MAX)
        document_mistake(self->document, NULL, entry.key,
                         "a model of %u clusters x %u x %u pixels has %llu bytes, but a message "
                         "at most %llu",
                         (unsigned)clusters, (unsigned)a->image.pixels, (unsigned)a->image.pixels,
                         (unsigned long long)centres, (unsigned long long)ITEM_BYTES_MAX);
    if (selection > ITEM_BYTES_MAX)
        document_mistake(self->document, NULL, entry.key,
                         "a selection of %u members x %u clusters x %u bins has %llu bytes, but a "
                         "message at most %llu",
                         (unsigned)a->training.ensemble, (unsigned)clusters,
                         (unsigned)a->spectra.bins, (unsigned long long)selection,
                         (unsigned long long)ITEM_BYTES_MAX);
}

static void check_transport(struct draft *self)
{
    struct fy_node *root = document_root(self->document);
    const topology *t = self->topology;
    if (topology_transport(t) == TRANSPORT_TCP &&
        json_is_null(json_object_get(t->top, "security"))) {
        const struct key_entry entry = key_entry_find(root, "transport");
        document_mistake(self->document, entry.value, entry.key,
                         "tcp needs keys, which this version has not: only 127.0.0.1 with "
                         "security: none");
    }
    uint32_t first;
    uint32_t last;
    topology_ports(t, &first, &last);
    if (first == last) {
        const struct key_entry entry = key_entry_find(root, "ports");
        document_mistake(self->document, entry.value, entry.key, "ports [%u, %u) holds no port",
                         (unsigned)first, (unsigned)last);
    }
}

/* Even shares of the log are known when the length of every source is. */
static void check_order(struct draft *self, size_t stage)
{
    const topology *t = self->topology;
    const struct topology_stage *log = &t->stages[stage];
    const char *order = json_string_value(json_object_get(log->settings, "order"));
    const struct key_entry entry =
        key_entry_find(key_entry_find(self->stages[stage].block, "settings").value, "order");
    if (order == NULL || strcmp(order, "proportional") != 0)
        return;
    for (size_t i = 0; i < t->n; i++) {
        const struct topology_stage *source = &t->stages[i];
        const bool follow = json_is_true(json_object_get(source->settings, "follow"));
        if (source->role == ROLE_SOURCE && (follow || !source->ours))
            document_mistake(
                self->document, entry.value, entry.key,
                "stages.%s.settings.order: proportional needs the number of batches of "
                "every source at the start, but %s %s",
                log->name, source->name, follow ? "follows a folder" : "is a command of others");
    }
}

static void check_log(struct draft *self, size_t stage)
{
    check_order(self, stage);
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct key_entry folder =
        key_entry_find(key_entry_find(self->stages[stage].block, "settings").value, "folder");
    if (json_is_string(json_object_get(s->settings, "folder")) && s->n_inputs > 0)
        document_mistake(self->document, folder.value, folder.key,
                         "stages.%s.settings.folder is for a replay, in which the log takes from "
                         "nobody; where a run keeps its images, --state says",
                         s->name);
    const json_int_t segment = json_integer_value(json_object_get(s->settings, "segment"));
    const json_int_t window = json_integer_value(json_object_get(s->settings, "window"));
    if (window >= 2 * segment)
        return;
    const struct key_entry settings = key_entry_find(self->stages[stage].block, "settings");
    const struct key_entry entry = key_entry_find(settings.value, "window");
    document_mistake(self->document, entry.value, entry.key,
                     "stages.%s.settings.window must be at least twice the segment (2 x %lld "
                     "batches), not %lld",
                     s->name, (long long)segment, (long long)window);
}

/* A path without leading "./", so that two ways to write one are the same. */
static const char *plain_path(const char *path)
{
    while (strncmp(path, "./", 2) == 0)
        path += 2 + strspn(path + 2, "/");
    return path;
}

/* The stage before `stage`, n if none, that writes the same result file. */
static size_t other_writer(const struct draft *self, size_t stage, const char *results)
{
    const topology *t = self->topology;
    for (size_t i = 0; i < stage; i++) {
        const json_t *other = json_object_get(t->stages[i].settings, "results");
        if (t->stages[i].ours && json_is_string(other) &&
            strcmp(plain_path(json_string_value(other)), results) == 0)
            return i;
    }
    return t->n;
}

/* Whether a file of that path is directly in the folder. */
static bool is_in_folder(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    const char *slash = strrchr(path, '/');
    const size_t parent = slash != NULL ? (size_t)(slash - path) : 0;
    return slash != NULL ? parent == length && memcmp(path, folder, length) == 0
                         : length == 1 && folder[0] == '.';
}

/* The stage that would read the result file as events, n if none. */
static size_t reader_of(const struct draft *self, const char *results)
{
    const topology *t = self->topology;
    for (size_t i = 0; i < t->n; i++) {
        const json_t *files = json_object_get(t->stages[i].settings, "files");
        for (size_t k = 0; t->stages[i].ours && k < json_array_size(files); k++) {
            const char *pattern = plain_path(json_string_value(json_array_get(files, k)));
            const bool follow = json_is_true(json_object_get(t->stages[i].settings, "follow"));
            if (follow && is_in_folder(results, pattern))
                return i;
            if (fnmatch(pattern, results, FNM_PATHNAME | FNM_PERIOD) == 0)
                return i;
        }
    }
    return t->n;
}

static void check_results(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const json_t *value = json_object_get(s->settings, "results");
    if (!json_is_string(value))
        return;
    const struct key_entry settings = key_entry_find(self->stages[stage].block, "settings");
    struct key_entry entry = key_entry_find(settings.value, "results");
    if (entry.key == NULL)
        entry.key = self->stages[stage].key;
    const char *results = plain_path(json_string_value(value));
    const size_t writer = other_writer(self, stage, results);
    if (writer < self->topology->n)
        document_mistake(self->document, entry.value, entry.key,
                         "stages '%s' and '%s' would both write %s",
                         self->topology->stages[writer].name, s->name, results);
    const size_t reader = reader_of(self, results);
    if (reader < self->topology->n)
        document_mistake(self->document, entry.value, entry.key,
                         "the result %s would be among the files that '%s' reads", results,
                         self->topology->stages[reader].name);
}

/* A followed folder has neither an end known before nor labels elsewhere. */
static void check_follow(struct draft *self, size_t stage)
{
    static const char *const unfit[] = {"rows", "masterkey"};
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct key_entry settings = key_entry_find(self->stages[stage].block, "settings");
    if (!json_is_true(json_object_get(s->settings, "follow")))
        return;
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++) {
        const struct key_entry entry = key_entry_find(settings.value, unfit[i]);
        if (!json_is_null(json_object_get(s->settings, unfit[i])))
            document_mistake(self->document, entry.value, entry.key,
                             "stages.%s.settings.%s does not go with follow: true", s->name,
                             unfit[i]);
    }
    const json_t *files = json_object_get(s->settings, "files");
    const struct key_entry entry = key_entry_find(settings.value, "files");
    if (json_array_size(files) != 1)
        document_mistake(self->document, entry.value, entry.key,
                         "stages.%s.settings.files must be one folder with follow: true, not a "
                         "list of %zu",
                         s->name, json_array_size(files));
    const struct key_entry end = key_entry_find(settings.value, "end");
    if (strchr(json_string_value(json_object_get(s->settings, "end")), '/') != NULL)
        document_mistake(self->document, end.value, end.key,
                         "stages.%s.settings.end is the name of a file in the folder, without '/'",
                         s->name);
}

/* A label has one meaning. */
static void check_labels(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const json_t *background = json_object_get(s->settings, "labels.background");
    const json_t *signal = json_object_get(s->settings, "labels.signal");
    const struct key_entry settings = key_entry_find(self->stages[stage].block, "settings");
    const struct key_entry entry = key_entry_find(settings.value, "labels");
    size_t i, k;
    const json_t *one, *other;
    json_array_foreach(background, i, one) json_array_foreach(
        signal, k, other) if (json_integer_value(one) == json_integer_value(other))
        document_mistake(self->document, entry.value, entry.key,
                         "stages.%s.settings.labels: %lld is both background and signal", s->name,
                         (long long)json_integer_value(one));
}

static bool is_program(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* Whether the word is a program as execvp(3) would find it. */
static bool on_path(const char *word)
{
    const char *folders = getenv("PATH");
    while (folders != NULL) {
        const size_t n = strcspn(folders, ":");
        char *path = NULL;
        if (asprintf(&path, "%.*s%s%s", (int)n, folders, n > 0 ? "/" : "./", word) < 0)
            return false;
        const bool found = is_program(path);
        free(path);
        if (found)
            return true;
        folders = folders[n] == ':' ? folders + n + 1 : NULL;
    }
    return false;
}

static void check_command(struct draft *self, size_t stage)
{
    const struct topology_stage *s = &self->topology->stages[stage];
    const char *program = s->words[0];
    if (program != NULL && (strchr(program, '/') != NULL ? is_program(program) : on_path(program)))
        return;
    const struct key_entry entry = key_entry_find(self->stages[stage].block, "run");
    document_mistake(self->document, entry.value, entry.key,
                     "stages.%s.run: '%.60s' is neither a stage of ours nor a program that can be "
                     "run",
                     s->name, s->run);
}

static uint32_t whole_setting(const struct topology_stage *stage, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(stage->settings, key));
}

/* A composition scorer takes fewer clusters and bins than the other stages. */
static void check_scan(struct draft *self, size_t stage)
{
    char why[200];
    const struct topology_stage *s = &self->topology->stages[stage];
    const struct analysis *analysis = &self->topology->analysis;
    struct composition_settings scan = composition_defaults;
    scan.narrowest = whole_setting(s, "narrowest");
    scan.widest = whole_setting(s, "widest");
    if (composition_fits(&scan, analysis->training.clusters, analysis->spectra.bins, sizeof why,
                         why))
        return;
    const struct key_entry entry = key_entry_find(self->stages[stage].block, "run");
    document_mistake(self->document, entry.value, entry.key, "stages.%s: %s", s->name, why);
}

void draft_check_values(struct draft *self)
{
    if (self->analysis_known) {
        check_windows(self);
        check_sizes(self);
    }
    if (self->top_known)
        check_transport(self);
    for (size_t i = 0; i < self->topology->n; i++) {
        const struct draft_stage *stage = &self->stages[i];
        if (stage->run_known && stage->kind == NULL)
            check_command(self, i);
        if (stage->kind == NULL || !stage->settings_known)
            continue;
        if (stage->kind->role == ROLE_LOG)
            check_log(self, i);
        if (stage->kind->role == ROLE_SOURCE) {
            check_follow(self, i);
            check_labels(self, i);
        }
        if (self->analysis_known && stage->kind->output == MESSAGE_SCAN)
            check_scan(self, i);
        check_results(self, i);
    }
}
