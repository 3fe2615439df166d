/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: the tables of a set of prototypes, and labels from them. */
#include "common/kernels/clustering/model.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/clustering/model_internal.h"
#include "common/kernels/image/power.h"

struct model {
    size_t n; /* prototypes */
    size_t pixels;
    size_t columns; /* of the tables in double */
    const struct vector_loops *loops;
    double *bias;    /* [columns] */
    double *weight;  /* [pixels][columns] */
    double *extreme; /* [2][columns] room to find them */
    /* w = W + bias, the score of an image whose values sum to 1 being the sum of its rows alone, as
     * whole numbers: w = middle + unit (number in 16 bits), good to half a unit. */
    struct score_table table;
    double middle;
    double unit;
    double reach; /* above every |W| + |bias|; infinity: too large */
    /* What a k-means has not. */
    const smearing *smear;
    bool even;      /* all scales are equal: the tables alone say who is best */
    double *scale;  /* [columns] of |x|^2; NULL: nobody wants |x|^2 */
    double cutoff;  /* of the score; infinity: none */
    uint16_t noise; /* cluster of what is beyond it */
    uint16_t *map;  /* [n]; NULL: each prototype is a cluster */
};

/* The range of w in units: 16 bits, and some room for rounding. */
#define WHOLE_MOST 65500.0
/* Images scored before the first is looked at again. */
enum { TOGETHER = 64 };
/* Images that go through all models before the next ones: few enough that their pixels come from
 * a near cache, enough that a table is worth loading again. */
enum { IN_TURN = 4096 };
/* Pixels an image can have, as they are numbered in 16 bits. */
enum { LIT_MAX = UINT16_MAX + 1 };

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

size_t model_columns(size_t k)
{
    return round_up(k, VECTOR_LANES);
}

status model_create_blank(model **out, size_t k, const smearing *smear)
{
    assert(k > 0 && k <= MODEL_PROTOTYPES_MAX);
    *out = NULL;
    model *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->n = k;
    self->smear = smear;
    self->even = true;
    self->cutoff = INFINITY;
    self->pixels = smearing_pixels(smear);
    self->columns = model_columns(k);
    self->loops = smearing_loops(smear);
    self->table.stride = round_up(k, VECTOR_BLOCK);
    const size_t entries = self->pixels * self->table.stride;
    self->bias = calloc(self->columns, sizeof(double));
    self->extreme = calloc(2 * self->columns, sizeof(double));
    self->weight = aligned_alloc(64, self->pixels * self->columns * sizeof(double));
    self->table.start = aligned_alloc(64, self->table.stride * sizeof(float));
    self->table.word = aligned_alloc(64, entries * sizeof(int16_t));
    if (self->bias == NULL || self->weight == NULL || self->extreme == NULL ||
        self->table.start == NULL || self->table.word == NULL) {
        model_destroy(&self);
        return STATUS_NO_MEMORY;
    }
    memset(self->table.word, 0, entries * sizeof(int16_t));
    for (size_t c = 0; c < self->table.stride; c++)
        self->table.start[c] = c < k ? 0.0f : INFINITY; /* without a cluster: never wins */
    *out = self;
    return STATUS_OK;
}

void model_destroy(model **self)
{
    if (*self == NULL)
        return;
    free((*self)->bias);
    free((*self)->weight);
    free((*self)->extreme);
    free((*self)->scale);
    free((*self)->map);
    free((*self)->table.start);
    free((*self)->table.word);
    free(*self);
    *self = NULL;
}

/* mean[pixels][columns]: the centres side by side. */
static void lay_out(const model *self, const float centres[], double mean[])
{
    for (size_t p = 0; p < self->pixels; p++) {
        double *row = mean + p * self->columns;
        for (size_t c = 0; c < self->n; c++)
            row[c] = (double)centres[c * self->pixels + p];
        for (size_t c = self->n; c < self->columns; c++)
            row[c] = 0.0;
    }
}

