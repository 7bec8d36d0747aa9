/* SPDX-License-Identifier: Apache-2.0 */
/* Shows each way a contract can be wrong, with the very line that a person is told, and that what
 * is right comes out as written. */
#include "gate/contract.h"
#include "base/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char folder[] = "/tmp/tocsin-contract-XXXXXX";

static void write_file(const char *name, const char *content)
{
        const int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_true(dir_fd >= 0);
        assert_int_equal(file_replace(dir_fd, name, content, strlen(content), 0644), 0);
        assert_int_equal(close(dir_fd), 0);
}

static void make_folder(const char *name)
{
        const int dir_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_true(dir_fd >= 0);
        assert_true(mkdirat(dir_fd, name, 0755) == 0 || errno == EEXIST);
        assert_int_equal(close(dir_fd), 0);
}

/* A sound contract without `threads`, which every test adds or changes. */
#define HEAD                           \
        "tocsin: 1\n"                  \
        "module: lru\n"                \
        "summary: a cache for tests\n" \
        "header: lru.h\n"              \
        "supplies: [lru.c]\n"
#define SOUND HEAD "threads: none\n"

static int load(const char *content, struct contract *contract, struct text *why)
{
        write_file("contract.yaml", content);
        return contract_load(folder, contract, why);
}

static int make_sound_folder(void **state)
{
        (void)state;
        if (!mkdtemp(folder))
                return -1;
        make_folder("cases");
        make_folder("candidates");
        write_file("lru.h", "int lru_get(int);\n");
        write_file("cases/b.c", "b\n");
        write_file("cases/a.c", "a\n");
        return 0;
}

static int remove_folder(void **state)
{
        (void)state;
        return file_remove_tree(AT_FDCWD, folder);
}

/* ---- What is right ------------------------------------------------------------------------ */

static void every_key_comes_out_as_written(void **state)
{
        static const char content[] =
                "# a comment\n" HEAD "threads: one_per_object\n"
                "reference: candidates\n"
                "headers: [string.h, sys/time.h, tocsin.h]\n"
                "symbols: [heap, clock_gettime, own_function]\n"
                "invariant: lru_check\n"
                "standard: gnu11\n"
                "budgets:\n"
                "  - {function: lru_get, case: get, axis: count, growth: constant,\n"
                "     instructions: 400, allocations: 0}\n"
                "  - {object: lru, case: fill, bytes_per_entry: 96, memory: linear}\n"
                "  - {probes: all, overhead_percent: 2}\n"
                "limits: {memory: 64M, cpu: 150%, files: 100}\n"
                "detects: [leak, slow, alloc_failure, invariant]\n";
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        (void)state;
        assert_int_equal(load(content, &contract, &why), 0);
        assert_string_equal(text_view(&why), "");
        assert_string_equal(contract.directory, folder);
        assert_string_equal(contract.module, "lru");
        assert_string_equal(contract.summary, "a cache for tests");
        assert_string_equal(contract.header, "lru.h");
        assert_int_equal(contract.supplies.count, 1);
        assert_string_equal(contract.supplies.items[0], "lru.c");
        assert_int_equal(contract.supplies.lines[0], 6);
        assert_string_equal(contract.reference, "candidates");
        assert_string_equal(contract.headers.items[1], "sys/time.h");
        assert_string_equal(contract.symbols.items[2], "own_function");
        assert_int_equal(contract.threads, CONTRACT_THREADS_ONE_PER_OBJECT);
        assert_string_equal(contract.invariant, "lru_check");
        assert_string_equal(contract.standard, "gnu11");
        assert_int_equal(contract.detects.count, 4);
        assert_int_equal(contract.limits.memory_bytes, 64 << 20);
        assert_int_equal(contract.limits.cpu_permille, 1500);
        assert_int_equal(contract.limits.pids, 0);
        assert_int_equal(contract.limits.files, 100);
        assert_int_equal(contract.cases.count, 2);
        assert_string_equal(contract.cases.items[0], "a.c");
        assert_string_equal(contract.cases.items[1], "b.c");
        assert_int_equal(strlen(contract.sha256), 64);
        contract_fini(&contract);
        contract_fini(&contract);
}

