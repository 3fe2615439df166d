/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dijet_fit: against GSL's nonlinear least squares, and the published spectrum and null
 * distributions of arXiv 2402.17714. */
#include "common/kernels/statistics/dijet_fit.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/kernels/statistics/significance.h"
#include "common/kernels/toy/gsl_philox.h"
#include "tests/support/check_main.h"

enum { BINS = 16 };
#define ENERGY 13000.

static const struct mass_bins bins = {3000, 4600, BINS};
/* The 4-parameter fit to the LHC Olympics data, and what it expects. */
static const double optimum[4] = {0.15239691, 0.85218256, -14.17770188, -3.57107481};
static const double published[BINS] = {56366.3, 49215.8, 42834.9, 37176.8, 32187.0, 27807.1,
                                       23978.3, 20643.1, 17746.7, 15238.1, 13070.3, 11200.9,
                                       9591.6,  8208.3,  7020.7,  6002.4};

static struct dijet_basis basis_of(uint32_t parameters)
{
    struct dijet_basis basis;
    ck_assert_int_eq(dijet_basis_make(&basis, &bins, ENERGY, parameters), STATUS_OK);
    return basis;
}

static double function_at(const double p[5], double x)
{
    const double l = log(x);
    return p[0] * pow(1 - x, p[1]) * pow(x, p[2] + p[3] * l + p[4] * l * l);
}

static double centre(uint32_t b)
{
    return (3050 + 100. * b) / ENERGY;
}

START_TEST(a_fit_to_the_published_expectation_gives_the_published_parameters)
{
    const struct dijet_basis basis = basis_of(4);
    struct dijet_fit fit;
    dijet_fit(&basis, published, published, &fit);
    ck_assert(fit.converged);
    ck_assert_uint_lt(fit.steps, 10);
    ck_assert_uint_eq(fit.ndf, 12);
    /* The expectation is printed to 0.05 events. */
    ck_assert_double_lt(fit.chi2, 1e-5);
    for (uint32_t b = 0; b < BINS; b++) {
        ck_assert_double_eq_tol(
            function_at((double[5]){optimum[0], optimum[1], optimum[2], optimum[3], 0}, centre(b)),
            published[b], 0.1);
        ck_assert_double_eq_tol(fit.expected[b], published[b], 0.1);
        ck_assert_double_eq_tol(function_at(fit.parameter, centre(b)) / fit.expected[b], 1, 1e-9);
    }
    /* The parameters are strongly correlated: they are known less well than the function. */
    for (int i = 1; i < 4; i++)
        ck_assert_double_eq_tol(fit.parameter[i], optimum[i], 0.02 * fabs(optimum[i]));
    ck_assert_double_eq(fit.parameter[4], 0);
}
END_TEST

/* ---- GSL ---- */

struct problem {
    const struct dijet_basis *basis;
    const double *counts;
    const double *variance;
};

static int residuals(const gsl_vector *c, void *context, gsl_vector *out)
{
    const struct problem *problem = context;
    for (uint32_t b = 0; b < BINS; b++) {
        double sum = 0;
        for (uint32_t k = 0; k < problem->basis->parameters; k++)
            sum += gsl_vector_get(c, k) * problem->basis->vector[k][b];
        gsl_vector_set(out, b, (exp(sum) - problem->counts[b]) / sqrt(problem->variance[b]));
    }
    return GSL_SUCCESS;
}

/* chi2 of GSL's Levenberg-Marquardt from the logarithm of the mean, with numerical derivatives. */
static double chi2_of_gsl(const struct problem *problem)
{
    const gsl_multifit_nlinear_parameters parameters = gsl_multifit_nlinear_default_parameters();
    gsl_multifit_nlinear_fdf function = {.f = residuals,
                                         .n = BINS,
                                         .p = problem->basis->parameters,
                                         .params = (void *)(uintptr_t)problem};
    gsl_multifit_nlinear_workspace *space =
        gsl_multifit_nlinear_alloc(gsl_multifit_nlinear_trust, &parameters, function.n, function.p);
    gsl_vector *start = gsl_vector_calloc(function.p);
    for (uint32_t b = 0; b < BINS; b++)
        for (uint32_t k = 0; k < problem->basis->parameters; k++)
            *gsl_vector_ptr(start, k) += log(problem->counts[b] + 1) * problem->basis->vector[k][b];
    int info;
    double chi2;
    gsl_multifit_nlinear_init(start, &function, space);
    gsl_multifit_nlinear_driver(500, 1e-14, 1e-14, 0, NULL, NULL, &info, space);
    gsl_blas_ddot(gsl_multifit_nlinear_residual(space), gsl_multifit_nlinear_residual(space),
                  &chi2);
    gsl_vector_free(start);
    gsl_multifit_nlinear_free(space);
    return chi2;
}

