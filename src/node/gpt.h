/*
 * gpt.h - the partition table of a disk (UEFI 2.10, chapter 5), as BIOS and UEFI read it. Pure.
 */
#ifndef NODE_GPT_H
#define NODE_GPT_H

#include "base/base.h"

enum {
    GPT_SECTOR = 512,
    GPT_ENTRIES = 128,
    GPT_ENTRY_BYTES = 128,
    GPT_ID_BYTES = 16,
    GPT_ARRAY_BYTES = GPT_ENTRIES * GPT_ENTRY_BYTES,
    GPT_HEAD_BYTES = 2 * GPT_SECTOR + GPT_ARRAY_BYTES, /* protective MBR, header, entries */
    GPT_TAIL_BYTES = GPT_SECTOR + GPT_ARRAY_BYTES,     /* entries, header */
};

struct gpt_part {
    int number;          /* from 1 */
    const uint8_t *type; /* GPT_ID_BYTES as they stand on the disk */
    int64_t first, last; /* sectors */
};

extern const uint8_t gpt_bios_boot[GPT_ID_BYTES]; /* where GRUB has its core */
extern const uint8_t gpt_linux[GPT_ID_BYTES];     /* a file system of Linux */

/* What stands at the begin of a disk of so many sectors, and at its end. id: of the disk; a
 * partition has the same with its number in the last byte. Parts lie within the usable sectors. */
void gpt_tables(const struct gpt_part *parts, size_t count, int64_t sectors,
                const uint8_t id[GPT_ID_BYTES], uint8_t ret_head[GPT_HEAD_BYTES],
                uint8_t ret_tail[GPT_TAIL_BYTES]);

/* A number as x86 has it, lowest byte first. */
void gpt_put(uint8_t *at, int64_t value, size_t bytes);

#endif
