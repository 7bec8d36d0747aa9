/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that nobody else handles libcrypto's context, and so that a digest that could not be
 * made is an error once, at its end, and never an empty name.
 */
#include "gate/digest.h"
#include "base/base.h"

#include <errno.h>
#include <openssl/evp.h>

enum { digest_bytes = 32, seed_digits = 16 };

static void feed(struct digest *digest, const void *bytes, size_t length)
{
        if (!digest->error && length && !EVP_DigestUpdate(digest->context, bytes, length))
                digest->error = -ENOMEM;
}

void digest_begin(struct digest *digest)
{
        digest->error = 0;
        digest->context = EVP_MD_CTX_new();
        if (!digest->context || !EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))
                digest->error = -ENOMEM;
}

void digest_field(struct digest *digest, const void *bytes, size_t length)
{
        const uint64_t counted = length;

        feed(digest, &counted, sizeof(counted)); /* little-endian everywhere that Tocsin runs */
        feed(digest, bytes, length);
}

void digest_text(struct digest *digest, const char *text)
{
        digest_field(digest, text, strlen(text));
}

static void give_back(struct digest *digest)
{
        EVP_MD_CTX_free(digest->context);
        digest->context = NULL;
        if (!digest->error)
                digest->error = -EINVAL; /* ended: what is fed to it from now on would be lost */
}

int digest_end(struct digest *digest, char ret_hex[digest_hex_size])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char bytes[digest_bytes];
        unsigned length = 0;
        int failed;

        if (!digest->error && !EVP_DigestFinal_ex(digest->context, bytes, &length))
                digest->error = -ENOMEM;
        failed = digest->error;
        give_back(digest);
        if (failed)
                return failed;
        for (size_t i = 0; i < digest_bytes; i++) {
                ret_hex[2 * i] = digits[bytes[i] >> 4];
                ret_hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        ret_hex[(size_t)2 * digest_bytes] = '\0';
        return 0;
}

int digest_of(const void *bytes, size_t length, char ret_hex[digest_hex_size])
{
        struct digest digest;

        digest_begin(&digest);
        feed(&digest, bytes, length);
        return digest_end(&digest, ret_hex);
}

uint64_t digest_seed(const char hex[digest_hex_size])
{
        uint64_t seed = 0;

        for (size_t i = 0; i < seed_digits; i++) {
                const int digit = hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10;

                seed = seed << 4 | ((unsigned)digit & 15U);
        }
        return seed;
}
