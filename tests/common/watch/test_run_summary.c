/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_summary: what heartbeats of several processes say together. */
#include "common/watch/run_summary.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

/* In the order of the file: reader, two imagers, log, trainer, spectra, select, score. */
enum { READER, IMAGES_0, IMAGES_1, LOG, TRAINER, SPECTRA, SELECT, SCORE, PROCESSES };

static topology *flow;
static struct watched_process process[PROCESSES];
static struct watched_run run;

static void create(void)
{
    static const char text[] =
        "version: 1\nname: t\n"
        "analysis: {training: {window: [3000, 3300]}, spectra: {window: [3000, 4600], bins: 16}}\n"
        "stages:\n"
        "  reader:  {run: event_reader, settings: {files: [a.h5]}}\n"
        "  images:  {run: jet_image, from: reader, replicas: 2}\n"
        "  log:     {run: image_log, from: images}\n"
        "  trainer: {run: kmeans_trainer, from: log}\n"
        "  spectra: {run: spectrum_accumulator, from: [log, trainer]}\n"
        "  select:  {run: robust_selector, from: spectra}\n"
        "  score:   {run: mls_scorer, from: [select, trainer], settings: {results: r.h5}}\n";
    static const size_t stage_of[] = {0, 1, 1, 2, 3, 4, 5, 6};
    scratch_make();
    file_put(scratch_path("t.yaml"), strlen(text), text);
    ck_assert_int_eq(topology_load(&flow, scratch_path("t.yaml"), 0, NULL), STATUS_OK);
    memset(process, 0, sizeof process);
    for (size_t i = 0; i < PROCESSES; i++)
        process[i] = (struct watched_process){.stage = stage_of[i], .replica = i == IMAGES_1};
    run = (struct watched_run){
        .flow = flow, .run_id = "run", .log_id = "log", .n = PROCESSES, .process = process};
}

static void destroy(void)
{
    topology_destroy(&flow);
    scratch_remove();
}

static void hear(size_t i, struct heartbeat heartbeat)
{
    process[i].state = PROCESS_RUNNING;
    snprintf(heartbeat.stage, sizeof heartbeat.stage, "%s",
             topology_stage(flow, process[i].stage)->name);
    heartbeat.replica = process[i].replica;
    struct watched_process *found = watched_run_find(&run, &heartbeat);
    ck_assert_ptr_eq(found, &process[i]);
    watched_process_hear(found, &heartbeat);
}

START_TEST(a_stage_is_as_far_as_the_slowest_of_its_processes)
{
    struct stage_summary images;
    hear(IMAGES_0,
         (struct heartbeat){.items = 5, .events = 500, .credits = 8, .used = 3, .idle = 40});
    run_summary_stage(&images, &run, 1);
    ck_assert_str_eq(images.state, "starting");
    hear(IMAGES_1, (struct heartbeat){.items = 7,
                                      .events = 700,
                                      .credits = 8,
                                      .used = 8,
                                      .idle = 95,
                                      .waits = "output",
                                      .refused = 2});
    run_summary_stage(&images, &run, 1);
    ck_assert_str_eq(images.state, "running");
    ck_assert_uint_eq(images.items, 12);
    ck_assert_uint_eq(images.events, 1200);
    ck_assert_uint_eq(images.credits, 16);
    ck_assert_uint_eq(images.used, 11);
    ck_assert_uint_eq(images.busy, 60);
    ck_assert_uint_eq(images.refused, 2);
}
END_TEST

START_TEST(a_restarted_process_forgets_nothing_that_counts)
{
    hear(IMAGES_0, (struct heartbeat){.items = 9, .refused = 3});
    watched_process_start(&process[IMAGES_0]);
    process[IMAGES_0].restarts++;
    struct stage_summary images;
    run_summary_stage(&images, &run, 1);
    ck_assert_str_eq(images.state, "restarting");
    ck_assert_uint_eq(images.refused, 3);
    const struct heartbeat again = {.items = 2, .refused = 1};
    ck_assert(!watched_process_hear(&process[IMAGES_0], &again)); /* no progress yet */
    run_summary_stage(&images, &run, 1);
    ck_assert_uint_eq(images.items, 9);
    ck_assert_uint_eq(images.refused, 4);
    ck_assert_uint_eq(images.restarts, 1);
    const struct heartbeat more = {.items = 10};
    ck_assert(watched_process_hear(&process[IMAGES_0], &more));
}
END_TEST

START_TEST(the_lag_of_a_feed_is_what_its_inputs_have_and_it_has_not_taken)
{
    hear(LOG, (struct heartbeat){.items = 64, .read = 6400, .counted = 6000, .dropped = 400});
    hear(SPECTRA,
         (struct heartbeat){.n_inputs = 2, .input = {{"log", 40}, {"trainer", UINT64_MAX}}});
    struct stage_summary spectra;
    run_summary_stage(&spectra, &run, 4);
    ck_assert(spectra.has_lag);
    ck_assert_uint_eq(spectra.lag, 24);
    hear(READER, (struct heartbeat){.rows = 9000, .growing = true, .lag = 3, .refused = 7});
    struct run_totals totals;
    run_summary_totals(&totals, &run);
    ck_assert_uint_eq(totals.rows, 9000);
    ck_assert_uint_eq(totals.read, 6400);
    ck_assert_uint_eq(totals.counted, 6000);
    ck_assert_uint_eq(totals.dropped, 400);
    ck_assert(totals.growing);
    ck_assert_uint_eq(totals.refused, 0); /* a reader only hears of refusals */
}
END_TEST

START_TEST(whom_it_waits_for_is_told_by_name)
{
    struct stage_summary summary;
    hear(TRAINER, (struct heartbeat){.idle = 100, .waits = "input", .waits_for = "log"});
    run_summary_stage(&summary, &run, 3);
    ck_assert_str_eq(summary.waits, "log");
    hear(IMAGES_0, (struct heartbeat){.idle = 100, .waits = "output"});
    hear(IMAGES_1, (struct heartbeat){.idle = 100, .waits = "output"});
    run_summary_stage(&summary, &run, 1);
    ck_assert_str_eq(summary.waits, "log"); /* its consumer */
    hear(READER, (struct heartbeat){.idle = 100, .waits = "files"});
    run_summary_stage(&summary, &run, 0);
    ck_assert_str_eq(summary.waits, "more files");
}
END_TEST

START_TEST(heartbeats_of_nobody_are_of_nobody)
{
    const struct heartbeat other = {.stage = "other"}, third = {.stage = "images", .replica = 2};
    ck_assert_ptr_null(watched_run_find(&run, &other));
    ck_assert_ptr_null(watched_run_find(&run, &third));
    json_t *object = run_summary_to_json(&run, 5);
    ck_assert_uint_eq(json_array_size(json_object_get(object, "stages")), 7);
    json_decref(object);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("run_summary");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, a_stage_is_as_far_as_the_slowest_of_its_processes);
    tcase_add_test(cases, a_restarted_process_forgets_nothing_that_counts);
    tcase_add_test(cases, the_lag_of_a_feed_is_what_its_inputs_have_and_it_has_not_taken);
    tcase_add_test(cases, whom_it_waits_for_is_told_by_name);
    tcase_add_test(cases, heartbeats_of_nobody_are_of_nobody);
    return run_case(cases, "run_summary");
}
