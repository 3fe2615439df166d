/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wire/schema.h"

#include <assert.h>
#include <string.h>

#include "common/records/message_type.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* One line per field. T is the struct the table is about. */
#define SCALAR(member, kind_, help_)                                                           \
    {                                                                                          \
        .name = #member, .kind = kind_, .storage = WIRE_SCALAR, .offset = offsetof(T, member), \
        .help = help_                                                                          \
    }
#define COLUMN(member, kind_, optional_, n_, extents_, help_)                           \
    {                                                                                   \
        .name = #member, .kind = kind_, .storage = WIRE_COLUMN, .optional = optional_,  \
        .offset = offsetof(T, member), .extents = n_, .extent = extents_, .help = help_ \
    }
#define EXTENTS(...) \
    {                \
        __VA_ARGS__  \
    }
#define OF(member)                                             \
    {                                                          \
        .of = offsetof(T, member), .times = 1, .text = #member \
    }
#define TIMES_PLUS(times_, member, plus_, text_)                                 \
    {                                                                            \
        .of = offsetof(T, member), .times = times_, .plus = plus_, .text = text_ \
    }
#define CONSTANT(n_, text_)       \
    {                             \
        .plus = n_, .text = text_ \
    }

#define T struct event_batch
static const struct wire_field event_batch_fields[] = {
    SCALAR(first_row, WIRE_U64, "over all files of the source, from 0"),
    SCALAR(events, WIRE_U32, "rows"),
    SCALAR(particles, WIRE_U32, "of all rows together"),
    COLUMN(offset, WIRE_U32, 0, 1, EXTENTS(TIMES_PLUS(1, events, 1, "events + 1")),
           "row e has particles offset[e] to offset[e + 1] - 1"),
    COLUMN(pt, WIRE_F32, 0, 1, EXTENTS(OF(particles)), "GeV"),
    COLUMN(eta, WIRE_F32, 0, 1, EXTENTS(OF(particles)), "pseudorapidity"),
    COLUMN(phi, WIRE_F32, 0, 1, EXTENTS(OF(particles)), "rad"),
    COLUMN(label, WIRE_I8, 1, 1, EXTENTS(OF(events)), "0 background, 1 signal"),
};
#undef T

#define T         struct image_batch
#define PER_EVENT EXTENTS(OF(events))
#define PER_JET   EXTENTS(TIMES_PLUS(2, events, 0, "2 events"))
static const struct wire_field image_batch_fields[] = {
    SCALAR(first_row, WIRE_U64, "over all files of the source, from 0"),
    SCALAR(read, WIRE_U32, "rows of the whole batch"),
    SCALAR(quarantined, WIRE_U32, "rows of the whole batch"),
    SCALAR(events, WIRE_U32, "kept below: two jets, two images, not taken out by a filter"),
    SCALAR(lit, WIRE_U32, "lit pixels of all images below together"),
    COLUMN(dropped, WIRE_U32, 0, 1, EXTENTS(CONSTANT(DROP_REASONS, "reasons")),
           "rows of the whole batch per reason: not_finite, negative_pt, eta_range, no_jet, "
           "one_jet, empty_image, too_many"),
    COLUMN(row, WIRE_U64, 0, 1, PER_EVENT, "over all files of the source"),
    COLUMN(m_jj, WIRE_F32, 0, 1, PER_EVENT, "dijet mass, GeV"),
    COLUMN(label, WIRE_I8, 1, 1, PER_EVENT, "0 background, 1 signal, -1 not known"),
    COLUMN(pt, WIRE_F32, 0, 1, PER_JET, "jet, GeV; leading jet first"),
    COLUMN(eta, WIRE_F32, 0, 1, PER_JET, "jet pseudorapidity"),
    COLUMN(phi, WIRE_F32, 0, 1, PER_JET, "jet, rad in [0, 2 pi)"),
    COLUMN(mass, WIRE_F32, 0, 1, PER_JET, "jet, GeV"),
    COLUMN(tau1, WIRE_F32, 0, 1, PER_JET, "N-subjettiness, N = 1"),
    COLUMN(tau2, WIRE_F32, 0, 1, PER_JET, "N = 2"),
    COLUMN(tau3, WIRE_F32, 0, 1, PER_JET, "N = 3"),
    COLUMN(constituents, WIRE_U16, 0, 1, PER_JET, "particles in the jet"),
    COLUMN(offset, WIRE_U32, 0, 1, EXTENTS(TIMES_PLUS(2, events, 1, "2 events + 1")),
           "jet j has entries offset[j] to offset[j + 1] - 1 of the next two"),
    COLUMN(pixel, WIRE_U16, 0, 1, EXTENTS(OF(lit)),
           "pixels per side x phi index + eta index, ascending per jet"),
    COLUMN(intensity, WIRE_F32, 0, 1, EXTENTS(OF(lit)),
           "fraction of the image sum, before power and smearing"),
};
#undef PER_EVENT
#undef PER_JET
#undef T

