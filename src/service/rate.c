/* How often each identity may do something. */
#include "service/rate.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { N_BUCKETS = 256 };

static const int64_t SECOND_NS = 1000000000;

struct bucket {
	char identity[PERSEUS__IDENTITY_BYTES]; /* "": free */
	int64_t credit_ns;                      /* one costs SECOND_NS / per_s */
	int64_t at_ns;                          /* when `credit_ns` was right */
};

struct perseus__rate {
	pthread_mutex_t mutex;
	int64_t cost_ns;
	struct bucket buckets[N_BUCKETS];
};

struct perseus__rate *
perseus__rate_new(int32_t per_s)
{
	struct perseus__rate *rate = perseus__new_array(1, sizeof *rate);
	if (!rate || pthread_mutex_init(&rate->mutex, NULL) != 0) {
		perseus__free(rate);
		return NULL;
	}
	rate->cost_ns = SECOND_NS / per_s;
	return rate;
}

void
perseus__rate_free(struct perseus__rate *rate)
{
	if (!rate)
		return;
	(void)pthread_mutex_destroy(&rate->mutex);
	perseus__free(rate);
}

/* The identity's bucket, or else a full one in place of a free or the quietest one. */
static struct bucket *
find_bucket(struct perseus__rate *rate, const char *identity, int64_t now_ns)
{
	struct bucket *oldest = &rate->buckets[0];
	for (int i = 0; i < N_BUCKETS; i++) {
		struct bucket *bucket = &rate->buckets[i];
		if (strncmp(bucket->identity, identity, sizeof bucket->identity - 1) == 0)
			return bucket;
		if (*oldest->identity && (!*bucket->identity || bucket->at_ns < oldest->at_ns))
			oldest = bucket;
	}
	*oldest = (struct bucket){.credit_ns = SECOND_NS, .at_ns = now_ns};
	(void)snprintf(oldest->identity, sizeof oldest->identity, "%s", identity);
	return oldest;
}

bool
perseus__rate_take(struct perseus__rate *rate, const char *identity, int64_t now_ns)
{
	(void)pthread_mutex_lock(&rate->mutex);
	struct bucket *bucket = find_bucket(rate, identity, now_ns);
	const int64_t credit_ns = bucket->credit_ns + (now_ns - bucket->at_ns);
	bucket->credit_ns = credit_ns < SECOND_NS ? credit_ns : SECOND_NS;
	bucket->at_ns = now_ns;
	const bool is_allowed = bucket->credit_ns >= rate->cost_ns;
	if (is_allowed)
		bucket->credit_ns -= rate->cost_ns;
	(void)pthread_mutex_unlock(&rate->mutex);
	return is_allowed;
}
