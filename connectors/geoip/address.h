/* connectors/geoip/address.h - the text of an IP address, read.  Private to connectors/geoip, and to the
 * test that writes databases. */
#ifndef ATTENT_CONNECTORS_GEOIP_ADDRESS_H
#define ATTENT_CONNECTORS_GEOIP_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/str.h"

enum { IP_BYTES = 16, IP_BITS = 128, IP_V4_BITS = 96 };

/* All addresses as IPv6; IPv4 is ::ffff:a.b.c.d. */
struct ip {
    unsigned char bytes[IP_BYTES];
    bool v4;
};

/* "203.0.113.7", "2001:db8::1"; a port may follow, [2001:db8::1]:443.  Nothing else: no names, no
 * lists, no zones (%eth0). */
bool ip_read(struct str text, struct ip *out);
void ip_socket(const struct ip *ip, struct sockaddr_storage *out); /* AF_INET, AF_INET6 */

/* Are the first `bits` of 128 the same? */
bool ip_same_block(const struct ip *a, const struct ip *b, int bits);
/* "203.0.113.0/24"; bits of 128 */
enum { IP_BLOCK_SIZE = INET6_ADDRSTRLEN + 4 };
void ip_block_text(const struct ip *ip, int bits, char out[IP_BLOCK_SIZE]);

#endif