/* weight holds G'G m: makes it -2 G'G m and the bias m.(G'G m). */
static void finish_tables(model *self, const double mean[])
{
    const size_t columns = self->columns;
    double *restrict bias = self->bias;
    memset(bias, 0, columns * sizeof *bias);
    for (size_t p = 0; p < self->pixels; p++) {
        const double *restrict m = mean + p * columns;
        double *restrict weight = self->weight + p * columns;
        for (size_t c = 0; c < columns; c++) {
            bias[c] += m[c] * weight[c];
            weight[c] *= -2.0;
        }
    }
}

/* Range of w over all clusters. */
struct range {
    double least, most;
};

static struct range range_of(model *self)
{
    const size_t columns = self->columns;
    const double *restrict bias = self->bias;
    double *restrict least = self->extreme, *restrict most = self->extreme + columns;
    for (size_t c = 0; c < columns; c++)
        least[c] = most[c] = self->weight[c] + bias[c];
    for (size_t p = 1; p < self->pixels; p++) {
        const double *restrict weight = self->weight + p * columns;
        for (size_t c = 0; c < columns; c++) {
            const double w = weight[c] + bias[c];
            least[c] = w < least[c] ? w : least[c];
            most[c] = w > most[c] ? w : most[c];
        }
    }
    struct range all = {least[0], most[0]};
    for (size_t c = 1; c < self->n; c++) {
        all.least = fmin(all.least, least[c]);
        all.most = fmax(all.most, most[c]);
    }
    return all;
}

/* Nearest whole number of |x| < 2^31, ties to even, where the processor may round 2 at a time. */
static double nearest_whole(double x)
{
    const double shift = 0x1.8p52;
    return x + shift - shift;
}

/* The words of 32 columns: number[32] are their w in units, not yet whole. An upper half is chosen
 * with the lower one in mind, which is part of the number that is read. */
static void fill_words(const double number[], int32_t word[])
{
    for (size_t i = 0; i < 16; i++) {
        const int32_t lower = (int32_t)nearest_whole(number[i]);
        const int32_t bits = lower & 0xffff;
        const double rest = number[16 + i] - (double)bits * 0x1p-16;
        const int32_t upper = (int32_t)nearest_whole(rest);
        word[i] = (int32_t)((uint32_t)upper << 16 | (uint32_t)bits);
    }
}

static void round_tables(model *self)
{
    const size_t stride = self->table.stride;
    const double *restrict bias = self->bias;
    const struct range range = range_of(self);
    double largest_bias = 0.0;
    for (size_t c = 0; c < self->n; c++)
        largest_bias = fmax(largest_bias, fabs(bias[c]));
    self->middle = 0.5 * (range.least + range.most);
    self->unit = (range.most - range.least) / WHOLE_MOST;
    self->reach = fmax(fabs(range.least), fabs(range.most)) + 2.0 * largest_bias;
    if (!(self->reach < 0x1p100)) {
        self->reach = INFINITY; /* a float may overflow: nothing is proven */
        return;
    }
    const double middle = self->middle;
    const double per_unit = self->unit > 0x1p-500 ? 1.0 / self->unit : 0.0;
    for (size_t p = 0; p < self->pixels; p++)
        for (size_t first = 0; first < self->n; first += 32) {
            const double *weight = self->weight + p * self->columns + first;
            const size_t some = self->n - first < 32 ? self->n - first : 32;
            double number[32];
            for (size_t c = 0; c < some; c++)
                number[c] = (weight[c] + bias[first + c] - middle) * per_unit;
            for (size_t c = some; c < 32; c++)
                number[c] = 0.0;
            fill_words(number, self->table.word + (p * stride + first) / 2);
        }
}

static void fill_tables(model *self, const float centres[], double scratch[])
{
    double *mean = scratch, *other = scratch + self->pixels * self->columns;
    lay_out(self, centres, mean);
    smearing_twice(self->smear, self->columns, mean, self->weight, other);
    finish_tables(self, mean);
}

void model_refresh(model *self, const float centres[], double scratch[])
{
    fill_tables(self, centres, scratch);
    round_tables(self);
}

