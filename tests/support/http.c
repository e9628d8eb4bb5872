#include "tests/support/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void send_all(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t sent = send(fd, from, bytes, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server may have answered already */
        from += sent;
        bytes -= (size_t)sent;
    }
}

/* All that comes until the server closes, with a zero byte behind it. */
static char *read_all(int fd)
{
    size_t len = 0, room = 4096;
    char *text = malloc(room);
    ssize_t got;

    while ((got = recv(fd, text + len, room - len - 1, 0)) > 0) {
        len += (size_t)got;
        if (room - len < 2)
            text = realloc(text, room *= 2);
    }
    text[len] = '\0';
    return text;
}

int http_ask(int port, const char *method, const char *path, const void *body, size_t body_bytes,
             char **answer)
{
    return http_ask_with(port, method, path, NULL, body, body_bytes, answer);
}

int http_ask_with(int port, const char *method, const char *path, const char *headers,
                  const void *body, size_t body_bytes, char **answer)
{
    int fd = connect_to(port), status = 0;
    char head[4096];
    char *text, *end;

    if (answer != NULL)
        *answer = NULL;
    if (fd < 0)
        return 0;
    snprintf(
        head, sizeof head,
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
        method, path, body_bytes, headers != NULL ? headers : "");
    send_all(fd, head, strlen(head));
    send_all(fd, body, body_bytes);
    text = read_all(fd);
    close(fd);
    if (sscanf(text, "HTTP/1.%*d %d", &status) != 1)
        status = 0;
    end = strstr(text, "\r\n\r\n");
    if (answer != NULL && end != NULL)
        *answer = strdup(end + 4);
    free(text);
    return status;
}
