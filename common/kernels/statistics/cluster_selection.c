/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/cluster_selection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/statistics/robust.h"

/* z of one bin: the column `bin` of counts, each divided by its cluster's total. x[k] and
 * scratch[2k] are work space. */
static void standardise_bin(const struct selection_settings *settings, size_t k, size_t bins,
                            size_t bin, const uint64_t counts[], const double total[], double x[],
                            double scratch[], double z[])
{
    size_t n = 0;
    for (size_t i = 0; i < k; i++)
        if (total[i] > 0)
            x[n++] = (double)counts[i * bins + bin] / total[i];
    double mean = 0;
    double sd = 0;
    if (n > 0)
        robust_mean_sd(n, x, settings->outlier_fraction, settings->sd_factor, scratch, &mean, &sd);
    size_t next = 0;
    for (size_t i = 0; i < k; i++) {
        double value = 0;
        if (total[i] > 0) {
            const double fraction = x[next++];
            value = sd > 0 ? (fraction - mean) / sd : 0;
        }
        z[i * bins + bin] = value;
    }
}

static void sum_labelled(size_t k, size_t bins, const uint64_t counts[], const uint8_t label[],
                         uint64_t rich[], uint64_t depleted[])
{
    memset(rich, 0, bins * sizeof *rich);
    memset(depleted, 0, bins * sizeof *depleted);
    for (size_t i = 0; i < k; i++) {
        uint64_t *into = label[i] ? rich : depleted;
        for (size_t b = 0; b < bins; b++)
            into[b] += counts[i * bins + b];
    }
}

static void scale_background(size_t bins, const uint64_t rich[], const uint64_t depleted[],
                             double background[])
{
    uint64_t sum_rich = 0;
    uint64_t sum_depleted = 0;
    for (size_t b = 0; b < bins; b++) {
        sum_rich += rich[b];
        sum_depleted += depleted[b];
    }
    for (size_t b = 0; b < bins; b++)
        background[b] =
            sum_depleted > 0 ? (double)depleted[b] * (double)sum_rich / (double)sum_depleted : 0;
}

status select_clusters(const struct selection_settings *settings, size_t k, size_t bins,
                       const uint64_t counts[], double z[], uint8_t label[], uint64_t rich[],
                       uint64_t depleted[], double background[])
{
    assert(k > 0 && bins > 0);
    double *work = malloc(4 * k * sizeof *work);
    if (work == NULL)
        return STATUS_NO_MEMORY;
    double *total = work;
    for (size_t i = 0; i < k; i++) {
        uint64_t sum = 0;
        for (size_t b = 0; b < bins; b++)
            sum += counts[i * bins + b];
        total[i] = (double)sum;
    }
    for (size_t b = 0; b < bins; b++)
        standardise_bin(settings, k, bins, b, counts, total, work + k, work + 2 * k, z);
    free(work);

    for (size_t i = 0; i < k; i++) {
        label[i] = 0;
        for (size_t b = 0; b < bins; b++)
            if (z[i * bins + b] > settings->threshold)
                label[i] = 1;
    }
    sum_labelled(k, bins, counts, label, rich, depleted);
    scale_background(bins, rich, depleted, background);
    return STATUS_OK;
}
