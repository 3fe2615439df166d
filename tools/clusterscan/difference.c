/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/difference.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/topology/analysis.h"

/* ---- names, analysis, tallies: pairs [a, b] ---- */

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

/* Takes both references; keeps them if they differ. */
static void add_pair(json_t *to, const char *key, json_t *a, json_t *b)
{
    if (!json_equal(a, b))
        json_object_set_new(to, key, json_pack("[O, O]", a, b));
    json_decref(a);
    json_decref(b);
}

static json_t *find_names(const struct result_summary *a, const struct result_summary *b)
{
    json_t *names = json_object();
    add_pair(names, "run_id", json_string(a->run_id), json_string(b->run_id));
    add_pair(names, "log_id", text_or_null(a->log_id), text_or_null(b->log_id));
    add_pair(names, "version", json_string(a->version), json_string(b->version));
    return names;
}

/* Every key of a block that the other one does not have with the same value. turned: the block is
 * b's, and what a has too is known already. */
static void compare_blocks(json_t *to, json_t *block, json_t *other, bool turned)
{
    const char *group_name, *name;
    json_t *group, *value;
    json_object_foreach(block, group_name, group)
    {
        json_t *others = json_object_get(other, group_name);
        json_object_foreach(group, name, value)
        {
            char path[200];
            snprintf(path, sizeof path, "%s.%s", group_name, name);
            json_t *theirs = json_object_get(others, name);
            if (!turned)
                add_pair(to, path, json_incref(value),
                         theirs != NULL ? json_incref(theirs) : json_null());
            else if (theirs == NULL)
                add_pair(to, path, json_null(), json_incref(value));
        }
    }
}

static status find_analysis(json_t *to, const struct result_tables results[2],
                            const char *const paths[2])
{
    json_t *block[2] = {NULL, NULL};
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < 2; i++)
        done = analysis_block_from_yaml(&block[i], paths[i], results[i].summary.analysis);
    if (done == STATUS_OK) {
        compare_blocks(to, block[0], block[1], false);
        compare_blocks(to, block[1], block[0], true);
    }
    json_decref(block[0]);
    json_decref(block[1]);
    return done;
}

static void add_count(json_t *to, const char *name, uint64_t a, uint64_t b)
{
    add_pair(to, name, json_integer((json_int_t)a), json_integer((json_int_t)b));
}

static json_t *find_tallies(const struct tally *a, const struct tally *b)
{
    json_t *tallies = json_object();
    add_count(tallies, "events_read", a->read, b->read);
    add_count(tallies, "events_counted", a->counted, b->counted);
    add_count(tallies, "events_dropped", tally_dropped(a), tally_dropped(b));
    add_count(tallies, "events_quarantined", a->quarantined, b->quarantined);
    for (int r = 0; r < DROP_REASONS; r++)
        add_count(tallies, drop_reason_name((enum drop_reason)r), a->dropped[r], b->dropped[r]);
    return tallies;
}

/* ---- members ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Clusters that stick out in one member of `a`, but not in that of b. */
static json_t *only_in(const struct result_summary *a, const struct result_summary *b,
                       size_t member)
{
    json_t *clusters = json_array();
    for (size_t c = 0; c < a->clusters; c++) {
        const bool theirs = c < b->clusters && b->label[member * b->clusters + c] == 1;
        if (a->label[member * a->clusters + c] == 1 && !theirs)
            json_array_append_new(clusters, json_integer((json_int_t)c));
    }
    return clusters;
}

static json_t *find_selected(const struct result_summary *a, const struct result_summary *b)
{
    json_t *members = json_array();
    for (size_t m = 0; m < smaller(a->members, b->members); m++) {
        json_t *only_a = only_in(a, b, m), *only_b = only_in(b, a, m);
        if (json_array_size(only_a) + json_array_size(only_b) > 0)
            json_array_append_new(members, json_pack("{s:I, s:O, s:O}", "member", (json_int_t)m,
                                                     "only_a", only_a, "only_b", only_b));
        json_decref(only_a);
        json_decref(only_b);
    }
    return members;
}

