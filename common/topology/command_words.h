/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_words: the value of `run:` as the words of a command and as one text for people. */
#ifndef COMMON_TOPOLOGY_COMMAND_WORDS_H
#define COMMON_TOPOLOGY_COMMAND_WORDS_H

#include <jansson.h>

/* The words, ending with NULL: those of a list as they are, those of a text split at blanks. The
 * caller's, to be given to command_words_free; NULL when out of memory. */
char **command_words(const json_t *run);
/* Does nothing if words is NULL. */
void command_words_free(char **words);
/* The words with blanks between them, each that holds a blank or a quote in single quotes. The
 * caller's, to be given to free; NULL when out of memory. */
char *command_text(char *const words[]);

#endif
