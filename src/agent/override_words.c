/* Words of commands, and the placeholders in them. */
#include "agent/override_internal.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { MAX_WORDS = 256, MAX_WORD_BYTES = 4096, MAX_PLACEHOLDER_BYTES = 32 };

static enum perseus_status
add_word(struct perseus__override_command *command, const struct perseus__text *word, struct perseus_error *err)
{
	if (word->failed)
		return perseus__no_memory(err);
	if (command->n_words == MAX_WORDS)
		return perseus__fail(err, PERSEUS_INVALID, "a command has more than %d words", MAX_WORDS);
	if (!perseus__reserve(&command->words, &command->cap_words, command->n_words + 1, sizeof *command->words))
		return perseus__no_memory(err);
	const char *copy = perseus__copy_string(word->bytes);
	if (!copy)
		return perseus__no_memory(err);
	command->words[command->n_words++] = copy;
	return PERSEUS_OK;
}

/* Reads the word at `*at` and goes beyond it; false where a quote is not closed. */
static bool
read_word(const char **at, struct perseus__text *word)
{
	char quote = '\0';
	for (; **at && (quote || !strchr(" \t\n", **at)); ++*at) {
		if (**at == quote)
			quote = '\0';
		else if (!quote && (**at == '"' || **at == '\''))
			quote = **at;
		else {
			/* As in a shell: a backslash stands for itself between single quotes, and in double ones before most. */
			if (**at == '\\' && (*at)[1] && (!quote || (quote == '"' && strchr("\"\\", (*at)[1]))))
				++*at;
			perseus__text_add(word, *at, 1);
		}
	}
	return !quote;
}

enum perseus_status
perseus__override_split(const char *text, struct perseus__override_command *command, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (const char *at = text + strspn(text, " \t\n"); *at && status == PERSEUS_OK; at += strspn(at, " \t\n")) {
		struct perseus__text word = perseus__text_init(MAX_WORD_BYTES);
		perseus__text_add(&word, "", 0);
		status = read_word(&at, &word)
				? add_word(command, &word, err)
				: perseus__fail(err, PERSEUS_INVALID, "a quote is not closed in the command '%s'", text);
		perseus__text_fini(&word);
	}
	if (status == PERSEUS_OK && command->n_words == 0)
		return perseus__fail(err, PERSEUS_INVALID, "a command is empty");
	return status;
}

/* The name between the braces at `at`; false where there is none, or it is none that could be a placeholder. */
static bool
read_placeholder(const char *at, char name[MAX_PLACEHOLDER_BYTES], const char **behind)
{
	const char *close = strchr(at, '}');
	if (*at != '{' || !close || close - at - 1 <= 0 || close - at - 1 >= MAX_PLACEHOLDER_BYTES)
		return false;
	memcpy(name, at + 1, (size_t)(close - at - 1));
	name[close - at - 1] = '\0';
	*behind = close + 1;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name);
}

static const char *
placeholders_of(enum perseus__override_kind kind)
{
	static const char *const placeholders[] = {
#define X(table, setting, is_reset, placeholders) placeholders,
		PERSEUS__OVERRIDE_MAP(X)
#undef X
	};
	return placeholders[kind];
}

/* Whether `name` is one of the blank-separated words of `list`. */
static bool
is_in(const char *list, const char *name)
{
	const size_t length = strlen(name);
	for (const char *found = strstr(list, name); found; found = strstr(found + 1, name))
		if ((found == list || found[-1] == ' ') && (found[length] == ' ' || found[length] == '\0'))
			return true;
	return false;
}

enum perseus_status
perseus__override_check_word(enum perseus__override_kind kind, const char *word, struct perseus_error *err)
{
	for (const char *at = strpbrk(word, "{}"); at; at = strpbrk(at, "{}")) {
		char name[MAX_PLACEHOLDER_BYTES];
		if (!read_placeholder(at, name, &at))
			return perseus__fail(err, PERSEUS_INVALID, "a brace in '%s' is part of no placeholder", word);
		if (strcmp(name, "gpu_id") != 0 && !is_in(placeholders_of(kind), name))
			return perseus__fail(err, PERSEUS_INVALID, "{%s} means nothing here: there are {gpu_id} %s", name,
					placeholders_of(kind));
	}
	return PERSEUS_OK;
}

static int64_t
value_of(const char *name, const struct perseus__override_values *values)
{
	if (strcmp(name, "gpu_id") == 0)
		return values->gpu_id;
	if (strcmp(name, "power_limit_w") == 0)
		return values->low / 1000;
	return strcmp(name, "max_clock_mhz") == 0 ? values->high : values->low;
}

char *
perseus__override_fill(const char *word, const struct perseus__override_values *values)
{
	struct perseus__text filled = perseus__text_init((size_t)2 * MAX_WORD_BYTES);
	perseus__text_add(&filled, "", 0);
	for (const char *at = word; *at;) {
		char name[MAX_PLACEHOLDER_BYTES];
		if (read_placeholder(at, name, &at))
			perseus__text_addf(&filled, "%lld", (long long)value_of(name, values));
		else
			perseus__text_add(&filled, at++, 1);
	}
	if (filled.failed)
		perseus__text_fini(&filled);
	return filled.bytes;
}
