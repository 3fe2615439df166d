/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/input_files.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/store/events/table_name.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* A setting is JSON, which holds UTF-8 only: a path in another encoding is refused by its name. */
static status append(const struct topology_stage *stage, json_t *list, const char *path)
{
    json_t *text = json_string(path);
    if (text != NULL)
        return json_array_append_new(list, text) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
    char shown[PATH_MAX];
    text_printable(path, sizeof shown, shown);
    log_error("stages.%s.settings.files: the name of the file %s is not UTF-8: rename it, or name "
              "a symbolic link to it",
              stage->name, shown);
    return STATUS_BAD_INPUT;
}

/* The folder that glob(3) could not read; its callback has no argument of ours. */
static char unreadable[PATH_MAX];
static int unreadable_errno;

/* Ends the search, except at a path that is no folder or a broken link: these match no pattern. */
static int note_unreadable(const char *path, int error)
{
    if (error == ENOTDIR || error == ENOENT)
        return 0;
    snprintf(unreadable, sizeof unreadable, "%s", path);
    unreadable_errno = error;
    return 1;
}

/* The first folder of the pattern's fixed part that cannot be used, written to out; false if all
 * are there. */
static bool find_bad_folder(const char *pattern, size_t size, char out[])
{
    const size_t fixed = strcspn(pattern, "*?[");
    for (size_t i = 1; i < fixed && i < size; i++) {
        if (pattern[i] != '/')
            continue;
        struct stat about;
        snprintf(out, size, "%.*s", (int)i, pattern);
        errno = 0;
        if (stat(out, &about) != 0 || !S_ISDIR(about.st_mode))
            return true;
    }
    return false;
}

static status refuse_pattern(const struct topology_stage *stage, const char *pattern, int failed)
{
    char folder[PATH_MAX];
    if (find_bad_folder(pattern, sizeof folder, folder))
        log_error("stages.%s.settings.files: no file matches '%s': the folder %s %s%s", stage->name,
                  pattern, folder,
                  errno == ENOENT ? "does not exist"
                  : errno == 0    ? "is no folder"
                                  : "cannot be used: ",
                  errno != ENOENT && errno != 0 ? strerror(errno) : "");
    else if (failed == GLOB_ABORTED)
        log_error("stages.%s.settings.files: '%s': the folder %s cannot be searched: %s",
                  stage->name, pattern, unreadable, strerror(unreadable_errno));
    else if (failed == GLOB_NOSPACE)
        log_error("stages.%s.settings.files: '%s': out of memory", stage->name, pattern);
    else
        log_error("stages.%s.settings.files: no file matches '%s'", stage->name, pattern);
    return failed == GLOB_NOSPACE ? STATUS_NO_MEMORY : STATUS_BAD_INPUT;
}

/* Appends every path, with ":KEY" behind it if tail is that. */
static status append_found(const struct topology_stage *stage, json_t *list, const glob_t *found,
                           const char *tail)
{
    status done = STATUS_OK;
    qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, by_bytes);
    for (size_t i = 0; i < found->gl_pathc && done == STATUS_OK; i++) {
        char *name;
        if (asprintf(&name, "%s%s", found->gl_pathv[i], tail) < 0)
            return STATUS_NO_MEMORY;
        done = append(stage, list, name);
        free(name);
    }
    return done;
}

static status search(const struct topology_stage *stage, const char *pattern, const char *tail,
                     json_t *list)
{
    glob_t found;
    const int failed = glob(pattern, GLOB_NOSORT, note_unreadable, &found);
    const status done = failed == 0 ? append_found(stage, list, &found, tail)
                                    : refuse_pattern(stage, pattern, failed);
    globfree(&found);
    return done;
}

/* No shell is here that would replace them. */
static status refuse_shell_words(const struct topology_stage *stage, const char *name)
{
    log_error("stages.%s.settings.files: there is no file '%s': '~' and '$NAME' are not replaced "
              "here, write the whole path",
              stage->name, name);
    return STATUS_BAD_INPUT;
}

/* A name with a file of just that name is no pattern, whatever is in it. */
static status expand_one(const struct topology_stage *stage, const char *name, json_t *list)
{
    struct table_name parts;
    status done = table_name_parse(&parts, name);
    const bool there = done == STATUS_OK && access(parts.path, F_OK) == 0;
    table_name_fini(&parts);
    if (done != STATUS_OK)
        return done;
    if (!there && (name[0] == '~' || strchr(name, '$') != NULL))
        return refuse_shell_words(stage, name);
    if (there || !is_pattern(name))
        return append(stage, list, name);
    const char *colon = strrchr(name, ':');
    if (colon == NULL || is_pattern(colon))
        return search(stage, name, "", list);
    char *pattern = strndup(name, (size_t)(colon - name));
    done = pattern != NULL ? search(stage, pattern, colon, list) : STATUS_NO_MEMORY;
    free(pattern);
    return done;
}

bool input_files_followed(const struct topology_stage *stage)
{
    return json_is_true(json_object_get(stage->settings, "follow"));
}

/* The folder by the one path that names it wherever it is spoken of. */
static status find_folder(const struct topology_stage *stage, const char *name, json_t *list)
{
    char *path = realpath(name, NULL);
    struct stat about;
    status done = STATUS_BAD_INPUT;
    if (path == NULL)
        log_error("stages.%s.settings.files: %s: %s; a folder to follow must be there", stage->name,
                  name, strerror(errno));
    else if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        log_error("stages.%s.settings.files: %s is no folder, but follow: true needs one",
                  stage->name, name);
    else if (access(path, R_OK | X_OK) != 0)
        log_error("stages.%s.settings.files: %s: %s", stage->name, name, strerror(errno));
    else
        done = append(stage, list, path);
    free(path);
    return done;
}

status input_files_expand(const struct topology_stage *stage, json_t **out)
{
    const json_t *files = json_object_get(stage->settings, "files");
    *out = json_array();
    status done = *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < json_array_size(files) && done == STATUS_OK; i++)
        done = (input_files_followed(stage) ? find_folder : expand_one)(
            stage, json_string_value(json_array_get(files, i)), *out);
    if (done != STATUS_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return done;
}
