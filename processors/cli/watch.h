/* processors/cli/watch.h - wait until a file of some folders is saved (inotify).
 *
 * Folders are watched, not files: most editors save by renaming a new file over the old one.
 * Hidden files and what editors leave beside (x~, x.part) are no news.
 */
#ifndef ATTENT_PROCESSORS_CLI_WATCH_H
#define ATTENT_PROCESSORS_CLI_WATCH_H

#include <limits.h>
#include <signal.h>

#include "core/err.h"
#include "core/str.h"

struct watch {
    int fd;
    char name[NAME_MAX + 1]; /* of the file that was saved last */
};

enum err_code watch_open(struct watch *watch, struct err *err);
void watch_close(struct watch *watch);

/* A folder that is not there is left out. */
enum err_code watch_add(struct watch *watch, const char *dir, struct err *err);

/* Until a file is saved (true: watch->name), or *stop is set by a signal (false).  What is saved
 * within a moment of it counts as the same. */
bool watch_wait(struct watch *watch, const volatile sig_atomic_t *stop);

#endif
