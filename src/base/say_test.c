/* SPDX-License-Identifier: Apache-2.0 */
/* Shows what stands on standard error, byte for byte: to a file, and to a terminal. */
#include "base/say.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Standard error of this process, redirected. */
struct capture {
        int kept;
        int fd;
        char bytes[20000];
};

static void capture_start(struct capture *capture, int to)
{
        capture->kept = dup(STDERR_FILENO);
        assert_true(capture->kept >= 0);
        assert_int_equal(dup2(to, STDERR_FILENO), STDERR_FILENO);
}

static void capture_stop(struct capture *capture)
{
        assert_int_equal(dup2(capture->kept, STDERR_FILENO), STDERR_FILENO);
        assert_int_equal(close(capture->kept), 0);
}

static void capture_file_start(struct capture *capture)
{
        capture->fd = memfd_create("stderr", MFD_CLOEXEC);
        assert_true(capture->fd >= 0);
        capture_start(capture, capture->fd);
}

static void capture_file_stop(struct capture *capture)
{
        ssize_t length;

        capture_stop(capture);
        length = pread(capture->fd, capture->bytes, sizeof(capture->bytes) - 1, 0);
        assert_true(length >= 0);
        capture->bytes[length] = '\0';
        assert_int_equal(close(capture->fd), 0);
}

static void kinds_are_named(void **state)
{
        struct capture capture;

        (void)state;
        capture_file_start(&capture);
        say_error("cannot read '%s'", "x");
        say_warning("%d left", 3);
        say_note("done");
        capture_file_stop(&capture);
        assert_string_equal(capture.bytes, "tocsin: error: cannot read 'x'\n"
                                           "tocsin: warning: 3 left\n"
                                           "tocsin: done\n");
}

static void foreign_text_cannot_drive_the_terminal(void **state)
{
        struct capture capture;

        (void)state;
        capture_file_start(&capture);
        say_error("bad name '%s'", "a\033[2J\nb\xff");
        capture_file_stop(&capture);
        assert_string_equal(capture.bytes, "tocsin: error: bad name 'a\\x1b[2J\\x0ab\\xff'\n");
}

static void long_lines_are_cut_and_say_so(void **state)
{
        char message[say_line_max + 2];
        size_t around = strlen("tocsin: \n");
        struct capture capture;

        (void)state;
        memset(message, 'x', sizeof(message));
        message[say_line_max] = '\0';
        capture_file_start(&capture);
        say_note("%s", message);
        capture_file_stop(&capture);
        assert_int_equal(strlen(capture.bytes), around + say_line_max);

        message[say_line_max] = 'x';
        message[say_line_max + 1] = '\0';
        capture_file_start(&capture);
        say_note("%s", message);
        capture_file_stop(&capture);
        assert_int_equal(strlen(capture.bytes), around + say_line_max + 3);
        assert_string_equal(capture.bytes + strlen(capture.bytes) - 5, "x...\n");
}

static void longest_line_of_control_bytes_keeps_its_newline(void **state)
{
        char message[say_line_max + 1];
        struct capture capture;

        (void)state;
        memset(message, '\n', sizeof(message));
        message[say_line_max] = '\0';
        capture_file_start(&capture);
        say_note("%s", message);
        capture_file_stop(&capture);
        assert_int_equal(strlen(capture.bytes), strlen("tocsin: \n") + 4 * say_line_max);
        assert_string_equal(capture.bytes + strlen(capture.bytes) - 5, "\\x0a\n");
}

static void errno_is_preserved(void **state)
{
        struct capture capture;

        (void)state;
        capture_file_start(&capture);
        errno = ENOENT;
        say_error("lost");
        assert_int_equal(errno, ENOENT);
        capture_file_stop(&capture);
        assert_string_equal(capture.bytes, "tocsin: error: lost\n");
}

/* What say_error("x") writes to a terminal. */
static void say_to_terminal(char *ret_bytes, size_t size)
{
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct capture capture;
        struct pollfd polled = { .fd = master, .events = POLLIN };
        size_t length = 0;
        int slave;

        assert_true(master >= 0);
        assert_int_equal(grantpt(master), 0);
        assert_int_equal(unlockpt(master), 0);
        slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(slave >= 0);
        capture_start(&capture, slave);
        say_error("x");
        capture_stop(&capture);
        /* A terminal may hand a line over in parts. */
        while (!length || ret_bytes[length - 1] != '\n') {
                ssize_t more;

                assert_int_equal(poll(&polled, 1, 10000), 1);
                assert_true(length < size - 1);
                more = read(master, ret_bytes + length, size - 1 - length);
                assert_true(more > 0);
                length += (size_t)more;
        }
        ret_bytes[length] = '\0';
        assert_int_equal(close(slave), 0);
        assert_int_equal(close(master), 0);
}

static void terminal_gets_colour(void **state)
{
        char bytes[100];

        (void)state;
        assert_int_equal(unsetenv("NO_COLOR"), 0);
        assert_int_equal(setenv("TERM", "xterm", 1), 0);
        say_to_terminal(bytes, sizeof(bytes));
        assert_string_equal(bytes, "tocsin: \033[1;31merror: \033[0mx\r\n");
        assert_int_equal(setenv("NO_COLOR", "", 1), 0);
        say_to_terminal(bytes, sizeof(bytes));
        assert_string_equal(bytes, "tocsin: \033[1;31merror: \033[0mx\r\n");
}

static void no_color_and_dumb_terminals_are_respected(void **state)
{
        char bytes[100];

        (void)state;
        assert_int_equal(setenv("TERM", "xterm", 1), 0);
        assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
        say_to_terminal(bytes, sizeof(bytes));
        assert_string_equal(bytes, "tocsin: error: x\r\n");
        assert_int_equal(unsetenv("NO_COLOR"), 0);
        assert_int_equal(setenv("TERM", "dumb", 1), 0);
        say_to_terminal(bytes, sizeof(bytes));
        assert_string_equal(bytes, "tocsin: error: x\r\n");
}

static void files_get_no_colour(void **state)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        (void)state;
        assert_int_equal(unsetenv("NO_COLOR"), 0);
        assert_int_equal(setenv("TERM", "xterm", 1), 0);
        assert_false(say_wants_colour(fd));
        assert_int_equal(close(fd), 0);
        assert_false(say_wants_colour(fd));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kinds_are_named),
                cmocka_unit_test(foreign_text_cannot_drive_the_terminal),
                cmocka_unit_test(long_lines_are_cut_and_say_so),
                cmocka_unit_test(longest_line_of_control_bytes_keeps_its_newline),
                cmocka_unit_test(errno_is_preserved),
                cmocka_unit_test(terminal_gets_colour),
                cmocka_unit_test(no_color_and_dumb_terminals_are_respected),
                cmocka_unit_test(files_get_no_colour),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
