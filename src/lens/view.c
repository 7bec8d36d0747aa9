/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens are taken raw, before the preprocessor, because the question is what the author wrote and
 * not what it became: an expansion of tocsin.h is none of his. */
#include "lens/view.h"

#include <clang-c/Index.h>

#include <stdbool.h>
#include <string.h>

enum { FLAG_BEGINS_LINE = 1, FLAG_IS_SPLICED = 2 };

struct unit {
        CXIndex index;
        CXTranslationUnit unit;
        CXFile file;
};

static void unit_close(struct unit *unit)
{
        if (unit->unit)
                clang_disposeTranslationUnit(unit->unit);
        if (unit->index)
                clang_disposeIndex(unit->index);
}

static bool unit_open(const struct view_request *request, unsigned options, struct unit *unit)
{
        *unit = (struct unit){ .index = clang_createIndex(0, 0) };
        if (!unit->index)
                return false;
        if (clang_parseTranslationUnit2(unit->index, request->file, request->flags,
                                        request->flag_count, NULL, 0, options,
                                        &unit->unit) == CXError_Success)
                unit->file = clang_getFile(unit->unit, request->file);
        return unit->file;
}

/* Foreign bytes that are no UTF-8 cannot stand in JSON. */
static json_t *text_of(const char *bytes)
{
        json_t *text = json_stringn(bytes, strnlen(bytes, view_spelling_max));

        return text ? text : json_string("?");
}

