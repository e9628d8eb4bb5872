#include "tests/bench/cap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

/* Version 2 has one tree, version 1 one for each resource (Linux, admin-guide/cgroup-v2 and
 * cgroup-v1/memory).  The group's file for the most memory differs as well. */
static const struct tree {
    const char *path, *most;
} trees[] = {
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
    {"/sys/fs/cgroup", "memory.max"},
};

static char group[128]; /* "" when there is none */

/* These files are written in place: nothing can be renamed into such a folder. */
static bool tell(const char *name, unsigned long long number)
{
    char path[256], text[32];
    int length = snprintf(text, sizeof text, "%llu", number);
    int fd;
    bool told;

    snprintf(path, sizeof path, "%s/%s", group, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    told = write(fd, text, (size_t)length) == length;
    close(fd);
    return told;
}

enum err_code cap_memory(pid_t pid, uint64_t mib, struct err *err)
{
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        if (!file_is_folder(trees[i].path))
            continue;
        snprintf(group, sizeof group, "%s/attent-%d", trees[i].path, (int)pid);
        if (mkdir(group, 0755) == 0 && tell(trees[i].most, mib << 20) &&
            tell("cgroup.procs", (unsigned long long)pid))
            return atexit(cap_end) == 0 ? ERR_NONE : err_set(err, ERR_LIMIT, "atexit");
        cap_end();
    }
    return err_set(err, ERR_IO,
                   "no control group for memory can be made (%s); as root it can, or "
                   "CAP_MIB=0 for a soak without a cap",
                   strerror(errno));
}

void cap_end(void)
{
    if (group[0] != '\0')
        rmdir(group);
    group[0] = '\0';
}
