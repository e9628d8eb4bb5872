/* Redis takes the port itself when two processes start at once: so a port is only guessed free,
 * and a server that ends at once is started again on another one. */
#include "processors/cli/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "processors/cli/loopback.h"

enum {
    TRIES = 3,           /* ports that somebody else took meanwhile */
    START_MS_MAX = 5000, /* an empty Redis answers within 50 ms */
    STOP_MS_MAX = 2000,
};

struct redis_server {
    pid_t pid;
    int port;
    char address[32];
    char folder[64];
};

/* In the child: die with the parent, be quiet, become Redis. */
_Noreturn static void become_redis(const struct redis_server *server)
{
    char port[16];
    int null = open("/dev/null", O_RDWR);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid(); /* Ctrl-C is for attent, which then stops Redis */
    if (null != -1) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    snprintf(port, sizeof port, "%d", server->port);
    execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir",
           server->folder, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
           "--daemonize", "no", (char *)NULL);
    _exit(127);
}

static bool answers(const struct redis_server *server)
{
    struct sockaddr_in address = loopback_address(server->port);
    struct timeval patience = {.tv_sec = 1};
    char reply[8] = "";
    bool pong = false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        write(fd, "PING\r\n", 6) == 6 && read(fd, reply, 5) == 5)
        pong = memcmp(reply, "+PONG", 5) == 0;
    close(fd);
    return pong;
}

/* Start once.  ERR_DOWN: it ended or never answered. */
static enum err_code start_once(struct redis_server *server, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + START_MS_MAX;
    int status;

    server->port = loopback_free_port(0);
    server->pid = fork();
    if (server->pid == -1)
        return err_set(err, ERR_DOWN, "start redis-server: %s", strerror(errno));
    if (server->pid == 0)
        become_redis(server);
    while (clock_mono_ms() < until_ms) {
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                return err_set(err, ERR_DOWN,
                               "redis-server is not installed; `deploy/install run` installs it");
            return err_set(err, ERR_DOWN, "redis-server ended at once on port %d", server->port);
        }
        if (answers(server))
            return ERR_NONE;
        clock_sleep_ms(10);
    }
    return err_set(err, ERR_DOWN, "redis-server does not answer on port %d", server->port);
}

enum err_code redis_server_start(struct redis_server **out, struct err *err)
{
    struct redis_server *server = MEM_NEW(struct redis_server);
    enum err_code code = ERR_DOWN;

    *out = NULL;
    snprintf(server->folder, sizeof server->folder, "/tmp/attent-dev-XXXXXX");
    if (mkdtemp(server->folder) == NULL) {
        code = err_set(err, ERR_IO, "make a folder in /tmp: %s", strerror(errno));
        mem_free(server);
        return code;
    }
    for (int i = 0; i < TRIES && code != ERR_NONE; i++)
        code = start_once(server, err);
    if (code != ERR_NONE) {
        redis_server_stop(server);
        return code;
    }
    snprintf(server->address, sizeof server->address, "127.0.0.1:%d", server->port);
    *out = server;
    return ERR_NONE;
}

const char *redis_server_address(const struct redis_server *server)
{
    return server->address;
}

void redis_server_stop(struct redis_server *server)
{
    int64_t until_ms = clock_mono_ms() + STOP_MS_MAX;

    if (server == NULL)
        return;
    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        while (waitpid(server->pid, NULL, WNOHANG) == 0) {
            if (clock_mono_ms() > until_ms)
                kill(server->pid, SIGKILL);
            clock_sleep_ms(10);
        }
    }
    rmdir(server->folder); /* Redis keeps nothing there: save and appendonly are off */
    mem_free(server);
}