/* Scales and biases of the prototypes into the tables. */
static void apply_terms(model *self, const double scale[], const double bias[])
{
    for (size_t c = 0; c < self->n; c++)
        self->bias[c] = self->bias[c] * scale[c] + bias[c];
    for (size_t p = 0; p < self->pixels; p++)
        for (size_t c = 0; c < self->n; c++)
            self->weight[p * self->columns + c] *= scale[c];
}

static bool all_equal(size_t n, const double x[])
{
    size_t i = 1;
    while (i < n && x[i] == x[0])
        i++;
    return i >= n;
}

static bool is_identity(size_t n, const uint16_t map[])
{
    size_t i = 0;
    while (i < n && map[i] == i)
        i++;
    return i == n;
}

/* What labels want besides the tables. */
static status keep_terms(model *self, const struct model_record *record)
{
    self->even = all_equal(self->n, record->scale);
    self->cutoff = record->cutoff;
    self->noise = (uint16_t)(record->clusters - 1);
    if (!self->even || self->cutoff < INFINITY) {
        self->scale = calloc(self->columns, sizeof *self->scale);
        if (self->scale == NULL)
            return STATUS_NO_MEMORY;
        memcpy(self->scale, record->scale, self->n * sizeof *self->scale);
    }
    if (!is_identity(self->n, record->map)) {
        self->map = malloc(self->n * sizeof *self->map);
        if (self->map == NULL)
            return STATUS_NO_MEMORY;
        memcpy(self->map, record->map, self->n * sizeof *self->map);
    }
    return STATUS_OK;
}

/* Room that fill_tables wants; NULL: out of memory. */
static double *new_scratch(const model *self)
{
    return aligned_alloc(64, 2 * self->pixels * self->columns * sizeof(double));
}

status model_create_nearest(model **out, size_t k, const float centres[], const smearing *smear)
{
    const status made = model_create_blank(out, k, smear);
    if (made != STATUS_OK)
        return made;
    double *scratch = new_scratch(*out);
    if (scratch == NULL) {
        model_destroy(out);
        return STATUS_NO_MEMORY;
    }
    model_refresh(*out, centres, scratch);
    free(scratch);
    return STATUS_OK;
}

status model_create(model **out, const struct model_record *record, const smearing *smear)
{
    assert(record->pixels == smearing_pixels(smear));
    status made = model_create_blank(out, record->prototypes, smear);
    if (made != STATUS_OK)
        return made;
    double *scratch = new_scratch(*out);
    made = scratch != NULL ? keep_terms(*out, record) : STATUS_NO_MEMORY;
    if (made == STATUS_OK) {
        fill_tables(*out, record->prototype, scratch);
        apply_terms(*out, record->scale, record->bias);
        round_tables(*out);
    } else {
        model_destroy(out);
    }
    free(scratch);
    return made;
}

void model_use(model *self, enum instruction_set set)
{
    self->loops = vector_loops_of(set);
}

/* The score of prototype c in double; the same bits as a lane of nearest_in_double. norm2 is |x|^2
 * where it counts. */
static double score_of(const model *self, size_t c, size_t n, const uint16_t pixel[],
                       const float value[], double norm2)
{
    double score = self->bias[c];
    if (self->scale != NULL)
        score += self->scale[c] * norm2;
    for (size_t i = 0; i < n; i++)
        score += (double)value[i] * self->weight[pixel[i] * self->columns + c];
    return score;
}

static size_t nearest_in_double(const model *self, size_t n, const uint16_t pixel[],
                                const float value[], double norm2)
{
    const uint64_t offset[2] = {0, n};
    size_t nearest = 0;
    double best = INFINITY;
    for (size_t i = 0; i < n; i++) /* few images come here: the rows may lie far away */
        for (size_t c = 0; c < self->columns; c += VECTOR_LANES)
            __builtin_prefetch(self->weight + pixel[i] * self->columns + c);
    for (size_t first = 0; first < self->columns; first += VECTOR_LANES) {
        double score[VECTOR_LANES];
        memcpy(score, self->bias + first, sizeof score);
        for (size_t c = 0; !self->even && c < VECTOR_LANES; c++)
            score[c] += self->scale[first + c] * norm2;
        self->loops->add_lanes(1, offset, pixel, value, self->columns, self->weight + first, score);
        for (size_t c = 0; c < VECTOR_LANES && first + c < self->n; c++)
            if (score[c] < best) {
                best = score[c];
                nearest = first + c;
            }
    }
    return nearest;
}

