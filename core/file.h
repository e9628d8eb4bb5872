/* core/file.h - whole files in, whole files out, names in a folder. */
#ifndef ATTENT_CORE_FILE_H
#define ATTENT_CORE_FILE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

/* Read a whole file (at most 64 MiB) into arena; a NUL follows the bytes. */
enum err_code file_read(const char *path, struct arena *arena, struct str *out, struct err *err);

/* The same with another limit: for files that machines write. */
enum err_code file_read_most(const char *path, int64_t bytes_max, struct arena *arena,
                             struct str *out, struct err *err);

/* Write under another name beside it, then rename: readers see the old file or the new one. */
enum err_code file_write(const char *path, struct str text, struct err *err);

/* Paths ("DIR/name") of the regular files in a folder whose name ends in suffix, sorted by name;
 * hidden ones are left out.  A folder that is not there is ERR_IO. */
enum err_code file_list(const char *dir, const char *suffix, struct arena *arena,
                        struct str **paths, size_t *count, struct err *err);

bool file_is_folder(const char *path);
bool file_exists(const char *path);

#endif
