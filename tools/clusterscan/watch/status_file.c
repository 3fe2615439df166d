/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/watch/status_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/watch/run_summary.h"

enum { EVERY_MS = 1000, PATH_SIZE = 4300 };

void status_file_init(struct status_file *self, const char *folder, const char *watch)
{
    *self = (struct status_file){.folder = folder, .watch = watch, .start_ms = clock_ms()};
}

static void write_file(const char *folder, json_t *object)
{
    char path[PATH_SIZE];
    char temporary[PATH_SIZE];
    snprintf(path, sizeof path, "%.4090s/" STATUS_FILE_NAME, folder);
    snprintf(temporary, sizeof temporary, "%.4090s/." STATUS_FILE_NAME, folder);
    /* No fsync: it is worth nothing after the power is gone. */
    if (object == NULL || json_dump_file(object, temporary, JSON_INDENT(2)) != 0 ||
        rename(temporary, path) != 0)
        unlink(temporary);
}

void status_file_show(struct status_file *self, const struct watched_run *run)
{
    const uint64_t now = clock_ms();
    if (now - self->shown_ms < EVERY_MS)
        return;
    self->shown_ms = now;
    json_t *object = run_summary_to_json(run, (now - self->start_ms) / 1000);
    json_object_set_new(object, "watch", json_string(self->watch));
    write_file(self->folder, object);
    json_decref(object);
}

void status_file_refer(const char *folder, const char *first_log_id)
{
    json_t *object = json_pack("{s:s}", "part_of", first_log_id);
    write_file(folder, object);
    json_decref(object);
}

void status_file_end(struct status_file *self, const struct watched_run *run, enum exit_code code)
{
    json_t *object = run_summary_to_json(run, (clock_ms() - self->start_ms) / 1000);
    json_object_set_new(object, "exit_code", json_integer(code));
    write_file(self->folder, object);
    json_decref(object);
}
