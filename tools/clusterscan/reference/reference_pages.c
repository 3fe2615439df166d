/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_pages: the schema tables as Markdown, as roff, and as a plain list. */
#include "tools/clusterscan/reference/reference_pages.h"

#include <string.h>

#include "common/flow/heartbeat/heartbeat.h"
#include "common/records/message_type.h"
#include "common/store/results/result_schema.h"
#include "common/topology/schema/schema.h"
#include "common/topology/topology.h"
#include "common/wire/schema.h"

enum { TEXT_SIZE = 256 };

/* --- parts of both pages of keys ---------------------------------------------------------- */

void reference_value(const struct key *key, size_t size, char out[])
{
    struct key bare = *key; /* the unit has a column of its own */
    bare.unit = NULL;
    key_expect(&bare, size, out);
}

void reference_default(const struct key *key, size_t size, char out[])
{
    if (key->fallback == NULL)
        snprintf(out, size, "must be given");
    else if (strcmp(key->fallback, "null") == 0)
        snprintf(out, size, "not given");
    else
        snprintf(out, size, "%s", key->fallback);
}

static const char *unit_of(const struct key *key)
{
    return key->unit != NULL ? key->unit : "";
}

/* "image_batch, model", "nothing". */
static void takes_of(const struct stage_kind *kind, size_t size, char out[])
{
    if (kind->inputs[0] == MESSAGE_NONE)
        snprintf(out, size, "nothing");
    else
        snprintf(out, size, "%s%s%s%s", message_type_name(kind->inputs[0]),
                 kind->many_inputs ? " (from any number of stages)" : "",
                 kind->inputs[1] != MESSAGE_NONE ? " and " : "",
                 kind->inputs[1] != MESSAGE_NONE ? message_type_name(kind->inputs[1]) : "");
}

/* --- Markdown ------------------------------------------------------------------------------ */

static void markdown_key(FILE *to, const struct key *key)
{
    char value[TEXT_SIZE];
    char fallback[TEXT_SIZE];
    reference_value(key, sizeof value, value);
    reference_default(key, sizeof fallback, fallback);
    const bool code = key->fallback != NULL && strcmp(key->fallback, "null") != 0;
    fprintf(to, "| `%s` | %s | %s | %s%s%s | %s |\n", key->path, value, unit_of(key),
            code ? "`" : "", fallback, code ? "`" : "", key->help);
}

static void markdown_keys(FILE *to, const struct key *keys)
{
    fputs("| key | value | unit | default | meaning |\n|---|---|---|---|---|\n", to);
    for (const struct key *key = keys; key->path != NULL; key++)
        markdown_key(to, key);
}

void reference_topology(FILE *to)
{
    fputs("#### The file\n\n", to);
    markdown_keys(to, schema_top);
    fputs("\n#### `analysis`\n\n", to);
    markdown_keys(to, schema_analysis);
    fputs("\n#### `stages.NAME`\n\n", to);
    markdown_keys(to, schema_stage);
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++) {
        char takes[TEXT_SIZE];
        takes_of(kind, sizeof takes, takes);
        fprintf(to, "\n#### `run: %s`\n\n%s Takes %s; gives %s.%s\n", kind->name, kind->help, takes,
                message_type_name(kind->output), kind->single_copy ? " One copy only." : "");
        fputs(kind->settings != NULL ? "Its `settings`:\n\n" : "It has no settings.\n", to);
        if (kind->settings != NULL)
            markdown_keys(to, kind->settings);
    }
}

/* "[2 events + 1]", "[clusters, pixels]", "" for a single value. */
static void shape_of(const struct wire_field *field, size_t size, char out[])
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned e = 0; e < field->extents && n < size; e++) {
        const struct wire_extent *extent = &field->extent[e];
        const bool named = extent->times == 0 && strcmp(extent->text, "reasons") == 0;
        n += (size_t)snprintf(out + n, size - n, "%s%s", e == 0 ? "[" : ", ", extent->text);
        if (named && n < size)
            n += (size_t)snprintf(out + n, size - n, " = %u", extent->plus);
    }
    if (field->extents > 0 && n < size)
        snprintf(out + n, size - n, "]");
    if (field->storage == WIRE_BYTES)
        snprintf(out, size, "[any]");
}

