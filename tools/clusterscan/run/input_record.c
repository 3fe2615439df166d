/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/input_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/store/disk/atomic_file.h"
#include "tools/clusterscan/run/input_files.h"

/* contents holds the files, and behind them the masterkey if there is one. */
static json_t *files_of(const json_t *files, const json_t *contents)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(files) && i < json_array_size(contents); i++) {
        const json_t *entry = json_array_get(contents, i);
        json_array_append_new(list, json_pack("{s:O, s:O}", "path", json_object_get(entry, "path"),
                                              "events", json_object_get(entry, "events")));
    }
    return list;
}

static json_t *source_of(const struct plan *plan, size_t s)
{
    const struct topology_stage *stage = topology_stage(plan->flow, s);
    json_t *source = json_pack("{s:s}", "stage", stage->name);
    if (plan->files[s] != NULL && input_files_followed(stage))
        json_object_set(source, "folder", json_array_get(plan->files[s], 0));
    else if (plan->files[s] != NULL)
        json_object_set_new(source, "files", files_of(plan->files[s], plan->contents[s]));
    return source;
}

/* What log k was filled from, in its folder. */
static void write_of_log(const struct plan *plan, size_t k)
{
    json_t *sources = json_array();
    for (size_t s = 0; s < topology_n_stages(plan->flow); s++)
        if (topology_stage(plan->flow, s)->role == ROLE_SOURCE &&
            topology_log_of(plan->flow, s) == k)
            json_array_append_new(sources, source_of(plan, s));
    json_t *record =
        json_pack("{s:s, s:o}", "topology", topology_name(plan->flow), "sources", sources);
    char *text = json_dumps(record, JSON_INDENT(1));
    char path[4200];
    snprintf(path, sizeof path, "%s/" INPUT_RECORD_FILE, plan->log[k].images);
    if (text != NULL && atomic_file_replace(path, strlen(text), text) != STATUS_OK)
        remove(path); /* rather none than one of an earlier run */
    free(text);
    json_decref(record);
}

void input_record_write(const struct plan *plan)
{
    for (size_t k = 0; k < plan->n_logs && !topology_replays(plan->flow); k++)
        write_of_log(plan, k);
}

/* A file that is not regular, as one that would never end, is none of ours. */
static bool is_regular(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0 && S_ISREG(about.st_mode);
}

json_t *input_record_read(const char *folder)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4100s/" INPUT_RECORD_FILE, folder);
    return is_regular(path) ? json_load_file(path, 0, NULL) : NULL;
}

static const json_t *find_source(const json_t *record, uint32_t source)
{
    return json_array_get(json_object_get(record, "sources"), source);
}

const char *input_record_stage(const json_t *record, uint32_t source)
{
    return json_string_value(json_object_get(find_source(record, source), "stage"));
}

/* One line of a reader's journal, if it is of an accepted file. */
static void add_taken(json_t *list, const char *folder, const char *line)
{
    json_t *entry = json_loads(line, 0, NULL);
    const char *name = json_string_value(json_object_get(entry, "file"));
    json_t *events = json_object_get(entry, "events");
    char *path = NULL;
    if (name != NULL && json_is_integer(events) && asprintf(&path, "%s/%s", folder, name) >= 0)
        json_array_append_new(list, json_pack("{s:s, s:O}", "path", path, "events", events));
    free(path);
    json_decref(entry);
}

static void add_journal(json_t *list, const char *followed, const char *folder, uint32_t source)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4100s/files-%u.jsonl", folder, source);
    FILE *journal = is_regular(path) ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t room = 0;
    while (journal != NULL && getline(&line, &room, journal) > 0)
        add_taken(list, followed, line);
    free(line);
    if (journal != NULL)
        fclose(journal);
}

json_t *input_record_files(const json_t *record, const char *folder, uint32_t source)
{
    const json_t *found = find_source(record, source);
    json_t *files = json_object_get(found, "files");
    const char *followed = json_string_value(json_object_get(found, "folder"));
    if (json_is_array(files))
        return json_incref(files);
    json_t *list = json_array();
    if (followed != NULL)
        add_journal(list, followed, folder, source);
    return list;
}
