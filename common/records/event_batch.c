/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/event_batch.h"

#include <stddef.h>

#include "common/records/column_fault.h"

const char *event_batch_fault(const struct event_batch *batch)
{
    const char *fault = column_offset_fault(batch->events, batch->offset, batch->particles);
    return fault != NULL ? fault : column_label_fault(batch->events, batch->label, 0);
}
