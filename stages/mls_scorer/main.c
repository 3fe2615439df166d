/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/mls_scorer/mls_scorer.h"

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .first = MESSAGE_MODEL,
        .process = mls_scorer_process,
        .finish = mls_scorer_finish,
    };
    static const struct stage mls_scorer = {
        .name = "mls_scorer",
        .create = mls_scorer_create,
        .destroy = mls_scorer_destroy,
        .describe = mls_scorer_describe,
        .feed = &feed,
    };
    return stage_main(&mls_scorer, argc, argv);
}
