/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/stage_heartbeat.h"

#include <stdio.h>
#include <unistd.h>

#include "common/base/printable.h"
#include "common/flow/heartbeat/heartbeat.h"
#include "common/flow/heartbeat/heartbeat_socket.h"

static void copy_name(const char *name, size_t size, char out[])
{
    snprintf(out, size, "%s", name);
}

/* Each input of a feed, with the next item that is requested from it. */
static void describe_inputs(const struct runtime *runtime, const struct role *role,
                            struct heartbeat *out)
{
    const struct stage_setup *setup = &runtime->given.setup;
    if (role->next == NULL || runtime->role == NULL)
        return;
    for (; out->n_inputs < setup->n_inputs && out->n_inputs < HEARTBEAT_INPUTS_MAX;
         out->n_inputs++) {
        struct heartbeat_input *input = &out->input[out->n_inputs];
        copy_name(setup->inputs[out->n_inputs].stage, sizeof input->stage, input->stage);
        input->next = role->next(runtime, out->n_inputs);
    }
}

/* Flow control: why the process is idle, its credits, and its inputs. */
static void describe_flow(const struct runtime *runtime, struct heartbeat *out)
{
    static const char *const waits[] = {[WAIT_FOR_INPUT] = "input",
                                        [WAIT_FOR_OUTPUT] = "output",
                                        [WAIT_FOR_LOG] = "log",
                                        [WAIT_FOR_FILES] = "files",
                                        [WAIT_FOR_DISK] = "disk"};
    const struct role *role = role_of(runtime->stage);
    struct role_flow flow = {.wait = WAIT_FOR_DISK}; /* holds until the role is open */
    if (runtime->role != NULL)
        role->describe_flow(runtime, &flow);
    const struct stage_setup *setup = &runtime->given.setup;
    copy_name(waits[flow.wait], sizeof out->waits, out->waits);
    if (flow.wait == WAIT_FOR_INPUT && flow.waits_input < setup->n_inputs)
        copy_name(setup->inputs[flow.waits_input].stage, sizeof out->waits_for, out->waits_for);
    out->credits = flow.credits;
    out->used = flow.used;
    out->lag = flow.lag;
    describe_inputs(runtime, role, out);
}

void stage_heartbeat_send(struct runtime *runtime, unsigned idle)
{
    if (runtime->monitor == NULL)
        return;
    const struct tally *tally = &runtime->tally;
    struct heartbeat heartbeat = {.replica = runtime->given.setup.replica,
                                  .pid = (uint64_t)getpid(),
                                  .finished = runtime->finished,
                                  .items = runtime->items,
                                  .events = runtime->events,
                                  .refused = runtime->flow.refused,
                                  .rows = runtime->total_rows,
                                  .read = tally->read,
                                  .counted = tally->counted,
                                  .dropped = tally_dropped(tally),
                                  .growing = runtime->growing,
                                  .idle = idle};
    copy_name(runtime->given.setup.name, sizeof heartbeat.stage, heartbeat.stage);
    char said[HEARTBEAT_TEXT_SIZE] = ""; /* a name in it may be no UTF-8, or cut */
    if (runtime->stage->describe != NULL && runtime->self != NULL)
        runtime->stage->describe(runtime->self, sizeof said, said);
    text_printable(said, sizeof heartbeat.text, heartbeat.text);
    describe_flow(runtime, &heartbeat);
    char text[HEARTBEAT_BYTES_MAX];
    if (heartbeat_pack(&heartbeat, sizeof text, text) > 0)
        heartbeat_socket_send(runtime->monitor, text);
}
