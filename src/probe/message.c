/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - printf for a report: no allocation, no locale, no lock, safe in a signal handler.
 *
 * libc's vsnprintf is neither safe there nor quick (100 ns), and the line must be in the ring
 * before the program can die. Integers, strings, characters, pointers and %m are done here;
 * floating point is handed to snprintf, which tocsin.h says. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "probe/runtime.h"

enum length { AS_INT, AS_CHAR, AS_SHORT, AS_LONG, AS_LONG_LONG, AS_LONG_DOUBLE };

/* One conversion: %-08.3lx */
struct spec {
        bool left, zero, plus, space, alternate;
        int width;
        int precision; /* -1: none */
        enum length length;
        char conversion;
};

struct out {
        char *text;
        uint32_t used, max;
};

static void put(struct out *out, const char *text, size_t bytes)
{
        if (bytes > out->max - out->used)
                bytes = out->max - out->used;
        memcpy(out->text + out->used, text, bytes);
        out->used += (uint32_t)bytes;
}

static void pad(struct out *out, char with, int times)
{
        while (times-- > 0 && out->used < out->max)
                out->text[out->used++] = with;
}

static int number(const char **format, va_list *args)
{
        int n = 0;

        if (**format == '*') {
                (*format)++;
                return va_arg(*args, int);
        }
        while (**format >= '0' && **format <= '9') {
                if (n < 100000)
                        n = n * 10 + (**format - '0');
                (*format)++;
        }
        return n;
}

static enum length parse_length(const char **format)
{
        switch (**format) {
        case 'h':
                (*format)++;
                if (**format != 'h')
                        return AS_SHORT;
                (*format)++;
                return AS_CHAR;
        case 'l':
                (*format)++;
                if (**format != 'l')
                        return AS_LONG;
                (*format)++;
                return AS_LONG_LONG;
        case 'j':
        case 'z':
        case 't':
                (*format)++;
                return AS_LONG; /* 64 bits, as all of them here */
        case 'L':
                (*format)++;
                return AS_LONG_DOUBLE;
        default:
                return AS_INT;
        }
}

/* *format stands behind the '%'; afterwards behind the conversion. */
static struct spec parse(const char **format, va_list *args)
{
        struct spec spec = { .precision = -1 };

        for (;; (*format)++) {
                if (**format == '-')
                        spec.left = true;
                else if (**format == '0')
                        spec.zero = true;
                else if (**format == '+')
                        spec.plus = true;
                else if (**format == ' ')
                        spec.space = true;
                else if (**format == '#')
                        spec.alternate = true;
                else
                        break;
        }
        spec.width = number(format, args);
        if (spec.width < 0) {
                spec.left = true;
                spec.width = -(spec.width + 1) + 1;
        }
        if (**format == '.') {
                (*format)++;
                spec.precision = number(format, args);
        }
        spec.length = parse_length(format);
        spec.conversion = **format;
        if (**format)
                (*format)++;
        return spec;
}

static void put_text(struct out *out, const struct spec *spec, const char *text)
{
        size_t most = out->max - out->used;
        size_t bytes;

        if (!text)
                text = "(null)";
        if (spec->precision >= 0 && (size_t)spec->precision < most)
                most = (size_t)spec->precision;
        bytes = strnlen(text, most);
        if (!spec->left)
                pad(out, ' ', spec->width - (int)bytes);
        put(out, text, bytes);
        if (spec->left)
                pad(out, ' ', spec->width - (int)bytes);
}

/* prefix is a sign, or 0x. */
static void put_digits(struct out *out, const struct spec *spec, const char *prefix, uint64_t n,
                       unsigned base, const char *alphabet)
{
        char buffer[32];
        char *p = buffer + sizeof buffer;
        int bytes, zeros, total;

        /* A division by what the compiler does not know takes ten times as long. */
        for (; base == 10 && n; n /= 10)
                *--p = (char)('0' + n % 10);
        for (unsigned bits = base == 16 ? 4 : 3; n; n >>= bits)
                *--p = alphabet[n & (base - 1)];
        bytes = (int)(buffer + sizeof buffer - p);
        zeros = (spec->precision < 0 ? 1 : spec->precision) - bytes;
        if (zeros < 0)
                zeros = 0;
        total = (int)strlen(prefix) + bytes + zeros;
        if (spec->zero && !spec->left && spec->precision < 0 && spec->width > total) {
                zeros += spec->width - total;
                total = spec->width;
        }
        if (!spec->left)
                pad(out, ' ', spec->width - total);
        put(out, prefix, strlen(prefix));
        pad(out, '0', zeros);
        put(out, p, (size_t)bytes);
        if (spec->left)
                pad(out, ' ', spec->width - total);
}

static void put_signed(struct out *out, const struct spec *spec, va_list *args)
{
        int64_t n;

        if (spec->length == AS_LONG)
                n = va_arg(*args, long);
        else if (spec->length == AS_LONG_LONG)
                n = va_arg(*args, long long);
        else
                n = va_arg(*args, int);
        if (spec->length == AS_CHAR)
                n = (signed char)n;
        if (spec->length == AS_SHORT)
                n = (short)n;
        put_digits(out, spec,
                   n < 0         ? "-"
                   : spec->plus  ? "+"
                   : spec->space ? " "
                                 : "",
                   n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10, "0123456789");
}

