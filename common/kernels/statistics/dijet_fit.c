/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/kernels/statistics/dijet_fit.h"

#include <assert.h>
#include <math.h>

/* Relative rounding error of a chi2. */
#define CHI2_NOISE 1e-12

enum { P = DIJET_PARAMETERS_MAX, STEPS_MAX = 100, HALVINGS_MAX = 30 };

static double function_of(uint32_t i, double x)
{
    return i == 0 ? 1 : i == 1 ? log1p(-x) : pow(log(x), i - 1);
}

static double product(uint32_t n, const double a[], const double b[])
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Gram-Schmidt, twice over, so that what is lost by cancellation the first time is made up for. */
static bool orthogonalise(struct dijet_basis *self, uint32_t k)
{
    double *v = self->vector[k];
    const double length = sqrt(product(self->bins, v, v));
    for (int round = 0; round < 2; round++)
        for (uint32_t j = 0; j < k; j++) {
            const double part = product(self->bins, self->vector[j], v);
            self->triangle[j][k] += part;
            for (uint32_t b = 0; b < self->bins; b++)
                v[b] -= part * self->vector[j][b];
        }
    const double left = sqrt(product(self->bins, v, v));
    self->triangle[k][k] = left;
    for (uint32_t b = 0; b < self->bins; b++)
        v[b] /= left;
    return left > 1e-13 * length;
}

status dijet_basis_make(struct dijet_basis *out, const struct mass_bins *bins, double energy,
                        uint32_t parameters)
{
    assert(parameters >= DIJET_PARAMETERS_MIN && parameters <= P);
    *out = (struct dijet_basis){.bins = bins->n, .parameters = parameters};
    if (bins->n < parameters || bins->n > DIJET_BINS_MAX)
        return STATUS_BAD_SHAPE;
    for (uint32_t k = 0; k < parameters; k++) {
        for (uint32_t b = 0; b < bins->n; b++) {
            const double centre = (mass_bins_edge(bins, b) + mass_bins_edge(bins, b + 1)) / 2;
            if (!(centre > 0 && centre < energy))
                return STATUS_BAD_SHAPE;
            out->vector[k][b] = function_of(k, centre / energy);
        }
        if (!orthogonalise(out, k))
            return STATUS_BAD_SHAPE;
    }
    return STATUS_OK;
}

/* f of every bin at coefficients c; the logarithm is kept within what a double can hold. */
static void expect(const struct dijet_basis *basis, const double c[], double expected[])
{
    for (uint32_t b = 0; b < basis->bins; b++) {
        double sum = 0;
        for (uint32_t k = 0; k < basis->parameters; k++)
            sum += c[k] * basis->vector[k][b];
        expected[b] = exp(fmin(fmax(sum, -300), 300));
    }
}

static double chi2_of(const struct dijet_basis *basis, const double counts[],
                      const double variance[], const double expected[])
{
    double sum = 0;
    for (uint32_t b = 0; b < basis->bins; b++) {
        const double rest = counts[b] - expected[b];
        sum += rest * rest / variance[b];
    }
    return sum;
}

/* Solves a x = g for a symmetric positive a, by Cholesky's factors in place; false if it is not. */
static bool solve(uint32_t n, double a[P][P], double g[P])
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (uint32_t k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i == j && !(sum > 0))
                return false;
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
        for (uint32_t k = 0; k < i; k++)
            g[i] -= a[i][k] * g[k];
        g[i] /= a[i][i];
    }
    for (uint32_t i = n; i-- > 0;) {
        for (uint32_t k = i + 1; k < n; k++)
            g[i] -= a[k][i] * g[k];
        g[i] /= a[i][i];
    }
    return true;
}

