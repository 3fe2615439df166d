/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/gauge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The names of the stages that take from this one. */
static void name_consumers(const topology *flow, size_t stage, size_t size, char out[])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t s = 0; s < topology_n_stages(flow); s++)
        for (size_t k = 0; k < topology_stage(flow, s)->n_inputs && at < size; k++)
            if (topology_stage(flow, s)->inputs[k].stage == stage)
                at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "",
                                       topology_stage(flow, s)->name);
}

static const char *name_of_log(const topology *flow)
{
    for (size_t s = 0; s < topology_n_stages(flow); s++)
        if (topology_stage(flow, s)->role == ROLE_LOG)
            return topology_stage(flow, s)->name;
    return "the log";
}

static void tell_wait(const topology *flow, size_t stage, const struct pulse *pulse, size_t size,
                      char out[])
{
    out[0] = '\0';
    if (strcmp(pulse->waits, "input") == 0)
        snprintf(out, size, "%s", pulse->waits_for);
    else if (strcmp(pulse->waits, "output") == 0)
        name_consumers(flow, stage, size, out);
    else if (strcmp(pulse->waits, "log") == 0)
        snprintf(out, size, "%s", name_of_log(flow));
    else if (strcmp(pulse->waits, "files") == 0)
        snprintf(out, size, "more files");
    else if (strcmp(pulse->waits, "disk") == 0)
        snprintf(out, size, "room on the disk");
}

static const char *const states[] = {"restarting", "starting", "running", "finished"};
enum { RESTARTING, STARTING, RUNNING, FINISHED };

static int state_of(const struct child *child)
{
    if (child->state == CHILD_ENDED || (child->state == CHILD_RUNNING && child->pulse.finished))
        return FINISHED;
    if (child->state == CHILD_RUNNING && child->pulse.heard)
        return RUNNING;
    return child->restarts > 0 ? RESTARTING : STARTING;
}

/* How many items of its inputs are there that it has not taken yet: of the worst input. */
static uint64_t items_behind(const topology *flow, const struct pulse *pulse, size_t n,
                             const struct child children[])
{
    uint64_t most = 0;
    for (size_t i = 0; i < pulse->n_inputs; i++) {
        const size_t producer = topology_find(flow, pulse->input[i].stage);
        for (size_t c = 0; c < n; c++) {
            const uint64_t items = children[c].pulse.items;
            if (children[c].process->stage == producer && items > pulse->input[i].next &&
                items - pulse->input[i].next > most)
                most = items - pulse->input[i].next;
        }
    }
    return most;
}

void gauge_read(struct gauge *out, const struct plan *plan, size_t stage, size_t n,
                const struct child children[])
{
    const enum stage_role role = topology_stage(plan->flow, stage)->role;
    *out = (struct gauge){.text = "", .has_lag = role == ROLE_SOURCE || role == ROLE_FEED};
    int least = FINISHED;
    for (size_t i = 0; i < n; i++) {
        const struct child *child = &children[i];
        if (child->process->stage != stage)
            continue;
        const struct pulse *pulse = &child->pulse;
        const int state = state_of(child);
        least = state < least ? state : least;
        out->restarts += child->restarts;
        out->refused += child->refused_before + pulse->refused;
        out->events += pulse->events;
        out->items += pulse->items;
        out->text = pulse->text[0] != '\0' ? pulse->text : out->text;
        if (state != RUNNING)
            continue;
        out->rate += child->events.rate;
        out->credits += pulse->credits;
        out->used += pulse->used;
        const uint64_t lag =
            role == ROLE_FEED ? items_behind(plan->flow, pulse, n, children) : pulse->lag;
        out->lag = lag > out->lag ? lag : out->lag;
        if (100 - pulse->idle >= out->busy) {
            out->busy = 100 - pulse->idle;
            tell_wait(plan->flow, stage, pulse, sizeof out->waits, out->waits);
        }
    }
    out->state = states[least];
    if (out->busy >= 90) /* no more than a moment now and then */
        out->waits[0] = '\0';
}

void totals_read(struct totals *out, const struct plan *plan, size_t n,
                 const struct child children[])
{
    double handed_out = 0;
    *out = (struct totals){.score = ""};
    for (size_t i = 0; i < n; i++) {
        const struct pulse *pulse = &children[i].pulse;
        const size_t stage = children[i].process->stage;
        const enum stage_role role = topology_stage(plan->flow, stage)->role;
        if (role != ROLE_SOURCE) /* which only hears of it */
            out->refused += children[i].refused_before + pulse->refused;
        if (role == ROLE_SOURCE) {
            out->rows += pulse->rows;
            out->growing = out->growing || pulse->growing;
            handed_out += children[i].events.rate;
        } else if (role == ROLE_LOG) {
            out->read += pulse->read;
            out->counted += pulse->counted;
            out->dropped += pulse->dropped;
            out->rate += children[i].read.rate;
        } else if (role == ROLE_FEED && topology_is_sink(plan->flow, stage)) {
            out->score = pulse->text;
        }
    }
    if (out->growing) /* files come in gusts, and segments are sealed long after them */
        out->rate = handed_out;
}

static json_t *gauge_to_json(const struct plan *plan, size_t stage, size_t n,
                             const struct child children[])
{
    const struct topology_stage *about = topology_stage(plan->flow, stage);
    struct gauge gauge;
    gauge_read(&gauge, plan, stage, n, children);
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:f, s:I, s:I, s:i, s:{s:I, s:I}, s:o, s:i, s:I, s:s?, s:s}", "stage",
        about->name, "run", about->run, "replicas", (int)about->replicas, "state", gauge.state,
        "events_per_second", round(10 * gauge.rate) / 10, "events", (json_int_t)gauge.events,
        "items", (json_int_t)gauge.items, "busy_percent", (int)gauge.busy, "credits", "used",
        (json_int_t)gauge.used, "of", (json_int_t)gauge.credits, "lag",
        gauge.has_lag ? json_integer((json_int_t)gauge.lag) : json_null(), "restarts",
        (int)gauge.restarts, "refused", (json_int_t)gauge.refused, "waits_for",
        gauge.waits[0] != '\0' ? gauge.waits : NULL, "text", gauge.text);
}

json_t *gauges_to_json(const struct plan *plan, size_t n, const struct child children[],
                       uint64_t seconds)
{
    struct totals totals;
    totals_read(&totals, plan, n, children);
    json_t *stages = json_array();
    for (size_t s = 0; s < topology_n_stages(plan->flow); s++)
        json_array_append_new(stages, gauge_to_json(plan, s, n, children));
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:f, s:s, s:o}",
                     "topology", topology_name(plan->flow), "run_id", plan->ids.run_id, "log_id",
                     plan->ids.log_id, "pid", (int)getpid(), "seconds", (json_int_t)seconds,
                     "events_known", (json_int_t)totals.rows, "more_to_come", totals.growing,
                     "events_read", (json_int_t)totals.read, "events_counted",
                     (json_int_t)totals.counted, "events_dropped", (json_int_t)totals.dropped,
                     "refused", (json_int_t)totals.refused, "events_per_second",
                     round(10 * totals.rate) / 10, "score", totals.score, "stages", stages);
}
