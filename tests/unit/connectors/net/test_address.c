#include "connectors/net/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/support/suite.h"

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&in);
    ck_assert_msg(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1, "%s", text);
    return address_is_public((struct sockaddr *)&in6);
}

START_TEST(what_anybody_can_reach_is_public)
{
    static const char *const addresses[] = {
        "1.1.1.1",           "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",       "126.255.255.255", "128.0.0.0",       "169.253.255.255",
        "172.15.255.255",    "172.32.0.0",      "192.167.255.255", "192.169.0.0",
        "198.17.255.255",    "198.20.0.0",      "223.255.255.255", "2606:4700::1111",
        "2a00:1450:4001::1", "2001:200::1",     "::ffff:8.8.8.8",  "64:ff9b::808:808"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        ck_assert_msg(is_public(addresses[i]), "%s", addresses[i]);
}
END_TEST

START_TEST(what_leads_inside_is_not)
{
    static const char *const addresses[] = {"0.0.0.0",
                                            "10.0.0.1",
                                            "10.255.255.255",
                                            "100.64.0.1",
                                            "127.0.0.1",
                                            "127.255.0.1",
                                            "169.254.169.254",
                                            "172.16.0.1",
                                            "172.31.255.255",
                                            "192.0.0.8",
                                            "192.0.2.1",
                                            "192.168.1.1",
                                            "198.18.0.1",
                                            "198.51.100.1",
                                            "203.0.113.9",
                                            "224.0.0.1",
                                            "255.255.255.255",
                                            "::",
                                            "::1",
                                            "fe80::1",
                                            "fc00::1",
                                            "fd12:3456::1",
                                            "ff02::1",
                                            "2001:db8::1",
                                            "2001::1",
                                            "2002:7f00:1::",
                                            "3fff::1",
                                            "::ffff:127.0.0.1",
                                            "::ffff:10.0.0.1",
                                            "::127.0.0.1",
                                            "64:ff9b::a00:1",
                                            "64:ff9b:1::1",
                                            "100::1"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        ck_assert_msg(!is_public(addresses[i]), "%s", addresses[i]);
}
END_TEST

START_TEST(another_family_is_not_public)
{
    struct sockaddr other = {.sa_family = AF_UNIX};

    ck_assert(!address_is_public(&other));
}
END_TEST

SUITE_MAIN("address", what_anybody_can_reach_is_public, what_leads_inside_is_not,
           another_family_is_not_public)
