/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run: a topology file in, its result out. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/commands/report.h"
#include "tools/clusterscan/run/input_record.h"
#include "tools/clusterscan/run/plan.h"
#include "tools/clusterscan/run/preflight.h"
#include "tools/clusterscan/run/provenance.h"
#include "tools/clusterscan/run/supervise.h"
#include "tools/clusterscan/watch/run_lock.h"
#include "tools/clusterscan/watch/status_file.h"

struct arguments {
    const char *state;
    bool json;
    bool quiet;
    bool verbose;
    struct topology_arguments topology;
};

static const struct argp_option options[] = {
    {"state", 's', "DIR", 0, "State folder (default: CLUSTERSCAN_STATE, else ./state)", 0},
    {"json", 'j', NULL, 0, "Print the answer as one JSON object per result", 0},
    {"quiet", 'q', NULL, 0, "Show errors only", 0},
    {"verbose", 'v', NULL, 0, "Show every line the stages say", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *self = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &self->topology;
        return 0;
    case 's':
        self->state = argument;
        return 0;
    case 'j':
        self->json = true;
        return 0;
    case 'q':
        self->quiet = true;
        return 0;
    case 'v':
        self->verbose = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The next result file from stage *s on, in the order of the file, and *s behind it; NULL: there is
 * none. */
static const char *next_result(const topology *flow, size_t *s)
{
    while (*s < topology_n_stages(flow)) {
        const struct topology_stage *stage = topology_stage(flow, (*s)++);
        const char *path = json_string_value(json_object_get(stage->settings, "results"));
        if (stage->ours && path != NULL)
            return path;
    }
    return NULL;
}

/* Each stage process needs two descriptors here and some of its own, libzmq a few: with too few it
 * would stop in the middle. */
static status check_descriptors(const topology *flow)
{
    struct rlimit limit;
    rlim_t needed = 64;
    for (size_t s = 0; s < topology_n_stages(flow); s++)
        needed += 4 * (rlim_t)topology_stage(flow, s)->replicas;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return STATUS_OK;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (limit.rlim_cur >= needed && setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return STATUS_OK;
    log_error("this run needs %llu file descriptors, but only %llu may be open (see ulimit -n)",
              (unsigned long long)needed, (unsigned long long)limit.rlim_cur);
    return STATUS_BAD_INPUT;
}

/* After Ctrl-C: names the partial result, and how to go on. */
static void log_interrupted(const char *result)
{
    if (result != NULL && access(result, F_OK) == 0)
        log_info("%s may hold a result that is not final; the same command goes on from what is "
                 "sealed",
                 result);
    else
        log_info("no result was written; the same command goes on from what is sealed");
}

/* Of this run's folder and of its logs', which another run may be about to fill; all or none.
 * A replay writes to no log. */
static bool take_locks(const struct plan *plan, int lock[])
{
    const size_t n = topology_replays(plan->flow) ? 1 : plan->n_logs;
    for (size_t k = 0; k < n; k++) {
        lock[k] = run_lock_take(k == 0 ? plan->folder : plan->log[k].images);
        if (lock[k] < 0)
            return false;
        if (k > 0)
            status_file_refer(plan->log[k].images, plan->ids.log_id[0]);
    }
    return true;
}

static void give_locks(const struct plan *plan, int lock[])
{
    for (size_t k = 0; k < plan->n_logs; k++)
        if (lock[k] >= 0)
            close(lock[k]);
}

static void log_start(const struct plan *plan)
{
    log_info("run %s of %s: %zu processes, images in %s%s", plan->ids.run_id,
             topology_name(plan->flow), plan->n, plan->log[0].images,
             plan->n_logs > 1 ? " and:" : "");
    for (size_t k = 1; k < plan->n_logs; k++)
        log_info("  %s", plan->log[k].images);
}

/* With the locks held: code of the run itself. */
static enum exit_code supervise_plan(const struct arguments *arguments, const struct local *local)
{
    const struct plan *plan = local->plan;
    input_record_write(plan);
    if (!arguments->quiet)
        log_start(plan);
    const time_t started = time(NULL);
    const enum exit_code code = supervise(local, arguments->quiet, arguments->verbose);
    return code == EXIT_DONE && provenance_write(plan, started) != STATUS_OK ? EXIT_RUN_FAILED
                                                                             : code;
}

/* All results of the run, one after the other. */
static int print_results(const struct arguments *arguments, const topology *flow)
{
    size_t s = 0;
    int code = EXIT_DONE;
    const char *result = next_result(flow, &s);
    while (result != NULL && (code == EXIT_DONE || code == EXIT_QUARANTINED)) {
        bool incomplete = false;
        const int printed = report_print(result, arguments->json, &incomplete);
        code = printed != EXIT_DONE ? printed : incomplete ? EXIT_QUARANTINED : code;
        result = next_result(flow, &s);
        if (result != NULL && !arguments->json)
            putchar('\n');
    }
    return code;
}

static int run_plan(const struct arguments *arguments, const topology *flow,
                    const struct local *local)
{
    int lock[TOPOLOGY_STAGES_MAX];
    for (size_t k = 0; k < TOPOLOGY_STAGES_MAX; k++)
        lock[k] = -1;
    const bool locked = take_locks(local->plan, lock);
    const enum exit_code code = locked ? supervise_plan(arguments, local) : EXIT_BAD_INPUT;
    give_locks(local->plan, lock);
    if (code == EXIT_INTERRUPTED && !arguments->quiet)
        log_interrupted(next_result(flow, &(size_t){0}));
    return code == EXIT_DONE ? print_results(arguments, flow) : (int)code;
}

static int carry_out(const struct arguments *arguments, const topology *flow, struct plan *plan)
{
    struct local local;
    const status done = local_prepare(&local, plan);
    if (done != STATUS_OK)
        return (int)status_exit_code(done);
    const int code = run_plan(arguments, flow, &local);
    local_fini(&local);
    return code;
}

int command_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&topology_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "TOPOLOGY",
        "Start every stage of TOPOLOGY as a process, watch over them, and tell the answer.\n"
        "Interrupted (Ctrl-C), it keeps what is sealed; the same command goes on from there.\v"
        "Examples:\n"
        "  clusterscan run topology/demo.yaml\n"
        "  clusterscan run topology/lhco.yaml \\\n"
        "      --set 'stages.reader.settings.files=[events_anomalydetection_v2.h5]'\n"
        "  clusterscan run topology/lhco.yaml --state /data/state \\\n"
        "      --set stages.images.replicas=8\n",
        children,
        NULL,
        NULL};
    struct arguments arguments = {0};
    if (!arguments_parse(&argp, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    arguments.state = state_argument(arguments.state);
    topology *flow = NULL;
    status done = topology_arguments_load(&arguments.topology, &flow);
    if (done == STATUS_OK)
        done = preflight_check(flow);
    if (done == STATUS_OK)
        done = check_descriptors(flow);
    char why[400];
    if (done == STATUS_OK && !topology_can_select(flow, sizeof why, why))
        log_warning("%s", why);
    struct plan plan;
    if (done == STATUS_OK && !topology_replays(flow))
        done = local_prepare_state(arguments.state);
    if (done == STATUS_OK)
        done = plan_make(&plan, flow, arguments.state, true);
    int code = (int)status_exit_code(done);
    if (done == STATUS_OK) {
        code = carry_out(&arguments, flow, &plan);
        plan_fini(&plan);
    }
    topology_destroy(&flow);
    return code;
}
