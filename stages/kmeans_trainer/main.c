/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/kmeans_trainer/kmeans_trainer.h"

int main(int argc, char **argv)
{
    static const struct stage_feed feed = {
        .merged = MESSAGE_IMAGE_BATCH,
        .filter = kmeans_trainer_filter,
        .process = kmeans_trainer_process,
        .finish = kmeans_trainer_finish,
        .work = kmeans_trainer_work,
    };
    static const struct stage kmeans_trainer = {
        .name = "kmeans_trainer",
        .create = kmeans_trainer_create,
        .destroy = kmeans_trainer_destroy,
        .describe = kmeans_trainer_describe,
        .feed = &feed,
    };
    return stage_main(&kmeans_trainer, argc, argv);
}
