/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/command_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char blanks[] = " \t";

void command_words_free(char **words)
{
    for (char **word = words; word != NULL && *word != NULL; word++)
        free(*word);
    free(words);
}

static char **split(const char *line)
{
    char **words = calloc(strlen(line) / 2 + 2, sizeof *words);
    size_t n = 0;
    for (const char *at = line + strspn(line, blanks); words != NULL && *at != '\0';) {
        const size_t length = strcspn(at, blanks);
        words[n] = strndup(at, length);
        if (words[n++] == NULL) {
            command_words_free(words);
            return NULL;
        }
        at += length;
        at += strspn(at, blanks);
    }
    return words;
}

char **command_words(const json_t *run)
{
    if (json_is_string(run))
        return split(json_string_value(run));
    const size_t n = json_array_size(run);
    char **words = calloc(n + 1, sizeof *words);
    for (size_t i = 0; words != NULL && i < n; i++) {
        words[i] = strdup(json_string_value(json_array_get(run, i)));
        if (words[i] == NULL) {
            command_words_free(words);
            return NULL;
        }
    }
    return words;
}

/* Replaces *word by its path below the folder if it names a file there and none here. */
static bool find_beside(char **word, int length, const char *folder)
{
    char *beside;
    if (**word == '/' || strchr(*word, '/') == NULL || access(*word, F_OK) == 0)
        return true;
    if (asprintf(&beside, "%.*s%s", length, folder, *word) < 0)
        return false;
    char *unused = beside;
    if (access(beside, F_OK) == 0) {
        unused = *word;
        *word = beside;
    }
    free(unused);
    return true;
}

bool command_words_find_beside(char **words, const char *topology)
{
    const char *slash = strrchr(topology, '/');
    const int length = slash != NULL ? (int)(slash + 1 - topology) : 0;
    for (char **word = words; *word != NULL; word++)
        if (!find_beside(word, length, topology))
            return false;
    return true;
}

static bool needs_quotes(const char *word)
{
    return *word == '\0' || strpbrk(word, " \t'\"\\") != NULL;
}

/* Writes the word behind end; returns the new end. */
static char *add_word(char *end, const char *word)
{
    if (!needs_quotes(word))
        return stpcpy(end, word);
    *end++ = '\'';
    for (; *word != '\0'; word++)
        end = *word == '\'' ? stpcpy(end, "'\\''") : (*end = *word, end + 1);
    *end++ = '\'';
    *end = '\0';
    return end;
}

char *command_text(char *const words[])
{
    size_t room = 1;
    for (char *const *word = words; *word != NULL; word++)
        room += 4 * strlen(*word) + 3;
    char *text = malloc(room);
    if (text == NULL)
        return NULL;
    char *end = text;
    *end = '\0';
    for (char *const *word = words; *word != NULL; word++) {
        if (word != words)
            *end++ = ' ';
        end = add_word(end, *word);
    }
    return text;
}
