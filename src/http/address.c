#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct block {
    uint32_t prefix;
    int bits;
};

static bool v4_is_public(uint32_t a)
{
    static const struct block special[] = {
        {0x00000000, 8},  /* 0.0.0.0/8 this network */
        {0x0A000000, 8},  /* 10.0.0.0/8 private */
        {0x64400000, 10}, /* 100.64.0.0/10 shared by carriers */
        {0x7F000000, 8},  /* 127.0.0.0/8 loopback */
        {0xA9FE0000, 16}, /* 169.254.0.0/16 link-local */
        {0xAC100000, 12}, /* 172.16.0.0/12 private */
        {0xC0000000, 24}, /* 192.0.0.0/24 protocol assignments */
        {0xC0000200, 24}, /* 192.0.2.0/24 documentation */
        {0xC0586300, 24}, /* 192.88.99.0/24 6to4 relays, withdrawn */
        {0xC0A80000, 16}, /* 192.168.0.0/16 private */
        {0xC6120000, 15}, /* 198.18.0.0/15 benchmarks */
        {0xC6336400, 24}, /* 198.51.100.0/24 documentation */
        {0xCB007100, 24}, /* 203.0.113.0/24 documentation */
        {0xE0000000, 4},  /* 224.0.0.0/4 multicast */
        {0xF0000000, 4},  /* 240.0.0.0/4 reserved, broadcast */
    };
    for (size_t i = 0; i < COUNT(special); i++)
        if ((a ^ special[i].prefix) >> (32 - special[i].bits) == 0)
            return false;
    return true;
}

static uint32_t v4_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool starts_with(const uint8_t *a, const char *prefix, size_t n)
{
    return memcmp(a, prefix, n) == 0;
}

static bool v6_is_public(const uint8_t a[16])
{
    if (starts_with(a, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12)) /* ::ffff:0:0/96 mapped IPv4 */
        return v4_is_public(v4_at(a + 12));
    if (starts_with(a, "\0\x64\xFF\x9B\0\0\0\0\0\0\0\0", 12)) /* 64:ff9b::/96 NAT64 */
        return v4_is_public(v4_at(a + 12));
    if (starts_with(a, "\x20\x02", 2)) /* 2002::/16 6to4 */
        return v4_is_public(v4_at(a + 2));
    if ((a[0] & 0xE0) != 0x20) /* only 2000::/3 is handed out as global */
        return false;
    if (starts_with(a, "\x20\x01\0", 3)) /* 2001::/23 assignments: Teredo, ORCHID, benchmarks */
        return false;
    if (starts_with(a, "\x20\x01\x01", 3))
        return false;
    return !starts_with(a, "\x20\x01\x0D\xB8", 4) && /* documentation */
           !(starts_with(a, "\x3F\xFF", 2) && (a[2] & 0xF0) == 0);
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return v4_is_public(
            ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    if (address->sa_family == AF_INET6)
        return v6_is_public(
            ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
    return false;
}
