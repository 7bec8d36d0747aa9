# SPDX-License-Identifier: Apache-2.0
# What tools/house.sh asks of each C file. Variables: none. Input: C files, paths from the root.
#
# Prints "file:line: what, how to mend". A rule may be broken by a comment that says why, as
# "house: long file because ..."; a waiver that waives nothing is reported too.

BEGIN {
        columns_max = 100
        file_lines_max = 600
        function_lines_max = 80

        # Includes go one way: what each room may see. "tocsin" is the public header, the record.
        sees["base"] = "base"
        sees["probe"] = "probe tocsin"
        sees["inside"] = "inside probe tocsin"
        sees["rule"] = "rule base tocsin"
        sees["inline"] = "inline rule probe tocsin"
        sees["watch"] = "watch rule probe base tocsin"
        sees["case"] = "case tocsin"
        sees["lens"] = "lens base"
        sees["gate"] = "gate case " sees["watch"]
        sees["drill"] = "drill " sees["gate"]
        sees["forge"] = "forge " sees["drill"]
        sees["cli"] = "cli " sees["forge"]
        # Those who use the public header see that and nothing of ours.
        sees["include"] = "tocsin"
        sees["examples"] = "tocsin"
        sees["modules"] = "tocsin"
}

function complain(line, text)
{
        printf "%s:%d: %s\n", file, line, text
}

# First directory below src/, else the top one; "" where includes are free (tests, bench).
function room_of(path, part)
{
        split(path, part, "/")
        if (part[1] == "src")
                return part[2]
        return part[1] in sees ? part[1] : ""
}

function may_see(target)
{
        return index(" " sees[room] " ", " " target " ") > 0
}

function check_include(name, is_system, part, count, target)
{
        if (name ~ /\.c$/)
                complain(FNR, "includes " name "; compile it, and include its header")
        if (name ~ /(^|\/)\.\.(\/|$)/)
                complain(FNR, "includes " name "; write the path from src/ or include/, without ..")
        if (room == "" || !(room in sees))
                return
        count = split(name, part, "/")
        target = part[1]
        if (name == "tocsin.h")
                target = "tocsin"
        else if (count == 1 && !is_system && file ~ /^src\//) {
                complain(FNR, "includes \"" name "\"; name the room: \"" room "/" name "\"")
                return
        } else if (count == 1)
                return
        if (target != "tocsin" && !(target in sees))
                return # the system's, as <sys/stat.h>
        if (!may_see(target))
                complain(FNR, room " includes " name "; it sees only: " sees[room])
}

function finish_file()
{
        if (file == "")
                return
        if (last > file_lines_max && !file_waiver)
                complain(last, "the file has " last " lines, more than " file_lines_max \
                        "; split it, or say \"house: long file because ...\"")
        if (last <= file_lines_max && file_waiver)
                complain(file_waiver, "the waiver for a long file is not needed; remove it")
        if (function_waiver)
                complain(function_waiver, "the waiver for a long function is not needed; remove it")
        if (!purpose)
                complain(1, "no comment says why the file exists; make it the first after the licence")
}

FNR == 1 {
        finish_file()
        file = FILENAME
        sub(/^\.\//, "", file)
        room = room_of(file)
        file_waiver = function_waiver = purpose = in_code = in_comment = body = 0
        name = ""
        is_licence = $0 ~ /^\/\* SPDX-License-Identifier: Apache-2\.0( \*\/)?$/
        if (!is_licence)
                complain(1, "no licence; start with /* SPDX-License-Identifier: Apache-2.0 */")
}

{
        last = FNR
        width = $0
        gsub(/[\200-\277]/, "", width) # UTF-8: one column a character
        if (length(width) > columns_max)
                complain(FNR, "the line has " length(width) " columns, more than " columns_max \
                        "; break it")
        if ($0 ~ /house: long file because [^ ]/)
                file_waiver = FNR
        if ($0 ~ /house: long function because [^ ]/)
                function_waiver = FNR
        if ($0 ~ /^[ \t]*#[ \t]*include[ \t]*[<"]/) {
                included = $0
                is_system = included ~ /</
                sub(/^[^<"]*[<"]/, "", included)
                sub(/[>"].*/, "", included)
                check_include(included, is_system)
        }
}

# The first comment after the licence, before any code, is why the file exists.
!(FNR == 1 && is_licence) && !in_code && !purpose {
        text = $0
        if (!in_comment && text ~ /^\/\*/) {
                in_comment = 1
                words = 0
        }
        if (in_comment) {
                words += gsub(/[A-Za-z][A-Za-z]+/, "", text)
                if ($0 ~ /\*\//) {
                        in_comment = 0
                        purpose = words >= 4
                        in_code = !purpose
                }
        } else if (text !~ /^[ \t]*$/ && text !~ /^ \*/ &&
                   text !~ /^#(ifndef|define [A-Z0-9_]+_H_?$|pragma once)/)
                in_code = 1
}

# Functions: a brace of its own in the first column, as .clang-format lays them out.
!body && /^[A-Za-z_].*[A-Za-z0-9_]\(/ {
        name = $0
        sub(/\(.*/, "", name)
        sub(/.*[^A-Za-z0-9_]/, "", name)
}

/^\{/ {
        body = FNR
}

body && /^\}/ {
        count = FNR - body + 1
        if (count > function_lines_max && !function_waiver)
                complain(body, name "() has " count " lines, more than " function_lines_max \
                        "; split it, or say \"house: long function because ...\"")
        if (count > function_lines_max)
                function_waiver = 0
        body = 0
}

# Words of code: without comments of one line and without texts.
{
        code = $0
        gsub(/\\"/, "", code)
        gsub(/"[^"]*"/, "", code)
        gsub(/\/\*.*\*\//, "", code)
        if (code !~ /^[ \t]*(\/\*|\*|\/\/)/ && code ~ /(^|[^A-Za-z0-9_])goto[ \t]+[a-z_]+;/)
                complain(FNR, "goto; use a scope guard (BASE_SCOPE) or a function")
        if (code ~ /^[ \t]*typedef[ \t]+(struct|union|enum)[ \t]/)
                complain(FNR, "typedef of a struct, union or enum; use its name")
}

END {
        finish_file()
}
