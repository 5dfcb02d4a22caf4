/* Streams of events. */
#include "server/handlers.h"
#include "server/jobs.h"

static void
subscribe(struct perseus__api *api, struct perseus__exchange *exchange, const char *job)
{
	struct perseus_error err;
	struct perseus__stream *stream = NULL;
	if (perseus__events_subscribe(api->events, job, exchange->request.last_event_id, &stream, &err) == PERSEUS_OK)
		perseus__respond_stream(exchange, stream);
	else
		perseus__respond_unavailable(exchange, err.message);
}

void
perseus__serve_events(struct perseus__api *api, struct perseus__exchange *exchange)
{
	subscribe(api, exchange, NULL);
}

void
perseus__serve_job_events(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const char *job = perseus__ask_of(exchange)->path.values[0];
	if (api->settings.jobs && perseus__jobs_has(api->settings.jobs, job))
		subscribe(api, exchange, job);
	else
		perseus__respond_error(exchange, 404, "There is no job %s.", job);
}
