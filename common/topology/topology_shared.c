/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/topology_shared.h"

#include <stdio.h>
#include <string.h>

/* The key of `analysis` of the member at that offset; offsets are those of different members. */
static const struct key *analysis_key(size_t offset)
{
    const struct key *key = schema_analysis;
    while (key->path != NULL && (key->size == 0 || key->offset != offset))
        key++;
    return key;
}

/* analysis.GROUP.NAME in the file. */
static struct key_entry entry_in_analysis(const struct draft *self, const struct key *key)
{
    struct fy_node *node = document_root(self->document);
    char path[64];
    char *rest = path;
    struct key_entry entry = {.key = NULL};
    strncpy(path, key->path, sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (const char *name = strtok_r(path, ".", &rest); name != NULL;
         name = strtok_r(NULL, ".", &rest)) {
        entry = key_entry_find(node, name);
        node = entry.value;
    }
    return entry;
}

/* The setting of that stage in the file. */
static struct key_entry entry_in_settings(const struct draft *self, size_t stage,
                                          const struct key *key)
{
    return key_entry_find(key_entry_find(self->stages[stage].block, "settings").value, key->path);
}

/* Where the first stage before `stage` sets the value at `offset` of struct analysis, and that
 * stage; both NULL: none does. */
static struct key_entry earlier_entry(const struct draft *self, size_t stage, size_t offset,
                                      size_t *where)
{
    struct key_entry entry = {.key = NULL};
    for (size_t i = 0; i < stage && entry.key == NULL; i++) {
        const struct stage_kind *kind = self->stages[i].kind;
        const struct key *key = kind != NULL ? kind->settings : NULL;
        while (key != NULL && key->path != NULL && (key->size == 0 || key->offset != offset))
            key++;
        if (key == NULL || key->path == NULL)
            continue;
        entry = entry_in_settings(self, i, key);
        *where = i;
    }
    return entry;
}

struct key_entry draft_shared_entry(const struct draft *self, size_t offset)
{
    size_t where;
    const struct key_entry entry = entry_in_analysis(self, analysis_key(offset));
    return entry.key != NULL ? entry : earlier_entry(self, self->topology->n, offset, &where);
}

/* giver: what else names the value. */
static void note_conflict(struct draft *self, size_t stage, const struct key *key,
                          const json_t *value, const json_t *other, const char *giver)
{
    char own[200], given[200];
    const struct key_entry entry = entry_in_settings(self, stage, key);
    key_describe(value, sizeof own, own);
    key_describe(other, sizeof given, given);
    document_mistake(self->document, entry.value, entry.key,
                     "stages.%s.settings.%s is %s, but %s is %s: give one of them",
                     self->topology->stages[stage].name, key->path, own, giver, given);
}

static void share(struct draft *self, size_t stage, const struct key *key, const json_t *value)
{
    struct analysis *analysis = &self->topology->analysis;
    const struct key *of_all = analysis_key(key->offset);
    json_t *known = key_fetch(of_all, analysis);
    size_t earlier = 0;
    char giver[128];
    snprintf(giver, sizeof giver, "%s", of_all->path);
    bool given = entry_in_analysis(self, of_all).key != NULL;
    if (!given && earlier_entry(self, stage, key->offset, &earlier).key != NULL) {
        given = true;
        snprintf(giver, sizeof giver, "stages.%s.settings.%s", self->topology->stages[earlier].name,
                 key->path);
    }
    if (known == NULL)
        document_no_memory(self->document);
    else if (given && !json_equal(known, value))
        note_conflict(self, stage, key, value, known, giver);
    else
        key_store(key, value, analysis);
    json_decref(known);
}

void draft_share_settings(struct draft *self)
{
    for (size_t i = 0; i < self->topology->n; i++) {
        const struct draft_stage *stage = &self->stages[i];
        json_t *settings = self->topology->stages[i].settings;
        const struct key *key = stage->kind != NULL ? stage->kind->settings : NULL;
        for (; key != NULL && key->path != NULL; key++) {
            const json_t *value = json_object_get(settings, key->path);
            if (key->size == 0)
                continue;
            if (stage->settings_known && self->analysis_known && !json_is_null(value) &&
                value != NULL)
                share(self, i, key, value);
            (void)json_object_del(settings, key->path);
        }
    }
}