_Static_assert((int)MODEL_ALGORITHM_SIZE == (int)WIRE_TEXT_SIZE, "a text of the wire");
#define T struct model_record
static const struct wire_field model_fields[] = {
    SCALAR(member, WIRE_U32, "of the ensemble, from 0"),
    SCALAR(generation, WIRE_U32, "1: the only training of a run"),
    SCALAR(algorithm, WIRE_TEXT, "what trained it: a word of a-z, 0-9, _ and -"),
    SCALAR(clusters, WIRE_U32, "k"),
    SCALAR(prototypes, WIRE_U32, "p, 1 to 65535"),
    SCALAR(pixels, WIRE_U32, "per image"),
    SCALAR(jets, WIRE_U64, "trained on"),
    SCALAR(steps, WIRE_U64, "of the training: mini-batches of a k-means"),
    SCALAR(seed, WIRE_U64, "with the member the key of every random number"),
    SCALAR(inertia, WIRE_F64,
           "what the training minimised: sum of squared distances of all training jets, or minus "
           "the logarithm of their likelihood"),
    {.name = "window",
     .kind = WIRE_F64,
     .storage = WIRE_INLINE,
     .offset = offsetof(T, window),
     .extents = 1,
     .extent = {CONSTANT(2, "2")},
     .help = "training window in m_jj, GeV, half-open"},
    SCALAR(cutoff, WIRE_F64,
           "if finite, a jet whose least score is above it is noise, which is the last cluster, "
           "clusters - 1; infinity: none"),
    COLUMN(prototype, WIRE_F32, 0, 2, EXTENTS(OF(prototypes), OF(pixels)),
           "c, before smearing, power applied"),
    COLUMN(scale, WIRE_F64, 0, 1, EXTENTS(OF(prototypes)),
           "of a score, scale abs(x - c)^2 + bias; above 0"),
    COLUMN(bias, WIRE_F64, 0, 1, EXTENTS(OF(prototypes)), "of a score"),
    COLUMN(map, WIRE_U16, 0, 1, EXTENTS(OF(prototypes)),
           "cluster of the jets whose least score is this prototype's, the first of equal ones"),
};
#undef T

/* The counts of a slice stand in two messages: S is the path to the struct inside T. */
#define SPECTRA_FIELD(member, kind_, help_)                                                      \
    {                                                                                            \
        .name = #member, .kind = kind_, .storage = WIRE_SCALAR, .offset = offsetof(T, S member), \
        .help = help_                                                                            \
    }