/* Images one behind the other; pixel, value and fraction begin with entry offset[0]. */
struct view {
    size_t n;
    const uint64_t *offset;
    const uint16_t *pixel;
    const float *value;    /* s, or the square roots of the fractions */
    const float *fraction; /* NULL if value is s */
    const double *norm2;   /* [n] |x|^2; NULL: no model wants it */
};

static struct view part_of(const struct view *all, size_t first, size_t most)
{
    const uint64_t skipped = all->offset[first] - all->offset[0];
    return (struct view){
        .n = all->n - first < most ? all->n - first : most,
        .offset = all->offset + first,
        .pixel = all->pixel + skipped,
        .value = all->value + skipped,
        .fraction = all->fraction != NULL ? all->fraction + skipped : NULL,
        .norm2 = all->norm2 != NULL ? all->norm2 + first : NULL,
    };
}

/* By how much scores found may be off. With t the sum of the values, v = t s but for their
 * rounding, and w = W + bias, t times the score of the definition is
 *     t (bias + sum W s) = sum w v + bias (t - t sum s).
 * A score found, plus middle times t, differs from it by
 *     unit/2 t                       as the w were made whole numbers of units,
 *     (n + 2) u sum |w - middle| v   as those became floats, and in n fused multiply-adds,
 *     3 u reach t                    as v, if a root, was rounded twice, and s once,
 * with u = 2^-24, reach above |w| and |bias|, |w - middle| at most half the range of w. A fiftieth
 * more covers (1 + u)^(n + 5) for any n that 16-bit pixels allow, that t itself is a float sum, and
 * all roundings in double; FLT_MIN covers underflow. If v is s, t is 1, and what the sum lacks of
 * it counts as well. */
static double error_of(const model *self, double n, double sum, bool is_s)
{
    const double lacking = is_s ? fabs(1.0 - sum) : 0.0;
    const double half_range = 0.5 * WHOLE_MOST * self->unit;
    const double rounding = 0x1p-24 * ((n + 2.0) * half_range + 3.0 * self->reach);
    return 1.02 * (sum * (0.5 * self->unit + rounding) + lacking * self->reach) +
           n * (double)FLT_MIN * (1.0 + self->unit);
}

/* Whether the scores found prove who is nearest. */
static bool is_proven(const model *self, const struct view *images, size_t i,
                      const struct nearest *found)
{
    const double n = (double)(images->offset[i + 1] - images->offset[i]);
    const double gap = (double)found->second - (double)found->best;
    const double error = error_of(self, n, (double)found->sum, images->fraction == NULL);
    return gap * (self->unit * 0x1p-16) > 2.0 * error;
}

/* The best prototype by its definition. */
static size_t decide(const model *self, const struct view *images, size_t i)
{
    const uint64_t begin = images->offset[i] - images->offset[0];
    const size_t n = (size_t)(images->offset[i + 1] - images->offset[i]);
    const uint16_t *pixel = images->pixel + begin;
    const double norm2 = images->norm2 != NULL ? images->norm2[i] : 0.0;
    if (images->fraction == NULL || n == 0)
        return nearest_in_double(self, n, pixel, images->value + begin, norm2);
    float s[LIT_MAX];
    image_to_power(n, images->fraction + begin, 0.5, s);
    return nearest_in_double(self, n, pixel, s, norm2);
}

