/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/compare/difference.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/verdicts.h"
#include "common/store/results/result_dataset.h"
#include "common/topology/schema/analysis.h"
#include "tools/clusterscan/compare/cluster_match.h"

/* ---- names, analysis, tallies: pairs [a, b] ---- */

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

/* Owns both references; adds them if they differ. */
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

/* Signal-rich clusters of one member of `a` that are not so in b. */
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

/* Members whose centres differ; *how: the text of difference.h. */
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
static bool same_range(const json_t *a, const json_t *b)
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
    const bool agree = fabs(a->mls_mean - b->mls_mean) <= ordinary && same_range(bins[0], bins[1]);
    return json_pack("{s:[f, f], s:[f, f], s:[o, o], s:[I, I], s:[f, f], s:f, s:o}", "mean",
                     a->mls_mean, b->mls_mean, "median", a->mls_median, b->mls_median, "bin",
                     bins[0], bins[1], "named", (json_int_t)named[0], (json_int_t)named[1],
                     "scatter", s[0], s[1], "ordinary", ordinary, "agree",
                     a->members < 2 || b->members < 2 ? json_null() : json_boolean(agree));
}

/* ---- datasets ---- */

struct dataset {
    enum result_id id;
    enum hdf5_element element;
    const void *values[2]; /* NULL: not there */
};
#define DATASET(id, a, b)         \
    {                             \
        id, RESULT_ELEMENT(*(a)), \
        {                         \
            a, b                  \
        }                         \
    }

static size_t length(const struct result_tables *result, enum result_dimension dimension)
{
    switch (dimension) {
    case DIMENSION_MEMBER:
        return result->summary.members;
    case DIMENSION_CLUSTER:
        return result->summary.clusters;
    case DIMENSION_BIN:
        return result->summary.bins;
    case DIMENSION_EDGE:
        return (size_t)result->summary.bins + 1;
    case DIMENSION_PIXEL:
        return result->pixels;
    case DIMENSION_PROTOTYPE:
        return result->models.n;
    case DIMENSION_SLICE:
        return result->summary.slices;
    default:
        assert(!"a dimension of a dataset that is compared");
        return 0;
    }
}

/* |a - b|, finite also where one of them is not. */
static double double_distance(double a, double b)
{
    return a == b ? 0 : fmin(fabs(a - b), DBL_MAX);
}

/* |a - b| of element i; integers are compared as such, as a seed may have 64 bits. */
static double distance(enum hdf5_element element, const void *a, const void *b, size_t i)
{
    uint64_t x, y;
    switch (element) {
    case HDF5_U8:
        return fabs((double)((const uint8_t *)a)[i] - (double)((const uint8_t *)b)[i]);
    case HDF5_U16:
        return fabs((double)((const uint16_t *)a)[i] - (double)((const uint16_t *)b)[i]);
    case HDF5_U32:
        return fabs((double)((const uint32_t *)a)[i] - (double)((const uint32_t *)b)[i]);
    case HDF5_I32:
        return fabs((double)((const int32_t *)a)[i] - (double)((const int32_t *)b)[i]);
    case HDF5_U64:
        x = ((const uint64_t *)a)[i];
        y = ((const uint64_t *)b)[i];
        return (double)(x > y ? x - y : y - x);
    case HDF5_F32:
        return fabs((double)((const float *)a)[i] - (double)((const float *)b)[i]);
    case HDF5_F64:
        return double_distance(((const double *)a)[i], ((const double *)b)[i]);
    default:
        assert(!"an element type that is compared");
        return 0;
    }
}

static json_t *coordinates_of(const struct result_tables *result, const struct result_dataset *row,
                              size_t i)
{
    json_t *coordinates = json_object();
    size_t stride = 1;
    for (int d = 0; d < row->rank; d++)
        stride *= length(result, row->dimensions[d]);
    for (int d = 0; d < row->rank; d++) {
        stride /= length(result, row->dimensions[d]);
        json_object_set_new(coordinates, result_dimensions[row->dimensions[d]].index,
                            json_integer((json_int_t)(i / stride)));
        i %= stride;
    }
    return coordinates;
}

static json_t *shape_of(const struct result_tables *result, const struct result_dataset *row,
                        const void *values)
{
    if (values == NULL)
        return json_null();
    json_t *lengths = json_array();
    for (int d = 0; d < row->rank; d++)
        json_array_append_new(lengths,
                              json_integer((json_int_t)length(result, row->dimensions[d])));
    return lengths;
}

