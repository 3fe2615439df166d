/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/event_reader/event_reader.h"

int main(int argc, char **argv)
{
    static const struct stage_source source = {
        .extent = event_reader_extent,
        .read = event_reader_read,
        .grow = event_reader_grow,
        .quarantine = event_reader_quarantine,
    };
    static const struct stage_descriptors descriptors = {.wanted = event_reader_wanted};
    static const struct stage event_reader = {
        .name = "event_reader",
        .create = event_reader_create,
        .destroy = event_reader_destroy,
        .describe = event_reader_describe,
        .descriptors = &descriptors,
        .source = &source,
    };
    return stage_main(&event_reader, argc, argv);
}
