/* SPDX-License-Identifier: GPL-3.0-or-later */
/* drop_reason: why an event that was read is not counted. */
#ifndef COMMON_RECORDS_DROP_REASON_H
#define COMMON_RECORDS_DROP_REASON_H

/* Why an event that was read is not counted. The order is part of the wire and file
 * formats: append only. */
enum drop_reason {
    DROP_NOT_FINITE,  /* a pT, eta or phi is NaN or infinite, or a jet's beyond float32 */
    DROP_NEGATIVE_PT, /* a pT below zero */
    DROP_ETA_RANGE,   /* |eta| above 10 */
    DROP_NO_JET,      /* no jet above pt_min */
    DROP_ONE_JET,     /* a single jet above pt_min */
    DROP_EMPTY_IMAGE, /* no pixel of one of the two images is above zero */
    DROP_TOO_MANY,    /* more than EVENT_PARTICLES_MAX particles */
    DROP_REASONS
};
/* The reason as it stands in results and messages, e.g. "one_jet". */
const char *drop_reason_name(enum drop_reason reason);
/* The reason in words, e.g. "a single jet above pt_min". */
const char *drop_reason_text(enum drop_reason reason);

#endif