#define SPECTRA_FIELDS                                                                       \
    SPECTRA_FIELD(generation, WIRE_U32, "of the models"),                                    \
        SPECTRA_FIELD(members, WIRE_U32, "of the ensemble"),                                 \
        SPECTRA_FIELD(clusters, WIRE_U32, "k"), SPECTRA_FIELD(bins, WIRE_U32, "in m_jj"),    \
        SPECTRA_FIELD(slice, WIRE_U64, "counted up to and with this one"),                   \
        {.name = "read",                                                                     \
         .kind = WIRE_U64,                                                                   \
         .storage = WIRE_SCALAR,                                                             \
         .offset = offsetof(T, S tally.read),                                                \
         .help = "rows so far"},                                                             \
        {.name = "counted",                                                                  \
         .kind = WIRE_U64,                                                                   \
         .storage = WIRE_SCALAR,                                                             \
         .offset = offsetof(T, S tally.counted),                                             \
         .help = "rows with two jets and both images, at any mass"},                         \
        {.name = "quarantined",                                                              \
         .kind = WIRE_U64,                                                                   \
         .storage = WIRE_SCALAR,                                                             \
         .offset = offsetof(T, S tally.quarantined),                                         \
         .help = "rows"},                                                                    \
        {.name = "dropped",                                                                  \
         .kind = WIRE_U64,                                                                   \
         .storage = WIRE_INLINE,                                                             \
         .offset = offsetof(T, S tally.dropped),                                             \
         .extents = 1,                                                                       \
         .extent = {CONSTANT(DROP_REASONS, "reasons")},                                      \
         .help = "rows per reason, as in image_batch"},                                      \
        SPECTRA_FIELD(in_window, WIRE_U64, "events with m_jj inside the spectrum"),          \
        SPECTRA_FIELD(labelled, WIRE_U64, "those of them whose label is known"),             \
        SPECTRA_FIELD(digest, WIRE_U64,                                                      \
                      "sum modulo 2^64 of a hash of (source, row) of the in_window events"), \
        {.name = "counts",                                                                   \
         .kind = WIRE_U64,                                                                   \
         .storage = WIRE_COLUMN,                                                             \
         .offset = offsetof(T, S counts),                                                    \
         .extents = 3,                                                                       \
         .extent = {OF_SPECTRA(members), OF_SPECTRA(clusters), OF_SPECTRA(bins)},            \
         .help = "jets"},                                                                    \
    {                                                                                        \
        .name = "signal", .kind = WIRE_U64, .storage = WIRE_COLUMN,                          \
        .offset = offsetof(T, S signal), .extents = 3,                                       \
        .extent = {OF_SPECTRA(members), OF_SPECTRA(clusters), OF_SPECTRA(bins)},             \
        .help = "jets of events with label 1"                                                \
    }
#define OF_SPECTRA(member)                                       \
    {                                                            \
        .of = offsetof(T, S member), .times = 1, .text = #member \
    }

#define T struct spectra_record
#define S
static const struct wire_field spectra_fields[] = {SPECTRA_FIELDS};
#undef S
#undef T

#define T                  struct selection_record
#define S                  summed.
#define PER_MEMBER_AND_BIN EXTENTS(OF_SPECTRA(members), OF_SPECTRA(bins))
static const struct wire_field selection_fields[] = {
    SPECTRA_FIELDS,
    COLUMN(z, WIRE_F64, 0, 3, EXTENTS(OF_SPECTRA(members), OF_SPECTRA(clusters), OF_SPECTRA(bins)),
           "standardised spectra"),
    COLUMN(label, WIRE_U8, 0, 2, EXTENTS(OF_SPECTRA(members), OF_SPECTRA(clusters)),
           "1: signal-rich"),
    COLUMN(rich, WIRE_U64, 0, 2, PER_MEMBER_AND_BIN, "jets in signal-rich clusters"),
    COLUMN(depleted, WIRE_U64, 0, 2, PER_MEMBER_AND_BIN, "jets in the other clusters"),
    COLUMN(background, WIRE_F64, 0, 2, PER_MEMBER_AND_BIN,
           "depleted, scaled to the sum of the rich spectrum"),
};
#undef PER_MEMBER_AND_BIN
#undef S
#undef T

#define T struct score_record
static const struct wire_field score_fields[] = {
    SCALAR(members, WIRE_U32, "of the ensemble"),
    SCALAR(slice, WIRE_U64, "scored up to and with this one"),
    SCALAR(read, WIRE_U64, "rows so far"),
    SCALAR(mean, WIRE_F64, "of mls over the members"),
    SCALAR(median, WIRE_F64, "of mls over the members"),
    SCALAR(max, WIRE_F64, "of mls over the members"),
    SCALAR(min, WIRE_F64, "of mls over the members"),
    COLUMN(mls, WIRE_F64, 0, 1, EXTENTS(OF(members)), "maximum local significance"),
    COLUMN(bin, WIRE_I32, 0, 1, EXTENTS(OF(members)), "its bin, -1: none"),
};
#undef T