static void budgets_come_out_as_written(void **state)
{
        static const char content[] =
                SOUND "budgets:\n"
                      "  - {function: lru_get, case: get, axis: count, growth: log,\n"
                      "     instructions: 400, allocations: 0}\n"
                      "  - {object: lru, case: fill, bytes_per_entry: 96, memory: linear}\n"
                      "  - {probes: all, overhead_percent: 2}\n";
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        (void)state;
        assert_int_equal(load(content, &contract, &why), 0);
        assert_int_equal(contract.budget_count, 3);
        assert_int_equal(contract.budgets[0].line, 8);
        assert_string_equal(contract.budgets[0].function, "lru_get");
        assert_string_equal(contract.budgets[0].test_case, "get");
        assert_string_equal(contract.budgets[0].axis, "count");
        assert_int_equal(contract.budgets[0].growth, CONTRACT_GROWTH_LOG);
        assert_int_equal(contract.budgets[0].memory_growth, CONTRACT_GROWTH_UNDECLARED);
        assert_true(contract.budgets[0].instructions == 400);
        assert_true(contract.budgets[0].allocations == 0);
        assert_true(contract.budgets[0].live_bytes == CONTRACT_NO_LIMIT);
        assert_true(contract.budgets[1].bytes_per_entry == 96);
        assert_int_equal(contract.budgets[1].memory_growth, CONTRACT_GROWTH_LINEAR);
        assert_true(contract.budgets[2].probes);
        assert_true(contract.budgets[2].overhead_percent == 2);
        contract_fini(&contract);
}

static void optional_keys_have_defaults(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        (void)state;
        assert_int_equal(load(SOUND, &contract, &why), 0);
        assert_string_equal(contract.standard, "c11");
        assert_null(contract.reference);
        assert_null(contract.invariant);
        assert_int_equal(contract.budget_count, 0);
        assert_int_equal(contract.headers.count, 0);
        contract_fini(&contract);
}

/* ---- What is wrong ------------------------------------------------------------------------ */

struct broken {
        const char *content;
        const char *line; /* after FOLDER/contract.yaml: ; several are parted by line ends */
};

static void check_broken(const struct broken *broken, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                struct text why BASE_SCOPE(text_fini) = TEXT_INIT(65536);
                struct text expected BASE_SCOPE(text_fini) = TEXT_INIT(65536);
                struct contract contract;

                for (const char *line = broken[i].line; *line;) {
                        const size_t length = strcspn(line, "\n");

                        text_printf(&expected, "%s/contract.yaml:%.*s\n", folder, (int)length,
                                    line);
                        line += length + (line[length] == '\n');
                }
                assert_int_equal(load(broken[i].content, &contract, &why), CONTRACT_WRONG);
                assert_string_equal(text_view(&why), text_view(&expected));
        }
}