/* Adds the dataset to the list if it differs. */
static void compare_dataset(json_t *to, const struct dataset *dataset,
                            const struct result_tables results[2])
{
    const struct result_dataset *row = result_dataset(dataset->id);
    assert(dataset->element == row->element);
    json_t *shape[2];
    for (size_t i = 0; i < 2; i++)
        shape[i] = shape_of(&results[i], row, dataset->values[i]);
    char name[100];
    snprintf(name, sizeof name, "/%s", row->path);
    if (!json_equal(shape[0], shape[1])) {
        json_array_append_new(to, json_pack("{s:s, s:o, s:o}", "name", name, "shape_a", shape[0],
                                            "shape_b", shape[1]));
        return;
    }
    size_t numbers = dataset->values[0] != NULL ? 1 : 0, differ = 0, at = 0;
    for (int d = 0; d < row->rank; d++)
        numbers *= length(&results[0], row->dimensions[d]);
    double largest = 0;
    for (size_t i = 0; i < numbers; i++) {
        const double here = distance(row->element, dataset->values[0], dataset->values[1], i);
        differ += here > 0;
        at = here > largest ? i : at;
        largest = here > largest ? here : largest;
    }
    if (differ > 0)
        json_array_append_new(to, json_pack("{s:s, s:I, s:I, s:f, s:o}", "name", name, "numbers",
                                            (json_int_t)numbers, "differ", (json_int_t)differ,
                                            "largest", largest, "at",
                                            coordinates_of(&results[0], row, at)));
    json_decref(shape[0]);
    json_decref(shape[1]);
}

/* Adds what differs in the models, which only a result of other models than those of a k-means
 * holds. */
static void compare_models(json_t *to, const struct result_tables results[2])
{
    const struct result_models *a = &results[0].models, *b = &results[1].models;
    struct dataset datasets[] = {
        DATASET(RESULT_MODEL_PROTOTYPES, a->prototypes, b->prototypes),
        DATASET(RESULT_MODEL_CUTOFF, a->cutoff, b->cutoff),
        DATASET(RESULT_MODEL_PROTOTYPE, a->prototype, b->prototype),
        DATASET(RESULT_MODEL_SCALE, a->scale, b->scale),
        DATASET(RESULT_MODEL_BIAS, a->bias, b->bias),
        DATASET(RESULT_MODEL_MAP, a->map, b->map),
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
        DATASET(RESULT_EDGES, a->summary.edges, b->summary.edges),
        DATASET(RESULT_CODEBOOK_CENTRES, a->centres, b->centres),
        DATASET(RESULT_CODEBOOK_INERTIA, a->inertia, b->inertia),
        DATASET(RESULT_CODEBOOK_STEPS, a->steps, b->steps),
        DATASET(RESULT_CODEBOOK_SEED, a->seed, b->seed),
        DATASET(RESULT_SPECTRA_COUNTS, a->counts, b->counts),
        DATASET(RESULT_TRUTH_SIGNAL_COUNTS, a->signal, b->signal),
        DATASET(RESULT_SELECTION_Z, a->z, b->z),
        DATASET(RESULT_SELECTION_LABEL, a->summary.label, b->summary.label),
        DATASET(RESULT_SELECTION_RICH, a->summary.rich, b->summary.rich),
        DATASET(RESULT_SELECTION_DEPLETED, a->depleted, b->depleted),
        DATASET(RESULT_SELECTION_BACKGROUND, a->summary.background, b->summary.background),
        DATASET(RESULT_SCORE_MLS, a->summary.mls, b->summary.mls),
        DATASET(RESULT_SCORE_BIN, a->summary.bin, b->summary.bin),
        DATASET(RESULT_SCORE_MLS_MEAN, &a->summary.mls_mean, &b->summary.mls_mean),
        DATASET(RESULT_SCORE_MLS_MEDIAN, &a->summary.mls_median, &b->summary.mls_median),
        DATASET(RESULT_SCORE_MLS_MAX, &a->summary.mls_max, &b->summary.mls_max),
        DATASET(RESULT_SCORE_MLS_MIN, &a->summary.mls_min, &b->summary.mls_min),
        DATASET(RESULT_HISTORY_EVENTS, a->history_events, b->history_events),
        DATASET(RESULT_HISTORY_MLS_MEAN, a->history_mean, b->history_mean),
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