#define T struct scan_record
static const struct wire_field scan_fields[] = {
    SCALAR(slice, WIRE_U64, "scanned up to and with this one"),
    SCALAR(read, WIRE_U64, "rows so far"),
    SCALAR(events, WIRE_U64, "of them with m_jj inside the spectrum"),
    SCALAR(windows, WIRE_U32, "searched; 0: too few mass bins hold events"),
    SCALAR(toys, WIRE_U32, "0: there is no p-value"),
    SCALAR(largest, WIRE_U32, "window with the largest pull"),
    SCALAR(reached, WIRE_U32, "toys whose largest pull is at least that"),
    SCALAR(extrapolated, WIRE_U32,
           "1: the p-value is that of a gamma with the mean, variance and skewness of the toys"),
    SCALAR(s, WIRE_F64, "the largest pull"),
    SCALAR(ln_p, WIRE_F64, "p-value, corrected for all windows and classes of this slice"),
    SCALAR(z, WIRE_F64, "the same in standard deviations of a Gaussian, one-sided"),
    COLUMN(first, WIRE_U32, 0, 1, EXTENTS(OF(windows)), "first mass bin"),
    COLUMN(bins, WIRE_U32, 0, 1, EXTENTS(OF(windows)), "how many mass bins"),
    COLUMN(t, WIRE_F64, 0, 1, EXTENTS(OF(windows)), "statistic"),
    COLUMN(null_mean, WIRE_F64, 0, 1, EXTENTS(OF(windows)), "mean of t over the toys"),
    COLUMN(null_sd, WIRE_F64, 0, 1, EXTENTS(OF(windows)), "standard deviation of t over the toys"),
};
#undef T

#define T struct control_grant
static const struct wire_field grant_fields[] = {
    SCALAR(name, WIRE_TEXT, "stage that grants"),
    SCALAR(replica, WIRE_U32, "its copy"),
    SCALAR(incarnation, WIRE_U64, "random; a restarted copy has another"),
    SCALAR(epoch, WIRE_U64, "the producer's, from its alive message; 0: not known yet"),
    SCALAR(received, WIRE_U64, "batches of that producer epoch that have arrived"),
    SCALAR(total, WIRE_U64, "batches it takes from that producer epoch in all"),
};
#undef T
#define T struct control_alive
static const struct wire_field alive_fields[] = {
    SCALAR(epoch, WIRE_U64, "incarnation of the producer"),
};
#undef T
#define T struct control_pull
static const struct wire_field pull_fields[] = {
    SCALAR(name, WIRE_TEXT, "stage that pulls"),
    SCALAR(replica, WIRE_U32, "its copy"),
    SCALAR(incarnation, WIRE_U64, "random; a restarted copy has another"),
    SCALAR(from, WIRE_U64, "first index wanted"),
    SCALAR(until, WIRE_U64, "one past the last; only grows"),
    SCALAR(modulus, WIRE_U64, "items with index mod modulus = remainder, 1: all"),
    SCALAR(remainder, WIRE_U64, "below modulus"),
    {.name = "mass",
     .kind = WIRE_F64,
     .storage = WIRE_INLINE,
     .offset = offsetof(T, mass),
     .extents = 1,
     .extent = {CONSTANT(2, "2")},
     .help = "image batches: only events with mass[0] <= m_jj < mass[1], GeV"},
};
#undef T
#define T struct control_end
static const struct wire_field end_fields[] = {
    SCALAR(total, WIRE_U64, "items of the producer before any filter"),
};
#undef T
#define T struct control_reader
static const struct wire_field reader_fields[] = {
    SCALAR(source, WIRE_U32, "number of the source, in the order of the topology file"),
    SCALAR(incarnation, WIRE_U64, "random; a restarted reader has another"),
    SCALAR(batches, WIRE_U64, "of the source; 2^64 - 1: not known yet"),
    SCALAR(rows, WIRE_U64, "of the source, when batches is known"),
};
#undef T
#define T struct control_received
static const struct wire_field received_fields[] = {
    SCALAR(source, WIRE_U32, "of the batch"),
    SCALAR(seq, WIRE_U64, "of the batch"),
};
#undef T
#define T struct control_durable
static const struct wire_field durable_fields[] = {
    SCALAR(source, WIRE_U32, "whose batches these are"),
    SCALAR(epoch, WIRE_U64, "of the log; grows when it restarts"),
    SCALAR(watermark, WIRE_U64, "batches below are on disk"),
    {.name = "bitmap",
     .kind = WIRE_U8,
     .storage = WIRE_BYTES,
     .offset = offsetof(T, bitmap),
     .help = "bit i (byte i / 8, bit i mod 8): batch watermark + i has arrived in memory"},
};
#undef T

