/* The client: what training calls, and how it comes to be and goes. */
#include <perseus/client.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "client/settings.h"
#include "client/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

static const char default_devices[] = "nvml";
/* The thread needs some three seconds at most, unless a driver holds it up: it is left alone then. */
enum { JOIN_S = 5 };

struct perseus_client {
	/* What training touches. */
	struct perseus__ring *ring;
	struct perseus__cuda *cuda;
	void *stream;
	int32_t n_steps;
	/* The rest. */
	pid_t process;
	bool has_curl;
	bool has_thread;
	pthread_t thread;
	struct perseus__worker *worker;
};

/* What training calls. */

static void
tell(struct perseus_client *client, enum perseus__event_what what, enum perseus_kind kind, int32_t stage,
		int32_t microbatch)
{
	struct perseus__event event = {
		.stage = stage, .microbatch = microbatch, .mark = -1, .what = (uint8_t)what, .kind = (uint8_t)kind};
	if (client->cuda) {
		event.at_ns = perseus__clock_mono_ns();
		event.mark = perseus__cuda_record(client->cuda, client->stream);
	} else {
		event.at_ns = perseus__clock_mono_ns();
	}
	(void)perseus__ring_push(client->ring, &event);
}

static bool
is_live(const struct perseus_client *client)
{
	return client && perseus__ring_is_live(client->ring);
}

void
perseus_client_step_begin(struct perseus_client *client)
{
	if (is_live(client))
		tell(client, PERSEUS__EVENT_STEP_BEGIN, PERSEUS_KIND_OTHER, client->n_steps++, -1);
}

void
perseus_client_begin(struct perseus_client *client, enum perseus_kind kind, int32_t stage, int32_t microbatch)
{
	if (is_live(client))
		tell(client, PERSEUS__EVENT_BEGIN, kind, stage, microbatch);
}

void
perseus_client_end(struct perseus_client *client)
{
	if (is_live(client))
		tell(client, PERSEUS__EVENT_END, PERSEUS_KIND_OTHER, 0, -1);
}

void
perseus_client_step_end(struct perseus_client *client)
{
	if (is_live(client))
		tell(client, PERSEUS__EVENT_STEP_END, PERSEUS_KIND_OTHER, 0, -1);
}

void
perseus_client_set_stream(struct perseus_client *client, void *stream)
{
	if (is_live(client))
		client->stream = stream;
}

/* The GPU. */

/* Device number of the GPU that is number `gpu` among the node's; -1 where there are fewer. */
static int32_t
find_gpu(const struct perseus_node *node, int32_t gpu)
{
	for (int32_t i = 0; i < perseus_node_n_devices(node); i++)
		if (perseus_node_device(node, i)->kind == PERSEUS_DEVICE_GPU && gpu-- == 0)
			return i;
	return -1;
}

/* Opens a node that has the one GPU and nothing else, so that no other is looked at. */
static enum perseus_status
open_gpu(const struct perseus_client_settings *settings, struct perseus_node **out, struct perseus_error *err)
{
	const char *devices = settings->devices ? settings->devices : default_devices;
	struct perseus_node_settings node_settings = {.visible_gpus = settings->visible_gpus};
	struct perseus_node *node = NULL;
	enum perseus_status status = perseus_node_open(devices, &node_settings, &node, err);
	if (status != PERSEUS_OK)
		return status;
	const int32_t device = find_gpu(node, settings->gpu);
	char uuid[PERSEUS_DEVICE_TEXT_BYTES] = "";
	if (device >= 0)
		(void)snprintf(uuid, sizeof uuid, "%s", perseus_node_device(node, device)->uuid);
	else
		status = perseus__fail(err, PERSEUS_UNSUPPORTED, "'%s' has no GPU %d", devices, (int)settings->gpu);
	perseus_node_close(node);
	if (status != PERSEUS_OK)
		return status;
	node_settings.visible_gpus = uuid;
	status = perseus_node_open(devices, &node_settings, &node, err);
	if (status != PERSEUS_OK)
		return status;
	if (find_gpu(node, 0) != 0) {
		perseus_node_close(node);
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "'%s': GPU %s is gone", devices, uuid);
	}
	*out = node;
	return PERSEUS_OK;
}

