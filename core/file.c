#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 }; /* rules, schemas, configuration are far smaller */

static enum err_code read_all(int fd, const char *path, size_t bytes, struct arena *arena,
                              struct str *out, struct err *err)
{
    char *data = arena_alloc_raw(arena, bytes + 1);
    size_t done = 0;

    while (done < bytes) {
        ssize_t got = read(fd, data + done, bytes - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    data[done] = '\0';
    *out = (struct str){data, done};
    return ERR_NONE;
}

enum err_code file_read_most(const char *path, int64_t bytes_max, struct arena *arena,
                             struct str *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    enum err_code code;

    *out = STR_EMPTY;
    if (fd == -1)
        return err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        code = err_set(err, ERR_IO, "%s is not a file", path);
    else if (info.st_size > bytes_max)
        code = err_set(err, ERR_LIMIT, "%s has more than %lld bytes", path, (long long)bytes_max);
    else
        code = read_all(fd, path, (size_t)info.st_size, arena, out, err);
    close(fd);
    return code;
}

enum err_code file_read(const char *path, struct arena *arena, struct str *out, struct err *err)
{
    return file_read_most(path, FILE_BYTES_MAX, arena, out, err);
}

static bool write_all(int fd, struct str text)
{
    while (text.len != 0) {
        ssize_t put = write(fd, text.data, text.len);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0)
            text = str_slice(text, (size_t)put, text.len);
    }
    return true;
}

enum err_code file_write(const char *path, struct str text, struct err *err)
{
    char part[4096];
    int fd;
    bool written;

    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return err_set(err, ERR_IO, "the path %s is too long", path);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd == -1)
        return err_set(err, ERR_IO, "create %s: %s", part, strerror(errno));
    written = write_all(fd, text);
    if (close(fd) != 0 || !written || rename(part, path) != 0) {
        err_set(err, ERR_IO, "write %s: %s", path, strerror(errno));
        unlink(part);
        return ERR_IO;
    }
    return ERR_NONE;
}

static int compare_paths(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

enum err_code file_list(const char *dir, const char *suffix, struct arena *arena,
                        struct str **paths, size_t *count, struct err *err)
{
    DIR *folder = opendir(dir);
    struct str *list = NULL;
    size_t capacity = 0;

    *count = 0;
    *paths = NULL;
    if (folder == NULL)
        return err_set(err, ERR_IO, "open folder %s: %s", dir, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct str path;
        if (entry->d_name[0] == '.' || !str_ends(str_of(entry->d_name), str_of(suffix)))
            continue;
        path = arena_format(arena, "%s/%s", dir, entry->d_name);
        if (file_is_folder(path.data))
            continue;
        MEM_RESERVE(list, *count, capacity);
        list[(*count)++] = path;
    }
    closedir(folder);
    if (*count != 0) {
        qsort(list, *count, sizeof *list, compare_paths);
        *paths = arena_copy(arena, list, *count * sizeof *list);
    }
    mem_free(list);
    return ERR_NONE;
}

bool file_is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool file_exists(const char *path)
{
    return access(path, R_OK) == 0;
}
