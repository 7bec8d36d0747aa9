/* SPDX-License-Identifier: Apache-2.0 */
/* Exists because a library that was left out looks like a program in which nothing goes wrong. */
#include "watch/preload.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- The library ---------------------------------------------------------- */

int preload_find(struct text *ret_path, struct text *why)
{
        static const char *const places[] = {
                "/../inside/libtocsin-inside.so.0",
                "/../lib/x86_64-linux-gnu/libtocsin-inside.so.0",
                "/../lib/aarch64-linux-gnu/libtocsin-inside.so.0",
                "/../lib64/libtocsin-inside.so.0",
                "/../lib/libtocsin-inside.so.0",
        };
        const char *named = getenv("TOCSIN_INSIDE");
        char self[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
        char *slash;

        if (named) {
                text_append(ret_path, named);
                if (named[0] == '/' && !access(named, R_OK))
                        return 0;
                text_printf(why,
                            "TOCSIN_INSIDE is '%s', which is no file that can be read; give "
                            "the whole path of libtocsin-inside.so",
                            named);
                return PRELOAD_REFUSED;
        }
        self[length > 0 ? length : 0] = '\0';
        slash = strrchr(self, '/');
        if (slash)
                *slash = '\0';
        for (size_t i = 0; i < BASE_COUNT(places); i++) {
                text_clear(ret_path);
                text_printf(ret_path, "%s%s", self, places[i]);
                if (!access(text_view(ret_path), R_OK))
                        return ret_path->error;
        }
        text_printf(why, "libtocsin-inside.so is not where it was installed; build or install "
                         "Tocsin whole, or name it in TOCSIN_INSIDE");
        return PRELOAD_REFUSED;
}

/* ---- The program ---------------------------------------------------------- */

/* As execvp() would find it; false: it would not. */
static bool find_program(const char *name, char path[static PATH_MAX])
{
        const char *at = getenv("PATH");

        if (strchr(name, '/')) {
                (void)snprintf(path, PATH_MAX, "%s", name);
                return !access(path, X_OK);
        }
        for (; at && *at; at += strspn(at, ":")) {
                int length = (int)strcspn(at, ":");

                (void)snprintf(path, PATH_MAX, "%.*s/%s", length, at, name);
                if (!access(path, X_OK))
                        return true;
                at += length;
        }
        return false;
}

/* "libasan.so.8" and the like; NULL: it needs none. */
static const char *sanitizer_of(const char *needed)
{
        static const char *const known[] = { "libasan", "libtsan", "liblsan", "libhwasan",
                                             "libclang_rt" };

        for (size_t i = 0; i < BASE_COUNT(known); i++)
                if (strncmp(needed, known[i], strlen(known[i])) == 0)
                        return known[i];
        return NULL;
}

static const char *sanitizer_needed(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
        Elf_Data *data = elf_getdata(section, NULL);

        for (int i = 0; data && header->sh_entsize && i < (int)(data->d_size / header->sh_entsize);
             i++) {
                GElf_Dyn entry;
                const char *name;

                if (!gelf_getdyn(data, i, &entry) || entry.d_tag != DT_NEEDED)
                        continue;
                name = elf_strptr(elf, header->sh_link, entry.d_un.d_val);
                if (name && sanitizer_of(name))
                        return sanitizer_of(name);
        }
        return NULL;
}

/* clang puts its runtime into the program itself. */
static const char *sanitizer_defined(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
        static const char *const starts[] = { "__asan_init", "__tsan_init", "__msan_init",
                                              "__lsan_init" };
        Elf_Data *data = elf_getdata(section, NULL);

        for (int i = 0; data && header->sh_entsize && i < (int)(data->d_size / header->sh_entsize);
             i++) {
                GElf_Sym symbol;
                const char *name;

                if (!gelf_getsym(data, i, &symbol))
                        continue;
                name = elf_strptr(elf, header->sh_link, symbol.st_name);
                for (size_t k = 0; name && k < BASE_COUNT(starts); k++)
                        if (strcmp(name, starts[k]) == 0)
                                return starts[k];
        }
        return NULL;
}

static const char *find_sanitizer(Elf *elf)
{
        const char *found = NULL;
        Elf_Scn *section = NULL;

        while (!found && (section = elf_nextscn(elf, section))) {
                GElf_Shdr header;

                if (!gelf_getshdr(section, &header))
                        continue;
                if (header.sh_type == SHT_DYNAMIC)
                        found = sanitizer_needed(elf, section, &header);
                else if (header.sh_type == SHT_DYNSYM)
                        found = sanitizer_defined(elf, section, &header);
        }
        return found;
}

static bool has_loader(Elf *elf)
{
        size_t count = 0;
        GElf_Phdr header;

        if (elf_getphdrnum(elf, &count))
                return true;
        for (size_t i = 0; i < count; i++)
                if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_INTERP)
                        return true;
        return false;
}