static void put_unsigned(struct out *out, const struct spec *spec, va_list *args)
{
        const char *alphabet = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
        const char *prefix = "";
        unsigned base = spec->conversion == 'u' ? 10 : spec->conversion == 'o' ? 8 : 16;
        uint64_t n;

        if (spec->length == AS_LONG)
                n = va_arg(*args, unsigned long);
        else if (spec->length == AS_LONG_LONG)
                n = va_arg(*args, unsigned long long);
        else
                n = va_arg(*args, unsigned);
        if (spec->length == AS_CHAR)
                n = (unsigned char)n;
        if (spec->length == AS_SHORT)
                n = (unsigned short)n;
        if (spec->alternate && n && spec->conversion != 'u')
                prefix = base == 8 ? "0" : spec->conversion == 'X' ? "0X" : "0x";
        put_digits(out, spec, prefix, n, base, alphabet);
}

static void put_floating(struct out *out, const struct spec *spec, va_list *args)
{
        char format[16] = "%";
        char text[64];
        size_t used = 1;
        int bytes;

        if (spec->left)
                format[used++] = '-';
        if (spec->zero)
                format[used++] = '0';
        if (spec->plus)
                format[used++] = '+';
        if (spec->space)
                format[used++] = ' ';
        if (spec->alternate)
                format[used++] = '#';
        memcpy(format + used, "*.*", 3);
        used += 3;
        if (spec->length == AS_LONG_DOUBLE)
                format[used++] = 'L';
        format[used++] = spec->conversion;
        format[used] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* it was made six lines up */
        if (spec->length == AS_LONG_DOUBLE)
                bytes = snprintf(text, sizeof text, format, spec->width, spec->precision,
                                 va_arg(*args, long double));
        else
                bytes = snprintf(text, sizeof text, format, spec->width, spec->precision,
                                 va_arg(*args, double));
#pragma GCC diagnostic pop
        if (bytes > 0)
                put(out, text, (size_t)bytes < sizeof text ? (size_t)bytes : sizeof text - 1);
}

/* false: not a conversion that we know; what the arguments are is lost from here on. */
static bool convert(struct out *out, struct spec *spec, va_list *args)
{
        char letter;

        switch (spec->conversion) {
        case 'd':
        case 'i':
                put_signed(out, spec, args);
                return true;
        case 'u':
        case 'x':
        case 'X':
        case 'o':
                put_unsigned(out, spec, args);
                return true;
        case 'c':
                letter = (char)va_arg(*args, int);
                pad(out, ' ', spec->left ? 0 : spec->width - 1);
                put(out, &letter, 1);
                pad(out, ' ', spec->left ? spec->width - 1 : 0);
                return true;
        case 's':
                put_text(out, spec, va_arg(*args, const char *));
                return true;
        case 'm':
                put_text(out, spec, strerrordesc_np(errno));
                return true;
        case 'p':
                put_digits(out, spec, "0x", (uintptr_t)va_arg(*args, void *), 16,
                           "0123456789abcdef");
                return true;
        case 'e':
        case 'E':
        case 'f':
        case 'F':
        case 'g':
        case 'G':
        case 'a':
        case 'A':
                put_floating(out, spec, args);
                return true;
        case '%':
                put(out, "%", 1);
                return true;
        default:
                return false;
        }
}

/* %s and %d alone are most of what is ever reported, and need none of the rest. */
static bool convert_plain(struct out *out, char conversion, va_list *args)
{
        char buffer[12];
        char *p = buffer + sizeof buffer;
        const char *text;
        unsigned magnitude;
        int n;

        if (conversion == 's') {
                text = va_arg(*args, const char *);
                if (!text)
                        text = "(null)";
                while (*text && out->used < out->max)
                        out->text[out->used++] = *text++;
                return true;
        }
        if (conversion != 'd')
                return false;
        n = va_arg(*args, int);
        magnitude = n < 0 ? 0 - (unsigned)n : (unsigned)n;
        do
                *--p = (char)('0' + magnitude % 10);
        while (magnitude /= 10);
        if (n < 0)
                *--p = '-';
        put(out, p, (size_t)(buffer + sizeof buffer - p));
        return true;
}

uint32_t toc_message_format_(char *text, uint32_t max, const char *format, va_list *args)
{
        struct out out = { .text = text, .max = max };

        while (*format && out.used < out.max) {
                size_t plain = (size_t)(strchrnul(format, '%') - format);

                put(&out, format, plain);
                format += plain;
                if (!*format)
                        break;
                const char *from = format++;

                if (convert_plain(&out, *format, args)) {
                        format++;
                        continue;
                }
                struct spec spec = parse(&format, args);

                if (!convert(&out, &spec, args)) {
                        put(&out, from, strlen(from));
                        break;
                }
        }
        return out.used;
}
