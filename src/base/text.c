/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because text from other people grows without a limit and carries what terminals obey.
 */
#include "base/text.h"
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

enum { text_size_min = 64 };

void text_init(struct text *text, size_t length_max)
{
        assert(length_max <= TEXT_LENGTH_LIMIT);
        *text = (struct text)TEXT_INIT(length_max);
}

void text_fini(struct text *text)
{
        free(text->bytes);
        *text = (struct text)TEXT_INIT(text->length_max);
}

void text_clear(struct text *text)
{
        text->length = 0;
        text->error = 0;
        if (text->bytes)
                text->bytes[0] = '\0';
}

const char *text_view(const struct text *text)
{
        return text->bytes ? text->bytes : "";
}

static size_t room(const struct text *text)
{
        return text->length_max - text->length;
}

static void remember(struct text *text, int error)
{
        if (!text->error)
                text->error = error;
}

/* Makes sure that `more` bytes and the NUL can be written; the caller has checked the limit. */
static bool grow(struct text *text, size_t more)
{
        size_t needed = text->length + more + 1;
        size_t size = text->size ? text->size : text_size_min;
        char *bytes;

        assert(text->length_max <= TEXT_LENGTH_LIMIT && more <= room(text));
        if (needed <= text->size)
                return true;
        while (size < needed)
                size *= 2;
        if (size > text->length_max + 1)
                size = text->length_max + 1;
        bytes = realloc(text->bytes, size);
        if (!bytes) {
                remember(text, -ENOMEM);
                return false;
        }
        text->bytes = bytes;
        text->size = size;
        return true;
}

void text_append_bytes(struct text *text, const void *bytes, size_t length)
{
        size_t fits = length <= room(text) ? length : room(text);

        if (text->error || !length)
                return;
        if (fits && !grow(text, fits))
                return;
        if (fits) {
                memcpy(text->bytes + text->length, bytes, fits);
                text->length += fits;
                text->bytes[text->length] = '\0';
        }
        if (fits < length)
                remember(text, -EOVERFLOW);
}

void text_append(struct text *text, const char *string)
{
        text_append_bytes(text, string, strlen(string));
}

void text_vprintf(struct text *text, const char *format, va_list arguments)
{
        va_list again;
        size_t wanted, fits;
        int length;

        if (text->error)
                return;
        va_copy(again, arguments);
        length = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (length < 0) {
                remember(text, -EINVAL);
                return;
        }
        wanted = (size_t)length;
        fits = wanted <= room(text) ? wanted : room(text);
        if (!wanted || (fits && !grow(text, fits)))
                return;
        if (fits) {
                (void)vsnprintf(text->bytes + text->length, fits + 1, format, arguments);
                text->length += fits;
        }
        if (fits < wanted)
                remember(text, -EOVERFLOW);
}

void text_printf(struct text *text, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        text_vprintf(text, format, arguments);
        va_end(arguments);
}

/* Unicode's format controls (category Cf), line and paragraph separators: invisible, or changing
 * the order in which others are seen. Sorted. */
static const struct {
        uint32_t first, last;
} hidden[] = {
        { 0x00ad, 0x00ad },   { 0x0600, 0x0605 },   { 0x061c, 0x061c },   { 0x06dd, 0x06dd },
        { 0x070f, 0x070f },   { 0x0890, 0x0891 },   { 0x08e2, 0x08e2 },   { 0x180e, 0x180e },
        { 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0xfeff, 0xfeff },
        { 0xfff9, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
        { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe007f },
};

static bool is_shown(uint32_t point)
{
        if (point < 0x20 || (point >= 0x7f && point < 0xa0))
                return false;
        for (size_t i = 0; i < BASE_COUNT(hidden); i++)
                if (point >= hidden[i].first && point <= hidden[i].last)
                        return false;
        return true;
}

/* How many bytes a first byte says its character has; 0: it cannot be a first byte. */
static size_t promised_size(unsigned char first)
{
        if (first < 0x80)
                return 1;
        if (first < 0xc0)
                return 0;
        if (first < 0xe0)
                return 2;
        if (first < 0xf0)
                return 3;
        return first < 0xf8 ? 4 : 0;
}

/* Length of the UTF-8 character that starts here, 0 when there is none: cut off, overlong, a
 * surrogate, beyond Unicode. */
static size_t decode(const unsigned char *bytes, size_t length, uint32_t *ret_point)
{
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t size = promised_size(bytes[0]);
        uint32_t point;

        if (!size || size > length)
                return 0;
        point = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
        for (size_t i = 1; i < size; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (bytes[i] & 0x3fU);
        }
        if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
                return 0;
        *ret_point = point;
        return size;
}

static bool is_plain(const char *word)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_-+=./,:@%";

        return *word && word[strspn(word, plain)] == '\0';
}

