/* SPDX-License-Identifier: GPL-3.0-or-later */
/* elementary: sine, cosine, and hyperbolic sine and cosine of lanes, and logarithm and azimuth of
 * single numbers, to about a unit in the last place. Products and sums are rounded one by one, so
 * every instruction set gives the same bits. recombine_loops.h includes this after the file of an
 * instruction set has defined its lanes. */
#ifndef COMMON_KERNELS_JETS_ELEMENTARY_H
#define COMMON_KERNELS_JETS_ELEMENTARY_H

#define TWO_PI 6.283185307179586
/* Added and taken away, it rounds to an integer, which its last bits hold meanwhile. */
#define ROUNDER 0x1.8p52

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
static inline lanes polynomial(size_t n, const double c[], lanes x)
{
    lanes sum = lanes_all(c[n - 1]);
    for (size_t i = n - 1; i-- > 0;)
        sum = lanes_add(lanes_multiply(sum, x), lanes_all(c[i]));
    return sum;
}

/* Rounded to an integer, with ROUNDER still added. */
static inline lanes near_integer(lanes x, double per)
{
    return lanes_add(lanes_multiply(x, lanes_all(per)), lanes_all(ROUNDER));
}

/* x - n (high + low): high has so few digits that n high is exact. */
static inline lanes reduced(lanes x, lanes n, double high, double low)
{
    return lanes_subtract(lanes_subtract(x, lanes_multiply(n, lanes_all(high))),
                          lanes_multiply(n, lanes_all(low)));
}

static inline lanes negated(lanes x)
{
    return lanes_subtract(lanes_all(0), x);
}

static inline lane_mask between(lanes x, double low, double high)
{
    return mask_and(lanes_less(lanes_all(low), x), lanes_less(x, lanes_all(high)));
}

/* Of |x| <= 2 pi: Taylor series within pi/4 of the nearest quarter turn. */
static inline void sine_cosine(lanes x, lanes *sine, lanes *cosine)
{
    static const double sine_terms[] = {
        -1 / 6.,        1 / 120.,        -1 / 5040.,          1 / 362880.,
        -1 / 39916800., 1 / 6227020800., -1 / 1307674368000., 1 / 355687428096000.};
    static const double cosine_terms[] = {
        1 / 24.,        -1 / 720.,         1 / 40320.,          -1 / 3628800.,
        1 / 479001600., -1 / 87178291200., 1 / 20922789888000., -1 / 6402373705728000.};
    const lanes n = lanes_subtract(near_integer(x, 0.6366197723675814), lanes_all(ROUNDER));
    const lanes r = reduced(x, n, 0x1.921fb54442d18p0, 0x1.1a62633145c07p-54);
    const lanes r2 = lanes_multiply(r, r);
    const lanes s =
        lanes_add(r, lanes_multiply(lanes_multiply(r, r2), polynomial(8, sine_terms, r2)));
    const lanes half = lanes_multiply(r2, lanes_all(0.5));
    const lanes c =
        lanes_add(lanes_subtract(lanes_all(1), half),
                  lanes_multiply(lanes_multiply(r2, r2), polynomial(8, cosine_terms, r2)));
    /* Quarter turns 0 to 4 */
    const lanes quarter = lanes_select(lanes_less(n, lanes_all(0)), lanes_add(n, lanes_all(4)), n);
    const lane_mask odd = between(lanes_size(lanes_subtract(quarter, lanes_all(2))), 0.5, 1.5);
    const lanes up = lanes_select(odd, c, s);
    const lanes along = lanes_select(odd, s, c);
    *sine = lanes_select(between(quarter, 1.5, 3.5), negated(up), up);
    *cosine = lanes_select(between(quarter, 0.5, 2.5), negated(along), along);
}