static json_t *text_take(CXString string)
{
        const char *bytes = clang_getCString(string);
        json_t *text = text_of(bytes ? bytes : "");

        clang_disposeString(string);
        return text;
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

struct lines {
        const char *bytes;
        size_t length;
        size_t at;   /* end of the token before */
        bool begins; /* whether a line began since the last token that counts */
};

static bool is_splice(const struct lines *lines, size_t newline)
{
        while (newline > 0 && strchr(" \t\r\f\v", lines->bytes[newline - 1]))
                newline--;
        return newline > 0 && lines->bytes[newline - 1] == '\\';
}

/* libclang counts a splice before a token as its beginning: the length of such. */
static size_t leading_splices(const char *bytes, size_t start, size_t end)
{
        size_t at = start;

        while (at < end && bytes[at] == '\\') {
                size_t next = at + 1;

                while (next < end && strchr(" \t\r\f\v", bytes[next]))
                        next++;
                if (next == end || bytes[next] != '\n')
                        break;
                at = next + 1;
        }
        return at - start;
}

/* What stands between the token before and this one, and in it. */
static unsigned flags_of(struct lines *lines, size_t start, size_t end)
{
        unsigned flags = 0;

        if (start > lines->length || end > lines->length || start < lines->at || end < start)
                return FLAG_IS_SPLICED; /* does not fit the file: nothing we can vouch for */
        for (size_t i = lines->at; i < start; i++)
                if (lines->bytes[i] == '\n' && !is_splice(lines, i))
                        lines->begins = true;
        for (size_t i = start + leading_splices(lines->bytes, start, end); i < end; i++)
                if (lines->bytes[i] == '\n' && is_splice(lines, i))
                        flags |= FLAG_IS_SPLICED;
        lines->at = end;
        return flags | (lines->begins ? FLAG_BEGINS_LINE : 0);
}

static const char *kind_of(CXTokenKind kind)
{
        if (kind == CXToken_Identifier || kind == CXToken_Keyword)
                return "word";
        return kind == CXToken_Literal ? "literal" : "mark";
}

static void add_token(const struct unit *unit, CXToken token, struct lines *lines, json_t *list)
{
        CXSourceRange extent = clang_getTokenExtent(unit->unit, token);
        CXTokenKind kind = clang_getTokenKind(token);
        unsigned line = 0;
        unsigned start = 0;
        unsigned end = 0;
        unsigned flags;
        CXString spelling;
        const char *bytes;

        clang_getFileLocation(clang_getRangeStart(extent), NULL, &line, NULL, &start);
        clang_getFileLocation(clang_getRangeEnd(extent), NULL, NULL, NULL, &end);
        flags = flags_of(lines, start, end);
        if (kind == CXToken_Comment)
                return;
        lines->begins = false;
        spelling = clang_getTokenSpelling(unit->unit, token);
        bytes = clang_getCString(spelling) ? clang_getCString(spelling) : "";
        bytes += leading_splices(bytes, 0, strlen(bytes));
        (void)json_array_append_new(list, json_pack("[i, i, s, o]", (int)line, (int)flags,
                                                    kind_of(kind), text_of(bytes)));
        clang_disposeString(spelling);
}

json_t *view_tokens(const struct view_request *request)
{
        struct unit unit;
        CXToken *tokens = NULL;
        unsigned count = 0;
        size_t length = 0;
        json_t *list = json_array();

        if (unit_open(request, CXTranslationUnit_SingleFileParse, &unit) && list) {
                struct lines lines = {
                        .bytes = clang_getFileContents(unit.unit, unit.file, &length),
                        .begins = true,
                };
                CXSourceRange all = clang_getRange(
                        clang_getLocationForOffset(unit.unit, unit.file, 0),
                        clang_getLocationForOffset(unit.unit, unit.file, (unsigned)length));

                lines.length = lines.bytes ? length : 0;
                clang_tokenize(unit.unit, all, &tokens, &count);
                for (unsigned i = 0; i < count && i < view_tokens_max; i++)
                        add_token(&unit, tokens[i], &lines, list);
                clang_disposeTokens(unit.unit, tokens, count);
        } else {
                json_decref(list);
                list = NULL;
        }
        unit_close(&unit);
        return list ? json_pack("{s: s, s: b, s: o}", "file", request->file, "is_cut",
                                count > view_tokens_max, "tokens", list)
                    : NULL;
}

/* ---- Declarations --------------------------------------------------------------------------- */

struct declarations {
        CXFile file;
        json_t *functions;
        json_t *objects;
};

static json_t *parameters_of(CXCursor cursor)
{
        json_t *parameters = json_array();
        int count = clang_Cursor_getNumArguments(cursor);

        for (int i = 0; i < count && parameters; i++) {
                CXType type = clang_getCursorType(clang_Cursor_getArgument(cursor, (unsigned)i));

                (void)json_array_append_new(parameters, text_take(clang_getTypeSpelling(type)));
        }
        return parameters;
}

static enum CXChildVisitResult visit(CXCursor cursor, CXCursor parent, CXClientData data)
{
        struct declarations *into = data;
        CXSourceLocation location = clang_getCursorLocation(cursor);
        CXFile file = NULL;
        unsigned line = 0;
        CXType type = clang_getCursorType(cursor);

        (void)parent;
        clang_getExpansionLocation(location, &file, &line, NULL, NULL);
        if (!file || !clang_File_isEqual(file, into->file) ||
            clang_getCursorLinkage(cursor) != CXLinkage_External ||
            clang_isCursorDefinition(cursor))
                return CXChildVisit_Continue;
        if (clang_getCursorKind(cursor) == CXCursor_FunctionDecl &&
            json_array_size(into->functions) < view_declarations_max)
                (void)json_array_append_new(
                        into->functions,
                        json_pack("{s: o, s: o, s: o, s: b, s: i}", "name",
                                  text_take(clang_getCursorSpelling(cursor)), "result",
                                  text_take(clang_getTypeSpelling(clang_getResultType(type))),
                                  "parameters", parameters_of(cursor), "is_variadic",
                                  clang_isFunctionTypeVariadic(type) != 0 &&
                                          type.kind == CXType_FunctionProto,
                                  "line", (int)line));
        if (clang_getCursorKind(cursor) == CXCursor_VarDecl &&
            json_array_size(into->objects) < view_declarations_max)
                (void)json_array_append_new(
                        into->objects,
                        json_pack("{s: o, s: o, s: i}", "name",
                                  text_take(clang_getCursorSpelling(cursor)), "type",
                                  text_take(clang_getTypeSpelling(type)), "line", (int)line));
        return CXChildVisit_Continue;
}

json_t *view_declarations(const struct view_request *request)
{
        struct unit unit;
        struct declarations into = { .functions = json_array(), .objects = json_array() };
        bool is_seen = unit_open(request, CXTranslationUnit_SkipFunctionBodies, &unit);

        if (is_seen) {
                into.file = unit.file;
                (void)clang_visitChildren(clang_getTranslationUnitCursor(unit.unit), visit, &into);
        }
        unit_close(&unit);
        if (is_seen)
                return json_pack("{s: s, s: o, s: o}", "file", request->file, "functions",
                                 into.functions, "objects", into.objects);
        json_decref(into.functions);
        json_decref(into.objects);
        return NULL;
}