void text_append_shell_word(struct text *into, const char *word)
{
        bool has_control = false;

        if (into->length)
                text_append(into, " ");
        if (is_plain(word)) {
                text_append(into, word);
                return;
        }
        /* $'...' only where a terminal would obey the bytes. */
        for (const char *c = word; *c; c++)
                has_control = has_control || (unsigned char)*c < 0x20 || *c == 0x7f;
        text_append(into, has_control ? "$'" : "'");
        for (const char *c = word; *c; c++)
                if (has_control && ((unsigned char)*c < 0x20 || *c == 0x7f))
                        text_printf(into, "\\x%02x", (unsigned char)*c);
                else if (has_control && (*c == '\'' || *c == '\\'))
                        text_printf(into, "\\%c", *c);
                else if (*c == '\'')
                        text_append(into, "'\\''");
                else
                        text_append_bytes(into, c, 1);
        text_append(into, "'");
}

bool text_is_utf8(const void *bytes, size_t length)
{
        const unsigned char *from = bytes;

        for (size_t at = 0; at < length;) {
                uint32_t point;
                size_t size = decode(from + at, length - at, &point);

                if (!size)
                        return false;
                at += size;
        }
        return true;
}

void text_append_escaped(struct text *text, const void *bytes, size_t length)
{
        static const char digits[] = "0123456789abcdef";
        const unsigned char *from = bytes;
        size_t size;

        for (size_t at = 0; at < length && !text->error; at += size) {
                uint32_t point = 0;
                char escaped[4 * 4];
                bool shown;

                size = decode(from + at, length - at, &point);
                shown = size && is_shown(point);
                if (!size)
                        size = 1;
                for (size_t i = 0; i < size; i++) {
                        escaped[4 * i] = '\\';
                        escaped[4 * i + 1] = 'x';
                        escaped[4 * i + 2] = digits[from[at + i] >> 4];
                        escaped[4 * i + 3] = digits[from[at + i] & 0xf];
                }
                if ((shown ? size : 4 * size) > room(text))
                        remember(text, -EOVERFLOW);
                else if (shown)
                        text_append_bytes(text, from + at, size);
                else
                        text_append_bytes(text, escaped, 4 * size);
        }
}