START_TEST(the_minimum_is_that_of_gsl)
{
    struct random_state random;
    random_init(&random, 5, 6, 7);
    for (uint32_t parameters = 3; parameters <= 5; parameters++) {
        const struct dijet_basis basis = basis_of(parameters);
        for (double scale = 0.01; scale < 30; scale *= 5) { /* 60 to 850,000 in the last bin */
            double counts[BINS], variance[BINS];
            for (uint32_t b = 0; b < BINS; b++) {
                variance[b] = scale * published[b];
                counts[b] = round(variance[b] + sqrt(variance[b]) * random_gaussian(&random));
            }
            struct dijet_fit fit;
            dijet_fit(&basis, counts, variance, &fit);
            ck_assert(fit.converged);
            const struct problem problem = {&basis, counts, variance};
            /* GSL stops at a relative gradient of 1e-8 or so: chi2 is the square of that. */
            ck_assert_double_eq_tol(fit.chi2, chi2_of_gsl(&problem), 1e-6);
        }
    }
}
END_TEST

/* ---- toys ---- */

/* Binomial of 10^6 in all, multinomial over the bins. */
static void draw_toy(const gsl_rng *random, const double expected[], double counts[])
{
    double sum = 0;
    unsigned n[BINS];
    for (uint32_t b = 0; b < BINS; b++)
        sum += expected[b];
    gsl_ran_multinomial(random, BINS, gsl_ran_binomial(random, sum / 1e6, 1000000), expected, n);
    for (uint32_t b = 0; b < BINS; b++)
        counts[b] = n[b];
}

