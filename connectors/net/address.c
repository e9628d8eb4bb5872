/* Two tables after the IANA special-purpose address registries (RFC 6890 and what came since).
 * IPv6 is the other way round: only 2000::/3 is given out at all, and parts of it are not public. */
#include "connectors/net/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
    uint32_t first;
    int bits;
} special4[] = {
    {0x00000000, 8},  /* this network                  */
    {0x0a000000, 8},  /* 10: private                   */
    {0x64400000, 10}, /* 100.64: shared, carrier NAT   */
    {0x7f000000, 8},  /* 127: loopback                 */
    {0xa9fe0000, 16}, /* 169.254: link-local, metadata */
    {0xac100000, 12}, /* 172.16: private               */
    {0xc0000000, 24}, /* 192.0.0: IETF protocols       */
    {0xc0000200, 24}, /* 192.0.2: documentation        */
    {0xc0586300, 24}, /* 192.88.99: 6to4 relays, gone  */
    {0xc0a80000, 16}, /* 192.168: private              */
    {0xc6120000, 15}, /* 198.18: benchmarks            */
    {0xc6336400, 24}, /* 198.51.100: documentation     */
    {0xcb007100, 24}, /* 203.0.113: documentation      */
    {0xe0000000, 4},  /* 224: multicast                */
    {0xf0000000, 4},  /* 240: reserved, broadcast      */
};

static const struct {
    unsigned char first[16];
    int bits;
} special6[] = {
    {{0x20, 0x01}, 23},             /* 2001::/23: IETF protocols, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: holds an IPv4 address */
    {{0x3f, 0xff}, 20},             /* documentation, RFC 9637 */
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof special4[0]; i++)
        if ((address ^ special4[i].first) >> (32 - special4[i].bits) == 0)
            return false;
    return true;
}

static bool has_prefix(const unsigned char *address, const unsigned char *prefix, int bits)
{
    int bytes = bits / 8, rest = bits % 8;

    return memcmp(address, prefix, (size_t)bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ prefix[bytes]) >> (8 - rest) == 0);
}

static uint32_t four_bytes(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_public6(const unsigned char *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:a.b.c.d */
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};    /* 64:ff9b::a.b.c.d */

    if (memcmp(address, mapped, 12) == 0 || memcmp(address, nat64, 12) == 0)
        return is_public4(four_bytes(address + 12));
    if (address[0] >> 5 != 1) /* 2000::/3 */
        return false;
    for (size_t i = 0; i < sizeof special6 / sizeof special6[0]; i++)
        if (has_prefix(address, special6[i].first, special6[i].bits))
            return false;
    return true;
}

bool address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    switch (address->sa_family) {
    case AF_INET: memcpy(&in, address, sizeof in); return is_public4(ntohl(in.sin_addr.s_addr));
    case AF_INET6: memcpy(&in6, address, sizeof in6); return is_public6(in6.sin6_addr.s6_addr);
    default: return false;
    }
}