/* Reads digits up to the first byte that is none. -EINVAL without any, -ERANGE beyond 64 bits. */
static int parse_digits(const char *string, uint64_t *ret_value, const char **ret_rest)
{
        uint64_t value = 0;
        const char *at = string;
        bool overflows = false;

        for (; *at >= '0' && *at <= '9'; at++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
                        overflows = true;
        if (at == string)
                return -EINVAL;
        *ret_rest = at;
        *ret_value = overflows ? UINT64_MAX : value;
        return overflows ? -ERANGE : 0;
}

struct unit {
        const char *name;
        uint64_t factor;
};

/* Smallest first. */
static const struct unit plain_units[] = { { "", 1 } };
static const struct unit duration_units[] = {
        { "ns", 1 },           { "us", CLOCK_US_NS },  { "ms", CLOCK_MS_NS }, { "s", CLOCK_S_NS },
        { "m", CLOCK_MIN_NS }, { "h", CLOCK_HOUR_NS }, { "d", CLOCK_DAY_NS },
};
static const struct unit size_units[] = {
        { "", 1 },
        { "K", UINT64_C(1) << 10 },
        { "M", UINT64_C(1) << 20 },
        { "G", UINT64_C(1) << 30 },
        { "T", UINT64_C(1) << 40 },
};

/* Digits, then one of the units. Only a number of the right form can be out of range. */
static int parse_with_unit(const char *string, const struct unit *units, size_t count,
                           uint64_t *ret_value)
{
        const char *rest = NULL;
        uint64_t value = 0;
        int status = parse_digits(string, &value, &rest);

        if (status == -EINVAL)
                return status;
        for (size_t i = 0; i < count; i++) {
                if (strcmp(rest, units[i].name) != 0)
                        continue;
                if (status || __builtin_mul_overflow(value, units[i].factor, ret_value))
                        return -ERANGE;
                return 0;
        }
        return -EINVAL;
}

static int check_range(int status, uint64_t value, uint64_t min, uint64_t max, uint64_t *ret_value)
{
        if (status)
                return status;
        if (value < min || value > max)
                return -ERANGE;
        *ret_value = value;
        return 0;
}

int text_parse_u64(const char *string, uint64_t min, uint64_t max, uint64_t *ret_value)
{
        uint64_t value = 0;
        int status = parse_with_unit(string, plain_units, BASE_COUNT(plain_units), &value);

        return check_range(status, value, min, max, ret_value);
}

int text_parse_duration(const char *string, uint64_t min_ns, uint64_t max_ns, uint64_t *ret_ns)
{
        uint64_t value = 0;
        int status = parse_with_unit(string, duration_units, BASE_COUNT(duration_units), &value);

        return check_range(status, value, min_ns, max_ns, ret_ns);
}

int text_parse_size(const char *string, uint64_t min_bytes, uint64_t max_bytes, uint64_t *ret_bytes)
{
        uint64_t value = 0;
        int status = parse_with_unit(string, size_units, BASE_COUNT(size_units), &value);

        return check_range(status, value, min_bytes, max_bytes, ret_bytes);
}

static void append_with_unit(struct text *text, uint64_t value, const struct unit *units,
                             size_t count)
{
        size_t largest = 0;

        for (size_t i = 1; value && i < count; i++)
                if (value % units[i].factor == 0)
                        largest = i;
        text_printf(text, "%" PRIu64 "%s", value / units[largest].factor, units[largest].name);
}

void text_append_duration(struct text *text, uint64_t ns)
{
        append_with_unit(text, ns, duration_units, BASE_COUNT(duration_units));
}

void text_append_size(struct text *text, uint64_t bytes)
{
        append_with_unit(text, bytes, size_units, BASE_COUNT(size_units));
}

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

unsigned text_distance(const char *left, const char *right)
{
        size_t rows = strnlen(left, text_distance_max + 1);
        size_t columns = strnlen(right, text_distance_max + 1);
        unsigned cost[3][text_distance_max + 1]; /* this row and the two above, used in turn */

        if (rows > text_distance_max || columns > text_distance_max)
                return text_distance_max;
        for (unsigned x = 0; x <= columns; x++)
                cost[0][x] = x;
        for (size_t y = 1; y <= rows; y++) {
                unsigned *row = cost[y % 3];
                const unsigned *above = cost[(y - 1) % 3];
                const unsigned *swapped = cost[(y + 1) % 3];

                row[0] = (unsigned)y;
                for (size_t x = 1; x <= columns; x++) {
                        unsigned change = above[x - 1] + (left[y - 1] != right[x - 1]);

                        row[x] = least(change, least(above[x], row[x - 1]) + 1);
                        if (y > 1 && x > 1 && left[y - 1] == right[x - 2] &&
                            left[y - 2] == right[x - 1])
                                row[x] = least(row[x], swapped[x - 2] + 1);
                }
        }
        return cost[rows % 3][columns];
}
