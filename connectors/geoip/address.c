#include "connectors/geoip/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_port(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len >= 1 && text.len <= 5;
}

/* Without the port, if there is one. */
static bool cut_port(struct str text, struct str *host)
{
    struct str before, after;

    *host = text;
    if (str_starts(text, STR("["))) {
        if (!str_cut(str_slice(text, 1, text.len), ']', host, &after))
            return false;
        return after.len == 0 || (after.data[0] == ':' && is_port(str_slice(after, 1, after.len)));
    }
    if (!str_cut(text, ':', &before, &after) || !str_contains(before, STR(".")))
        return true;
    *host = before;
    return is_port(after);
}

bool ip_read(struct str text, struct ip *out)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char name[INET6_ADDRSTRLEN];
    struct str host;

    *out = (struct ip){0};
    if (!cut_port(str_trim(text), &host) || host.len == 0 || host.len >= sizeof name ||
        memchr(host.data, '\0', host.len) != NULL)
        return false;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    if (inet_pton(AF_INET, name, out->bytes + sizeof mapped) == 1)
        memcpy(out->bytes, mapped, sizeof mapped);
    else if (inet_pton(AF_INET6, name, out->bytes) != 1)
        return false;
    out->v4 = memcmp(out->bytes, mapped, sizeof mapped) == 0;
    return true;
}

void ip_socket(const struct ip *ip, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memset(out, 0, sizeof *out);
    memcpy(&in.sin_addr, ip->bytes + 12, sizeof in.sin_addr);
    memcpy(&in6.sin6_addr, ip->bytes, sizeof in6.sin6_addr);
    if (ip->v4)
        memcpy(out, &in, sizeof in);
    else
        memcpy(out, &in6, sizeof in6);
}

bool ip_same_block(const struct ip *a, const struct ip *b, int bits)
{
    int bytes = bits / 8, rest = bits % 8;

    return memcmp(a->bytes, b->bytes, (size_t)bytes) == 0 &&
           (rest == 0 || (a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest) == 0);
}

void ip_block_text(const struct ip *ip, int bits, char out[IP_BLOCK_SIZE])
{
    unsigned char first[IP_BYTES] = {0};
    char name[INET6_ADDRSTRLEN] = "";

    memcpy(first, ip->bytes, (size_t)(bits / 8));
    if (bits % 8 != 0)
        first[bits / 8] = (unsigned char)(ip->bytes[bits / 8] & (0xff << (8 - bits % 8)));
    if (ip->v4)
        inet_ntop(AF_INET, first + 12, name, sizeof name);
    else
        inet_ntop(AF_INET6, first, name, sizeof name);
    snprintf(out, IP_BLOCK_SIZE, "%s/%d", name, ip->v4 ? bits - IP_V4_BITS : bits);
}
