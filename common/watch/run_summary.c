/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/watch/run_summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The names of the consumers of this stage. */
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

/* Of the log that keeps the records of the stage. */
static const char *name_of_log(const topology *flow, size_t stage)
{
    const size_t log = topology_log_of(flow, stage);
    return log < topology_n_logs(flow) ? topology_stage(flow, topology_log(flow, log))->name
                                       : "the log";
}

static void describe_wait(const topology *flow, size_t stage, const struct heartbeat *last,
                          size_t size, char out[])
{
    out[0] = '\0';
    if (strcmp(last->waits, "input") == 0)
        snprintf(out, size, "%s", last->waits_for);
    else if (strcmp(last->waits, "output") == 0)
        name_consumers(flow, stage, size, out);
    else if (strcmp(last->waits, "log") == 0)
        snprintf(out, size, "%s", name_of_log(flow, stage));
    else if (strcmp(last->waits, "files") == 0)
        snprintf(out, size, "more files");
    else if (strcmp(last->waits, "disk") == 0)
        snprintf(out, size, "room on the disk");
}

static const char *const states[] = {"restarting", "starting", "running", "finished"};
enum { RESTARTING, STARTING, RUNNING, FINISHED };

static int state_of(const struct watched_process *process)
{
    if (process->state == PROCESS_ENDED ||
        (process->state == PROCESS_RUNNING && process->last.finished))
        return FINISHED;
    if (process->state == PROCESS_RUNNING && process->heard)
        return RUNNING;
    return process->restarts > 0 ? RESTARTING : STARTING;
}

/* Items that wait at its inputs: the largest number of any input. */
static uint64_t items_behind(const struct watched_run *run, const struct heartbeat *last)
{
    uint64_t most = 0;
    for (size_t i = 0; i < last->n_inputs; i++) {
        const size_t producer = topology_find(run->flow, last->input[i].stage);
        for (size_t p = 0; p < run->n; p++) {
            const uint64_t items = run->process[p].last.items;
            if (run->process[p].stage == producer && items > last->input[i].next &&
                items - last->input[i].next > most)
                most = items - last->input[i].next;
        }
    }
    return most;
}

void run_summary_stage(struct stage_summary *out, const struct watched_run *run, size_t stage)
{
    const enum stage_role role = topology_stage(run->flow, stage)->role;
    *out = (struct stage_summary){.text = "", .has_lag = role == ROLE_SOURCE || role == ROLE_FEED};
    int least = FINISHED;
    for (size_t i = 0; i < run->n; i++) {
        const struct watched_process *process = &run->process[i];
        if (process->stage != stage)
            continue;
        const struct heartbeat *last = &process->last;
        const int state = state_of(process);
        least = state < least ? state : least;
        out->restarts += process->restarts;
        out->refused += process->refused_before + last->refused;
        out->events += last->events;
        out->items += last->items;
        out->text = last->text[0] != '\0' ? last->text : out->text;
        if (state != RUNNING)
            continue;
        out->rate += process->events.rate;
        out->credits += last->credits;
        out->used += last->used;
        const uint64_t lag = role == ROLE_FEED ? items_behind(run, last) : last->lag;
        out->lag = lag > out->lag ? lag : out->lag;
        if (100 - (unsigned)last->idle >= out->busy) {
            out->busy = 100 - (unsigned)last->idle;
            describe_wait(run->flow, stage, last, sizeof out->waits, out->waits);
        }
    }
    out->state = states[least];
    if (out->busy >= 90) /* it waits for moments only */
        out->waits[0] = '\0';
}

void run_summary_totals(struct run_totals *out, const struct watched_run *run)
{
    double handed_out = 0;
    *out = (struct run_totals){.score = ""};
    for (size_t i = 0; i < run->n; i++) {
        const struct watched_process *process = &run->process[i];
        const struct heartbeat *last = &process->last;
        const enum stage_role role = topology_stage(run->flow, process->stage)->role;
        if (role != ROLE_SOURCE) /* a source only hears of it */
            out->refused += process->refused_before + last->refused;
        if (role == ROLE_SOURCE) {
            out->rows += last->rows;
            out->growing = out->growing || last->growing;
            handed_out += process->events.rate;
        } else if (role == ROLE_LOG) {
            out->read += last->read;
            out->counted += last->counted;
            out->dropped += last->dropped;
            out->rate += process->read.rate;
        } else if (role == ROLE_FEED && topology_is_sink(run->flow, process->stage)) {
            out->score = last->text;
        }
    }
    if (out->growing) /* files come in gusts, and segments are sealed long after them */
        out->rate = handed_out;
}

static json_t *stage_to_json(const struct watched_run *run, size_t stage)
{
    const struct topology_stage *about = topology_stage(run->flow, stage);
    struct stage_summary summary;
    run_summary_stage(&summary, run, stage);
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:f, s:I, s:I, s:i, s:{s:I, s:I}, s:o, s:i, s:I, s:s?, s:s}", "stage",
        about->name, "run", about->run, "replicas", (int)about->replicas, "state", summary.state,
        "events_per_second", round(10 * summary.rate) / 10, "events", (json_int_t)summary.events,
        "items", (json_int_t)summary.items, "busy_percent", (int)summary.busy, "credits", "used",
        (json_int_t)summary.used, "of", (json_int_t)summary.credits, "lag",
        summary.has_lag ? json_integer((json_int_t)summary.lag) : json_null(), "restarts",
        (int)summary.restarts, "refused", (json_int_t)summary.refused, "waits_for",
        summary.waits[0] != '\0' ? summary.waits : NULL, "text", summary.text);
}

json_t *run_summary_to_json(const struct watched_run *run, uint64_t seconds)
{
    struct run_totals totals;
    run_summary_totals(&totals, run);
    json_t *stages = json_array();
    for (size_t s = 0; s < topology_n_stages(run->flow); s++)
        json_array_append_new(stages, stage_to_json(run, s));
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:f, s:s, s:o}",
                     "topology", topology_name(run->flow), "run_id", run->run_id, "log_id",
                     run->log_id, "pid", (int)getpid(), "seconds", (json_int_t)seconds,
                     "events_known", (json_int_t)totals.rows, "more_to_come", totals.growing,
                     "events_read", (json_int_t)totals.read, "events_counted",
                     (json_int_t)totals.counted, "events_dropped", (json_int_t)totals.dropped,
                     "refused", (json_int_t)totals.refused, "events_per_second",
                     round(10 * totals.rate) / 10, "score", totals.score, "stages", stages);
}