static void markdown_schema(FILE *to, unsigned type, const struct wire_schema *schema)
{
    fprintf(to, "#### %u `%s`: %s\n\n| field | type | meaning |\n|---|---|---|\n", type,
            schema->name, schema->help);
    for (size_t i = 0; i < schema->n; i++) {
        const struct wire_field *field = &schema->fields[i];
        char shape[TEXT_SIZE];
        shape_of(field, sizeof shape, shape);
        fprintf(to, "| `%s` | %s%s%s%s | %s |\n", field->name, wire_kind_name(field->kind),
                shape[0] != '\0' ? " " : "", shape, field->optional ? " or nil" : "", field->help);
    }
    fputs("\n", to);
}

void reference_messages(FILE *to)
{
    for (unsigned type = MESSAGE_NONE + 1; type < MESSAGE_TYPES; type++)
        markdown_schema(to, type, wire_schema_find(type));
    for (unsigned type = CONTROL_GRANT; type < CONTROL_LAST; type++)
        markdown_schema(to, type, wire_schema_find(type));
}

void reference_heartbeat(FILE *to)
{
    size_t n;
    const struct heartbeat_field *field = heartbeat_fields(&n);
    fputs("| key | type | meaning |\n|---|---|---|\n", to);
    for (size_t i = 0; i < n; i++) {
        static const char *const kinds[] = {[HEARTBEAT_TEXT] = "text",
                                            [HEARTBEAT_NUMBER] = "number",
                                            [HEARTBEAT_FLAG] = "true or false",
                                            [HEARTBEAT_INPUTS] = "list"};
        fprintf(to, "| `%s` | %s | %s |\n", field[i].key, kinds[field[i].kind], field[i].meaning);
    }
}

/* --- roff ---------------------------------------------------------------------------------- */

/* Text with what roff would take for its own made safe. */
static void roff_text(FILE *to, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            fputs("\\e", to);
        else if (*c == '-')
            fputs("\\-", to);
        else if (*c == '\'')
            fputs("\\(aq", to);
        else
            fputc(*c, to);
    }
}

static void roff_key(FILE *to, const struct key *key)
{
    char value[TEXT_SIZE];
    char fallback[TEXT_SIZE];
    key_expect(key, sizeof value, value);
    reference_default(key, sizeof fallback, fallback);
    fputs(".TP\n.B ", to);
    roff_text(to, key->path);
    fputs("\n", to);
    roff_text(to, key->help);
    fputs(".\nValue: ", to);
    roff_text(to, value);
    fputs(".\nDefault: ", to);
    roff_text(to, fallback);
    fputs(".\n", to);
}

static void roff_keys(FILE *to, const struct key *keys)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++)
        roff_key(to, key);
}

void reference_man(FILE *to)
{
    fputs(".SS The file\n", to);
    roff_keys(to, schema_top);
    fputs(".SS The analysis block\n", to);
    roff_keys(to, schema_analysis);
    fputs(".SS Every stage\n", to);
    roff_keys(to, schema_stage);
    for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++) {
        char takes[TEXT_SIZE];
        takes_of(kind, sizeof takes, takes);
        fprintf(to, ".SS Settings of %s\n", kind->name);
        roff_text(to, kind->help);
        fprintf(to, "\nTakes %s; gives %s.%s%s\n", takes, message_type_name(kind->output),
                kind->single_copy ? "\nOne copy only." : "",
                kind->settings == NULL ? "\nIt has no settings." : "");
        roff_keys(to, kind->settings);
    }
}

/* --- a plain list -------------------------------------------------------------------------- */

static void list_keys(FILE *to, const char *before, const struct key *keys)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++)
        if (key->type != KEY_BLOCK)
            fprintf(to, "%s%s\n", before, key->path);
}

