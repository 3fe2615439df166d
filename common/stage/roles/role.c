/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/roles/role.h"

#include <stddef.h>

const struct role *role_of(const struct stage *stage)
{
    static const struct role *const roles[] = {[ROLE_SOURCE] = &role_source,
                                               [ROLE_WORKER] = &role_worker,
                                               [ROLE_LOG] = &role_log,
                                               [ROLE_FEED] = &role_feed};
    return roles[stage_role_of(stage)];
}

const char *runtime_fault(const struct runtime *runtime, size_t input,
                          const struct wire_header *header, const union record *record)
{
    const struct analysis *analysis = &runtime->given.setup.analysis;
    const struct wire_limits limits = {.batch = analysis->stream.batch,
                                       .pixels = analysis->image.pixels * analysis->image.pixels};
    if (header->type != runtime->given.setup.inputs[input].type)
        return "this edge carries another type";
    return wire_record_fault(header->type, record, &limits);
}
