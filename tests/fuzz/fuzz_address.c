/* The text of an address: one that is taken reads back as the same, whole and as a block. */
#include <arpa/inet.h>

#include "connectors/geoip/address.h"
#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char text[INET6_ADDRSTRLEN], block[IP_BLOCK_SIZE];
    int bits = bytes > 0 ? data[0] % (IP_BITS + 1) : 0;
    struct sockaddr_storage socket;
    struct str first, rest;
    struct ip ip, again;

    if (bytes == 0 || !ip_read((struct str){(const char *)data + 1, bytes - 1}, &ip))
        return 0;
    CHECK(inet_ntop(AF_INET6, ip.bytes, text, sizeof text) != NULL);
    CHECK(ip_read(str_of(text), &again) && again.v4 == ip.v4);
    CHECK(ip_same_block(&ip, &again, IP_BITS));
    ip_socket(&ip, &socket);
    CHECK(socket.ss_family == (ip.v4 ? AF_INET : AF_INET6));
    if (ip.v4 && bits < IP_V4_BITS)
        bits = IP_V4_BITS; /* no block of IPv4 is larger than all of it */
    ip_block_text(&ip, bits, block);
    CHECK(str_cut(str_of(block), '/', &first, &rest) && rest.len >= 1);
    CHECK(ip_read(first, &again) && ip_same_block(&ip, &again, bits));
    return 0;
}
