/* Saved settings as text. */
#include "agent/saved.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char head[] = "perseus saved settings 1\n";

static uint64_t
checksum(const char *bytes, size_t length)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static bool
is_clocks(enum perseus_setting setting)
{
	return setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS;
}

bool
perseus__saved_is_uuid(const char *uuid)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const size_t length = strspn(uuid, allowed);
	return length > 0 && length < PERSEUS_DEVICE_TEXT_BYTES && uuid[length] == '\0';
}

/* The text of one setting's value, of 42 bytes at most. */
static int
write_value(char *text, size_t size, enum perseus_setting setting, const struct perseus__found *found)
{
	if (found->is_free)
		return snprintf(text, size, "free");
	if (is_clocks(setting))
		return snprintf(text, size, "%" PRId64 " %" PRId64, found->low, found->high);
	return snprintf(text, size, "%" PRId64, found->low);
}

void
perseus__saved_encode(const struct perseus__saved *saved, char *bytes, size_t *length)
{
	/* Longest: 25 + 101 + 4 * (16 + 42) + 26, far below the maximum. */
	const size_t size = PERSEUS__SAVED_MAX_BYTES;
	size_t at = (size_t)snprintf(bytes, size, "%sgpu %.95s\n", head, saved->uuid);
	for (int setting = 0; setting < PERSEUS_N_SETTINGS; setting++) {
		if (!(saved->settings >> setting & 1))
			continue;
		const enum perseus_setting which = (enum perseus_setting)setting;
		at += (size_t)snprintf(bytes + at, size - at, "%s ", perseus_setting_name(which));
		at += (size_t)write_value(bytes + at, size - at, which, &saved->found[setting]);
		at += (size_t)snprintf(bytes + at, size - at, "\n");
	}
	const uint64_t sum = checksum(bytes, at);
	at += (size_t)snprintf(bytes + at, size - at, "checksum %016" PRIx64 "\n", sum);
	*length = at;
}

/* The rest of the text, NUL-terminated; each reader below moves on only where it finds what it looks for. */
static bool
take_word(const char **text, const char *word)
{
	const size_t length = strlen(word);
	if (strncmp(*text, word, length) != 0)
		return false;
	*text += length;
	return true;
}

/* A number of 1 to 18 digits; leading zeros are seen later, as the text is written again and compared. */
static bool
take_number(const char **text, int64_t *number)
{
	const size_t length = strspn(*text, "0123456789");
	if (length == 0 || length > 18)
		return false;
	*number = 0;
	for (size_t i = 0; i < length; i++)
		*number = *number * 10 + ((*text)[i] - '0');
	*text += length;
	return true;
}

static bool
take_value(const char **text, enum perseus_setting setting, struct perseus__found *found)
{
	if (is_clocks(setting) && take_word(text, "free")) {
		found->is_free = true;
		return true;
	}
	if (!take_number(text, &found->low))
		return false;
	found->high = found->low;
	return !is_clocks(setting)
			|| (take_word(text, " ") && take_number(text, &found->high) && found->low <= found->high);
}

static bool
take_uuid(const char **text, char uuid[PERSEUS_DEVICE_TEXT_BYTES])
{
	const size_t length = strcspn(*text, "\n");
	if (length >= PERSEUS_DEVICE_TEXT_BYTES)
		return false;
	memcpy(uuid, *text, length);
	uuid[length] = '\0';
	*text += length;
	return perseus__saved_is_uuid(uuid);
}

/* Takes all but the checksum. */
static bool
take_settings(const char **text, struct perseus__saved *saved)
{
	if (!take_word(text, head) || !take_word(text, "gpu ") || !take_uuid(text, saved->uuid) || !take_word(text, "\n"))
		return false;
	for (int setting = 0; setting < PERSEUS_N_SETTINGS; setting++) {
		if (!take_word(text, perseus_setting_name((enum perseus_setting)setting)))
			continue;
		if (!take_word(text, " ") || !take_value(text, (enum perseus_setting)setting, &saved->found[setting])
				|| !take_word(text, "\n"))
			return false;
		saved->settings |= UINT32_C(1) << setting;
	}
	return true;
}

enum perseus_status
perseus__saved_decode(const char *bytes, size_t length, struct perseus__saved *saved, struct perseus_error *err)
{
	struct perseus__saved read = {.settings = 0};
	char text[PERSEUS__SAVED_MAX_BYTES + 1];
	if (length > PERSEUS__SAVED_MAX_BYTES)
		return perseus__fail(err, PERSEUS_INVALID, "longer than %d bytes", PERSEUS__SAVED_MAX_BYTES);
	memcpy(text, bytes, length);
	text[length] = '\0';
	const char *at = text;
	if (!take_word(&at, head))
		return perseus__fail(err, PERSEUS_INVALID, "does not begin with \"%.*s\"", (int)sizeof head - 2, head);
	at = text;
	if (!take_settings(&at, &read))
		return perseus__fail(err, PERSEUS_INVALID, "no saved setting at byte %zu", (size_t)(at - text));
	/* Written again it must be the same: one text for each content, so the checksum and what follows are judged too. */
	char again[PERSEUS__SAVED_MAX_BYTES];
	size_t again_length;
	perseus__saved_encode(&read, again, &again_length);
	if (again_length != length || memcmp(again, bytes, length) != 0)
		return perseus__fail(err, PERSEUS_INVALID, "the checksum does not agree");
	*saved = read;
	return PERSEUS_OK;
}
