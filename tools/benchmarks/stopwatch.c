/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stopwatch: scores in, the time at which each of them came out.
 *   in   score  of every slice
 *   out  nothing; settings.out gets a line for each: events read so far, seconds since the epoch
 * Keeps nothing. Started again it writes again from the first: times of a run without deaths only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "common/base/log.h"
#include "common/stage/stage.h"

static status stopwatch_create(void **out, const struct stage_setup *setup)
{
    const char *path = json_string_value(json_object_get(setup->settings, "out"));
    *out = path != NULL ? fopen(path, "w") : NULL;
    if (*out != NULL)
        return STATUS_OK;
    log_error("settings.out is no file that can be written");
    return STATUS_BAD_INPUT;
}

static void stopwatch_destroy(void **state)
{
    if (*state != NULL)
        fclose(*state);
    *state = NULL;
}

static status stopwatch_process(void *state, const struct stage_item *item,
                                struct stage_outlet *outlet)
{
    struct timespec time;
    (void)outlet;
    clock_gettime(CLOCK_REALTIME, &time); /* as the times of files */
    fprintf(state, "%" PRIu64 " %lld.%09ld\n", item->record->score.read, (long long)time.tv_sec,
            time.tv_nsec);
    return fflush(state) == 0 ? STATUS_OK : STATUS_IO;
}

static status stopwatch_finish(void *state, size_t input, uint64_t total,
                               struct stage_outlet *outlet)
{
    (void)state;
    (void)input;
    (void)total;
    (void)outlet;
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {.process = stopwatch_process,
                                           .finish = stopwatch_finish};
    static const struct stage stopwatch = {
        .name = "bench_stopwatch",
        .help = "Notes when each score came.",
        .output = MESSAGE_NONE,
        .create = stopwatch_create,
        .destroy = stopwatch_destroy,
        .feed = &feed,
    };
    return stage_main(&stopwatch, argc, argv);
}
