/* Tables as other programs read them: the ids in text and the sums, as UEFI 2.10 has them. */
#include "node/gpt.h"

#include <check.h>
#include <signal.h>
#include <zlib.h>

enum { MIB_SECTORS = 2048, SECTORS = 64 * MIB_SECTORS };

static uint8_t head[GPT_HEAD_BYTES], tail[GPT_TAIL_BYTES];
static const uint8_t id[GPT_ID_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void make(int64_t sectors)
{
    const struct gpt_part parts[] = {
        {1, gpt_linux, 2 * (int64_t)MIB_SECTORS, sectors - 34},
        {14, gpt_bios_boot, MIB_SECTORS, 2 * (int64_t)MIB_SECTORS - 1}};
    gpt_tables(parts, COUNT(parts), sectors, id, head, tail);
}

static uint64_t number(const uint8_t *at, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = bytes; i-- > 0;)
        n = n << 8 | at[i];
    return n;
}

/* A header says which bytes it speaks of, and has their sums. */
static void check_header(const uint8_t *header, const uint8_t *entries, uint64_t here,
                         uint64_t other)
{
    uint8_t copy[92];
    memcpy(copy, header, sizeof copy);
    memset(copy + 16, 0, 4);
    ck_assert_mem_eq(header, "EFI PART", 8);
    ck_assert_uint_eq(number(header + 16, 4), crc32(0, copy, sizeof copy));
    ck_assert_uint_eq(number(header + 88, 4), crc32(0, entries, GPT_ARRAY_BYTES));
    ck_assert_uint_eq(number(header + 24, 8), here);
    ck_assert_uint_eq(number(header + 32, 8), other);
    ck_assert_uint_eq(number(header + 40, 8), 34);
    ck_assert_uint_eq(number(header + 48, 8), SECTORS - 34);
}

START_TEST(both_ends_of_a_disk_say_the_same)
{
    make(SECTORS);
    check_header(head + GPT_SECTOR, head + 2 * (size_t)GPT_SECTOR, 1, SECTORS - 1);
    check_header(tail + GPT_ARRAY_BYTES, tail, SECTORS - 1, 1);
    ck_assert_mem_eq(head + 2 * (size_t)GPT_SECTOR, tail, GPT_ARRAY_BYTES);
    ck_assert_uint_eq(number(head + GPT_SECTOR + 72, 8), 2);
    ck_assert_uint_eq(number(tail + GPT_ARRAY_BYTES + 72, 8), SECTORS - 33);
}
END_TEST

START_TEST(a_partition_stands_at_its_number)
{
    make(SECTORS);
    const uint8_t *first = tail, *boot = tail + (size_t)13 * GPT_ENTRY_BYTES;
    ck_assert_mem_eq(first, gpt_linux, GPT_ID_BYTES);
    ck_assert_mem_eq(boot, "Hah!IdontNeedEFI", GPT_ID_BYTES);
    ck_assert_uint_eq(number(boot + 32, 8), MIB_SECTORS);
    ck_assert_uint_eq(number(boot + 40, 8), 2 * MIB_SECTORS - 1);
    ck_assert_uint_eq(number(first + 40, 8), SECTORS - 34);
    ck_assert_uint_eq(first[31], 1);
    ck_assert_uint_eq(boot[31], 14);
    ck_assert_uint_eq(number(tail + GPT_ENTRY_BYTES, 8), 0); /* there is no second one */
}
END_TEST

START_TEST(old_programs_see_one_partition_over_all_of_it)
{
    make(SECTORS);
    ck_assert_uint_eq(head[450], 0xee);
    ck_assert_uint_eq(number(head + 454, 4), 1);
    ck_assert_uint_eq(number(head + 458, 4), SECTORS - 1);
    ck_assert_uint_eq(number(head + 510, 2), 0xaa55);
    make((int64_t)1 << 40); /* 512 TiB: more than it can say */
    ck_assert_uint_eq(number(head + 458, 4), UINT32_MAX);
}
END_TEST

START_TEST(a_partition_over_the_table_is_a_bug)
{
    const struct gpt_part over = {1, gpt_linux, 2048, SECTORS - 33};
    gpt_tables(&over, 1, SECTORS, id, head, tail);
}
END_TEST

Suite *gpt_suite(void);
Suite *gpt_suite(void)
{
    TCase *tc = tcase_create("gpt");
    tcase_add_test(tc, both_ends_of_a_disk_say_the_same);
    tcase_add_test(tc, a_partition_stands_at_its_number);
    tcase_add_test(tc, old_programs_see_one_partition_over_all_of_it);
    tcase_add_test_raise_signal(tc, a_partition_over_the_table_is_a_bug, SIGABRT);
    Suite *s = suite_create("gpt");
    suite_add_tcase(s, tc);
    return s;
}