static void wrong_forms(void **state)
{
        static const struct broken rows[] = {
                { "", "1: the file is empty; begin with 'tocsin: 1'" },
                { "[a]\n", "1: a contract is a mapping; write lines of 'name: value'" },
                { "tocsin: [1\n", "2: not YAML: did not find expected ',' or ']' while parsing a "
                                  "flow sequence; often a tab, a colon without a space, or a "
                                  "bracket that is not closed" },
                { "a:\n\tb: 1\n", "2: not YAML: found character that cannot start any token while "
                                  "scanning for the next token; often a tab, a colon without a "
                                  "space, or a bracket that is not closed" },
                { "tocsin: &x 1\n",
                  "1: anchors (&name) and tags (!name) are not taken; remove it" },
                { "tocsin: !!int 1\n",
                  "1: anchors (&name) and tags (!name) are not taken; remove it" },
                { "tocsin: 1\n\nmodule: *x\n", "3: aliases (*name) are not taken; write it out" },
                { "a: 1\n---\nb: 1\n",
                  "2: a second document begins here; a file is one, remove the line ---" },
                { "a: [[[[[[[[1]]]]]]]]\n", "1: nested more than 8 deep; no key needs that" },
                { "tocsin: \"1\\0\"\n", "1: holds a NUL byte; remove it" },
                { "tocsin: \xff\n",
                  "1: not YAML: invalid leading UTF-8 octet; often a tab, a colon "
                  "without a space, or a bracket that is not closed" },
                { SOUND "[a, b]: 1\n", "7: a key must be a word; write 'name: value'" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

static void wrong_keys(void **state)
{
        static const struct broken rows[] = {
                { SOUND "budgest: []\n", "7: unknown key 'budgest' in a contract; did you mean "
                                         "budgets?" },
                { SOUND "colour: red\n", "7: unknown key 'colour' in a contract; see "
                                         "doc/contracts.md for those there are" },
                { SOUND "\"\\e[31m\\nx\": red\n",
                  "7: unknown key '\\x1b[31m\\x0ax' in a contract; see doc/contracts.md for those "
                  "there are" },
                { SOUND "module: lru\n", "7: 'module' stands in line 2 already; keep one of them" },
                { HEAD, "1: a contract lacks 'threads'; add it: none, one_per_object or any" },
                { SOUND "budgets:\n- {case: get, depth: 3}\n",
                  "8: unknown key 'depth' in an entry of budgets; see doc/contracts.md for those "
                  "there are" },
                { SOUND "budgets:\n- {case: get, growht: log}\n",
                  "8: unknown key 'growht' in an entry of budgets; did you mean growth?" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

#define WITHOUT_MODULE \
        "tocsin: 1\nsummary: a cache\nheader: lru.h\nsupplies: [lru.c]\nthreads: none\n"
#define WITHOUT_SUPPLIES "tocsin: 1\nmodule: lru\nsummary: a cache\nheader: lru.h\nthreads: none\n"

static void wrong_words(void **state)
{
        static const struct broken rows[] = {
                { "tocsin: 2\nmodule: lru\nsummary: a cache\nheader: lru.h\nsupplies: [lru.c]\n"
                  "threads: none\n",
                  "1: version '2' of contracts is unknown; this Tocsin reads 'tocsin: 1'" },
                { WITHOUT_MODULE "module: 3d\n",
                  "6: module '3d' is not a C name of at most 23 characters" },
                { WITHOUT_MODULE "module: abcdefghijklmnopqrstuvwx\n",
                  "6: module 'abcdefghijklmnopqrstuvwx' is not a C name of at most 23 characters" },
                { WITHOUT_MODULE "module: [lru]\n", "6: 'module' is one word; write module: a C "
                                                    "name of at most 23 characters" },
                { WITHOUT_MODULE "module:\n", "6: 'module' has no value; write module: a C name of "
                                              "at most 23 characters" },
                { HEAD "threads: nonne\n", "6: unknown threads 'nonne'; did you mean none?" },
                { HEAD "threads: everywhere\n",
                  "6: unknown threads 'everywhere'; it is none, one_per_object or any" },
                { SOUND "standard: c23\n",
                  "7: standard 'c23' is not c99, c11, c17, gnu99, gnu11 or gnu17" },
                { SOUND "invariant: lru-check\n",
                  "7: invariant 'lru-check' is not a function of the header" },
                { SOUND "reference: ../lru\n", "7: reference '../lru' is not a path below the "
                                               "contract, such as candidates/reference" },
                { SOUND "reference: /etc\n", "7: reference '/etc' is not a path below the "
                                             "contract, such as candidates/reference" },
                { SOUND "reference: a//b\n", "7: reference 'a//b' is not a path below the "
                                             "contract, such as candidates/reference" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

static void wrong_lists(void **state)
{
        static const struct broken rows[] = {
                { WITHOUT_SUPPLIES "supplies: lru.c\n",
                  "6: 'supplies' is a list; write supplies: [ITEM, ITEM]" },
                { WITHOUT_SUPPLIES "supplies: [src/lru.c]\n",
                  "6: supplies: 'src/lru.c' is not a file name that ends in .c or .h, without "
                  "folders" },
                { WITHOUT_SUPPLIES "supplies: [../lru.c]\n",
                  "6: supplies: '../lru.c' is not a file name that ends in .c or .h, without "
                  "folders" },
                { WITHOUT_SUPPLIES "supplies: [lru.c,\n lru.s]\n",
                  "7: supplies: 'lru.s' is not a file name that ends in .c or .h, without "
                  "folders" },
                { WITHOUT_SUPPLIES "supplies: [lru.c, lru.c]\n",
                  "6: supplies: 'lru.c' stands there twice; remove one" },
                { WITHOUT_SUPPLIES "supplies: [lru.c, lru.h]\n",
                  "6: supplies: 'lru.h' is the contract's header; a candidate must not bring its "
                  "own" },
                { WITHOUT_SUPPLIES "supplies: [own.h]\n",
                  "1: supplies names no .c file; add one: supplies: [lru.c]" },
                { WITHOUT_SUPPLIES "supplies: [[lru.c]]\n",
                  "6: supplies: an entry is one word: a file name that ends in .c or .h, without "
                  "folders" },
                { SOUND "symbols: [hepa]\n", "7: symbols: unknown 'hepa'; did you mean heap?" },
                { SOUND "symbols: [a-b]\n", "7: symbols: 'a-b' is not a preset, such as heap, or "
                                            "the name of one function" },
                { SOUND "headers: [/etc/passwd]\n",
                  "7: headers: '/etc/passwd' is not a header as in #include <...>, such as "
                  "string.h" },
                { SOUND "headers: [lru.h]\n",
                  "7: headers: 'lru.h' may be included anyway; remove it" },
                { SOUND "detects: [leek]\n", "7: detects: unknown 'leek'; did you mean leak?" },
                { SOUND "limits: {memory: 12}\n",
                  "7: memory: '12' is not a size from 8M to 1G; write 64M, say" },
                { SOUND "limits: {cpu: 50}\n",
                  "7: cpu: '50' is not a share of one core, such as 50%; write 50%, say" },
                { SOUND "limits: {pids: 4}\n", "7: pids: '4' is not a number from 8 to 4096" },
                { SOUND "limits: {fiels: 64}\n",
                  "7: unknown key 'fiels' in limits; did you mean files?" },
                { SOUND "detects: [boredom]\n",
                  "7: detects: 'boredom' is not leak, deadlock, slow, alloc_failure, descriptor or "
                  "invariant" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

static void wrong_budgets(void **state)
{
        static const struct broken rows[] = {
                { SOUND "budgets: {case: a}\n",
                  "7: 'budgets' is a list; write budgets: [ITEM, ITEM]" },
                { SOUND "budgets: [fast]\n",
                  "7: an entry of budgets is a mapping; write lines of 'name: value'" },
                { SOUND "budgets:\n  - {case: a, instructions: many}\n",
                  "8: instructions 'many' is not a whole number; write digits only, without a "
                  "unit" },
                { SOUND "budgets:\n  - {case: a, live_bytes: 64M}\n",
                  "8: live_bytes '64M' is not a whole number; write digits only, without a unit" },
                { SOUND "budgets:\n  - {case: a, allocations: -1}\n",
                  "8: allocations '-1' is not a whole number; write digits only, without a unit" },
                { SOUND "budgets:\n  - {case: a, allocations: 9223372036854775808}\n",
                  "8: allocations '9223372036854775808' is not a whole number; write digits only, "
                  "without a unit" },
                { SOUND "budgets:\n  - {case: a, growth: lineer}\n",
                  "8: unknown growth 'lineer'; did you mean linear?" },
                { SOUND "budgets:\n  - {case: a, growth: cubic}\n",
                  "8: unknown growth 'cubic'; it is constant, log, linear, nlogn or quadratic" },
                { SOUND "budgets:\n  - {growth: log}\n",
                  "8: the budget lacks 'case'; add case: NAME of a BENCH or STRESS" },
                { SOUND "budgets:\n  - {case: a}\n",
                  "8: the budget limits nothing; add growth, memory, instructions, allocations, "
                  "bytes_per_entry or live_bytes" },
                { SOUND "budgets:\n  - {probes: some, overhead_percent: 2}\n",
                  "8: probes 'some' is not understood; write probes: all" },
                { SOUND "budgets:\n  - {probes: all}\n",
                  "8: 'probes: all' needs a limit; add overhead_percent: 2" },
                { SOUND "budgets:\n  - {probes: all, overhead_percent: 2, case: a}\n",
                  "8: 'probes: all' stands with overhead_percent only; put the rest into an entry "
                  "of its own" },
                { SOUND "budgets:\n  - {case: a, overhead_percent: 2}\n",
                  "8: overhead_percent is of the probes; add probes: all" },
                { SOUND "budgets:\n  - {case: a, growth: log}\n  - {case: a, growth: linear}\n",
                  "9: a budget for the same case stands in line 8; make them one entry" },
                { SOUND
                  "budgets:\n  - {case: a, axis: x, growth: log}\n  - {case: a, memory: log}\n",
                  "9: a budget for the same case stands in line 8; make them one entry" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

static void several_mistakes_are_told_at_once(void **state)
{
        static const struct broken rows[] = {
                { "tocsin: 1\nmodul: lru\nsummary: a cache\nheader: lru.h\nsupplies: [lru.c]\n"
                  "threads: nobody\nsymbols: [heap, a b]\n",
                  "2: unknown key 'modul' in a contract; did you mean module?\n"
                  "6: unknown threads 'nobody'; it is none, one_per_object or any\n"
                  "7: symbols: 'a b' is not a preset, such as heap, or the name of one function\n"
                  "1: a contract lacks 'module'; add it: a C name of at most 23 characters" },
        };

        (void)state;
        check_broken(rows, BASE_COUNT(rows));
}

static void a_flood_of_mistakes_is_cut_and_counted(void **state)
{
        struct text content BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct contract contract;
        size_t lines = 0;

        (void)state;
        text_append(&content, SOUND);
        for (int i = 0; i < 30; i++)
                text_printf(&content, "wrong%d: 1\n", i);
        assert_int_equal(load(text_view(&content), &contract, &why), CONTRACT_WRONG);
        for (const char *at = text_view(&why); (at = strchr(at, '\n')); at++)
                lines++;
        assert_int_equal(lines, 21);
        assert_non_null(strstr(text_view(&why), "contract.yaml:1: 10 more; mend these first\n"));
}

static void lists_have_a_limit(void **state)
{
        struct text content BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(65536);
        struct contract contract;

        (void)state;
        text_append(&content, SOUND "symbols: [f0");
        for (int i = 1; i < contract_list_max; i++)
                text_printf(&content, ", f%d", i);
        text_append(&content, "]\n");
        assert_int_equal(load(text_view(&content), &contract, &why), 0);
        assert_int_equal(contract.symbols.count, contract_list_max);
        contract_fini(&contract);
        content.length -= 2;
        text_append(&content, ", g]\n");
        assert_int_equal(load(text_view(&content), &contract, &why), CONTRACT_WRONG);
        assert_non_null(strstr(text_view(&why), ":7: 'symbols' has 257 entries; at most 256"));
}

/* ---- Files -------------------------------------------------------------------------------- */

static void check_refused(const char *content, const char *expected)
{
        const struct broken row = { content, expected };

        check_broken(&row, 1);
}

static void files_that_are_not_there(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        (void)state;
        assert_int_equal(contract_load("/nonexistent", &contract, &why), CONTRACT_WRONG);
        assert_string_equal(text_view(&why),
                            "/nonexistent/contract.yaml:1: cannot be read: No such file or "
                            "directory; name the folder of a contract, or begin one with tocsin "
                            "new\n");
        check_refused("tocsin: 1\nmodule: lru\nsummary: a cache\nheader: mru.h\n"
                      "supplies: [lru.c]\nthreads: none\n",
                      "4: mru.h cannot be read: No such file or directory; put it there or correct "
                      "the name");
        check_refused(SOUND "reference: elsewhere\n",
                      "7: elsewhere cannot be read: No such file or directory; put it there or "
                      "correct the name");
        check_refused(SOUND "reference: lru.h\n",
                      "7: reference 'lru.h' is no folder; name that of a candidate");
}

static void files_that_are_no_files(void **state)
{
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/pipe.h", folder);
        assert_int_equal(mkfifo(path, 0600), 0);
        check_refused("tocsin: 1\nmodule: lru\nsummary: a cache\nheader: pipe.h\n"
                      "supplies: [lru.c]\nthreads: none\n",
                      "4: pipe.h is no regular file; put one there");
        assert_int_equal(unlink(path), 0);
}

static void sizes_at_the_limit_and_beyond(void **state)
{
        struct text big BASE_SCOPE(text_fini) = TEXT_INIT(contract_file_bytes_max + 1);
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        (void)state;
        while (big.length < contract_file_bytes_max)
                text_append(&big, "0123456789abcde\n");
        write_file("lru.h", text_view(&big));
        assert_int_equal(load(SOUND, &contract, &why), 0);
        contract_fini(&contract);
        text_append(&big, "x");
        write_file("lru.h", text_view(&big));
        check_refused(SOUND, "4: lru.h has more than 4194304 bytes; make it smaller");
        write_file("lru.h", "int lru_get(int);\n");
        text_clear(&big);
        while (big.length <= contract_bytes_max)
                text_append(&big, "# comment\n");
        check_refused(text_view(&big), "1: more than 262144 bytes; no contract needs that");
}

static void a_folder_of_cases(void **state)
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;
        char path[128];

        (void)state;
        write_file("cases/README", "not a case\n");
        write_file("cases/.hidden.c", "not a case\n");
        assert_int_equal(load(SOUND, &contract, &why), 0);
        assert_int_equal(contract.cases.count, 2);
        contract_fini(&contract);
        write_file("cases/shared.h", "x\n");
        check_refused(SOUND, "1: cases/shared.h: cases are .c files only and share nothing; put "
                             "what it holds into them");
        (void)snprintf(path, sizeof(path), "%s/cases", folder);
        assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
        check_refused(SOUND, "1: the folder cases/ cannot be read: No such file or directory; a "
                             "contract needs at least one file cases/NAME.c");
        make_folder("cases");
        check_refused(SOUND, "1: the folder cases/ holds no .c file; write at least one TEST into "
                             "cases/NAME.c");
        write_file("cases/a.c", "a\n");
        write_file("cases/b.c", "b\n");
}

static void digest_now(const char *content, char ret_hex[65])
{
        struct text why BASE_SCOPE(text_fini) = TEXT_INIT(8192);
        struct contract contract;

        assert_int_equal(load(content, &contract, &why), 0);
        memcpy(ret_hex, contract.sha256, 65);
        contract_fini(&contract);
}

static void digest_covers_all_that_is_read(void **state)
{
        char first[65], again[65], header[65], test_case[65], keys[65];

        (void)state;
        digest_now(SOUND, first);
        write_file("candidates/anything", "not read\n");
        digest_now(SOUND, again);
        assert_string_equal(first, again);
        digest_now(SOUND "# another comment\n", keys);
        assert_string_not_equal(first, keys);
        write_file("lru.h", "int lru_get(long);\n");
        digest_now(SOUND, header);
        assert_string_not_equal(first, header);
        write_file("lru.h", "int lru_get(int);\n");
        write_file("cases/b.c", "c\n");
        digest_now(SOUND, test_case);
        assert_string_not_equal(first, test_case);
        write_file("cases/b.c", "b\n");
        digest_now(SOUND, again);
        assert_string_equal(first, again);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_key_comes_out_as_written),
                cmocka_unit_test(budgets_come_out_as_written),
                cmocka_unit_test(optional_keys_have_defaults),
                cmocka_unit_test(wrong_forms),
                cmocka_unit_test(wrong_keys),
                cmocka_unit_test(wrong_words),
                cmocka_unit_test(wrong_lists),
                cmocka_unit_test(wrong_budgets),
                cmocka_unit_test(several_mistakes_are_told_at_once),
                cmocka_unit_test(a_flood_of_mistakes_is_cut_and_counted),
                cmocka_unit_test(lists_have_a_limit),
                cmocka_unit_test(files_that_are_not_there),
                cmocka_unit_test(files_that_are_no_files),
                cmocka_unit_test(sizes_at_the_limit_and_beyond),
                cmocka_unit_test(a_folder_of_cases),
                cmocka_unit_test(digest_covers_all_that_is_read),
        };

        return cmocka_run_group_tests(tests, make_sound_folder, remove_folder);
}