/* Makes prototypes of what was found. near[n], if not NULL, gets about the score: of s only. */
static void settle(const model *self, const struct view *images, const struct nearest found[],
                   uint16_t label[], float near[])
{
    for (size_t i = 0; i < images->n; i++) {
        const size_t nearest =
            is_proven(self, images, i, &found[i]) ? found[i].index : decide(self, images, i);
        label[i] = (uint16_t)nearest;
        if (near != NULL)
            near[i] =
                found[i].best * (float)(self->unit * 0x1p-16) + found[i].sum * (float)self->middle;
    }
}

/* The score of prototype q for image i, whose values are s. */
static double score_for(const model *self, const struct view *images, size_t i, size_t q)
{
    const uint64_t begin = images->offset[i] - images->offset[0];
    return score_of(self, q, (size_t)(images->offset[i + 1] - images->offset[i]),
                    images->pixel + begin, images->value + begin,
                    images->norm2 != NULL ? images->norm2[i] : 0.0);
}

/* label[n] holds the best prototypes: makes them clusters. */
static void name_clusters(const model *self, const struct view *images, uint16_t label[])
{
    if (self->map == NULL && self->cutoff == INFINITY)
        return;
    for (size_t i = 0; i < images->n; i++) {
        const uint16_t best = label[i];
        if (self->cutoff < INFINITY && score_for(self, images, i, best) > self->cutoff)
            label[i] = self->noise;
        else if (self->map != NULL)
            label[i] = self->map[best];
    }
}

/* The best prototypes into label[n]. */
static void find_all(const model *self, const struct view *images, uint16_t label[], float near[])
{
    struct nearest found[TOGETHER];
    if (!self->even) {
        for (size_t i = 0; i < images->n; i++)
            label[i] = (uint16_t)decide(self, images, i);
        return;
    }
    for (size_t first = 0; first < images->n; first += TOGETHER) {
        const struct view some = part_of(images, first, TOGETHER);
        self->loops->find_nearest(&self->table, some.n, some.offset, some.pixel, some.value, found);
        settle(self, &some, found, label + first, near != NULL ? near + first : NULL);
    }
}

static void find_twice(const model *self, const model *other, const struct view *images,
                       uint16_t label[], uint16_t label_other[])
{
    struct nearest found[TOGETHER], found_other[TOGETHER];
    for (size_t first = 0; first < images->n; first += TOGETHER) {
        const struct view some = part_of(images, first, TOGETHER);
        self->loops->find_nearest_of_two(&self->table, &other->table, some.n, some.offset,
                                         some.pixel, some.value, found, found_other);
        settle(self, &some, found, label + first, NULL);
        settle(other, &some, found_other, label_other + first, NULL);
    }
}

/* Asks for a table that many images are about to use: in order, which is faster than as they come.
 */
static void fetch_table(const model *self, size_t images)
{
    enum { MANY = 512, LINE = 64 };
    const size_t words = self->pixels * self->table.stride / 2;
    if (images >= MANY && self->even)
        for (size_t i = 0; i < words; i += LINE / sizeof *self->table.word)
            __builtin_prefetch(self->table.word + i, 0, 2);
}

/* The labels of all models, image i by model m in label[m stride + i]. */
static void label_by_all(size_t count, model *const models[], const struct view *images,
                         size_t stride, uint16_t label[])
{
    size_t m = 0;
    while (m < count) {
        const bool two = m + 2 <= count && models[m]->even && models[m + 1]->even;
        uint16_t *own = label + m * stride;
        fetch_table(models[m], images->n);
        if (two) {
            fetch_table(models[m + 1], images->n);
            find_twice(models[m], models[m + 1], images, own, own + stride);
            name_clusters(models[m + 1], images, own + stride);
        } else {
            find_all(models[m], images, own, NULL);
        }
        name_clusters(models[m], images, own);
        m += two ? 2 : 1;
    }
}

static struct view view_of(const struct sparse_images *images)
{
    return (struct view){.n = images->n,
                         .offset = images->offset,
                         .pixel = images->pixel + images->offset[0],
                         .value = images->value + images->offset[0]};
}

