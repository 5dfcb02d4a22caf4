/* Responses. */
#include "service/http.h"

#include "base/clock.h"
#include "base/memory.h"

#include <perseus/version.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct perseus__text *
begin(struct perseus__exchange *exchange, int code, enum perseus__content content)
{
	perseus__response_fini(&exchange->response);
	exchange->response.code = code;
	exchange->response.content = content;
	return &exchange->response.body;
}

void
perseus__respond(struct perseus__exchange *exchange, int code)
{
	(void)begin(exchange, code, PERSEUS__CONTENT_NONE);
}

void
perseus__respond_text(struct perseus__exchange *exchange, int code, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* a longer message is cut */
	va_end(args);
	perseus__text_addf(begin(exchange, code, PERSEUS__CONTENT_TEXT), "%s", text);
}

void
perseus__respond_error(struct perseus__exchange *exchange, int code, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* a longer message is cut */
	va_end(args);
	struct perseus__json json = perseus__respond_json(exchange, code);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "error", text);
	perseus__json_close_object(&json);
}

void
perseus__respond_unavailable(struct perseus__exchange *exchange, const char *message)
{
	perseus__respond_error(exchange, 503, "%s", message);
	exchange->response.asks_to_retry = true;
}

bool
perseus__exchange_check_token(struct perseus__exchange *exchange, struct perseus__signing_key key,
		const char *const *scopes, const char *missing, char message[PERSEUS__TOKEN_MESSAGE_BYTES])
{
	static const char scheme[] = "Bearer ";
	const char *header = exchange->request.authorization;
	struct perseus_error err;
	if (!header || strncmp(header, scheme, sizeof scheme - 1) != 0) {
		(void)snprintf(message, PERSEUS__TOKEN_MESSAGE_BYTES, "%s", missing);
		return false;
	}
	const enum perseus_status status = perseus__jwt_verify(
			header + sizeof scheme - 1, key, scopes, perseus__clock_wall_ms() / 1000, &exchange->token, &err);
	if (status == PERSEUS_OK)
		return true;
	/* DENIED is a good token that has expired, and says so. */
	(void)snprintf(message, PERSEUS__TOKEN_MESSAGE_BYTES, "%s%s",
			status == PERSEUS_DENIED ? "" : "Invalid token: ", err.message);
	return false;
}

void
perseus__respond_version(struct perseus__exchange *exchange)
{
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "name", "perseus");
	perseus__json_string(&json, "version", perseus_version());
	perseus__json_close_object(&json);
}

struct perseus__text *
perseus__respond_other(struct perseus__exchange *exchange, int code, const char *content_type)
{
	struct perseus__text *text = begin(exchange, code, PERSEUS__CONTENT_OTHER);
	exchange->response.content_type = content_type;
	return text;
}

void
perseus__respond_stream(struct perseus__exchange *exchange, struct perseus__stream *stream)
{
	(void)begin(exchange, 200, PERSEUS__CONTENT_EVENTS);
	exchange->response.stream = stream;
}

struct perseus__json
perseus__respond_json(struct perseus__exchange *exchange, int code)
{
	return perseus__json_init(begin(exchange, code, PERSEUS__CONTENT_JSON));
}

void
perseus__response_fini(struct perseus__response *response)
{
	perseus__text_fini(&response->body);
	perseus__stream_free(response->stream);
	perseus__free(response->allow);
	perseus__free(response->location);
	*response = (struct perseus__response){.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES)};
}

int
perseus__http_code(enum perseus_status status)
{
	switch (status) {
	case PERSEUS_OK:
		return 200;
	case PERSEUS_INVALID:
	case PERSEUS_UNSUPPORTED:
		return 400;
	case PERSEUS_DENIED:
		return 403;
	case PERSEUS_BUSY:
		return 409;
	case PERSEUS_CANCELLED:
		return 503;
	case PERSEUS_INFEASIBLE:
	case PERSEUS_IO:
	case PERSEUS_NO_MEMORY:
	case PERSEUS_INTERNAL:
		return 500;
	}
	return 500;
}

const char *
perseus__method_name(enum perseus__method method)
{
	switch (method) {
	case PERSEUS__METHOD_GET:
		return "GET";
	case PERSEUS__METHOD_POST:
		return "POST";
	case PERSEUS__METHOD_PUT:
		return "PUT";
	case PERSEUS__METHOD_DELETE:
		return "DELETE";
	case PERSEUS__METHOD_OTHER:
		break;
	}
	return "other";
}
