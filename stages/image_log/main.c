/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/image_log.h"

int main(int argc, char **argv)
{
    static const struct stage_log log = {
        .fault = image_log_fault,
        .process = image_log_process,
        .give_up = image_log_give_up,
        .source_end = image_log_source_end,
        .state = image_log_state,
        .seal = image_log_seal,
        .complete = image_log_complete,
        .tally = image_log_tally,
        .item = image_log_item,
    };
    static const struct stage image_log = {
        .name = "image_log",
        .create = image_log_create,
        .destroy = image_log_destroy,
        .describe = image_log_describe,
        .log = &log,
    };
    return stage_main(&image_log, argc, argv);
}
