/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/compare/scan_difference.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/store/results/result_schema.h"

/* A dataset of real numbers of a scan: where its array and its length are. */
struct part {
    enum result_id id;
    size_t array;
    size_t length;
};

#define PART(id_, array_, length_)                                 \
    {                                                              \
        .id = id_, .array = offsetof(struct scan_summary, array_), \
        .length = offsetof(struct scan_summary, length_)           \
    }

static const struct part parts[] = {PART(RESULT_SCAN_LOW, low, windows),
                                    PART(RESULT_SCAN_HIGH, high, windows),
                                    PART(RESULT_SCAN_STATISTIC, statistic, windows),
                                    PART(RESULT_SCAN_NULL_MEAN, null_mean, windows),
                                    PART(RESULT_SCAN_NULL_SD, null_sd, windows),
                                    PART(RESULT_SCAN_TOY_PULL, toy_pull, toys),
                                    PART(RESULT_SCAN_HISTORY_LN_P, history_ln_p, slices),
                                    PART(RESULT_SCAN_HISTORY_Z, history_z, slices)};

static const double *array_of(const struct scan_summary *scan, const struct part *part)
{
    return *(double *const *)(const void *)((const char *)scan + part->array);
}

static size_t length_of(const struct scan_summary *scan, const struct part *part)
{
    return *(const size_t *)(const void *)((const char *)scan + part->length);
}

/* NULL if nothing differs. */
static json_t *compare_part(const struct scan_summary scans[2], const struct part *part)
{
    const size_t n = length_of(&scans[0], part), m = length_of(&scans[1], part);
    const double *a = array_of(&scans[0], part), *b = array_of(&scans[1], part);
    const char *name = result_dataset(part->id)->path;
    if (n != m)
        return json_pack("{s:s, s:[I, I]}", "name", name, "numbers", (json_int_t)n, (json_int_t)m);
    json_int_t differ = 0;
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        differ += a[i] != b[i];
        largest = fmax(largest, fabs(a[i] - b[i]));
    }
    return differ == 0 ? NULL
                       : json_pack("{s:s, s:I, s:I, s:f}", "name", name, "numbers", (json_int_t)n,
                                   "differ", differ, "largest", largest);
}

static json_t *number_of(const struct scan_summary *scan, double number)
{
    return scan->toys > 0 && scan->windows > 0 ? json_real(number) : json_null();
}

static json_t *window_of(const struct scan_summary *scan)
{
    return scan->toys > 0 && scan->windows > 0
               ? json_pack("[f, f]", scan->low[scan->largest], scan->high[scan->largest])
               : json_null();
}

json_t *scan_difference_find(const struct scan_summary scans[2])
{
    const struct scan_summary *a = &scans[0], *b = &scans[1];
    json_t *datasets = json_array();
    bool equal = a->about.tally.counted == b->about.tally.counted &&
                 a->about.tally.read == b->about.tally.read && a->largest == b->largest &&
                 a->reached == b->reached && a->extrapolated == b->extrapolated &&
                 a->pull == b->pull && a->ln_p == b->ln_p && a->z == b->z;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_t *part = compare_part(scans, &parts[i]);
        equal = equal && part == NULL;
        if (part != NULL)
            json_array_append_new(datasets, part);
    }
    return json_pack("{s:s, s:b, s:[o, o], s:[o, o], s:[o, o], s:[I, I], s:o}", "kind", "scan",
                     "equal", equal, "p", number_of(a, exp(a->ln_p)), number_of(b, exp(b->ln_p)),
                     "z", number_of(a, a->z), number_of(b, b->z), "window_gev", window_of(a),
                     window_of(b), "toys", (json_int_t)a->toys, (json_int_t)b->toys, "datasets",
                     datasets);
}
