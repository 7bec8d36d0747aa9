/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists because a YAML library accepts far more than a contract should be able to say, and because
 * a person who mends one mistake wants to be told of the others in the same breath.
 */
#include "gate/document.h"
#include "base/option.h"

#include <ctype.h>
#include <errno.h>

enum { line_bytes_max = 2000, keys_max = 64 };

void document_wrong(struct document *document, unsigned line, const char *format, ...)
{
        struct text plain BASE_SCOPE(text_fini) = TEXT_INIT(line_bytes_max);
        va_list arguments;

        document->wrong_count++;
        if (document->wrong_count > document_wrong_max)
                return;
        text_printf(&plain, "%s:%u: ", document->file, line);
        va_start(arguments, format);
        text_vprintf(&plain, format, arguments);
        va_end(arguments);
        text_append_escaped(document->why, text_view(&plain), plain.length);
        text_append(document->why, "\n");
}

unsigned document_line(const yaml_node_t *node)
{
        return (unsigned)node->start_mark.line + 1;
}

bool document_is_c_name(const char *word, size_t length_max)
{
        size_t length = 0;

        if (!isalpha((unsigned char)word[0]) && word[0] != '_')
                return false;
        while (isalnum((unsigned char)word[length]) || word[length] == '_')
                length++;
        return !word[length] && length <= length_max;
}

const char *document_word(const yaml_node_t *node)
{
        return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* ---- Form --------------------------------------------------------------------------------- */

static bool has_anchor_or_tag(const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return event->data.scalar.anchor || event->data.scalar.tag;
        case YAML_SEQUENCE_START_EVENT:
                return event->data.sequence_start.anchor || event->data.sequence_start.tag;
        case YAML_MAPPING_START_EVENT:
                return event->data.mapping_start.anchor || event->data.mapping_start.tag;
        default:
                return false;
        }
}

struct form {
        unsigned depth;
        unsigned documents;
};

static bool form_holds(struct document *document, struct form *form, const yaml_event_t *event)
{
        const unsigned line = (unsigned)event->start_mark.line + 1;

        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                if (++form->documents > 1)
                        document_wrong(document, line,
                                       "a second document begins here; a file is one, remove the "
                                       "line ---");
                break;
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
                if (++form->depth > document_depth_max)
                        document_wrong(document, line,
                                       "nested more than %d deep; no key needs that",
                                       document_depth_max);
                break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                form->depth--;
                break;
        case YAML_ALIAS_EVENT:
                document_wrong(document, line, "aliases (*name) are not taken; write it out");
                break;
        case YAML_SCALAR_EVENT:
                if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
                        document_wrong(document, line, "holds a NUL byte; remove it");
                break;
        default:
                break;
        }
        if (has_anchor_or_tag(event))
                document_wrong(document, line,
                               "anchors (&name) and tags (!name) are not taken; remove it");
        return !document->wrong_count;
}

static void refuse_syntax(struct document *document, const yaml_parser_t *parser)
{
        if (parser->error == YAML_MEMORY_ERROR)
                document->error = -ENOMEM;
        else
                document_wrong(document, (unsigned)parser->problem_mark.line + 1,
                               "not YAML: %s%s%s; often a tab, a colon without a space, or a "
                               "bracket that is not closed",
                               parser->problem ? parser->problem : "cannot be read",
                               parser->context ? " " : "", parser->context ? parser->context : "");
}

/* Before the document is built, because building resolves aliases without a word. */
static bool check_form(struct document *document, const char *bytes, size_t length)
{
        struct form form = { .depth = 0 };
        yaml_parser_t parser;
        bool holds = true, is_over = false;

        if (!yaml_parser_initialize(&parser)) {
                document->error = -ENOMEM;
                return false;
        }
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
        while (holds && !is_over) {
                yaml_event_t event;

                if (!yaml_parser_parse(&parser, &event)) {
                        refuse_syntax(document, &parser);
                        holds = false;
                } else {
                        holds = form_holds(document, &form, &event);
                        is_over = event.type == YAML_STREAM_END_EVENT;
                        yaml_event_delete(&event);
                }
        }
        yaml_parser_delete(&parser);
        return holds;
}

bool document_load(struct document *document, const char *file, const char *bytes, size_t length,
                   struct text *why)
{
        yaml_parser_t parser;

        *document = (struct document){ .file = file, .why = why };
        if (!check_form(document, bytes, length))
                return false;
        if (!yaml_parser_initialize(&parser)) {
                document->error = -ENOMEM;
                return false;
        }
        yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, length);
        document->is_loaded = yaml_parser_load(&parser, &document->yaml);
        if (!document->is_loaded)
                refuse_syntax(document, &parser);
        yaml_parser_delete(&parser);
        return document->is_loaded;
}

void document_fini(struct document *document)
{
        if (document->is_loaded)
                yaml_document_delete(&document->yaml);
        document->is_loaded = false;
}

yaml_node_t *document_root(struct document *document)
{
        return yaml_document_get_root_node(&document->yaml);
}

/* ---- Mappings and lists ------------------------------------------------------------------- */

static const struct document_key *find_key(const struct document_scope *scope, const char *name)
{
        for (size_t i = 0; i < scope->key_count; i++)
                if (strcmp(scope->keys[i].name, name) == 0)
                        return &scope->keys[i];
        return NULL;
}

