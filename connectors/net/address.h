/* connectors/net/address.h - which addresses are on the public Internet.
 *
 * A URL comes from a configuration, its address from a name server that somebody else runs.  So a
 * receiver outside is looked at after its name was resolved, socket by socket (transfer.c): a name
 * that leads to our own machines or to a cloud's metadata service is refused.
 */
#ifndef ATTENT_CONNECTORS_NET_ADDRESS_H
#define ATTENT_CONNECTORS_NET_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/* Is this an IPv4 or IPv6 address that anybody on the Internet can be reached by?  False for all
 * of IANA's special purpose blocks: loopback, private, link-local, shared (RFC 6598), multicast,
 * documentation, reserved, and IPv6 forms that hold such an IPv4 address. */
bool address_is_public(const struct sockaddr *address);

#endif
