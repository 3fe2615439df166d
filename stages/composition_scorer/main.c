/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/composition_scorer/composition_scorer.h"

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .first = MESSAGE_MODEL,
        .merged = MESSAGE_IMAGE_BATCH,
        .filter = composition_scorer_filter,
        .process = composition_scorer_process,
        .finish = composition_scorer_finish,
        .work = composition_scorer_work,
    };
    static const struct stage composition_scorer = {
        .name = "composition_scorer",
        .create = composition_scorer_create,
        .destroy = composition_scorer_destroy,
        .describe = composition_scorer_describe,
        .feed = &feed,
    };
    return stage_main(&composition_scorer, argc, argv);
}