static void refuse_key(struct document *document, unsigned line, const struct document_scope *scope,
                       const char *name)
{
        const char *known[keys_max];
        const char *nearest;
        size_t count = 0;

        for (; count < scope->key_count && count < keys_max; count++)
                known[count] = scope->keys[count].name;
        nearest = option_nearest(name, known, count);
        if (nearest)
                document_wrong(document, line, "unknown key '%.*s' in %s; did you mean %s?",
                               DOCUMENT_SHOWN(name), scope->what, nearest);
        else
                document_wrong(document, line,
                               "unknown key '%.*s' in %s; see %s for those there are",
                               DOCUMENT_SHOWN(name), scope->what, scope->page);
}

static void read_pair(struct document *document, const struct document_scope *scope,
                      const yaml_node_pair_t *pair, unsigned *lines, void *target)
{
        const yaml_node_t *name_node = yaml_document_get_node(&document->yaml, pair->key);
        const yaml_node_t *value = yaml_document_get_node(&document->yaml, pair->value);
        const char *name = document_word(name_node);
        const unsigned line = document_line(name_node);
        const struct document_key *key;

        if (!name) {
                document_wrong(document, line, "a key must be a word; write 'name: value'");
                return;
        }
        key = find_key(scope, name);
        if (!key) {
                refuse_key(document, line, scope, name);
                return;
        }
        if (lines[key - scope->keys]) {
                document_wrong(document, line, "'%s' stands in line %u already; keep one of them",
                               name, lines[key - scope->keys]);
                return;
        }
        lines[key - scope->keys] = line;
        key->set(document, key, value, (char *)target + key->offset);
}

void document_read(struct document *document, const yaml_node_t *mapping,
                   const struct document_scope *scope, void *target)
{
        unsigned lines[keys_max] = { 0 };

        if (mapping->type != YAML_MAPPING_NODE || scope->key_count > keys_max) {
                document_wrong(document, document_line(mapping),
                               "%s is a mapping; write lines of 'name: value'", scope->what);
                return;
        }
        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++)
                read_pair(document, scope, pair, lines, target);
        for (size_t i = 0; i < scope->key_count; i++)
                if (scope->keys[i].is_required && !lines[i])
                        document_wrong(document, document_line(mapping),
                                       "%s lacks '%s'; add it: %s", scope->what,
                                       scope->keys[i].name, scope->keys[i].wants);
}

bool document_items(struct document *document, const struct document_key *key,
                    const yaml_node_t *list, size_t count_max)
{
        if (list->type != YAML_SEQUENCE_NODE) {
                document_wrong(document, document_line(list),
                               "'%s' is a list; write %s: [ITEM, ITEM]", key->name, key->name);
                return false;
        }
        if (document_item_count(list) > count_max) {
                document_wrong(document, document_line(list),
                               "'%s' has %zu entries; at most %zu are taken", key->name,
                               document_item_count(list), count_max);
                return false;
        }
        return true;
}

size_t document_item_count(const yaml_node_t *list)
{
        return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

const yaml_node_t *document_item(struct document *document, const yaml_node_t *list, size_t index)
{
        return yaml_document_get_node(&document->yaml, list->data.sequence.items.start[index]);
}

/* ---- Setters ------------------------------------------------------------------------------ */

const char *document_value(struct document *document, const struct document_key *key,
                           const yaml_node_t *value)
{
        const char *word = document_word(value);

        if (!word)
                document_wrong(document, document_line(value), "'%s' is one word; write %s: %s",
                               key->name, key->name, key->wants);
        else if (!word[0])
                document_wrong(document, document_line(value), "'%s' has no value; write %s: %s",
                               key->name, key->name, key->wants);
        return word && word[0] ? word : NULL;
}

void document_set_word(struct document *document, const struct document_key *key,
                       const yaml_node_t *value, void *field)
{
        const struct document_word_kind *kind = key->detail;
        const char *word = document_value(document, key, value);

        if (!word)
                return;
        if (!kind->holds(word)) {
                document_wrong(document, document_line(value), "%s '%.*s' is not %s", key->name,
                               DOCUMENT_SHOWN(word), key->wants);
                return;
        }
        *(char **)field = strdup(word);
        if (!*(char **)field)
                document->error = -ENOMEM;
}

void document_set_choice(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field)
{
        const struct document_choices *choices = key->detail;
        const char *word = document_value(document, key, value);
        const char *known[document_choices_max];
        const char *nearest;

        if (!word)
                return;
        for (size_t i = 0; i < choices->count && i < document_choices_max; i++) {
                if (strcmp(choices->items[i].word, word) == 0) {
                        memcpy(field, &choices->items[i].value, sizeof(int));
                        return;
                }
                known[i] = choices->items[i].word;
        }
        nearest = option_nearest(word, known, choices->count);
        document_wrong(document, document_line(value), "unknown %s '%.*s'; %s%s%s", key->name,
                       DOCUMENT_SHOWN(word), nearest ? "did you mean " : "it is ",
                       nearest ? nearest : choices->said, nearest ? "?" : "");
}

void document_set_number(struct document *document, const struct document_key *key,
                         const yaml_node_t *value, void *field)
{
        const char *word = document_value(document, key, value);
        uint64_t number;

        if (!word)
                return;
        if (text_parse_u64(word, 0, INT64_MAX, &number))
                document_wrong(document, document_line(value),
                               "%s '%.*s' is not a whole number; write digits only, without a unit",
                               key->name, DOCUMENT_SHOWN(word));
        else
                *(uint64_t *)field = number;
}
