/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/events/result_logs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static status add_log(struct result_logs *self, const char *state, size_t length, const char *id)
{
    self->id[self->n] = strndup(id, length);
    if (asprintf(&self->folder[self->n], "%s/%.*s", state, (int)length, id) < 0)
        self->folder[self->n] = NULL;
    const bool whole = self->id[self->n] != NULL && self->folder[self->n] != NULL;
    self->n++;
    return whole ? STATUS_OK : STATUS_NO_MEMORY;
}

status result_logs_list(struct result_logs *out, const char *state, const char *log_ids)
{
    size_t room = 1;
    for (const char *c = log_ids; *c != '\0'; c++)
        room += *c == ',';
    *out = (struct result_logs){.id = calloc(room, sizeof(char *)),
                                .folder = calloc(room, sizeof(char *))};
    status done = out->id != NULL && out->folder != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (const char *id = log_ids; done == STATUS_OK && id != NULL;) {
        const size_t length = strcspn(id, ",");
        done = add_log(out, state, length, id);
        id = id[length] == ',' ? id + length + 1 : NULL;
    }
    if (done != STATUS_OK)
        result_logs_fini(out);
    return done;
}

void result_logs_fini(struct result_logs *self)
{
    for (size_t i = 0; i < self->n; i++) {
        free(self->id[i]);
        free(self->folder[i]);
    }
    free(self->id);
    free(self->folder);
    *self = (struct result_logs){0};
}
