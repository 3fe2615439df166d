/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stage/setup.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

static const char *text_or_null(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static status read_analysis(struct process_setup *self, const char *path)
{
    const json_t *block = json_object_get(self->document, "analysis");
    if (json_is_object(block))
        return analysis_from_json(&self->setup.analysis, block);
    log_error("%s: key 'analysis' is missing or no object", path);
    return STATUS_BAD_INPUT;
}

/* A program that was built for another version would refuse every message of this run. */
static status check_protocol(const json_t *document, const char *path)
{
    const json_t *protocol = json_object_get(document, "protocol");
    if (json_is_integer(protocol) && json_integer_value(protocol) == WIRE_VERSION)
        return STATUS_OK;
    log_error("%s: protocol is %" JSON_INTEGER_FORMAT ", and this program speaks version %d: build "
              "it again with the clusterscan that runs it",
              path, json_integer_value(protocol), WIRE_VERSION);
    return STATUS_BAD_INPUT;
}

/* The plain keys. */
static status read_scalars(struct process_setup *self, const char *path)
{
    struct stage_setup *setup = &self->setup;
    json_error_t error;
    int replica = 0;
    int replicas = 0;
    int source = 0;
    int sources = 0;
    int window = 0;
    json_t *settings = NULL;
    const int failed = json_unpack_ex(
        self->document, &error, 0, "{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:o}",
        "name", &setup->name, "replica", &replica, "replicas", &replicas, "run_id", &setup->run_id,
        "log_id", &setup->log_id, "analysis_text", &setup->analysis_text, "folder", &setup->folder,
        "scratch", &self->scratch, "source", &source, "sources", &sources, "window", &window,
        "settings", &settings);
    if (failed != 0) {
        log_error("%s: %s", path, error.text);
        return STATUS_BAD_INPUT;
    }
    if (replica < 0 || replicas <= replica || source < 0 || sources < 0 || window < 1 ||
        strlen(setup->run_id) != RUN_ID_SIZE - 1) {
        log_error("%s: replica, source, window or run_id out of range", path);
        return STATUS_BAD_INPUT;
    }
    setup->replica = (uint32_t)replica;
    setup->replicas = (uint32_t)replicas;
    setup->source = (uint32_t)source;
    setup->sources = (uint32_t)sources;
    setup->window = (uint32_t)window;
    setup->settings = settings;
    setup->foreign = json_object_get(self->document, "foreign");
    setup->started = text_or_null(self->document, "started");
    const json_t *contents = json_object_get(self->document, "contents");
    setup->contents = json_is_array(contents) ? contents : NULL;
    setup->extents = json_object_get(self->document, "extents");
    setup->logs = json_object_get(self->document, "logs");
    const char *compression = text_or_null(self->document, "compression");
    const bool lz4 = compression != NULL && strcmp(compression, "lz4") == 0;
    self->coding = lz4 ? PAYLOAD_LZ4 : PAYLOAD_STORED;
    self->output = text_or_null(self->document, "output");
    self->control = text_or_null(self->document, "control");
    self->monitor = text_or_null(self->document, "monitor");
    return STATUS_OK;
}

/* True, or logged: one that ZeroMQ can bind or connect to. */
static bool endpoint_fits(const char *path, const char *endpoint)
{
    /* What a socket address of the system holds. */
    enum { IPC_PATH_MAX = 107, TCP_MAX = 200 };
    static const char ipc[] = "ipc://", tcp[] = "tcp://";
    if (endpoint == NULL)
        return true;
    const size_t length = strlen(endpoint);
    if (strncmp(endpoint, ipc, sizeof ipc - 1) == 0 && length <= sizeof ipc - 1 + IPC_PATH_MAX)
        return true;
    if (strncmp(endpoint, tcp, sizeof tcp - 1) == 0 && length <= TCP_MAX)
        return true;
    log_error("%s: endpoint %s: expected tcp://HOST:PORT, or ipc://PATH with a path of at most %d "
              "bytes",
              path, endpoint, IPC_PATH_MAX);
    return false;
}

static status check_endpoints(const struct process_setup *self, const char *path)
{
    bool fit = endpoint_fits(path, self->output) && endpoint_fits(path, self->control) &&
               endpoint_fits(path, self->monitor);
    for (size_t i = 0; i < self->setup.n_inputs; i++)
        for (size_t e = 0; e < self->inputs[i].copies; e++)
            fit = fit && endpoint_fits(path, self->inputs[i].endpoint[e]);
    return fit ? STATUS_OK : STATUS_BAD_INPUT;
}

static size_t count_endpoints(const json_t *inputs)
{
    size_t n = 0;
    size_t i;
    json_t *input;
    json_array_foreach(inputs, i, input) n += json_array_size(json_object_get(input, "endpoints"));
    return n;
}

static status read_input(struct stage_input *out, const json_t *input, const char **endpoints)
{
    const char *type = text_or_null(input, "type");
    const json_t *list = json_object_get(input, "endpoints");
    out->stage = text_or_null(input, "stage");
    out->type = type != NULL ? (enum message_type)wire_message_find(type) : MESSAGE_NONE;
    out->copies = json_array_size(list);
    out->endpoint = endpoints;
    bool good = out->stage != NULL && out->type != MESSAGE_NONE && out->copies > 0;
    for (size_t i = 0; i < out->copies; i++) {
        endpoints[i] = json_string_value(json_array_get(list, i));
        good = good && endpoints[i] != NULL;
    }
    return good ? STATUS_OK : STATUS_BAD_INPUT;
}

static status read_inputs(struct process_setup *self, const char *path)
{
    const json_t *inputs = json_object_get(self->document, "inputs");
    const size_t n = json_array_size(inputs);
    self->inputs = calloc(n + 1, sizeof *self->inputs);
    self->endpoints = calloc(count_endpoints(inputs) + 1, sizeof *self->endpoints);
    if (self->inputs == NULL || self->endpoints == NULL)
        return STATUS_NO_MEMORY;
    const char **next = self->endpoints;
    for (size_t i = 0; i < n; i++) {
        if (read_input(&self->inputs[i], json_array_get(inputs, i), next) != STATUS_OK) {
            log_error("%s: inputs[%zu] must have stage, type and endpoints", path, i);
            return STATUS_BAD_INPUT;
        }
        next += self->inputs[i].copies;
    }
    self->setup.inputs = self->inputs;
    self->setup.n_inputs = n;
    return STATUS_OK;
}

status process_setup_load(struct process_setup *out, const char *path)
{
    *out = (struct process_setup){0};
    json_error_t error;
    out->document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (out->document == NULL) {
        log_error("%s:%d:%d: %s", path, error.line, error.column, error.text);
        return STATUS_BAD_INPUT;
    }
    status done = check_protocol(out->document, path);
    if (done == STATUS_OK)
        done = read_scalars(out, path);
    if (done == STATUS_OK)
        done = read_analysis(out, path);
    if (done == STATUS_OK)
        done = read_inputs(out, path);
    if (done == STATUS_OK)
        done = check_endpoints(out, path);
    if (done != STATUS_OK)
        process_setup_fini(out);
    return done;
}

void process_setup_fini(struct process_setup *self)
{
    json_decref(self->document);
    free(self->inputs);
    free(self->endpoints);
    *self = (struct process_setup){0};
}
