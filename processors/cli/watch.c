/* Signals are blocked but while it waits, so that a Ctrl-C between looking at the flag and waiting
 * is not lost.
 */
#include "processors/cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

/* An editor that saves writes several names within some milliseconds; a person notices 100. */
enum { SETTLE_MS = 50 };

enum err_code watch_open(struct watch *watch, struct err *err)
{
    *watch = (struct watch){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (watch->fd == -1)
        return err_set(err, ERR_IO, "files cannot be watched: %s", strerror(errno));
    return ERR_NONE;
}

void watch_close(struct watch *watch)
{
    if (watch->fd != -1)
        close(watch->fd);
    watch->fd = -1;
}

enum err_code watch_add(struct watch *watch, const char *dir, struct err *err)
{
    const uint32_t saved = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

    if (inotify_add_watch(watch->fd, dir, saved) != -1 || errno == ENOENT || errno == ENOTDIR)
        return ERR_NONE;
    return err_set(err, ERR_IO, "%s cannot be watched: %s", dir, strerror(errno));
}

static bool is_news(struct str name)
{
    return name.len != 0 && name.data[0] != '.' &&
           (str_ends(name, STR(".yaml")) || str_ends(name, STR(".json")));
}

/* True: a file that matters was among what has been reported. */
static bool read_news(struct watch *watch)
{
    _Alignas(struct inotify_event) char bytes[4096];
    ssize_t got;
    bool news = false;

    while ((got = read(watch->fd, bytes, sizeof bytes)) > 0) {
        const struct inotify_event *event;

        for (char *at = bytes; at < bytes + got; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)(void *)at;
            if (event->len == 0 || !is_news(str_of(event->name)))
                continue;
            snprintf(watch->name, sizeof watch->name, "%s", event->name);
            news = true;
        }
    }
    return news;
}

static int wait_for_news(const struct watch *watch, int timeout_ms, const sigset_t *signals)
{
    struct pollfd fd = {.fd = watch->fd, .events = POLLIN};
    struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};

    return ppoll(&fd, 1, timeout_ms < 0 ? NULL : &timeout, signals);
}

bool watch_wait(struct watch *watch, const volatile sig_atomic_t *stop)
{
    sigset_t asked, before;
    bool news = false;

    sigemptyset(&asked);
    sigaddset(&asked, SIGINT);
    sigaddset(&asked, SIGTERM);
    sigprocmask(SIG_BLOCK, &asked, &before);
    while (!news && *stop == 0) {
        wait_for_news(watch, -1, &before);
        news = read_news(watch);
    }
    while (news && *stop == 0 && wait_for_news(watch, SETTLE_MS, &before) > 0)
        read_news(watch);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return news && *stop == 0;
}
