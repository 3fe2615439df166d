/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_batch: events as they were read, the message between readers and workers. Of this and the
 * other records: an array is borrowed from whoever filled the struct; its shape stands behind it,
 * slowest index first; NULL means "not known" where the comment says optional, and "empty"
 * elsewhere. Energies in GeV, angles in rad. */
#ifndef COMMON_RECORDS_EVENT_BATCH_H
#define COMMON_RECORDS_EVENT_BATCH_H

#include <stdint.h>

/* Particles of an event that is looked at; readers cut longer ones to one more, which is enough to
 * drop them. Above the 30,000 or so of a central lead collision, and 512 such events fit into a
 * message. */
enum { EVENT_PARTICLES_MAX = 40000 };

/* Particles in a row of a table of the LHC Olympics, padded with zeros. */
enum { EVENT_TABLE_PARTICLES = 700 };

/* A label is the integer that it is so near to: some files keep it as a rounded float. */
#define EVENT_LABEL_WITHIN 1e-6

/* n consecutive rows of one file of one source. */
struct event_batch {
    uint64_t first_row;     /* over all files of the source, from 0 */
    uint32_t events;        /* n */
    uint32_t particles;     /* of all events together */
    const uint32_t *offset; /* [n + 1] event e has particles offset[e] .. offset[e+1] - 1 */
    const float *pt;        /* [particles] */
    const float *eta;       /* [particles] */
    const float *phi;       /* [particles] */
    const int8_t *label;    /* [n] 0 background, 1 signal; optional */
};

/* NULL, or what is wrong inside a batch whose arrays have the right lengths: offsets that go
 * backwards or past the end, labels other than 0 and 1. */
const char *event_batch_fault(const struct event_batch *batch);

#endif
