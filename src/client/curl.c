/* HTTP requests that nobody waits for. */
#include "client/curl.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

enum { MAX_BODY = 64 << 20, MAX_EVENTS = 16 };
/* A peer that is gone without a word is noticed by these, in seconds. */
static const long keep_alive_idle_s = 5, keep_alive_interval_s = 2, connect_timeout_ms = 3000;

struct perseus__curl {
	CURLM *multi;
	int epoll;
	int64_t due_ns;
	struct perseus__call *calls; /* a handful */
};

/* curl wants other events of a socket. */
static int
watch_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *known)
{
	(void)easy;
	struct perseus__curl *link = user;
	struct epoll_event event = {.data.fd = socket};
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(link->epoll, EPOLL_CTL_DEL, socket, NULL); /* closing has removed it, perhaps */
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(link->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0
			&& epoll_ctl(link->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) != 0)
		return -1;
	(void)curl_multi_assign(link->multi, socket, link);
	return 0;
}

static int
set_timer(CURLM *multi, long timeout_ms, void *user)
{
	(void)multi;
	struct perseus__curl *link = user;
	link->due_ns = timeout_ms < 0 ? INT64_MAX : perseus__clock_mono_ns() + (int64_t)timeout_ms * PERSEUS__NS_PER_MS;
	return 0;
}

