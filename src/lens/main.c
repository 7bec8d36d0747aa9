/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tocsin-lens, run by the gate in its sandbox: what do these C files say? The judge stands outside
 * and believes nothing of the answer but its form.
 *
 *     tocsin-lens tokens FILE... -- COMPILER-FLAGS
 *     tocsin-lens declarations FILE... -- COMPILER-FLAGS
 *
 * Prints {"lens": 1, "files": [...]} as view.h says. Exit status 0, or 3 when it could not.
 */
#include "lens/view.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_UNKNOWN = 3 };

int main(int argc, char **argv)
{
        json_t *files = json_array();
        json_t *answer;
        int end = 2;
        int failed;

        while (end < argc && strcmp(argv[end], "--") != 0)
                end++;
        if (end <= 2 || end == argc) {
                fputs("tocsin-lens: say tokens or declarations, FILE..., --, flags\n", stderr);
                return EXIT_UNKNOWN;
        }
        for (int i = 2; i < end; i++) {
                struct view_request request = {
                        .file = argv[i],
                        .flags = (const char *const *)argv + end + 1,
                        .flag_count = argc - end - 1,
                };
                json_t *view = strcmp(argv[1], "tokens") == 0 ? view_tokens(&request)
                                                              : view_declarations(&request);

                if (!view || json_array_append_new(files, view)) {
                        fprintf(stderr, "tocsin-lens: cannot parse %s\n", argv[i]);
                        return EXIT_UNKNOWN;
                }
        }
        answer = json_pack("{s: i, s: o}", "lens", 1, "files", files);
        failed = !answer || json_dumpf(answer, stdout, JSON_COMPACT) || fflush(stdout);
        json_decref(answer);
        return failed ? EXIT_UNKNOWN : 0;
}
