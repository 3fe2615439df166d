/* SPDX-License-Identifier: GPL-3.0-or-later */
/* message_type: the messages that pass along edges. */
#ifndef COMMON_RECORDS_MESSAGE_TYPE_H
#define COMMON_RECORDS_MESSAGE_TYPE_H

#include <stdint.h>

/* The messages that pass along edges. Numbers are part of the wire format. */
enum message_type {
    MESSAGE_NONE = 0, /* a stage without output */
    MESSAGE_EVENT_BATCH,
    MESSAGE_IMAGE_BATCH,
    MESSAGE_MODEL,
    MESSAGE_SPECTRA,
    MESSAGE_SELECTION,
    MESSAGE_SCORE,
    MESSAGE_SCAN,
    MESSAGE_TYPES
};
/* "event_batch", ...; "none" for MESSAGE_NONE. */
const char *message_type_name(enum message_type type);
/* The type of that name, MESSAGE_TYPES if there is none. */
enum message_type message_type_find(const char *name);
/* A record's bytes on the wire before compression: no larger one is sent or taken. */
#define MESSAGE_BYTES_MAX ((uint64_t)1 << 28)

#endif
