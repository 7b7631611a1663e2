#include "node/gpt.h"

#include <zlib.h>

enum { HEADER_BYTES = 92, MBR_ENTRY = 446, MBR_SIGN = 510, MBR_PROTECTIVE = 0xee };

/* In text 21686148-6449-6E6F-744E-656564454649, and 0FC63DAF-8483-4772-8E79-3D69D8477DE4. */
const uint8_t gpt_bios_boot[GPT_ID_BYTES] = {'H', 'a', 'h', '!', 'I', 'd', 'o', 'n',
                                             't', 'N', 'e', 'e', 'd', 'E', 'F', 'I'};
const uint8_t gpt_linux[GPT_ID_BYTES] = {0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
                                         0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4};

void gpt_put(uint8_t *at, int64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static int64_t checksum(const uint8_t *bytes, size_t n)
{
    return (int64_t)crc32(crc32(0, NULL, 0), bytes, (uInt)n);
}

static void put_mbr(uint8_t *at, int64_t sectors)
{
    uint8_t *entry = at + MBR_ENTRY;
    gpt_put(entry + 1, 0x000200, 3); /* cylinder 0, head 0, sector 2 */
    entry[4] = MBR_PROTECTIVE;
    gpt_put(entry + 5, 0xffffff, 3);
    gpt_put(entry + 8, 1, 4);
    gpt_put(entry + 12, sectors - 1 < UINT32_MAX ? sectors - 1 : UINT32_MAX, 4);
    gpt_put(at + MBR_SIGN, 0xaa55, 2);
}

static void put_header(uint8_t *at, int64_t here, int64_t other, int64_t entries, int64_t sectors,
                       const uint8_t *id, int64_t sum)
{
    enum { ARRAY_SECTORS = GPT_ARRAY_BYTES / GPT_SECTOR };
    static const uint8_t signature[] = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};
    memcpy(at, signature, sizeof signature);
    gpt_put(at + 8, 0x00010000, 4); /* revision 1.0 */
    gpt_put(at + 12, HEADER_BYTES, 4);
    gpt_put(at + 24, here, 8);
    gpt_put(at + 32, other, 8);
    gpt_put(at + 40, 2 + ARRAY_SECTORS, 8); /* the first sector that a partition may have */
    gpt_put(at + 48, sectors - 2 - ARRAY_SECTORS, 8); /* the last one */
    memcpy(at + 56, id, GPT_ID_BYTES);
    gpt_put(at + 72, entries, 8);
    gpt_put(at + 80, GPT_ENTRIES, 4);
    gpt_put(at + 84, GPT_ENTRY_BYTES, 4);
    gpt_put(at + 88, sum, 4);
    gpt_put(at + 16, checksum(at, HEADER_BYTES), 4); /* of itself with 0 there */
}

void gpt_tables(const struct gpt_part *parts, size_t count, int64_t sectors,
                const uint8_t id[GPT_ID_BYTES], uint8_t ret_head[GPT_HEAD_BYTES],
                uint8_t ret_tail[GPT_TAIL_BYTES])
{
    uint8_t *header = ret_head + GPT_SECTOR, *entries = header + GPT_SECTOR;
    int64_t usable = GPT_HEAD_BYTES / GPT_SECTOR, end = sectors - GPT_TAIL_BYTES / GPT_SECTOR;
    memset(ret_head, 0, GPT_HEAD_BYTES);
    memset(ret_tail, 0, GPT_TAIL_BYTES);
    for (size_t i = 0; i < count; i++) {
        ASSERT(parts[i].number >= 1 && parts[i].number <= GPT_ENTRIES);
        ASSERT(parts[i].first >= usable && parts[i].last >= parts[i].first);
        ASSERT(parts[i].last < end);
        uint8_t *entry = entries + (size_t)(parts[i].number - 1) * GPT_ENTRY_BYTES;
        memcpy(entry, parts[i].type, GPT_ID_BYTES);
        memcpy(entry + GPT_ID_BYTES, id, GPT_ID_BYTES - 1);
        entry[2 * GPT_ID_BYTES - 1] = (uint8_t)parts[i].number;
        gpt_put(entry + 32, parts[i].first, 8);
        gpt_put(entry + 40, parts[i].last, 8);
    }
    int64_t sum = checksum(entries, GPT_ARRAY_BYTES);
    memcpy(ret_tail, entries, GPT_ARRAY_BYTES);
    put_mbr(ret_head, sectors);
    put_header(header, 1, sectors - 1, 2, sectors, id, sum);
    put_header(ret_tail + GPT_ARRAY_BYTES, sectors - 1, 1, end, sectors, id, sum);
}
