/* Requests in raw bytes: a client library would be one more thing that may be at fault, and it
 * would retry, which is what a probe must not do.
 */
#include "tests/support/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 2000 }; /* of a running server on a busy machine, to one request */

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = ANSWER_MS / 1000, .tv_usec = ANSWER_MS % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Has all of an answer come?  It is a line, a text, or a list of at most one text. */
static bool is_whole(const char *answer, const char *until)
{
    const char *end = strstr(answer, "\r\n");

    if (end == NULL)
        return false;
    if (answer[0] == '*' && atoi(answer + 1) > 0)
        return is_whole(end + 2, until);
    return answer[0] != '$' || until >= end + 2 + atoi(answer + 1) + 2;
}

void probe_redis_ask(int port, const char *command, char *answer, int room)
{
    char line[256];
    int fd = connect_to(port), got = 0;
    ssize_t n = 1;

    answer[0] = '\0';
    if (fd < 0)
        return;
    snprintf(line, sizeof line, "%s\r\n", command);
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) > 0)
        while (n > 0 && got < room - 1 && !is_whole(answer, answer + got)) {
            n = recv(fd, answer + got, (size_t)(room - 1 - got), 0);
            got += n > 0 ? (int)n : 0;
            answer[got] = '\0';
        }
    close(fd);
}

bool probe_redis(int port)
{
    char reply[64];

    probe_redis_ask(port, "PING", reply, sizeof reply);
    /* one that wants a password is up; one that still loads its data says -LOADING */
    return strncmp(reply, "+PONG", 5) == 0 || strncmp(reply, "-NOAUTH", 7) == 0;
}

static bool receive_all(int fd, unsigned char *into, size_t bytes)
{
    ssize_t got;

    for (size_t done = 0; done < bytes; done += (size_t)got) {
        got = recv(fd, into + done, bytes - done, 0);
        if (got <= 0)
            return false;
    }
    return true;
}

static uint32_t big_endian(const unsigned char *from, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | from[i];
    return value;
}

/* One Kafka request and the body of its response; how many bytes that has, 0 on any fault. */
static size_t kafka_ask(int fd, const unsigned char *request, size_t bytes, unsigned char *body,
                        size_t room)
{
    unsigned char size[4];
    size_t length;

    if (send(fd, request, bytes, MSG_NOSIGNAL) != (ssize_t)bytes || !receive_all(fd, size, 4))
        return 0;
    length = big_endian(size, 4);
    return length <= room && receive_all(fd, body, length) ? length : 0;
}

/* A bit for each broker id in the body of a Metadata response of version 4:
 * correlation 4, throttle 4, count 4, then each: id 4, host 2 + n, port 4, rack 2 (+ n). */
static unsigned metadata_brokers(const unsigned char *body, size_t bytes)
{
    unsigned listed = 0;
    size_t at = 12;
    uint32_t left = bytes >= at ? big_endian(body + 8, 4) : 0;

    for (; left > 0 && at + 6 <= bytes; left--) {
        uint32_t id = big_endian(body + at, 4);
        uint32_t rack;

        listed |= id < 32 ? 1u << id : 0;
        at += 6 + big_endian(body + at + 4, 2) + 4;
        rack = at + 2 <= bytes ? big_endian(body + at, 2) : 0;
        at += 2 + (rack == 0xffff ? 0 : rack);
    }
    return listed;
}

unsigned probe_kafka(int port)
{
    /* size, key, version, correlation, no client id; Metadata: no topics, create none */
    static const unsigned char api_versions[] = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff};
    static const unsigned char metadata[] = {0, 0, 0,    15,   0, 3, 0, 4, 0, 0,
                                             0, 2, 0xff, 0xff, 0, 0, 0, 0, 0};
    unsigned char body[8192];
    unsigned listed = 0;
    int fd = connect_to(port);
    size_t bytes;

    if (fd < 0)
        return 0;
    bytes = kafka_ask(fd, api_versions, sizeof api_versions, body, sizeof body);
    if (bytes >= 6 && big_endian(body + 4, 2) == 0) {
        bytes = kafka_ask(fd, metadata, sizeof metadata, body, sizeof body);
        listed = metadata_brokers(body, bytes);
    }
    close(fd);
    return listed;
}