/* The Gauss-Newton step from `expected`: d f / d c_k = f v_k. */
static bool make_step(const struct dijet_basis *basis, const double counts[],
                      const double variance[], const double expected[], double step[P])
{
    double a[P][P] = {{0}};
    for (uint32_t k = 0; k < P; k++)
        step[k] = 0;
    for (uint32_t b = 0; b < basis->bins; b++) {
        const double weight = expected[b] / variance[b];
        for (uint32_t k = 0; k < basis->parameters; k++) {
            const double slope = weight * basis->vector[k][b];
            step[k] += slope * (counts[b] - expected[b]);
            for (uint32_t j = 0; j <= k; j++)
                a[k][j] += slope * expected[b] * basis->vector[j][b];
        }
    }
    return solve(basis->parameters, a, step);
}

/* Starts at the least squares of ln counts, weighted as the counts are known; an empty bin counts
 * as half an event. */
static bool start(const struct dijet_basis *basis, const double counts[], const double variance[],
                  double c[P])
{
    double a[P][P] = {{0}};
    for (uint32_t k = 0; k < P; k++)
        c[k] = 0;
    for (uint32_t b = 0; b < basis->bins; b++) {
        const double n = fmax(counts[b], 0.5);
        const double weight = n * n / variance[b];
        for (uint32_t k = 0; k < basis->parameters; k++) {
            c[k] += weight * basis->vector[k][b] * log(n);
            for (uint32_t j = 0; j <= k; j++)
                a[k][j] += weight * basis->vector[k][b] * basis->vector[j][b];
        }
    }
    return solve(basis->parameters, a, c);
}

/* Goes along the step, halved until chi2 does not rise. Returns the largest relative change of an
 * expectation; -1 if no part of the step helps. */
static double descend(const struct dijet_basis *basis, const double counts[],
                      const double variance[], const double step[P], double c[P],
                      struct dijet_fit *out)
{
    double tried[P], expected[DIJET_BINS_MAX];
    double part = 1;
    for (int halving = 0; halving < HALVINGS_MAX; halving++, part /= 2) {
        for (uint32_t k = 0; k < basis->parameters; k++)
            tried[k] = c[k] + part * step[k];
        expect(basis, tried, expected);
        const double chi2 = chi2_of(basis, counts, variance, expected);
        if (!(chi2 <= out->chi2 * (1 + CHI2_NOISE)))
            continue;
        double change = 0;
        for (uint32_t b = 0; b < basis->bins; b++) {
            change = fmax(change, fabs(expected[b] / out->expected[b] - 1));
            out->expected[b] = expected[b];
        }
        for (uint32_t k = 0; k < basis->parameters; k++)
            c[k] = tried[k];
        out->chi2 = chi2;
        return change;
    }
    return -1;
}

/* The parameters, ln p1 in place of p1, from the coefficients: both are sums of the same functions,
 * so that the triangle is solved from its last row. */
static void convert(const struct dijet_basis *basis, const double c[], double parameter[P])
{
    for (uint32_t k = P; k-- > 0;) {
        parameter[k] = 0;
        if (k >= basis->parameters)
            continue;
        double sum = c[k];
        for (uint32_t j = k + 1; j < basis->parameters; j++)
            sum -= basis->triangle[k][j] * parameter[j];
        parameter[k] = sum / basis->triangle[k][k];
    }
}

void dijet_fit(const struct dijet_basis *basis, const double counts[], const double variance[],
               struct dijet_fit *out)
{
    const double near = 1e-10;
    double c[P], step[P];
    out->converged = false;
    out->steps = 0;
    out->ndf = basis->bins - basis->parameters;
    bool going = start(basis, counts, variance, c);
    expect(basis, c, out->expected);
    out->chi2 = chi2_of(basis, counts, variance, out->expected);
    while (going && !out->converged && out->steps < STEPS_MAX) {
        out->steps++;
        going = make_step(basis, counts, variance, out->expected, step);
        if (!going)
            break;
        const double change = descend(basis, counts, variance, step, c, out);
        out->converged = change >= 0 && change < near;
        going = change >= 0;
    }
    convert(basis, c, out->parameter);
    out->log_p1 = out->parameter[0];
    out->parameter[0] = exp(out->log_p1);
}
