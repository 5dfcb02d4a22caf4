/* What is to be done for Zeus's clients. */
#include "server/zeus_settings.h"

#include "base/error.h"
#include "base/memory.h"
#include "server/zeus_lax.h"

#include <string.h>

static const char prefix[] = "ZEUS_PFO_";

enum { PREFIX_LENGTH = sizeof prefix - 1, WEEK_S = 7 * 24 * 3600, MAX_NAME_BYTES = 64 };

/* So that nanoseconds fit 63 bits. */
static const int64_t MAX_IDLE_S = 9000000000;

enum perseus_status
perseus__zeus_settings_text(char **text, const char *value, struct perseus_error *err)
{
	char *copy = perseus__copy_string(value);
	if (!copy)
		return perseus__no_memory(err);
	perseus__free(*text);
	*text = copy;
	return PERSEUS_OK;
}

enum perseus_status
perseus__zeus_settings_init(struct perseus__zeus_settings *settings, struct perseus_error *err)
{
	struct perseus__zeus_settings made = {
		.scheduler = PERSEUS__ZEUS_POINT_SOLUTION, .has_dumps = true, .max_idle_s = WEEK_S};
	const enum perseus_status status = perseus__zeus_settings_text(&made.dump_dir, "./dump", err);
	if (status == PERSEUS_OK)
		*settings = made;
	return status;
}

void
perseus__zeus_settings_fini(struct perseus__zeus_settings *settings)
{
	perseus__free(settings->solution_path);
	perseus__free(settings->dump_dir);
	perseus__free(settings->log_level);
	*settings = (struct perseus__zeus_settings){0};
}

static enum perseus_status
set_scheduler(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
#define X(name, text)                               \
	if (strcmp(value, text) == 0) {                 \
		settings->scheduler = PERSEUS__ZEUS_##name; \
		return PERSEUS_OK;                          \
	}
	PERSEUS__ZEUS_SCHEDULER_MAP(X)
#undef X
	return perseus__fail(
			err, PERSEUS_INVALID, "ZEUS_PFO_SCHEDULER: expected PointSolution or PointSolution3D, not \"%s\"", value);
}

static enum perseus_status
read_arguments(struct perseus__zeus_settings *settings, json_t *arguments, struct perseus_error *err)
{
	static const char name[] = "ZEUS_PFO_SCHEDULER_ARGS";
	const char *key;
	const json_t *value;
	if (!json_is_object(arguments))
		return perseus__fail(err, PERSEUS_INVALID, "%s: expected a JSON object", name);
	json_object_foreach(arguments, key, value)
	{
		if (strcmp(key, "solution_path") != 0)
			return perseus__fail(err, PERSEUS_INVALID, "%s: the schedulers take no argument \"%s\"", name, key);
	}
	const char *path = json_string_value(json_object_get(arguments, "solution_path"));
	if (!path || !*path)
		return perseus__fail(err, PERSEUS_INVALID, "%s: expected {\"solution_path\": \"FILE.py\"}", name);
	return perseus__zeus_settings_text(&settings->solution_path, path, err);
}

static enum perseus_status
set_arguments(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
	struct perseus__lax_error error;
	json_t *arguments = perseus__lax_parse(value, strlen(value), &error);
	if (!arguments && error.is_memory)
		return perseus__no_memory(err);
	if (!arguments)
		return perseus__fail(
				err, PERSEUS_INVALID, "ZEUS_PFO_SCHEDULER_ARGS: column %d: %s", error.column, error.message);
	const enum perseus_status status = read_arguments(settings, arguments, err);
	json_decref(arguments);
	return status;
}

static enum perseus_status
set_has_dumps(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
	static const char *const words[2][6] = {
		{"0", "off", "f", "false", "n", "no"}, {"1", "on", "t", "true", "y", "yes"}};
	for (int truth = 0; truth < 2; truth++) {
		for (size_t i = 0; i < sizeof words[0] / sizeof words[0][0]; i++) {
			if (strcasecmp(value, words[truth][i]) == 0) {
				settings->has_dumps = truth == 1;
				return PERSEUS_OK;
			}
		}
	}
	return perseus__fail(err, PERSEUS_INVALID, "ZEUS_PFO_DUMP_DATA: expected true or false, not \"%s\"", value);
}

static enum perseus_status
set_max_idle(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
	int64_t seconds;
	if (!perseus__lax_integer_text(value, &seconds) || seconds < 0)
		return perseus__fail(
				err, PERSEUS_INVALID, "ZEUS_PFO_MAX_JOB_IDLE_TIME: expected a number of seconds, not \"%s\"", value);
	settings->max_idle_s = seconds < MAX_IDLE_S ? seconds : MAX_IDLE_S;
	return PERSEUS_OK;
}

static enum perseus_status
set_dump_dir(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
	return perseus__zeus_settings_text(&settings->dump_dir, *value ? value : ".", err);
}

static enum perseus_status
set_log_level(struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err)
{
	return perseus__zeus_settings_text(&settings->log_level, value, err);
}

enum perseus_status
perseus__zeus_settings_set(
		struct perseus__zeus_settings *settings, const char *name, const char *value, struct perseus_error *err)
{
	static const struct {
		const char *name;
		enum perseus_status (*set)(
				struct perseus__zeus_settings *settings, const char *value, struct perseus_error *err);
	} setters[] = {
		{"SCHEDULER", set_scheduler},
		{"SCHEDULER_ARGS", set_arguments},
		{"LOG_LEVEL", set_log_level},
		{"DUMP_DATA", set_has_dumps},
		{"DUMP_DIR", set_dump_dir},
		{"MAX_JOB_IDLE_TIME", set_max_idle},
	};
	for (size_t i = 0; i < sizeof setters / sizeof *setters; i++)
		if (strcasecmp(name, setters[i].name) == 0)
			return setters[i].set(settings, value, err);
	return PERSEUS_OK;
}

enum perseus_status
perseus__zeus_settings_read(
		struct perseus__zeus_settings *settings, char *const *environment, struct perseus_error *err)
{
	for (; *environment; environment++) {
		char name[MAX_NAME_BYTES];
		const char *equals = strchr(*environment, '=');
		if (!equals || strncasecmp(*environment, prefix, PREFIX_LENGTH) != 0)
			continue;
		const size_t length = (size_t)(equals - *environment) - PREFIX_LENGTH;
		if (length >= sizeof name)
			continue;
		memcpy(name, *environment + PREFIX_LENGTH, length);
		name[length] = '\0';
		const enum perseus_status status = perseus__zeus_settings_set(settings, name, equals + 1, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}
