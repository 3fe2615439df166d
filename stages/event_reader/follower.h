/* SPDX-License-Identifier: GPL-3.0-or-later */
/* follower: the files of a folder that is still being filled.
 * Files whose names match a pattern are accepted, each once, when it is complete (renamed into the
 * folder, or closed by its writer; one of another user when it has not changed for a while), until
 * a file of a given name ends the input. Files found at one look are accepted in byte order of
 * their names; the journal keeps the order. A file that is open for writing is waited for, and so
 * is one that cannot be opened, or is no event file from its first row to its last, while it may
 * become good; others go on meanwhile. Then it is refused for good, logged and noted, and so is one
 * with the same bytes as another. A second name of an accepted file (a link, a new name) is
 * ignored, and so are other names. */
#ifndef STAGES_EVENT_READER_FOLLOWER_H
#define STAGES_EVENT_READER_FOLLOWER_H

#include <jansson.h>

#include "common/store/events/event_file.h"
#include "stages/event_reader/journal.h"

typedef struct follower follower;

/* Borrowed for the life of the follower. */
struct follow_settings {
    const char *folder;
    const char *end; /* name of the file that ends the input */
    const struct event_labels *labels;
    const json_t *patterns; /* list of texts, as fnmatch(3) */
    uint64_t patience_ms;
};

/* Goes on from the journal (borrowed). STATUS_BAD_INPUT, logged, if there is no such folder. */
MUST_CHECK status follower_create(follower **out, journal *notes,
                                  const struct follow_settings *settings);
void follower_destroy(follower **self);
/* Readable when the folder may have changed; -1: it has to be polled. */
int follower_watch(const follower *self);
/* Does a little: looks into the folder when it is time to, or reads some rows of the file that is
 * being checked. What was found is in the journal then. *busy: there is more to do at once. */
MUST_CHECK status follower_step(follower *self, bool *busy);
/* The file that is still being written; NULL if there is none. */
const char *follower_waits_for(const follower *self);

/* How many files lie in the folder that the journal does not know. */
size_t follower_not_taken(follower *self);
/* Whether the file that ends the input is there. */
bool follower_end_is_there(const follower *self);
/* How many other names there were at the last look. */
size_t follower_others(const follower *self);
/* The present path of an accepted file; to be given to free, NULL if nowhere. */
char *follower_find(const follower *self, const struct file_identity *identity);

#endif