static bool is_our_machine(Elf *elf)
{
        GElf_Ehdr header;
#if defined(__x86_64__)
        const unsigned ours = EM_X86_64;
#else
        const unsigned ours = EM_AARCH64;
#endif

        return !gelf_getehdr(elf, &header) ||
               (header.e_machine == ours && header.e_ident[EI_CLASS] == ELFCLASS64);
}

static int check_elf(const char *path, int fd, struct text *why)
{
        Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
        const char *sanitizer = NULL;
        int outcome = PRELOAD_REFUSED;

        if (!elf || elf_kind(elf) != ELF_K_ELF)
                outcome = 0; /* whatever it is, exec says more about it than we can */
        else if (!is_our_machine(elf))
                text_printf(why, "%s is of another machine than tocsin; run it without --inside",
                            path);
        else if (!has_loader(elf))
                text_printf(why,
                            "%s is static, so no library can be put in front of it; link it "
                            "dynamically, or run it without --inside",
                            path);
        else if ((sanitizer = find_sanitizer(elf)))
                text_printf(why,
                            "%s is built with a sanitizer (%s), which wants the same calls; "
                            "run a build without it, or without --inside",
                            path, sanitizer);
        else
                outcome = 0;
        (void)elf_end(elf);
        return outcome;
}

static int check_user(const char *path, int fd, struct text *why)
{
        struct stat status;
        char capability[64];

        if (fstat(fd, &status))
                return error_last();
        if ((status.st_mode & S_ISUID && status.st_uid != geteuid()) ||
            (status.st_mode & S_ISGID && status.st_gid != getegid()) ||
            (geteuid() &&
             fgetxattr(fd, "security.capability", capability, sizeof(capability)) > 0)) {
                text_printf(why,
                            "%s gains rights when it starts, and the loader then ignores "
                            "LD_PRELOAD; run it as the user it becomes, or without --inside",
                            path);
                return PRELOAD_REFUSED;
        }
        return 0;
}

/* The interpreter of a script, "" if it is none. */
static void read_interpreter(int fd, char path[static PATH_MAX])
{
        char line[PATH_MAX];
        ssize_t length = pread(fd, line, sizeof(line) - 1, 0);
        const char *from;

        path[0] = '\0';
        line[length > 0 ? length : 0] = '\0';
        if (strncmp(line, "#!", 2) != 0)
                return;
        from = line + 2 + strspn(line + 2, " \t");
        (void)snprintf(path, PATH_MAX, "%.*s", (int)strcspn(from, " \t\r\n"), from);
}

int preload_check(const char *program, struct text *why)
{
        char path[PATH_MAX], interpreter[PATH_MAX];
        int fd, outcome;

        if (!find_program(program, path))
                return 0;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0; /* executable, but not to be read: exec decides */
        read_interpreter(fd, interpreter);
        outcome = check_user(path, fd, why);
        if (!outcome && !interpreter[0])
                outcome = check_elf(path, fd, why);
        (void)close(fd); /* read only */
        if (!outcome && interpreter[0] && strcmp(interpreter, program) != 0)
                outcome = preload_check(interpreter, why);
        return outcome;
}
