/* SPDX-License-Identifier: GPL-3.0-or-later */
/* difference: what differs between two results, as one JSON object. */
#ifndef TOOLS_CLUSTERSCAN_COMPARE_DIFFERENCE_H
#define TOOLS_CLUSTERSCAN_COMPARE_DIFFERENCE_H

#include <jansson.h>

#include "common/base/status.h"
#include "common/store/results/result_tables.h"

/* {equal: true if all numbers are the same,
 *  final: [a, b]                                   whether the runs have ended
 *  names: {run_id, log_id, version: [a, b]}        those that differ; log_id may be null
 *  analysis: {"training.seed": [a, b], ...}        keys that differ; null where one has none
 *  tallies: {events_read: [a, b], ..., one_jet: [a, b], ...}       those that differ
 *  answer: {mean, median: [a, b], bin: [[lo, hi] GeV or null, ...] that most members name,
 *           named: [a, b] how many do, scatter: [a, b] standard deviation over the members,
 *           ordinary: a difference of the means that this explains, agree: true, false or null}
 *  clusters: "same" (all centres are equal), "matched" or why they cannot be compared
 *  selected: [{member, only_a: [cluster, ...], only_b: [...]}]     of equal centres, that differ
 *  matched: [{member, pairs: [{a, b, distance, overlap, rich: [a, b]}, ...]}]  of other centres
 *  mls: [{member, a, b, bin_a: [lo, hi] GeV or null, bin_b}]       members that differ
 *  datasets: [{name, numbers, differ, largest, at: {member, cluster, bin, pixel, slice}}, or
 *             {name, shape_a, shape_b} with null for a dataset that is not there]}
 * paths[2] are for messages. STATUS_BAD_INPUT, logged, if an analysis text is no YAML. *out is a
 * new reference, NULL on failure. */
MUST_CHECK status difference_find(json_t **out, const struct result_tables results[2],
                                  const char *const paths[2]);

#endif