/* The smearing that |x|^2 is to be computed with; NULL: no model wants it. */
static const smearing *who_measures(size_t count, model *const models[])
{
    for (size_t m = 0; m < count; m++)
        if (models[m]->scale != NULL)
            return models[m]->smear;
    return NULL;
}

/* The |x|^2 of images whose values are s into norm2, which has room for them. */
static void measure(const smearing *smear, struct view *images, double norm2[])
{
    for (size_t i = 0; i < images->n; i++) {
        const uint64_t begin = images->offset[i] - images->offset[0];
        const size_t n = (size_t)(images->offset[i + 1] - images->offset[i]);
        norm2[i] = smearing_norm2(smear, n, images->pixel + begin, images->value + begin);
    }
    images->norm2 = norm2;
}

void model_label_near(const model *self, const struct sparse_images *images, uint16_t label[],
                      float near[])
{
    const struct view all = view_of(images);
    assert(self->scale == NULL && self->map == NULL);
    fetch_table(self, all.n);
    find_all(self, &all, label, near);
}

void model_label(const model *self, const struct sparse_images *images, uint16_t label[],
                 double score[])
{
    double norm2[IN_TURN];
    const struct view all = view_of(images);
    fetch_table(self, all.n);
    for (size_t first = 0; first < all.n; first += IN_TURN) {
        struct view some = part_of(&all, first, IN_TURN);
        if (self->scale != NULL)
            measure(self->smear, &some, norm2);
        find_all(self, &some, label + first, NULL);
        for (size_t i = 0; score != NULL && i < some.n; i++)
            score[first + i] = score_for(self, &some, i, label[first + i]);
        name_clusters(self, &some, label + first);
    }
}

/* As many images from `first` on as have LIT_MAX pixels together, at most `most`. */
static size_t how_many(const struct view *all, size_t first, size_t most)
{
    size_t n = 0;
    while (n < most && first + n < all->n &&
           all->offset[first + n + 1] - all->offset[first] <= LIT_MAX)
        n++;
    assert(n > 0); /* pixels ascend, so an image has no more */
    return n;
}

/* Makes fractions what the scores want: their roots where those will do, else s. */
static void prepare(const struct vector_loops *loops, double power, bool roots, struct view *images,
                    float value[])
{
    const size_t n = (size_t)(images->offset[images->n] - images->offset[0]);
    images->fraction = roots ? images->value : NULL;
    if (roots)
        loops->take_roots(n, images->value, value);
    for (size_t i = 0; !roots && i < images->n; i++) {
        const uint64_t begin = images->offset[i] - images->offset[0];
        const size_t lit = (size_t)(images->offset[i + 1] - images->offset[i]);
        if (lit > 0)
            image_to_power(lit, images->value + begin, power, value + begin);
    }
    images->value = value;
}

void models_label(size_t count, model *const models[], const struct sparse_images *images,
                  uint16_t label[])
{
    double norm2[IN_TURN];
    const struct view all = view_of(images);
    const smearing *measures = who_measures(count, models);
    if (count == 1)
        fetch_table(models[0], all.n);
    for (size_t first = 0; first < all.n; first += IN_TURN) {
        struct view some = part_of(&all, first, IN_TURN);
        if (measures != NULL)
            measure(measures, &some, norm2);
        label_by_all(count, models, &some, all.n, label + first);
    }
}

void models_label_fractions(size_t count, model *const models[], double power,
                            const struct sparse_images *images, uint16_t label[])
{
    float value[LIT_MAX];
    double norm2[IN_TURN];
    const smearing *measures = who_measures(count, models);
    const struct view all = view_of(images);
    const size_t most = count > 1 ? IN_TURN : TOGETHER;
    size_t n;
    if (count == 1)
        fetch_table(models[0], all.n);
    for (size_t first = 0; first < all.n && count > 0; first += n) {
        n = how_many(&all, first, most);
        struct view some = part_of(&all, first, n);
        prepare(models[0]->loops, power, power == 0.5 && measures == NULL, &some, value);
        if (measures != NULL)
            measure(measures, &some, norm2);
        label_by_all(count, models, &some, all.n, label + first);
    }
}