enum perseus_status
perseus__curl_new(struct perseus__curl **out, struct perseus_error *err)
{
	struct perseus__curl *link = perseus__new_array(1, sizeof *link);
	if (!link)
		return perseus__no_memory(err);
	link->due_ns = INT64_MAX;
	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	link->multi = curl_multi_init();
	if (link->epoll < 0 || !link->multi) {
		perseus__curl_free(link);
		return perseus__fail(err, PERSEUS_IO, "no descriptor, or no memory, for requests");
	}
	(void)curl_multi_setopt(link->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	(void)curl_multi_setopt(link->multi, CURLMOPT_SOCKETDATA, link);
	(void)curl_multi_setopt(link->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(link->multi, CURLMOPT_TIMERDATA, link);
	*out = link;
	return PERSEUS_OK;
}

void
perseus__curl_free(struct perseus__curl *link)
{
	if (!link)
		return;
	if (link->multi)
		(void)curl_multi_cleanup(link->multi);
	if (link->epoll >= 0)
		(void)close(link->epoll);
	perseus__free(link);
}

int
perseus__curl_fd(const struct perseus__curl *link)
{
	return link->epoll;
}

int64_t
perseus__curl_due_ns(const struct perseus__curl *link)
{
	return link->due_ns;
}

/* What curl says of requests that are over. */
static void
take_done(struct perseus__curl *link)
{
	int n_left;
	for (CURLMsg *message; (message = curl_multi_info_read(link->multi, &n_left));) {
		if (message->msg != CURLMSG_DONE)
			continue;
		const CURLcode result = message->data.result;
		struct perseus__call *call = link->calls;
		while (call && call->easy != message->easy_handle)
			call = call->next;
		if (!call)
			continue;
		call->code = 0;
		if (result == CURLE_OK)
			(void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &call->code);
		else if (call->why[0] == '\0')
			(void)snprintf(call->why, sizeof call->why, "%s", curl_easy_strerror(result));
		(void)curl_multi_remove_handle(link->multi, call->easy);
		call->state = PERSEUS__CALL_DONE;
	}
}

void
perseus__curl_run(struct perseus__curl *link)
{
	int n_running;
	struct epoll_event events[MAX_EVENTS];
	const int n = epoll_wait(link->epoll, events, MAX_EVENTS, 0);
	for (int i = 0; i < n; i++) {
		const uint32_t what = events[i].events;
		const int mask = (what & EPOLLIN ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0)
				| (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
		(void)curl_multi_socket_action(link->multi, events[i].data.fd, mask, &n_running);
	}
	if (perseus__clock_mono_ns() >= link->due_ns) {
		link->due_ns = INT64_MAX;
		(void)curl_multi_socket_action(link->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
	}
	take_done(link);
}

static curl_socket_t
open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)user;
	(void)purpose;
	/* Not for programs that training starts. */
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
take_bytes(char *bytes, size_t size, size_t n, void *user)
{
	struct perseus__call *call = user;
	perseus__text_add(&call->answer, bytes, size * n);
	return call->answer.failed ? 0 : size * n;
}

static bool
set_headers(struct perseus__call *call, const char *token)
{
	/* Nothing that curl would add by itself and wait for, as 100-continue. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct curl_slist *longer = list ? curl_slist_append(list, "Content-Type: application/json") : NULL;
	if (longer && token) {
		struct perseus__text header = perseus__text_init(MAX_BODY);
		perseus__text_addf(&header, "Authorization: Bearer %s", token);
		longer = header.failed ? NULL : curl_slist_append(longer, header.bytes);
		perseus__text_fini(&header);
	}
	if (!longer)
		curl_slist_free_all(list);
	call->headers = longer;
	return longer != NULL;
}

enum perseus_status
perseus__call_init(struct perseus__call *call, struct perseus__curl *link, const char *socket_path, const char *token,
		struct perseus_error *err)
{
	*call = (struct perseus__call){
		.link = link, .body = perseus__text_init(MAX_BODY), .answer = perseus__text_init(PERSEUS__MAX_ANSWER)};
	if (token && token[strcspn(token, "\r\n")] != '\0')
		return perseus__fail(err, PERSEUS_INVALID, "token: expected one line");
	call->easy = curl_easy_init();
	if (!call->easy || !set_headers(call, token)) {
		perseus__call_fini(call);
		return perseus__no_memory(err);
	}
	call->next = link->calls;
	link->calls = call;
	CURLcode result = CURLE_OK;
	const CURLcode results[] = {
		curl_easy_setopt(call->easy, CURLOPT_NOSIGNAL, 1L),
		curl_easy_setopt(call->easy, CURLOPT_NOPROXY, socket_path ? "*" : NULL),
#if LIBCURL_VERSION_NUM >= 0x075500
		curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS_STR, "http,https"),
#else
		curl_easy_setopt(call->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)),
#endif
		curl_easy_setopt(call->easy, CURLOPT_UNIX_SOCKET_PATH, socket_path),
		curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket),
		curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, (struct curl_slist *)call->headers),
		curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, take_bytes),
		curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call),
		curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->why),
		curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms),
		curl_easy_setopt(call->easy, CURLOPT_TCP_KEEPALIVE, 1L),
		curl_easy_setopt(call->easy, CURLOPT_TCP_KEEPIDLE, keep_alive_idle_s),
		curl_easy_setopt(call->easy, CURLOPT_TCP_KEEPINTVL, keep_alive_interval_s),
	};
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		result = result == CURLE_OK ? results[i] : result;
	if (result != CURLE_OK) {
		perseus__call_fini(call);
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "libcurl: %s", curl_easy_strerror(result));
	}
	return PERSEUS_OK;
}

static void
leave(struct perseus__call *call)
{
	struct perseus__call **at = call->link ? &call->link->calls : NULL;
	while (at && *at && *at != call)
		at = &(*at)->next;
	if (at && *at)
		*at = call->next;
}

void
perseus__call_fini(struct perseus__call *call)
{
	leave(call);
	perseus__call_cancel(call);
	if (call->easy)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	perseus__text_fini(&call->body);
	perseus__text_fini(&call->answer);
	*call = (struct perseus__call){.link = NULL};
}

static CURLcode
prepare(struct perseus__call *call, const struct perseus__request *request)
{
	const bool has_body = request->has_body;
	CURLcode result = curl_easy_setopt(call->easy, CURLOPT_URL, request->url);
	if (result == CURLE_OK)
		result = curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)(request->timeout_ns / PERSEUS__NS_PER_MS));
	if (result == CURLE_OK && strcmp(request->method, "GET") == 0) {
		result = curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, NULL);
		return result == CURLE_OK ? curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L) : result;
	}
	if (result == CURLE_OK)
		result = curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, has_body ? call->body.bytes : "");
	if (result == CURLE_OK)
		result = curl_easy_setopt(
				call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? call->body.length : 0));
	if (result == CURLE_OK)
		result = curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method);
	return result;
}

void
perseus__call_send(struct perseus__call *call, const struct perseus__request *request)
{
	perseus__text_fini(&call->answer);
	call->answer = perseus__text_init(PERSEUS__MAX_ANSWER);
	call->code = 0;
	call->why[0] = '\0';
	const CURLcode result = call->body.failed ? CURLE_OUT_OF_MEMORY : prepare(call, request);
	if (result != CURLE_OK || curl_multi_add_handle(call->link->multi, call->easy) != CURLM_OK) {
		(void)snprintf(call->why, sizeof call->why, "%s", curl_easy_strerror(result ? result : CURLE_FAILED_INIT));
		call->state = PERSEUS__CALL_DONE;
		return;
	}
	call->state = PERSEUS__CALL_UNDER_WAY;
	/* Now, and not after the next wait: a clock is wanted at once. */
	int n_running;
	(void)curl_multi_socket_action(call->link->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
}

void
perseus__call_cancel(struct perseus__call *call)
{
	if (call->state == PERSEUS__CALL_UNDER_WAY)
		(void)curl_multi_remove_handle(call->link->multi, call->easy);
	call->state = PERSEUS__CALL_IDLE;
}

bool
perseus__call_take(struct perseus__call *call)
{
	if (call->state != PERSEUS__CALL_DONE)
		return false;
	call->state = PERSEUS__CALL_IDLE;
	return true;
}
