/* SPDX-License-Identifier: Apache-2.0 */
/* Expected values: FIPS 180-4's published examples, and sha256sum. */
#include "gate/digest.h"
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void published_examples(void **state)
{
        static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        char hex[digest_hex_size];

        (void)state;
        assert_int_equal(digest_of("abc", 3, hex), 0);
        assert_string_equal(hex,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_int_equal(digest_of("", 0, hex), 0);
        assert_string_equal(hex,
                            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_int_equal(digest_of(two_blocks, strlen(two_blocks), hex), 0);
        assert_string_equal(hex,
                            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void fields_with_other_borders_differ(void **state)
{
        struct digest digest;
        char left[digest_hex_size], right[digest_hex_size];

        (void)state;
        digest_begin(&digest);
        digest_text(&digest, "ab");
        digest_text(&digest, "c");
        assert_int_equal(digest_end(&digest, left), 0);
        digest_begin(&digest);
        digest_text(&digest, "a");
        digest_text(&digest, "bc");
        assert_int_equal(digest_end(&digest, right), 0);
        assert_string_not_equal(left, right);
        digest_begin(&digest);
        digest_field(&digest, NULL, 0);
        assert_int_equal(digest_end(&digest, right), 0);
}

static void a_digest_that_has_ended_says_so(void **state)
{
        struct digest digest;
        char hex[digest_hex_size];

        (void)state;
        digest_begin(&digest);
        assert_int_equal(digest_end(&digest, hex), 0);
        digest_text(&digest, "lost");
        assert_true(digest_end(&digest, hex) < 0);
}

static void seed_is_the_first_sixteen_digits(void **state)
{
        char hex[digest_hex_size];

        (void)state;
        assert_int_equal(digest_of("abc", 3, hex), 0);
        assert_true(digest_seed(hex) == UINT64_C(0xba7816bf8f01cfea));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(published_examples),
                cmocka_unit_test(fields_with_other_borders_differ),
                cmocka_unit_test(a_digest_that_has_ended_says_so),
                cmocka_unit_test(seed_is_the_first_sixteen_digits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
