/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exists so that libyaml's events are words to who writes a file, and an error of one of them stops
 * the rest.
 */
#include "cli/sheet.h"
#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* event_is_there: what its initialiser said. The emitter takes the event, whatever comes of it. */
static void emit(struct sheet *sheet, int event_is_there, yaml_event_t *event)
{
        if (sheet->is_broken && event_is_there)
                yaml_event_delete(event);
        else
                sheet->is_broken |= !event_is_there || !yaml_emitter_emit(&sheet->emitter, event);
}

static void scalar(struct sheet *sheet, const char *value, yaml_scalar_style_t style)
{
        yaml_event_t event;

        emit(sheet,
             yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)value,
                                          (int)strlen(value), 1, 1, style),
             &event);
}

void sheet_word(struct sheet *sheet, const char *word)
{
        scalar(sheet, word, YAML_ANY_SCALAR_STYLE);
}

void sheet_pair(struct sheet *sheet, const char *name, const char *word)
{
        sheet_word(sheet, name);
        sheet_word(sheet, word);
}

void sheet_name(struct sheet *sheet, const char *name, const char *foreign)
{
        sheet_word(sheet, name);
        scalar(sheet, foreign, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void sheet_seconds(struct sheet *sheet, const char *name, uint32_t seconds)
{
        char value[16];

        (void)snprintf(value, sizeof(value), "%" PRIu32 "s", seconds); /* fits */
        sheet_pair(sheet, name, value);
}

void sheet_quoted(struct sheet *sheet, const struct text *text)
{
        sheet->is_broken |= text->error != 0;
        scalar(sheet, text_view(text), YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

void sheet_text(struct sheet *sheet, const char *name, const struct text *text)
{
        if (!text->length)
                return;
        sheet_word(sheet, name);
        sheet_quoted(sheet, text);
}

void sheet_begin_mapping(struct sheet *sheet)
{
        yaml_event_t event;

        emit(sheet,
             yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE),
             &event);
}

void sheet_end_mapping(struct sheet *sheet)
{
        yaml_event_t event;

        emit(sheet, yaml_mapping_end_event_initialize(&event), &event);
}

void sheet_begin_list(struct sheet *sheet)
{
        yaml_event_t event;

        emit(sheet,
             yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE),
             &event);
}

void sheet_end_list(struct sheet *sheet)
{
        yaml_event_t event;

        emit(sheet, yaml_sequence_end_event_initialize(&event), &event);
}

int sheet_begin(struct sheet *sheet, uint32_t scrape_s)
{
        yaml_event_t event;

        *sheet = (struct sheet){ .scrape_s = scrape_s };
        if (!yaml_emitter_initialize(&sheet->emitter))
                return -ENOMEM;
        yaml_emitter_set_output_file(&sheet->emitter, stdout);
        yaml_emitter_set_unicode(&sheet->emitter, 1);
        yaml_emitter_set_width(&sheet->emitter, -1); /* an expression is one line */
        emit(sheet, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), &event);
        emit(sheet, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), &event);
        sheet_begin_mapping(sheet);
        return 0;
}

int sheet_end(struct sheet *sheet)
{
        yaml_event_t event;

        sheet_end_mapping(sheet);
        emit(sheet, yaml_document_end_event_initialize(&event, 1), &event);
        emit(sheet, yaml_stream_end_event_initialize(&event), &event);
        yaml_emitter_delete(&sheet->emitter);
        if (sheet->is_broken)
                return ferror(stdout) ? error_last() : -ENOMEM;
        return 0;
}
