/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/spectrum_accumulator/spectrum_accumulator.h"

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .first = MESSAGE_MODEL,
        .merged = MESSAGE_IMAGE_BATCH,
        .filter = spectrum_accumulator_filter,
        .process = spectrum_accumulator_process,
        .finish = spectrum_accumulator_finish,
    };
    static const struct stage spectrum_accumulator = {
        .name = "spectrum_accumulator",
        .create = spectrum_accumulator_create,
        .destroy = spectrum_accumulator_destroy,
        .feed = &feed,
    };
    return stage_main(&spectrum_accumulator, argc, argv);
}
