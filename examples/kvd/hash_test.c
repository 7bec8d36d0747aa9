/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash against the vectors of its authors: a hash that is nearly right is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hash.h"

/* From the reference implementation: key 00 01 .. 0f, input 00 01 .. of that length. */
static const struct {
        size_t length;
        uint64_t hash;
} vectors[] = {
        { 0, 0x726fdb47dd0e0e31 },  { 1, 0x74f839c593dc67fd },  { 2, 0x0d6c8009d9a94f5a },
        { 3, 0x85676696d7fb7e2d },  { 7, 0xab0200f58b01d137 },  { 8, 0x93f5f5799a932462 },
        { 15, 0xa129ca6149be45e5 }, { 63, 0x958a324ceb064572 },
};

static void test_reference_vectors(void **state)
{
        const struct hash_seed seed = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
        unsigned char input[64];

        (void)state;
        for (unsigned i = 0; i < sizeof(input); i++)
                input[i] = (unsigned char)i;
        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
                assert_true(hash_bytes(&seed, input, vectors[i].length) == vectors[i].hash);
}

static void test_seed_matters(void **state)
{
        const struct hash_seed one = { 1, 2 }, other = { 1, 3 };

        (void)state;
        assert_true(hash_bytes(&one, "key", 3) != hash_bytes(&other, "key", 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reference_vectors),
                cmocka_unit_test(test_seed_matters),
        };

        return cmocka_run_group_tests_name("kvd hash", tests, NULL, NULL);
}