void reference_keys(FILE *to, const topology *flow)
{
    list_keys(to, "", schema_top);
    list_keys(to, "", schema_analysis);
    for (size_t i = 0; flow != NULL && i < topology_n_stages(flow); i++) {
        const struct topology_stage *stage = topology_stage(flow, i);
        const struct stage_kind *kind = stage->ours ? schema_stage_find(stage->run) : NULL;
        char before[TEXT_SIZE];
        snprintf(before, sizeof before, "stages.%s.", stage->name);
        list_keys(to, before, schema_stage);
        snprintf(before, sizeof before, "stages.%s.settings.", stage->name);
        list_keys(to, before, kind != NULL ? kind->settings : NULL);
    }
}

/* The key and, of one of a stage, the stage. */
static const struct key *find_key(const char *path, const topology *flow,
                                  const struct topology_stage **stage)
{
    static const char stages[] = "stages.", settings[] = "settings.";
    *stage = NULL;
    if (strncmp(path, stages, strlen(stages)) != 0) {
        const struct key *key = key_find(schema_top, path);
        return key != NULL ? key : key_find(schema_analysis, path);
    }
    const char *name = path + strlen(stages), *dot = strchr(name, '.');
    if (dot == NULL)
        return NULL;
    for (size_t i = 0; flow != NULL && i < topology_n_stages(flow); i++) {
        const struct topology_stage *here = topology_stage(flow, i);
        if (strlen(here->name) == (size_t)(dot - name) &&
            strncmp(here->name, name, (size_t)(dot - name)) == 0)
            *stage = here;
    }
    if (strncmp(dot + 1, settings, strlen(settings)) != 0)
        return key_find(schema_stage, dot + 1);
    const struct stage_kind *kind =
        *stage != NULL && (*stage)->ours ? schema_stage_find((*stage)->run) : NULL;
    return kind != NULL && kind->settings != NULL
               ? key_find(kind->settings, dot + 1 + strlen(settings))
               : NULL;
}

static void list_choices(FILE *to, const char *choices)
{
    for (; *choices != '\0'; choices++)
        fputc(*choices == '|' ? '\n' : *choices, to);
    fputc('\n', to);
}

void reference_values(FILE *to, const char *path, const topology *flow)
{
    const struct topology_stage *stage;
    const struct key *key = find_key(path, flow, &stage);
    if (key == NULL)
        return;
    if (key->type == KEY_CHOICE)
        list_choices(to, key->choices);
    else if (key->type == KEY_BOOLEAN)
        fputs("true\nfalse\n", to);
    else if (strcmp(key->path, "run") == 0)
        for (const struct stage_kind *kind = schema_stages; kind->name != NULL; kind++)
            fprintf(to, "%s\n", kind->name);
    else if (strcmp(key->path, "from") == 0)
        for (size_t i = 0; flow != NULL && i < topology_n_stages(flow); i++)
            fprintf(to, "%s\n", topology_stage(flow, i)->name);
    else if (key->fallback != NULL && strcmp(key->fallback, "null") != 0 &&
             strchr(key->fallback, ' ') == NULL)
        fprintf(to, "%s\n", key->fallback);
}

/* "[member, bin]"; nothing for a scalar. */
static void print_shape(FILE *to, const struct result_dataset *dataset)
{
    for (int d = 0; d < dataset->rank; d++)
        fprintf(to, "%s%s", d == 0 ? " [" : ", ", result_dimensions[dataset->dimensions[d]].length);
    if (dataset->rank > 0)
        fputc(']', to);
}

void reference_results(FILE *to)
{
    fputs("| dataset | type, shape | unit | meaning |\n|---|---|---|---|\n", to);
    for (enum result_id id = 0; id < RESULT_DATASETS; id++) {
        const struct result_dataset *dataset = result_dataset(id);
        fprintf(to, "| `/%s` | %s", dataset->path, hdf5_element_name(dataset->element));
        print_shape(to, dataset);
        fprintf(to, " | %s | %s |\n", dataset->unit, dataset->help);
    }
}