static json_t *bin_of(const struct result_summary *result, size_t member)
{
    const int32_t bin = result->bin[member];
    if (bin < 0)
        return json_null();
    return json_pack("[f, f]", result->edges[bin], result->edges[bin + 1]);
}

static json_t *find_mls(const struct result_summary *a, const struct result_summary *b)
{
    json_t *members = json_array();
    for (size_t m = 0; m < smaller(a->members, b->members); m++)
        if (a->mls[m] != b->mls[m] || a->bin[m] != b->bin[m])
            json_array_append_new(members, json_pack("{s:I, s:f, s:f, s:o, s:o}", "member",
                                                     (json_int_t)m, "a", a->mls[m], "b", b->mls[m],
                                                     "bin_a", bin_of(a, m), "bin_b", bin_of(b, m)));
    return members;
}

/* ---- datasets ---- */

enum element { U8, I32, U64, F32, F64 };

/* A letter per dimension: m member, c cluster, b bin, e edge, p pixel, s slice. */
struct dataset {
    const char *name;
    const char *shape;
    enum element element;
    const void *values[2]; /* NULL: not there */
};

static const char *dimension_name(char letter)
{
    switch (letter) {
    case 'm':
        return "member";
    case 'c':
        return "cluster";
    case 'b':
        return "bin";
    case 'e':
        return "edge";
    case 'p':
        return "pixel";
    default:
        return "slice";
    }
}

static size_t dimension(const struct result_tables *result, char letter)
{
    switch (letter) {
    case 'm':
        return result->summary.members;
    case 'c':
        return result->summary.clusters;
    case 'b':
        return result->summary.bins;
    case 'e':
        return (size_t)result->summary.bins + 1;
    case 'p':
        return result->pixels;
    default:
        return result->summary.slices;
    }
}

/* |a - b| of element i; integers are compared as such, as a seed may have 64 bits. */
static double distance(const struct dataset *dataset, size_t i)
{
    const void *a = dataset->values[0], *b = dataset->values[1];
    uint64_t x, y;
    switch (dataset->element) {
    case U8:
        return fabs((double)((const uint8_t *)a)[i] - (double)((const uint8_t *)b)[i]);
    case I32:
        return fabs((double)((const int32_t *)a)[i] - (double)((const int32_t *)b)[i]);
    case U64:
        x = ((const uint64_t *)a)[i];
        y = ((const uint64_t *)b)[i];
        return (double)(x > y ? x - y : y - x);
    case F32:
        return fabs((double)((const float *)a)[i] - (double)((const float *)b)[i]);
    default:
        return fabs(((const double *)a)[i] - ((const double *)b)[i]);
    }
}

static json_t *place_of(const struct result_tables *result, const char *shape, size_t i)
{
    json_t *place = json_object();
    size_t stride = 1;
    for (const char *letter = shape; *letter != '\0'; letter++)
        stride *= dimension(result, *letter);
    for (; *shape != '\0'; shape++) {
        stride /= dimension(result, *shape);
        json_object_set_new(place, dimension_name(*shape), json_integer((json_int_t)(i / stride)));
        i %= stride;
    }
    return place;
}

static json_t *shape_of(const struct result_tables *result, const char *shape, const void *values)
{
    if (values == NULL)
        return json_null();
    json_t *lengths = json_array();
    for (; *shape != '\0'; shape++)
        json_array_append_new(lengths, json_integer((json_int_t)dimension(result, *shape)));
    return lengths;
}

