#include "party/sha1.h"

enum { BLOCK = 64, ROUNDS = 80, LENGTH_BYTES = 8 };

static uint32_t rotate(uint32_t word, unsigned by)
{
    return word << by | word >> (32 - by);
}

/* The function and the constant of RFC 3174, 5, for round t. */
static uint32_t mix(size_t t, uint32_t b, uint32_t c, uint32_t d)
{
    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5A827999;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ED9EBA1;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    return (b ^ c ^ d) + 0xCA62C1D6;
}

static void take_block(uint32_t h[5], const unsigned char block[BLOCK])
{
    uint32_t w[ROUNDS];
    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[t * 4] << 24 | (uint32_t)block[t * 4 + 1] << 16 |
               (uint32_t)block[t * 4 + 2] << 8 | block[t * 4 + 3];
    for (size_t t = 16; t < ROUNDS; t++)
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t t = 0; t < ROUNDS; t++) {
        uint32_t next = rotate(a, 5) + mix(t, b, c, d) + e + w[t];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void sha1(struct str text, unsigned char ret[SHA1_N])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t at = 0;
    for (; text.n - at >= BLOCK; at += BLOCK)
        take_block(h, (const unsigned char *)text.p + at);
    /* What is left, a 1 bit, zeros, and the length in bits: one block or two. */
    unsigned char tail[BLOCK * 2] = {0};
    size_t rest = text.n - at;
    if (rest > 0)
        memcpy(tail, text.p + at, rest);
    tail[rest] = 0x80;
    size_t size = rest + 1 + LENGTH_BYTES <= BLOCK ? BLOCK : BLOCK * 2;
    uint64_t bits = (uint64_t)text.n * 8;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        tail[size - 1 - i] = (unsigned char)(bits >> (8 * i));
    take_block(h, tail);
    if (size > BLOCK)
        take_block(h, tail + BLOCK);
    for (size_t i = 0; i < SHA1_N; i++)
        ret[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha1_hmac(struct str key, struct str text, unsigned char ret[SHA1_N])
{
    ASSERT(key.n <= BLOCK);
    ASSERT(text.n <= SHA1_HMAC_TEXT_MAX);
    unsigned char pad[BLOCK + SHA1_HMAC_TEXT_MAX] = {0};
    memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36;
    memcpy(pad + BLOCK, text.p, text.n);
    sha1(str_n((const char *)pad, BLOCK + text.n), ret);
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] ^= 0x36 ^ 0x5C;
    memcpy(pad + BLOCK, ret, SHA1_N);
    sha1(str_n((const char *)pad, BLOCK + SHA1_N), ret);
}
