#include "node/disk.h"

#include <check.h>

static const char mounts[] =
    "21 1 254:0 / / rw,relatime - ext4 /dev/root rw,discard\n"
    "40 21 7:1 / /h/services/svc_a/disk rw,nosuid,nodev,relatime - ext4 /dev/loop1 rw\n"
    "41 21 7:2 / /h/services/svc_b/disk rw,nosuid shared:7 - ext4 /dev/loop2 rw,emergency_ro\n"
    "42 21 7:3 / /h/services/svc_c/disk rw,nosuid master:1 shared:2 - ext4 /dev/loop3 "
    "ro,errors=remount-ro\n"
    "43 21 7:4 / /h/services/svc_d/disk ro,nosuid - ext4 /dev/loop4 rw\n"
    "44 21 7:5 / /h/services/svc_e/disk rw - ext4 /dev/loop5 rw,emergency_ro\n"
    "45 44 7:6 / /h/services/svc_e/disk rw - ext4 /dev/loop6 rw\n"
    "46 21 7:7 / /h/services/svc_f/disk";

START_TEST(a_disk_that_takes_no_more_writes_is_told_from_others)
{
    static const struct {
        const char *at;
        bool stuck;
    } disks[] = {
        {"/", false},
        {"/h/services/svc_a/disk", false},
        {"/h/services/svc_b/disk", true},  /* kernels from 6.14 on */
        {"/h/services/svc_c/disk", true},  /* those before */
        {"/h/services/svc_d/disk", false}, /* the mount, not the file system */
        {"/h/services/svc_e/disk", false}, /* mounted over it since */
        {"/h/services/svc_f/disk", false}, /* cut off */
        {"/h/services/svc_g/disk", false},
        {"/h/services/svc_b", false},
    };
    for (size_t i = 0; i < COUNT(disks); i++)
        ck_assert_msg(disk_is_stuck(str_c(mounts), str_c(disks[i].at)) == disks[i].stuck, "%s",
                      disks[i].at);
    ck_assert(!disk_is_stuck(STR(""), STR("/")));
}
END_TEST

Suite *disk_suite(void);
Suite *disk_suite(void)
{
    Suite *s = suite_create("disk");
    TCase *c = tcase_create("disk");
    tcase_add_test(c, a_disk_that_takes_no_more_writes_is_told_from_others);
    suite_add_tcase(s, c);
    return s;
}
