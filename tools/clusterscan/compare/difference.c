/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/compare/difference.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/verdicts.h"
#include "common/topology/schema/analysis.h"
#include "tools/clusterscan/compare/cluster_match.h"

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

/* The blocks of both analyses, new references. */
static status read_blocks(json_t *block[2], const struct result_tables results[2],
                          const char *const paths[2])
{
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < 2; i++)
        done = analysis_block_from_yaml(&block[i], paths[i], results[i].summary.analysis);
    return done;
}

static json_t *find_analysis(json_t *const block[2])
{
    json_t *analysis = json_object();
    compare_blocks(analysis, block[0], block[1], false);
    compare_blocks(analysis, block[1], block[0], true);
    return analysis;
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

static bool same_centres(const struct result_tables *a, const struct result_tables *b,
                         size_t member)
{
    const size_t n = a->summary.clusters * a->pixels;
    return a->summary.clusters == b->summary.clusters && a->pixels == b->pixels &&
           memcmp(a->centres + member * n, b->centres + member * n, n * sizeof(float)) == 0;
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

/* Only of members with equal centres: else equal numbers mean nothing. */
static json_t *find_selected(const struct result_tables results[2])
{
    const struct result_summary *a = &results[0].summary, *b = &results[1].summary;
    json_t *members = json_array();
    for (size_t m = 0; m < smaller(a->members, b->members); m++) {
        if (!same_centres(&results[0], &results[1], m))
            continue;
        json_t *only_a = only_in(a, b, m), *only_b = only_in(b, a, m);
        if (json_array_size(only_a) + json_array_size(only_b) > 0)
            json_array_append_new(members, json_pack("{s:I, s:O, s:O}", "member", (json_int_t)m,
                                                     "only_a", only_a, "only_b", only_b));
        json_decref(only_a);
        json_decref(only_b);
    }
    return members;
}

/* The side of a square image; 0 if it is none. */
static uint32_t side_of(size_t pixels)
{
    const uint32_t side = (uint32_t)lround(sqrt((double)pixels));
    return (size_t)side * side == pixels && side <= 256 ? side : 0;
}

/* Why the clusters cannot be matched; an empty text: they can. */
static void find_obstacle(const struct result_tables results[2], json_t *const block[2],
                          size_t size, char out[])
{
    const struct result_summary *a = &results[0].summary, *b = &results[1].summary;
    const json_t *image[] = {json_object_get(block[0], "image"),
                             json_object_get(block[1], "image")};
    out[0] = '\0';
    if (a->clusters != b->clusters)
        snprintf(out, size, "%zu clusters in A, %zu in B", a->clusters, b->clusters);
    else if (results[0].pixels != results[1].pixels)
        snprintf(out, size, "images of %zu pixels in A, of %zu in B", results[0].pixels,
                 results[1].pixels);
    else if (image[0] != image[1] && !json_equal(image[0], image[1]))
        snprintf(out, size, "the images were made with other settings (analysis.image)");
    else if (side_of(results[0].pixels) == 0)
        snprintf(out, size, "the images are not square");
}

static json_t *match_to_json(const struct match *match, const struct result_tables results[2],
                             size_t member)
{
    const size_t at = member * results[0].summary.clusters;
    return json_pack("{s:I, s:I, s:f, s:f, s:[b, b]}", "a", (json_int_t)match->a, "b",
                     (json_int_t)match->b, "distance", match->distance, "overlap", match->overlap,
                     "rich", results[0].summary.label[at + match->a] == 1,
                     results[1].summary.label[at + match->b] == 1);
}

static status match_member(json_t *to, const struct result_tables results[2], double smear,
                           size_t member)
{
    const size_t clusters = results[0].summary.clusters, pixels = results[0].pixels;
    const size_t bins = smaller(results[0].summary.bins, results[1].summary.bins);
    struct match *match = malloc(clusters * sizeof *match);
    struct match_side side[2];
    for (size_t i = 0; i < 2; i++)
        side[i] = (struct match_side){.centres = results[i].centres + member * clusters * pixels,
                                      .counts = results[i].counts +
                                                member * clusters * results[i].summary.bins};
    const status done = match != NULL ? clusters_match(match, clusters, bins, side_of(pixels),
                                                       smear, &side[0], &side[1])
                                      : STATUS_NO_MEMORY;
    json_t *pairs = json_array();
    for (size_t i = 0; done == STATUS_OK && i < clusters; i++)
        json_array_append_new(pairs, match_to_json(&match[i], results, member));
    json_array_append_new(to,
                          json_pack("{s:I, s:o}", "member", (json_int_t)member, "pairs", pairs));
    free(match);
    return done;
}

/* Members whose centres differ; *how in words, as difference.h says. */
static status find_matched(json_t *to, json_t **how, const struct result_tables results[2],
                           json_t *const block[2])
{
    const double smear_default = 1;
    const json_t *smear = json_object_get(json_object_get(block[0], "image"), "smear");
    const size_t members = smaller(results[0].summary.members, results[1].summary.members);
    const bool same_bins = results[0].summary.bins == results[1].summary.bins;
    char obstacle[120];
    status done = STATUS_OK;
    find_obstacle(results, block, sizeof obstacle, obstacle);
    if (obstacle[0] == '\0' && !same_bins)
        snprintf(obstacle, sizeof obstacle, "%u mass bins in A, %u in B", results[0].summary.bins,
                 results[1].summary.bins);
    bool same = obstacle[0] == '\0';
    for (size_t m = 0; done == STATUS_OK && obstacle[0] == '\0' && m < members; m++) {
        if (same_centres(&results[0], &results[1], m))
            continue;
        same = false;
        done =
            match_member(to, results, smear != NULL ? json_number_value(smear) : smear_default, m);
    }
    *how = json_string(same ? "same" : obstacle[0] != '\0' ? obstacle : "matched");
    return done;
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

/* ---- the answer ---- */

/* Standard deviation of the members' significances; 0 of a single one. */
static double scatter(const struct result_summary *result)
{
    double sum = 0;
    for (size_t m = 0; m < result->members; m++)
        sum += (result->mls[m] - result->mls_mean) * (result->mls[m] - result->mls_mean);
    return result->members > 1 ? sqrt(sum / (double)(result->members - 1)) : 0;
}

static json_t *named_bin(const struct result_summary *result, size_t *named)
{
    const int32_t bin = most_named_bin(result->members, result->bin, named);
    if (bin < 0)
        return json_null();
    return json_pack("[f, f]", result->edges[bin], result->edges[bin + 1]);
}

/* Both name a bin, and these are the same or neighbours: a peak may lie on an edge. */
static bool same_place(const json_t *a, const json_t *b)
{
    if (json_is_null(a) || json_is_null(b))
        return json_equal(a, b);
    return json_real_value(json_array_get(a, 1)) >= json_real_value(json_array_get(b, 0)) &&
           json_real_value(json_array_get(b, 1)) >= json_real_value(json_array_get(a, 0));
}

/* Two means of n members that scatter by s lie apart by less than twice the root of the sum of
 * their s^2 / n in 19 of 20 cases, if nothing but the members' starts differs. */
static json_t *find_answer(const struct result_summary *a, const struct result_summary *b)
{
    size_t named[2];
    const double s[] = {scatter(a), scatter(b)};
    const double ordinary =
        2 * sqrt(s[0] * s[0] / (double)a->members + s[1] * s[1] / (double)b->members);
    json_t *bins[] = {named_bin(a, &named[0]), named_bin(b, &named[1])};
    const bool agree = fabs(a->mls_mean - b->mls_mean) <= ordinary && same_place(bins[0], bins[1]);
    return json_pack("{s:[f, f], s:[f, f], s:[o, o], s:[I, I], s:[f, f], s:f, s:o}", "mean",
                     a->mls_mean, b->mls_mean, "median", a->mls_median, b->mls_median, "bin",
                     bins[0], bins[1], "named", (json_int_t)named[0], (json_int_t)named[1],
                     "scatter", s[0], s[1], "ordinary", ordinary, "agree",
                     a->members < 2 || b->members < 2 ? json_null() : json_boolean(agree));
}

/* ---- datasets ---- */

enum element { U8, U16, U32, I32, U64, F32, F64 };

/* A letter per dimension: m member, c cluster, b bin, e edge, p pixel, q prototype, s
 * slice. */
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
    case 'q':
        return "prototype";
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
    case 'q':
        return result->models.n;
    default:
        return result->summary.slices;
    }
}

/* |a - b|, finite also where one of them is not. */
static double double_distance(double a, double b)
{
    return a == b ? 0 : fmin(fabs(a - b), DBL_MAX);
}

/* |a - b| of element i; integers are compared as such, as a seed may have 64 bits. */
static double distance(const struct dataset *dataset, size_t i)
{
    const void *a = dataset->values[0], *b = dataset->values[1];
    uint64_t x, y;
    switch (dataset->element) {
    case U8:
        return fabs((double)((const uint8_t *)a)[i] - (double)((const uint8_t *)b)[i]);
    case U16:
        return fabs((double)((const uint16_t *)a)[i] - (double)((const uint16_t *)b)[i]);
    case U32:
        return fabs((double)((const uint32_t *)a)[i] - (double)((const uint32_t *)b)[i]);
    case I32:
        return fabs((double)((const int32_t *)a)[i] - (double)((const int32_t *)b)[i]);
    case U64:
        x = ((const uint64_t *)a)[i];
        y = ((const uint64_t *)b)[i];
        return (double)(x > y ? x - y : y - x);
    case F32:
        return fabs((double)((const float *)a)[i] - (double)((const float *)b)[i]);
    default:
        return double_distance(((const double *)a)[i], ((const double *)b)[i]);
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

/* Adds what differs in the models, which only a result of other models than those of a k-means
 * holds. */
static void compare_models(json_t *to, const struct result_tables results[2])
{
    const struct result_models *a = &results[0].models, *b = &results[1].models;
    struct dataset datasets[] = {
        {"/model/prototypes", "m", U32, {a->prototypes, b->prototypes}},
        {"/model/cutoff", "m", F64, {a->cutoff, b->cutoff}},
        {"/model/prototype", "qp", F32, {a->prototype, b->prototype}},
        {"/model/scale", "q", F64, {a->scale, b->scale}},
        {"/model/bias", "q", F64, {a->bias, b->bias}},
        {"/model/map", "q", U16, {a->map, b->map}},
    };
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++) {
        for (size_t k = 0; k < 2; k++)
            if (!results[k].models.stored)
                datasets[i].values[k] = NULL;
        compare_dataset(to, &datasets[i], results);
    }
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
    compare_models(found, results);
    return found;
}

status difference_find(json_t **out, const struct result_tables results[2],
                       const char *const paths[2])
{
    *out = NULL;
    const struct result_summary *a = &results[0].summary, *b = &results[1].summary;
    json_t *block[2] = {NULL, NULL}, *matched = json_array(), *how = NULL;
    status done = read_blocks(block, results, paths);
    if (done == STATUS_OK)
        done = find_matched(matched, &how, results, block);
    if (done == STATUS_OK) {
        json_t *tallies = find_tallies(&a->tally, &b->tally), *datasets = find_datasets(results);
        const bool equal = json_object_size(tallies) + json_array_size(datasets) == 0;
        *out = json_pack("{s:b, s:[b, b], s:o, s:o, s:o, s:o, s:O, s:o, s:O, s:o, s:o}", "equal",
                         equal, "final", a->final, b->final, "names", find_names(a, b), "analysis",
                         find_analysis(block), "tallies", tallies, "answer", find_answer(a, b),
                         "clusters", how, "selected", find_selected(results), "matched", matched,
                         "mls", find_mls(a, b), "datasets", datasets);
        done = *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    json_decref(how);
    json_decref(matched);
    json_decref(block[0]);
    json_decref(block[1]);
    return done;
}
