/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/result_renewal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/results/result_output.h"

status result_renewal_init(struct result_renewal *self, const json_t *settings, const char *run_id)
{
    const char *results = json_string_value(json_object_get(settings, "results"));
    const json_t *every = json_object_get(settings, "every");
    const double usual_s = 5;
    *self = (struct result_renewal){.run_id = run_id};
    if (results == NULL) {
        log_error("settings.results is missing: where shall the result file go?");
        return STATUS_BAD_INPUT;
    }
    self->every_ms =
        (uint64_t)(1000 * (json_is_number(every) ? json_number_value(every) : usual_s));
    self->path = realpath(results, NULL); /* a link stays: the file that it names is replaced */
    if (self->path == NULL)
        self->path = strdup(results);
    return self->path != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void result_renewal_fini(struct result_renewal *self)
{
    free(self->path);
    *self = (struct result_renewal){0};
}

status result_renewal_check(struct result_renewal *self, bool *due)
{
    const uint64_t now = clock_ms();
    *due = false;
    if (self->written_ms == 0) {
        const status done = result_output_make_way(self->path, self->run_id, &self->final_there);
        if (done != STATUS_OK)
            return done;
    } else if (now - self->written_ms < self->every_ms) {
        return STATUS_OK;
    }
    self->written_ms = now;
    *due = !self->final_there;
    return STATUS_OK;
}