static double largest_significance(const double counts[], const double background[])
{
    double most = 0;
    for (uint32_t b = 0; b < BINS; b++)
        most = fmax(most, local_significance((uint64_t)counts[b], background[b], MLS_POISSON,
                                             MLS_POSITIVE));
    return most;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { TOYS = 100000 };
static double mls[TOYS];

/* Against the background itself (parameters 0), or against a fit to each toy. */
static void draw_null(uint32_t parameters, double *mean, double *error)
{
    struct random_state random;
    struct gsl_philox philox;
    struct dijet_basis basis = {0};
    struct dijet_fit fit;
    double background[BINS], counts[BINS], squares = 0;
    random_init(&random, 1, 2, parameters);
    gsl_rng *generator = gsl_philox_init(&philox, &random);
    for (uint32_t b = 0; b < BINS; b++)
        background[b] = published[b];
    if (parameters > 0) { /* toys are drawn from the function that they are fitted with */
        basis = basis_of(parameters);
        dijet_fit(&basis, published, published, &fit);
        for (uint32_t b = 0; b < BINS; b++)
            background[b] = fit.expected[b];
    }
    *mean = 0;
    for (size_t toy = 0; toy < TOYS; toy++) {
        draw_toy(generator, background, counts);
        if (parameters > 0) {
            dijet_fit(&basis, counts, background, &fit);
            ck_assert(fit.converged);
        }
        mls[toy] = largest_significance(counts, parameters > 0 ? fit.expected : background);
        *mean += mls[toy] / TOYS;
        squares += mls[toy] * mls[toy] / TOYS;
    }
    *error = sqrt((squares - *mean * *mean) / TOYS);
    qsort(mls, TOYS, sizeof *mls, ascending);
}

/* Standard error of the quantile q of the sorted mls: half the distance of the order statistics one
 * binomial standard deviation away on either side. */
static double quantile_error(double q)
{
    const double at = q * TOYS, away = sqrt(TOYS * q * (1 - q));
    return (mls[(size_t)(at + away)] - mls[(size_t)(at - away)]) / 2;
}

START_TEST(the_null_distributions_are_the_published_ones)
{
    static const double share[4] = {0.5, 0.9, 0.99, 0.999};
    static const double rounded[4] = {0.0005, 0.0005, 0.0005, 0.005}; /* of what is printed */
    static const struct {
        uint32_t parameters;
        double mean, error;
        double quantile[4];
    } known[] = {{0, 1.7654, 0.0017, {1.720, 2.458, 3.190, 3.81}},
                 {4, 1.5855, 0.0032, {1.534, 2.195, 2.889, 3.44}},
                 {3, 1.6450, 0.0033, {1.590, 2.264, 2.978, 3.59}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double mean, error;
        draw_null(known[i].parameters, &mean, &error);
        ck_assert_double_lt(fabs(mean - known[i].mean), 3 * hypot(error, known[i].error));
        /* Their toys are fewer by the square of the ratio of the errors of the means, so that the
         * errors of their quantiles are larger by this ratio. */
        const double both = hypot(1, known[i].error / error);
        for (size_t q = 0; q < 4; q++)
            ck_assert_double_eq_tol(mls[(size_t)(TOYS * share[q])], known[i].quantile[q],
                                    3 * both * quantile_error(share[q]) + rounded[q]);
    }
}
END_TEST

START_TEST(spectra_with_few_or_no_events_end_in_a_finite_fit_or_say_that_they_did_not)
{
    struct random_state random;
    struct gsl_philox philox;
    random_init(&random, 8, 9, 1);
    gsl_rng *generator = gsl_philox_init(&philox, &random);
    for (uint32_t parameters = 3; parameters <= 5; parameters++) {
        const struct dijet_basis basis = basis_of(parameters);
        size_t converged = 0;
        for (int toy = 0; toy < 300; toy++) {
            double counts[BINS], variance[BINS];
            struct dijet_fit fit;
            for (uint32_t b = 0; b < BINS; b++) {
                variance[b] = published[b] * 2e-4 + 0.01; /* 11 to 1 events */
                counts[b] = gsl_ran_poisson(generator, variance[b]);
            }
            dijet_fit(&basis, counts, variance, &fit);
            converged += fit.converged;
            ck_assert(isfinite(fit.chi2) && isfinite(fit.log_p1));
            for (uint32_t b = 0; b < BINS; b++)
                ck_assert(isfinite(fit.expected[b]) && fit.expected[b] >= 0);
        }
        ck_assert_uint_gt(converged, 290);
    }
}
END_TEST

START_TEST(ln_p1_and_the_other_parameters_give_the_function_where_p1_is_no_double)
{
    struct random_state random;
    size_t beyond = 0;
    const struct dijet_basis basis = basis_of(5);
    random_init(&random, 4, 5, 6);
    for (int toy = 0; toy < 200; toy++) {
        double counts[BINS], variance[BINS];
        struct dijet_fit fit;
        for (uint32_t b = 0; b < BINS; b++) {
            variance[b] = 0.01 * published[b];
            counts[b] = round(variance[b] + sqrt(variance[b]) * random_gaussian(&random));
        }
        dijet_fit(&basis, counts, variance, &fit);
        ck_assert(fit.converged);
        beyond += !isfinite(fit.parameter[0]) || fit.parameter[0] == 0;
        for (uint32_t b = 0; b < BINS; b++) {
            const double x = centre(b), l = log(x), *p = fit.parameter;
            const double f = fit.log_p1 + p[1] * log1p(-x) + l * (p[2] + l * (p[3] + l * p[4]));
            /* Terms of some 1e4 cancel, to 1e-11 of them. */
            ck_assert_double_eq_tol(f, log(fit.expected[b]), 1e-6);
        }
    }
    ck_assert_uint_gt(beyond, 50);
}
END_TEST

START_TEST(bins_that_cannot_be_fitted_are_refused)
{
    static const struct {
        struct mass_bins bins;
        uint32_t parameters;
    } wrong[] = {
        {{3000, 3300, 3}, 4}, {{12900, 13200, 6}, 3}, {{-100, 400, 5}, 3}, {{3000, 4600, 300}, 3}};
    struct dijet_basis basis;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(dijet_basis_make(&basis, &wrong[i].bins, ENERGY, wrong[i].parameters),
                         STATUS_BAD_SHAPE);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("dijet_fit");
    tcase_add_test(cases, a_fit_to_the_published_expectation_gives_the_published_parameters);
    tcase_add_test(cases, the_minimum_is_that_of_gsl);
    tcase_add_test(cases, the_null_distributions_are_the_published_ones);
    tcase_add_test(cases,
                   spectra_with_few_or_no_events_end_in_a_finite_fit_or_say_that_they_did_not);
    tcase_add_test(cases, ln_p1_and_the_other_parameters_give_the_function_where_p1_is_no_double);
    tcase_add_test(cases, bins_that_cannot_be_fitted_are_refused);
    return run_case(cases, "dijet_fit");
}
