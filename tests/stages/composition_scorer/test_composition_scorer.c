/* SPDX-License-Identifier: GPL-3.0-or-later */
/* composition_scorer, called bare: labels become the scan of every slice, and the file at the end.
 */
#include "stages/composition_scorer/composition_scorer.h"

#include <string.h>

#include "common/base/random.h"
#include "common/kernels/statistics/composition.h"
#include "common/store/results/scan_file.h"
#include "tests/support/bare_stage.h"
#include "tests/support/captured_log.h"
#include "tests/support/check_main.h"
#include "tests/support/scratch_folder.h"

enum { MODELS, IMAGES };
enum { EVENTS = 30, BATCHES = 7, BINS = 8, TOYS = 40 };

static void *scorer;
static struct stage_setup setup;
static const struct stage_input inputs[] = {[MODELS] = {.type = MESSAGE_MODEL, .copies = 1},
                                            [IMAGES] = {.type = MESSAGE_IMAGE_BATCH, .copies = 1}};

static void set_up(int toys, int live_toys)
{
    setup = (struct stage_setup){.analysis = bare_analysis(),
                                 .run_id = "0123456789abcdef0123456789abcdef",
                                 .log_id = "0123456789abcdef0123456789abcdef",
                                 .analysis_text = "",
                                 .n_inputs = 2,
                                 .inputs = inputs};
    setup.analysis.spectra.bins = BINS;
    setup.settings =
        json_pack("{s:s, s:i, s:i, s:i, s:f, s:s, s:i, s:i}", "results", scratch_path("scan.h5"),
                  "toys", toys, "live_toys", live_toys, "seed", 5, "every", 0.0, "classes", "pairs",
                  "narrowest", 2, "widest", 3);
}

static void create(void)
{
    scratch_make();
    set_up(TOYS, 10);
    ck_assert_int_eq(composition_scorer_create(&scorer, &setup), STATUS_OK);
}

static void destroy(void)
{
    composition_scorer_destroy(&scorer);
    ck_assert_ptr_null(scorer);
    json_decref((json_t *)(uintptr_t)setup.settings);
    scratch_remove();
}

/* Cluster 0 is pixel 3 alone, cluster 1 pixel 12. */
static void take_model(void)
{
    static float prototype[2][16];
    static const double scale[2] = {1, 1}, bias[2];
    static const uint16_t map[2] = {0, 1};
    prototype[0][3] = prototype[1][12] = 1.0F;
    const union record model = {.model = {.generation = 1,
                                          .clusters = 2,
                                          .prototypes = 2,
                                          .pixels = 16,
                                          .cutoff = INFINITY,
                                          .prototype = prototype[0],
                                          .scale = scale,
                                          .bias = bias,
                                          .map = map}};
    struct bare_outlet nothing = BARE_OUTLET(NULL);
    ck_assert_int_eq(bare_process(composition_scorer_process, scorer, MODELS, MESSAGE_MODEL, 0,
                                  &model, &nothing),
                     STATUS_OK);
}

/* Events of all batches: bin and the clusters of their jets; some lie outside the spectrum. */
static int32_t bin[BATCHES][EVENTS];
static uint16_t cluster[BATCHES][2 * EVENTS];

static struct bare_outlet outlet;
static struct scan_record scans[4];
static double t[4][32];

static void keep_scan(const void *record)
{
    ck_assert_uint_le(outlet.n, 4);
    const size_t i = outlet.n - 1;
    scans[i] = *(const struct scan_record *)record;
    ck_assert_ptr_null(scan_record_fault(record));
    memcpy(t[i], scans[i].t, scans[i].windows * sizeof t[0][0]);
}

/* The bin of an event is a position in the spectrum, 75 GeV wide. */
static void take_images(uint64_t place)
{
    static float m_jj[EVENTS];
    static uint16_t pixel[2 * EVENTS];
    static int8_t label[EVENTS];
    struct random_state random;
    random_init(&random, 1, 2, place);
    for (size_t e = 0; e < EVENTS; e++) {
        const double u = random_uniform(&random);
        bin[place][e] = e == 7 ? -1 : (int32_t)(u * u * BINS);
        m_jj[e] = e == 7 ? 2000.F : (float)(3010 + 75 * bin[place][e]);
        for (size_t j = 2 * e; j < 2 * e + 2; j++) {
            cluster[place][j] = (uint16_t)random_below(&random, 2);
            pixel[j] = cluster[place][j] == 0 ? 3 : 12;
        }
    }
    const union record images = bare_images(EVENTS, pixel, m_jj, label);
    ck_assert_int_eq(bare_process(composition_scorer_process, scorer, IMAGES, MESSAGE_IMAGE_BATCH,
                                  place, &images, &outlet),
                     STATUS_OK);
}

static void work(void)
{
    bool more = true;
    while (more)
        ck_assert_int_eq(composition_scorer_work(scorer, &outlet.outlet, &more), STATUS_OK);
}

