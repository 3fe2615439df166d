/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/training/crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* Outcome of the training of a member. */
struct outcome {
    bool ready;
    status done;
    struct kmeans_result result;
    float *centres;
};

struct crew {
    struct crew_task task;
    uint32_t first;
    uint32_t step;
    uint32_t members;
    unsigned threads;
    pthread_t *thread; /* [threads] */
    pthread_mutex_t mutex;
    pthread_cond_t news;     /* some outcome is ready */
    struct outcome *outcome; /* [members]; this and all below under the mutex */
    uint32_t begun;
    uint32_t taken;
    bool stopped;
};

static void train_one(const struct crew_task *task, uint32_t member, struct outcome *out)
{
    struct kmeans_settings settings = task->settings;
    settings.member = member;
    out->centres = malloc(settings.clusters * task->pixels * sizeof *out->centres);
    out->done = out->centres == NULL ? STATUS_NO_MEMORY
                                     : kmeans_train(&settings, task->smear, task->images,
                                                    task->norm2, out->centres, &out->result);
    out->ready = true;
}

/* A thread: member after member, until none is left. */
static void *work(void *state)
{
    crew *self = state;
    pthread_mutex_lock(&self->mutex);
    while (!self->stopped && self->begun < self->members) {
        const uint32_t i = self->begun++;
        struct outcome outcome = {0};
        pthread_mutex_unlock(&self->mutex);
        train_one(&self->task, self->first + i * self->step, &outcome);
        pthread_mutex_lock(&self->mutex);
        self->outcome[i] = outcome;
        pthread_cond_signal(&self->news);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

static void init_locks(crew *self)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&self->mutex, NULL);
}

status crew_start(crew **out, const struct crew_task *task, uint32_t first, uint32_t step,
                  uint32_t end, unsigned threads)
{
    assert(first < end && step > 0 && threads > 0);
    *out = NULL;
    crew *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->task = *task;
    self->first = first;
    self->step = step;
    self->members = (end - first + step - 1) / step;
    init_locks(self);
    const unsigned wanted = threads < self->members ? threads : self->members;
    self->thread = calloc(wanted, sizeof *self->thread);
    self->outcome = calloc(self->members, sizeof *self->outcome);
    if (self->thread != NULL && self->outcome != NULL)
        while (self->threads < wanted &&
               pthread_create(&self->thread[self->threads], NULL, work, self) == 0)
            self->threads++;
    if (self->threads == 0) { /* fewer threads than wanted are enough */
        crew_stop(&self);
        return STATUS_NO_MEMORY;
    }
    *out = self;
    return STATUS_OK;
}

uint32_t crew_stop(crew **out)
{
    crew *self = *out;
    if (self == NULL)
        return 0;
    pthread_mutex_lock(&self->mutex);
    self->stopped = true;
    pthread_mutex_unlock(&self->mutex);
    for (unsigned i = 0; i < self->threads; i++)
        pthread_join(self->thread[i], NULL);
    for (uint32_t i = 0; self->outcome != NULL && i < self->members; i++)
        free(self->outcome[i].centres);
    const uint32_t begun = self->begun;
    pthread_cond_destroy(&self->news);
    pthread_mutex_destroy(&self->mutex);
    free(self->outcome);
    free(self->thread);
    free(self);
    *out = NULL;
    return begun;
}

static struct timespec in_ms(unsigned ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += (long)(ms % 1000) * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

status crew_take(crew *self, unsigned wait_ms, struct crew_member *out)
{
    const struct timespec until = in_ms(wait_ms);
    status done = STATUS_OK;
    *out = (struct crew_member){0};
    pthread_mutex_lock(&self->mutex);
    struct outcome *next = self->taken < self->members ? &self->outcome[self->taken] : NULL;
    int waited = 0;
    while (next != NULL && !next->ready && waited == 0)
        waited = pthread_cond_timedwait(&self->news, &self->mutex, &until);
    if (next != NULL && next->ready) {
        done = next->done;
        if (done == STATUS_OK) {
            *out = (struct crew_member){self->first + self->taken++ * self->step, next->result,
                                        next->centres};
            next->centres = NULL;
        }
    }
    pthread_mutex_unlock(&self->mutex);
    return done;
}