/* A GPU that is not there is no error; a spec that nobody can read is one. */
static enum perseus_status
look_for_gpu(struct perseus__worker *worker, const struct perseus_client_settings *settings, struct perseus_error *err)
{
	worker->gpu = settings->gpu;
	if (settings->control == PERSEUS_CONTROL_NONE)
		return PERSEUS_OK;
	struct perseus_error why;
	const enum perseus_status status = open_gpu(settings, &worker->node, &why);
	if (status == PERSEUS_INVALID || status == PERSEUS_NO_MEMORY)
		return perseus__fail(err, status, "devices: %s", why.message);
	if (status != PERSEUS_OK) {
		perseus__say(&worker->speaker, "no energy is measured: %s", why.message);
		return PERSEUS_OK;
	}
	worker->gpu = perseus_node_device(worker->node, 0)->index;
	if (perseus_device_clocks(worker->node, 0, PERSEUS_SETTING_SM_CLOCKS, worker->clocks_mhz, &worker->n_clocks, NULL)
			!= PERSEUS_OK)
		worker->n_clocks = 0;
	return PERSEUS_OK;
}

/* Coming and going. */

static void
free_worker(struct perseus__worker *worker)
{
	if (!worker)
		return;
	if (worker->has_session)
		perseus__session_fini(&worker->session);
	perseus__control_fini(&worker->control);
	perseus__curl_free(worker->link);
	for (int32_t i = 0; i < worker->n_waiting; i++)
		perseus__class_times_fini(&worker->waiting[i].report.classes);
	perseus__class_times_fini(&worker->now.report.classes);
	perseus__timeline_fini(&worker->timeline);
	perseus__follow_fini(&worker->follow);
	perseus__free(worker->step_clocks);
	perseus_node_close(worker->node);
	perseus__cuda_free(worker->cuda);
	perseus__ring_free(worker->ring);
	if (worker->wake >= 0)
		(void)close(worker->wake);
	perseus__settings_fini(&worker->settings);
	(void)pthread_mutex_destroy(&worker->mutex);
	perseus__free(worker);
}

static void
free_client(struct perseus_client *client)
{
	free_worker(client->worker);
	if (client->has_curl)
		curl_global_cleanup();
	perseus__free(client);
}

static enum perseus_status
init_parts(struct perseus__worker *worker, const struct perseus_client_settings *settings, struct perseus_error *err)
{
	enum perseus_status status = perseus__order_read(&worker->follow.order, settings->order, settings->n_order, err);
	if (status == PERSEUS_OK)
		status = perseus__ring_new(&worker->ring, err);
	if (status == PERSEUS_OK)
		status = perseus__timeline_init(&worker->timeline, err);
	if (status == PERSEUS_OK)
		status = look_for_gpu(worker, settings, err);
	if (status == PERSEUS_OK)
		status = perseus__curl_new(&worker->link, err);
	if (status != PERSEUS_OK)
		return status;
	worker->energy = perseus__energy_init(worker->node, 0);
	const struct perseus__control_settings control = {.wanted = settings->control,
		.node = worker->node,
		.gpu = worker->gpu,
		.agent_socket = worker->settings.agent_socket,
		.link = worker->link,
		.timeline = &worker->timeline,
		.speaker = &worker->speaker};
	status = perseus__control_init(&worker->control, &control, err);
	if (status != PERSEUS_OK || !worker->settings.server_url)
		return status;
	status = perseus__session_init(&worker->session, &worker->settings, worker->link, &worker->speaker, err);
	worker->has_session = status == PERSEUS_OK;
	return status;
}

