#include "base/hash.h"
#include "support/suite.h"
#include <string.h>

START_TEST(known_values)
{
    char text[NCL_HASH_TEXT];

    /* XXH3_128bits of the empty string, as xxhsum -H2 prints it. */
    ncl_hash_text(ncl_hash_bytes("", 0), text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
    ncl_hash_text((struct ncl_hash){.low = 1, .high = 0xabc}, text);
    ck_assert_str_eq(text, "0000000000000abc0000000000000001");
}
END_TEST

START_TEST(every_bit_matters)
{
    unsigned char data[100] = {0};
    const struct ncl_hash before = ncl_hash_bytes(data, sizeof(data));

    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        const struct ncl_hash after = ncl_hash_bytes(data, sizeof(data));
        ck_assert(memcmp(&before, &after, sizeof(before)) != 0);
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("hash");

    tcase_add_test(tests, known_values);
    tcase_add_test(tests, every_bit_matters);
    return ncl_run_suite(tests, "base/hash");
}
