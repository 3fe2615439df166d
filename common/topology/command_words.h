/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_words: the value of `run:` as the words of a command and as one text for people. */
#ifndef COMMON_TOPOLOGY_COMMAND_WORDS_H
#define COMMON_TOPOLOGY_COMMAND_WORDS_H

#include <jansson.h>
#include <stdbool.h>

/* The words, ending with NULL: those of a list as they are, those of a text split at blanks. The
 * caller's, to be given to command_words_free; NULL when out of memory. */
char **command_words(const json_t *run);
/* Puts the folder of the topology file at `topology` before each word that is a relative path with
 * a slash in it, names nothing where we are, and names something there: so an example finds its
 * programs beside it. False when out of memory. */
bool command_words_find_beside(char **words, const char *topology);
/* Does nothing if words is NULL. */
void command_words_free(char **words);
/* The words with blanks between them, each that holds a blank or a quote in single quotes. The
 * caller's, to be given to free; NULL when out of memory. */
char *command_text(char *const words[]);

#endif