/* Hyperbolic, of |x| < 700: from exp(x) - 1, whose Taylor series holds within ln(2) / 2. */
static inline void hyperbolic_sine_cosine(lanes x, lanes *sine, lanes *cosine)
{
    static const double terms[] = {1 / 2.,          1 / 6.,        1 / 24.,        1 / 120.,
                                   1 / 720.,        1 / 5040.,     1 / 40320.,     1 / 362880.,
                                   1 / 3628800.,    1 / 39916800., 1 / 479001600., 1 / 6227020800.,
                                   1 / 87178291200.};
    const lanes rounded = near_integer(x, 1.4426950408889634);
    const lanes n = lanes_subtract(rounded, lanes_all(ROUNDER));
    const lanes r = reduced(x, n, 0x1.62e42fefa38p-1, 0x1.ef35793c7673p-45);
    const lanes p = lanes_add(r, lanes_multiply(lanes_multiply(r, r), polynomial(13, terms, r)));
    const lanes power = lanes_to_exponent(lanes_add(rounded, lanes_all(1023)));
    const lanes less_one = lanes_add(lanes_subtract(power, lanes_all(1)), lanes_multiply(power, p));
    const lanes whole = lanes_add(power, lanes_multiply(power, p));
    const lanes inverse = lanes_divide(lanes_all(1), whole);
    const lanes half = lanes_all(0.5);
    *sine = lanes_multiply(half, lanes_add(less_one, lanes_divide(less_one, whole)));
    *cosine = lanes_multiply(half, lanes_add(whole, inverse));
}

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Natural, of a / b, both normal and > 0: n ln(2) + 2 artanh((a - b) / (a + b)) of a without n
 * powers of two. Bits as integers are a logarithm too, so their difference tells n, without a
 * branch, such that a and b are within 2^0.6 of each other. */
static inline double logarithm_of_ratio(double a, double b)
{
    const int64_t n = ((int64_t)(bits_of(a) - bits_of(b)) + ((int64_t)1 << 51)) >> 52;
    a = of_bits(bits_of(a) - ((uint64_t)n << 52));
    const double s = (a - b) / (a + b);
    const double z = s * s;
    const double z2 = z * z;
    const double z4 = z2 * z2;
    const double low = (1 / 3. + z * (1 / 5.)) + z2 * (1 / 7. + z * (1 / 9.));
    const double middle = (1 / 11. + z * (1 / 13.)) + z2 * (1 / 15. + z * (1 / 17.));
    const double high = (1 / 19. + z * (1 / 21.)) + z2 * (1 / 23. + z * (1 / 25.));
    const double series = z * (low + z4 * (middle + z4 * high));
    const double twice = s + s;
    const double powers = (double)n;
    return powers * 0x1.62e42fefa38p-1 + (twice + (twice * series + powers * 0x1.ef35793c7673p-45));
}

/* In [0, 2 pi), of (x, y), 0 for (0, 0): arc tangent about the nearest of three angles of the first
 * half quadrant, then the octant. */
static inline double azimuth(double x, double y)
{
    static const double tangent[3] = {0, 0.3125, 0.71875};
    static const double angle[3] = {0, 0.3028848683749714, 0.6231993299340659};
    static const double start[8] = {0,      TWO_PI / 4,    TWO_PI / 2, TWO_PI / 4,
                                    TWO_PI, TWO_PI * 0.75, TWO_PI / 2, TWO_PI * 0.75};
    static const double sense[8] = {1, -1, -1, 1, -1, 1, 1, -1};
    const double width = fabs(x);
    const double height = fabs(y);
    const bool steep = height > width;
    const double large = height > width ? height : width;
    const double small = width < height ? width : height;
    const size_t near = (size_t)(small > 0.156 * large) + (size_t)(small > 0.505 * large);
    const double down = large + tangent[near] * small;
    const double t = (small - tangent[near] * large) / (down > 0 ? down : 1);
    const double z = t * t;
    const double z2 = z * z;
    const double z4 = z2 * z2;
    const double low = (-1 / 3. + z * (1 / 5.)) + z2 * (-1 / 7. + z * (1 / 9.));
    const double middle = (-1 / 11. + z * (1 / 13.)) + z2 * (-1 / 15. + z * (1 / 17.));
    const double high = -1 / 19. + z * (1 / 21.);
    const double arc = angle[near] + (t + t * (z * (low + z4 * (middle + z4 * high))));
    const size_t octant = (size_t)steep + 2 * (size_t)(x < 0) + 4 * (size_t)(y < 0);
    const double found = start[octant] + sense[octant] * arc;
    return found < TWO_PI ? found : 0;
}

#endif
