/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/message_type.h"

#include <assert.h>
#include <string.h>

static const char *const message_names[MESSAGE_TYPES] = {
    [MESSAGE_NONE] = "none",
    [MESSAGE_EVENT_BATCH] = "event_batch",
    [MESSAGE_IMAGE_BATCH] = "image_batch",
    [MESSAGE_MODEL] = "model",
    [MESSAGE_SPECTRA] = "spectra",
    [MESSAGE_SELECTION] = "selection",
    [MESSAGE_SCORE] = "score",
    [MESSAGE_SCAN] = "scan",
};

const char *message_type_name(enum message_type type)
{
    assert(type < MESSAGE_TYPES);
    return message_names[type];
}

enum message_type message_type_find(const char *name)
{
    unsigned type = 0;
    while (type < MESSAGE_TYPES && strcmp(message_names[type], name) != 0)
        type++;
    return (enum message_type)type;
}