static void run(void)
{
    outlet = (struct bare_outlet)BARE_OUTLET(keep_scan);
    take_model();
    ck_assert_int_eq(composition_scorer_finish(scorer, MODELS, 1, &outlet.outlet), STATUS_OK);
    work();
    for (uint64_t place = 0; place < BATCHES; place++) {
        take_images(place);
        work();
        /* A slice of two batches is scanned when the batch behind it has come. */
        ck_assert_uint_eq(outlet.n, place / 2);
    }
    ck_assert_int_eq(composition_scorer_finish(scorer, IMAGES, BATCHES, &outlet.outlet), STATUS_OK);
    work();
}

START_TEST(every_slice_is_scanned_and_the_last_with_all_toys)
{
    static const uint32_t toys[] = {10, 10, 10, TOYS};
    run();
    ck_assert_uint_eq(outlet.n, 4); /* slices of two batches */
    for (uint64_t s = 0; s < 4; s++) {
        const uint64_t batches = s < 3 ? 2 * (s + 1) : BATCHES;
        ck_assert_uint_eq(scans[s].slice, s);
        ck_assert_uint_eq(scans[s].read, batches * EVENTS);
        ck_assert_uint_eq(scans[s].events, batches * (EVENTS - 1));
        ck_assert_uint_eq(scans[s].toys, toys[s]);
        ck_assert_uint_eq(scans[s].windows, (BINS - 1) + (BINS - 2));
    }
}
END_TEST

START_TEST(the_statistic_is_that_of_the_kernel_on_the_labels_of_the_jets)
{
    struct composition_settings settings = composition_defaults;
    composition *data;
    composition_scratch *memory;
    double expected[32];
    run();
    settings.widest = 3;
    ck_assert_int_eq(composition_create(&data, &settings, 1, 2, BINS), STATUS_OK);
    for (uint64_t place = 0; place < BATCHES; place++)
        ck_assert_int_eq(composition_add(data, EVENTS, bin[place], cluster[place]), STATUS_OK);
    for (size_t s = 0; s < 4; s++) {
        ck_assert_int_eq(composition_prepare(data, (size_t)scans[s].events), STATUS_OK);
        ck_assert_int_eq(composition_scratch_create(&memory, data), STATUS_OK);
        composition_observed(data, memory, expected);
        ck_assert_mem_eq(t[s], expected, scans[s].windows * sizeof expected[0]);
        composition_scratch_destroy(&memory);
    }
    composition_destroy(&data);
}
END_TEST

START_TEST(the_file_holds_the_last_scan_and_a_line_per_slice)
{
    struct scan_summary file;
    run();
    ck_assert(scan_file_is(scratch_path("scan.h5")));
    ck_assert_int_eq(scan_summary_read(&file, scratch_path("scan.h5")), STATUS_OK);
    ck_assert(file.about.final);
    ck_assert_uint_eq(file.about.tally.read, BATCHES * EVENTS);
    ck_assert_uint_eq(file.toys, TOYS);
    ck_assert_uint_eq(file.slices, 4);
    ck_assert_uint_eq(file.history_events[3], BATCHES * EVENTS);
    ck_assert_double_eq(file.history_z[3], file.z);
    ck_assert_double_eq(file.z, scans[3].z);
    ck_assert_uint_eq(file.windows, scans[3].windows);
    ck_assert_mem_eq(file.statistic, t[3], file.windows * sizeof t[0][0]);
    ck_assert_double_eq(file.low[0], 3000);
    ck_assert_double_eq(file.high[file.windows - 1], 3600);
    size_t reached = 0;
    for (size_t toy = 0; toy < file.toys; toy++)
        reached += file.toy_pull[toy] >= file.pull;
    ck_assert_uint_eq(reached, file.reached);
    scan_summary_fini(&file);
}
END_TEST

START_TEST(settings_that_cannot_be_scanned_are_refused_with_the_reason)
{
    static const struct {
        uint32_t clusters, bins;
        int toys;
        const char *says;
    } wrong[] = {{362, BINS, 5, "at most 361 clusters, not 362"},
                 {2, 257, 5, "at most 256 mass bins, not 257"},
                 {2, 4, 5, "windows of 2 of 4 mass bins leave fewer than 3 outside"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        void *refused;
        json_decref((json_t *)(uintptr_t)setup.settings);
        set_up(wrong[i].toys, 0);
        setup.analysis.training.clusters = wrong[i].clusters;
        setup.analysis.spectra.bins = wrong[i].bins;
        captured_begin();
        ck_assert_int_eq(composition_scorer_create(&refused, &setup), STATUS_BAD_INPUT);
        CK_SAYS(captured_end(), wrong[i].says);
        composition_scorer_destroy(&refused);
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("composition_scorer");
    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, every_slice_is_scanned_and_the_last_with_all_toys);
    tcase_add_test(cases, the_statistic_is_that_of_the_kernel_on_the_labels_of_the_jets);
    tcase_add_test(cases, the_file_holds_the_last_scan_and_a_line_per_slice);
    tcase_add_test(cases, settings_that_cannot_be_scanned_are_refused_with_the_reason);
    return run_case(cases, "composition_scorer");
}
