/* search_print - ranks count from 1 for people, and from 0, as in the contract, in JSON. */
#include "service/cli/search_print.h"

#include "service/cli/base64.h"
#include "service/cli/jsonl.h"
#include "service/cli/screen.h"
#include "service/cli/words.h"

#include <stdio.h>

#define ID_COLUMNS 40
#define TITLE_COLUMNS 80

void search_print_init(struct search_print *print, bool json, bool text)
{
	*print = (struct search_print){
		.json = json,
		.text = text,
		.colours = !json && screen_colours(stdout),
	};
}

void search_print_finish(struct search_print *print)
{
	buffer_finish(&print->line);
}

static void say(struct buffer *line, const char *text)
{
	buffer_append(line, text, strlen(text));
}

static void say_number(struct buffer *line, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	say(line, text);
}

static status line_print(struct buffer *line)
{
	if (line->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
	if (fwrite(line->data, 1, line->size, stdout) != line->size)
		return status_make(STATUS_UNAVAILABLE, "cannot write to standard output");
	return status_ok();
}

/* The title where the chunk has one, else its text: the first line of it is shown. */
static const char *title_of(const Sluice__V1__Chunk *chunk)
{
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const Sluice__V1__MetadataValue *value = chunk->metadata[i]->value;

		if (strcmp(chunk->metadata[i]->key, "title") == 0 && value &&
		    value->kind_case == SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE &&
		    value->string_value[0])
			return value->string_value;
	}
	return chunk->text;
}

/* Where it stands to the hit: how many ordinals before or after it. */
static void neighbor_human(struct search_print *print, const Sluice__V1__Chunk *hit,
			   const Sluice__V1__Chunk *neighbor)
{
	struct buffer *line = &print->line;
	char head[32];

	snprintf(head, sizeof head, "      %+9lld  ",
		 (long long)neighbor->ordinal - (long long)hit->ordinal);
	say(line, head);
	screen_line(line, neighbor->id, ID_COLUMNS);
	say(line, "  ");
	screen_line(line, title_of(neighbor), TITLE_COLUMNS);
	say(line, "\n");
	if (print->text)
		screen_block(line, neighbor->text, "      ");
}

static void hit_human(struct search_print *print, const Sluice__V1__Hit *hit)
{
	struct buffer *line = &print->line;
	char head[64];

	snprintf(head, sizeof head, "%4llu  %s%9.6f%s  ", (unsigned long long)hit->rank + 1,
		 print->colours ? "\033[1m" : "", (double)hit->score,
		 print->colours ? "\033[0m" : "");
	say(line, head);
	screen_line(line, hit->chunk->id, ID_COLUMNS);
	say(line, print->colours ? "  \033[36m" : "  ");
	screen_line(line, title_of(hit->chunk), TITLE_COLUMNS);
	say(line, print->colours ? "\033[0m\n" : "\n");
	if (print->text)
		screen_block(line, hit->chunk->text, "      ");
	for (size_t i = 0; i < hit->n_neighbors; i++)
		neighbor_human(print, hit->chunk, hit->neighbors[i]);
}

static void hit_json(struct buffer *line, const Sluice__V1__Hit *hit)
{
	bool first = true;

	say(line, "{");
	json_write_member(line, &first, "rank");
	say_number(line, hit->rank);
	json_write_member(line, &first, "score");
	json_write_float(line, hit->score);
	if (hit->chunk->id[0])
		say(line, ", ");
	jsonl_write_members(line, hit->chunk);
	if (hit->n_neighbors > 0) {
		json_write_member(line, &first, "neighbors");
		for (size_t i = 0; i < hit->n_neighbors; i++) {
			say(line, i ? ", {" : "[{");
			jsonl_write_members(line, hit->neighbors[i]);
			say(line, "}");
		}
		say(line, "]");
	}
	say(line, "}\n");
}

status search_print_hit(struct search_print *print, const Sluice__V1__Hit *hit)
{
	if (!hit->chunk)
		return status_make(STATUS_INTERNAL, "the server sent a hit without its chunk");
	print->line.size = 0;
	if (print->json)
		hit_json(&print->line, hit);
	else
		hit_human(print, hit);
	return line_print(&print->line);
}

static double milliseconds(const Google__Protobuf__Duration *duration)
{
	return duration ? (double)duration->seconds * 1e3 + duration->nanos * 1e-6 : 0;
}

static void summary_json(struct buffer *line, const Sluice__V1__Summary *summary)
{
	const struct {
		const char *name;
		uint64_t number;
	} numbers[] = {
		{"returned", summary->returned},     {"tokens", summary->tokens},
		{"text_bytes", summary->text_bytes}, {"scanned", summary->scanned},
		{"reranked", summary->reranked},     {"generation", summary->generation},
		{"skipped", summary->skipped},
	};
	bool first = true;

	say(line, "{\"summary\": {");
	json_write_member(line, &first, "stop_reason");
	json_write_string(line, stop_word(summary->stop_reason));
	json_write_member(line, &first, "guarantee");
	json_write_string(line, guarantee_word(summary->guarantee));
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		json_write_member(line, &first, numbers[i].name);
		say_number(line, numbers[i].number);
	}
	json_write_member(line, &first, "backend");
	json_write_string(line, summary->backend);
	json_write_member(line, &first, "elapsed_ms");
	json_write_double(line, milliseconds(summary->elapsed));
	if (summary->resume_token.len > 0) {
		json_write_member(line, &first, "resume_token");
		say(line, "\"");
		base64_append(line,
			      bytes_of(summary->resume_token.data, summary->resume_token.len));
		say(line, "\"");
	}
	say(line, "}}\n");
}

static void summary_human(struct buffer *line, const Sluice__V1__Summary *summary)
{
	char time[48];

	say(line, count_format(summary->returned).text);
	say(line, summary->returned == 1 ? " hit, " : " hits, ");
	say(line, guarantee_word(summary->guarantee));
	say(line, ", ended by ");
	say(line, stop_word(summary->stop_reason));
	say(line, "; ");
	say(line, count_format(summary->scanned).text);
	say(line, " rows scanned, ");
	say(line, count_format(summary->reranked).text);
	snprintf(time, sizeof time, " scored exactly in %.2f ms on ",
		 milliseconds(summary->elapsed));
	say(line, time);
	screen_line(line, summary->backend, TITLE_COLUMNS);
	say(line, "\n");
}

status search_print_summary(struct search_print *print, const Sluice__V1__Summary *summary)
{
	print->line.size = 0;
	if (print->json)
		summary_json(&print->line, summary);
	else
		summary_human(&print->line, summary);
	return line_print(&print->line);
}