#define T struct control_handed
static const struct wire_field handed_fields[] = {
    SCALAR(source, WIRE_U32, "of the batch"),
    SCALAR(seq, WIRE_U64, "of the batch"),
    SCALAR(first_row, WIRE_U64, "over all files of the source"),
    SCALAR(rows, WIRE_U32, "of the batch"),
};
#undef T
#define T struct control_refused
static const struct wire_field refused_fields[] = {
    SCALAR(source, WIRE_U32, "of the batch"),
    SCALAR(seq, WIRE_U64, "of the batch"),
    {.name = "reason",
     .kind = WIRE_U8,
     .storage = WIRE_BYTES,
     .offset = offsetof(T, reason),
     .help = "UTF-8 text for people"},
};
#undef T
#define T struct control_quarantine
static const struct wire_field quarantine_fields[] = {
    SCALAR(source, WIRE_U32, "of the batch"),
    SCALAR(seq, WIRE_U64, "of the batch"),
    SCALAR(first_row, WIRE_U64, "over all files of the source"),
    SCALAR(rows, WIRE_U32, "of the batch, none of them counted"),
};
#undef T

#define SCHEMA(name_, type, fields_, help_)                                       \
    {                                                                             \
        .name = name_, .help = help_, .size = sizeof(type), .n = LENGTH(fields_), \
        .fields = fields_                                                         \
    }

/* A batch is never larger than the run's own. */
static const char *event_fault(const void *record, const struct wire_limits *limits)
{
    const struct event_batch *batch = record;
    if (batch->events > limits->batch)
        return "it has more rows than analysis.stream.batch";
    return event_batch_fault(batch);
}

static const char *image_fault(const void *record, const struct wire_limits *limits)
{
    const struct image_batch *batch = record;
    if (batch->read > limits->batch || batch->events > batch->read)
        return "it has more rows than analysis.stream.batch";
    return image_batch_fault(batch, limits->pixels);
}

static const char *model_fault(const void *record, const struct wire_limits *limits)
{
    const struct model_record *model = record;
    if (model->pixels != limits->pixels)
        return "its images are not those of analysis.image.pixels";
    return model_record_fault(model);
}

static const char *scan_fault(const void *record, const struct wire_limits *limits)
{
    (void)limits;
    return scan_record_fault(record);
}

static const struct wire_schema *own[WIRE_OWN_TYPES];

static bool is_own(unsigned type)
{
    return type >= WIRE_OWN_FIRST && type < WIRE_OWN_FIRST + WIRE_OWN_TYPES;
}

void wire_schema_add(unsigned type, const struct wire_schema *schema)
{
    assert(is_own(type) && schema->size <= WIRE_OWN_BYTES);
    own[type - WIRE_OWN_FIRST] = schema;
}

