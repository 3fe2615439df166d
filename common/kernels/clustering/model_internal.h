/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_internal: what model.c and the trainers share. Not for callers outside this room
 * (tests of it apart). */
#ifndef COMMON_KERNELS_CLUSTERING_MODEL_INTERNAL_H
#define COMMON_KERNELS_CLUSTERING_MODEL_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/clustering/model.h"
#include "common/kernels/cpu/vector_loops.h"

/* Columns of a table of k centres in double: a multiple of VECTOR_LANES. */
size_t model_columns(size_t k);
/* A k-means model of k centres that are yet to be given by model_refresh. */
MUST_CHECK status model_create_blank(model **out, size_t k, const smearing *smear);
/* New centres [k][pixels]. scratch [2][pixels][model_columns(k)]. Allocates nothing. */
void model_refresh(model *self, const float centres[], double scratch[]);
/* The labels of model_label, of a k-means model; near[n] is about its score. Allocates nothing. */
void model_label_near(const model *self, const struct sparse_images *images, uint16_t label[],
                      float near[]);

#endif