/* CUDA that is not there is told, and times are then not reported: those of the caller are not the GPU's. */
static enum perseus_status
init_cuda(struct perseus__worker *worker, struct perseus_error *err)
{
	struct perseus_error why;
	if (!worker->settings.has_cuda)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__cuda_new(&worker->cuda, &why);
	if (status == PERSEUS_NO_MEMORY)
		return perseus__no_memory(err);
	if (status != PERSEUS_OK)
		return perseus__fail(err, status, "has_cuda: %s", why.message);
	return PERSEUS_OK;
}

static enum perseus_status
new_worker(const struct perseus_client_settings *settings, struct perseus__worker **out, struct perseus_error *err)
{
	struct perseus__worker *worker = perseus__new_array(1, sizeof *worker);
	if (!worker)
		return perseus__no_memory(err);
	(void)pthread_mutex_init(&worker->mutex, NULL); /* cannot fail on Linux */
	worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	worker->speaker = (struct perseus__speaker){.log = settings->log, .user = settings->user};
	worker->follow = perseus__follow_init();
	worker->step = worker->revision = -1;
	worker->early_ns = INT64_MAX;
	worker->info = (struct perseus_client_info){.revision = -1};
	enum perseus_status status =
			perseus__settings_copy(&worker->settings, settings) ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK && worker->wake < 0)
		status = perseus__fail(err, PERSEUS_IO, "no descriptor to wake the client's thread by");
	if (status == PERSEUS_OK)
		status = init_cuda(worker, err);
	if (status == PERSEUS_OK)
		status = init_parts(worker, settings, err);
	if (status != PERSEUS_OK) {
		free_worker(worker);
		return status;
	}
	*out = worker;
	return PERSEUS_OK;
}

static void *
run(void *user)
{
	perseus__worker_run(user);
	return NULL;
}

/* Signals are the program's: the thread takes none. */
static enum perseus_status
start_thread(struct perseus_client *client, struct perseus_error *err)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failure = pthread_create(&client->thread, NULL, run, client->worker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure)
		return perseus__fail(err, PERSEUS_IO, "no thread for the client: error %d", failure);
	client->has_thread = true;
	return PERSEUS_OK;
}

enum perseus_status
perseus_client_open(
		const struct perseus_client_settings *settings, struct perseus_client **out, struct perseus_error *err)
{
	enum perseus_status status = perseus__settings_check(settings, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_client *client = perseus__new_array(1, sizeof *client);
	if (!client)
		return perseus__no_memory(err);
	client->process = getpid();
	client->has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	status = client->has_curl ? new_worker(settings, &client->worker, err)
							  : perseus__fail(err, PERSEUS_IO, "libcurl cannot be initialized");
	if (status == PERSEUS_OK) {
		client->ring = client->worker->ring;
		client->cuda = client->worker->cuda;
		status = start_thread(client, err);
	}
	if (status != PERSEUS_OK) {
		free_client(client);
		return status;
	}
	*out = client;
	return PERSEUS_OK;
}

void
perseus_client_info(struct perseus_client *client, struct perseus_client_info *info)
{
	(void)pthread_mutex_lock(&client->worker->mutex);
	*info = client->worker->info;
	(void)pthread_mutex_unlock(&client->worker->mutex);
}

/* False where the thread does not end, as a driver does not answer it. */
static bool
join(struct perseus_client *client)
{
	if (!client->has_thread)
		return true;
	atomic_store_explicit(&client->worker->must_stop, true, memory_order_release);
	(void)!eventfd_write(client->worker->wake, 1); /* where it fails the thread sees the flag in some ms */
	struct timespec end;
	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += JOIN_S;
	return pthread_timedjoin_np(client->thread, NULL, &end) == 0;
}

void
perseus_client_close(struct perseus_client *client)
{
	if (!client || client->process != getpid())
		return;
	if (join(client))
		free_client(client);
	else
		(void)pthread_detach(client->thread); /* it has all that it uses, for as long as it lives */
}
