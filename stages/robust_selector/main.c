/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/robust_selector/robust_selector.h"

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .process = robust_selector_process,
        .finish = robust_selector_finish,
    };
    static const struct stage robust_selector = {
        .name = "robust_selector",
        .create = robust_selector_create,
        .destroy = robust_selector_destroy,
        .feed = &feed,
    };
    return stage_main(&robust_selector, argc, argv);
}
