/* A list of what this process owns, walked at exit.
 *
 * The one hard thing is fork: Check runs each test in a child, which inherits the list and runs
 * the parent's exit handlers.  So every entry says whose it is, and only its owner removes it.
 *
 * A port is claimed by binding a Unix socket of that name in the abstract namespace: the kernel
 * lets one process have it, and takes it back when that process (and its children) are gone.
 */
#include "tests/support/scratch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER_PREFIX "attent-test-"

/* Below the range for outgoing connections (32768 and up), also with 10000 added. */
enum { PORT_MIN = 10000, PORT_COUNT = 12000 };

struct scratch_entry {
    struct scratch_entry *next;
    pid_t owner;
    bool is_dir; /* or the name of a file in a folder, kept for its caller */
    char *path;
};

static struct scratch_entry *entries;
static pid_t handler_owner;

void scratch_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "support: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILURE);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    remove(path); /* somebody may have been faster; what stays is swept later */
    return 0;
}

void scratch_remove(const char *dir)
{
    if (dir != NULL)
        nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void remove_owned(void)
{
    for (struct scratch_entry *entry = entries; entry != NULL; entry = entry->next) {
        if (entry->is_dir && entry->owner == getpid())
            scratch_remove(entry->path);
    }
}

static const char *temp_root(void)
{
    const char *root = getenv("TMPDIR");

    return root != NULL && root[0] == '/' ? root : "/tmp";
}

static bool name_is_stale(const char *name)
{
    char *end;
    long pid;

    if (strncmp(name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) != 0)
        return false;
    pid = strtol(name + strlen(FOLDER_PREFIX), &end, 10);
    return pid > 0 && *end == '-' && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void scratch_sweep(void)
{
    char path[4096];
    struct dirent *entry;
    DIR *dir = opendir(temp_root());

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!name_is_stale(entry->d_name))
            continue;
        if (snprintf(path, sizeof path, "%s/%s", temp_root(), entry->d_name) < (int)sizeof path)
            scratch_remove(path);
    }
    if (dir != NULL)
        closedir(dir);
}

/* Keep path (taken) until exit. */
static const char *keep(char *path, bool is_dir)
{
    struct scratch_entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL || path == NULL)
        scratch_fail("out of memory");
    entry->owner = getpid();
    entry->is_dir = is_dir;
    entry->path = path;
    entry->next = entries;
    entries = entry;
    return path;
}

const char *scratch_dir(void)
{
    char *path = NULL;

    if (handler_owner == 0) { /* a forked test inherits the handler and sweeps no second time */
        handler_owner = getpid();
        scratch_sweep();
        atexit(remove_owned);
    }
    if (asprintf(&path, "%s/" FOLDER_PREFIX "%ld-XXXXXX", temp_root(), (long)getpid()) < 0)
        scratch_fail("out of memory");
    if (mkdtemp(path) == NULL)
        scratch_fail("cannot make %s: %s", path, strerror(errno));
    return keep(path, true);
}

const char *scratch_keep(const char *text)
{
    return keep(strdup(text), false);
}

const char *scratch_path(const char *dir, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        scratch_fail("out of memory");
    return keep(path, false);
}

static void make_parents(const char *path)
{
    char part[4096];

    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0755); /* one that is there is fine; any other fault shows at open */
    }
}

const char *scratch_write(const char *dir, const char *name, const char *text)
{
    const char *path = scratch_path(dir, name);
    FILE *file;

    make_parents(path);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        scratch_fail("cannot write %s: %s", path, strerror(errno));
    return path;
}

char *scratch_read(const char *path, size_t *bytes)
{
    char *text = NULL;
    size_t room = 0, used = 0, got;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return NULL;
    do {
        room += 65536;
        text = realloc(text, room + 1);
        if (text == NULL)
            scratch_fail("out of memory");
        got = fread(text + used, 1, room - used, file);
        used += got;
    } while (used == room);
    text[used] = '\0';
    fclose(file);
    if (bytes != NULL)
        *bytes = used;
    return text;
}

int scratch_count_files(const char *dir)
{
    struct dirent *entry;
    int count = 0;
    DIR *stream = opendir(dir);

    if (stream == NULL)
        return -1;
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count++;
    }
    closedir(stream);
    return count;
}

/* Bind and close at once. */
static bool port_is_free(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool free_now;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* as servers do it: remains of closed connections are no hindrance */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    free_now = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return free_now;
}

/* The socket stays open until exit: it is the claim. */
static bool port_claim(int port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    length =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "attent-test-port-%d", port);
    if (bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
        return true;
    close(fd);
    return false;
}

int scratch_free_port(void)
{
    static int next = -1;

    if (next < 0) /* begin elsewhere than others: fewer tries, and ports are not reused at once */
        next = (int)(((unsigned)getpid() * 131u) % PORT_COUNT);
    for (int tried = 0; tried < PORT_COUNT; tried++) {
        int port = PORT_MIN + next;

        next = (next + 1) % PORT_COUNT;
        if (port_is_free(port) && port_is_free(port + 10000) && port_claim(port))
            return port;
    }
    scratch_fail("no free port of 127.0.0.1 from %d to %d", PORT_MIN, PORT_MIN + PORT_COUNT - 1);
}
