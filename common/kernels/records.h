/* SPDX-License-Identifier: GPL-3.0-or-later */
/* records: what passes between stages, as plain arrays.
 * common/wire packs these structs into messages, common/store writes them to disk,
 * the stages compute on them. An array is borrowed from whoever filled the struct;
 * its shape stands behind it, slowest index first. NULL means "not known" where the
 * comment says optional, and "empty" elsewhere. Energies in GeV, angles in rad. */
#ifndef COMMON_KERNELS_RECORDS_H
#define COMMON_KERNELS_RECORDS_H

#include <stdint.h>

/* The six messages that pass along edges. Numbers are part of the wire format. */
enum message_type {
    MESSAGE_NONE = 0, /* a stage without output */
    MESSAGE_EVENT_BATCH,
    MESSAGE_IMAGE_BATCH,
    MESSAGE_CODEBOOK,
    MESSAGE_SPECTRA,
    MESSAGE_SELECTION,
    MESSAGE_SCORE,
    MESSAGE_TYPES
};
/* "event_batch", ...; "none" for MESSAGE_NONE. */
const char *message_type_name(enum message_type type);
/* The type of that name, MESSAGE_TYPES if there is none. */
enum message_type message_type_find(const char *name);
/* A record's bytes on the wire before compression: no larger one is sent or taken. */
#define MESSAGE_BYTES_MAX ((uint64_t)1 << 28)

/* Why an event that was read is not counted. The order is part of the wire and file
 * formats: append only. */
enum drop_reason {
    DROP_NOT_FINITE,  /* a pT, eta or phi is NaN or infinite, or a jet's beyond float32 */
    DROP_NEGATIVE_PT, /* a pT below zero */
    DROP_ETA_RANGE,   /* |eta| above 10 */
    DROP_NO_JET,      /* no jet above pt_min */
    DROP_ONE_JET,     /* a single jet above pt_min */
    DROP_EMPTY_IMAGE, /* one of the two images has no lit pixel */
    DROP_TOO_MANY,    /* more than EVENT_PARTICLES_MAX particles */
    DROP_REASONS
};
/* The reason as it stands in results and messages, e.g. "one_jet". */
const char *drop_reason_name(enum drop_reason reason);
/* The reason in words, e.g. "a single jet above pt_min". */
const char *drop_reason_text(enum drop_reason reason);

/* Particles of an event that is looked at; readers cut longer ones to one more, which is enough to
 * drop them. Above the 30,000 or so of a central lead collision, and 512 such events fit into a
 * message. */
enum { EVENT_PARTICLES_MAX = 40000 };

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

/* Those of the rows that have two jets and two images, as sparse images. Jet 2e and
 * 2e+1 are the leading and second jet of event e. A filter at the producer may have
 * taken events out: the counts on top are always those of the whole batch. */
struct image_batch {
    uint64_t first_row;
    uint32_t read;                /* rows */
    uint32_t quarantined;         /* rows */
    uint32_t events;              /* n, kept in the arrays below */
    uint32_t lit;                 /* lit pixels of all images together */
    const uint32_t *dropped;      /* [DROP_REASONS] rows */
    const uint64_t *row;          /* [n] over all files of the source */
    const float *m_jj;            /* [n] dijet mass */
    const int8_t *label;          /* [n] optional */
    const float *pt;              /* [2n] jet */
    const float *eta;             /* [2n] */
    const float *phi;             /* [2n] in [0, 2 pi) */
    const float *mass;            /* [2n] */
    const float *tau1;            /* [2n] N-subjettiness */
    const float *tau2;            /* [2n] */
    const float *tau3;            /* [2n] */
    const uint16_t *constituents; /* [2n] */
    const uint32_t *offset;       /* [2n + 1] jet j has entries offset[j] .. offset[j+1] - 1 */
    const uint16_t *pixel;        /* [lit] pixels_per_side x phi index + eta index, ascending */
    const float *intensity;       /* [lit] fraction of the image sum, before power and smearing */
};

