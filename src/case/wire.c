/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because all that is said to the gate must be one bounded, printable line. */
#include "case/harness.h"
#include "case/wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

bool toc_wire_send_(int fd, const char *format, ...)
{
        char line[wire_line_max];
        va_list arguments;
        int length;
        ssize_t sent;

        va_start(arguments, format);
        length = vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        if (length < 0)
                return false;
        if ((size_t)length >= sizeof(line))
                length = (int)sizeof(line) - 1;
        do
                sent = send(fd, line, (size_t)length, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent == length;
}

ssize_t toc_wire_receive_(int fd, char *line, size_t size)
{
        ssize_t length;

        do
                length = recv(fd, line, size - 1, 0);
        while (length < 0 && errno == EINTR);
        if (length > 0)
                line[length] = '\0';
        return length;
}

size_t toc_wire_escape_(char *into, size_t size, const char *from, size_t length)
{
        static const char digits[] = "0123456789abcdef";
        size_t used = 0, i;

        for (i = 0; i < length && used + 5 <= size; i++) {
                unsigned char byte = (unsigned char)from[i];

                if (byte == '\n' || byte == '\\') {
                        into[used++] = '\\';
                        into[used++] = byte == '\n' ? 'n' : '\\';
                } else if (byte < ' ' || byte > '~') {
                        into[used++] = '\\';
                        into[used++] = 'x';
                        into[used++] = digits[byte >> 4];
                        into[used++] = digits[byte & 15];
                } else {
                        into[used++] = (char)byte;
                }
        }
        into[used] = '\0';
        return i;
}

void toc_wire_await_go_(void)
{
        char line[wire_line_max];

        if (toc_wire_receive_(toc_harness_run_.wire_fd, line, sizeof(line)) <= 0 ||
            strcmp(line, "GO") != 0)
                _exit(2); /* nobody listens any more */
}

const char *toc_wire_file_(const char *path)
{
        const char *slash = strrchr(path, '/');

        if (strncmp(path, "cases/", 6) == 0)
                return path;
        return slash ? slash + 1 : path;
}
