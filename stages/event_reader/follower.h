/* SPDX-License-Identifier: GPL-3.0-or-later */
/* follower: the files of a folder that is still being filled.
 * Files are taken in byte order of their names, each when it is complete (renamed into the folder,
 * or closed by whoever wrote it), until a file of a given name ends the input. Names that begin
 * with a dot or end in ".tmp" are not looked at. Refused for good, logged and noted: a file that
 * sorts before one already taken or refused, and one that is no event file from its first row to
 * its last. A file still open for writing is waited for, and with it what sorts behind it (where
 * the file system cannot tell, a file counts as complete). */
#ifndef STAGES_EVENT_READER_FOLLOWER_H
#define STAGES_EVENT_READER_FOLLOWER_H

#include "stages/event_reader/journal.h"

typedef struct follower follower;

/* Follows `folder` until `end` appears in it, going on from the journal (borrowed, as the texts
 * are). STATUS_BAD_INPUT, logged, if there is no such folder. */
MUST_CHECK status follower_create(follower **out, journal *notes, const char *folder,
                                  const char *end);
void follower_destroy(follower **self);
/* Readable when there may be something new; -1: it has to be asked from time to time. */
int follower_watch(const follower *self);
/* Does a little: looks into the folder when it is time to, or reads some rows of the file that is
 * being checked. What was found is in the journal then. *busy: there is more to do at once. */
MUST_CHECK status follower_step(follower *self, bool *busy);
/* The file that is waited for because somebody is still writing it; NULL if there is none. */
const char *follower_waits_for(const follower *self);

#endif
