/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_labels.h"

#include <stdio.h>
#include <string.h>

void event_labels_usual(struct event_labels *out)
{
    memset(out->meaning, -1, sizeof out->meaning);
    out->meaning[128] = 0;
    out->meaning[129] = 1;
}

void event_labels_from_settings(struct event_labels *out, const json_t *settings)
{
    const json_t *lists[2] = {json_object_get(settings, "labels.background"),
                              json_object_get(settings, "labels.signal")};
    if (lists[0] == NULL && lists[1] == NULL) {
        event_labels_usual(out);
        return;
    }
    memset(out->meaning, -1, sizeof out->meaning);
    for (int8_t meaning = 0; meaning < 2; meaning++)
        for (size_t i = 0; i < json_array_size(lists[meaning]); i++)
            out->meaning[(json_integer_value(json_array_get(lists[meaning], i)) + 128) & 255] =
                meaning;
}

void event_labels_list(const struct event_labels *self, size_t size, char out[])
{
    size_t used = 0;
    out[0] = '\0';
    for (int l = 0; l < 256 && used < size; l++)
        if (self->meaning[l] >= 0)
            used +=
                (size_t)snprintf(out + used, size - used, "%s%d", used > 0 ? " or " : "", l - 128);
}