/* Adds the dataset to the list if it differs. */
static void compare_dataset(json_t *to, const struct dataset *dataset,
                            const struct result_tables results[2])
{
    json_t *shape[2];
    for (size_t i = 0; i < 2; i++)
        shape[i] = shape_of(&results[i], dataset->shape, dataset->values[i]);
    if (!json_equal(shape[0], shape[1])) {
        json_array_append_new(to, json_pack("{s:s, s:o, s:o}", "name", dataset->name, "shape_a",
                                            shape[0], "shape_b", shape[1]));
        return;
    }
    size_t numbers = dataset->values[0] != NULL ? 1 : 0, differ = 0, at = 0;
    for (const char *letter = dataset->shape; *letter != '\0'; letter++)
        numbers *= dimension(&results[0], *letter);
    double largest = 0;
    for (size_t i = 0; i < numbers; i++) {
        const double here = distance(dataset, i);
        differ += here > 0;
        at = here > largest ? i : at;
        largest = here > largest ? here : largest;
    }
    if (differ > 0)
        json_array_append_new(to, json_pack("{s:s, s:I, s:I, s:f, s:o}", "name", dataset->name,
                                            "numbers", (json_int_t)numbers, "differ",
                                            (json_int_t)differ, "largest", largest, "at",
                                            place_of(&results[0], dataset->shape, at)));
    json_decref(shape[0]);
    json_decref(shape[1]);
}

static json_t *find_datasets(const struct result_tables results[2])
{
    const struct result_tables *a = &results[0], *b = &results[1];
    const struct dataset datasets[] = {
        {"/edges", "e", F64, {a->summary.edges, b->summary.edges}},
        {"/codebook/centres", "mcp", F32, {a->centres, b->centres}},
        {"/codebook/inertia", "m", F64, {a->inertia, b->inertia}},
        {"/codebook/steps", "m", U64, {a->steps, b->steps}},
        {"/codebook/seed", "m", U64, {a->seed, b->seed}},
        {"/spectra/counts", "mcb", U64, {a->counts, b->counts}},
        {"/truth/signal_counts", "mcb", U64, {a->signal, b->signal}},
        {"/selection/z", "mcb", F64, {a->z, b->z}},
        {"/selection/label", "mc", U8, {a->summary.label, b->summary.label}},
        {"/selection/rich", "mb", U64, {a->summary.rich, b->summary.rich}},
        {"/selection/depleted", "mb", U64, {a->depleted, b->depleted}},
        {"/selection/background", "mb", F64, {a->summary.background, b->summary.background}},
        {"/score/mls", "m", F64, {a->summary.mls, b->summary.mls}},
        {"/score/bin", "m", I32, {a->summary.bin, b->summary.bin}},
        {"/score/mls_mean", "", F64, {&a->summary.mls_mean, &b->summary.mls_mean}},
        {"/score/mls_median", "", F64, {&a->summary.mls_median, &b->summary.mls_median}},
        {"/score/mls_max", "", F64, {&a->summary.mls_max, &b->summary.mls_max}},
        {"/score/mls_min", "", F64, {&a->summary.mls_min, &b->summary.mls_min}},
        {"/history/events", "s", U64, {a->history_events, b->history_events}},
        {"/history/mls_mean", "s", F64, {a->history_mean, b->history_mean}},
    };
    json_t *found = json_array();
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++)
        compare_dataset(found, &datasets[i], results);
    return found;
}

status difference_find(json_t **out, const struct result_tables results[2],
                       const char *const paths[2])
{
    *out = NULL;
    json_t *analysis = json_object();
    const status done = find_analysis(analysis, results, paths);
    if (done != STATUS_OK) {
        json_decref(analysis);
        return done;
    }
    const struct result_summary *a = &results[0].summary, *b = &results[1].summary;
    json_t *tallies = find_tallies(&a->tally, &b->tally), *datasets = find_datasets(results);
    const bool equal =
        json_object_size(analysis) + json_object_size(tallies) + json_array_size(datasets) == 0;
    *out = json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "equal", equal, "names",
                     find_names(a, b), "analysis", analysis, "tallies", tallies, "selected",
                     find_selected(a, b), "mls", find_mls(a, b), "datasets", datasets);
    return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
