/* SPDX-License-Identifier: GPL-3.0-or-later */
/* topology_draft: a topology while it is read and checked, for the files of this room only. */
#ifndef COMMON_TOPOLOGY_TOPOLOGY_DRAFT_H
#define COMMON_TOPOLOGY_TOPOLOGY_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/topology/schema/schema.h"
#include "common/topology/topology.h"
#include "common/topology/yaml/document.h"

struct topology {
    char *path;
    json_t *top;    /* values of schema_top */
    json_t *names;  /* list: per stage its name */
    json_t *blocks; /* list: per stage the values of schema_stage */
    struct analysis analysis;
    size_t n;
    char **runs;                   /* [n] `run` of each stage as one text */
    struct topology_stage *stages; /* [n] settings and words are owned, texts borrowed from above */
    struct topology_input *edges;  /* what the stages' inputs point into */
};

/* What the checks need beside the stage itself. */
struct draft_stage {
    struct fy_node *key;           /* its name in the file */
    struct fy_node *block;         /* the mapping below it */
    const struct stage_kind *kind; /* NULL: none of ours */
    struct topology_input *inputs; /* those of the stage, to be filled in */
    bool run_known;                /* `run` could be read */
    bool from_known;               /* so could every name in `from` */
    bool settings_known;           /* and all settings */
};

struct draft {
    document *document;
    struct topology *topology;
    struct draft_stage *stages; /* [topology->n] */
    bool top_known;             /* all values of schema_top could be read */
    bool analysis_known;        /* and of schema_analysis */
};

/* Marks `index` and, up to the logs and no further, the stages that its items are made of, models
 * apart; also in a circle. */
void topology_mark_origins(const topology *self, size_t index, bool origin[TOPOLOGY_STAGES_MAX]);

#endif
