/* SPDX-License-Identifier: GPL-3.0-or-later */
/* codebook_internal: what codebook.c and the trainers share. Not for callers outside this room
 * (tests of it apart). */
#ifndef COMMON_KERNELS_CLUSTERING_CODEBOOK_INTERNAL_H
#define COMMON_KERNELS_CLUSTERING_CODEBOOK_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels/clustering/codebook.h"
#include "common/kernels/cpu/vector_loops.h"

/* Columns of a table of k centres in double: a multiple of VECTOR_LANES. */
size_t codebook_columns(size_t k);
/* A codebook of k centres that are yet to be given by codebook_refresh. */
MUST_CHECK status codebook_create_blank(codebook **out, size_t k, const smearing *smear);
/* New centres [k][pixels]. scratch [2][pixels][codebook_columns(k)]. Allocates nothing. */
void codebook_refresh(codebook *self, const smearing *smear, const float centres[],
                      double scratch[]);
/* The labels of codebook_label; near[n] is about its score. Allocates nothing. */
void codebook_label_near(const codebook *self, const struct sparse_images *images, uint16_t label[],
                         float near[]);

#endif
