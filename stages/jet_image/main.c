/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/jet_image/jet_image.h"

int main(int argc, char **argv)
{
    static const struct stage_worker worker = {
        .process = jet_image_process,
    };
    static const struct stage jet_image = {
        .name = "jet_image",
        .create = jet_image_create,
        .destroy = jet_image_destroy,
        .describe = jet_image_describe,
        .worker = &worker,
    };
    return stage_main(&jet_image, argc, argv);
}
