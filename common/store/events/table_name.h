/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table_name: FILE or FILE:KEY, a file or one of the tables in it. */
#ifndef COMMON_STORE_EVENTS_TABLE_NAME_H
#define COMMON_STORE_EVENTS_TABLE_NAME_H

#include "common/base/status.h"

struct table_name {
    char *path;
    char *key; /* without the leading '/'; NULL: whichever table the file has */
};

/* A file of the whole name goes first; else the last ':' counts before which there is one; without
 * any, path is the name. STATUS_NO_MEMORY; *out is to be given to table_name_fini all the same. */
MUST_CHECK status table_name_parse(struct table_name *out, const char *name);
void table_name_fini(struct table_name *self);

#endif