/* Rows of the whole batch that became two images. */
uint32_t image_batch_counted(const struct image_batch *batch);

/* One trained member of the ensemble. */
struct codebook_record {
    uint32_t member;
    uint32_t generation; /* 1: the only training of a run */
    uint32_t clusters;   /* k */
    uint32_t pixels;     /* per image */
    uint64_t jets;       /* trained on */
    uint64_t steps;      /* mini-batches */
    uint64_t seed;
    double inertia;       /* sum of squared distances of all training jets */
    double window[2];     /* training window in m_jj, half-open */
    const float *centres; /* [k, pixels] pre-image space, power applied */
    const float *bias;    /* [k] m.(G'G m) of every centre m */
};

/* NULL, or what is wrong inside a batch whose arrays have the right lengths: offsets that go
 * backwards or past the end, labels other than 0 and 1 (-1 too in images), counts that do not add
 * up, pixels that are not below `pixels` or not ascending. */
const char *event_batch_fault(const struct event_batch *batch);
const char *image_batch_fault(const struct image_batch *batch, uint32_t pixels);
/* NULL, or what does not add up in a batch that nobody has filtered: events + dropped + quarantined
 * must be the rows read. */
const char *image_batch_account_fault(const struct image_batch *batch);

/* NULL, or what is wrong with the numbers of a batch without such a fault: masses, momenta or
 * angles that are not finite, a dijet mass below 0, rows that are not ascending within the batch's
 * own, intensities that are negative or whose sum over an image is not 1 within a thousandth. */
const char *image_batch_value_fault(const struct image_batch *batch);

/* What became of the rows read so far. read = counted + dropped + quarantined. */
struct tally {
    uint64_t read;
    uint64_t counted; /* two jets and both images, at any mass */
    uint64_t quarantined;
    uint64_t dropped[DROP_REASONS];
};
/* Adds b to a. */
void tally_add(struct tally *a, const struct tally *b);
/* Adds the rows of a batch. */
void tally_add_batch(struct tally *a, const struct image_batch *batch);
/* Rows dropped for any reason. */
uint64_t tally_dropped(const struct tally *self);
/* 1 when the sum of the parts is what was read. */
int tally_adds_up(const struct tally *self);

/* One accumulator's counts from the start of the log up to and with slice. */
struct spectra_record {
    uint32_t generation;
    uint32_t members;
    uint32_t clusters;
    uint32_t bins;
    uint64_t slice;
    struct tally tally;
    uint64_t in_window;     /* events with m_jj inside the spectrum */
    uint64_t labelled;      /* those of them whose label is known */
    uint64_t digest;        /* order-free: sum of a hash of (source, row) of the in_window events */
    const uint64_t *counts; /* [members, clusters, bins] jets */
    const uint64_t *signal; /* [members, clusters, bins] jets of label 1 */
};

/* What the selector made of the summed spectra of one slice. */
struct selection_record {
    struct spectra_record summed; /* over all accumulators */
    const double *z;              /* [members, clusters, bins] */
    const uint8_t *label;         /* [members, clusters] 1: signal-rich */
    const uint64_t *rich;         /* [members, bins] */
    const uint64_t *depleted;     /* [members, bins] */
    const double *background;     /* [members, bins] */
};

/* NULL, or what is wrong inside a selection whose arrays have the right lengths: numbers that are
 * not finite or negative, labels other than 0 and 1, a tally that does not add up, and rich or
 * depleted spectra that are not the sums of the clusters' counts with that label. */
const char *selection_fault(const struct selection_record *selection);

/* The answer after one slice. */
struct score_record {
    uint32_t members;
    uint64_t slice;
    uint64_t read; /* rows, so far */
    double mean;   /* of mls over the members; so are the next three */
    double median;
    double max;
    double min;
    const double *mls;  /* [members] */
    const int32_t *bin; /* [members] -1: none */
};

#endif