const struct wire_schema *wire_schema_find(unsigned type)
{
    static const struct wire_schema messages[MESSAGE_TYPES] = {
        [MESSAGE_EVENT_BATCH] = {.name = "event_batch",
                                 .help = "n consecutive rows of one file of one source",
                                 .size = sizeof(struct event_batch),
                                 .n = LENGTH(event_batch_fields),
                                 .fields = event_batch_fields,
                                 .events = offsetof(struct event_batch, events),
                                 .fault = event_fault},
        [MESSAGE_IMAGE_BATCH] = {.name = "image_batch",
                                 .help = "those of the rows that have two jets, as sparse images",
                                 .size = sizeof(struct image_batch),
                                 .n = LENGTH(image_batch_fields),
                                 .fields = image_batch_fields,
                                 .events = offsetof(struct image_batch, events),
                                 .fault = image_fault},
        [MESSAGE_MODEL] = {.name = "model",
                           .help = "one trained member of the ensemble",
                           .size = sizeof(struct model_record),
                           .n = LENGTH(model_fields),
                           .fields = model_fields,
                           .fault = model_fault},
        [MESSAGE_SPECTRA] = SCHEMA("spectra", struct spectra_record, spectra_fields,
                                   "one accumulator's counts from the start up to a slice"),
        [MESSAGE_SELECTION] = SCHEMA("selection", struct selection_record, selection_fields,
                                     "what the selector made of the summed spectra of a slice"),
        [MESSAGE_SCORE] =
            SCHEMA("score", struct score_record, score_fields, "the answer after a slice"),
        [MESSAGE_SCAN] = {.name = "scan",
                          .help = "the composition scan after a slice",
                          .size = sizeof(struct scan_record),
                          .n = LENGTH(scan_fields),
                          .fields = scan_fields,
                          .fault = scan_fault},
    };
    static const struct wire_schema controls[CONTROL_LAST - CONTROL_GRANT] = {
        SCHEMA("grant", struct control_grant, grant_fields,
               "intake consumer to producer, once a second and when it changes"),
        SCHEMA("alive", struct control_alive, alive_fields,
               "producer to consumer, in answer to every grant and pull"),
        SCHEMA("pull", struct control_pull, pull_fields,
               "feed consumer to producer, once a second and when it changes"),
        SCHEMA("end", struct control_end, end_fields, "feed producer to consumer, at the end"),
        SCHEMA("reader", struct control_reader, reader_fields,
               "event reader to log, once a second and when it changes"),
        SCHEMA("received", struct control_received, received_fields,
               "log to event reader: stops the resend timer"),
        SCHEMA("durable", struct control_durable, durable_fields,
               "log to event reader, after a segment is sealed and in answer to reader"),
        SCHEMA("handed", struct control_handed, handed_fields,
               "event reader to log, before a batch is handed out; may be left out"),
        SCHEMA("refused", struct control_refused, refused_fields,
               "log to event reader, or worker to event reader on their edge: not taken"),
        SCHEMA("quarantine", struct control_quarantine, quarantine_fields,
               "event reader to log, once a second until the batch is on disk: given up"),
    };
    if (type > MESSAGE_NONE && type < MESSAGE_TYPES)
        return &messages[type];
    if (is_own(type))
        return own[type - WIRE_OWN_FIRST];
    if (type >= CONTROL_GRANT && type < CONTROL_LAST)
        return &controls[type - CONTROL_GRANT];
    return NULL;
}

bool wire_is_message(unsigned type)
{
    return type < CONTROL_GRANT && wire_schema_find(type) != NULL;
}

unsigned wire_message_find(const char *name)
{
    for (unsigned type = MESSAGE_NONE + 1; type < CONTROL_GRANT; type++) {
        const struct wire_schema *schema = wire_schema_find(type);
        if (schema != NULL && strcmp(schema->name, name) == 0)
            return type;
    }
    return MESSAGE_NONE;
}

uint32_t wire_record_events(unsigned type, const void *record)
{
    const struct wire_schema *schema = wire_schema_find(type);
    uint32_t events = 0;
    if (schema != NULL && schema->events > 0)
        memcpy(&events, (const char *)record + schema->events, sizeof events);
    return events;
}

const char *wire_record_fault(unsigned type, const void *record, const struct wire_limits *limits)
{
    const struct wire_schema *schema = wire_schema_find(type);
    return schema != NULL && schema->fault != NULL ? schema->fault(record, limits) : NULL;
}

static const struct {
    size_t size;
    const char *name;
} kinds[] = {
    [WIRE_U8] = {1, "u8"},   [WIRE_I8] = {1, "i8"},   [WIRE_U16] = {2, "u16"},
    [WIRE_U32] = {4, "u32"}, [WIRE_I32] = {4, "i32"}, [WIRE_U64] = {8, "u64"},
    [WIRE_F32] = {4, "f32"}, [WIRE_F64] = {8, "f64"}, [WIRE_TEXT] = {WIRE_TEXT_SIZE, "text"},
};

size_t wire_kind_size(enum wire_kind kind)
{
    assert(kind < LENGTH(kinds));
    return kinds[kind].size;
}

const char *wire_kind_name(enum wire_kind kind)
{
    assert(kind < LENGTH(kinds));
    return kinds[kind].name;
}
