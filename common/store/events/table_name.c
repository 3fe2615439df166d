/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/table_name.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

status table_name_parse(struct table_name *out, const char *name)
{
    *out = (struct table_name){.path = strdup(name)};
    if (out->path == NULL)
        return STATUS_NO_MEMORY;
    if (access(out->path, F_OK) == 0)
        return STATUS_OK;
    for (char *c = out->path + strlen(out->path); c > out->path; c--) {
        if (*c != ':')
            continue;
        *c = '\0';
        const char *key = c + 1 + strspn(c + 1, "/");
        if (*key != '\0' && access(out->path, F_OK) == 0) {
            out->key = strdup(key);
            return out->key != NULL ? STATUS_OK : STATUS_NO_MEMORY;
        }
        *c = ':';
    }
    return STATUS_OK;
}

void table_name_fini(struct table_name *self)
{
    free(self->path);
    free(self->key);
    *self = (struct table_name){0};
}
